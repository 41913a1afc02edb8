//! eq(t, ·) over the variables that are not bound yet, as a product of two short tables.

use crate::{Fr, multilinear::eq_table};

/// eq over every prefix of t's variables: row i of the prefix of j variables weighs low\[i mod 2^h\]·high\[i / 2^h\].
pub(super) struct Weights {
    /// For each number of variables up to h.
    low: Vec<Vec<Fr>>,
    /// For each number of variables beyond h.
    high: Vec<Vec<Fr>>,
}

impl Weights {
    pub(super) fn new(t: &[Fr]) -> Self {
        let (low, high) = t.split_at(t.len() / 2);
        let grow = |r: &[Fr]| (0..=r.len()).map(|j| eq_table(&r[..j])).collect();
        Self {
            low: grow(low),
            high: grow(high),
        }
    }

    /// The tables for the lowest `variables` variables.
    pub(super) fn of(&self, variables: usize) -> (&[Fr], &[Fr]) {
        let h = self.low.len() - 1;
        if variables <= h {
            (&self.low[variables], &self.high[0])
        } else {
            (&self.low[h], &self.high[variables - h])
        }
    }
}
