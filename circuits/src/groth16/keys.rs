//! Proving and verifying keys: making them, writing and reading them.

use std::io::{Read, Write};

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_groth16::Groth16;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, SerializationError};
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use super::CircomReduction;
use crate::encoding::{self, G1_BYTES, G2_BYTES};
use crate::r1cs::{Matrices, Side};
use crate::{CircuitError, E, Fr, G1, G2};

/// What a verifier needs of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// `[α]₁`.
    pub alpha_g1: G1,
    /// `[β]₂`.
    pub beta_g2: G2,
    /// `[γ]₂`.
    pub gamma_g2: G2,
    /// `[δ]₂`.
    pub delta_g2: G2,
    /// `[(β·Aᵢ(τ) + α·Bᵢ(τ) + Cᵢ(τ))/γ]₁` of the constant 1 and of each public input.
    pub gamma_abc: Vec<G1>,
}

/// What a prover needs of a circuit: its points, without those at infinity, and its matrices.
pub struct ProvingKey {
    verifying: VerifyingKey,
    matrices: Matrices,
    /// `[β]₁` and `[δ]₁`.
    pub(super) beta_g1: G1,
    pub(super) delta_g1: G1,
    /// `[Aᵢ(τ)]₁`.
    pub(super) a: Query<G1>,
    /// `[Bᵢ(τ)]₂`.
    pub(super) b: Query<G2>,
    /// The points of C: H of each point of the domain, L of each variable of the witness,
    /// `[Bᵢ(τ)]₁` of the variables of `b`.
    pub(super) c: Vec<G1>,
}

/// The points that are not the identity, each with its variable, ascending.
#[derive(CanonicalSerialize, CanonicalDeserialize)]
pub(super) struct Query<P: AffineRepr> {
    pub(super) points: Vec<P>,
    variables: Vec<u32>,
}

impl<P: AffineRepr<ScalarField = Fr>> Query<P> {
    fn new(points: &[P]) -> Self {
        let (variables, points) = (0u32..).zip(points).filter(|(_, p)| !p.is_zero()).unzip();
        Self { points, variables }
    }

    /// The values of the query's variables, in its order.
    pub(super) fn scalars(&self, assignment: &[Fr]) -> Zeroizing<Vec<Fr>> {
        let values = self.variables.iter().map(|v| assignment[*v as usize]);
        Zeroizing::new(values.collect())
    }
}

impl VerifyingKey {
    /// Bytes of a key without public inputs.
    const FIXED_BYTES: usize = G1_BYTES + 3 * G2_BYTES + G1_BYTES;

    /// Public inputs, without the constant 1.
    #[must_use]
    pub fn publics(&self) -> usize {
        self.gamma_abc.len() - 1
    }

    /// Bytes of the key of a circuit with so many public inputs.
    #[must_use]
    pub fn length(publics: usize) -> usize {
        Self::FIXED_BYTES + G1_BYTES * publics
    }

    /// The canonical encoding: α, β, γ, δ and one point for the constant 1 and each public
    /// input; 256 + 32·publics bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = encoding::g1_bytes(&self.alpha_g1).to_vec();
        for point in [&self.beta_g2, &self.gamma_g2, &self.delta_g2] {
            bytes.extend(encoding::g2_bytes(point));
        }
        for point in &self.gamma_abc {
            bytes.extend(encoding::g1_bytes(point));
        }
        bytes
    }

    /// Decodes a key that someone else sent.
    ///
    /// # Errors
    /// [`CircuitError::Encoding`] unless the bytes are exactly the canonical encoding of points
    /// of the curve and subgroup, none of them the identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CircuitError> {
        if bytes.len() < Self::FIXED_BYTES || !bytes.len().is_multiple_of(G1_BYTES) {
            return Err(CircuitError::Encoding {
                what: "verifying key",
                why: "wrong length",
            });
        }
        let (alpha, rest) = bytes.split_at(G1_BYTES);
        let (beta, rest) = rest.split_at(G2_BYTES);
        let (gamma, rest) = rest.split_at(G2_BYTES);
        let (delta, rest) = rest.split_at(G2_BYTES);
        let points = rest.chunks(G1_BYTES);
        Ok(Self {
            alpha_g1: encoding::g1(alpha, "alpha of a verifying key")?,
            beta_g2: encoding::g2(beta, "beta of a verifying key")?,
            gamma_g2: encoding::g2(gamma, "gamma of a verifying key")?,
            delta_g2: encoding::g2(delta, "delta of a verifying key")?,
            gamma_abc: points
                .map(|p| encoding::g1(p, "public input of a verifying key"))
                .collect::<Result<_, _>>()?,
        })
    }

    fn of(vk: &ark_groth16::VerifyingKey<E>) -> Self {
        Self {
            alpha_g1: vk.alpha_g1,
            beta_g2: vk.beta_g2,
            gamma_g2: vk.gamma_g2,
            delta_g2: vk.delta_g2,
            gamma_abc: vk.gamma_abc_g1.clone(),
        }
    }
}

