//! Positions of expressions, and the refusal of those that the query language leaves out.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, ObjectName, ObjectNamePart, Query, SetExpr, UnaryOperator,
};
use sqlparser::tokenizer::{Location, Span};

use super::error::unsupported;
use super::names::is_known;
use super::suggest::short;
use super::{Position, QueryError};

/// An expression without the parentheses around it.
pub(super) fn stripped(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

pub(super) fn from_span(span: Span) -> Position {
    from_location(span.start)
}

pub(super) fn from_location(at: Location) -> Position {
    Position {
        line: at.line.max(1),
        column: at.column.max(1),
    }
}

/// Where an expression starts. A loop, since a long chain of operators is a deep tree.
pub(super) fn position(mut expr: &Expr) -> Position {
    loop {
        expr = match expr {
            Expr::Nested(e)
            | Expr::IsNull(e)
            | Expr::IsNotNull(e)
            | Expr::IsTrue(e)
            | Expr::IsNotTrue(e)
            | Expr::IsFalse(e)
            | Expr::IsNotFalse(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotUnknown(e)
            | Expr::IsDistinctFrom(e, _)
            | Expr::IsNotDistinctFrom(e, _)
            | Expr::UnaryOp { expr: e, .. }
            | Expr::BinaryOp { left: e, .. }
            | Expr::AnyOp { left: e, .. }
            | Expr::AllOp { left: e, .. }
            | Expr::Between { expr: e, .. }
            | Expr::InList { expr: e, .. }
            | Expr::InSubquery { expr: e, .. }
            | Expr::InUnnest { expr: e, .. }
            | Expr::Like { expr: e, .. }
            | Expr::ILike { expr: e, .. }
            | Expr::SimilarTo { expr: e, .. }
            | Expr::RLike { expr: e, .. }
            | Expr::Collate { expr: e, .. }
            | Expr::Cast { expr: e, .. }
            | Expr::AtTimeZone { timestamp: e, .. }
            | Expr::Extract { expr: e, .. }
            | Expr::Ceil { expr: e, .. }
            | Expr::Floor { expr: e, .. }
            | Expr::Trim { expr: e, .. }
            | Expr::Substring { expr: e, .. }
            | Expr::Overlay { expr: e, .. }
            | Expr::Position { expr: e, .. }
            | Expr::Convert { expr: e, .. }
            | Expr::CompoundFieldAccess { root: e, .. } => e,
            Expr::Tuple(list) if !list.is_empty() => &list[0],
            Expr::Identifier(ident) => return from_span(ident.span),
            Expr::CompoundIdentifier(parts) => {
                return parts
                    .first()
                    .map_or_else(Position::start, |i| from_span(i.span));
            }
            Expr::Value(value) => return from_span(value.span),
            Expr::TypedString(typed) => return from_span(typed.value.span),
            Expr::Function(function) => return name_position(&function.name),
            Expr::Case { case_token, .. } => return from_span(case_token.0.span),
            Expr::Subquery(query)
            | Expr::Exists {
                subquery: query, ..
            } => {
                return query_position(query);
            }
            _ => return Position::start(),
        };
    }
}

/// Where a query starts: its SELECT, without the parentheses before it.
pub(super) fn query_position(query: &Query) -> Position {
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            SetExpr::Select(select) => return from_span(select.select_token.0.span),
            SetExpr::Query(inner) => &inner.body,
            SetExpr::SetOperation { left, .. } => left,
            _ => return Position::start(),
        };
    }
}

impl Position {
    /// The start of the text.
    pub(super) fn start() -> Self {
        Self { line: 1, column: 1 }
    }
}

pub(super) fn name_position(name: &ObjectName) -> Position {
    match name.0.first() {
        Some(ObjectNamePart::Identifier(ident)) => from_span(ident.span),
        _ => Position::start(),
    }
}

/// A function's or table's name in lower case, parts joined by points.
pub(super) fn name_text(name: &ObjectName) -> String {
    let part = |p: &ObjectNamePart| match p {
        ObjectNamePart::Identifier(i) if i.quote_style.is_some() => i.value.clone(),
        ObjectNamePart::Identifier(i) => i.value.to_lowercase(),
        ObjectNamePart::Function(f) => f.name.value.to_lowercase(),
    };
    let parts: Vec<String> = name.0.iter().map(part).collect();
    parts.join(".")
}

