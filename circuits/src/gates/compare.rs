//! `compare`: weighted sums of the limbs of four totals are not negative. Spec: `docs/spec/compare.md`.

use std::fmt;

use ark_ff::{One, Zero};
use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult, SynthesisError, Variable};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{
    Layout,
    builder::{Builder, Lc, constant, power_sum, weighted},
    release::{LIMB_BITS, LIMBS, TOTALS},
    totals,
};
use crate::Fr;

/// Inequalities in one proof.
pub const COMPARISONS: usize = 2;
/// Weights are smaller than 2 to this power, and so is the constant's share of 2^40.
pub const WEIGHT_BITS: u32 = 32;
/// Bits of a weighted sum: above 24·2^(40 + 32) + 2^72.
pub const SUM_BITS: u32 = 80;

/// constant + Σ weightⱼ·aⱼ ≥ 0 over the limbs aⱼ of four totals. All zero, it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comparison {
    /// The constant, of a size below 2^[`WEIGHT_BITS`].
    pub constant: i64,
    /// A weight for each limb, of a size below 2^[`WEIGHT_BITS`].
    pub weights: [i64; LIMBS],
}

impl Comparison {
    fn terms(&self) -> impl Iterator<Item = i64> + '_ {
        std::iter::once(self.constant).chain(self.weights)
    }

    /// constant + Σ weightⱼ·aⱼ.
    fn sum(&self, limbs: &[u64; LIMBS]) -> i128 {
        let products = limbs.iter().zip(&self.weights);
        let products = products.map(|(a, w)| i128::from(*a) * i128::from(*w));
        i128::from(self.constant) + products.sum::<i128>()
    }
}

/// What a comparison says, public in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statement {
    /// The inequalities, all of which hold.
    pub comparisons: [Comparison; COMPARISONS],
}

impl Statement {
    /// Whether every weight is within its size: a circuit takes them as they are, so whoever makes a
    /// statement must have looked.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.comparisons
            .iter()
            .flat_map(Comparison::terms)
            .all(|t| t.unsigned_abs() < 1 << WEIGHT_BITS)
    }

    /// The public inputs in circuit order, after ctx: for each inequality its constant and its weights.
    #[must_use]
    pub fn publics(&self) -> Vec<Fr> {
        self.comparisons
            .iter()
            .flat_map(Comparison::terms)
            .map(Fr::from)
            .collect()
    }
}

/// The values of one proof.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// The dataset's context.
    pub ctx: Fr,
    /// What is said.
    pub statement: &'a Statement,
    /// The blinding of D.
    pub rho: Fr,
    /// T₁..T₄.
    pub totals: &'a [Fr; TOTALS],
}

/// The private values, as field elements so that a test can also state false ones.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Hints {
    /// The bits of each limb, lowest first.
    pub limbs: Vec<[Fr; LIMB_BITS as usize]>,
    /// For each inequality, weightⱼ·aⱼ.
    pub products: Vec<[Fr; LIMBS]>,
    /// For each inequality, the bits of its sum, lowest first.
    pub sums: Vec<[Fr; SUM_BITS as usize]>,
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hints(redacted)")
    }
}

/// The private values of an honest proof, or which constraint has none: `weights` where one is too large (no
/// constraint: the verifier makes the weights), C2 where a total reaches 2^240, C5 where a sum is negative.
///
/// # Errors
/// The constraint and the total or inequality that it is about.
pub fn hints(statement: &Statement, totals: &[Fr; TOTALS]) -> Result<Hints, (&'static str, usize)> {
    if !statement.is_well_formed() {
        return Err(("weights", 0));
    }
    let limbs = totals::limbs(totals).map_err(|total| ("C2", total))?;
    let products = |c: &Comparison| {
        std::array::from_fn(|j| Fr::from(i128::from(limbs[j]) * i128::from(c.weights[j])))
    };
    let sums = statement
        .comparisons
        .iter()
        .enumerate()
        .map(|(i, c)| u128::try_from(c.sum(&limbs)).map_err(|_| ("C5", i)))
        .collect::<Result<Vec<u128>, _>>()
        .map(Zeroizing::new)?;
    let hints = Hints {
        limbs: limbs
            .iter()
            .map(|a| std::array::from_fn(|i| Fr::from(a >> i & 1)))
            .collect(),
        products: statement.comparisons.iter().map(products).collect(),
        sums: sums
            .iter()
            .map(|s| std::array::from_fn(|i| Fr::from(s >> i & 1)))
            .collect(),
    };
    Ok(hints)
}

