//! The structured reference string of the column commitments (`docs/spec/commitments.md`).

use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, scalar_mul::BatchMulPreprocessing};
use ark_ff::{Field, One, UniformRand, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::Zeroize;

use crate::{Fr, G1, G2};

/// The commitment domain for columns of `n` rows: the power of two N ≥ n + 1.
///
/// # Panics
/// When n + 1 exceeds 2^28, the two-adicity of the field.
#[must_use]
pub fn commitment_domain(n: usize) -> Radix2EvaluationDomain<Fr> {
    Radix2EvaluationDomain::new(n + 1).expect("shapes are far below 2^28 rows")
}

/// What a prover needs to commit and to open.
#[derive(Clone, CanonicalSerialize, CanonicalDeserialize)]
pub struct Srs {
    /// gᵢ = [Lᵢ(τ)]₁ for i < n.
    pub lagrange: Vec<G1>,
    /// h = [τᴺ − 1]₁.
    pub blinding: G1,
    /// [τʲ]₁ for j ≤ N.
    pub powers: Vec<G1>,
    /// What a verifier needs.
    pub verifying: VerifyingSrs,
}

/// What a verifier needs: prefix sums of the gᵢ and [τ]₂.
#[derive(Debug, Clone, CanonicalSerialize, CanonicalDeserialize)]
pub struct VerifyingSrs {
    /// `prefix[i]` = Σ_{j<i} gⱼ for i ≤ n: the commitments to `present`; the last one is `ones`.
    pub prefix: Vec<G1>,
    /// [τ]₂.
    pub tau_g2: G2,
}

/// τ, the secret of a setup. Whoever knows it can open a commitment to anything.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct Tau(pub(crate) Fr);

impl Tau {
    /// Draws τ outside the commitment domain of `n` rows.
    pub fn draw(n: usize, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let domain = commitment_domain(n);
        loop {
            let tau = Fr::rand(rng);
            if !domain.evaluate_vanishing_polynomial(tau).is_zero() {
                return Self(tau);
            }
        }
    }
}

impl std::fmt::Debug for Tau {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tau(redacted)")
    }
}

impl Srs {
    /// Derives the string for columns of `n` rows from τ.
    #[must_use]
    pub fn generate(n: usize, tau: &Tau) -> Self {
        let domain = commitment_domain(n);
        let size = domain.size();
        let lagrange_scalars = &domain.evaluate_all_lagrange_coefficients(tau.0)[..n];
        let powers_scalars: Vec<Fr> = std::iter::successors(Some(Fr::one()), |p| Some(*p * tau.0))
            .take(size + 1)
            .collect();
        let table = BatchMulPreprocessing::new(ark_bn254::G1Projective::generator(), 2 * size + 2);
        let lagrange = table.batch_mul(lagrange_scalars);
        let vanishing = tau.0.pow([size as u64]) - Fr::one();
        Self {
            verifying: VerifyingSrs {
                prefix: prefix_sums(&lagrange),
                tau_g2: (G2::generator() * tau.0).into_affine(),
            },
            blinding: (G1::generator() * vanishing).into_affine(),
            powers: table.batch_mul(&powers_scalars),
            lagrange,
        }
    }

    /// Rows of a column.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lagrange.len()
    }
}

impl VerifyingSrs {
    /// Rows of a column.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.prefix.len().saturating_sub(1)
    }

    /// The commitment to the column that is 1 in every row, with blinding 0.
    ///
    /// # Panics
    /// On a string without the prefix sums, which no constructor makes.
    pub fn ones(&self) -> G1 {
        *self
            .prefix
            .last()
            .expect("prefix sums start with the identity")
    }

    /// The commitment to 1 in the first `rows` rows and 0 after them, with blinding 0.
    #[must_use]
    pub fn present(&self, rows: usize) -> Option<G1> {
        self.prefix.get(rows).copied()
    }
}

/// `out[i]` = Σ_{j<i} points[j], one longer than `points`.
pub(crate) fn prefix_sums(points: &[G1]) -> Vec<G1> {
    let mut sum = ark_bn254::G1Projective::zero();
    let mut sums = Vec::with_capacity(points.len() + 1);
    sums.push(sum);
    for p in points {
        sum += p;
        sums.push(sum);
    }
    ark_bn254::G1Projective::normalize_batch(&sums)
}
