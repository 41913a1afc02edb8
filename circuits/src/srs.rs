//! Powers of tau: the reference string of all commitments.
//!
//! `[τ^j]₁` for j ≤ n carries the rows of a chunk at j < n and the blinder at j = n; `[1]₂`, `[τ]₂`
//! and `[τ²]₂` carry the opening. Binding rests on nobody knowing τ (q-DLOG); hiding on τ ≠ 0 alone.

use std::collections::HashSet;
use std::sync::OnceLock;

use ark_bn254::G1Projective;
use ark_ec::pairing::Pairing;
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{Field, UniformRand, Zero};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::encoding::{G1_BYTES, G2_BYTES, g1, g1_bytes, g2, g2_bytes};
use crate::hash::{Transcript, separator};
use galen_field::curve;

use crate::{CircuitError, E, Fr, G1, G2};

/// The fewest rows of a chunk, as a logarithm: below it a mask has too few coefficients.
pub const MIN_LOG_ROWS: u32 = 3;
/// The most rows of a chunk, as a logarithm.
pub const MAX_LOG_ROWS: u32 = 20;
/// Bytes of an uncompressed point of G1 and of G2.
const RAW: (usize, usize) = (64, 128);

/// The prover's string: `[τ^j]₁` for j ≤ n = 2^ν, and `[1]₂`, `[τ]₂`, `[τ²]₂`.
pub struct Srs {
    powers: Vec<G1>,
    g2: [G2; 3],
    total: OnceLock<G1>,
    blinder: OnceLock<BatchMulPreprocessing<G1Projective>>,
}

impl Srs {
    /// A string of 2^`log_rows` rows of a secret that is drawn here and forgotten: for development,
    /// and as the first contribution of a ceremony.
    ///
    /// # Errors
    /// `log_rows` is not within [`MIN_LOG_ROWS`] and [`MAX_LOG_ROWS`].
    pub fn generate(
        log_rows: u32,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, CircuitError> {
        let rows = rows_of(log_rows)?;
        let powers = secret_powers(rows, rng);
        let table = BatchMulPreprocessing::new(G1Projective::generator(), rows + 1);
        let g2 = [0, 1, 2].map(|j| (G2::generator() * powers[j]).into_affine());
        Ok(Self::trusted(table.batch_mul(&powers), g2))
    }

    /// The string of someone else's powers `[τ^j]₁`, j ≤ n, for example those of a ceremony's file.
    ///
    /// # Errors
    /// The number of powers is not 2^ν + 1, or [`Srs::check`] refuses them.
    pub fn from_powers(powers: Vec<G1>, g2: [G2; 3]) -> Result<Self, CircuitError> {
        let log_rows = powers.len().saturating_sub(1).checked_ilog2().unwrap_or(0);
        let expected = rows_of(log_rows)? + 1;
        if powers.len() != expected {
            return Err(CircuitError::Length {
                what: "powers of tau",
                expected,
                got: powers.len(),
            });
        }
        let srs = Self::trusted(powers, g2);
        srs.check()?;
        Ok(srs)
    }

    fn trusted(powers: Vec<G1>, g2: [G2; 3]) -> Self {
        Self {
            powers,
            g2,
            total: OnceLock::new(),
            blinder: OnceLock::new(),
        }
    }

    /// n, the rows of a chunk.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.powers.len() - 1
    }

    /// ν, with n = 2^ν.
    #[must_use]
    pub fn log_rows(&self) -> u32 {
        self.rows().ilog2()
    }

    /// `[τ^j]₁` for j < n: what the rows are committed with.
    pub fn bases(&self) -> &[G1] {
        &self.powers[..self.rows()]
    }

    /// `[τ^j]₁` for j ≤ n: the rows' and the blinder's.
    pub fn powers(&self) -> &[G1] {
        &self.powers
    }

    /// Σ_{j<n} `[τ^j]₁`, computed once.
    pub(crate) fn total(&self) -> G1 {
        *self.total.get_or_init(|| {
            let rows = u32::try_from(self.rows()).expect("rows are at most 2^20");
            curve::sum_selected(self.bases(), &(0..rows).collect::<Vec<_>>())
        })
    }

    /// s·`[τ^n]₁`, from a table that is made once.
    pub(crate) fn blinder(&self, s: Fr) -> G1 {
        const PER_TABLE: usize = 1 << 10; // windows of 6 bits, 200 kB
        let table = self
            .blinder
            .get_or_init(|| BatchMulPreprocessing::new(self.powers[self.rows()].into(), PER_TABLE));
        table.batch_mul(&[s])[0]
    }

