//! The filters of a query's outputs: each once, and which lies within which.

use std::collections::HashMap;

use super::{CohortQuery, Output, Predicate};

/// The most pairs of parts of filters that are compared: as many as take a tenth of a second.
pub(super) const MAX_COMPARISONS: usize = 1 << 19;

/// The distinct filters, and how they lie within one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filters {
    /// For each the output that it is written at first.
    first: Vec<usize>,
    /// For each output where its filter stands in the list.
    outputs: Vec<Option<usize>>,
    /// (inner, outer) places.
    within: Vec<(usize, usize)>,
}

impl CohortQuery {
    /// The outputs' filters, each once, in the order of the SELECT list. Filters that can be seen to lie within one
    /// another both ways are one: the first that is written.
    #[must_use]
    pub fn filters(&self) -> Vec<&Predicate> {
        let first = self.filters.first.iter();
        first.map(|output| &self.outputs[*output].filter).collect()
    }

    /// For each output where its filter stands among [`Self::filters`].
    #[must_use]
    pub fn filter_indices(&self) -> &[Option<usize>] {
        &self.filters.outputs
    }

    /// Which of [`Self::filters`] can be seen to lie within which: (inner, outer), with all that follows from them. It
    /// is an order: no two lie within each other.
    #[must_use]
    pub fn filters_within(&self) -> &[(usize, usize)] {
        &self.filters.within
    }
}

impl Predicate {
    /// Whether it can be seen that `other` is true wherever this is. `false` says nothing.
    #[must_use]
    pub fn lies_within(&self, other: &Self) -> bool {
        Implications::default().ask(self, other)
    }
}

impl Filters {
    /// Of any outputs. `None` where comparing them would take too long.
    pub(super) fn compared(outputs: &[Output]) -> Option<Self> {
        let written = distinct(outputs);
        let implied = closure(
            &written
                .iter()
                .map(|o| &outputs[*o].filter)
                .collect::<Vec<_>>(),
        )?;
        let same = |a: usize, b: usize| a == b || (implied[a][b] && implied[b][a]);
        let first = |a: usize| (0..=a).find(|b| same(*b, a)).unwrap_or(a);
        let kept: Vec<usize> = (0..written.len()).filter(|a| first(*a) == *a).collect();
        let place = |a: usize| kept.iter().position(|k| *k == first(a));
        let pairs = (0..kept.len()).flat_map(|a| (0..kept.len()).map(move |b| (a, b)));
        let within = pairs.filter(|(a, b)| a != b && implied[kept[*a]][kept[*b]]);
        let of = |o: &Output| written.iter().position(|w| outputs[*w].filter == o.filter);
        Some(Self {
            within: within.collect(),
            outputs: outputs.iter().map(|o| of(o).and_then(place)).collect(),
            first: kept.iter().map(|k| written[*k]).collect(),
        })
    }

    /// Of an attrition table, where each filter lies within those before it.
    pub(super) fn nested(outputs: &[Output]) -> Self {
        let first = distinct(outputs);
        let of = |o: &Output| first.iter().position(|w| outputs[*w].filter == o.filter);
        Self {
            outputs: outputs.iter().map(of).collect(),
            within: (0..first.len())
                .flat_map(|a| (0..a).map(move |b| (a, b)))
                .collect(),
            first,
        }
    }
}

/// For each filter that is one the first output that has it.
fn distinct(outputs: &[Output]) -> Vec<usize> {
    let mut first: Vec<usize> = Vec::new();
    for (place, output) in outputs.iter().enumerate() {
        let is_new = !first.iter().any(|w| outputs[*w].filter == output.filter);
        if output.filter != Predicate::Always && is_new {
            first.push(place);
        }
    }
    first
}

/// For each pair whether the one lies within the other, as far as can be seen, and what follows from that: what is read
/// off the forms need not be transitive, and what is true is.
fn closure(filters: &[&Predicate]) -> Option<Vec<Vec<bool>>> {
    let mut known = Implications::default();
    let row = |a: &&Predicate, known: &mut Implications| -> Vec<bool> {
        filters.iter().map(|b| known.ask(a, b)).collect()
    };
    let mut implied: Vec<Vec<bool>> = filters.iter().map(|a| row(a, &mut known)).collect();
    if known.is_full() {
        return None;
    }
    for middle in 0..filters.len() {
        let through = implied[middle].clone();
        for row in implied.iter_mut().filter(|row| row[middle]) {
            row.iter_mut()
                .zip(&through)
                .for_each(|(to, via)| *to |= via);
        }
    }
    Some(implied)
}

/// What can be seen of which predicates: asked once for each pair of parts, since parts meet again and again.
#[derive(Default)]
struct Implications {
    /// By where the parts stand in memory: they are large, and borrowed all the while.
    known: HashMap<[*const Predicate; 2], bool>,
}

impl Implications {
    /// Whether there were too many pairs; what was said since means nothing.
    fn is_full(&self) -> bool {
        self.known.len() >= MAX_COMPARISONS
    }

    /// Whether one can read off the normal forms that `b` is true wherever `a` is. `false` says nothing.
    fn ask(&mut self, a: &Predicate, b: &Predicate) -> bool {
        let pair = [a, b].map(std::ptr::from_ref);
        if let Some(known) = self.known.get(&pair) {
            return *known;
        }
        if self.is_full() {
            return false;
        }
        let found = self.find(a, b);
        self.known.insert(pair, found);
        found
    }

    fn find(&mut self, a: &Predicate, b: &Predicate) -> bool {
        use Predicate::{All, Always, Any, In, IsNotNull, Never};
        match (a, b) {
            (Never, _) | (_, Always) => true,
            (a, b) if a == b => true,
            (a, All(all)) => all.iter().all(|b| self.ask(a, b)),
            (Any(any), b) => any.iter().all(|a| self.ask(a, b)),
            (a, Any(any)) if any.iter().any(|b| self.ask(a, b)) => true,
            (All(all), b) => all.iter().any(|a| self.ask(a, b)),
            (
                In { column, set },
                In {
                    column: of,
                    set: larger,
                },
            ) => column == of && set.intersection(larger) == *set,
            (In { column, .. }, IsNotNull { column: of }) => column == of,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Aggregate, IntervalSet, OutputValue};

    /// Each value of a column with its own half-line of another: within each other the higher they begin.
    fn outputs(filters: u64, parts: u64) -> Vec<Output> {
        let leaf = |column, from, to| Predicate::In {
            column,
            set: IntervalSet::from_intervals(vec![(from, to)]),
        };
        let part = |i: u64, from| Predicate::All(vec![leaf(0, i, i), leaf(1, from, 1_000)]);
        (0..filters)
            .map(|from| Output {
                label: "count".into(),
                value: OutputValue::Aggregate(Aggregate::CountAll),
                filter: Predicate::Any((0..parts).map(|i| part(i, from)).collect()),
            })
            .collect()
    }

    #[test]
    fn too_many_parts_are_not_compared_to_their_end() {
        let few = Filters::compared(&outputs(4, 20)).unwrap();
        let order = [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)];
        assert_eq!(few.within, order);
        let started = std::time::Instant::now();
        assert_eq!(Filters::compared(&outputs(20, 128)), None);
        assert!(started.elapsed() < std::time::Duration::from_secs(2));
    }
}
