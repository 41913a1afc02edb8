//! Positions of expressions, and the refusal of those that the query language leaves out.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName,
    ObjectNamePart, Query, SetExpr, UnaryOperator, Value,
};
use sqlparser::tokenizer::{Location, Span};

use super::error::unsupported;
use super::meant;
use super::names::{is_known, is_of_dates, is_of_texts, is_of_today};
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
            Expr::Array(array) if !array.elem.is_empty() => &array.elem[0],
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

/// The expressions right within one, where it computes something of them.
pub(super) fn inner(expr: &Expr) -> Vec<&Expr> {
    match stripped(expr) {
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::UnaryOp { expr: e, .. }
        | Expr::IsNull(e)
        | Expr::IsNotNull(e)
        | Expr::Cast { expr: e, .. }
        | Expr::Extract { expr: e, .. }
        | Expr::Ceil { expr: e, .. }
        | Expr::Floor { expr: e, .. }
        | Expr::Trim { expr: e, .. }
        | Expr::Substring { expr: e, .. }
        | Expr::Between { expr: e, .. }
        | Expr::InList { expr: e, .. }
        | Expr::Collate { expr: e, .. } => vec![e],
        Expr::Case {
            operand,
            conditions,
            ..
        } => {
            let whens = conditions.iter().map(|when| &when.condition);
            operand.as_deref().into_iter().chain(whens).collect()
        }
        Expr::Function(Function {
            args: FunctionArguments::List(list),
            ..
        }) => {
            let arguments = list.args.iter();
            arguments
                .filter_map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                    _ => None,
                })
                .collect()
        }
        _ => Vec::new(),
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
        e if is_of_time(e) => ("arithmetic with dates".into(), TODAY),
        Expr::BinaryOp { op, .. } => operator(op),
        Expr::UnaryOp { op, .. } => unary(*op),
        Expr::Function(function) => return refuse_function(function),
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
            ("a subquery".into(), SUBQUERY)
        }
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
        Expr::Cast { expr, .. } => return unsupported(at, "a cast", without_cast(expr)),
        Expr::Convert { .. } => (
            "a cast".into(),
            "compare the column with a constant of its own type",
        ),
        Expr::IsDistinctFrom(a, b) => {
            return unsupported(at, "IS DISTINCT FROM", distinct(a, b, true));
        }
        Expr::IsNotDistinctFrom(a, b) => {
            return unsupported(at, "IS NOT DISTINCT FROM", distinct(a, b, false));
        }
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }
            if matches!(stripped(right), Expr::Subquery(_)) =>
        {
            ("a subquery".into(), SUBQUERY)
        }
        Expr::AnyOp { compare_op, .. } => (
            "ANY".into(),
            match compare_op {
                BinaryOperator::Eq => "list the values with IN (…)",
                _ => "compare the column with each value, and join with OR",
            },
        ),
        Expr::AllOp { compare_op, .. } => (
            "ALL".into(),
            match compare_op {
                BinaryOperator::NotEq => "list the values with NOT IN (…)",
                _ => "compare the column with each value, and join with AND",
            },
        ),
        Expr::InUnnest { .. } | Expr::Array(_) => (
            "an array".into(),
            "list the values with IN (…); names stand without brackets",
        ),
        Expr::Extract { .. } => (
            "EXTRACT".into(),
            "compare the date with the bounds of the period, e.g. \
             BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'",
        ),
        Expr::Interval(_) => ("INTERVAL".into(), TODAY),
        Expr::Ceil { .. } | Expr::Floor { .. } => (
            "rounding".into(),
            "compare the column with the bounds of the range",
        ),
        Expr::Tuple(_) => (
            "a row value".into(),
            "compare each column on its own and join with AND",
        ),
        Expr::TypedString(_) => (
            "a constant of this type".into(),
            "write a date as DATE 'YYYY-MM-DD'; there are no times of day",
        ),
        Expr::Value(_) => (
            "a constant that is not TRUE, FALSE or NULL as a condition".into(),
            "compare a column with it; for one of several values write column IN (1, 2)",
        ),
        _ => (
            "this expression".into(),
            "use comparisons of a column with constants, IN, BETWEEN, IS NULL, AND, OR and NOT",
        ),
    };
    unsupported(at, construct, help)
}

const SUBQUERY: &str =
    "write the condition on the patient's row itself, or list the values with IN (…)";

const TODAY: &str = "write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not \
                     change with the day";

