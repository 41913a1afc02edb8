//! Verifying many proofs at once (`docs/spec/batch.md`): all their equations, weighted, in one multi-pairing.
//!
//! A proof has two equations: the circuit's, e(A, B) = e(α, β)·e(inputs, γ)·e(C, δ), and the opening's. Each gets a
//! weight of 128 bits of its own, hashed after everything that the equations are made of. Of the pairings only
//! e(A, B) is one a proof; the others are one for each key or commitment string.

use std::collections::HashMap;

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::Zero;
use rayon::prelude::*;

use crate::{
    CircuitError, E, Fr, G1, G2,
    circuit::Publics,
    equation::{Cells, Challenges, Layout},
    groth16::{Prepared, Proof},
    hash::{Transcript, separator},
    kernel,
    multilinear::eq_table,
    opening::{self, PairingTerms},
    proof::EquationProof,
    prove::Folded,
    srs::VerifyingSrs,
    transcript,
};

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

/// Checks that every claim holds.
///
/// # Errors
/// Names the first claim, and the equation, that does not hold.
pub fn verify(claims: &[Claim<'_>]) -> Result<(), BatchError> {
    let reduced: Vec<Reduced<'_>> = claims
        .par_iter()
        .enumerate()
        .map(|(index, claim)| {
            reduce(claim).map_err(|source| BatchError::Malformed { index, source })
        })
        .collect::<Result<_, _>>()?;
    let weights = weights(&reduced);
    let all: Vec<(&Reduced<'_>, [Fr; 2])> = reduced.iter().zip(weights).collect();
    search(&all, 0)
}

/// Both equations of all in one; where that fails, of each half.
fn search(all: &[(&Reduced<'_>, [Fr; 2])], first: usize) -> Result<(), BatchError> {
    if all.is_empty() || holds(all) {
        return Ok(());
    }
    if let [(reduced, weights)] = all {
        let circuit_only = [(*reduced, [weights[0], Fr::zero()])];
        let check = if holds(&circuit_only) {
            Check::Opening
        } else {
            Check::Circuit
        };
        return Err(BatchError::Refused {
            index: first,
            check,
        });
    }
    let (left, right) = all.split_at(all.len() / 2);
    search(left, first)?;
    search(right, first + left.len())?;
    // Both halves hold and the whole does not: the weights were drawn for the whole, so this cannot be.
    Err(BatchError::Malformed {
        index: first,
        source: CircuitError::Proof("a batch contradicts its halves"),
    })
}

fn reduce<'a>(claim: &'a Claim<'a>) -> Result<Reduced<'a>, CircuitError> {
    let (layout, proof) = (claim.layout, claim.proof);
    let rows = &layout.equation.rows;
    check_lengths(claim)?;
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

/// One value for each public input of the key: a sum over the shorter of two lists would prove something else.
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

fn check_lengths(claim: &Claim<'_>) -> Result<(), CircuitError> {
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

/// C* = Σ weight·eq(r_high, chunk)·C + ρ^K·mask.
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
fn weights(all: &[Reduced<'_>]) -> Vec<[Fr; 2]> {
    let mut t = Transcript::new(separator::BATCH);
    t.number(all.len() as u64);
    for reduced in all {
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

/// A sum of points, each taken once.
#[derive(Default)]
struct Sum(HashMap<G1, Fr>);

impl Sum {
    fn add(&mut self, weight: Fr, point: G1) {
        *self.0.entry(point).or_insert_with(Fr::zero) += weight;
    }

    fn total(&self) -> G1Projective {
        let (points, scalars): (Vec<G1>, Vec<Fr>) = self.0.iter().map(|(p, s)| (*p, *s)).unzip();
        kernel::msm(&points, &scalars)
    }
}

/// The claims of one key: what is paired with β, γ and δ.
struct OfKey<'a> {
    key: &'a Prepared,
    weight: Fr,
    inputs: Vec<Fr>,
    c: Sum,
}

fn holds(all: &[(&Reduced<'_>, [Fr; 2])]) -> bool {
    let mut keys: Vec<OfKey<'_>> = Vec::new();
    let mut strings: Vec<(&VerifyingSrs, [Sum; 3])> = Vec::new();
    for (reduced, [circuit, opening]) in all {
        let claim = reduced.claim;
        add_circuit(
            &mut keys,
            claim.key,
            &reduced.publics,
            &claim.proof.proof,
            *circuit,
        );
        if opening.is_zero() {
            continue;
        }
        let at = strings.iter().position(|(srs, _)| *srs == claim.srs);
        let at = at.unwrap_or_else(|| {
            strings.push((claim.srs, Default::default()));
            strings.len() - 1
        });
        let [one, tau, tau2] = &mut strings[at].1;
        let terms = &reduced.opening;
        for (sum, terms) in [
            (&mut *one, &terms.one),
            (tau, &terms.tau),
            (tau2, &terms.tau2),
        ] {
            terms.iter().for_each(|(s, p)| sum.add(*opening * s, *p));
        }
        reduced
            .combined
            .iter()
            .for_each(|(s, p)| one.add(*opening * s, *p));
    }
    let mut pairs: Vec<(G1Projective, G2)> = all
        .par_iter()
        .map(|(r, [circuit, _])| {
            let proof = &r.claim.proof.proof;
            (proof.a * circuit, proof.b)
        })
        .collect();
    for of in &keys {
        let vk = of.key.key();
        pairs.push((-(vk.alpha_g1 * of.weight), vk.beta_g2));
        pairs.push((-kernel::msm(&vk.gamma_abc, &of.inputs), vk.gamma_g2));
        pairs.push((-of.c.total(), vk.delta_g2));
    }
    let sums: Vec<(&Sum, G2)> = strings
        .iter()
        .flat_map(|(srs, [one, tau, tau2])| {
            [
                (one, G2::generator()),
                (tau, srs.tau_g2),
                (tau2, srs.tau2_g2),
            ]
        })
        .collect();
    pairs.par_extend(sums.par_iter().map(|(sum, g2)| (sum.total(), *g2)));
    product_is_one(&pairs)
}

fn add_circuit<'a>(
    keys: &mut Vec<OfKey<'a>>,
    key: &'a Prepared,
    publics: &[Fr],
    proof: &Proof,
    weight: Fr,
) {
    let at = keys.iter().position(|k| k.key.key() == key.key());
    let at = at.unwrap_or_else(|| {
        keys.push(OfKey {
            key,
            weight: Fr::zero(),
            inputs: vec![Fr::zero(); publics.len() + 1],
            c: Sum::default(),
        });
        keys.len() - 1
    });
    let of = &mut keys[at];
    of.weight += weight;
    of.inputs[0] += weight;
    for (sum, value) in of.inputs[1..].iter_mut().zip(publics) {
        *sum += weight * value;
    }
    of.c.add(weight, proof.c);
}

/// Π e(aᵢ, bᵢ) = 1, the Miller loops on all cores.
fn product_is_one(pairs: &[(G1Projective, G2)]) -> bool {
    let (left, right): (Vec<G1Projective>, Vec<G2>) = pairs.iter().copied().unzip();
    let left = G1Projective::normalize_batch(&left);
    let size = pairs.len().div_ceil(rayon::current_num_threads()).max(1);
    let loops: Vec<_> = left
        .par_chunks(size)
        .zip(right.par_chunks(size))
        .map(|(a, b)| E::multi_miller_loop(a.iter().copied(), b.iter().copied()).0)
        .collect();
    let product = loops.into_iter().product();
    let result = E::final_exponentiation(ark_ec::pairing::MillerLoopOutput(product));
    result.is_some_and(|p| p.is_zero())
}
