//! The mask of an opening: one column of few random coefficients, added to what is opened.
//!
//! # What is revealed
//! Write f for the combination that is opened. Besides the commitments of the columns, each of which
//! has a uniform blinder of its own, and of the mask, an opening publishes y, f(z), f(1/z), S(z) and
//! `[S(τ)]₁`; S(1/z) and `[W(τ)]₁` follow from these. All are linear in the coefficients of f once r,
//! z and τ are fixed, and an adversary who can take discrete logarithms knows them as field elements.
//! With f = Σ columns + w·μ, w ≠ 0, and given the columns and their commitments, it sees six
//! functionals of the mask μ:
//!
//! μ(τ) (the mask's commitment), y_μ, μ(z), μ(1/z), S_μ(z), S_μ(τ).
//!
//! If they are linearly independent over the coefficients that are random, all six are uniform
//! whatever the columns: a simulator draws them, computes S(1/z) and W, and programs the challenges.
//! Six functionals need six coefficients: five rows and the blinder. There are 16 and the blinder, so
//! that a set of positions that happens to be special for one r does no harm.
//!
//! # Positions
//! Row positions are the 16 words of a linear code: bit j of position k is the parity of k ∧ c_j, the
//! c_j ≠ 0. The top four bits are those of k itself, so that every sixteenth of the chunk has one.
//! Each bit is 1 in exactly eight of them, and each pair of bits takes its four values four times
//! (up to ν = 15; the parities are used again where they do not suffice: at 16, bits 0 and 11 agree, at 17 bits 1
//! and 12 too). So the mask still enters y where up to two coordinates of r are 0 or 1, unless they are those of
//! bits that agree, one 0 and one 1. Rows spaced evenly would not do: they agree in their low bits, and y would
//! be bare where r_0 = 1. `examples/mask_rank.rs` computes the ranks.

use std::fmt;

use ark_ff::{Field, UniformRand};
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::commitment::{Blinding, blind};
use crate::srs::Srs;
use galen_field::curve;

use crate::{CircuitError, Fr, G1};

/// Bits of a position's number: there are 16 positions.
const LOG_POSITIONS: u32 = 4;
/// The parities that make bits 0, 1, 2 … of a position, below the top four.
const PARITIES: [usize; 11] = [15, 3, 5, 6, 9, 10, 12, 7, 11, 13, 14];

/// The rows of a chunk of 2^`log_rows` that have a random coefficient, ascending: 16, or all of 8.
#[must_use]
pub fn positions(log_rows: u32) -> Vec<usize> {
    if log_rows <= LOG_POSITIONS {
        return (0..1 << log_rows).collect();
    }
    let below = log_rows - LOG_POSITIONS;
    (0..1usize << LOG_POSITIONS)
        .map(|k| {
            let low = (0..below).fold(0, |low, bit| {
                let parity =
                    (k & PARITIES[bit as usize % PARITIES.len()]).count_ones() as usize % 2;
                low | parity << bit
            });
            k << below | low
        })
        .collect()
}

/// The mask of one answer's opening: fresh for each attempt.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Mask {
    log_rows: u32,
    #[zeroize(skip)]
    rows: Vec<usize>,
    values: Vec<Fr>,
    blinding: Blinding,
}

impl Mask {
    /// Random coefficients at the [`positions`] of a chunk, and a blinder.
    #[must_use]
    pub fn fresh(srs: &Srs, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let rows = positions(srs.log_rows());
        let values = rows.iter().map(|_| Fr::rand(rng)).collect();
        Self {
            log_rows: srs.log_rows(),
            rows,
            values,
            blinding: Blinding::random(rng),
        }
    }

    /// The mask's commitment.
    ///
    /// # Errors
    /// `srs` has not the rows that the mask was made for.
    pub fn commit(&self, srs: &Srs) -> Result<G1, CircuitError> {
        exactly(1 << self.log_rows, srs.rows())?;
        let bases: Vec<G1> = self.rows.iter().map(|row| srs.bases()[*row]).collect();
        Ok(blind(srs, curve::msm(&bases, &self.values), &self.blinding))
    }

    /// Σ_i mask_i·eq(r, i) over the rows, for `[Fr; ν]`, the low variables first.
    ///
    /// # Errors
    /// Not ν variables.
    pub fn evaluate(&self, r_low: &[Fr]) -> Result<Fr, CircuitError> {
        exactly(self.log_rows as usize, r_low.len())?;
        let eq = |row: usize| -> Fr {
            let factor = |(j, r): (usize, &Fr)| if row >> j & 1 == 1 { *r } else { Fr::ONE - r };
            r_low.iter().enumerate().map(factor).product()
        };
        Ok(self
            .rows
            .iter()
            .zip(&self.values)
            .map(|(row, value)| eq(*row) * value)
            .sum())
    }

    /// Adds weight·mask to f, `[Fr; n + 1]`: the rows', and the blinder's at n.
    ///
    /// # Errors
    /// Not n + 1 coefficients.
    pub fn add_to(&self, f: &mut [Fr], weight: Fr) -> Result<(), CircuitError> {
        exactly((1 << self.log_rows) + 1, f.len())?;
        for (row, value) in self.rows.iter().zip(&self.values) {
            f[*row] += weight * value;
        }
        f[1 << self.log_rows] += weight * self.blinding.expose();
        Ok(())
    }
}

fn exactly(expected: usize, got: usize) -> Result<(), CircuitError> {
    if got != expected {
        return Err(CircuitError::Length {
            what: "a mask",
            expected,
            got,
        });
    }
    Ok(())
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask(..)")
    }
}

#[cfg(test)]
mod tests;
