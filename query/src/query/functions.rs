//! Aggregates with a form of their own: functions of two columns, and percentiles.

use sqlparser::ast::{Expr, Function, OrderBySort};

use crate::registry::ColumnKind;

use super::constant::{Constant, constant};
use super::error::{mismatch, unsupported};
use super::names::PERCENTILE;
use super::refuse::position;
use super::scope::Scope;
use super::{Aggregate, Position, QueryError, Share, grouping, percentile::SHARE_DECIMALS};

/// The two number columns of a function of pairs.
pub(super) fn pair_columns(
    scope: &Scope<'_>,
    f: &Function,
    name: &str,
    at: Position,
) -> Result<[usize; 2], QueryError> {
    let help = format!("write {name}(y, x) with two number columns");
    if !f.within_group.is_empty() {
        return Err(unsupported(at, "this form of a function", help));
    }
    let [y, x] = grouping::arguments(f, at, &help)?;
    let number = |expr: &Expr| {
        let at = position(expr);
        let Some(column) = scope.column(expr)? else {
            return Err(unsupported(at, format!("this argument of {name}"), &help));
        };
        match scope.definition(column).kind {
            ColumnKind::Number { .. } => Ok(column),
            _ => {
                let c = scope.definition(column);
                let message = format!("column {} is a {}", c.name, c.type_name());
                let help = "name number columns; to compare a number between groups ask for its avg \
                            with GROUP BY";
                Err(mismatch(at, message, help))
            }
        }
    };
    Ok([number(y)?, number(x)?])
}

/// `percentile_disc(share) WITHIN GROUP (ORDER BY column)`.
pub(super) fn percentile(
    scope: &Scope<'_>,
    f: &Function,
    at: Position,
) -> Result<Aggregate, QueryError> {
    let help = "write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 \
                and 1 of at most 4 decimals";
    let [share] = grouping::arguments(f, at, help)?;
    let scale = 10u32.pow(SHARE_DECIMALS);
    let units = match constant(share)? {
        Some(Constant::Number(n, _)) => Some(n.at_scale(SHARE_DECIMALS)),
        _ => None,
    };
    if units.is_some_and(|u| !u.exact) {
        let message = "the share has too many decimals";
        return Err(mismatch(position(share), message, help));
    }
    let units = units.and_then(|u| u32::try_from(u.floor).ok());
    let Some(units) = units.filter(|u| (1..scale).contains(u)) else {
        let message = "the share is not one number between 0 and 1";
        return Err(mismatch(position(share), message, help));
    };
    let [order] = f.within_group.as_slice() else {
        return Err(mismatch(
            at,
            "percentile_disc without one column to order by",
            help,
        ));
    };
    let at = position(&order.expr);
    let descends = !matches!(order.options.sort, None | Some(OrderBySort::Asc));
    if descends || order.options.nulls_first.is_some() {
        let help = "leave DESC and NULLS out: percentile_disc(1 − p) is the other end, and NULL is \
                    never counted";
        return Err(unsupported(at, "another order", help));
    }
    let column = match scope.column(&order.expr)? {
        Some(column) if order.with_fill.is_none() => column,
        _ => return Err(unsupported(at, "ordering by anything but a column", help)),
    };
    if !matches!(
        scope.definition(column).kind,
        ColumnKind::Number { .. } | ColumnKind::Date { .. }
    ) {
        return Err(wrong_type(scope, PERCENTILE, column, at));
    }
    let lowest = num_rational::Ratio::new(units, scale);
    let share = Share {
        numerator: *lowest.numer(),
        denominator: *lowest.denom(),
    };
    Ok(Aggregate::PercentileDisc { column, share })
}

/// The column's type does not go with the aggregate.
pub(super) fn wrong_type(scope: &Scope<'_>, name: &str, column: usize, at: Position) -> QueryError {
    let c = scope.definition(column);
    let help = match &c.kind {
        ColumnKind::Boolean => format!(
            "avg({}) gives the share p, and p(1-p) is its variance",
            c.name
        ),
        ColumnKind::Category { .. } => format!("ask for count(*) and GROUP BY {}", c.name),
        _ => format!("ask for count({}), or compare it in WHERE", c.name),
    };
    let message = format!(
        "{name} of column {}, a {}, is not defined",
        c.name,
        c.type_name()
    );
    mismatch(at, message, help)
}
