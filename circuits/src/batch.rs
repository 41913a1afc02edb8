//! Verifying many proofs at once (`docs/spec/batch.md`, V1 to V9): all their equations, weighted, in one multi-pairing.
//!
//! A proof has two equations: the circuit's, e(A, B) = e(α, β)·e(inputs, γ)·e(C, δ), and the opening's. Each gets a
//! weight of 128 bits of its own, hashed after everything that the equations are made of. Of the pairings only
//! e(A, B) is one a proof; the others are one for each key or commitment string.

mod pairing;

use ark_ec::AffineRepr;
use ark_ff::Zero;
use rayon::prelude::*;

use crate::{
    CircuitError, Fr, G1,
    circuit::Publics,
    equation::{Cells, Challenges, Layout},
    groth16::{Prepared, Proof},
    hash::{Transcript, separator},
    multilinear::eq_table,
    opening::{self, PairingTerms},
    proof::EquationProof,
    prove::Folded,
    srs::VerifyingSrs,
    transcript,
};
use pairing::holds;

/// A proof with what it is to prove.
pub struct Claim<'a> {
    /// The verifying key of the layout's class.
    pub key: &'a Prepared,
    /// The commitment string.
    pub srs: &'a VerifyingSrs,
    /// Whose it is.
    pub context: &'a [u8],
    /// The equation, laid out with its cells.
    pub layout: &'a Layout<'a>,
    /// The same cells.
    pub cells: &'a Cells,
    /// The commitments of [`Equation::bases`](crate::equation::Equation::bases), in order.
    pub bases: Vec<&'a [G1]>,
    /// The proof.
    pub proof: &'a EquationProof,
}

/// Which equation of a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The circuit's: some value is not what the query makes of the committed table.
    Circuit,
    /// The opening's: what the circuit read is not what is committed.
    Opening,
}

/// What a batch is refused for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// An equation does not hold.
    #[error("proof {index}: the {check:?} equation does not hold")]
    Refused {
        /// Which claim, in the order given.
        index: usize,
        /// Which equation.
        check: Check,
    },
    /// A claim that is not well-formed.
    #[error("proof {index}: {source}")]
    Malformed {
        /// Which claim, in the order given.
        index: usize,
        /// What is wrong.
        source: CircuitError,
    },
}

/// A claim reduced to its two equations.
struct Reduced<'a> {
    claim: &'a Claim<'a>,
    publics: Vec<Fr>,
    /// C* as a combination of commitments.
    combined: Vec<(Fr, G1)>,
    opening: PairingTerms,
}

/// A claim with the weights of its circuit's equation and its opening's.
#[derive(Clone, Copy)]
struct Weighted<'a> {
    index: usize,
    reduced: &'a Reduced<'a>,
    weights: [Fr; 2],
}

