//! The counts of an answer, and what is known to be the sum of what.

use crate::plan::{Field, GroupKey};

/// All counts of an answer: one table for each counted field, one cell for each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The counted fields, each after the one that contains it.
    pub fields: Vec<Field>,
    /// Number of groups.
    pub groups: usize,
    /// Groups whose counts add up to something that another query can tell.
    pub lines: Vec<Vec<usize>>,
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

    /// The smallest counted field that contains this one and is another one.
    pub(super) fn outer(&self, field: Field) -> Option<usize> {
        field
            .containing()
            .into_iter()
            .filter(|containing| *containing != field)
            .find_map(|containing| self.fields.binary_search(&containing).ok())
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
