//! What the gates over packed totals, `release` and `compare`, have in common: their slots, and that a total is
//! its limbs.

use ark_ff::One;
use ark_relations::gr1cs::{Result as R1CSResult, Variable};
use zeroize::Zeroizing;

use super::{
    Layout, Slot, SlotKind,
    builder::{Builder, Lc, constant, power_sum, powers},
    release::{LIMB_BITS, LIMBS, LIMBS_PER_TOTAL, TOTALS, all_limbs, limbs_of},
};
use crate::Fr;

/// T₁..T₄ after this many public inputs.
pub(super) fn layout(publics: usize) -> Layout {
    let slot = |name| Slot {
        name,
        kind: SlotKind::Total,
        len: 1,
    };
    Layout {
        publics,
        slots: ["T1", "T2", "T3", "T4"].map(slot).into(),
    }
}

/// The totals' limbs in order.
///
/// # Errors
/// The first total that reaches 2^240.
pub(super) fn limbs(totals: &[Fr; TOTALS]) -> Result<Zeroizing<[u64; LIMBS]>, usize> {
    all_limbs(totals).map(Zeroizing::new).ok_or_else(|| {
        let too_large = totals.iter().position(|t| limbs_of(*t).is_none());
        too_large.expect("all limbs are there if every total's are")
    })
}

/// The native twin of [`enforce`]: the first total that is not its limbs.
pub(super) fn violation(limbs: &[Fr], totals: &[Fr; TOTALS]) -> Option<usize> {
    let mut each = limbs.chunks_exact(LIMBS_PER_TOTAL).zip(totals);
    each.position(|(own, total)| power_sum(own.iter().copied(), LIMB_BITS) != *total)
}

/// Each total is its limbs, in a row of its own.
pub(super) fn enforce(b: &Builder, limbs: &[Lc], totals: &[Variable]) -> R1CSResult<()> {
    for (total, limbs) in totals.iter().zip(limbs.chunks_exact(LIMBS_PER_TOTAL)) {
        let sum = limbs
            .iter()
            .zip(powers(LIMB_BITS))
            .fold(Lc::zero(), |sum, (limb, power)| sum + (power, limb));
        b.enforce(sum, constant(Fr::one()), Lc::from(*total))?;
    }
    Ok(())
}
