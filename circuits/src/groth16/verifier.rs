//! Verification of one proof.

use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};

use super::keys::VerifyingKey;
use super::proof::Proof;
use crate::{CircuitError, E, Fr, G1};

/// A verifying key with what all verifications share.
pub struct Prepared {
    key: VerifyingKey,
    alpha_beta: PairingOutput<E>,
    minus_gamma: <E as Pairing>::G2Prepared,
    minus_delta: <E as Pairing>::G2Prepared,
}

impl Prepared {
    /// Computes e(α, β) and the lines of −γ and −δ.
    #[must_use]
    pub fn new(key: VerifyingKey) -> Self {
        Self {
            alpha_beta: E::pairing(key.alpha_g1, key.beta_g2),
            minus_gamma: (-key.gamma_g2).into(),
            minus_delta: (-key.delta_g2).into(),
            key,
        }
    }

    /// The verifying key.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Σ publicsᵢ·gamma_abcᵢ with the constant 1.
    ///
    /// # Errors
    /// [`CircuitError::Length`] unless there is one value for each public input.
    pub fn inputs(&self, publics: &[Fr]) -> Result<G1, CircuitError> {
        let (one, points) = self
            .key
            .gamma_abc
            .split_first()
            .expect("a verifying key holds a point for the constant 1");
        let sum = <E as Pairing>::G1::msm(points, publics).map_err(|_| CircuitError::Length {
            what: "public inputs",
            expected: points.len(),
            got: publics.len(),
        })?;
        Ok((sum + one).into_affine())
    }
}

/// Checks e(A, B) = e(α, β)·e(Σ publicsᵢ·gamma_abcᵢ, γ)·e(C, δ).
///
/// # Errors
/// [`CircuitError::Length`] for a wrong number of public inputs, [`CircuitError::Proof`] where the
/// equation does not hold or A, B or C is the identity.
pub fn verify(key: &Prepared, publics: &[Fr], proof: &Proof) -> Result<(), CircuitError> {
    let inputs = key.inputs(publics)?;
    if proof.a.is_zero() || proof.b.is_zero() || proof.c.is_zero() {
        return Err(CircuitError::Proof("a point of it is the identity"));
    }
    let left = E::multi_pairing(
        [proof.a, inputs, proof.c].map(<E as Pairing>::G1Prepared::from),
        [
            proof.b.into(),
            key.minus_gamma.clone(),
            key.minus_delta.clone(),
        ],
    );
    if left == key.alpha_beta {
        Ok(())
    } else {
        Err(CircuitError::Proof("its equation does not hold"))
    }
}
