//! What to write instead of an aggregate of something computed: FILTER, or the bare column.

use sqlparser::ast::{BinaryOperator, DateTimeField, Expr, Function, UnaryOperator, Value};

use crate::registry::{Column, ColumnKind};

use super::QueryError;
use super::error::unsupported;
use super::refuse::{inner, name_text, position, stripped};
use super::scope::Scope;
use super::suggest::short;

/// The longest condition that is written out.
const MAX_CONDITION: usize = 1_000;
/// The most cases that are written out.
pub(super) const MAX_CASES: usize = 8;

/// What CASE or IF computes.
pub(super) struct Cases<'e> {
    /// Conditions as text, with their results.
    pub whens: Vec<(String, &'e Expr)>,
    otherwise: Option<&'e Expr>,
}

impl<'e> Cases<'e> {
    pub fn of(expr: &'e Expr) -> Option<Self> {
        match stripped(expr) {
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => {
                let whens = conditions.iter().map(|when| {
                    let text = match operand {
                        Some(operand) => format!("{operand} = {}", when.condition),
                        None => when.condition.to_string(),
                    };
                    (written(text), &when.result)
                });
                Some(Self {
                    whens: whens.collect(),
                    otherwise: else_result.as_deref(),
                })
            }
            Expr::Function(f) if matches!(name_text(&f.name).as_str(), "if" | "iif") => {
                match inner(expr).as_slice() {
                    [condition, result, rest @ ..] => Some(Self {
                        whens: vec![(written(condition.to_string()), *result)],
                        otherwise: rest.first().copied(),
                    }),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A condition, where it is short enough to be read.
pub(super) fn written(condition: String) -> String {
    if condition.len() <= MAX_CONDITION {
        condition
    } else {
        "the condition".to_owned()
    }
}

/// Whether an expression is a condition of any kind.
pub(super) fn is_condition(expr: &Expr) -> bool {
    match stripped(expr) {
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::And
                | BinaryOperator::Or
        ),
        Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between { .. }
        | Expr::InList { .. } => true,
        _ => false,
    }
}

fn is_number(expr: &Expr, number: &str) -> bool {
    matches!(stripped(expr), Expr::Value(v)
        if matches!(&v.value, Value::Number(digits, _) if digits.trim_end_matches(".0") == number))
}

fn is_null(expr: &Expr) -> bool {
    matches!(stripped(expr), Expr::Value(v) if v.value == Value::Null)
}

/// The first column that stands somewhere in an expression.
pub(super) fn column_within<'a>(scope: &Scope<'a>, expr: &Expr) -> Option<&'a Column> {
    if let Some(column) = scope.known(expr) {
        return Some(column);
    }
    inner(expr)
        .into_iter()
        .find_map(|within| column_within(scope, within))
}

/// The refusal of an aggregate's argument that is no column.
pub(super) fn refuse_argument(
    scope: &Scope<'_>,
    f: &Function,
    name: &str,
    argument: &Expr,
) -> QueryError {
    let at = position(argument);
    let filter = Filter(f.filter.as_deref());
    if let Some(cases) = Cases::of(argument) {
        let help = of_cases(&cases, name, &filter);
        let what = kind_of(argument);
        return unsupported(at, format!("{what} in {name}"), help);
    }
    if is_condition(argument) {
        let count = filter.of("count(*)", &written(argument.to_string()));
        let help = match name {
            "sum" | "count" => format!("write {count}"),
            _ => format!("ask for {count} and for count(*), and divide"),
        };
        return unsupported(at, format!("a condition in {name}"), help);
    }
    let column = column_within(scope, argument);
    let named = column.map_or("column", |c| c.name.as_str());
    match stripped(argument) {
        Expr::Cast { .. } | Expr::Convert { .. } => unsupported(
            at,
            format!("a cast in {name}"),
            format!("write {name}({named}): the result is exact without one"),
        ),
        Expr::Function(g) if is_default(&name_text(&g.name)) => {
            let help = format!(
                "{name} leaves NULL out: write {name}({named}); how many have none is \
                 {}",
                filter.of("count(*)", &format!("{named} IS NULL"))
            );
            unsupported(
                at,
                format!("{}() in {name}", name_text(&g.name).to_uppercase()),
                help,
            )
        }
        Expr::BinaryOp {
            op: BinaryOperator::Multiply,
            left,
            right,
        } if name == "sum" && both_columns(scope, left, right) => unsupported(
            at,
            "the sum of a product",
            format!("ask for regr_sxy({left}, {right}), corr or covar_pop of the two columns"),
        ),
        Expr::Value(_) if name == "count" => unsupported(
            at,
            "count of NULL",
            "it is always 0; write count(*), or count(column)",
        ),
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Function(_) => {
            let squares = if name == "sum" {
                "; sum also takes column * column"
            } else {
                ""
            };
            let help = format!(
                "ask for {name}({named}) and compute with the released answer, or have the \
                 hospitals add the column{squares}"
            );
            unsupported(at, format!("computing within {name}"), help)
        }
        _ => unsupported(
            at,
            format!("this argument of {name}"),
            format!("write {name}({named})"),
        ),
    }
}

fn both_columns(scope: &Scope<'_>, left: &Expr, right: &Expr) -> bool {
    let is_number = |e: &Expr| {
        let column = scope.known(e);
        column.is_some_and(|c| matches!(c.kind, ColumnKind::Number { .. }))
    };
    is_number(left) && is_number(right)
}

/// Functions that put a value in the place of NULL, or NULL in the place of a value.
pub(super) fn is_default(name: &str) -> bool {
    matches!(name, "coalesce" | "ifnull" | "isnull" | "nvl" | "nullif")
}

/// The FILTER that stands there already.
pub(super) struct Filter<'e>(pub Option<&'e Expr>);

impl Filter<'_> {
    pub fn of(&self, aggregate: &str, condition: &str) -> String {
        match self.0 {
            None => format!("{aggregate} FILTER (WHERE {condition})"),
            Some(first) => {
                let first = written(first.to_string());
                format!("{aggregate} FILTER (WHERE ({first}) AND ({condition}))")
            }
        }
    }
}

