//! The opening: one committed polynomial's inner product with eq(r, ·), in 160 bytes.
//!
//! # The identity
//! f(X) = Σ_{i≤n} f_i X^i has the rows at i < n and the blinder at n, C = `[f(τ)]₁`. For r ∈ F^ν
//! (r_j belongs to bit j of the row number) let
//!
//! e(X) = Π_{j<ν}((1 − r_j) + r_j X^{2^j}) = Σ_{i<n} eq(r, i) X^i.
//!
//! The constant coefficient of f(X)·e(1/X) is Σ_{i<n} f_i·eq(r, i) = y, the evaluation of the rows'
//! multilinear extension at r. That of f(1/X)·e(X) is the same: the Laurent polynomial
//! h(X) = f(X)e(1/X) + f(1/X)e(X) does not change under X → 1/X. So with S(X) = Σ_{k=1}^{n} h_k X^{k−1}
//!
//! (1)  f(X)e(1/X) + f(1/X)e(X) = 2y + X·S(X) + X⁻¹·S(1/X),
//!
//! and conversely (1) for *any* polynomial S implies Σ f_i·eq(r, i) = y: X·S(X) has only positive
//! exponents and X⁻¹·S(1/X) only negative ones, so that the constant coefficients are 2Σ f_i·eq(r, i)
//! and 2y, and 2 ≠ 0. No degree is checked: coefficients of S beyond n − 1 cannot reach the constant
//! one, and those of f from n on (the blinder, or more on a longer string) meet zeros of e.
//!
//! # The protocol (compare Mercury, eprint 2025/385, section 4)
//! The prover sends `[S(τ)]₁`; challenge z; it sends f(z), f(1/z), S(z). Both sides of (1) at z give the
//! verifier
//!
//! (2)  S(1/z) = z·(f(z)e(1/z) + f(1/z)e(z) − 2y − z·S(z)),
//!
//! which is therefore never sent: claiming it, (1) holds at z, and (1) fails as an identity for at
//! most 2(D + 1) of the z, D the degree of f and S. What is left is that f and S have these values:
//! challenge η, g = f + ηS, and with the line ℓ through (z, g(z)) and (1/z, g(1/z))
//!
//! W(X) = (g(X) − ℓ(X)) / ((X − z)(X − 1/z)),   (X − z)(X − 1/z) = X² − (z + 1/z)X + 1,
//!
//! is a polynomial exactly if both values of g are right; a false value of f or S survives in g for
//! one η at most (two claims at each point, linear in η). The verifier checks it at τ:
//!
//! (3)  e(C + η`[S]` − `[ℓ(τ)]` − W, `[1]₂`) · e((z + 1/z)W, `[τ]₂`) · e(−W, `[τ²]₂`) = 1.
//!
//! In the algebraic group model the prover's points are combinations of the string's, so that a false
//! W gives a non-zero polynomial with root τ.
//!
//! z = 0 has no inverse. At z = ±1 the two points are one: ℓ is not determined, and (3) would speak of
//! a derivative instead of a second value. Both sides therefore hash again on 0, 1 and −1.
//!
//! # Transcript
//! The seed has absorbed all that fixes f and r: α₀, α₁ and the circuit's other public inputs, which
//! determine C too, so that the point itself need not be computed first. Then come the label
//! [`separator::OPENING`], ν (number), r_0 … r_{ν−1}, y, S. z is the hash of that and a counter (number)
//! 0, 1, … with the first that is not refused; then follow that counter, f(z), f(1/z), S(z), and η is
//! the hash of all.
//!
//! # Zero knowledge
//! Not of this module alone: f must carry a [mask](crate::mask).

use ark_bn254::G1Projective;
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, Zero};

use crate::encoding::{G1_BYTES, g1, g1_bytes};
use crate::hash::{Transcript, separator};
use crate::srs::VerifyingSrs;
use galen_field::curve;

use crate::{CircuitError, E, Fr, G1, G2};

mod prover;
pub mod row;

pub use prover::open;

/// Bytes of a scalar.
const SCALAR_BYTES: usize = 32;

