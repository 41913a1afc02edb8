//! Curve kernels: every sum of many points goes through this module, in G1 and in G2.
//!
//! All of them are exact for any points: equal, opposite and the identity are cases of
//! the addition, not exceptions (a column may well be constant, and a Groth16 key holds such pairs).
//! Large calls spread over rayon's threads; small ones stay on the caller's.
//!
//! None of this runs in constant time: it is meant for a prover on its own machine.

#[cfg(target_arch = "x86_64")]
mod element;
mod msm;
mod runs;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod vector;

use ark_bn254::{Fr, g1, g2};
use ark_ec::{AffineRepr, VariableBaseMSM, short_weierstrass::Affine};
use ark_ff::PrimeField;

use crate::path::{Path, path};
use runs::{Run, Runs};

/// A point of G1 or of G2, in affine coordinates.
pub trait Point:
    AffineRepr<ScalarField = Fr, Group: VariableBaseMSM<MulBase = Self>> + sealed::Sums
{
}

impl Point for Affine<g1::Config> {}
impl Point for Affine<g2::Config> {}

mod sealed {
    use super::Run;

    /// Sums of runs of points, on the path that is taken.
    pub trait Sums: Sized {
        fn sum_runs(points: impl Iterator<Item = Self>, runs: &[Run]) -> Vec<Self>;
    }
}

/// Both groups differ in how many parts a coordinate has.
macro_rules! sums {
    ($point:ty, $parts:literal) => {
        impl sealed::Sums for $point {
            fn sum_runs(points: impl Iterator<Item = Self>, runs: &[Run]) -> Vec<Self> {
                match path() {
                    #[cfg(target_arch = "x86_64")]
                    Path::Vector => vector::sum_runs::<Self, $parts>(points, runs),
                    _ => scalar::sum_runs(points, runs),
                }
            }
        }
    };
}
sums!(Affine<g1::Config>, 1);
sums!(Affine<g2::Config>, 2);

/// Bits of a scalar's canonical representative.
const SCALAR_BITS: u32 = Fr::MODULUS_BIT_SIZE;

/// Σ scalars\[i\]·bases\[i\] over the scalars that are given (row order; further bases are not used).
///
/// # Panics
/// If there are more scalars than bases.
pub fn msm<P: Point>(bases: &[P], scalars: &[Fr]) -> P::Group {
    let bases = front(bases, scalars.len());
    msm::msm(bases, scalars, SCALAR_BITS, |s| s.into_bigint().0)
}

/// Σ values\[i\]·bases\[i\] for 32-bit values; the cost follows the bits of the largest.
///
/// # Panics
/// If there are more values than bases.
pub fn msm_u32<P: Point>(bases: &[P], values: &[u32]) -> P::Group {
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
pub fn sum_selected<P: Point>(bases: &[P], rows: &[u32]) -> P {
    Runs::one(rows).sums(bases)[0]
}

/// For every key k < `len` the sum of the bases of the rows that have it: `[G1; len]`, by key.
/// Rows with the key `skip` are left out, and its sum is the identity.
///
/// # Panics
/// If there are more keys than bases, or a key is not below `len`.
#[must_use]
pub fn sums_by_key<P: Point>(bases: &[P], keys: &[u32], len: usize, skip: Option<u32>) -> Vec<P> {
    let bases = front(bases, keys.len());
    let entries = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| Some(**key) != skip)
        .map(|(row, key)| (*key as usize, row, false));
    Runs::sorted(len, entries).sums(bases)
}

fn front<P>(bases: &[P], len: usize) -> &[P] {
    assert!(len <= bases.len(), "more rows than bases");
    &bases[..len]
}

#[cfg(test)]
mod tests;
