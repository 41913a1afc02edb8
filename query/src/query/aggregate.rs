//! The SELECT list: aggregates and group keys.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, SelectItem,
};

use crate::registry::ColumnKind;

use super::constant::{Constant, constant};
use super::error::{mismatch, unsupported};
use super::functions::{pair_columns, percentile, wrong_type};
use super::instead::refuse_output;
use super::names::{
    DISCLOSING, KNOWN, OTHER_PERCENTILES, PERCENTILE, counts_distinct, is_of_today, pair_function,
    synonym,
};
use super::refuse::{from_span, name_position, name_text, position, refuse, stripped};
use super::rewrite::refuse_argument;
use super::scope::{Scope, folded};
use super::suggest::{nearest, short};
use super::{
    Aggregate, Grouping, Output, OutputValue, PairFunction, Position, Predicate, QueryError,
    grouping,
};

/// The longest label, bytes; PostgreSQL cuts longer ones.
const MAX_LABEL: usize = 63;

/// One item of the SELECT list.
pub(super) fn output(
    scope: &Scope<'_>,
    item: &SelectItem,
    group_by: &[Grouping],
) -> Result<Output, QueryError> {
    let (expr, alias) = match item {
        SelectItem::UnnamedExpr(expr) => (expr, None),
        SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
        SelectItem::Wildcard(options) => {
            return Err(disclosing(
                from_span(options.wildcard_token.0.span),
                "SELECT *",
            ));
        }
        SelectItem::QualifiedWildcard(_, options) => {
            let at = from_span(options.wildcard_token.0.span);
            return Err(disclosing(at, "SELECT table.*"));
        }
        SelectItem::ExprWithAliases { expr, .. } => {
            let help = "give one alias with AS";
            return Err(unsupported(position(expr), "a list of aliases", help));
        }
    };
    let (value, default) = value(scope, expr, group_by)?;
    let label = match alias {
        None => default,
        Some(alias) => {
            let label = folded(alias);
            if label.is_empty() || label.len() > MAX_LABEL || label.chars().any(char::is_control) {
                let message = format!("the alias '{}' is not usable", short(&label));
                let help = format!("write 1 to {MAX_LABEL} bytes without control characters");
                return Err(mismatch(from_span(alias.span), message, help));
            }
            label
        }
    };
    let filter = filter(scope, expr)?;
    Ok(Output {
        label,
        value,
        filter,
    })
}

/// The condition of `FILTER (WHERE …)`.
fn filter(scope: &Scope<'_>, expr: &Expr) -> Result<Predicate, QueryError> {
    let Expr::Function(Function {
        filter: Some(condition),
        ..
    }) = stripped(expr)
    else {
        return Ok(Predicate::Always);
    };
    scope.bounded_condition(condition)
}

fn disclosing(at: Position, construct: &str) -> QueryError {
    QueryError::Disclosing {
        at,
        construct: construct.to_owned(),
        help: format!("ask for aggregates: {}", all_names().join(", ")),
    }
}

/// The names of all aggregates that can be asked for.
fn all_names() -> Vec<&'static str> {
    let pairs = PairFunction::NAMES.into_iter().map(|(name, _)| name);
    KNOWN.into_iter().chain([PERCENTILE]).chain(pairs).collect()
}