/// What is sent of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// `[S(τ)]₁`.
    pub s: G1,
    /// `[W(τ)]₁`.
    pub w: G1,
    /// f(z).
    pub f_z: Fr,
    /// f(1/z).
    pub f_zi: Fr,
    /// S(z).
    pub s_z: Fr,
}

impl Opening {
    /// Bytes of an opening.
    pub const BYTES: usize = 2 * G1_BYTES + 3 * SCALAR_BYTES;

    /// S and W compressed, then f(z), f(1/z), S(z) in 32 bytes little-endian each.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        let scalars = [self.f_z, self.f_zi, self.s_z].map(|x| scalar_bytes(&x));
        let parts = [g1_bytes(&self.s), g1_bytes(&self.w)];
        for (to, from) in out
            .chunks_exact_mut(G1_BYTES)
            .zip(parts.iter().chain(&scalars))
        {
            to.copy_from_slice(from);
        }
        out
    }

    /// Reads [`Opening::to_bytes`] of anyone.
    ///
    /// # Errors
    /// Wrong length, a point that is not canonical, off the curve or the identity, or a scalar that is
    /// not below the modulus.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CircuitError> {
        if bytes.len() != Self::BYTES {
            return Err(CircuitError::Encoding {
                what: "opening",
                why: "wrong length",
            });
        }
        let part = |i: usize| &bytes[i * G1_BYTES..(i + 1) * G1_BYTES];
        Ok(Self {
            s: g1(part(0), "opening: S")?,
            w: g1(part(1), "opening: W")?,
            f_z: scalar(part(2), "opening: f(z)")?,
            f_zi: scalar(part(3), "opening: f(1/z)")?,
            s_z: scalar(part(4), "opening: S(z)")?,
        })
    }
}

fn scalar_bytes(x: &Fr) -> [u8; SCALAR_BYTES] {
    use ark_serialize::CanonicalSerialize;
    let mut out = [0; SCALAR_BYTES];
    x.serialize_compressed(&mut out[..])
        .expect("32 bytes hold a scalar");
    out
}

fn scalar(bytes: &[u8], what: &'static str) -> Result<Fr, CircuitError> {
    use ark_serialize::CanonicalDeserialize;
    Fr::deserialize_compressed(bytes).map_err(|_| CircuitError::Encoding {
        what,
        why: "a scalar is not below the modulus",
    })
}

/// The challenges of one opening as they arise.
struct Challenges(Transcript);

impl Challenges {
    /// After the statement: the point and the claimed value.
    fn new(seed: &Transcript, r_low: &[Fr], y: Fr) -> Self {
        let mut transcript = seed.clone();
        transcript.bytes(separator::OPENING.as_bytes());
        transcript.number(r_low.len() as u64);
        for r in r_low {
            transcript.canonical(r);
        }
        transcript.canonical(&y);
        Self(transcript)
    }

    /// z and 1/z after S.
    fn z(&mut self, s: &G1) -> (Fr, Fr) {
        self.0.canonical(s);
        let (attempt, z, zi) = first_usable(|attempt| self.0.clone().number(attempt).field());
        self.0.number(attempt);
        (z, zi)
    }

    /// η after the values.
    fn eta(&mut self, f_z: Fr, f_zi: Fr, s_z: Fr) -> Fr {
        self.0.canonical(&f_z).canonical(&f_zi).canonical(&s_z);
        self.0.field()
    }
}

/// The first attempt, from 0 on, that gives a z with 1/z ≠ z, and both.
fn first_usable(z: impl Fn(u64) -> Fr) -> (u64, Fr, Fr) {
    (0..)
        .find_map(|attempt| {
            let z = z(attempt);
            let zi = z.inverse().filter(|zi| *zi != z)?;
            Some((attempt, z, zi))
        })
        .expect("all scalars but 0, 1 and -1 are usable")
}

/// e(x) = Π_{j<ν}((1 − r_j) + r_j x^{2^j}).
fn eq_polynomial(r_low: &[Fr], x: Fr) -> Fr {
    let mut power = x;
    let mut product = Fr::ONE;
    for r in r_low {
        product *= Fr::ONE + *r * (power - Fr::ONE);
        power.square_in_place();
    }
    product
}

