//! Sets of stored values as sorted, disjoint, non-adjacent closed intervals.

/// A set of `u64`s. Canonical: equal sets are equal values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct IntervalSet(Vec<(u64, u64)>);

impl IntervalSet {
    /// The intervals `(first, last)`, both inclusive, ascending.
    #[must_use]
    pub fn intervals(&self) -> &[(u64, u64)] {
        &self.0
    }
}
