//! Sets of stored values as sorted, disjoint, non-adjacent closed intervals.

use std::fmt;

/// A set of `u64`s. Canonical: equal sets are equal values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct IntervalSet(Vec<(u64, u64)>);

impl IntervalSet {
    /// The intervals `(first, last)`, both inclusive, ascending.
    #[must_use]
    pub fn intervals(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// The set without members.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The set of one value.
    #[must_use]
    pub fn single(value: u64) -> Self {
        Self(vec![(value, value)])
    }

    /// The values `first..=last`; empty if `first > last`.
    #[must_use]
    pub fn range(first: u64, last: u64) -> Self {
        Self::from_intervals([(first, last)])
    }

    /// The values `0..=span`.
    #[must_use]
    pub fn full(span: u64) -> Self {
        Self(vec![(0, span)])
    }

    /// The union of closed intervals `(first, last)` in any order; they may overlap, and one with
    /// `first > last` is empty.
    #[must_use]
    pub fn from_intervals(intervals: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut sorted: Vec<_> = intervals.into_iter().filter(|(a, b)| a <= b).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// Whether the value is a member.
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= value);
        after > 0 && value <= self.0[after - 1].1
    }

    /// The values in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_intervals(self.0.iter().chain(&other.0).copied())
    }

    /// The values in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let (first, last) = (x.0.max(y.0), x.1.min(y.1));
            if first <= last {
                both.push((first, last));
            }
            if x.1 < y.1 {
                a.next();
            } else {
                b.next();
            }
        }
        Self(both)
    }

    /// The values of `0..=span` that are not members.
    #[must_use]
    pub fn complement(&self, span: u64) -> Self {
        let mut rest = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0;
        for (first, last) in &self.0 {
            if *first > span {
                break;
            }
            if next < *first {
                rest.push((next, first - 1));
            }
            match last.checked_add(1) {
                Some(after) => next = after,
                None => return Self(rest),
            }
        }
        if next <= span {
            rest.push((next, span));
        }
        Self(rest)
    }

    /// The members, each `by` larger.
    #[must_use]
    pub fn shifted(&self, by: u64) -> Self {
        Self(self.0.iter().map(|(a, b)| (a + by, b + by)).collect())
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of members, at most `u64::MAX`.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().fold(0, |sum, (first, last)| {
            sum.saturating_add((last - first).saturating_add(1))
        })
    }
}

/// `3,5-9`: ascending, a lone value as itself; the empty set is the empty text.
impl fmt::Display for IntervalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SPAN: u64 = 40;

    fn pairs() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0..=SPAN, 0..=SPAN), 0..6)
    }

    fn naive(pairs: &[(u64, u64)]) -> BTreeSet<u64> {
        pairs.iter().flat_map(|(a, b)| *a..=*b).collect()
    }

    fn members(set: &IntervalSet) -> BTreeSet<u64> {
        let canonical = set.0.windows(2).all(|w| w[0].1 + 1 < w[1].0);
        assert!(canonical && set.0.iter().all(|(a, b)| a <= b), "{set}");
        naive(set.intervals())
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(p in pairs(), q in pairs()) {
            let (a, b) = (naive(&p), naive(&q));
            let (x, y) = (IntervalSet::from_intervals(p), IntervalSet::from_intervals(q));
            let all: BTreeSet<u64> = (0..=SPAN).collect();
            prop_assert_eq!(&members(&x), &a);
            prop_assert_eq!(members(&x.union(&y)), a.union(&b).copied().collect());
            prop_assert_eq!(members(&x.intersection(&y)), a.intersection(&b).copied().collect());
            prop_assert_eq!(members(&x.complement(SPAN)), all.difference(&a).copied().collect());
            prop_assert_eq!(&x.complement(SPAN).complement(SPAN), &x);
            prop_assert_eq!(x.len(), a.len() as u64);
            prop_assert_eq!(x.is_empty(), a.is_empty());
            prop_assert_eq!(x == y, a == b);
            for v in all {
                prop_assert_eq!(x.contains(v), a.contains(&v));
            }
        }
    }

    #[test]
    fn reaches_the_last_integer() {
        let all = IntervalSet::full(u64::MAX);
        assert_eq!(all.len(), u64::MAX);
        assert!(all.complement(u64::MAX).is_empty());
        assert_eq!(
            IntervalSet::single(u64::MAX).complement(u64::MAX),
            IntervalSet::range(0, u64::MAX - 1)
        );
        assert_eq!(IntervalSet::range(5, 9).complement(3), IntervalSet::full(3));
    }

    #[test]
    fn prints_canonically() {
        let set = IntervalSet::from_intervals([(8, 9), (3, 3), (5, 7), (2, 1)]);
        assert_eq!(set.to_string(), "3,5-9");
        assert_eq!(IntervalSet::empty().to_string(), "");
    }
}
