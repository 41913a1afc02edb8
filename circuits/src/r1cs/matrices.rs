//! The matrices of a circuit: compressed rows over a table of distinct coefficients.

use std::collections::HashMap;
use std::fmt::Display;

use ark_ff::{AdditiveGroup, Field};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rayon::prelude::*;

use super::var::Term;
use crate::Fr;
use crate::hash::{Transcript, separator};

/// Below this many rows a thread has more to do with asking for work than with working.
const ROWS_A_TASK: usize = 64;

/// One of the three matrices of a·b = c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left factor.
    A,
    /// The right factor.
    B,
    /// The product.
    C,
}

/// A circuit's constraints: row i says ⟨aᵢ, w⟩·⟨bᵢ, w⟩ = ⟨cᵢ, w⟩.
///
/// Terms of a row stand in ascending order of variables, none twice, none with coefficient 0.
#[derive(Clone, PartialEq, Eq, CanonicalSerialize, CanonicalDeserialize)]
pub struct Matrices {
    publics: u64,
    variables: u64,
    /// Distinct coefficients in order of first use; the first is 1.
    coefficients: Vec<Fr>,
    rows: [Rows; 3],
    /// First constraint of each label, ascending.
    labels: Vec<(u64, String)>,
}

/// Row i is `terms[ends[i − 1]..ends[i]]`; a term is (index of its coefficient, variable).
#[derive(Clone, Default, PartialEq, Eq, CanonicalSerialize, CanonicalDeserialize)]
struct Rows {
    ends: Vec<u32>,
    terms: Vec<(u32, u32)>,
}

impl Rows {
    fn row(&self, i: usize) -> &[(u32, u32)] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.terms[start as usize..self.ends[i] as usize]
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("a circuit has fewer than 2^32 variables, constraints and terms")
}

/// Collects constraints while a shape is recorded.
pub(super) struct Recorder {
    known: HashMap<Fr, u32>,
    coefficients: Vec<Fr>,
    rows: [Rows; 3],
    labels: Vec<(u64, String)>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::from([(Fr::ONE, 0)]),
            coefficients: vec![Fr::ONE],
            rows: Default::default(),
            labels: Vec::new(),
        }
    }

    pub(super) fn label(&mut self, name: impl Display) {
        let first = self.rows[0].ends.len() as u64;
        self.labels.push((first, name.to_string()));
    }

    pub(super) fn push(&mut self, constraint: [&[Term]; 3]) {
        for (rows, terms) in self.rows.iter_mut().zip(constraint) {
            for term in terms {
                let next = index(self.coefficients.len());
                let coefficient = *self.known.entry(term.coefficient).or_insert(next);
                if coefficient == next {
                    self.coefficients.push(term.coefficient);
                }
                rows.terms.push((coefficient, term.variable));
            }
            rows.ends.push(index(rows.terms.len()));
        }
    }

    pub(super) fn finish(self, publics: usize, variables: usize) -> Matrices {
        Matrices {
            publics: publics as u64,
            variables: variables as u64,
            coefficients: self.coefficients,
            rows: self.rows,
            labels: self.labels,
        }
    }
}

impl Matrices {
    /// Public inputs, without the constant 1.
    #[must_use]
    pub fn publics(&self) -> usize {
        usize::try_from(self.publics).expect("a circuit fits into memory")
    }

    /// Variables: the constant 1, public inputs and witness.
    #[must_use]
    pub fn variables(&self) -> usize {
        usize::try_from(self.variables).expect("a circuit fits into memory")
    }

    /// Constraints.
    #[must_use]
    pub fn constraints(&self) -> usize {
        self.rows[0].ends.len()
    }

    /// Terms of the three matrices together.
    #[must_use]
    pub fn non_zero(&self) -> usize {
        self.rows.iter().map(|rows| rows.terms.len()).sum()
    }

