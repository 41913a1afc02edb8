//! `release`: published cells from totals, under the threshold rule. Spec: `docs/spec/release.md`.

use std::fmt;

use ark_ff::{BigInteger, Field, One, PrimeField, Zero};
use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult, SynthesisError, Variable};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    Layout, Slot, SlotKind,
    builder::{Builder, Lc, constant, zero},
};
use crate::Fr;

/// Packed totals in one release.
pub const TOTALS: usize = 4;
/// Limbs in one total.
pub const LIMBS_PER_TOTAL: usize = 6;
/// Limbs in one release.
pub const LIMBS: usize = TOTALS * LIMBS_PER_TOTAL;
/// Bits of a limb.
pub const LIMB_BITS: u32 = 40;
/// The threshold k lies in 1..=MAX_THRESHOLD.
pub const MAX_THRESHOLD: u64 = 1 << 32;

/// What a release says, public in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// k: counts below it (but for a releasable 0) are suppressed. 1..=2^32.
    pub threshold: u64,
    /// Whether a count of 0 is released.
    pub zero_releasable: bool,
    /// Which limbs are counts; every other limb is guarded by the nearest count before it.
    pub is_count: [bool; LIMBS],
    /// fⱼ: whether limb j is released.
    pub released: [bool; LIMBS],
    /// pⱼ = fⱼ·aⱼ.
    pub published: [u64; LIMBS],
}

impl Statement {
    /// What the rule publishes of `limbs`: the flags and cells that an honest hospital proves.
    #[must_use]
    pub fn of_limbs(
        threshold: u64,
        zero_releasable: bool,
        is_count: [bool; LIMBS],
        limbs: &[u64; LIMBS],
    ) -> Self {
        let mut s = Self {
            threshold,
            zero_releasable,
            is_count,
            released: [false; LIMBS],
            published: [0; LIMBS],
        };
        let mut flag = false;
        for j in 0..LIMBS {
            if is_count[j] {
                flag = limbs[j] >= threshold || (limbs[j] == 0 && zero_releasable);
            }
            s.released[j] = flag;
            s.published[j] = if flag { limbs[j] } else { 0 };
        }
        s
    }

    /// The public inputs in circuit order, after ctx: k, zero rule, counts, flags, cells.
    #[must_use]
    pub fn publics(&self) -> Vec<Fr> {
        let bits = self
            .is_count
            .iter()
            .chain(&self.released)
            .map(|b| Fr::from(*b));
        [Fr::from(self.threshold), Fr::from(self.zero_releasable)]
            .into_iter()
            .chain(bits)
            .chain(self.published.iter().map(|p| Fr::from(*p)))
            .collect()
    }
}

/// The values of one proof.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// The dataset's context.
    pub ctx: Fr,
    /// What is published.
    pub statement: &'a Statement,
    /// The blinding of D.
    pub rho: Fr,
    /// T₁..T₄.
    pub totals: &'a [Fr; TOTALS],
}

/// Splits a total below 2^240 into its limbs, lowest first.
#[must_use]
pub fn limbs_of(total: Fr) -> Option<[u64; LIMBS_PER_TOTAL]> {
    let mut rest = total.into_bigint();
    let mut limbs = [0; LIMBS_PER_TOTAL];
    for limb in &mut limbs {
        *limb = rest.0[0] & ((1 << LIMB_BITS) - 1);
        rest >>= LIMB_BITS;
    }
    rest.is_zero().then_some(limbs)
}

/// The limbs of all totals in order.
#[must_use]
pub fn all_limbs(totals: &[Fr; TOTALS]) -> Option<[u64; LIMBS]> {
    let mut out = [0; LIMBS];
    for (chunk, total) in out.chunks_exact_mut(LIMBS_PER_TOTAL).zip(totals) {
        chunk.copy_from_slice(&limbs_of(*total)?);
    }
    Some(out)
}

/// One limb's private values, as field elements so that a test can also state false ones.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Hints {
    /// aⱼ.
    pub limb: Fr,
    /// The bits of aⱼ, lowest first.
    pub bits: [Fr; LIMB_BITS as usize],
    /// The bits of aⱼ − k + 2^40, lowest first; the last one is [aⱼ ≥ k].
    pub difference: [Fr; LIMB_BITS as usize + 1],
    /// 1/aⱼ, or 0 where aⱼ = 0.
    pub inverse: Fr,
    /// eⱼ = [aⱼ = 0].
    pub zero: Fr,
    /// yⱼ = eⱼ where the profile lets zero out, else 0.
    pub zero_released: Fr,
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hints(redacted)")
    }
}