/// Equation (3) as the points to be paired with `[1]₂`, `[τ]₂` and `[τ²]₂`, each a list of
/// (scalar, point): the opening holds if the product of the three pairings is 1. Several openings'
/// terms, weighted, can be merged into three sums.
#[derive(Clone, Debug)]
pub struct PairingTerms {
    /// To be paired with `[1]₂`, besides C*: S, W, `[1]₁` and `[τ]₁`, in this order.
    pub one: Vec<(Fr, G1)>,
    /// To be paired with `[τ]₂`: W.
    pub tau: Vec<(Fr, G1)>,
    /// To be paired with `[τ²]₂`: W.
    pub tau2: Vec<(Fr, G1)>,
}

/// Reduces an opening of a commitment C* to y at `r_low`, `[Fr; ν]`, to a pairing equation; `seed` is what
/// the prover's was, and has fixed C*: that point itself enters only the equation, so that a batch need not
/// compute it.
///
/// # Errors
/// Not ν variables, or the identity as a point.
pub fn reduce(
    srs: &VerifyingSrs,
    opening: &Opening,
    seed: &Transcript,
    r_low: &[Fr],
    y: Fr,
) -> Result<PairingTerms, CircuitError> {
    variables(srs.log_rows, r_low)?;
    if [&opening.s, &opening.w].iter().any(|p| p.is_zero()) {
        return Err(CircuitError::Opening("a point is the identity"));
    }
    let mut challenges = Challenges::new(seed, r_low, y);
    let (z, zi) = challenges.z(&opening.s);
    let Opening { f_z, f_zi, s_z, .. } = *opening;
    let eta = challenges.eta(f_z, f_zi, s_z);
    // (2)
    let cross = f_z * eq_polynomial(r_low, zi) + f_zi * eq_polynomial(r_low, z);
    let s_zi = z * (cross - y.double() - z * s_z);
    // ℓ(X) = at_zero + slope·X through g at z and 1/z.
    let (g_z, g_zi) = (f_z + eta * s_z, f_zi + eta * s_zi);
    let slope = (g_z - g_zi) * (z - zi).inverse().expect("z is not its own inverse");
    let at_zero = g_z - slope * z;
    // (3)
    let (s, w) = (opening.s, opening.w);
    Ok(PairingTerms {
        one: vec![
            (eta, s),
            (-Fr::ONE, w),
            (-at_zero, G1::generator()),
            (-slope, srs.tau_g1),
        ],
        tau: vec![(z + zi, w)],
        tau2: vec![(-Fr::ONE, w)],
    })
}

/// Verifies one opening; arguments as in [`reduce`], and C* = `c_star`.
///
/// # Errors
/// As [`reduce`], or [`CircuitError::Opening`] if the equation does not hold.
pub fn verify(
    srs: &VerifyingSrs,
    opening: &Opening,
    seed: &Transcript,
    r_low: &[Fr],
    y: Fr,
    c_star: &G1,
) -> Result<(), CircuitError> {
    if c_star.is_zero() {
        return Err(CircuitError::Opening("a point is the identity"));
    }
    let mut terms = reduce(srs, opening, seed, r_low, y)?;
    terms.one.push((Fr::ONE, *c_star));
    let sums = [&terms.one, &terms.tau, &terms.tau2].map(|terms| {
        let (scalars, points): (Vec<Fr>, Vec<G1>) = terms.iter().copied().unzip();
        curve::msm(&points, &scalars)
    });
    let sums = G1Projective::normalize_batch(&sums);
    let in_g2 = [G2::generator(), srs.tau_g2, srs.tau2_g2];
    if !E::multi_pairing(sums, in_g2).is_zero() {
        return Err(CircuitError::Opening("the pairing equation does not hold"));
    }
    Ok(())
}

fn variables(log_rows: u32, r_low: &[Fr]) -> Result<(), CircuitError> {
    if r_low.len() != log_rows as usize {
        return Err(CircuitError::Length {
            what: "variables of a row",
            expected: log_rows as usize,
            got: r_low.len(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