/// The output's value and PostgreSQL's default name.
fn value(
    scope: &Scope<'_>,
    expr: &Expr,
    group_by: &[Grouping],
) -> Result<(OutputValue, String), QueryError> {
    if let Some(column) = scope.column(expr)? {
        let name = &scope.definition(column).name;
        let is_key = |g: &Grouping| g.column == column && g.bins.is_none();
        if let Some(key) = group_by.iter().position(is_key) {
            return Ok((OutputValue::Key(key), name.clone()));
        }
        let group = match scope.definition(column).kind {
            ColumnKind::Number { .. } => format!("width_bucket({name}, low, high, count)"),
            ColumnKind::Date { .. } => format!("extract(year FROM {name})"),
            _ => name.clone(),
        };
        let help = format!("ask for an aggregate, e.g. count({name}), or GROUP BY {group}");
        return Err(QueryError::Disclosing {
            at: position(expr),
            construct: format!("column {name} outside an aggregate"),
            help,
        });
    }
    if let Some((bins, name)) = grouping::bins(scope, expr)? {
        let Some(key) = group_by.iter().position(|g| *g == bins) else {
            return Err(QueryError::Grouping {
                at: position(expr),
                message: format!("{name} stands outside GROUP BY"),
                help: "repeat it in GROUP BY as it stands".to_owned(),
            });
        };
        return Ok((OutputValue::Key(key), name.to_owned()));
    }
    if let Some(error) = refuse_output(scope, expr) {
        return Err(error);
    }
    match stripped(expr) {
        Expr::Function(function) => {
            let name = name_text(&function.name);
            let aggregate = aggregate(scope, function, &name)?;
            Ok((OutputValue::Aggregate(aggregate), name))
        }
        Expr::Value(_) | Expr::TypedString(_) => Err(unsupported(
            position(expr),
            "a constant in the SELECT list",
            "ask for an aggregate, e.g. count(*)",
        )),
        _ => Err(refuse(expr)),
    }
}

fn aggregate(scope: &Scope<'_>, f: &Function, name: &str) -> Result<Aggregate, QueryError> {
    let at = name_position(&f.name);
    if DISCLOSING.contains(&name) {
        return Err(QueryError::Disclosing {
            at,
            construct: name.to_owned(),
            help:
                "ask for avg, stddev_samp, or percentile_disc(0.5) WITHIN GROUP (ORDER BY column)"
                    .to_owned(),
        });
    }
    if OTHER_PERCENTILES.contains(&name) {
        let help = "ask for percentile_disc(0.5) WITHIN GROUP (ORDER BY column)";
        return Err(unsupported(at, name, help));
    }
    if name == PERCENTILE {
        return percentile(scope, f, at);
    }
    if let Some(function) = pair_function(name) {
        let [y, x] = pair_columns(scope, f, name, at)?;
        return Ok(Aggregate::Pair { function, y, x });
    }
    if !KNOWN.contains(&name) {
        return Err(unknown_function(name, at));
    }
    match argument(f, name, at)? {
        FunctionArgExpr::Wildcard if name == "count" => Ok(Aggregate::CountAll),
        FunctionArgExpr::Expr(argument) => of_argument(scope, f, name, argument),
        _ => Err(mismatch(
            at,
            format!("{name}(*) is not defined"),
            "name a column",
        )),
    }
}

fn unknown_function(name: &str, at: Position) -> QueryError {
    let names = all_names();
    let near = synonym(name).or_else(|| nearest(name, names.iter().copied(), 1).first().copied());
    let near = near.map_or(String::new(), |n| format!("did you mean {n}? "));
    let help = if counts_distinct(name) {
        "each patient is one row, so count(*) counts patients; GROUP BY shows a column's values"
            .into()
    } else if is_of_today(name) {
        "the answer's manifest has its date; ask for an aggregate, e.g. count(*)".into()
    } else {
        format!("{near}the aggregates are {}", names.join(", "))
    };
    unsupported(at, format!("the function {}", short(name)), help)
}

/// The function's only argument; refuses every modifier.
fn argument<'e>(
    f: &'e Function,
    name: &str,
    at: Position,
) -> Result<&'e FunctionArgExpr, QueryError> {
    if f.over.is_some() {
        let help = "leave OVER out; GROUP BY gives one value per group";
        return Err(unsupported(at, "a window function", help));
    }
    if !f.within_group.is_empty() || f.null_treatment.is_some() || f.uses_odbc_syntax {
        return Err(unsupported(
            at,
            "this form of a function",
            format!("write {name}(column)"),
        ));
    }
    let one = || {
        let help = match name {
            "count" => "write count(*) or count(column)".to_owned(),
            _ => format!("write {name}(column)"),
        };
        mismatch(at, format!("{name} takes one column"), help)
    };
    let (FunctionArguments::None, FunctionArguments::List(list)) = (&f.parameters, &f.args) else {
        return Err(one());
    };
    if list.duplicate_treatment.is_some() {
        let help = match name {
            "count" => {
                "each patient is one row, so count(*) counts different patients; for the different \
                 values of a column GROUP BY it"
            }
            _ => "leave it out: each patient is one row, and equal values of two are both counted",
        };
        return Err(unsupported(at, "DISTINCT or ALL in an aggregate", help));
    }
    match list.args.as_slice() {
        [FunctionArg::Unnamed(argument)] if list.clauses.is_empty() => Ok(argument),
        _ => Err(one()),
    }
}