/// Whether it computes with dates: an interval, a typed date or today's stands in it.
fn is_of_time(expr: &Expr) -> bool {
    let Expr::BinaryOp { left, op, right } = expr else {
        return false;
    };
    let is = |e: &Expr| match stripped(e) {
        Expr::Interval(_) | Expr::TypedString(_) => true,
        Expr::Function(f) => is_of_today(&name_text(&f.name)),
        _ => false,
    };
    matches!(op, BinaryOperator::Plus | BinaryOperator::Minus) && (is(left) || is(right))
}

/// What to write instead of a cast.
fn without_cast(expr: &Expr) -> String {
    match stripped(expr) {
        Expr::Value(v) => match &v.value {
            Value::SingleQuotedString(text) => meant::bare(text),
            value => format!("leave it out: write {value}"),
        },
        e @ Expr::UnaryOp { .. } => format!("leave it out: write {e}"),
        e @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
            format!("leave it out and compare {e} with a constant of its own type")
        }
        _ => "compare the column with a constant of its own type".to_owned(),
    }
}

/// What to write instead of IS [NOT] DISTINCT FROM.
fn distinct(a: &Expr, b: &Expr, is: bool) -> String {
    let is_constant = |e: &Expr| {
        matches!(
            stripped(e),
            Expr::Value(_) | Expr::UnaryOp { .. } | Expr::TypedString(_)
        )
    };
    let (column, value) = if is_constant(a) { (b, a) } else { (a, b) };
    match (is, stripped(value).to_string().as_str()) {
        (true, "NULL") => format!("write {column} IS NOT NULL"),
        (false, "NULL") => format!("write {column} IS NULL"),
        _ if !is_constant(value) => "compare a column with a constant, and with IS NULL".to_owned(),
        (true, value) => format!("write ({column} <> {value} OR {column} IS NULL)"),
        (false, value) => format!("write ({column} = {value} AND {column} IS NOT NULL)"),
    }
}

const TEXTS: &str = "list the codes you mean with IN (…)";

fn operator(op: &BinaryOperator) -> (String, &'static str) {
    use BinaryOperator as B;
    match op {
        B::Modulo => (
            "arithmetic in WHERE".into(),
            "list the values that you mean with IN (…)",
        ),
        B::Plus | B::Minus | B::Multiply | B::Divide | B::PGExp => (
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
            "use the comparison as a condition of its own, with AND, OR and NOT; for a range write \
             column BETWEEN low AND high",
        ),
        B::PGOverlap => ("&&".into(), "write AND"),
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
        other => (
            format!("the operator {other}"),
            "leave it out: conditions take NOT, numbers a sign",
        ),
    }
}

/// The error for a function in a WHERE clause.
fn refuse_function(function: &Function) -> QueryError {
    let name = short(&name_text(&function.name));
    let at = name_position(&function.name);
    let help = match name.as_str() {
        _ if is_known(&name) => {
            "aggregates stand in the SELECT list; WHERE chooses the patients before"
        }
        _ if is_of_today(&name) => TODAY,
        "to_date" | "make_date" | "date" | "to_timestamp" | "str_to_date" => {
            "write the date as a constant, DATE 'YYYY-MM-DD'"
        }
        "age" | "datediff" | "date_diff" => {
            "compare the date itself: those who were born by DATE '1980-01-01' are 40 on DATE \
             '2020-01-01'"
        }
        _ if is_of_dates(&name) => {
            "compare the date with the bounds of the period, e.g. BETWEEN DATE '2020-01-01' AND \
             DATE '2020-12-31'"
        }
        "coalesce" | "ifnull" | "isnull" | "nvl" => {
            "compare the column itself, and say of NULL whether it counts: column > 5 OR column IS \
             NULL"
        }
        "nullif" => "compare the column itself, and leave the value out: column <> 0",
        _ if is_of_texts(&name) => TEXTS,
        "random" | "rand" => "leave it out: there are no samples, all patients are counted",
        "if" | "iif" => "write the conditions with AND, OR and NOT",
        "abs" | "mod" | "sqrt" | "round" | "trunc" | "power" | "ln" | "log" | "exp" => {
            "compare the column itself with the values or ranges that you mean: column BETWEEN -5 \
             AND 5, or column IN (1, 2)"
        }
        _ => "compare the column itself with constants",
    };
    unsupported(at, format!("{name}() in WHERE"), help)
}
