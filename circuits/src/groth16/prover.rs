//! Proofs: stock Groth16's equations, in three multi-scalar multiplications instead of five.
//!
//! With w the assignment, h of the [`reduction`](super::CircomReduction), and fresh r, s:
//!
//! - A = α + Σ wᵢ·Aᵢ + r·δ in G1, B = β + Σ wᵢ·Bᵢ + s·δ in G2;
//! - C = Σ_witness wᵢ·Lᵢ + Σ hᵢ·Hᵢ + s·A + r·B₁ − rs·δ, where B₁ is B in G1. That is
//!   Σ_witness wᵢ·Lᵢ + Σ hᵢ·Hᵢ + Σ (r·wᵢ)·B₁ᵢ + s·A + r·β: one sum over the points of three.
//!
//! B is summed beside the rest, which is as much work.

use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, FftField, Field, UniformRand};
use ark_relations::gr1cs::SynthesisError;
use ark_std::rand::{CryptoRng, RngCore};
use galen_field::{
    curve::{self, Point},
    fft,
};
use zeroize::Zeroizing;

use super::keys::ProvingKey;
use super::proof::Proof;
use super::reduction::coset_quotient;
use crate::r1cs::Matrices;
use crate::{CircuitError, Fr};

/// Proves that an assignment (1, public inputs, witness) satisfies the key's circuit.
///
/// Every constraint is checked first, in release builds too: the reduction takes C = A·B for
/// granted, and a proof of a false statement would be discovered only where it is verified.
///
/// # Errors
/// [`CircuitError::Length`] for an assignment of another circuit; [`CircuitError::Unsatisfied`]
/// with the label of the first constraint that fails.
pub fn prove(
    key: &ProvingKey,
    assignment: &[Fr],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, CircuitError> {
    let blinding = Zeroizing::new([Fr::rand(rng), Fr::rand(rng)]);
    prove_with(key, assignment, &blinding)
}

pub(super) fn prove_with(
    key: &ProvingKey,
    assignment: &[Fr],
    [r, s]: &[Fr; 2],
) -> Result<Proof, CircuitError> {
    let matrices = key.matrices();
    if assignment.len() != matrices.variables() {
        return Err(CircuitError::Length {
            what: "assignment",
            expected: matrices.variables(),
            got: assignment.len(),
        });
    }
    if assignment[0] != Fr::ONE {
        return Err(CircuitError::Unsatisfied("variable 0 is 1".into()));
    }
    let b_scalars = key.b.scalars(assignment);
    let vk = key.verifying_key();
    let (b, others) = rayon::join(
        || sum(&key.b.points, &b_scalars) + vk.beta_g2 + vk.delta_g2 * s,
        || {
            let h = quotient(matrices, assignment)?;
            let mut c_scalars = Zeroizing::new(Vec::with_capacity(key.c.len()));
            c_scalars.extend_from_slice(&h);
            c_scalars.extend_from_slice(&assignment[1 + matrices.publics()..]);
            c_scalars.extend(b_scalars.iter().map(|w| *w * r));
            let a_scalars = key.a.scalars(assignment);
            let a = sum(&key.a.points, &a_scalars) + vk.alpha_g1 + key.delta_g1 * r;
            let c = sum(&key.c, &c_scalars) + a * s + key.beta_g1 * r;
            Ok::<_, CircuitError>((a, c))
        },
    );
    let (a, c) = others?;
    Ok(Proof {
        a: a.into_affine(),
        b: b.into_affine(),
        c: c.into_affine(),
    })
}

/// Checks the assignment and evaluates A·B − C on the coset; as many values as the domain.
fn quotient(matrices: &Matrices, assignment: &[Fr]) -> Result<Zeroizing<Vec<Fr>>, CircuitError> {
    let (constraints, inputs) = (matrices.constraints(), 1 + matrices.publics());
    let size = (constraints + inputs).next_power_of_two();
    if size.trailing_zeros() >= Fr::TWO_ADICITY {
        return Err(SynthesisError::PolynomialDegreeTooLarge.into());
    }
    let (mut a, mut b) = (vec![Fr::ZERO; size], vec![Fr::ZERO; size]);
    let (rows_a, rows_b) = (&mut a[..constraints], &mut b[..constraints]);
    if let Some(i) = matrices.evaluate_factors(assignment, rows_a, rows_b) {
        let label = match matrices.label(i) {
            "" => format!("constraint {i}"),
            label => label.to_owned(),
        };
        return Err(CircuitError::Unsatisfied(label));
    }
    a[constraints..constraints + inputs].copy_from_slice(&assignment[..inputs]);
    Ok(Zeroizing::new(coset_quotient(a, b, fft::to_coset)))
}

/// Σ scalars\[i\]·points\[i\].
fn sum<P: Point>(points: &[P], scalars: &[Fr]) -> P::Group {
    let same = points.len() == scalars.len();
    assert!(same, "a key has one point for each scalar");
    curve::msm(points, scalars)
}