fn of_argument(
    scope: &Scope<'_>,
    f: &Function,
    name: &str,
    argument: &Expr,
) -> Result<Aggregate, QueryError> {
    let at = position(argument);
    if let Some(column) = scope.column(argument)? {
        return of_column(scope, name, column, at);
    }
    if name == "sum"
        && let Some(column) = square(scope, argument)?
    {
        let definition = scope.definition(column);
        return match definition.kind {
            ColumnKind::Number { .. } => Ok(Aggregate::SumOfSquares(column)),
            ColumnKind::Boolean => {
                let message = format!("column {} is a boolean", definition.name);
                let help = format!("write sum({}), its square is the same", definition.name);
                Err(mismatch(at, message, help))
            }
            _ => Err(wrong_type(scope, "the sum of squares", column, at)),
        };
    }
    if name == "count"
        && let Some(c) = constant(argument)?
        && !matches!(c, Constant::Null)
    {
        return Ok(Aggregate::CountAll);
    }
    Err(refuse_argument(scope, f, name, argument))
}

/// The column of `c * c`, `c ^ 2`, `power(c, 2)` or `pow(c, 2)`.
fn square(scope: &Scope<'_>, expr: &Expr) -> Result<Option<usize>, QueryError> {
    match stripped(expr) {
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::Multiply => {
                let both = (scope.column(left)?, scope.column(right)?);
                Ok(both.0.filter(|_| both.0 == both.1))
            }
            BinaryOperator::PGExp if is_two(right)? => scope.column(left),
            _ => Ok(None),
        },
        Expr::Function(f) if matches!(name_text(&f.name).as_str(), "power" | "pow") => {
            match &f.args {
                FunctionArguments::List(list) => match list.args.as_slice() {
                    [
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(base)),
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(exponent)),
                    ] if is_two(exponent)? && is_plain(f) => scope.column(base),
                    _ => Ok(None),
                },
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

fn is_plain(f: &Function) -> bool {
    let list = match &f.args {
        FunctionArguments::List(list) => {
            list.duplicate_treatment.is_none() && list.clauses.is_empty()
        }
        _ => false,
    };
    list && f.over.is_none()
        && f.filter.is_none()
        && f.within_group.is_empty()
        && f.null_treatment.is_none()
        && f.parameters == FunctionArguments::None
}

fn is_two(expr: &Expr) -> Result<bool, QueryError> {
    let two = crate::registry::decimal::Decimal::parse("2");
    Ok(matches!(constant(expr)?, Some(Constant::Number(n, _)) if Some(&n) == two.as_ref()))
}

fn of_column(
    scope: &Scope<'_>,
    name: &str,
    column: usize,
    at: Position,
) -> Result<Aggregate, QueryError> {
    let kind = &scope.definition(column).kind;
    let number = matches!(kind, ColumnKind::Number { .. });
    let boolean = matches!(kind, ColumnKind::Boolean);
    match name {
        "count" => Ok(Aggregate::Count(column)),
        "sum" if number || boolean => Ok(Aggregate::Sum(column)),
        "avg" if number || boolean => Ok(Aggregate::Avg(column)),
        "var_samp" | "variance" if number => Ok(Aggregate::VarSamp(column)),
        "var_pop" if number => Ok(Aggregate::VarPop(column)),
        "stddev_samp" | "stddev" if number => Ok(Aggregate::StddevSamp(column)),
        "stddev_pop" if number => Ok(Aggregate::StddevPop(column)),
        _ => Err(wrong_type(scope, name, column, at)),
    }
}
