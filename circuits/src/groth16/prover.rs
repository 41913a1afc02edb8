//! Proofs: stock Groth16's equations, in three multi-scalar multiplications instead of five.
//!
//! With w the assignment, h of the [`reduction`](super::CircomReduction), and fresh r, s:
//!
//! - A = α + Σ wᵢ·Aᵢ + r·δ in G1, B = β + Σ wᵢ·Bᵢ + s·δ in G2;
//! - C = Σ_witness wᵢ·Lᵢ + Σ hᵢ·Hᵢ + s·A + r·B₁ − rs·δ, where B₁ is B in G1. That is
//!   Σ_witness wᵢ·Lᵢ + Σ hᵢ·Hᵢ + Σ (r·wᵢ)·B₁ᵢ + s·A + r·β: one sum over the points of three.
//!
//! The sums stand one after the other, each on all threads. Side by side they were slower on two
//! cores, because arkworks runs each in a thread pool of its own.

use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;
use ark_std::rand::{CryptoRng, RngCore};
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
    let h = quotient(matrices, assignment)?;
    let a_scalars = key.a.scalars(assignment);
    let b_scalars = key.b.scalars(assignment);
    let mut c_scalars = Zeroizing::new(Vec::with_capacity(key.c.len()));
    c_scalars.extend_from_slice(&h);
    c_scalars.extend_from_slice(&assignment[1 + matrices.publics()..]);
    c_scalars.extend(b_scalars.iter().map(|w| *w * r));

    let vk = key.verifying_key();
    let a = sum(&key.a.points, &a_scalars) + vk.alpha_g1 + key.delta_g1 * r;
    let b = sum(&key.b.points, &b_scalars) + vk.beta_g2 + vk.delta_g2 * s;
    let c = sum(&key.c, &c_scalars) + a * s + key.beta_g1 * r;
    Ok(Proof {
        a: a.into_affine(),
        b: b.into_affine(),
        c: c.into_affine(),
    })
}

/// Checks the assignment and evaluates A·B − C on the coset; as many values as the domain.
fn quotient(matrices: &Matrices, assignment: &[Fr]) -> Result<Zeroizing<Vec<Fr>>, CircuitError> {
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
    let (constraints, inputs) = (matrices.constraints(), 1 + matrices.publics());
    let domain = GeneralEvaluationDomain::<Fr>::new(constraints + inputs)
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let mut a = vec![Fr::ZERO; domain.size()];
    let mut b = vec![Fr::ZERO; domain.size()];
    let (rows_a, rows_b) = (&mut a[..constraints], &mut b[..constraints]);
    if let Some(i) = matrices.evaluate_factors(assignment, rows_a, rows_b) {
        let label = match matrices.label(i) {
            "" => format!("constraint {i}"),
            label => label.to_owned(),
        };
        return Err(CircuitError::Unsatisfied(label));
    }
    a[constraints..constraints + inputs].copy_from_slice(&assignment[..inputs]);
    Ok(Zeroizing::new(coset_quotient(domain, a, b)?))
}

fn sum<P: AffineRepr<ScalarField = Fr>>(points: &[P], scalars: &[Fr]) -> P::Group
where
    P::Group: VariableBaseMSM<MulBase = P>,
{
    P::Group::msm(points, scalars).expect("a key has one point for each scalar")
}