/// Checks that every claim holds.
///
/// # Errors
/// Names the first claim, and the equation, that does not hold.
pub fn verify(claims: &[Claim<'_>]) -> Result<(), BatchError> {
    verify_each(claims).into_iter().collect()
}

/// As [`verify`], with a verdict for each claim: those that do not hold take no other with them.
#[must_use]
pub fn verify_each(claims: &[Claim<'_>]) -> Vec<Result<(), BatchError>> {
    let reduced: Vec<Result<Reduced<'_>, CircuitError>> = claims.par_iter().map(reduce).collect();
    let mut verdicts: Vec<Result<(), BatchError>> = Vec::with_capacity(claims.len());
    let mut well_formed = Vec::with_capacity(claims.len());
    for (index, reduced) in reduced.into_iter().enumerate() {
        verdicts.push(match reduced {
            Ok(reduced) => {
                well_formed.push((index, reduced));
                Ok(())
            }
            Err(source) => Err(BatchError::Malformed { index, source }),
        });
    }
    let all: Vec<Weighted<'_>> = well_formed
        .iter()
        .zip(weights(&well_formed))
        .map(|((index, reduced), weights)| Weighted {
            index: *index,
            reduced,
            weights,
        })
        .collect();
    search(&all, &mut verdicts);
    verdicts
}

/// Both equations of all in one; where that fails, of each half. Whether any does not hold.
fn search(all: &[Weighted<'_>], verdicts: &mut [Result<(), BatchError>]) -> bool {
    if all.is_empty() || holds(all) {
        return false;
    }
    let first = all[0];
    let refused = if all.len() == 1 {
        let circuit_only = Weighted {
            weights: [first.weights[0], Fr::zero()],
            ..first
        };
        let check = if holds(&[circuit_only]) {
            Check::Opening
        } else {
            Check::Circuit
        };
        BatchError::Refused {
            index: first.index,
            check,
        }
    } else {
        let (left, right) = all.split_at(all.len() / 2);
        let in_left = search(left, verdicts);
        if search(right, verdicts) || in_left {
            return true;
        }
        // Both halves hold and the whole does not: the weights were drawn for the whole, so this cannot be.
        BatchError::Malformed {
            index: first.index,
            source: CircuitError::Proof("a batch contradicts its halves"),
        }
    };
    verdicts[first.index] = Err(refused);
    true
}

fn reduce<'a>(claim: &'a Claim<'a>) -> Result<Reduced<'a>, CircuitError> {
    let (layout, proof) = (claim.layout, claim.proof);
    let rows = &layout.equation.rows;
    check_shape(claim)?;
    let alpha_0 = transcript::alpha_0(
        claim.context,
        layout,
        claim.cells,
        &claim.bases,
        &proof.first,
        &proof.mask,
    );
    let alpha_1 = transcript::alpha_1(alpha_0, proof.challenges, &proof.second);
    let (theta, zeta) = transcript::theta_zeta(alpha_1);
    let [x, gamma, beta] = proof.challenges;
    let challenges = Challenges {
        x,
        gamma,
        beta,
        theta,
        zeta,
    };
    let sums = layout.sums(claim.cells, &challenges)?;
    let publics = proof.publics(alpha_0, alpha_1, sums.rhs);
    let evaluations = layout.evaluations(&sums, &challenges, &proof.r)?;
    let folded = Folded::new(&evaluations, proof.rho);
    let (low, high) = proof.r.split_at(rows.chunk_bits as usize);
    let seed = transcript::opening_seed(&publics);
    let y = proof.y - folded.constant;
    Ok(Reduced {
        combined: combined(claim, &folded, &eq_table(high))?,
        opening: opening::reduce(claim.srs, &proof.opening, &seed, low, y)?,
        publics: checked_publics(claim, &publics)?,
        claim,
    })
}

/// V8: one value for each public input of the key: a sum over the shorter of two lists would prove something else.
fn checked_publics(claim: &Claim<'_>, publics: &Publics) -> Result<Vec<Fr>, CircuitError> {
    let publics = publics.to_vec();
    let expected = claim.key.key().publics();
    if publics.len() != expected {
        return Err(CircuitError::Length {
            what: "public inputs",
            expected,
            got: publics.len(),
        });
    }
    Ok(publics)
}

/// V1 to V6.
fn check_shape(claim: &Claim<'_>) -> Result<(), CircuitError> {
    let (layout, proof) = (claim.layout, claim.proof);
    let equation = layout.equation;
    let length = |what, expected, got| match expected == got {
        true => Ok(()),
        false => Err(CircuitError::Length {
            what,
            expected,
            got,
        }),
    };
    if !layout.is_of(claim.cells) {
        return Err(CircuitError::Malformed("cells of another layout"));
    }
    let Proof { a, b, c } = &proof.proof;
    if a.is_zero() || b.is_zero() || c.is_zero() {
        return Err(CircuitError::Proof("a point of it is the identity"));
    }
    length("variables", layout.class.rounds as usize, proof.r.len())?;
    length(
        "rows of the commitment string",
        equation.rows.chunk_bits as usize,
        claim.srs.log_rows as usize,
    )?;
    length("base columns", equation.bases().len(), claim.bases.len())?;
    for chunks in &claim.bases {
        length(
            "chunks of a base column",
            equation.rows.chunks(),
            chunks.len(),
        )?;
    }
    for (columns, committed) in [
        (layout.first_columns(), &proof.first),
        (layout.second_columns(), &proof.second),
    ] {
        length("committed columns", columns.len(), committed.len())?;
        for (column, chunks) in columns.into_iter().zip(committed) {
            length(
                "chunks of a committed column",
                layout.chunks(column),
                chunks.len(),
            )?;
        }
    }
    Ok(())
}

/// V9, and C* = Σ weight·eq(r_high, chunk)·C + ρ^K·mask.
fn combined(
    claim: &Claim<'_>,
    folded: &Folded,
    high: &[Fr],
) -> Result<Vec<(Fr, G1)>, CircuitError> {
    let (layout, proof) = (claim.layout, claim.proof);
    let bases = layout.equation.bases();
    let bases = bases
        .into_iter()
        .map(crate::equation::Committed::Base)
        .zip(claim.bases.iter().copied());
    let first = layout.first_columns().into_iter().zip(&proof.first);
    let second = layout.second_columns().into_iter().zip(&proof.second);
    let received = first
        .chain(second)
        .map(|(c, chunks)| (c, chunks.as_slice()));
    let mut out = vec![(folded.mask, proof.mask)];
    for (column, chunks) in bases.chain(received) {
        let weight = folded.columns.get(&column).copied().unwrap_or_default();
        out.extend(chunks.iter().zip(high).map(|(c, eq)| (weight * eq, *c)));
    }
    if out.iter().any(|(_, point)| point.is_zero()) {
        return Err(CircuitError::Proof("a commitment is the identity"));
    }
    Ok(out)
}

/// Two weights a claim: the circuit's and the opening's.
fn weights(all: &[(usize, Reduced<'_>)]) -> Vec<[Fr; 2]> {
    let mut t = Transcript::new(separator::BATCH);
    t.number(all.len() as u64);
    for (_, reduced) in all {
        // The public inputs hold α₀ and α₁, and so every commitment.
        t.number(reduced.publics.len() as u64);
        for value in &reduced.publics {
            t.canonical(value);
        }
        t.bytes(&reduced.claim.key.key().to_bytes())
            .bytes(&reduced.claim.srs.to_bytes())
            .bytes(&reduced.claim.proof.proof.to_bytes())
            .bytes(&reduced.claim.proof.opening.to_bytes());
    }
    let seed = t.digest();
    let weight = |n: u64| {
        let digest = Transcript::new(separator::BATCH)
            .bytes(&seed)
            .number(n)
            .digest();
        let value = u128::from_le_bytes(digest[..16].try_into().expect("16 of 64 bytes"));
        Fr::from(value.max(1))
    };
    (0..all.len() as u64)
        .map(|i| [weight(2 * i), weight(2 * i + 1)])
        .collect()
}
