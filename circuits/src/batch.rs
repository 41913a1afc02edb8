//! Verification of any mix of proofs in one multi-Miller loop (`docs/spec/batch.md`).

use std::{collections::BTreeMap, sync::LazyLock};

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::Zero;
use rayon::prelude::*;

use crate::{
    CircuitError, E, Fr, G1, G2,
    gates::Gate,
    hash::{ChallengeInput, Transcript, separator, set_digest},
    keys::PreparedKey,
    msm::{msm, msm_128, mul_128},
    prove::Proof,
};

/// One proof with all that the verifier has derived for it.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The gate's key.
    pub key: &'a PreparedKey,
    /// The public inputs in the gate's order, ctx first.
    pub publics: Vec<Fr>,
    /// S for `recode` as canonical intervals, else empty.
    pub set: &'a [(u64, u64)],
    /// Commitments to the gate's column slots in order.
    pub columns: Vec<G1>,
    /// The proof.
    pub proof: Proof,
}

impl<'a> Claim<'a> {
    /// A claim of `recode`, with the challenge computed from the input and the proof's own D. Use this and
    /// never a challenge that came with the proof: one that was known before D lets anything through.
    #[must_use]
    pub fn recode(
        key: &'a PreparedKey,
        set: &'a [(u64, u64)],
        input: &ChallengeInput<'_>,
        proof: Proof,
    ) -> Self {
        let input = ChallengeInput { set, ..*input };
        Self {
            key,
            publics: vec![input.ctx, input.challenge(&proof.d)],
            set,
            columns: vec![input.x, input.z],
            proof,
        }
    }
}

/// Which equation of a claim failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The Groth16 equation: the statement is not proven.
    Groth16,
    /// The link equation: the proof is about other columns.
    Link,
}

/// The first claim, in order, that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("claim {index} ({gate}): the {check:?} equation does not hold")]
pub struct BatchError {
    /// Index into the claims.
    pub index: usize,
    /// The claim's gate.
    pub gate: Gate,
    /// Which equation.
    pub check: Check,
}

/// Why a batch was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A claim is malformed: lengths or S do not fit its gate.
    #[error("claim {index}: {source}")]
    Malformed {
        /// Index into the claims.
        index: usize,
        /// What does not fit.
        source: CircuitError,
    },
    /// A claim is false.
    #[error(transparent)]
    Refused(#[from] BatchError),
}

/// Verifies all claims at once. Weights are drawn from a transcript of everything in them, with no
/// randomness, so that everyone gets the same verdict.
///
/// # Errors
/// Names the first failing claim and whether its Groth16 or its link equation failed.
pub fn verify(parameter_set: &[u8; 32], claims: &[Claim<'_>]) -> Result<(), VerifyError> {
    for (index, claim) in claims.iter().enumerate() {
        check_shape(claim).map_err(|source| VerifyError::Malformed { index, source })?;
    }
    let seed = transcript(parameter_set, claims);
    let equations: Vec<Equation<'_>> = claims
        .iter()
        .enumerate()
        .flat_map(|(index, claim)| [Check::Groth16, Check::Link].map(|check| (index, claim, check)))
        .enumerate()
        .map(|(number, (index, claim, check))| Equation {
            index,
            claim,
            check,
            weight: weight(&seed, number as u64),
        })
        .collect();
    match first_failing(&equations) {
        None => Ok(()),
        Some(e) => Err(BatchError {
            index: e.index,
            gate: e.claim.key.gate,
            check: e.check,
        }
        .into()),
    }
}

struct Equation<'a> {
    index: usize,
    claim: &'a Claim<'a>,
    check: Check,
    weight: u128,
}

/// Bisects: the first equation that fails on its own, given that some fail together.
fn first_failing<'a, 'b>(equations: &'b [Equation<'a>]) -> Option<&'b Equation<'a>> {
    if equations.is_empty() || holds(equations) {
        return None;
    }
    let (left, right) = equations.split_at(equations.len() / 2);
    if left.is_empty() {
        return right.first();
    }
    // Both halves can hold only if their errors cancelled under the joint weights, which hashing
    // makes as improbable as a forgery; the right half is then named rather than nothing.
    first_failing(left)
        .or_else(|| first_failing(right))
        .or(right.first())
}

