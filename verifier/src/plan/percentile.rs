//! Published percentiles (`docs/spec/plan.md`): what has to be right about them before anything is planned, and
//! the counts that place them.

use galen_query::{
    query::{CohortQuery, IntervalSet, MAX_GROUPS, Percentile},
    registry::Registry,
};

use super::{Field, FieldKind, Linear, PlanError, Rank, bits::Builder, payload::Item};

/// A published percentile as a stored value, or `None` where it is hidden.
pub type Quantile = Option<u64>;

/// How many percentiles an answer to `query` publishes or hides: those of the query, for each group. A query
/// with more than [`MAX_GROUPS`] has no plan; its percentiles are counted as if it had so many.
#[must_use]
pub fn quantile_count(query: &CohortQuery, registry: &Registry) -> usize {
    query.groups(registry).min(MAX_GROUPS) * query.percentiles().len()
}

/// Percentiles as they could be if all were published: for the cost of a query that nobody has answered yet.
/// What it costs where one is hidden is less.
#[must_use]
pub fn assumed_quantiles(query: &CohortQuery, registry: &Registry) -> Vec<Quantile> {
    let percentiles = query.percentiles();
    let middle = percentiles
        .iter()
        .map(|p| Some(registry.columns[p.column].span() / 2));
    let count = quantile_count(query, registry);
    middle.cycle().take(count).collect()
}

/// The counts that place a percentile: how many have a value and, where one is published, how many have
/// one below it and how many one up to it.
pub(super) fn ranks(
    builder: &mut Builder<'_>,
    group: usize,
    (index, percentile): (usize, &Percentile),
    quantile: Quantile,
    filters: &[Linear],
) -> Vec<Item> {
    let column = percentile.column;
    let mut counts = vec![(Rank::Known, builder.known(column))];
    if let Some(q) = quantile {
        let up_to = IntervalSet::range(0, q);
        let below = q.checked_sub(1).map(|last| IntervalSet::range(0, last));
        let below = below.map_or(Linear::zero(), |set| builder.member(column, &set));
        counts.push((Rank::Below, below));
        counts.push((Rank::UpTo, builder.member(column, &up_to)));
    }
    let filter = percentile.filter.map(|f| &filters[f]);
    counts
        .into_iter()
        .map(|(rank, bit)| {
            let field = Field {
                kind: FieldKind::Rank(index, rank),
                ..Field::known(percentile)
            };
            let value = match filter {
                Some(f) if bit != Linear::zero() => builder.all(vec![f.clone(), bit]),
                _ => bit,
            };
            Item {
                group,
                field,
                guard: field,
                value,
                limbs: 1,
            }
        })
        .collect()
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
