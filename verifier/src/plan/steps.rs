//! Functions of 0 … n − 1 as runs of equal values: what a table's entries say.

use galen_query::query::IntervalSet;

/// A function of 0 … n − 1. Canonical: equal functions are equal values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Steps(Vec<(u64, u64)>);

impl Steps {
    /// The values in order.
    pub(super) fn new(values: impl IntoIterator<Item = u64>) -> Self {
        let mut steps = Self::default();
        values.into_iter().for_each(|v| steps.push(1, v));
        steps
    }

    /// 1 on the members of a set, for arguments below `length`.
    pub(super) fn members(length: u64, set: &IntervalSet) -> Self {
        let (mut steps, mut next) = (Self::default(), 0);
        for (first, last) in set.intervals() {
            let (first, end) = ((*first).min(length), (last + 1).min(length));
            steps.push(first - next, 0);
            steps.push(end - first, 1);
            next = end;
        }
        steps.push(length - next, 0);
        steps
    }

    /// Appends a run.
    pub(super) fn push(&mut self, length: u64, value: u64) {
        match self.0.last_mut() {
            _ if length == 0 => {}
            Some((run, before)) if *before == value => *run += length,
            _ => self.0.push((length, value)),
        }
    }

    /// n.
    pub(super) fn len(&self) -> u64 {
        self.0.iter().map(|(length, _)| length).sum()
    }

    /// (length, value), in order; no two neighbours have one value.
    pub(super) fn runs(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// The value at `argument`, if it is below n.
    pub(super) fn at(&self, argument: u64) -> Option<u64> {
        let mut end = 0;
        self.0.iter().find_map(|(length, value)| {
            end += length;
            (argument < end).then_some(*value)
        })
    }

    /// The only value that it takes, if there is only one.
    pub(super) fn constant(&self) -> Option<u64> {
        match self.0.as_slice() {
            [(_, value)] => Some(*value),
            _ => None,
        }
    }

    /// Another function of its values.
    pub(super) fn map(&self, f: impl Fn(u64) -> u64) -> Self {
        let mut steps = Self::default();
        for (length, value) in &self.0 {
            steps.push(*length, f(*value));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_become_steps() {
        let set = IntervalSet::from_intervals([(2, 3), (6, 9)]);
        let steps = Steps::members(8, &set);
        assert_eq!(steps, Steps::new([0, 0, 1, 1, 0, 0, 1, 1]));
        assert_eq!(steps.runs(), [(2, 0), (2, 1), (2, 0), (2, 1)]);
        assert_eq!((steps.len(), steps.at(6), steps.at(8)), (8, Some(1), None));
        assert_eq!(steps.map(|_| 3).constant(), Some(3));
        assert_eq!(Steps::members(4, &IntervalSet::full(9)).constant(), Some(1));
    }
}