    /// What a verifier needs of this string.
    #[must_use]
    pub fn verifying(&self) -> VerifyingSrs {
        VerifyingSrs {
            log_rows: self.log_rows(),
            tau_g1: self.powers[1],
            tau_g2: self.g2[1],
            tau2_g2: self.g2[2],
        }
    }

    /// Checks that the string is the powers of one τ over the standard generators, and that no τ^j,
    /// 0 < j ≤ n, is ±1. Three equations: the verifying part's two, and
    /// e(Σ_{j<n} ρ^j·`[τ^{j+1}]₁`, `[1]₂`) = e(Σ_{j<n} ρ^j·`[τ^j]₁`, `[τ]₂`) with ρ hashed from all points
    /// (a false power passes for at most n of the ρ).
    ///
    /// # Errors
    /// [`CircuitError::Srs`], naming the first thing that is wrong.
    pub fn check(&self) -> Result<(), CircuitError> {
        if self.powers[0] != G1::generator() || self.g2[0] != G2::generator() {
            return Err(CircuitError::Srs("it does not begin with the generators"));
        }
        if !self
            .powers
            .par_iter()
            .all(|p| !p.is_zero() && p.is_on_curve())
        {
            return Err(CircuitError::Srs("a power is not a point of the curve"));
        }
        // τ^i = ±τ^j exactly where two have the same abscissa.
        let mut seen = HashSet::with_capacity(self.powers.len());
        if !self.powers.iter().all(|p| seen.insert(p.x)) {
            return Err(CircuitError::Srs("two powers are equal or opposite"));
        }
        self.verifying().check()?;
        let mut transcript = Transcript::new(separator::SRS);
        transcript.bytes(&self.to_bytes());
        let rho = transcript.field();
        let weights: Vec<Fr> = powers_of(rho, Fr::ONE).take(self.rows()).collect();
        let shifted = curve::msm(&self.powers[1..], &weights);
        let straight = curve::msm(self.bases(), &weights);
        if !E::multi_pairing([shifted, -straight], [self.g2[0], self.g2[1]]).is_zero() {
            return Err(CircuitError::Srs("the powers are not consecutive"));
        }
        Ok(())
    }

    /// ν (4 bytes little-endian), then the n + 1 points of G1 and the three of G2, uncompressed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::byte_len(self.rows()));
        out.extend(self.log_rows().to_le_bytes());
        let written = self
            .powers
            .iter()
            .try_for_each(|p| p.serialize_uncompressed(&mut out))
            .and_then(|()| {
                self.g2
                    .iter()
                    .try_for_each(|p| p.serialize_uncompressed(&mut out))
            });
        written.expect("writing to a Vec cannot fail");
        out
    }

    fn byte_len(rows: usize) -> usize {
        4 + (rows + 1) * RAW.0 + 3 * RAW.1
    }

    /// Reads [`Srs::to_bytes`] of a source that is known, say by the bytes' SHA-256: points are not
    /// checked to lie on the curve, nor to be powers of anything.
    ///
    /// # Errors
    /// Wrong length, or a coordinate that is not below the modulus.
    pub fn read_trusted(bytes: &[u8]) -> Result<Self, CircuitError> {
        let refuse = |why| CircuitError::Encoding {
            what: "commitment string",
            why,
        };
        let (head, rest) = bytes.split_first_chunk().ok_or(refuse("too short"))?;
        let rows = rows_of(u32::from_le_bytes(*head))?;
        if bytes.len() != Self::byte_len(rows) {
            return Err(refuse("wrong length"));
        }
        let (in_g1, in_g2) = rest.split_at((rows + 1) * RAW.0);
        let invalid = |_| refuse("a coordinate is not below the modulus");
        let powers = in_g1
            .par_chunks_exact(RAW.0)
            .map(|b| G1::deserialize_uncompressed_unchecked(b).map_err(invalid))
            .collect::<Result<_, _>>()?;
        let mut g2 = [G2::zero(); 3];
        for (point, b) in g2.iter_mut().zip(in_g2.chunks_exact(RAW.1)) {
            *point = G2::deserialize_uncompressed_unchecked(b).map_err(invalid)?;
        }
        Ok(Self::trusted(powers, g2))
    }

    /// Reads [`Srs::to_bytes`] of anyone: canonical bytes of a string that passes [`Srs::check`].
    ///
    /// # Errors
    /// As [`Srs::read_trusted`] and [`Srs::check`], or bytes that are not canonical.
    pub fn read_checked(bytes: &[u8]) -> Result<Self, CircuitError> {
        let srs = Self::read_trusted(bytes)?;
        if srs.to_bytes() != bytes {
            return Err(CircuitError::Encoding {
                what: "commitment string",
                why: "not the canonical encoding",
            });
        }
        srs.check()?;
        Ok(srs)
    }
}

