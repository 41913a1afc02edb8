//! Column commitments: Commit(v; s) = Σ_{j<n} v_j·`[τ^j]₁` + s·`[τ^n]₁`, a point per chunk of n rows.
//!
//! Perfectly hiding (s is uniform and `[τ^n]₁` a generator), binding under q-DLOG (two openings of a
//! point give a polynomial with root τ), and linear: Commit(v; s) + λ·Commit(v′; s′) =
//! Commit(v + λv′; s + λs′). Columns shorter than n are padded with 0, and the same column gives the
//! same point by whichever function it is committed.
//!
//! *Sums by value*: B\[x\] = Σ_{i: v_i = x} `[τ^i]₁`. Every column that is a function of v is then
//! committed by as many terms as v has values, whatever the rows: a predicate's bits by a subset sum
//! of B, a lookup's reciprocals by an MSM over B. B fixes the column it was made of, without any
//! blinder: it stays with the hospital.

use std::fmt;

use ark_bn254::G1Projective;
use ark_ec::CurveGroup;
use ark_ff::UniformRand;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::rngs::OsRng;
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::srs::Srs;
use galen_field::curve;

use crate::{CircuitError, Fr, G1};

/// Bytes of an uncompressed point.
const UNCOMPRESSED: usize = 64;

/// The blinder s of one commitment: fresh for each column and chunk, and for derived columns for each
/// attempt at a proof (a reused one lets differences of commitments be guessed).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Blinding(Fr);

impl Blinding {
    /// A blinder from the operating system's generator.
    #[must_use]
    pub fn fresh() -> Self {
        Self::random(&mut OsRng)
    }

    /// A blinder from `rng`.
    pub(crate) fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(Fr::rand(rng))
    }

    /// The scalar itself, for the coefficient of X^n in what is opened, or for the hospital's store.
    #[must_use]
    pub fn expose(&self) -> Fr {
        self.0
    }

    /// The blinder that was [exposed](Blinding::expose) to the hospital's store.
    #[must_use]
    pub fn restore(s: Fr) -> Self {
        Self(s)
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(..)")
    }
}

/// Commits at most n scalars in row order.
///
/// # Errors
/// More values than rows.
pub fn commit(srs: &Srs, values: &[Fr], blinding: &Blinding) -> Result<G1, CircuitError> {
    at_most("rows of a chunk", srs.rows(), values.len())?;
    Ok(blind(srs, curve::msm(srs.bases(), values), blinding))
}

/// Commits at most n numbers of 32 bits in row order; small ones cost little.
///
/// # Errors
/// More values than rows.
pub fn commit_numbers(srs: &Srs, values: &[u32], blinding: &Blinding) -> Result<G1, CircuitError> {
    at_most("rows of a chunk", srs.rows(), values.len())?;
    Ok(blind(srs, curve::msm_u32(srs.bases(), values), blinding))
}

/// Commits at most n bits in row order.
///
/// # Errors
/// More values than rows.
pub fn commit_bits(srs: &Srs, bits: &[bool], blinding: &Blinding) -> Result<G1, CircuitError> {
    at_most("rows of a chunk", srs.rows(), bits.len())?;
    let sum = subset_sum(srs.bases(), bits, srs.total());
    Ok(blind(srs, sum, blinding))
}

/// Σ of the points whose bit is 1 (missing bits are 0), over the bits or over their complement.
fn subset_sum(points: &[G1], bits: &[bool], total: G1) -> G1Projective {
    let ones = bits.iter().filter(|bit| **bit).count();
    let complement = 2 * ones > points.len();
    let rows: Vec<u32> = (0..points.len())
        .filter(|row| bits.get(*row).copied().unwrap_or(false) != complement)
        .map(index)
        .collect();
    let sum = curve::sum_selected(points, &rows);
    if complement { total - sum } else { sum.into() }
}

/// Adds s·`[τ^n]₁` to the sum over the rows.
pub(crate) fn blind(srs: &Srs, sum: G1Projective, blinding: &Blinding) -> G1 {
    (sum + srs.blinder(blinding.0)).into_affine()
}

fn index(row: usize) -> u32 {
    u32::try_from(row).expect("rows and keys are fewer than 2^31")
}

fn at_most(what: &'static str, expected: usize, got: usize) -> Result<(), CircuitError> {
    if got > expected {
        return Err(CircuitError::Length {
            what,
            expected,
            got,
        });
    }
    Ok(())
}