fn check_shape(claim: &Claim<'_>) -> Result<(), CircuitError> {
    let layout = claim.key.gate.layout(claim.key.n);
    let length = |what, expected, got| {
        if expected == got {
            Ok(())
        } else {
            Err(CircuitError::Length {
                what,
                expected,
                got,
            })
        }
    };
    length("public inputs", layout.publics, claim.publics.len())?;
    length("column commitments", layout.columns(), claim.columns.len())?;
    let table = layout.public_slot().len() as u64;
    let mut next = 0;
    for (first, last) in claim.set {
        if *first < next || last < first || *last >= table {
            return Err(CircuitError::Encoding {
                what: "set S",
                why: "not canonical or outside the table",
            });
        }
        next = last + 2;
    }
    Ok(())
}

fn transcript(parameter_set: &[u8; 32], claims: &[Claim<'_>]) -> [u8; 64] {
    let mut t = Transcript::new(separator::BATCH);
    t.bytes(parameter_set).number(claims.len() as u64);
    for claim in claims {
        t.bytes(claim.key.gate.name().as_bytes())
            .number(claim.key.n as u64);
        t.number(claim.publics.len() as u64);
        for p in &claim.publics {
            t.canonical(p);
        }
        t.bytes(&set_digest(claim.set));
        t.number(claim.columns.len() as u64);
        for c in &claim.columns {
            t.canonical(c);
        }
        t.bytes(&claim.proof.to_bytes());
    }
    t.digest()
}

/// The `number`-th weight: 128 bits, never 0.
fn weight(seed: &[u8; 64], number: u64) -> u128 {
    for attempt in 0.. {
        let digest = Transcript::new(separator::WEIGHT)
            .bytes(seed)
            .number(number)
            .number(attempt)
            .digest();
        let mut low = [0; 16];
        low.copy_from_slice(&digest[..16]);
        let weight = u128::from_le_bytes(low);
        if weight != 0 {
            return weight;
        }
    }
    unreachable!("some digest has a non-zero half")
}

type G2Prepared = <E as Pairing>::G2Prepared;

/// Terms that share a fixed G2 element.
#[derive(Default)]
struct Sum {
    points: Vec<G1>,
    weights: Vec<u128>,
    scalars: Vec<(G1, Fr)>,
}

impl Sum {
    fn add(&mut self, point: G1, weight: u128) {
        if !point.is_zero() {
            self.points.push(point);
            self.weights.push(weight);
        }
    }

    fn total(&self) -> G1Projective {
        let (bases, scalars): (Vec<G1>, Vec<Fr>) = self.scalars.iter().copied().unzip();
        msm_128(&self.points, &self.weights) + msm(&bases, &scalars)
    }
}

/// [1]₂, which every gate's γ and link share.
static ONE: LazyLock<G2Prepared> = LazyLock::new(|| G2::generator().into());

/// Whether the weighted product of all equations is one:
/// Π e(wA, B)·e(−wα, β)·e(−w(IC + D), 1)·e(−wC, δ) · Π e(vπ, 1)·e(−vC_s, k_s)·e(−vD, k_D) = 1.
fn holds(equations: &[Equation<'_>]) -> bool {
    let mut by_key: BTreeMap<(Gate, usize, usize), Vec<&Equation<'_>>> = BTreeMap::new();
    for e in equations {
        let key = e.claim.key;
        let address = std::ptr::from_ref(key).addr();
        by_key
            .entry((key.gate, key.n, address))
            .or_default()
            .push(e);
    }
    let groups: Vec<Vec<&Equation<'_>>> = by_key.into_values().collect();
    let (ab, fixed): (Vec<(G1, G2Prepared)>, Vec<FixedPairs<'_>>) = rayon::join(
        || {
            equations
                .par_iter()
                .filter(|e| e.check == Check::Groth16)
                .map(|e| (mul_128(&e.claim.proof.a, e.weight), e.claim.proof.b.into()))
                .collect()
        },
        || groups.par_iter().map(|group| fixed_pairs(group)).collect(),
    );
    let one: G1Projective = fixed.iter().map(|f| f.one).sum();
    let (mut sums, mut prepared) = (vec![one], vec![&*ONE]);
    for (sum, element) in fixed.into_iter().flat_map(|f| f.own) {
        sums.push(sum);
        prepared.push(element);
    }
    let sums = G1Projective::normalize_batch(&sums);
    let (left, right): (Vec<G1>, Vec<G2Prepared>) = ab
        .into_iter()
        .chain(sums.into_iter().zip(prepared.into_iter().cloned()))
        .unzip();
    let product = E::multi_miller_loop(left, right);
    E::final_exponentiation(product).is_some_and(|p| p.is_zero())
}

/// So many public inputs are summed over all claims of a gate before they meet their bases. The others are
/// `release`'s bounds: small as they are, but not once they are multiplied by a weight.
const JOINT_INPUTS: usize = 2;

/// What one key's equations pair with fixed elements of G2.
struct FixedPairs<'a> {
    /// With [1]₂, the same for every key.
    one: G1Projective,
    /// With the key's own.
    own: Vec<(G1Projective, &'a G2Prepared)>,
}

fn fixed_pairs<'a>(group: &[&Equation<'a>]) -> FixedPairs<'a> {
    let key = group[0].claim.key;
    let slots = key.key.link_columns.len();
    let (mut links, mut inputs_d, mut delta, mut link_d) = (
        Sum::default(),
        Sum::default(),
        Sum::default(),
        Sum::default(),
    );
    let mut link_columns: Vec<Sum> = (0..slots).map(|_| Sum::default()).collect();
    let mut inputs = vec![Fr::zero(); key.key.ic.len().min(1 + JOINT_INPUTS)];
    let mut alpha = Fr::zero();
    // Σ of the public slot's bases over an interval is a difference of two prefix sums.
    let mut bounds: BTreeMap<usize, Fr> = BTreeMap::new();
    for e in group {
        let (claim, proof, weight) = (e.claim, &e.claim.proof, e.weight);
        match e.check {
            Check::Groth16 => {
                let w = Fr::from(weight);
                alpha += w;
                inputs[0] += w;
                let (joint, rest) = claim
                    .publics
                    .split_at(claim.publics.len().min(JOINT_INPUTS));
                for (sum, p) in inputs[1..].iter_mut().zip(joint) {
                    *sum += w * p;
                }
                if !rest.is_empty() {
                    let own = msm(&key.key.ic[1 + JOINT_INPUTS..], rest);
                    inputs_d.add(own.into_affine(), weight);
                }
                inputs_d.add(proof.d, weight);
                for (from, to) in claim.set {
                    let at = |i: u64| usize::try_from(i).expect("checked against the table");
                    *bounds.entry(at(*to + 1)).or_default() += w;
                    *bounds.entry(at(*from)).or_default() -= w;
                }
                delta.add(proof.c, weight);
            }
            Check::Link => {
                links.add(proof.link, weight);
                link_d.add(proof.d, weight);
                for (sum, c) in link_columns.iter_mut().zip(&claim.columns) {
                    sum.add(*c, weight);
                }
            }
        }
    }
    let prefix = &key.key.public_prefix;
    let sets = bounds.into_iter().map(|(i, w)| (prefix[i], w));
    inputs_d.scalars = key.key.ic.iter().copied().zip(inputs).chain(sets).collect();
    let mut own = vec![
        (-(key.key.alpha_g1 * alpha), &key.beta),
        (-delta.total(), &key.delta),
        (-link_d.total(), &key.link_d),
    ];
    for (sum, prepared) in link_columns.iter().zip(&key.link_columns) {
        own.push((-sum.total(), prepared));
    }
    FixedPairs {
        one: links.total() - inputs_d.total(),
        own,
    }
}
