//! Linear combinations of committed columns: what the verifier computes from commitments alone.

use std::{collections::BTreeMap, fmt};

use ark_ff::{One, Zero};
use galen_circuits::Fr;

/// A column that a plan can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnId {
    /// 1 in every row, padding included.
    One,
    /// 1 in the rows that hold a patient.
    Present,
    /// A base column of the dataset, by its index in `Registry::base_columns`.
    Base(usize),
    /// The output of a step of the plan, by the step's index.
    Output(usize),
}

/// Σ coefficient·column. The empty sum is the zero column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Linear(BTreeMap<ColumnId, Fr>);

impl Linear {
    /// The zero column.
    #[must_use]
    pub fn zero() -> Self {
        Self::default()
    }

    /// One column.
    #[must_use]
    pub fn column(id: ColumnId) -> Self {
        Self(BTreeMap::from([(id, Fr::one())]))
    }

    /// Adds `coefficient`·`other`.
    pub fn add_scaled(&mut self, coefficient: Fr, other: &Linear) {
        for (id, c) in &other.0 {
            let entry = self.0.entry(*id).or_insert_with(Fr::zero);
            *entry += coefficient * c;
            if entry.is_zero() {
                self.0.remove(id);
            }
        }
    }

    /// self + other.
    #[must_use]
    pub fn plus(mut self, other: &Linear) -> Self {
        self.add_scaled(Fr::one(), other);
        self
    }

    /// self − other.
    #[must_use]
    pub fn minus(mut self, other: &Linear) -> Self {
        self.add_scaled(-Fr::one(), other);
        self
    }

    /// The terms in column order; no coefficient is 0.
    pub fn terms(&self) -> impl Iterator<Item = (ColumnId, Fr)> + '_ {
        self.0.iter().map(|(id, c)| (*id, *c))
    }

    /// Writes the combination with columns named by `name`: `+a-b+65536*c`.
    pub(crate) fn describe(&self, name: &dyn Fn(ColumnId) -> String) -> String {
        let mut parts: Vec<String> = self
            .terms()
            .map(|(id, c)| {
                if c.is_one() {
                    format!("+{}", name(id))
                } else if (-c).is_one() {
                    format!("-{}", name(id))
                } else {
                    format!("+{c}*{}", name(id))
                }
            })
            .collect();
        parts.sort();
        match parts.as_slice() {
            [] => "0".into(),
            [one] => one.strip_prefix('+').unwrap_or(one).into(),
            many => many.concat(),
        }
    }
}

/// The name in step keys. `$` starts no column's name, so a key never takes one for the other.
impl fmt::Display for ColumnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnId::One => f.write_str("$one"),
            ColumnId::Present => f.write_str("$present"),
            ColumnId::Base(i) => write!(f, "base{i}"),
            ColumnId::Output(i) => write!(f, "step{i}"),
        }
    }
}
