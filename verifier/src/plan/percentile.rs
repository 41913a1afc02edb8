//! Published percentiles (`docs/spec/plan.md`): what has to be right about them before anything is planned.

use super::{MAX_GROUPS, PlanError};
use crate::{
    query::{CohortQuery, Percentile, Share},
    registry::Registry,
};

/// A published percentile as a stored value, or `None` where it is hidden.
pub type Quantile = Option<u64>;

/// How many percentiles an answer to `query` publishes or hides: those of the query, for each group.
#[must_use]
pub fn quantile_count(query: &CohortQuery, registry: &Registry) -> usize {
    let groups = query.group_by.iter().map(|g| {
        let column = &registry.columns[g.column];
        g.len(column.span())
            .saturating_add(usize::from(column.nullable))
    });
    groups
        .fold(1usize, usize::saturating_mul)
        .saturating_mul(query.percentiles().len())
}

/// Percentiles as they could be if all were published: for the cost of a query that nobody has answered yet.
/// What it costs where one is hidden is less.
#[must_use]
pub fn assumed_quantiles(query: &CohortQuery, registry: &Registry) -> Vec<Quantile> {
    let percentiles = query.percentiles();
    let middle = percentiles
        .iter()
        .map(|p| Some(registry.columns[p.column].span() / 2));
    let count = quantile_count(query, registry).min(MAX_GROUPS.saturating_mul(percentiles.len()));
    middle.cycle().take(count).collect()
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

impl Share {
    /// The fewest values among which this percentile has at least k, itself included, on either side: the
    /// smallest m with ⌈p·m⌉ ≥ k and m − ⌈p·m⌉ + 1 ≥ k. Both grow with m.
    #[must_use]
    pub fn fewest(self, k: u64) -> u64 {
        let (up, down) = (u64::from(self.numerator), u64::from(self.denominator));
        let before = k.saturating_sub(1);
        // ⌈p·m⌉ > k − 1 where m > (k − 1)/p; ⌊(1 − p)·m⌋ ≥ k − 1 where m ≥ (k − 1)/(1 − p).
        (down * before / up + 1).max((down * before).div_ceil(down - up))
    }

    /// The place of the percentile among `m` values, from 1: ⌈p·m⌉.
    #[must_use]
    pub fn rank(self, m: u64) -> u64 {
        let product = u128::from(self.numerator) * u128::from(m);
        let rank = product.div_ceil(u128::from(self.denominator));
        u64::try_from(rank).expect("at most m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewest_is_the_first_that_leaves_k_on_either_side() {
        for (numerator, denominator) in [(1, 2), (1, 4), (3, 4), (9, 10), (1, 10_000), (333, 1000)]
        {
            let share = Share {
                numerator,
                denominator,
            };
            for k in [1, 2, 5, 11] {
                let fits = |m: u64| m >= 1 && share.rank(m) >= k && m - share.rank(m) + 1 >= k;
                let first = (0..200_000).find(|m| fits(*m)).unwrap();
                assert_eq!(share.fewest(k), first, "{share:?} k = {k}");
                assert!((first..first + 500).all(fits), "{share:?} k = {k}");
            }
        }
    }
}
