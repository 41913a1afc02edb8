//! Integer combinations of columns: what a verifier computes from commitments alone.

use std::collections::BTreeMap;

use crate::hash::Transcript;

/// A column that an equation can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Public: 1 in the rows that hold a patient, 0 in padding.
    Present,
    /// A base column of the dataset, by its index there.
    Base(usize),
    /// A column that this proof commits to and constrains, by its index in [`Equation::derived`](super::Equation).
    Derived(usize),
}

/// constant + Σ coefficient·column, over the integers. No coefficient is 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Linear {
    constant: i64,
    terms: BTreeMap<Column, i64>,
}

impl Linear {
    /// 0.
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    /// A constant in every row, padding included.
    #[must_use]
    pub fn constant(value: i64) -> Self {
        Self {
            constant: value,
            terms: BTreeMap::new(),
        }
    }

    /// One column.
    #[must_use]
    pub fn column(column: Column) -> Self {
        Self {
            constant: 0,
            terms: BTreeMap::from([(column, 1)]),
        }
    }

    /// self + factor·other.
    #[must_use]
    pub fn plus(mut self, factor: i64, other: &Linear) -> Self {
        self.constant += factor * other.constant;
        for (column, coefficient) in &other.terms {
            let entry = self.terms.entry(*column).or_insert(0);
            *entry += factor * coefficient;
            if *entry == 0 {
                self.terms.remove(column);
            }
        }
        self
    }

    /// 1 − self: the complement of a bit.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::constant(1).plus(-1, self)
    }

    /// What it is where every column is 0.
    #[must_use]
    pub fn at_zero(&self) -> i64 {
        self.constant
    }

    /// The columns with their coefficients, in order.
    pub fn terms(&self) -> impl Iterator<Item = (Column, i64)> + '_ {
        self.terms.iter().map(|(c, k)| (*c, *k))
    }

    /// The one column that it is, if it is one as it stands.
    #[must_use]
    pub fn as_column(&self) -> Option<Column> {
        match self.terms().next() {
            Some((column, 1)) if self.constant == 0 && self.terms.len() == 1 => Some(column),
            _ => None,
        }
    }

    /// Its value on a row, whose columns `value` gives.
    pub fn eval(&self, value: impl Fn(Column) -> i64) -> i64 {
        let terms = self.terms.iter();
        self.constant + terms.map(|(c, k)| k * value(*c)).sum::<i64>()
    }

    /// Whether it is 0 everywhere.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.constant == 0 && self.terms.is_empty()
    }

    pub(super) fn absorb(&self, t: &mut Transcript) {
        t.bytes(&self.constant.to_le_bytes())
            .number(self.terms.len() as u64);
        for (column, coefficient) in &self.terms {
            let (kind, index) = match column {
                Column::Present => (0, 0),
                Column::Base(i) => (1, *i as u64),
                Column::Derived(i) => (2, *i as u64),
            };
            t.number(kind)
                .number(index)
                .bytes(&coefficient.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_cancel_and_evaluate() {
        let (a, b) = (
            Linear::column(Column::Base(0)),
            Linear::column(Column::Base(1)),
        );
        let sum = a.clone().plus(3, &b).plus(-1, &a);
        assert_eq!(sum.terms().collect::<Vec<_>>(), [(Column::Base(1), 3)]);
        assert_eq!(sum.complement().eval(|_| 2), -5);
        assert_eq!(a.as_column(), Some(Column::Base(0)));
        assert_eq!(sum.as_column(), None);
        assert!(a.clone().plus(-1, &a).is_zero());
    }
}
