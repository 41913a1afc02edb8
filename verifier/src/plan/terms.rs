//! What is summed for a statistic: a product of bits and values.

use std::collections::BTreeSet;

use galen_circuits::equation::Linear;

use super::{Field, FieldKind, bases::Bases};

/// A bit that restricts a statistic to some patients of the cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// They meet this filter of the query.
    Filter(usize),
    /// They have a value in this nullable column.
    Known(usize),
}

/// Π conditions · Π values, summed over the rows of the cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// What must be multiplied.
    pub(super) conditions: BTreeSet<Condition>,
    /// What holds wherever the values are not 0: multiplied or not, the product is the same.
    pub(super) implied: BTreeSet<Condition>,
    /// At most two.
    pub(super) values: Vec<Linear>,
}

impl Term {
    /// Of a statistic of a group; not of a rank.
    pub(super) fn of(field: Field, bases: &Bases<'_>) -> Self {
        let known = |column: usize| bases.known(column).map(|_| Condition::Known(column));
        let columns = [field.column, field.other];
        let summed: Vec<usize> = match field.kind {
            FieldKind::Count | FieldKind::Rank(..) => Vec::new(),
            FieldKind::Trues | FieldKind::Sum => field.column.into_iter().collect(),
            FieldKind::SumOfSquares => [field.column; 2].into_iter().flatten().collect(),
            FieldKind::Product => columns.into_iter().flatten().collect(),
        };
        let restricted = columns.into_iter().flatten().filter_map(known);
        let implied: BTreeSet<Condition> = summed.iter().copied().filter_map(known).collect();
        Self {
            conditions: restricted
                .chain(field.filter.map(Condition::Filter))
                .filter(|c| !implied.contains(c))
                .collect(),
            implied,
            values: summed.into_iter().map(|c| bases.value(c)).collect(),
        }
    }

    /// Of a bit of a nullable or other column, under a filter.
    pub(super) fn of_bit(
        bit: &Linear,
        column: usize,
        filter: Option<usize>,
        bases: &Bases<'_>,
    ) -> Self {
        Self {
            conditions: filter.map(Condition::Filter).into_iter().collect(),
            implied: bases
                .known(column)
                .map(|_| Condition::Known(column))
                .into_iter()
                .collect(),
            values: vec![bit.clone()],
        }
    }

    /// Everything that holds wherever it is not 0.
    pub(super) fn all(&self) -> BTreeSet<Condition> {
        self.conditions.union(&self.implied).copied().collect()
    }

    /// What is left to multiply in rows where `guard` holds.
    pub(super) fn rest(&self, guard: &BTreeSet<Condition>) -> Vec<Factor> {
        let conditions = self.conditions.difference(guard);
        let conditions = conditions.map(|c| Factor::Condition(*c));
        conditions
            .chain(self.values.iter().cloned().map(Factor::Value))
            .collect()
    }

    /// Whether it can be summed in rows where `guard` holds: it is 0 in all others, and two factors are left at most.
    pub(super) fn fits(&self, guard: &BTreeSet<Condition>) -> bool {
        guard
            .iter()
            .all(|c| self.conditions.contains(c) || self.implied.contains(c))
            && self.rest(guard).len() <= 2
    }
}

/// A factor of a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    /// A bit.
    Condition(Condition),
    /// A value.
    Value(Linear),
}
