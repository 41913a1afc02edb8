//! `recode<b>`: zᵢ = 1 where xᵢ ∈ S, else 0, by a log-derivative lookup. Spec: `docs/spec/recode.md`.

use ark_ff::{One, PrimeField, Zero, batch_inversion};
use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult};

use super::{
    Layout, Slot, SlotKind,
    builder::{Builder, Lc, constant, zero},
};
use crate::Fr;

/// The values of one proof.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// The dataset's context.
    pub ctx: Fr,
    /// X, the challenge drawn after D.
    pub challenge: Fr,
    /// The blinding of D.
    pub rho: Fr,
    /// The looked-up column, one entry a row.
    pub x: &'a [Fr],
    /// The result bits, one entry a row.
    pub z: &'a [Fr],
    /// m_t: in how many rows x = t; 2^bits entries.
    pub multiplicities: &'a [Fr],
    /// S as a 0/1 vector of 2^bits entries.
    pub set: &'a [Fr],
    /// ιᵢ = 1/(X − xᵢ − 2ᵇzᵢ), one entry a row.
    pub iota: &'a [Fr],
    /// g_t = m_t/(X − t − 2ᵇS_t), 2^bits entries.
    pub g: &'a [Fr],
}

/// The inverses that the lookup needs, or `None` on a pole (then the prover draws a new ρ).
#[must_use]
pub fn fractions(
    bits: u32,
    challenge: Fr,
    x: &[Fr],
    z: &[Fr],
    multiplicities: &[Fr],
    set: &[Fr],
) -> Option<(Vec<Fr>, Vec<Fr>)> {
    let shift = Fr::from(1u64 << bits);
    let mut iota: Vec<Fr> = x
        .iter()
        .zip(z)
        .map(|(x, z)| challenge - x - shift * z)
        .collect();
    let mut g: Vec<Fr> = (0u64..)
        .zip(set)
        .map(|(t, s)| challenge - Fr::from(t) - shift * s)
        .collect();
    if iota.iter().chain(&g).any(Zero::is_zero) {
        return None;
    }
    batch_inversion(&mut iota);
    batch_inversion(&mut g);
    for (g, m) in g.iter_mut().zip(multiplicities) {
        *g *= m;
    }
    Some((iota, g))
}

/// m_t: how often each t < 2^bits stands in `x`, or the first row that holds no such t.
///
/// # Errors
/// The index of a row outside the table.
pub fn multiplicities(bits: u32, x: &[Fr]) -> Result<Vec<Fr>, usize> {
    let mut counts = vec![0u64; 1 << bits];
    for (row, x) in x.iter().enumerate() {
        let big = x.into_bigint();
        let small = big.0[1..].iter().all(|limb| *limb == 0);
        let slot = usize::try_from(big.0[0]).ok().filter(|_| small);
        *slot.and_then(|t| counts.get_mut(t)).ok_or(row)? += 1;
    }
    Ok(counts.into_iter().map(Fr::from).collect())
}

/// The native twin: which constraint fails first, if any.
#[must_use]
pub fn violation(bits: u32, a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    let shift = Fr::from(1u64 << bits);
    let row = |i: usize| {
        let denominator = a.challenge - a.x[i] - shift * a.z[i];
        if a.iota[i] * denominator != Fr::one() {
            Some(("C1", i))
        } else if !a.z[i].is_zero() && !a.z[i].is_one() {
            Some(("C2", i))
        } else {
            None
        }
    };
    let table = |t: usize| {
        let denominator = a.challenge - Fr::from(t as u64) - shift * a.set[t];
        (a.g[t] * denominator != a.multiplicities[t]).then_some(("C3", t))
    };
    let sums = a.iota.iter().sum::<Fr>() == a.g.iter().sum::<Fr>();
    (0..a.x.len())
        .find_map(row)
        .or_else(|| (0..a.set.len()).find_map(table))
        .or((!sums).then_some(("C4", 0)))
}

pub(super) fn layout(n: usize, bits: u32) -> Layout {
    let slot = |name, kind, len| Slot { name, kind, len };
    Layout {
        publics: 2,
        slots: vec![
            slot("x", SlotKind::Vector, n),
            slot("z", SlotKind::Vector, n),
            slot("m", SlotKind::Free, 1 << bits),
            slot("S", SlotKind::Public, 1 << bits),
        ],
    }
}

pub(super) fn synthesize(
    cs: ConstraintSystemRef<Fr>,
    n: usize,
    bits: u32,
    a: Option<Assignment<'_>>,
) -> R1CSResult<()> {
    let table = 1usize << bits;
    let shift = Fr::from(table as u64);
    let b = Builder(cs);
    let ctx = b.input(a.map(|a| a.ctx))?;
    let challenge = b.input(a.map(|a| a.challenge))?;
    let rho = b.input(a.map(|a| a.rho))?;
    let x = b.inputs(n, a.map(|a| a.x))?;
    let z = b.inputs(n, a.map(|a| a.z))?;
    let m = b.inputs(table, a.map(|a| a.multiplicities))?;
    let set = b.inputs(table, a.map(|a| a.set))?;
    let iota = b.witnesses(n, a.map(|a| a.iota))?;
    let g = b.witnesses(table, a.map(|a| a.g))?;
    b.consistency_rows(&[ctx, challenge, rho])?;
    for i in 0..n {
        // C1
        let denominator = Lc::from(challenge) - x[i] - (shift, z[i]);
        b.enforce(Lc::from(iota[i]), denominator, constant(Fr::one()))?;
        // C2
        b.enforce(Lc::from(z[i]), Lc::from(z[i]) - constant(Fr::one()), zero())?;
    }
    for t in 0..table {
        // C3
        let denominator = Lc::from(challenge) - constant(Fr::from(t as u64)) - (shift, set[t]);
        b.enforce(Lc::from(g[t]), denominator, Lc::from(m[t]))?;
    }
    // C4
    let minus = -Fr::one();
    let terms: Vec<_> = iota
        .into_iter()
        .map(|v| (Fr::one(), v))
        .chain(g.into_iter().map(|v| (minus, v)))
        .collect();
    b.enforce(Lc::from_sum_coeff_vars(&terms), constant(Fr::one()), zero())
}
