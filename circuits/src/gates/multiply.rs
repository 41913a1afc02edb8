//! `multiply`: zᵢ = xᵢ·yᵢ. Spec: `docs/spec/multiply.md`.

use ark_relations::gr1cs::{ConstraintSystemRef, Result as R1CSResult};

use super::{
    Layout, Slot, SlotKind,
    builder::{Builder, Lc},
};
use crate::Fr;

/// The values of one proof; every slice has one entry a row.
#[derive(Clone, Copy)]
pub struct Assignment<'a> {
    /// The dataset's context.
    pub ctx: Fr,
    /// The blinding of D.
    pub rho: Fr,
    /// Left factor.
    pub x: &'a [Fr],
    /// Right factor.
    pub y: &'a [Fr],
    /// Product.
    pub z: &'a [Fr],
}

/// The native twin: which constraint fails first, if any.
#[must_use]
pub fn violation(a: &Assignment<'_>) -> Option<(&'static str, usize)> {
    (0..a.x.len())
        .find(|i| a.x[*i] * a.y[*i] != a.z[*i])
        .map(|i| ("C1", i))
}

pub(super) fn layout(n: usize) -> Layout {
    let slot = |name| Slot {
        name,
        kind: SlotKind::Vector,
        len: n,
    };
    Layout {
        publics: 1,
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
    let rho = b.input(a.map(|a| a.rho))?;
    let x = b.inputs(n, a.map(|a| a.x))?;
    let y = b.inputs(n, a.map(|a| a.y))?;
    let z = b.inputs(n, a.map(|a| a.z))?;
    b.consistency_rows(&[ctx, rho])?;
    for i in 0..n {
        // C1
        b.enforce(Lc::from(x[i]), Lc::from(y[i]), Lc::from(z[i]))?;
    }
    Ok(())
}
