//! Constants of a query, and what they select of a column.

use sqlparser::ast::{DataType, Expr, TypedString, UnaryOperator, Value};
use time::Date;

use crate::registry::decimal::{Decimal, Scaled};
use crate::registry::{Column, ColumnKind, value};

use super::error::mismatch;
use super::meant;
use super::refuse::{position, stripped};
use super::suggest::{literal as quoted, short, short_literal};
use super::{IntervalSet, Position, QueryError};

/// A constant as it is written.
#[derive(Debug, Clone)]
pub(super) enum Constant {
    Null,
    Bool(bool),
    /// The number and its text, sign included.
    Number(Decimal, String),
    Text(String),
    Date(Date),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// `a op b` is `b op.flipped() a`.
    pub fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    pub fn holds<T: Ord>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

/// The constant that an expression writes; `None` when it is no constant.
pub(super) fn constant(expr: &Expr) -> Result<Option<Constant>, QueryError> {
    let at = position(expr);
    let typed_date = |text: &str| match value::date(text) {
        Some(date) => Ok(Some(Constant::Date(date))),
        None => Err(not_a_date(at, text)),
    };
    match stripped(expr) {
        Expr::Value(v) => literal(&v.value, "", at),
        Expr::UnaryOp {
            op: op @ (UnaryOperator::Minus | UnaryOperator::Plus),
            expr,
        } => match stripped(expr) {
            Expr::Value(v) if matches!(v.value, Value::Number(..)) => {
                let sign = if *op == UnaryOperator::Minus { "-" } else { "" };
                literal(&v.value, sign, at)
            }
            _ => Ok(None),
        },
        Expr::TypedString(TypedString {
            data_type: DataType::Date,
            value,
            ..
        }) => match &value.value {
            Value::SingleQuotedString(text) => typed_date(text),
            _ => Ok(None),
        },
        Expr::Cast {
            expr,
            data_type: DataType::Date,
            ..
        } => match stripped(expr) {
            Expr::Value(v) => match &v.value {
                Value::SingleQuotedString(text) => typed_date(text),
                _ => Ok(None),
            },
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

fn literal(value: &Value, sign: &str, at: Position) -> Result<Option<Constant>, QueryError> {
    Ok(Some(match value {
        Value::Null => Constant::Null,
        Value::Boolean(b) => Constant::Bool(*b),
        Value::Number(digits, false) => {
            let text = format!("{sign}{digits}");
            let Some(number) = Decimal::parse(&text) else {
                let message = format!("{} is not a decimal number", short(&text));
                let bare = text.replace('_', "");
                let help = match Decimal::parse(&bare) {
                    Some(_) => format!("write {}", short(&bare)),
                    None => "write digits with a point, such as 12.5".to_owned(),
                };
                return Err(mismatch(at, message, help));
            };
            Constant::Number(number, text)
        }
        Value::SingleQuotedString(text) => Constant::Text(text.clone()),
        Value::Placeholder(_) => {
            let help = "write the value itself: the query's text is what is proven";
            return Err(mismatch(at, "the parameter has no value", help));
        }
        Value::EscapedStringLiteral(text)
        | Value::NationalStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::TripleSingleQuotedString(text) => {
            let help = format!("write {}", quoted(text));
            return Err(mismatch(at, "this kind of text constant is not read", help));
        }
        Value::DollarQuotedString(text) => {
            let help = format!("write {}", quoted(&text.value));
            return Err(mismatch(at, "this kind of text constant is not read", help));
        }
        _ => {
            let help = "write 'text', 12.5, TRUE, FALSE, NULL or DATE 'YYYY-MM-DD'";
            return Err(mismatch(at, "this kind of constant is unknown", help));
        }
    }))
}

fn not_a_date(at: Position, text: &str) -> QueryError {
    let message = format!("{} is not a calendar date", short_literal(text));
    mismatch(at, message, meant::date(text))
}

/// Looks codes up; a query may have many.
pub(super) type CodeLookup<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// The stored values of the column for which `value op constant` is true; the constant is not
/// NULL.
pub(super) fn admitted(
    column: &Column,
    op: Comparison,
    constant: &Constant,
    at: Position,
    code: CodeLookup<'_>,
) -> Result<IntervalSet, QueryError> {
    match &column.kind {
        ColumnKind::Boolean => {
            let value = truth_value(column, constant, at)?;
            equality(column, op, u64::from(value), at)
        }
        ColumnKind::Category { codes } => {
            let text = match constant {
                Constant::Text(text) | Constant::Number(_, text) => text,
                _ => {
                    let first = codes.first().map_or("", |c| c.code.as_str());
                    let help = format!("write one of its codes, e.g. {}", quoted(first));
                    return Err(wrong_constant(column, at, &help));
                }
            };
            let stored = code(text).ok_or_else(|| unknown_code(column, text, at))?;
            equality(column, op, stored, at)
        }
        ColumnKind::Number { min, decimals, .. } => match constant {
            Constant::Number(number, _) => {
                let scaled = number.at_scale(*decimals);
                let floor = scaled.floor - i128::from(*min);
                Ok(ordered(column, op, Scaled { floor, ..scaled }))
            }
            Constant::Text(text) => {
                let help = match Decimal::parse(text) {
                    Some(_) => format!("write {} without quotes", short(text)),
                    None if meant::is_no_number(text) => meant::NO_NAN.to_owned(),
                    None => "write a number without quotes".to_owned(),
                };
                Err(wrong_constant(column, at, &help))
            }
            _ => Err(wrong_constant(column, at, "write a number")),
        },
        ColumnKind::Date { min, .. } => {
            let date = match constant {
                Constant::Date(date) => *date,
                Constant::Text(text) => value::date(text).ok_or_else(|| not_a_date(at, text))?,
                Constant::Number(_, text) => {
                    return Err(wrong_constant(column, at, &meant::date(text)));
                }
                _ => return Err(wrong_constant(column, at, "write DATE 'YYYY-MM-DD'")),
            };
            let floor = i128::from((date - *min).whole_days());
            Ok(ordered(column, op, Scaled { floor, exact: true }))
        }
    }
}

fn truth_value(column: &Column, constant: &Constant, at: Position) -> Result<bool, QueryError> {
    let read = match constant {
        Constant::Bool(b) => Some(*b),
        Constant::Text(text) | Constant::Number(_, text) => value::boolean(text),
        _ => None,
    };
    read.ok_or_else(|| wrong_constant(column, at, "write TRUE or FALSE"))
}

fn wrong_constant(column: &Column, at: Position, help: &str) -> QueryError {
    let message = format!("column {} is a {}", column.name, column.type_name());
    mismatch(at, message, help)
}

fn equality(
    column: &Column,
    op: Comparison,
    stored: u64,
    at: Position,
) -> Result<IntervalSet, QueryError> {
    match op {
        Comparison::Equal => Ok(IntervalSet::single(stored)),
        Comparison::NotEqual => Ok(IntervalSet::single(stored).complement(column.span())),
        _ => {
            let message = format!(
                "column {} is a {}: its values have no order",
                column.name,
                column.type_name()
            );
            Err(mismatch(
                at,
                message,
                "use =, <> or IN with the values you mean",
            ))
        }
    }
}

/// `threshold` counts from the column's minimum.
fn ordered(column: &Column, op: Comparison, threshold: Scaled) -> IntervalSet {
    let span = column.span();
    let Scaled { floor, exact } = threshold;
    let up_to = |last: i128| match u64::try_from(last) {
        Ok(last) => IntervalSet::range(0, last.min(span)),
        Err(_) if last > 0 => IntervalSet::full(span),
        Err(_) => IntervalSet::empty(),
    };
    let below = || up_to(if exact { floor - 1 } else { floor });
    let at_most = || up_to(floor);
    match op {
        Comparison::Less => below(),
        Comparison::LessOrEqual => at_most(),
        Comparison::Greater => at_most().complement(span),
        Comparison::GreaterOrEqual => below().complement(span),
        Comparison::Equal => at_most().intersection(&below().complement(span)),
        Comparison::NotEqual => at_most()
            .intersection(&below().complement(span))
            .complement(span),
    }
}

/// No code of the column is written like this: the nearest ones, or those that it is the label of.
fn unknown_code(column: &Column, text: &str, at: Position) -> QueryError {
    QueryError::UnknownCode {
        at,
        column: column.name.clone(),
        code: short_literal(text),
        help: meant::codes(column, text),
    }
}