/// B\[x\] = Σ_{i: key_i = x} `[τ^i]₁` of one column and chunk, by key. Rows beyond the column are
/// padding and have the key 0.
pub struct SumsByValue {
    sums: Vec<G1>,
}

impl SumsByValue {
    /// The sums of a column of at most n keys, each below `len` ≥ 1.
    ///
    /// # Errors
    /// More keys than rows, or a key that is not below `len`.
    pub fn of(srs: &Srs, keys: &[u32], len: usize) -> Result<Self, CircuitError> {
        at_most("rows of a chunk", srs.rows(), keys.len())?;
        let largest = keys.iter().max().map_or(0, |key| *key as usize);
        at_most("values of a column", len, largest + 1)?;
        let padding = srs.rows() - keys.len();
        let mut counts = vec![0; len];
        counts[0] = padding;
        for key in keys {
            counts[*key as usize] += 1;
        }
        // The commonest key's sum is what the others leave of the sum of all bases: that is taken
        // where it saves additions, which is always so where padding prevails.
        let present = counts.iter().filter(|count| **count > 0).count();
        let common = (0..len).max_by_key(|key| counts[*key]).unwrap_or(0);
        let skip = (counts[common] > present).then_some(common);
        let mut sums = curve::sums_by_key(srs.bases(), keys, len, skip.map(index));
        if skip != Some(0) && padding > 0 {
            let rows: Vec<u32> = (index(keys.len())..index(srs.rows())).collect();
            sums[0] = (sums[0] + curve::sum_selected(srs.bases(), &rows)).into_affine();
        }
        if let Some(common) = skip {
            let all: Vec<u32> = (0..index(len)).collect();
            sums[common] = (srs.total() - curve::sum_selected(&sums, &all)).into_affine();
        }
        Ok(Self { sums })
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether there are no keys; there is always one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Commits the column of bits that is `bits[key]` in a row with that key, `[bool; len]`.
    ///
    /// # Errors
    /// Not as many bits as keys.
    pub fn select(
        &self,
        srs: &Srs,
        bits: &[bool],
        blinding: &Blinding,
    ) -> Result<G1, CircuitError> {
        self.one_each(bits.len())?;
        let sum = subset_sum(&self.sums, bits, srs.total());
        Ok(blind(srs, sum, blinding))
    }

    /// Commits the column that is `scalars[key]` in a row with that key, `[Fr; len]`.
    ///
    /// # Errors
    /// Not as many scalars as keys.
    pub fn combine(
        &self,
        srs: &Srs,
        scalars: &[Fr],
        blinding: &Blinding,
    ) -> Result<G1, CircuitError> {
        self.one_each(scalars.len())?;
        Ok(blind(srs, curve::msm(&self.sums, scalars), blinding))
    }

    /// The points uncompressed, for [`SumsByValue::read_trusted`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.sums.len() * UNCOMPRESSED);
        for point in &self.sums {
            point
                .serialize_uncompressed(&mut out)
                .expect("writing to a Vec cannot fail");
        }
        out
    }

    /// Reads sums **that are known to be what [`SumsByValue::to_bytes`] wrote**, because a digest was compared: no
    /// point is checked.
    ///
    /// # Errors
    /// No points, or bytes that are none.
    pub fn read_trusted(bytes: &[u8]) -> Result<Self, CircuitError> {
        let refuse = CircuitError::Encoding {
            what: "sums by value",
            why: "not a list of points",
        };
        if bytes.is_empty() || !bytes.len().is_multiple_of(UNCOMPRESSED) {
            return Err(refuse);
        }
        let points = bytes.chunks_exact(UNCOMPRESSED);
        let sums = points
            .map(G1::deserialize_uncompressed_unchecked)
            .collect::<Result<_, _>>()
            .map_err(|_| refuse)?;
        Ok(Self { sums })
    }

    fn one_each(&self, got: usize) -> Result<(), CircuitError> {
        if got != self.sums.len() {
            return Err(CircuitError::Length {
                what: "values of a column",
                expected: self.sums.len(),
                got,
            });
        }
        Ok(())
    }
}

impl fmt::Debug for SumsByValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SumsByValue({} keys, ..)", self.sums.len())
    }
}

#[cfg(test)]
mod tests;
