//! Curve kernels: every sum of many points goes through this module.
//!
//! What is here is scalar arithmetic; a vector implementation can stand beside it behind the same
//! functions. All of them are exact for any points: equal, opposite and the identity are cases of
//! the addition, not exceptions (a column may well be constant, and a Groth16 key holds such pairs).
//! Large calls spread over rayon's threads; small ones stay on the caller's.
//!
//! None of this runs in constant time: it is meant for a prover on its own machine.

mod batch;
mod msm;

use ark_bn254::G1Projective;
use ark_ff::PrimeField;

use crate::{Fr, G1};
use batch::Runs;

/// Bits of a scalar's canonical representative.
const SCALAR_BITS: u32 = Fr::MODULUS_BIT_SIZE;

/// Σ scalars\[i\]·bases\[i\] over the scalars that are given (row order; further bases are not used).
///
/// # Panics
/// If there are more scalars than bases.
pub fn msm(bases: &[G1], scalars: &[Fr]) -> G1Projective {
    let bases = front(bases, scalars.len());
    msm::msm(bases, scalars, SCALAR_BITS, |s| s.into_bigint().0)
}

/// Σ values\[i\]·bases\[i\] for 32-bit values; the cost follows the bits of the largest.
///
/// # Panics
/// If there are more values than bases.
pub fn msm_u32(bases: &[G1], values: &[u32]) -> G1Projective {
    let bases = front(bases, values.len());
    let largest = values.iter().copied().max().unwrap_or(0);
    msm::msm(bases, values, u32::BITS - largest.leading_zeros(), |v| {
        [u64::from(*v)]
    })
}

/// Σ bases\[i\] over the rows i that are listed; a row listed twice counts twice.
///
/// # Panics
/// If a row lies beyond the bases.
pub fn sum_selected(bases: &[G1], rows: &[u32]) -> G1 {
    Runs::one(rows).sums(bases)[0]
}

/// For every key k < `len` the sum of the bases of the rows that have it: `[G1; len]`, by key.
/// Rows with the key `skip` are left out, and its sum is the identity.
///
/// # Panics
/// If there are more keys than bases, or a key is not below `len`.
#[must_use]
pub fn sums_by_key(bases: &[G1], keys: &[u32], len: usize, skip: Option<u32>) -> Vec<G1> {
    let bases = front(bases, keys.len());
    let entries = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| Some(**key) != skip)
        .map(|(row, key)| (*key as usize, row, false));
    Runs::sorted(len, entries).sums(bases)
}

fn front(bases: &[G1], len: usize) -> &[G1] {
    assert!(len <= bases.len(), "more rows than bases");
    &bases[..len]
}

#[cfg(test)]
mod tests;
