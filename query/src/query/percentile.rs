//! The percentiles of a query, and how far they are apart.

use super::error::mismatch;
use super::{Aggregate, CohortQuery, OutputValue, Percentile, Position, QueryError, Share};

/// Shares have at most this many digits after the point.
pub(super) const SHARE_DECIMALS: u32 = 4;
/// How far percentiles of one column are apart, and from 0 and 1: at least one in so many. A few steps only:
/// from how many values on a percentile is published follows from its step, so that many percentiles, published
/// or not, do not measure how many values there are.
pub const FOLDS: [u32; 4] = [4, 10, 20, 100];

impl CohortQuery {
    /// The outputs' percentiles, each once, in the order of the SELECT list.
    #[must_use]
    pub fn percentiles(&self) -> Vec<Percentile> {
        let mut all = Vec::new();
        for (output, filter) in self.outputs.iter().zip(self.filter_indices()) {
            if let OutputValue::Aggregate(Aggregate::PercentileDisc { column, share }) =
                output.value
            {
                let percentile = Percentile {
                    column,
                    share,
                    filter: *filter,
                    fold: self.fold(column).unwrap_or(FOLDS[FOLDS.len() - 1]),
                };
                if !all.contains(&percentile) {
                    all.push(percentile);
                }
            }
        }
        all
    }

    /// The step of a column's percentiles; `None` where they are closer than the last one.
    fn fold(&self, column: usize) -> Option<u32> {
        let share = |value: &OutputValue| match value {
            OutputValue::Aggregate(Aggregate::PercentileDisc { column: c, share }) => {
                (*c == column).then(|| share.units())
            }
            _ => None,
        };
        let whole = 10u32.pow(SHARE_DECIMALS);
        let mut places: Vec<u32> = self
            .outputs
            .iter()
            .filter_map(|o| share(&o.value))
            .collect();
        places.extend([0, whole]);
        places.sort_unstable();
        places.dedup();
        let least = places.windows(2).map(|w| w[1] - w[0]).min()?;
        FOLDS.into_iter().find(|fold| fold * least >= whole)
    }

    /// Refuses percentiles of one column that are closer than one in a hundred.
    pub(super) fn check_percentiles(&self, at: Position) -> Result<(), QueryError> {
        let columns = self.percentiles().into_iter().map(|p| p.column);
        for column in columns {
            if self.fold(column).is_none() {
                let message =
                    "percentiles of one column are closer than 0.01 to one another, or to 0 or 1";
                let help = "ask for fewer; together they would list the values";
                return Err(mismatch(at, message, help));
            }
        }
        Ok(())
    }
}

impl Share {
    /// In units of 10^-[`SHARE_DECIMALS`].
    fn units(self) -> u32 {
        self.numerator * (10u32.pow(SHARE_DECIMALS) / self.denominator)
    }

    /// The place of the percentile among `m` values, from 1: ⌈p·m⌉.
    #[must_use]
    pub fn rank(self, m: u64) -> u64 {
        let product = u128::from(self.numerator) * u128::from(m);
        let rank = product.div_ceil(u128::from(self.denominator));
        u64::try_from(rank).expect("at most m")
    }
}

impl Percentile {
    /// The fewest values among which it is published: enough for k of them on either side of it, itself counted
    /// on both, and for k − 1 from it to the next percentile of the column.
    #[must_use]
    pub fn fewest(&self, k: u64) -> u64 {
        u64::from(self.fold) * k.saturating_sub(1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(units: u32) -> Share {
        let lowest = num_rational::Ratio::new(units, 10_000);
        Share {
            numerator: *lowest.numer(),
            denominator: *lowest.denom(),
        }
    }

    #[test]
    fn as_few_values_leave_k_on_either_side_and_between() {
        for fold in FOLDS {
            let step = 10_000 / fold;
            let shares: Vec<Share> = (1..fold).map(|i| share(i * step)).collect();
            for k in [1, 2, 5, 11] {
                let fewest = Percentile {
                    column: 0,
                    share: shares[0],
                    filter: None,
                    fold,
                }
                .fewest(k);
                for m in fewest..fewest + 300 {
                    let ranks: Vec<u64> = shares.iter().map(|s| s.rank(m)).collect();
                    assert!(ranks[0] >= k && m - ranks[ranks.len() - 1] + 1 >= k);
                    assert!(
                        ranks.windows(2).all(|w| w[1] - w[0] + 1 >= k),
                        "{fold} {k} {m}"
                    );
                }
            }
        }
    }
}