/// What to write instead of an aggregate of CASE.
fn of_cases(cases: &Cases<'_>, name: &str, filter: &Filter<'_>) -> String {
    let counts = |condition: &str| filter.of("count(*)", condition);
    if let [(condition, result)] = cases.whens.as_slice() {
        let zero = cases.otherwise.is_some_and(|e| is_number(e, "0"));
        let nothing = cases.otherwise.is_none_or(is_null);
        let constant = matches!(stripped(result), Expr::Value(_)) && !is_null(result);
        let of_result = || filter.of(&format!("{name}({result})"), condition);
        return match name {
            "count" if !nothing => {
                let counts = counts(condition);
                format!("it counts the rows of ELSE too: write count(*), or {counts}")
            }
            "count" if constant => format!("write {}", counts(condition)),
            "sum" if is_number(result, "1") && (zero || nothing) => {
                format!("write {}", counts(condition))
            }
            "sum" if constant && (zero || nothing) => {
                format!("write {}, times {result}", counts(condition))
            }
            "avg" if zero && (is_number(result, "1") || !constant) => {
                let part = match constant {
                    true => counts(condition),
                    false => filter.of(&format!("sum({result})"), condition),
                };
                let all = filter.0.map_or("count(*)".to_owned(), |f| {
                    format!("count(*) FILTER (WHERE {})", written(f.to_string()))
                });
                format!("ask for {part} and {all}, and divide")
            }
            _ if constant => format!("ask for {}", counts(condition)),
            _ if nothing || (name == "sum" && zero) => format!("write {}", of_result()),
            _ => format!(
                "ask for {}, and beside it for those of ELSE: FILTER (WHERE ({condition}) IS NOT \
                 TRUE)",
                of_result()
            ),
        };
    }
    let each = cases
        .whens
        .iter()
        .take(MAX_CASES)
        .map(|(condition, result)| {
            if name == "count" || matches!(stripped(result), Expr::Value(_)) {
                counts(condition)
            } else {
                filter.of(&format!("{name}({result})"), condition)
            }
        });
    let each: Vec<String> = each.collect();
    format!(
        "ask for each case, and leave out of the later ones what the earlier ones took: {}",
        each.join(", ")
    )
}

/// What an expression is, for people.
pub(super) fn kind_of(expr: &Expr) -> String {
    match stripped(expr) {
        Expr::Case { .. } => "CASE".to_owned(),
        Expr::Function(f) => format!("{}()", short(&name_text(&f.name))),
        Expr::Extract { field, .. } if *field != DateTimeField::Year => format!("extract({field})"),
        Expr::Rollup(_) => "ROLLUP".to_owned(),
        Expr::Cube(_) => "CUBE".to_owned(),
        Expr::GroupingSets(_) => "GROUPING SETS".to_owned(),
        Expr::Cast { .. } => "a cast".to_owned(),
        Expr::BinaryOp { .. } if !is_condition(expr) => "arithmetic".to_owned(),
        Expr::Floor { .. } => "floor()".to_owned(),
        Expr::Ceil { .. } => "ceil()".to_owned(),
        e if is_condition(e) => "a condition".to_owned(),
        _ => "this expression".to_owned(),
    }
}