/// The error for an expression that has no place in a WHERE clause.
pub(super) fn refuse(expr: &Expr) -> QueryError {
    let at = position(expr);
    let (construct, help): (String, &str) = match stripped(expr) {
        Expr::BinaryOp { op, .. } => operator(op),
        Expr::UnaryOp { op, .. } => unary(*op),
        Expr::Function(function) => return refuse_function(function),
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => (
            "a subquery".into(),
            "write the condition on the patient's row itself, or list the values with IN (…)",
        ),
        Expr::Like { .. } => ("LIKE".into(), TEXTS),
        Expr::ILike { .. } => ("ILIKE".into(), TEXTS),
        Expr::SimilarTo { .. } => ("SIMILAR TO".into(), TEXTS),
        Expr::RLike { .. } => ("RLIKE".into(), TEXTS),
        Expr::Collate { .. } => ("COLLATE".into(), TEXTS),
        Expr::Trim { .. }
        | Expr::Substring { .. }
        | Expr::Overlay { .. }
        | Expr::Position { .. } => ("a text function".into(), TEXTS),
        Expr::Case { .. } => ("CASE".into(), "write the conditions with AND, OR and NOT"),
        Expr::Cast { .. } | Expr::Convert { .. } => (
            "a cast".into(),
            "compare the column with a constant of its own type",
        ),
        Expr::IsDistinctFrom(..) => (
            "IS DISTINCT FROM".into(),
            "write column <> value OR column IS NULL",
        ),
        Expr::IsNotDistinctFrom(..) => (
            "IS NOT DISTINCT FROM".into(),
            "write column = value, or column IS NULL",
        ),
        Expr::AnyOp { .. } => ("ANY".into(), "list the values with IN (…)"),
        Expr::AllOp { .. } => ("ALL".into(), "list the values with NOT IN (…)"),
        Expr::InUnnest { .. } | Expr::Array(_) => {
            ("an array".into(), "list the values with IN (…)")
        }
        Expr::Extract { .. } => (
            "EXTRACT".into(),
            "compare the date with the bounds of the period, e.g. \
             BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'",
        ),
        Expr::Interval(_) => ("INTERVAL".into(), "write the resulting date as a constant"),
        Expr::Ceil { .. } | Expr::Floor { .. } => (
            "rounding".into(),
            "compare the column with the bounds of the range",
        ),
        Expr::Tuple(_) => (
            "a row value".into(),
            "compare each column on its own and join with AND",
        ),
        Expr::Value(_) | Expr::TypedString(_) => (
            "a constant that is not TRUE, FALSE or NULL as a condition".into(),
            "compare a column with it",
        ),
        _ => (
            "this expression".into(),
            "use comparisons of a column with constants, IN, BETWEEN, IS NULL, AND, OR and NOT",
        ),
    };
    unsupported(at, construct, help)
}

const TEXTS: &str = "list the codes you mean with IN (…)";

fn operator(op: &BinaryOperator) -> (String, &'static str) {
    use BinaryOperator as B;
    match op {
        B::Plus | B::Minus | B::Multiply | B::Divide | B::Modulo | B::PGExp => (
            "arithmetic in WHERE".into(),
            "move it to the constant and write the result: x >= 65 instead of x + 5 >= 70",
        ),
        B::Xor => ("XOR".into(), "write (a AND NOT b) OR (NOT a AND b)"),
        B::PGRegexMatch
        | B::PGRegexIMatch
        | B::PGRegexNotMatch
        | B::PGRegexNotIMatch
        | B::PGLikeMatch
        | B::PGILikeMatch
        | B::PGNotLikeMatch
        | B::PGNotILikeMatch
        | B::Regexp
        | B::StringConcat => (format!("the operator {op}"), TEXTS),
        B::And | B::Or => (
            "a condition as a value".into(),
            "use the condition itself, with AND, OR and NOT",
        ),
        B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq => (
            "the result of a comparison as a value".into(),
            "use the comparison as a condition of its own, with AND, OR and NOT",
        ),
        _ => (
            format!("the operator {op}"),
            "use =, <>, <, <=, >, >=, BETWEEN, IN, IS NULL, AND, OR and NOT",
        ),
    }
}

fn unary(op: UnaryOperator) -> (String, &'static str) {
    match op {
        UnaryOperator::Minus | UnaryOperator::Plus => operator(&BinaryOperator::Minus),
        UnaryOperator::Not => operator(&BinaryOperator::And),
        other => (format!("the operator {other}"), "use NOT"),
    }
}

/// The error for a function in a WHERE clause.
fn refuse_function(function: &Function) -> QueryError {
    let name = short(&name_text(&function.name));
    let at = name_position(&function.name);
    let help = if is_known(&name) {
        "aggregates stand in the SELECT list; WHERE chooses the patients before"
    } else {
        "compare the column itself with constants"
    };
    unsupported(at, format!("{name}() in WHERE"), help)
}