fn rows_of(log_rows: u32) -> Result<usize, CircuitError> {
    if !(MIN_LOG_ROWS..=MAX_LOG_ROWS).contains(&log_rows) {
        return Err(CircuitError::Srs("the number of rows is out of range"));
    }
    Ok(1 << log_rows)
}

/// start, start·x, start·x², …
fn powers_of(x: Fr, start: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(start), move |last| Some(*last * x))
}

/// τ^j, j ≤ n, of a τ that is drawn here; drawn again if one of them is ±1 or 0.
fn secret_powers(rows: usize, rng: &mut (impl RngCore + CryptoRng)) -> Zeroizing<Vec<Fr>> {
    loop {
        let tau = Zeroizing::new(Fr::rand(rng));
        let mut powers = Zeroizing::new(Vec::with_capacity(rows + 1));
        powers.extend(powers_of(*tau, Fr::ONE).take(rows + 1));
        if powers[1..]
            .iter()
            .all(|p| !p.is_zero() && p.square() != Fr::ONE)
        {
            return powers;
        }
    }
}

/// The verifier's part of a string: ν, `[τ]₁`, `[τ]₂`, `[τ²]₂`. The generators are the standard ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingSrs {
    /// ν, with 2^ν rows a chunk.
    pub log_rows: u32,
    /// `[τ]₁`.
    pub tau_g1: G1,
    /// `[τ]₂`.
    pub tau_g2: G2,
    /// `[τ²]₂`.
    pub tau2_g2: G2,
}

impl VerifyingSrs {
    /// Bytes of the canonical encoding.
    pub const BYTES: usize = 4 + G1_BYTES + 2 * G2_BYTES;

    /// ν (4 bytes little-endian), then the three points, compressed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        let (log_rows, points) = out.split_at_mut(4);
        log_rows.copy_from_slice(&self.log_rows.to_le_bytes());
        let (in_g1, in_g2) = points.split_at_mut(G1_BYTES);
        in_g1.copy_from_slice(&g1_bytes(&self.tau_g1));
        in_g2[..G2_BYTES].copy_from_slice(&g2_bytes(&self.tau_g2));
        in_g2[G2_BYTES..].copy_from_slice(&g2_bytes(&self.tau2_g2));
        out
    }

    /// Reads [`VerifyingSrs::to_bytes`] of anyone, and checks it.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a string that [`VerifyingSrs::check`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CircuitError> {
        if bytes.len() != Self::BYTES {
            return Err(CircuitError::Encoding {
                what: "verifying string",
                why: "wrong length",
            });
        }
        let (head, points) = bytes.split_first_chunk().expect("the length was checked");
        let (in_g1, in_g2) = points.split_at(G1_BYTES);
        let srs = Self {
            log_rows: u32::from_le_bytes(*head),
            tau_g1: g1(in_g1, "[tau]_1")?,
            tau_g2: g2(&in_g2[..G2_BYTES], "[tau]_2")?,
            tau2_g2: g2(&in_g2[G2_BYTES..], "[tau^2]_2")?,
        };
        srs.check()?;
        Ok(srs)
    }

    /// Checks that the points are of the curves and subgroups, that τ is neither 0 nor ±1, and
    /// e(`[τ]₁`, `[1]₂`) = e(`[1]₁`, `[τ]₂`) and e(`[τ]₁`, `[τ]₂`) = e(`[1]₁`, `[τ²]₂`).
    ///
    /// # Errors
    /// [`CircuitError::Srs`], naming the first thing that is wrong.
    pub fn check(&self) -> Result<(), CircuitError> {
        rows_of(self.log_rows)?;
        let (one_g1, one_g2) = (G1::generator(), G2::generator());
        let in_g2 = [self.tau_g2, self.tau2_g2];
        let valid = self.tau_g1.is_on_curve()
            && in_g2
                .iter()
                .all(|p| p.is_on_curve() && p.is_in_correct_subgroup_assuming_on_curve());
        if !valid {
            return Err(CircuitError::Srs("a point is not of its group"));
        }
        if self.tau_g1.is_zero() || self.tau_g1.x == one_g1.x {
            return Err(CircuitError::Srs("the secret is 0, 1 or -1"));
        }
        let same = |a: G1, b: G2, c: G1, d: G2| E::multi_pairing([a, -c], [b, d]).is_zero();
        if !same(self.tau_g1, one_g2, one_g1, self.tau_g2) {
            return Err(CircuitError::Srs("G1 and G2 are of different secrets"));
        }
        if !same(self.tau_g1, self.tau_g2, one_g1, self.tau2_g2) {
            return Err(CircuitError::Srs(
                "the third point of G2 is not of the square",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