    /// The terms (coefficient, variable) of a row, in ascending order of variables.
    ///
    /// # Panics
    /// If there is no such constraint.
    pub fn row(&self, side: Side, constraint: usize) -> impl ExactSizeIterator<Item = (Fr, usize)> {
        let row = self.rows[side as usize].row(constraint);
        row.iter()
            .map(|(c, v)| (self.coefficients[*c as usize], *v as usize))
    }

    /// The label that a constraint stands under; empty before the first label.
    #[must_use]
    pub fn label(&self, constraint: usize) -> &str {
        let after = self
            .labels
            .partition_point(|(first, _)| *first <= constraint as u64);
        match after.checked_sub(1) {
            Some(i) => &self.labels[i].1,
            None => "",
        }
    }

    /// ⟨row, w⟩ of one matrix's row.
    ///
    /// # Panics
    /// If there is no such constraint, or the assignment is shorter than [`Matrices::variables`].
    #[must_use]
    pub fn evaluate(&self, side: Side, constraint: usize, assignment: &[Fr]) -> Fr {
        let mut sum = Fr::ZERO;
        for (coefficient, variable) in self.rows[side as usize].row(constraint) {
            let value = assignment[*variable as usize];
            sum += match coefficient {
                0 => value, // the table's first coefficient is 1
                c => value * self.coefficients[*c as usize],
            };
        }
        sum
    }

    /// The first constraint that an assignment does not satisfy; on all threads.
    ///
    /// # Panics
    /// If the assignment is shorter than [`Matrices::variables`].
    #[must_use]
    pub fn first_unsatisfied(&self, assignment: &[Fr]) -> Option<usize> {
        (0..self.constraints())
            .into_par_iter()
            .with_min_len(ROWS_A_TASK)
            .find_first(|i| {
                let [a, b, c] =
                    [Side::A, Side::B, Side::C].map(|side| self.evaluate(side, *i, assignment));
                a * b != c
            })
    }

    /// Fills `a` and `b` with ⟨aᵢ, w⟩ and ⟨bᵢ, w⟩, constraint by constraint, and returns the first
    /// constraint that is not satisfied; on all threads.
    ///
    /// # Panics
    /// If the assignment is shorter than [`Matrices::variables`].
    pub(crate) fn evaluate_factors(
        &self,
        assignment: &[Fr],
        a: &mut [Fr],
        b: &mut [Fr],
    ) -> Option<usize> {
        let rows = 0..self.constraints();
        rows.into_par_iter()
            .zip(a.par_iter_mut().zip(b))
            .with_min_len(ROWS_A_TASK)
            .filter_map(|(i, (a, b))| {
                *a = self.evaluate(Side::A, i, assignment);
                *b = self.evaluate(Side::B, i, assignment);
                (*a * *b != self.evaluate(Side::C, i, assignment)).then_some(i)
            })
            .min()
    }

    /// 32 bytes that name the circuit: SHA-512, cut, of publics, variables, constraints, the distinct
    /// coefficients in order of first use, and all rows of A, of B, of C: each a byte string of its terms, a
    /// term the place of its coefficient and its variable, 4 bytes little-endian each. Labels are not part of it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut t = Transcript::new(separator::CIRCUIT);
        t.number(self.publics).number(self.variables);
        t.number(self.constraints() as u64);
        t.number(self.coefficients.len() as u64);
        self.coefficients.iter().for_each(|c| {
            t.canonical(c);
        });
        let mut bytes = Vec::new();
        for rows in &self.rows {
            for i in 0..self.constraints() {
                bytes.clear();
                for (coefficient, variable) in rows.row(i) {
                    bytes.extend(coefficient.to_le_bytes());
                    bytes.extend(variable.to_le_bytes());
                }
                t.bytes(&bytes);
            }
        }
        let digest = t.digest();
        let (name, _) = digest.split_first_chunk().expect("64 bytes hold 32");
        *name
    }
}
