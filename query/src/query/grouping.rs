//! Reading GROUP BY: columns, and bins of number and date columns.

use num_rational::Ratio;
use sqlparser::ast::{
    DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, SelectItem,
    Value,
};

use crate::registry::ColumnKind;

use super::constant::{Constant, constant};
use super::error::{mismatch, unsupported};
use super::instead::instead_of_group;
use super::names::is_known;
use super::refuse::{name_position, name_text, position, stripped};
use super::scope::{Scope, folded};
use super::{Bin, BinName, Grouping, MAX_GROUPS, Position, QueryError};

/// Digits after the point of the bounds of `width_bucket`.
const BOUND_DECIMALS: u32 = 9;

/// What GROUP BY's item means: itself, or by PostgreSQL's rules the item of the SELECT list whose place it
/// is or whose alias, where no column has that name.
pub(super) fn referred<'e>(
    scope: &Scope<'_>,
    expr: &'e Expr,
    list: &'e [SelectItem],
) -> Result<&'e Expr, QueryError> {
    match stripped(expr) {
        Expr::Value(v) => {
            let Value::Number(digits, false) = &v.value else {
                return Ok(expr);
            };
            let place = digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            let item = place.and_then(|n| list.get(n));
            let of = item.and_then(expression).ok_or_else(|| {
                let message = format!("GROUP BY position {digits} is not in the SELECT list");
                mismatch(position(expr), message, "write the column's name")
            })?;
            let is_aggregate =
                matches!(stripped(of), Expr::Function(f) if is_known(&name_text(&f.name)));
            if !is_aggregate {
                return Ok(of);
            }
            let message = format!("item {digits} of the SELECT list is an aggregate");
            Err(mismatch(
                position(expr),
                message,
                "group by a column, buckets or years",
            ))
        }
        Expr::Identifier(ident) if !scope.is_column(&folded(ident)) => {
            let named = list.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if folded(alias) == folded(ident) => {
                    Some(expr)
                }
                _ => None,
            });
            Ok(named.unwrap_or(expr))
        }
        _ => Ok(expr),
    }
}