impl ProvingKey {
    /// Pairs stock keys under [`CircomReduction`] with the circuit that they were made of.
    pub(super) fn new(pk: &ark_groth16::ProvingKey<E>, matrices: Matrices) -> Self {
        let in_b = pk.b_g1_query.iter().filter(|p| !p.is_zero());
        Self {
            verifying: VerifyingKey::of(&pk.vk),
            matrices,
            beta_g1: pk.beta_g1,
            delta_g1: pk.delta_g1,
            a: Query::new(&pk.a_query),
            b: Query::new(&pk.b_g2_query),
            c: pk
                .h_query
                .iter()
                .chain(&pk.l_query)
                .chain(in_b)
                .copied()
                .collect(),
        }
    }

    /// The circuit's verifying key.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The circuit.
    #[must_use]
    pub fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// Writes the key for [`ProvingKey::read_trusted`]: points uncompressed.
    ///
    /// # Errors
    /// What the writer refuses.
    pub fn write(&self, out: &mut impl Write) -> Result<(), SerializationError> {
        self.verifying
            .to_bytes()
            .serialize_uncompressed(&mut *out)?;
        self.matrices.serialize_uncompressed(&mut *out)?;
        self.beta_g1.serialize_uncompressed(&mut *out)?;
        self.delta_g1.serialize_uncompressed(&mut *out)?;
        self.a.serialize_uncompressed(&mut *out)?;
        self.b.serialize_uncompressed(&mut *out)?;
        self.c.serialize_uncompressed(&mut *out)
    }

    /// Reads a key **that is known to be what [`ProvingKey::write`] wrote**, because the SHA-256
    /// of the bytes was compared: no point of the prover is checked.
    ///
    /// # Errors
    /// What the reader refuses, and bytes that are no key.
    pub fn read_trusted(input: &mut impl Read) -> Result<Self, SerializationError> {
        let verifying = Vec::<u8>::deserialize_uncompressed_unchecked(&mut *input)?;
        Ok(Self {
            verifying: VerifyingKey::from_bytes(&verifying)
                .map_err(|_| SerializationError::InvalidData)?,
            matrices: Matrices::deserialize_uncompressed_unchecked(&mut *input)?,
            beta_g1: G1::deserialize_uncompressed_unchecked(&mut *input)?,
            delta_g1: G1::deserialize_uncompressed_unchecked(&mut *input)?,
            a: Query::deserialize_uncompressed_unchecked(&mut *input)?,
            b: Query::deserialize_uncompressed_unchecked(&mut *input)?,
            c: Vec::deserialize_uncompressed_unchecked(&mut *input)?,
        })
    }
}