impl Hints {
    /// Of a limb below 2^40 under a threshold in 1..=[`MAX_THRESHOLD`].
    fn of(limb: u64, s: &Statement) -> Self {
        let difference = limb + (1 << LIMB_BITS) - s.threshold;
        let zero = limb == 0;
        Self {
            limb: Fr::from(limb),
            bits: std::array::from_fn(|i| Fr::from(limb >> i & 1)),
            difference: std::array::from_fn(|i| Fr::from(difference >> i & 1)),
            inverse: Fr::from(limb).inverse().unwrap_or(Fr::zero()),
            zero: Fr::from(zero),
            zero_released: Fr::from(zero && s.zero_releasable),
        }
    }
}

/// The private values of an honest proof, limb by limb; `None` when a total reaches 2^240 or the
/// threshold lies outside 1..=2^32, for which no proof is made.
#[must_use]
pub fn hints(statement: &Statement, totals: &[Fr; TOTALS]) -> Option<Vec<Hints>> {
    if !(1..=MAX_THRESHOLD).contains(&statement.threshold) {
        return None;
    }
    let limbs = all_limbs(totals)?;
    Some(limbs.iter().map(|l| Hints::of(*l, statement)).collect())
}

/// The native twin: which constraint fails first under the honest private values, if any. A threshold
/// outside 1..=2^32 is named `k`: it is no constraint, since the manifest already excludes it.
#[must_use]
pub fn violation(a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    if let Some(hints) = hints(a.statement, a.totals) {
        return violation_with(a, &hints);
    }
    let too_large = a.totals.iter().position(|t| limbs_of(*t).is_none());
    Some(too_large.map_or(("k", 0), |total| ("C1", total)))
}

/// The native twin under given private values: which constraint fails first, if any, and at which limb
/// (C1: at which total).
#[must_use]
pub fn violation_with(a: &Assignment<'_>, hints: &[Hints]) -> Option<(&'static str, usize)> {
    let total = |s: usize| {
        let limbs = &hints[s * LIMBS_PER_TOTAL..(s + 1) * LIMBS_PER_TOTAL];
        let sum = native_sum(limbs.iter().map(|h| h.limb), LIMB_BITS);
        (sum != a.totals[s]).then_some(("C1", s))
    };
    (0..LIMBS)
        .find_map(|j| limb_violation(a.statement, j, &hints[j]).map(|c| (c, j)))
        .or_else(|| (0..TOTALS).find_map(total))
}

fn limb_violation(s: &Statement, j: usize, h: &Hints) -> Option<&'static str> {
    let boolean = |bits: &[Fr]| bits.iter().all(|b| b.is_zero() || b.is_one());
    let offset = Fr::from(1u64 << LIMB_BITS);
    let f = Fr::from(s.released[j]);
    let before = Fr::from(j > 0 && s.released[j - 1]);
    let own = h.difference[LIMB_BITS as usize] + h.zero_released;
    let checks = [
        ("C2", boolean(&h.bits)),
        ("C3", native_sum(h.bits, 1) == h.limb),
        ("C4", boolean(&h.difference)),
        (
            "C5",
            native_sum(h.difference, 1) == h.limb - Fr::from(s.threshold) + offset,
        ),
        ("C6", h.limb * h.inverse == Fr::one() - h.zero),
        ("C7", (h.limb * h.zero).is_zero()),
        (
            "C8",
            Fr::from(s.zero_releasable) * h.zero == h.zero_released,
        ),
        ("C9", Fr::from(s.is_count[j]) * (own - before) == f - before),
        ("C10", f * h.limb == Fr::from(s.published[j])),
    ];
    checks.into_iter().find(|(_, holds)| !holds).map(|(c, _)| c)
}

/// Σ 2^(step·i)·valueᵢ.
fn native_sum(values: impl IntoIterator<Item = Fr>, step: u32) -> Fr {
    let base = Fr::from(1u64 << step);
    let mut weight = Fr::one();
    let mut sum = Fr::zero();
    for v in values {
        sum += weight * v;
        weight *= base;
    }
    sum
}

pub(super) fn layout() -> Layout {
    let slot = |name| Slot {
        name,
        kind: SlotKind::Total,
        len: 1,
    };
    Layout {
        publics: 3 + 3 * LIMBS,
        slots: vec![slot("T1"), slot("T2"), slot("T3"), slot("T4")],
    }
}

struct Inputs {
    threshold: Variable,
    zero_releasable: Variable,
    is_count: Vec<Variable>,
    released: Vec<Variable>,
    published: Vec<Variable>,
    totals: Vec<Variable>,
}

