//! The WHERE clause: SQL's three-valued logic as a pair of normal forms.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::registry::{Column, ColumnKind};

use super::constant::{Comparison, Constant, admitted, constant};
use super::error::{mismatch, unsupported};
use super::meant;
use super::refuse::{position, refuse, stripped};
use super::scope::Scope;
use super::{IntervalSet, MAX_IN_LIST, MAX_LEAVES, Position, Predicate, QueryError};

/// The deepest nesting of conditions.
const MAX_DEPTH: usize = 128;
/// The most leaves of an intermediate result; only IS on conditions makes them grow.
const MAX_WORKING_LEAVES: usize = 16 * MAX_LEAVES;

/// Where a condition is true and where it is false; elsewhere it is unknown.
pub(super) struct Truth {
    pub yes: Predicate,
    pub no: Predicate,
}

impl Truth {
    fn unknown() -> Self {
        Self {
            yes: Predicate::Never,
            no: Predicate::Never,
        }
    }

    fn not(self) -> Self {
        Self {
            yes: self.no,
            no: self.yes,
        }
    }

    fn not_if(self, negated: bool) -> Self {
        if negated { self.not() } else { self }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        let (yes, no) = (Predicate::Always, Predicate::Never);
        if value {
            Self { yes, no }
        } else {
            Self { yes: no, no: yes }
        }
    }
}

/// One side of a comparison.
enum Operand {
    Column(usize),
    Constant(Constant),
}

