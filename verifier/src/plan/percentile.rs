//! Published percentiles (`docs/spec/plan.md`, "Percentiles"): what has to be right about them before anything is
//! planned, and the bits whose sums place them.

use std::collections::BTreeMap;

use galen_circuits::equation::{Linear, Rows};

use super::{
    MAX_GROUPS, Plan, PlanError,
    bases::Mixed,
    bits::Bits,
    groups::Groups,
    literal::index,
    scale::{self, Scale},
    steps::Steps,
};
use galen_query::{
    query::{CohortQuery, Percentile},
    registry::Registry,
};

/// A published percentile as a stored value, or `None` where it is hidden.
pub type Quantile = Option<u64>;

/// A table of groups and values has at most so many entries.
const MOST: u64 = 1 << 16;

/// How many percentiles an answer to `query` publishes or hides: those of the query, for each group. A query
/// with more than [`MAX_GROUPS`] has no plan; its percentiles are counted as if it had so many.
#[must_use]
pub fn quantile_count(query: &CohortQuery, registry: &Registry) -> usize {
    query.groups(registry).min(MAX_GROUPS) * query.percentiles().len()
}

/// Percentiles as they could be if all were published, and all different: for the cost of a query that nobody has
/// answered yet.
#[must_use]
pub fn assumed_quantiles(query: &CohortQuery, registry: &Registry) -> Vec<Quantile> {
    assumed(query, registry, quantile_count(query, registry))
}

/// That the query has a plan whatever its percentiles turn out to be. Else whether it is answered would depend on the
/// patients, and tell something of them. Planned are all of the percentiles, published in every group, with one value
/// each, with two, with four … with as many as there are groups.
///
/// # Errors
/// As [`Plan::new`].
pub fn check_percentiles(
    query: &CohortQuery,
    purpose: usize,
    registry: &Registry,
    rows: Rows,
) -> Result<(), PlanError> {
    let each = query.percentiles().len();
    if each == 0 {
        return Ok(());
    }
    let groups = quantile_count(query, registry) / each;
    let fewer = std::iter::successors(Some(1), |n| Some(2 * n)).take_while(|n| *n < groups);
    // First the most values: what is refused is mostly refused for these.
    for values in [groups].into_iter().chain(fewer) {
        let quantiles = assumed(query, registry, values * each);
        Plan::new(query, purpose, registry, rows, &quantiles)?;
    }
    Ok(())
}

/// Percentiles for all groups, of which the first `count` are different and the others repeat them.
fn assumed(query: &CohortQuery, registry: &Registry, count: usize) -> Vec<Quantile> {
    let percentiles = query.percentiles();
    let quantile = |at: usize| {
        let percentile = &percentiles[at % percentiles.len()];
        let span = registry.columns[percentile.column].span();
        Some(spread(span, (at % count) as u64, count as u64))
    };
    (0..quantile_count(query, registry)).map(quantile).collect()
}

/// The value at place `at` of `count` from 0 to `span`, evenly; of wide columns the low parts differ too, as far as they can,
/// and are not neighbours.
fn spread(span: u64, at: u64, count: u64) -> u64 {
    let even = span * (at + 1) / (count + 1);
    let (high, low) = (even >> 16, (2 * at + 1) & 0xffff);
    match span >> 16 {
        0 => even,
        last if high < last || low <= span & 0xffff => high << 16 | low,
        _ => (high - 1) << 16 | low,
    }
}

pub(super) fn check(
    registry: &Registry,
    percentiles: &[Percentile],
    groups: usize,
    quantiles: &[Quantile],
) -> Result<(), PlanError> {
    let refuse = |what| Err(PlanError::Quantiles { what });
    let expected = groups.saturating_mul(percentiles.len());
    if quantiles.len() != expected {
        let got = quantiles.len();
        return refuse(format!("{got} percentiles, the query has {expected}"));
    }
    let each = quantiles.iter().zip(percentiles.iter().cycle());
    for (at, (quantile, percentile)) in each.enumerate() {
        let column = &registry.columns[percentile.column];
        if quantile.is_some_and(|q| q > column.span()) {
            return refuse(format!(
                "percentile {at} lies beyond column {}",
                column.name
            ));
        }
    }
    Ok(())
}

/// Of one percentile, in whatever group a row is: 1 where its value is below the group's, and where it is at most
/// that. 0 where the column is NULL; anything where the group's percentile is hidden.
pub(super) struct Placed {
    pub(super) below: Linear,
    pub(super) up_to: Linear,
}

/// What the percentile of `column` with the groups' `quantiles` (by their numbers) is placed by; nothing where all are
/// hidden. `cuts` are those of all the column's percentiles.
pub(super) fn place(
    bits: &mut Bits<'_>,
    groups: &Groups,
    column: usize,
    quantiles: &BTreeMap<u64, u64>,
    cuts: &[u64],
) -> Result<Option<Placed>, PlanError> {
    let Some(first) = quantiles.values().next() else {
        return Ok(None);
    };
    let is_one = quantiles.values().all(|q| q == first);
    let radix = if is_one { 1 } else { groups.key.radix() };
    let scale = scale(bits, column, quantiles, cuts, radix)?;
    let mut key = Mixed::default();
    let value = key.push(&scale.linear, scale.radix());
    let group = (!is_one).then(|| key.push(&groups.key.linear, radix));
    let mut bit = |is: fn(u64, u64) -> bool| {
        let holds = |t| {
            let quantile = match group {
                Some(place) => quantiles.get(&key.digit(t, place)),
                None => Some(first),
            };
            let first = scale.first(key.digit(t, value));
            u64::from(first.zip(quantile).is_some_and(|(v, q)| is(v, *q)))
        };
        bits.lookups
            .bit(&key.linear, &Steps::new((0..key.radix()).map(holds)))
    };
    Ok(Some(Placed {
        below: bit(|v, q| v < q),
        up_to: bit(|v, q| v <= q),
    }))
}

/// The column's values, or intervals of them that no percentile divides, so few that they fit.
fn scale(
    bits: &mut Bits<'_>,
    column: usize,
    quantiles: &BTreeMap<u64, u64>,
    cuts: &[u64],
    groups: u64,
) -> Result<Scale, PlanError> {
    // By itself a column is looked up whatever its values.
    let fits = |entries: u64| groups == 1 || entries.saturating_mul(groups) <= MOST;
    let values = scale::values(bits, column);
    if let Some(values) = values.filter(|s| fits(s.radix())) {
        return Ok(values);
    }
    let span = bits.bases.registry.columns[column].span();
    let own = cuts_of(quantiles.values().copied(), span);
    // Those of all the column's percentiles, whose lookups they share, or at least its own.
    let with_null = |cuts: &[u64]| cuts.len() as u64 + 2;
    let cuts = if fits(with_null(cuts)) { cuts } else { &own };
    if !fits(with_null(cuts)) {
        return Err(PlanError::TooLarge {
            what: "entries in a table of groups and percentiles",
            needed: index(with_null(cuts).saturating_mul(groups)),
            most: index(MOST),
            help: "ask for the percentiles of fewer groups",
        });
    }
    let parts = scale::parts(bits, column, cuts)?;
    match fits(parts.radix()) {
        true => Ok(parts),
        false => scale::intervals(bits, column, cuts),
    }
}

/// Where the values change sides of percentiles, ascending.
pub(super) fn cuts_of(quantiles: impl Iterator<Item = u64>, span: u64) -> Vec<u64> {
    let cuts = quantiles.flat_map(|q| [q, q + 1]);
    let mut cuts: Vec<u64> = cuts.filter(|c| (1..=span).contains(c)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}
