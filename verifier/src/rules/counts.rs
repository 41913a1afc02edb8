//! The counts of an answer, and what is known to be the sum of what.

use crate::plan::{Field, GroupKey, Plan};

/// All counts of an answer: one table for each counted field, one cell for each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The counted fields, each after the one that contains it.
    pub fields: Vec<Field>,
    /// Number of groups.
    pub groups: usize,
    /// Groups whose counts add up to something that another query can tell.
    pub lines: Vec<Vec<usize>>,
    /// Which filter lies within which: (inner, outer).
    pub within: Vec<(usize, usize)>,
    /// Whether each field contains all fields after it: an attrition table.
    pub is_chain: bool,
}

impl Counts {
    /// Of an answer with these fields in each of these groups.
    #[must_use]
    pub fn new<'a>(fields: impl IntoIterator<Item = &'a Field>, keys: &[Vec<GroupKey>]) -> Self {
        let mut fields: Vec<Field> = fields
            .into_iter()
            .copied()
            .filter(|f| f.is_count())
            .collect();
        fields.sort_unstable();
        fields.dedup();
        Self {
            fields,
            groups: keys.len(),
            lines: lines(keys),
            within: Vec::new(),
            is_chain: false,
        }
    }

    /// Of an attrition table: each field contains all after it.
    #[must_use]
    pub fn chain<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        Self {
            is_chain: true,
            ..Self::new(fields, &[Vec::new()])
        }
    }

    /// Of a plan's answer.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let keys: Vec<_> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
        let fields = plan.layout.groups.iter().flat_map(|(_, p)| p.keys());
        if plan.is_chain {
            return Self::chain(fields);
        }
        Self {
            within: plan.within.clone(),
            ..Self::new(fields, &keys)
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len() * self.groups
    }

    /// Whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of a field in a group.
    #[must_use]
    pub fn cell(&self, field: Field, group: usize) -> Option<usize> {
        let at = self.fields.binary_search(&field).ok()?;
        (group < self.groups).then_some(at * self.groups + group)
    }

    /// The field and the group of a cell.
    #[must_use]
    pub fn place(&self, cell: usize) -> (Field, usize) {
        (self.fields[cell / self.groups], cell % self.groups)
    }

    /// The fields in an order in which each comes after those that contain it.
    pub(super) fn order(&self) -> Vec<usize> {
        let containing = |at: &usize| {
            let field = self.fields[*at];
            let others = self.fields.iter().filter(|f| **f != field);
            others.filter(|f| f.contains(field, &self.within)).count()
        };
        let mut order: Vec<usize> = (0..self.fields.len()).collect();
        order.sort_by_key(|at| (containing(at), *at));
        order
    }

    /// The smallest counted cells, of other fields, that contain what `field` counts in a group: those that
    /// contain no other of them.
    pub(super) fn outer(&self, field: Field, group: usize) -> Vec<usize> {
        let containing: Vec<Field> = self
            .fields
            .iter()
            .copied()
            .filter(|f| *f != field && f.contains(field, &self.within))
            .collect();
        let smallest = |f: &&Field| {
            let mut inner = containing.iter().filter(|i| i != f);
            !inner.any(|i| f.contains(*i, &self.within) && !i.contains(**f, &self.within))
        };
        let smallest = containing.iter().filter(smallest);
        smallest.filter_map(|f| self.cell(*f, group)).collect()
    }
}

/// Without GROUP BY there is no line; one key makes one line of all groups; two keys make a line for each
/// value of either.
fn lines(keys: &[Vec<GroupKey>]) -> Vec<Vec<usize>> {
    if keys.len() < 2 {
        return Vec::new();
    }
    let columns = keys[0].len();
    if columns < 2 {
        return vec![(0..keys.len()).collect()];
    }
    (0..columns)
        .flat_map(|fixed| {
            let mut values: Vec<GroupKey> = keys.iter().map(|k| k[fixed]).collect();
            values.sort_unstable();
            values.dedup();
            values.into_iter().map(move |value| {
                (0..keys.len())
                    .filter(|g| keys[*g][fixed] == value)
                    .collect::<Vec<_>>()
            })
        })
        .filter(|line| line.len() > 1)
        .collect()
}
