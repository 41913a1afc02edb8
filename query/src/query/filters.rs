//! The filters of a query's outputs: each once, and which lies within which.

use std::collections::HashMap;

use super::{CohortQuery, Predicate};

/// The distinct filters, and how they lie within one another.
struct Filters<'a> {
    list: Vec<&'a Predicate>,
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
        Filters::of(self).list
    }

    /// For each output where its filter stands among [`Self::filters`].
    #[must_use]
    pub fn filter_indices(&self) -> Vec<Option<usize>> {
        Filters::of(self).outputs
    }

    /// Which of [`Self::filters`] can be seen to lie within which: (inner, outer), with all that follows from them. It
    /// is an order: no two lie within each other.
    #[must_use]
    pub fn filters_within(&self) -> Vec<(usize, usize)> {
        Filters::of(self).within
    }
}

impl<'a> Filters<'a> {
    fn of(query: &'a CohortQuery) -> Self {
        let mut written: Vec<&Predicate> = Vec::new();
        let mut places = Vec::with_capacity(query.outputs.len());
        for output in &query.outputs {
            let filter = &output.filter;
            places.push((*filter != Predicate::Always).then(|| {
                let known = written.iter().position(|f| *f == filter);
                known.unwrap_or_else(|| {
                    written.push(filter);
                    written.len() - 1
                })
            }));
        }
        let implied = closure(&written);
        let same = |a: usize, b: usize| a == b || (implied[a][b] && implied[b][a]);
        let first = |a: usize| (0..=a).find(|b| same(*b, a)).unwrap_or(a);
        let kept: Vec<usize> = (0..written.len()).filter(|a| first(*a) == *a).collect();
        let place = |a: usize| kept.iter().position(|k| *k == first(a));
        let pairs = kept.iter().flat_map(|a| kept.iter().map(|b| (*a, *b)));
        let within = pairs
            .filter(|(a, b)| a != b && implied[*a][*b])
            .filter_map(|(a, b)| place(a).zip(place(b)))
            .collect();
        Self {
            outputs: places.into_iter().map(|p| p.and_then(place)).collect(),
            list: kept.iter().map(|k| written[*k]).collect(),
            within,
        }
    }
}

/// For each pair whether the one lies within the other, as far as can be seen, and what follows from that: what is read
/// off the forms need not be transitive, and what is true is.
fn closure(filters: &[&Predicate]) -> Vec<Vec<bool>> {
    let mut known = Implications::default();
    let row = |a: &&Predicate, known: &mut Implications| -> Vec<bool> {
        filters.iter().map(|b| known.ask(a, b)).collect()
    };
    let mut implied: Vec<Vec<bool>> = filters.iter().map(|a| row(a, &mut known)).collect();
    for middle in 0..filters.len() {
        let through = implied[middle].clone();
        for row in implied.iter_mut().filter(|row| row[middle]) {
            row.iter_mut()
                .zip(&through)
                .for_each(|(to, via)| *to |= via);
        }
    }
    implied
}

/// What can be seen of which predicates: asked once for each pair of parts, since parts meet again and again.
#[derive(Default)]
struct Implications {
    /// By where the parts stand in memory: they are large, and borrowed all the while.
    known: HashMap<[*const Predicate; 2], bool>,
}

impl Implications {
    /// Whether one can read off the normal forms that `b` is true wherever `a` is. `false` says nothing.
    fn ask(&mut self, a: &Predicate, b: &Predicate) -> bool {
        let pair = [a, b].map(std::ptr::from_ref);
        if let Some(known) = self.known.get(&pair) {
            return *known;
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