/// The native twin: which constraint cannot be met, if any.
#[must_use]
pub fn violation(a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    match hints(a.statement, a.totals) {
        Ok(hints) => violation_with(a, &hints),
        Err(place) => Some(place),
    }
}

/// The native twin under given private values: which constraint fails first, if any, and at which limb (C1),
/// total (C2) or inequality (C3 to C5).
#[must_use]
pub fn violation_with(a: &Assignment<'_>, hints: &Hints) -> Option<(&'static str, usize)> {
    let boolean = |bits: &[Fr]| bits.iter().all(|b| b.is_zero() || b.is_one());
    let limbs = hints.limbs.iter().map(|b| power_sum(*b, 1));
    let limbs: Zeroizing<Vec<Fr>> = Zeroizing::new(limbs.collect());
    let inequality = |c: usize| {
        let comparison = &a.statement.comparisons[c];
        let (products, sum) = (&hints.products[c], &hints.sums[c]);
        let mut each = products.iter().zip(&comparison.weights).zip(limbs.iter());
        let whole = Fr::from(comparison.constant) + products.iter().sum::<Fr>();
        let checks = [
            ("C3", each.all(|((p, w), a)| Fr::from(*w) * a == *p)),
            ("C4", boolean(sum)),
            ("C5", whole == power_sum(*sum, 1)),
        ];
        checks
            .into_iter()
            .find(|(_, h)| !h)
            .map(|(name, _)| (name, c))
    };
    let bits = hints.limbs.iter().position(|b| !boolean(b));
    bits.map(|j| ("C1", j))
        .or_else(|| totals::violation(&limbs, a.totals).map(|s| ("C2", s)))
        .or_else(|| (0..COMPARISONS).find_map(inequality))
}

pub(super) fn layout() -> Layout {
    totals::layout(1 + COMPARISONS * (1 + LIMBS))
}

pub(super) fn synthesize(cs: ConstraintSystemRef<Fr>, a: Option<Assignment<'_>>) -> R1CSResult<()> {
    let hints = a
        .map(|a| hints(a.statement, a.totals).map_err(|_| SynthesisError::Unsatisfiable))
        .transpose()?;
    let hints = hints.as_ref();
    let b = Builder(cs);
    let publics = a.map(|a| a.statement.publics());
    let ctx = b.input(a.map(|a| a.ctx))?;
    let terms = b.inputs(COMPARISONS * (1 + LIMBS), publics.as_deref())?;
    let rho = b.input(a.map(|a| a.rho))?;
    let totals = b.inputs(TOTALS, a.map(|a| &a.totals[..]))?;
    b.consistency_rows(&[&[ctx], terms.as_slice(), &[rho]].concat())?;
    // C1: the limbs' bits.
    let limbs = (0..LIMBS)
        .map(|j| {
            Ok(weighted(
                &b.bits(LIMB_BITS, hints.map(|h| &h.limbs[j][..]))?,
                1,
            ))
        })
        .collect::<R1CSResult<Vec<Lc>>>()?;
    // C2
    totals::enforce(&b, &limbs, &totals)?;
    for (c, terms) in terms.chunks_exact(1 + LIMBS).enumerate() {
        let products = hints.map(|h| &h.products[c][..]);
        inequality(&b, terms, &limbs, products, hints.map(|h| &h.sums[c][..]))?;
    }
    Ok(())
}

/// C3 to C5: products of weights and limbs, and their sum as a number of [`SUM_BITS`] bits.
fn inequality(
    b: &Builder,
    terms: &[Variable],
    limbs: &[Lc],
    products: Option<&[Fr]>,
    sum: Option<&[Fr]>,
) -> R1CSResult<()> {
    let products = b.witnesses(LIMBS, products)?;
    for ((weight, limb), product) in terms[1..].iter().zip(limbs).zip(&products) {
        b.enforce(Lc::from(*weight), limb.clone(), Lc::from(*product))?;
    }
    let bits = b.bits(SUM_BITS, sum)?;
    let whole = products
        .iter()
        .fold(Lc::from(terms[0]), |sum, product| sum + *product);
    b.enforce(whole, constant(Fr::one()), weighted(&bits, 1))
}
