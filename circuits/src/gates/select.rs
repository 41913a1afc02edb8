//! `select`: zᵢ = yᵢ where xᵢ = k, else 0. Spec: `docs/spec/select.md`.

use ark_ff::{Zero, batch_inversion};
use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult};

use super::{
    Layout, Slot, SlotKind,
    builder::{Builder, Lc, zero},
};
use crate::Fr;

/// Λ = lcm(1..16): with 0 ≤ x ≤ 16 and y a bit the hint is a small integer, which keeps the prover's
/// multi-scalar multiplications short. Soundness does not depend on it.
pub const LAMBDA: u64 = 720_720;

/// The values of one proof; every slice has one entry a row.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// The dataset's context.
    pub ctx: Fr,
    /// The public constant that x is compared with.
    pub k: Fr,
    /// The blinding of D.
    pub rho: Fr,
    /// The compared column.
    pub x: &'a [Fr],
    /// The payload.
    pub y: &'a [Fr],
    /// The selected payload.
    pub z: &'a [Fr],
}

/// The native twin: which constraint fails first, if any.
#[must_use]
pub fn violation(a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    (0..a.x.len()).find_map(|i| {
        let equal = a.x[i] == a.k;
        match (equal, a.z[i] == a.y[i], a.z[i].is_zero()) {
            (true, false, _) => Some(("C1", i)),
            (false, _, false) => Some(("C2", i)),
            _ => None,
        }
    })
}

/// The hints wᵢ = Λ·(yᵢ − zᵢ)/(k − xᵢ), 0 where xᵢ = k.
#[must_use]
pub fn hints(k: Fr, x: &[Fr], y: &[Fr], z: &[Fr]) -> Vec<Fr> {
    let lambda = Fr::from(LAMBDA);
    let mut w: Vec<Fr> = x.iter().map(|x| k - x).collect();
    batch_inversion(&mut w);
    for (w, (y, z)) in w.iter_mut().zip(y.iter().zip(z)) {
        *w *= (*y - z) * lambda;
    }
    w
}

pub(super) fn layout(n: usize) -> Layout {
    let slot = |name| Slot {
        name,
        kind: SlotKind::Vector,
        len: n,
    };
    Layout {
        publics: 2,
        slots: vec![slot("x"), slot("y"), slot("z")],
    }
}

pub(super) fn synthesize(
    cs: ConstraintSystemRef<Fr>,
    n: usize,
    a: Option<Assignment<'_>>,
) -> R1CSResult<()> {
    let b = Builder(cs);
    let ctx = b.input(a.map(|a| a.ctx))?;
    let k = b.input(a.map(|a| a.k))?;
    let rho = b.input(a.map(|a| a.rho))?;
    let x = b.inputs(n, a.map(|a| a.x))?;
    let y = b.inputs(n, a.map(|a| a.y))?;
    let z = b.inputs(n, a.map(|a| a.z))?;
    let hints = a.map(|a| hints(a.k, a.x, a.y, a.z));
    let w = b.witnesses(n, hints.as_deref())?;
    b.consistency_rows(&[ctx, k, rho])?;
    let lambda = Fr::from(LAMBDA);
    for i in 0..n {
        let k_minus_x = || Lc::from(k) - x[i];
        // C1
        let rest = Lc::from((lambda, y[i])) - (lambda, z[i]);
        b.enforce(Lc::from(w[i]), k_minus_x(), rest)?;
        // C2
        b.enforce(Lc::from(z[i]), k_minus_x(), zero())?;
    }
    Ok(())
}
