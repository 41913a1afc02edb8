//! A proof of an equation as it is handed out, and its bytes.

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};

use crate::{
    CircuitError, Fr, G1,
    circuit::Publics,
    encoding::{self, G1_BYTES},
    equation::{Committed, Layout},
    groth16::Proof,
    opening::Opening,
    transcript::Chunks,
};

/// Bytes of a field element.
const SCALAR_BYTES: usize = 32;

/// A proof with everything that the verifier cannot derive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquationProof {
    /// Of [`Layout::first_columns`], in order.
    pub first: Vec<Chunks>,
    /// Of the mask.
    pub mask: G1,
    /// Of [`Layout::second_columns`], in order.
    pub second: Vec<Chunks>,
    /// X, γ, β.
    pub challenges: [Fr; 3],
    /// r\[j\] belongs to bit j.
    pub r: Vec<Fr>,
    /// ρ.
    pub rho: Fr,
    /// y*.
    pub y: Fr,
    /// The circuit's proof.
    pub proof: Proof,
    /// The opening of all columns at r.
    pub opening: Opening,
}

impl EquationProof {
    /// The length of a proof with this layout, in bytes.
    #[must_use]
    pub fn length(layout: &Layout<'_>) -> usize {
        let count = |columns: Vec<Committed>| -> usize {
            columns.into_iter().map(|c| layout.chunks(c)).sum()
        };
        let points = count(layout.first_columns()) + count(layout.second_columns()) + 1;
        // X, γ, β, ρ, y* and r.
        let scalars = 5 + layout.class.rounds as usize;
        points * G1_BYTES + scalars * SCALAR_BYTES + Proof::BYTES + Opening::BYTES
    }

    /// Commitments, mask, commitments after X, X, γ, β, r from bit 0 on, ρ, y*, the circuit's proof, the opening;
    /// points compressed, scalars little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let points = self.first.iter().flatten().chain([&self.mask]);
        for point in points.chain(self.second.iter().flatten()) {
            out.extend(encoding::g1_bytes(point));
        }
        let scalars = self.challenges.iter().chain(&self.r);
        for scalar in scalars.chain([&self.rho, &self.y]) {
            scalar
                .serialize_compressed(&mut out)
                .expect("writing to a Vec cannot fail");
        }
        out.extend(self.proof.to_bytes());
        out.extend(self.opening.to_bytes());
        out
    }

    /// Decodes a proof that someone else sent, whose layout is known.
    ///
    /// # Errors
    /// Another length; a point that is not canonical, off the curve or the identity; a scalar that is not below the
    /// modulus.
    pub fn from_bytes(bytes: &[u8], layout: &Layout<'_>) -> Result<Self, CircuitError> {
        let expected = Self::length(layout);
        if bytes.len() != expected {
            return Err(CircuitError::Length {
                what: "bytes of a proof",
                expected,
                got: bytes.len(),
            });
        }
        let (first, second) = (layout.first_columns(), layout.second_columns());
        let count =
            |columns: &[Committed]| -> usize { columns.iter().map(|c| layout.chunks(*c)).sum() };
        let points = count(&first) + 1 + count(&second);
        let (points, mut rest) = bytes.split_at(points * G1_BYTES);
        let mut points = encoding::g1_many(points, "commitment")?.into_iter();
        let first = take_columns(&mut points, layout, &first);
        let mask = points.next().expect("all points are counted");
        let second = take_columns(&mut points, layout, &second);
        let challenges = [
            take_scalar(&mut rest)?,
            take_scalar(&mut rest)?,
            take_scalar(&mut rest)?,
        ];
        let r = (0..layout.class.rounds)
            .map(|_| take_scalar(&mut rest))
            .collect::<Result<_, _>>()?;
        let (rho, y) = (take_scalar(&mut rest)?, take_scalar(&mut rest)?);
        let (proof, opening) = rest.split_at(Proof::BYTES);
        Ok(Self {
            first,
            mask,
            second,
            challenges,
            r,
            rho,
            y,
            proof: Proof::from_bytes(proof)?,
            opening: Opening::from_bytes(opening)?,
        })
    }

    /// The circuit's public inputs, with what the verifier derives.
    pub(crate) fn publics(&self, alpha_0: Fr, alpha_1: Fr, rhs: Fr) -> Publics {
        let [x, gamma, beta] = self.challenges;
        Publics {
            alpha_0,
            x,
            gamma,
            beta,
            alpha_1,
            r: self.r.clone(),
            rho: self.rho,
            y: self.y,
            rhs,
        }
    }
}

fn take_columns(
    points: &mut impl Iterator<Item = G1>,
    layout: &Layout<'_>,
    columns: &[Committed],
) -> Vec<Chunks> {
    let chunks = |column| points.by_ref().take(layout.chunks(column)).collect();
    columns.iter().copied().map(chunks).collect()
}

fn take_scalar(rest: &mut &[u8]) -> Result<Fr, CircuitError> {
    let (scalar, tail) = rest.split_at(SCALAR_BYTES);
    *rest = tail;
    Fr::deserialize_compressed(scalar).map_err(|_| CircuitError::Encoding {
        what: "scalar",
        why: "not below the modulus",
    })
}