fn expression(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The bins that an expression makes, with PostgreSQL's name for it; `None` where it makes none.
pub(super) fn bins(
    scope: &Scope<'_>,
    expr: &Expr,
) -> Result<Option<(Grouping, &'static str)>, QueryError> {
    match stripped(expr) {
        Expr::Extract { field, expr, .. } => {
            if *field != DateTimeField::Year {
                return Err(other_part(
                    scope,
                    expr,
                    position(expr),
                    &format!("extract({field})"),
                ));
            }
            Ok(Some((years(scope, expr)?, "extract")))
        }
        Expr::Function(f) => match name_text(&f.name).as_str() {
            "width_bucket" => Ok(Some((buckets(scope, f)?, "width_bucket"))),
            "date_part" => {
                let at = name_position(&f.name);
                let [part, column] = arguments(f, at, "write date_part('year', column)")?;
                match constant(part)? {
                    Some(Constant::Text(t)) if t.eq_ignore_ascii_case("year") => {
                        Ok(Some((years(scope, column)?, "date_part")))
                    }
                    _ => Err(other_part(scope, column, at, "this part of a date")),
                }
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The refusal of a part of a date that is no year.
fn other_part(scope: &Scope<'_>, expr: &Expr, at: Position, part: &str) -> QueryError {
    let help = instead_of_group(scope, expr);
    let help = help.unwrap_or_else(|| "extract(year FROM column) is what there is".to_owned());
    unsupported(at, part, help)
}

/// The plain arguments of a function without modifiers.
pub(super) fn arguments<'e, const N: usize>(
    f: &'e Function,
    at: Position,
    help: &str,
) -> Result<[&'e Expr; N], QueryError> {
    let wrong = || {
        mismatch(
            at,
            format!("{} takes {N} arguments", name_text(&f.name)),
            help,
        )
    };
    let (FunctionArguments::None, FunctionArguments::List(list)) = (&f.parameters, &f.args) else {
        return Err(wrong());
    };
    let plain = list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && f.over.is_none()
        && (f.filter.is_none() || !is_binning(f))
        && (f.within_group.is_empty() || !is_binning(f))
        && f.null_treatment.is_none()
        && !f.uses_odbc_syntax;
    let args: Vec<&Expr> = list
        .args
        .iter()
        .filter_map(|a| match a {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
            _ => None,
        })
        .collect();
    let all = args.len() == list.args.len();
    args.try_into()
        .ok()
        .filter(|_| plain && all)
        .ok_or_else(wrong)
}

/// Whether it is no aggregate, and so has no FILTER.
fn is_binning(f: &Function) -> bool {
    matches!(name_text(&f.name).as_str(), "width_bucket" | "date_part")
}

/// The years of a date column.
fn years(scope: &Scope<'_>, expr: &Expr) -> Result<Grouping, QueryError> {
    let at = position(expr);
    let Some(column) = scope.column(expr)? else {
        return Err(unsupported(
            at,
            "a year of anything but a column",
            "name a date column",
        ));
    };
    let definition = scope.definition(column);
    let ColumnKind::Date { min, max } = &definition.kind else {
        let message = format!("column {} is a {}", definition.name, definition.type_name());
        return Err(mismatch(at, message, "name a date column"));
    };
    let mut bins = Vec::new();
    let mut first = 0;
    for year in min.year()..=max.year() {
        let last = time::Date::from_ordinal_date(year + 1, 1)
            .map_or(definition.span() + 1, |next| {
                (next - *min).whole_days().unsigned_abs()
            })
            .min(definition.span() + 1);
        let stored = (first, last - 1);
        bins.push(Bin {
            name: BinName::Year(year),
            stored,
        });
        first = last;
    }
    Ok(Grouping {
        column,
        bins: Some(bins),
    })
}

/// `width_bucket(column, low, high, count)`.
fn buckets(scope: &Scope<'_>, f: &Function) -> Result<Grouping, QueryError> {
    let at = name_position(&f.name);
    let help = "write width_bucket(column, low, high, count)";
    let [column, low, high, count] = arguments(f, at, help)?;
    let at = position(column);
    let Some(index) = scope.column(column)? else {
        return Err(unsupported(at, "buckets of anything but a column", help));
    };
    let definition = scope.definition(index);
    let ColumnKind::Number { min, decimals, .. } = definition.kind else {
        let message = format!("column {} is a {}", definition.name, definition.type_name());
        let help = "name a number column; dates go by extract(year FROM column)";
        return Err(mismatch(at, message, help));
    };
    let (low, high) = (bound(low)?, bound(high)?);
    let count = bucket_count(count)?;
    if low >= high {
        let help = "write the lower bound first";
        return Err(mismatch(
            at,
            "the buckets' bounds do not enclose a range",
            help,
        ));
    }
    // In units of 10^-9·1/count, so that every edge is an integer.
    let unit = i128::from(count) * 10_i128.pow(BOUND_DECIMALS - decimals);
    let scale = i128::from(count) * 10_i128.pow(BOUND_DECIMALS);
    let edge = |i: u32| low * i128::from(count) + i128::from(i) * (high - low);
    let end = i128::from(definition.span()) + 1;
    // The first stored value at or above an edge.
    let start = |i: u32| {
        let at = edge(i) + unit - 1;
        (at.div_euclid(unit) - i128::from(min)).clamp(0, end)
    };
    let bins = (0..=count + 1).filter_map(|number| {
        let first = if number == 0 { 0 } else { start(number - 1) };
        let last = if number > count { end } else { start(number) };
        let stored = (u64::try_from(first).ok()?, u64::try_from(last - 1).ok()?);
        let until = (number <= count).then(|| Ratio::new(edge(number), scale));
        (first < last).then_some(Bin {
            name: BinName::Bucket { number, until },
            stored,
        })
    });
    Ok(Grouping {
        column: index,
        bins: Some(bins.collect()),
    })
}

/// A bound in units of 10^-9.
fn bound(expr: &Expr) -> Result<i128, QueryError> {
    let help = "write a number with at most 9 decimals";
    match constant(expr)? {
        Some(Constant::Number(number, text)) => {
            let scaled = number.at_scale(BOUND_DECIMALS);
            // Beyond every stored value, which is below 2^63 units.
            if scaled.exact && scaled.floor.unsigned_abs() < 1 << 94 {
                Ok(scaled.floor)
            } else {
                Err(mismatch(
                    position(expr),
                    format!("the bound {text} cannot be used"),
                    help,
                ))
            }
        }
        _ => Err(mismatch(position(expr), "a bound that is no number", help)),
    }
}

fn bucket_count(expr: &Expr) -> Result<u32, QueryError> {
    let wrong = || {
        let help = "write a whole number, at least 1";
        mismatch(position(expr), "the number of buckets is not usable", help)
    };
    let Some(Constant::Number(number, _)) = constant(expr)? else {
        return Err(wrong());
    };
    let scaled = number.at_scale(0);
    if !scaled.exact || scaled.floor < 1 {
        return Err(wrong());
    }
    let found = usize::try_from(scaled.floor).unwrap_or(usize::MAX);
    if found > MAX_GROUPS {
        return Err(QueryError::TooLarge {
            what: "buckets",
            found,
            limit: MAX_GROUPS,
            help: "use wider buckets",
        });
    }
    u32::try_from(found).map_err(|_| wrong())
}
