//! Which kinds of patients an answer's conditions can tell apart.
//!
//! A *condition* is one of the query's filters, that a column has a value, or that a boolean is true. An *atom* is a set of
//! conditions that a patient of a group can meet while meeting no other: which there are follows from the columns' ranges, WHERE and
//! the group's keys, and a reader knows it. Conditions that no column, no conjunct of WHERE and no field ties together are apart:
//! each *part* has atoms of its own.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::{
    query::{CohortQuery, IntervalSet, Predicate},
    registry::Registry,
};

use crate::plan::{Field, FieldKind, GroupKey};

/// The most combinations of values that are looked at in a part.
const MAX_COMBINATIONS: usize = 1 << 16;
/// The most conditions of a part: one bit each.
const MAX_CONDITIONS: usize = 64;

/// What the conditions of a query are, and which belong together.
#[derive(Debug)]
pub(super) struct Conditions {
    conditions: Vec<Predicate>,
    /// The conjuncts of WHERE.
    within: Vec<Predicate>,
    pub parts: Vec<Part>,
}

/// Conditions that are tied together.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Their places; bit b of an atom is the b-th.
    conditions: Vec<usize>,
    columns: Vec<usize>,
    within: Vec<usize>,
    /// The fields that are about these conditions, each with the bits that its patients have.
    pub fields: Vec<(Field, u64)>,
}

/// There are more combinations of conditions than are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl Conditions {
    /// Of a query whose answer has these counts.
    pub fn of(query: &CohortQuery, fields: &[Field]) -> Self {
        let filters = query.filters();
        let mut conditions: Vec<Predicate> = Vec::new();
        let mut place = |p: Predicate| -> usize {
            let known = conditions.iter().position(|c| *c == p);
            known.unwrap_or_else(|| {
                conditions.push(p);
                conditions.len() - 1
            })
        };
        let of_field = |field: &Field, place: &mut dyn FnMut(Predicate) -> usize| {
            let mut own: Vec<Predicate> =
                field.filter.iter().map(|f| filters[*f].clone()).collect();
            own.extend(field.column.map(|column| match field.kind {
                FieldKind::Trues => Predicate::In {
                    column,
                    set: IntervalSet::single(1),
                },
                _ => Predicate::IsNotNull { column },
            }));
            own.extend(field.other.map(|column| Predicate::IsNotNull { column }));
            own.into_iter().map(place).collect::<BTreeSet<usize>>()
        };
        let of_fields: Vec<(Field, BTreeSet<usize>)> = fields
            .iter()
            .map(|f| (*f, of_field(f, &mut place)))
            .collect();
        let within = match &query.filter {
            Predicate::All(members) => members.clone(),
            Predicate::Always => Vec::new(),
            other => vec![other.clone()],
        };
        let parts = parts(&conditions, &within, &of_fields);
        Self {
            conditions,
            within,
            parts,
        }
    }

    /// The atoms of a part in a group: which sets of its conditions a patient there can meet.
    pub fn atoms(
        &self,
        part: &Part,
        query: &CohortQuery,
        registry: &Registry,
        keys: &[GroupKey],
    ) -> Result<Vec<u64>, TooMany> {
        let classes: Vec<Vec<Option<u64>>> = part
            .columns
            .iter()
            .map(|c| self.classes(*c, part, query, registry, keys))
            .collect();
        let combinations = classes
            .iter()
            .try_fold(1_usize, |n, c| n.checked_mul(c.len()))
            .filter(|n| *n <= MAX_COMBINATIONS)
            .ok_or(TooMany)?;
        if part.conditions.len() > MAX_CONDITIONS {
            return Err(TooMany);
        }
        let mut atoms = BTreeSet::new();
        for combination in 0..combinations {
            let mut rest = combination;
            let values: BTreeMap<usize, Option<u64>> = part
                .columns
                .iter()
                .zip(&classes)
                .map(|(column, classes)| {
                    let value = classes[rest % classes.len()];
                    rest /= classes.len();
                    (*column, value)
                })
                .collect();
            let row = |c: usize| values.get(&c).copied().flatten();
            if part.within.iter().all(|w| self.within[*w].eval(&row)) {
                let met = part.conditions.iter().enumerate();
                let met = met.filter(|(_, c)| self.conditions[**c].eval(&row));
                atoms.insert(met.fold(0, |bits, (b, _)| bits | 1 << b));
            }
        }
        Ok(atoms.into_iter().collect())
    }

    /// A value of each kind that the part's conditions tell apart in a column, within the group's key.
    fn classes(
        &self,
        column: usize,
        part: &Part,
        query: &CohortQuery,
        registry: &Registry,
        keys: &[GroupKey],
    ) -> Vec<Option<u64>> {
        let definition = &registry.columns[column];
        let key = query.group_by.iter().zip(keys);
        let key = key
            .filter(|(g, _)| g.column == column)
            .map(|(g, k)| match (k, &g.bins) {
                (GroupKey::Null, _) => None,
                (GroupKey::Value(v), None) => Some((*v, *v)),
                (GroupKey::Value(v), Some(bins)) => Some(
                    usize::try_from(*v)
                        .ok()
                        .and_then(|at| bins.get(at))
                        .map_or((1, 0), |b| b.stored),
                ),
            });
        let (first, last) = match key.last() {
            Some(None) => return vec![None],
            Some(Some(range)) => range,
            None => (0, definition.span()),
        };
        let conditions = part.conditions.iter().map(|c| &self.conditions[*c]);
        let within = part.within.iter().map(|w| &self.within[*w]);
        let mut sets = Vec::new();
        conditions
            .chain(within)
            .for_each(|p| leaves(p, column, &mut sets));
        let mut starts = vec![first];
        for (from, to) in sets.iter().flat_map(|s| s.intervals()) {
            starts.extend([*from, to.saturating_add(1)]);
        }
        let mut kinds: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
        for start in starts.into_iter().filter(|s| (first..=last).contains(s)) {
            let kind = sets.iter().map(|s| s.contains(start)).collect();
            kinds.entry(kind).or_insert(start);
        }
        let is_grouped = query.group_by.iter().any(|g| g.column == column);
        let missing = (definition.nullable && !is_grouped).then_some(None);
        kinds.into_values().map(Some).chain(missing).collect()
    }
}