/// Makes keys of a circuit from one party's randomness: who knows it can forge proofs.
///
/// # Errors
/// [`CircuitError::Synthesis`] where the circuit is too large for the field's roots of unity.
pub fn generate(
    matrices: Matrices,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<ProvingKey, CircuitError> {
    let pk = stock_key(&matrices, rng)?;
    Ok(ProvingKey::new(&pk, matrices))
}

/// The verifying key that [`generate`] makes of the same randomness, without the prover's points, which are nearly all
/// of its work.
///
/// # Errors
/// As [`generate`].
pub fn generate_verifying(
    matrices: &Matrices,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<VerifyingKey, CircuitError> {
    let [alpha, beta, gamma, delta] = secrets(rng);
    let rows = matrices.constraints() + matrices.publics() + 1;
    let domain =
        GeneralEvaluationDomain::<Fr>::new(rows).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let t = domain.sample_element_outside_domain(rng);
    let columns = public_columns(matrices, &domain.evaluate_all_lagrange_coefficients(t));
    let inverse = gamma.inverse().expect("not 0");
    let abc = columns
        .iter()
        .map(|[a, b, c]| (beta * a + alpha * b + c) * inverse);
    let abc: Vec<_> = abc.map(|s| G1::generator() * s).collect();
    let in_g2 = [beta, gamma, delta].map(|s| (G2::generator() * s).into_affine());
    Ok(VerifyingKey {
        alpha_g1: (G1::generator() * alpha).into_affine(),
        beta_g2: in_g2[0],
        gamma_g2: in_g2[1],
        delta_g2: in_g2[2],
        gamma_abc: abc.into_iter().map(CurveGroup::into_affine).collect(),
    })
}

/// A, B and C at the point of the QAP, for the constant 1 and each public input. Row n_constraints + i of A holds
/// public i, as in [`CircomReduction`].
fn public_columns(matrices: &Matrices, lagrange: &[Fr]) -> Vec<[Fr; 3]> {
    let mut columns = vec![[Fr::ZERO; 3]; matrices.publics() + 1];
    for (row, weight) in lagrange[..matrices.constraints()].iter().enumerate() {
        for (place, side) in [Side::A, Side::B, Side::C].into_iter().enumerate() {
            for (coefficient, variable) in matrices.row(side, row) {
                if let Some(column) = columns.get_mut(variable) {
                    column[place] += coefficient * weight;
                }
            }
        }
    }
    let own = &lagrange[matrices.constraints()..];
    columns
        .iter_mut()
        .zip(own)
        .for_each(|(column, weight)| column[0] += weight);
    columns
}

/// ark-groth16's own key, over the standard generators as ceremonies have them.
pub(super) fn stock_key(
    matrices: &Matrices,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<ark_groth16::ProvingKey<E>, SynthesisError> {
    let [alpha, beta, gamma, delta] = secrets(rng);
    Groth16::<E, CircomReduction>::generate_parameters_with_qap(
        Replay(matrices),
        alpha,
        beta,
        gamma,
        delta,
        G1::generator().into_group(),
        G2::generator().into_group(),
        rng,
    )
}

/// α, β, γ, δ.
fn secrets(rng: &mut impl RngCore) -> [Fr; 4] {
    std::array::from_fn(|_| nonzero(rng))
}

fn nonzero(rng: &mut impl RngCore) -> Fr {
    loop {
        let x = Fr::rand(rng);
        if x != Fr::ZERO {
            return x;
        }
    }
}

/// Writes recorded matrices into arkworks' constraint system: the same variables and constraints
/// in the same order.
pub(super) struct Replay<'a>(pub(super) &'a Matrices);

impl ConstraintSynthesizer<Fr> for Replay<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut variables = vec![Variable::One];
        for i in 1..self.0.variables() {
            // Values play no part: only a key is made of this.
            variables.push(if i <= self.0.publics() {
                cs.new_input_variable(|| Ok(Fr::ZERO))?
            } else {
                cs.new_witness_variable(|| Ok(Fr::ZERO))?
            });
        }
        for i in 0..self.0.constraints() {
            let row = |side| {
                let terms = self.0.row(side, i).map(|(c, v)| (c, variables[v]));
                LinearCombination(terms.collect())
            };
            cs.enforce_r1cs_constraint(|| row(Side::A), || row(Side::B), || row(Side::C))?;
        }
        Ok(())
    }
}
