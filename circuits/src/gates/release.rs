//! `release`: every limb of four totals lies between two public bounds. Spec: `docs/spec/release.md`.

use std::fmt;

use ark_ff::{BigInteger, One, PrimeField, Zero};
use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult, SynthesisError, Variable};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    Layout,
    builder::{Builder, Lc, constant, power_sum, weighted},
    totals,
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
/// The largest limb.
pub const MAX_LIMB: u64 = (1 << LIMB_BITS) - 1;

/// What a release says, public in full: limb j lies in `bounds[j]`, both ends included. A published cell is
/// a pair of equal bounds, a suppressed one the range that the rule leaves it, a free limb 0 to [`MAX_LIMB`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// First and last possible value of each limb; first ≤ last ≤ [`MAX_LIMB`].
    pub bounds: [(u64, u64); LIMBS],
}

impl Statement {
    /// Whether each pair of bounds is one: a circuit takes them as they are, so whoever makes a statement
    /// must have looked.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.bounds
            .iter()
            .all(|(lo, hi)| lo <= hi && *hi <= MAX_LIMB)
    }

    /// The public inputs in circuit order, after ctx: all lower bounds, then all upper ones.
    #[must_use]
    pub fn publics(&self) -> Vec<Fr> {
        let lower = self.bounds.iter().map(|(lo, _)| Fr::from(*lo));
        let upper = self.bounds.iter().map(|(_, hi)| Fr::from(*hi));
        lower.chain(upper).collect()
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
    /// The bits of aⱼ − loⱼ, lowest first.
    pub above: [Fr; LIMB_BITS as usize],
    /// The bits of hiⱼ − aⱼ, lowest first.
    pub below: [Fr; LIMB_BITS as usize],
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hints(redacted)")
    }
}

impl Hints {
    /// Of a limb, if it lies within its bounds.
    fn of(limb: u64, (lo, hi): (u64, u64)) -> Option<Self> {
        let bits = |n: u64| std::array::from_fn(|i| Fr::from(n >> i & 1));
        Some(Self {
            above: bits(limb.checked_sub(lo)?),
            below: bits(hi.checked_sub(limb)?),
        })
    }
}

/// The private values of an honest proof, limb by limb, or which constraint has none: `bounds` where a pair is
/// none (no constraint: the verifier makes the bounds), C4 where a total reaches 2^240, C3 where a limb lies
/// outside its bounds.
///
/// # Errors
/// The constraint and the total or limb that it is about.
pub fn hints(
    statement: &Statement,
    totals: &[Fr; TOTALS],
) -> Result<Vec<Hints>, (&'static str, usize)> {
    if !statement.is_well_formed() {
        return Err(("bounds", 0));
    }
    let limbs = totals::limbs(totals).map_err(|total| ("C4", total))?;
    limbs
        .iter()
        .zip(statement.bounds)
        .enumerate()
        .map(|(j, (limb, bounds))| Hints::of(*limb, bounds).ok_or(("C3", j)))
        .collect()
}

/// The native twin: which constraint cannot be met, if any.
#[must_use]
pub fn violation(a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    match hints(a.statement, a.totals) {
        Ok(hints) => violation_with(a, &hints),
        Err(place) => Some(place),
    }
}

/// The native twin under given private values: which constraint fails first, if any, and at which limb
/// (C4: at which total).
#[must_use]
pub fn violation_with(a: &Assignment<'_>, hints: &[Hints]) -> Option<(&'static str, usize)> {
    let lower = |j: usize| Fr::from(a.statement.bounds[j].0);
    let limb = |j: usize| {
        let h = &hints[j];
        let (lo, hi) = a.statement.bounds[j];
        let boolean = |bits: &[Fr]| bits.iter().all(|b| b.is_zero() || b.is_one());
        let span = Fr::from(hi) - Fr::from(lo);
        let checks = [
            ("C1", boolean(&h.above)),
            ("C2", boolean(&h.below)),
            ("C3", power_sum(h.above, 1) + power_sum(h.below, 1) == span),
        ];
        checks.into_iter().find(|(_, holds)| !holds)
    };
    let total = || {
        let limbs = (0..LIMBS).map(|j| lower(j) + power_sum(hints[j].above, 1));
        let limbs: Zeroizing<Vec<Fr>> = Zeroizing::new(limbs.collect());
        totals::violation(&limbs, a.totals)
    };
    (0..LIMBS)
        .find_map(|j| limb(j).map(|(c, _)| (c, j)))
        .or_else(|| total().map(|s| ("C4", s)))
}

pub(super) fn layout() -> Layout {
    totals::layout(1 + 2 * LIMBS)
}

pub(super) fn synthesize(cs: ConstraintSystemRef<Fr>, a: Option<Assignment<'_>>) -> R1CSResult<()> {
    let hints = a
        .map(|a| hints(a.statement, a.totals).map_err(|_| SynthesisError::Unsatisfiable))
        .transpose()?;
    let b = Builder(cs);
    let publics = a.map(|a| a.statement.publics());
    let ctx = b.input(a.map(|a| a.ctx))?;
    let bounds = b.inputs(2 * LIMBS, publics.as_deref())?;
    let rho = b.input(a.map(|a| a.rho))?;
    let totals = b.inputs(TOTALS, a.map(|a| &a.totals[..]))?;
    b.consistency_rows(&[&[ctx], bounds.as_slice(), &[rho]].concat())?;
    let (lower, upper) = bounds.split_at(LIMBS);
    let limbs = (0..LIMBS)
        .map(|j| limb(&b, lower[j], upper[j], hints.as_ref().map(|h| &h[j])))
        .collect::<R1CSResult<Vec<_>>>()?;
    // C4
    totals::enforce(&b, &limbs, &totals)
}

/// C1 to C3 for one limb; returns lo + Σ 2ⁱ·aboveᵢ.
fn limb(b: &Builder, lo: Variable, hi: Variable, h: Option<&Hints>) -> R1CSResult<Lc> {
    let above = b.bits(LIMB_BITS, h.map(|h| &h.above[..]))?;
    let below = b.bits(LIMB_BITS, h.map(|h| &h.below[..]))?;
    b.enforce(
        weighted(&above, 1) + weighted(&below, 1),
        constant(Fr::one()),
        Lc::from(hi) - lo,
    )?;
    Ok(weighted(&above, 1) + lo)
}
