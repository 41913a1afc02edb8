//! The counts of an answer, and what is known to be the sum of what.

use std::{collections::BTreeMap, sync::Arc};

use super::{ReleaseProfile, State};
use crate::{
    attack::{Conditions, Form, Work, World},
    plan::{Field, GroupKey, Plan},
};

/// All counts of an answer: one table for each counted field, one cell for each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The counted fields, each after the one that contains it.
    pub fields: Vec<Field>,
    /// Number of groups.
    pub groups: usize,
    /// R, the patients of the dataset: no count is larger.
    pub rows: u64,
    /// Groups whose counts add up to something that another query can tell.
    pub lines: Vec<Vec<usize>>,
    /// Whether each field contains all fields after it: an attrition table.
    pub is_chain: bool,
    /// Sums that tell of counts, each with the count that it is published with.
    pub sums: Vec<(Field, Field)>,
    /// See [`Self::order`].
    order: Vec<usize>,
    /// For each field those of [`Self::outer`], found once for all groups.
    outer: BTreeMap<Field, Vec<usize>>,
    /// What the counts together can tell apart.
    conditions: Arc<Conditions>,
}

impl Counts {
    /// Of an answer with these fields in each of these groups, over so many rows.
    #[must_use]
    pub fn new<'a>(
        fields: impl IntoIterator<Item = &'a Field>,
        keys: &[Vec<GroupKey>],
        rows: u64,
    ) -> Self {
        Self::with(fields, keys, rows, &[], &[])
    }

    /// Of an attrition table: each field contains all after it.
    #[must_use]
    pub fn chain<'a>(fields: impl IntoIterator<Item = &'a Field>, rows: u64) -> Self {
        Self {
            is_chain: true,
            ..Self::new(fields, &[Vec::new()], rows)
        }
    }

    /// Of a plan's answer.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let keys: Vec<_> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
        let (fields, rows) = (plan.statistics.keys(), plan.patients());
        if plan.is_chain {
            return Self::chain(fields, rows);
        }
        let percentiles = plan.percentiles.iter();
        let known: Vec<Field> = percentiles.map(Field::known).collect();
        let conditions = plan.conditions.clone().unwrap_or_default();
        let sums = conditions.world(0).sums.iter();
        let sums = sums.map(|(field, _)| (*field, plan.statistics[field].guard));
        Self {
            sums: sums.collect(),
            conditions,
            ..Self::with(fields, &keys, rows, &plan.within, &known)
        }
    }

    /// `within` tells which filter lies within which: (inner, outer). `others` are not counted, but it is asked
    /// what contains them.
    fn with<'a>(
        fields: impl IntoIterator<Item = &'a Field>,
        keys: &[Vec<GroupKey>],
        rows: u64,
        within: &[(usize, usize)],
        others: &[Field],
    ) -> Self {
        let mut fields: Vec<Field> = fields
            .into_iter()
            .copied()
            .filter(|f| f.is_count())
            .collect();
        fields.sort_unstable();
        fields.dedup();
        let containing = |field: Field| -> Vec<usize> {
            let all = 0..fields.len();
            all.filter(|at| fields[*at] != field && fields[*at].contains(field, within))
                .collect()
        };
        let outer = |field: &Field| {
            let containing = containing(*field);
            let contains = |a: usize, b: usize| fields[a].contains(fields[b], within);
            let larger = |at: &usize| {
                let mut inner = containing.iter().filter(|i| *i != at);
                inner.any(|i| contains(*at, *i) && !contains(*i, *at))
            };
            let smallest = containing.iter().copied().filter(|at| !larger(at));
            (*field, smallest.collect())
        };
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_cached_key(|at| (containing(fields[*at]).len(), *at));
        Self {
            outer: fields.iter().chain(others).map(outer).collect(),
            order,
            groups: keys.len(),
            rows,
            lines: lines(keys),
            is_chain: false,
            sums: Vec::new(),
            conditions: Arc::default(),
            fields,
        }
    }

    /// The conditions of its query that are true of a patient.
    #[cfg(test)]
    pub(crate) fn bits_of(&self, row: &dyn Fn(usize) -> Option<u64>) -> u128 {
        self.conditions.bits_of(row)
    }

    /// The same with other conditions of its query.
    #[cfg(test)]
    pub(crate) fn with_conditions(&self, conditions: Conditions) -> Self {
        Self {
            conditions: Arc::new(conditions),
            ..self.clone()
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

    /// How many numbers there are: of each count in each group, and then of each of [`Self::sums`] in each.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.len() + self.sums.len() * self.groups
    }

    /// The sums of a group.
    pub(crate) fn sums_of(&self, sums: &[Option<u64>], group: usize) -> Vec<Option<u64>> {
        let own = (0..self.sums.len()).map(|s| sums.get(s * self.groups + group));
        own.map(|s| s.copied().flatten()).collect()
    }

    /// The field and the group of each sum, in the order of the numbers, with the count that it is published with.
    pub fn of_sums(&self) -> impl Iterator<Item = (Field, Field, usize)> {
        let sums = self.sums.iter();
        sums.flat_map(|(field, guard)| (0..self.groups).map(|group| (*field, *guard, group)))
    }

    /// Of all numbers the sums that are published: those whose guards are.
    pub(crate) fn shown_sums(&self, states: &[State], numbers: &[u64]) -> Vec<Option<u64>> {
        let sums = self.of_sums().enumerate();
        let shown = sums.map(|(at, (_, guard, group))| {
            let guard = self.cell(guard, group)?;
            states[guard].shown()?;
            numbers.get(self.len() + at).copied()
        });
        shown.collect()
    }

    /// Whether what all counts tell together is looked at: what they tell exactly.
    #[must_use]
    pub fn is_attacked(&self, profile: &ReleaseProfile) -> bool {
        profile.complementary && profile.rounding == 1 && !self.is_chain
    }

    /// What the counts of a group can tell apart.
    pub(crate) fn world(&self, group: usize) -> &World {
        self.conditions.world(group)
    }

    /// Who is in a region of a group, in words.
    #[must_use]
    pub fn words(&self, group: usize, region: usize) -> String {
        self.conditions.words(group, region)
    }

    /// The cells of a field in all groups.
    pub(super) fn of_field(&self, field: usize) -> std::ops::Range<usize> {
        field * self.groups..(field + 1) * self.groups
    }

    /// Whether a count is 0 whoever the patients are.
    pub(super) fn is_impossible(&self, cell: usize) -> bool {
        let (field, group) = self.place(cell);
        !self.is_chain && self.world(group).is_impossible(field)
    }

    /// The counts of a group that a region's size is a sum and difference of, by their cells: of published ones as far as that goes, and
    /// then of `cell`. `None` too if that takes too long.
    pub(crate) fn form(
        &self,
        states: &[State],
        region: u32,
        (group, cell): (usize, Option<usize>),
        work: &mut Work,
    ) -> Option<Form> {
        let world = self.world(group);
        let cells = world.fields.iter().map(|(f, _)| self.cell(*f, group));
        let cells: Vec<usize> = cells.collect::<Option<_>>()?;
        let shown: Vec<Option<u64>> = cells.iter().map(|c| states[*c].count()).collect();
        let next = cell.and_then(|cell| cells.iter().position(|c| *c == cell));
        let mut form = world.form(region as usize, &shown, next, work)?;
        form.terms.iter_mut().for_each(|(at, _)| *at = cells[*at]);
        Some(form)
    }

    /// The cells that contain a cell and show the least number, if all that contain it show one; in an attrition table the last shown one before
    /// it.
    pub(crate) fn least_shown(&self, states: &[State], cell: usize) -> Vec<usize> {
        if self.is_chain {
            let shown = |c: &usize| states[*c].shown().is_some();
            return (0..cell).rev().find(shown).into_iter().collect();
        }
        let (field, group) = self.place(cell);
        let shown = self
            .outer(field, group)
            .map(|c| Some((states[c].shown()?, c)));
        let shown: Vec<(i128, usize)> = shown.collect::<Option<_>>().unwrap_or_default();
        let least = shown.iter().map(|(n, _)| *n).min();
        let least = shown.iter().filter(|(n, _)| Some(*n) == least);
        least.map(|(_, c)| *c).collect()
    }

    /// The fields in an order in which each comes after those that contain it.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The smallest counted cells, of other fields, that contain what `field` counts in a group: those that
    /// contain no other of them. The field is a counted one or of a percentile's patients.
    pub(super) fn outer(&self, field: Field, group: usize) -> impl Iterator<Item = usize> {
        let outer = self.outer.get(&field);
        let outer = outer.expect("found for every count and percentile of the plan");
        outer.iter().map(move |at| at * self.groups + group)
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