impl Scope<'_> {
    /// Where a condition is true, within the limit on leaves.
    pub fn bounded_condition(&self, expr: &Expr) -> Result<Predicate, QueryError> {
        let condition = self.condition(expr, 0)?.yes;
        if condition.leaves() > MAX_LEAVES {
            return Err(QueryError::TooLarge {
                what: "conditions after simplification",
                found: condition.leaves(),
                limit: MAX_LEAVES,
                help: "ask several queries",
            });
        }
        Ok(condition)
    }

    /// The condition of WHERE or FILTER.
    pub fn condition(&self, expr: &Expr, depth: usize) -> Result<Truth, QueryError> {
        if depth > MAX_DEPTH {
            return Err(QueryError::TooDeep);
        }
        let deeper = depth + 1;
        match stripped(expr) {
            Expr::BinaryOp { left, op, right } => match comparison(op) {
                Some(op) => self.compare(left, op, right),
                None if matches!(op, BinaryOperator::And | BinaryOperator::Or) => {
                    self.chain(stripped(expr), op, deeper)
                }
                None => Err(refuse(expr)),
            },
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => Ok(self.condition(expr, deeper)?.not()),
            Expr::IsNull(e) => self.is_null(e, deeper),
            Expr::IsNotNull(e) => Ok(self.is_null(e, deeper)?.not()),
            Expr::IsUnknown(e) => self.is_unknown(e, deeper),
            Expr::IsNotUnknown(e) => Ok(self.is_unknown(e, deeper)?.not()),
            Expr::IsTrue(e) => Ok(self.is(self.condition(e, deeper)?.yes)),
            Expr::IsNotTrue(e) => Ok(self.is(self.condition(e, deeper)?.yes).not()),
            Expr::IsFalse(e) => Ok(self.is(self.condition(e, deeper)?.no)),
            Expr::IsNotFalse(e) => Ok(self.is(self.condition(e, deeper)?.no).not()),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let low = self.compare(expr, Comparison::GreaterOrEqual, low)?;
                let high = self.compare(expr, Comparison::LessOrEqual, high)?;
                Ok(self.and([low, high]).not_if(*negated))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => Ok(self.in_list(expr, list)?.not_if(*negated)),
            Expr::Like {
                negated,
                expr: column,
                pattern,
                any: false,
                escape_char: None,
            } => Err(self.refuse_like(expr, column, pattern, *negated, false)),
            Expr::ILike {
                negated,
                expr: column,
                pattern,
                any: false,
                escape_char: None,
            } => Err(self.refuse_like(expr, column, pattern, *negated, true)),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.bare_column(expr),
            Expr::Value(_) => match constant(expr)? {
                Some(Constant::Bool(value)) => Ok(value.into()),
                Some(Constant::Null) => Ok(Truth::unknown()),
                _ => Err(refuse(expr)),
            },
            _ => Err(refuse(expr)),
        }
    }

    /// A chain of ANDs or ORs, whose tree leans to the left as deep as the chain is long.
    fn chain(&self, expr: &Expr, op: &BinaryOperator, depth: usize) -> Result<Truth, QueryError> {
        let mut members = Vec::new();
        let mut rest = expr;
        while let Expr::BinaryOp { left, op: o, right } = rest
            && o == op
        {
            members.push(self.condition(right, depth)?);
            rest = left;
        }
        members.push(self.condition(rest, depth)?);
        Ok(if *op == BinaryOperator::And {
            self.and(members)
        } else {
            self.and(members.into_iter().map(Truth::not)).not()
        })
    }

    fn and(&self, members: impl IntoIterator<Item = Truth>) -> Truth {
        let (yes, no): (Vec<_>, Vec<_>) = members.into_iter().map(|t| (t.yes, t.no)).unzip();
        Truth {
            yes: self.normal.all(yes),
            no: self.normal.any(no),
        }
    }

    /// A condition that is never unknown.
    fn is(&self, yes: Predicate) -> Truth {
        let no = self.normal.complement(&yes);
        Truth { yes, no }
    }

    fn is_null(&self, expr: &Expr, depth: usize) -> Result<Truth, QueryError> {
        if let Some(column) = self.column(expr)? {
            return Ok(self.is(self.normal.is_null(column)));
        }
        match constant(expr)? {
            Some(Constant::Null) => Ok(true.into()),
            Some(_) => Ok(false.into()),
            None => self.is_unknown(expr, depth),
        }
    }

    fn is_unknown(&self, expr: &Expr, depth: usize) -> Result<Truth, QueryError> {
        let Truth { yes, no } = self.condition(expr, depth)?;
        if yes.leaves() + no.leaves() > MAX_WORKING_LEAVES {
            return Err(QueryError::TooLarge {
                what: "conditions under IS",
                found: yes.leaves() + no.leaves(),
                limit: MAX_WORKING_LEAVES,
                help: "use fewer nested IS tests",
            });
        }
        let known = self.normal.any([yes, no]);
        Ok(self.is(known).not())
    }

    fn bare_column(&self, expr: &Expr) -> Result<Truth, QueryError> {
        let Some(column) = self.column(expr)? else {
            return Err(refuse(expr));
        };
        let definition = self.definition(column);
        if definition.kind != ColumnKind::Boolean {
            let message = format!(
                "column {} is a {}, not a condition",
                definition.name,
                definition.type_name()
            );
            return Err(mismatch(
                position(expr),
                message,
                "compare it with a constant",
            ));
        }
        Ok(self.column_in(column, IntervalSet::single(1)))
    }

    /// True where the column's value is in the set, unknown where it is NULL.
    fn column_in(&self, column: usize, set: IntervalSet) -> Truth {
        let others = set.complement(self.definition(column).span());
        Truth {
            yes: self.normal.is_in(column, set),
            no: self.normal.is_in(column, others),
        }
    }

    fn operand(&self, expr: &Expr) -> Result<Operand, QueryError> {
        if let Some(column) = self.column(expr)? {
            return Ok(Operand::Column(column));
        }
        match constant(expr)? {
            Some(constant) => Ok(Operand::Constant(constant)),
            None => Err(refuse(expr)),
        }
    }

    /// The refusal of LIKE, with the codes that its pattern fits.
    fn refuse_like(
        &self,
        whole: &Expr,
        column: &Expr,
        pattern: &Expr,
        negated: bool,
        any_case: bool,
    ) -> QueryError {
        let (Some(column), Ok(Some(Constant::Text(pattern)))) =
            (self.known(column), constant(pattern))
        else {
            return refuse(whole);
        };
        match meant::like(column, &pattern, negated, any_case) {
            Some(help) => unsupported(position(whole), "LIKE", help),
            None => refuse(whole),
        }
    }

    /// An operand that is compared with the column.
    fn operand_beside(&self, expr: &Expr, column: Option<&Column>) -> Result<Operand, QueryError> {
        self.operand(expr)
            .map_err(|error| match (error, stripped(expr)) {
                (QueryError::UnknownColumn { at, name, help }, Expr::Identifier(ident)) => {
                    let meant = column.and_then(|c| meant::by_name(c, ident));
                    let help = meant.unwrap_or(help);
                    QueryError::UnknownColumn { at, name, help }
                }
                (error, _) => error,
            })
    }

    fn compare(&self, left: &Expr, op: Comparison, right: &Expr) -> Result<Truth, QueryError> {
        let (a, b) = (self.known(left), self.known(right));
        match (
            self.operand_beside(left, b)?,
            self.operand_beside(right, a)?,
        ) {
            (Operand::Column(column), Operand::Constant(c)) => {
                self.column_with(column, op, &c, position(right))
            }
            (Operand::Constant(c), Operand::Column(column)) => {
                self.column_with(column, op.flipped(), &c, position(left))
            }
            (Operand::Column(_), Operand::Column(_)) => Err(unsupported(
                position(left),
                "comparing a column with a column",
                "compare each with a constant, or have the hospitals add the difference as a \
                 column of the registry",
            )),
            (Operand::Constant(a), Operand::Constant(b)) => match (a, b) {
                (Constant::Null, _) | (_, Constant::Null) => Ok(Truth::unknown()),
                (Constant::Number(a, _), Constant::Number(b, _)) => Ok(op.holds(&a, &b).into()),
                _ => Err(unsupported(
                    position(left),
                    "comparing these constants",
                    "compare a column with a constant, or write TRUE or FALSE",
                )),
            },
        }
    }

    fn column_with(
        &self,
        column: usize,
        op: Comparison,
        constant: &Constant,
        at: Position,
    ) -> Result<Truth, QueryError> {
        if matches!(constant, Constant::Null) {
            return Ok(Truth::unknown());
        }
        let encoder = self.encoder(column);
        let code = |text: &str| encoder.code(text);
        let set = admitted(self.definition(column), op, constant, at, &code)?;
        Ok(self.column_in(column, set))
    }

    fn in_list(&self, expr: &Expr, list: &[Expr]) -> Result<Truth, QueryError> {
        if list.len() > MAX_IN_LIST {
            return Err(QueryError::TooLarge {
                what: "values in an IN list",
                found: list.len(),
                limit: MAX_IN_LIST,
                help: "use ranges with BETWEEN, or a grouping column",
            });
        }
        let Some(column) = self.column(expr)? else {
            let at = position(expr);
            let help = "write column IN (constant, …)";
            return Err(unsupported(
                at,
                "IN with anything but a column before it",
                help,
            ));
        };
        let definition = self.definition(column);
        let encoder = self.encoder(column);
        let code = |text: &str| encoder.code(text);
        let mut values = Vec::with_capacity(list.len());
        let mut null = false;
        for item in list {
            let at = position(item);
            match self.operand_beside(item, Some(definition))? {
                Operand::Constant(Constant::Null) => null = true,
                Operand::Constant(c) => {
                    let set = admitted(definition, Comparison::Equal, &c, at, &code)?;
                    values.extend_from_slice(set.intervals());
                }
                Operand::Column(_) => {
                    let help = "list constants only";
                    return Err(unsupported(at, "a column in an IN list", help));
                }
            }
        }
        let mut truth = self.column_in(column, IntervalSet::from_intervals(values));
        if null {
            truth.no = Predicate::Never;
        }
        Ok(truth)
    }
}

fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