/// The sets of a column that a predicate asks about.
fn leaves<'a>(predicate: &'a Predicate, column: usize, sets: &mut Vec<&'a IntervalSet>) {
    match predicate {
        Predicate::In { column: of, set } if *of == column => sets.push(set),
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().for_each(|m| leaves(m, column, sets));
        }
        _ => {}
    }
}

/// Ties conditions together by their columns, by WHERE's conjuncts and by the fields that are about several of them.
fn parts(
    conditions: &[Predicate],
    within: &[Predicate],
    fields: &[(Field, BTreeSet<usize>)],
) -> Vec<Part> {
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    let of_condition = conditions.iter().map(Predicate::columns);
    let of_within = within.iter().map(Predicate::columns);
    let of_field = fields
        .iter()
        .map(|(_, own)| own.iter().flat_map(|c| conditions[*c].columns()).collect());
    for columns in of_condition.chain(of_within).chain(of_field) {
        let mut joined: BTreeSet<usize> = columns.into_iter().collect();
        sets.retain(|s| {
            let meets = !s.is_disjoint(&joined);
            if meets {
                joined.extend(s);
            }
            !meets
        });
        sets.push(joined);
    }
    let part = |columns: BTreeSet<usize>| {
        let has = |p: &Predicate| p.columns().iter().any(|c| columns.contains(c));
        let own = (0..conditions.len()).filter(|c| has(&conditions[*c]));
        let own: Vec<usize> = own.collect();
        let bit = |c: &usize| own.iter().position(|o| o == c);
        let about = fields
            .iter()
            .filter(|(_, of)| of.iter().any(|c| own.contains(c)));
        Part {
            fields: about
                .map(|(f, of)| (*f, of.iter().filter_map(bit).fold(0, |b, c| b | 1 << c)))
                .collect(),
            within: (0..within.len()).filter(|w| has(&within[*w])).collect(),
            columns: columns.iter().copied().collect(),
            conditions: own,
        }
    };
    let parts = sets.into_iter().filter(|s| !s.is_empty()).map(part);
    // The last is of no condition: whom a group has.
    let whole = std::iter::once(Part::default());
    parts
        .filter(|p| !p.fields.is_empty())
        .chain(whole)
        .collect()
}
