//! Which percentiles are published, and what is proven about them.

use super::{Counts, ReleaseProfile, State};
use crate::plan::{Field, Quantile};
use galen_query::query::Percentile;

/// Whether a percentile goes with a hidden count: one that contains its patients and is itself asked for.
#[must_use]
pub fn is_hidden(counts: &Counts, states: &[State], percentile: &Percentile, group: usize) -> bool {
    let known = Field::known(percentile);
    let hidden = |cell: usize| states[cell].shown().is_none();
    match counts.cell(known, group) {
        Some(own) => hidden(own),
        None => counts.outer(known, group).any(hidden),
    }
}

/// Between which bounds the number of values lies: enough of them exactly if the percentile is published.
pub(super) fn bounds(
    profile: &ReleaseProfile,
    percentile: &Percentile,
    rows: u64,
    quantile: Quantile,
    is_hidden: bool,
) -> Result<(u64, u64), &'static str> {
    let fewest = percentile.fewest(profile.k);
    match quantile {
        Some(_) if is_hidden => Err("it is published although a count that contains it is not"),
        Some(_) if fewest > rows => Err("no table of this size has enough values for it"),
        Some(_) => Ok((fewest, rows)),
        None if !is_hidden => Ok((0, rows.min(fewest - 1))),
        None => Ok((0, rows)),
    }
}