pub(super) fn synthesize(cs: ConstraintSystemRef<Fr>, a: Option<Assignment<'_>>) -> R1CSResult<()> {
    let hints = a
        .map(|a| hints(a.statement, a.totals).ok_or(SynthesisError::Unsatisfiable))
        .transpose()?;
    let b = Builder(cs);
    let inputs = inputs(&b, a)?;
    let limbs = (0..LIMBS)
        .map(|j| limb(&b, &inputs, j, hints.as_ref().map(|h| &h[j])))
        .collect::<R1CSResult<Vec<_>>>()?;
    // C1: the total is its limbs, in a row of its own.
    for (total, limbs) in inputs
        .totals
        .iter()
        .zip(limbs.chunks_exact(LIMBS_PER_TOTAL))
    {
        b.enforce(
            weighted(limbs, LIMB_BITS),
            constant(Fr::one()),
            Lc::from(*total),
        )?;
    }
    Ok(())
}

fn inputs(b: &Builder, a: Option<Assignment<'_>>) -> R1CSResult<Inputs> {
    let publics = a.map(|a| a.statement.publics());
    let ctx = b.input(a.map(|a| a.ctx))?;
    let public = b.inputs(2 + 3 * LIMBS, publics.as_deref())?;
    let rho = b.input(a.map(|a| a.rho))?;
    let totals = b.inputs(TOTALS, a.map(|a| &a.totals[..]))?;
    let mut head = vec![ctx];
    head.extend(&public);
    head.push(rho);
    b.consistency_rows(&head)?;
    let group = |g: usize| public[2 + g * LIMBS..2 + (g + 1) * LIMBS].to_vec();
    Ok(Inputs {
        threshold: public[0],
        zero_releasable: public[1],
        is_count: group(0),
        released: group(1),
        published: group(2),
        totals,
    })
}

/// C2 to C10 for limb j; returns aⱼ.
fn limb(b: &Builder, inputs: &Inputs, j: usize, h: Option<&Hints>) -> R1CSResult<Variable> {
    let one = || constant(Fr::one());
    let a = b.witness(h.map(|h| h.limb))?;
    // C2, C3: 0 ≤ a < 2^40.
    let _top = bits(b, Lc::from(a), LIMB_BITS, h.map(|h| &h.bits[..]))?;
    // C4, C5: a − k + 2^40 in 41 bits; the top one is [a ≥ k].
    let offset = constant(Fr::from(1u64 << LIMB_BITS));
    let difference = Lc::from(a) - inputs.threshold + offset;
    let enough = bits(b, difference, LIMB_BITS + 1, h.map(|h| &h.difference[..]))?;
    // C6, C7: e = [a = 0].
    let inverse = b.witness(h.map(|h| h.inverse))?;
    let e = b.witness(h.map(|h| h.zero))?;
    b.enforce(Lc::from(a), Lc::from(inverse), one() - e)?;
    b.enforce(Lc::from(a), Lc::from(e), zero())?;
    // C8: y = e where the profile lets zero out.
    let y = b.witness(h.map(|h| h.zero_released))?;
    b.enforce(Lc::from(inputs.zero_releasable), Lc::from(e), Lc::from(y))?;
    // C9: f is the limb's own flag at a count, else the flag before it.
    let before = || match j.checked_sub(1) {
        Some(i) => Lc::from(inputs.released[i]),
        None => zero(),
    };
    let own = Lc::from(enough) + y;
    let f = inputs.released[j];
    b.enforce(
        Lc::from(inputs.is_count[j]),
        own - before(),
        Lc::from(f) - before(),
    )?;
    // C10: p = f·a.
    b.enforce(Lc::from(f), Lc::from(a), Lc::from(inputs.published[j]))?;
    Ok(a)
}

/// Decomposes `value` into `count` bits (each boolean, their weighted sum equal) and returns the top one.
fn bits(b: &Builder, value: Lc, count: u32, values: Option<&[Fr]>) -> R1CSResult<Variable> {
    let bits = b.witnesses(count as usize, values)?;
    for bit in &bits {
        b.enforce(Lc::from(*bit), Lc::from(*bit) - constant(Fr::one()), zero())?;
    }
    b.enforce(weighted(&bits, 1), constant(Fr::one()), value)?;
    bits.last().copied().ok_or(SynthesisError::Unsatisfiable)
}

/// Σ 2^(step·i)·varᵢ.
fn weighted(vars: &[Variable], step: u32) -> Lc {
    let base = Fr::from(1u64 << step);
    let mut weight = Fr::one();
    let terms: Vec<_> = vars
        .iter()
        .map(|v| {
            let term = (weight, *v);
            weight *= base;
            term
        })
        .collect();
    Lc::from_sum_coeff_vars(&terms)
}
