//! The values of an equation's cells: published ones, and hidden ones with what is proven of them
//! (`docs/spec/equation.md`, "Hidden cells").
//!
//! Hidden cells are entries of one committed column T, which enters the sum with public weights; no constraint
//! of the circuit is about a single one. What is proven of them has one form: Σ_j a_kj T_j − lo_k ∈ [0, 2^(8·l_k)).
//! The value is committed as l_k limbs of [`LIMB_BITS`] bits, as many as its largest honest value needs; all limbs lie
//! end to end along the rows of one more column that is looked up in {0 … 2^8 − 1}.

use ark_ff::Zero;

use crate::{Fr, hash::Transcript};

/// Bits of a limb.
pub const LIMB_BITS: u32 = 8;
/// The most limbs of a value.
pub const MAX_LIMBS: usize = 6;
/// What is proven of hidden cells lies in [0, 2^48) at most.
pub const RANGE_BITS: u32 = 48;
const _: () = assert!(RANGE_BITS as usize == LIMB_BITS as usize * MAX_LIMBS);

/// The limbs that every number from 0 to `most` fits into, at least one.
#[must_use]
pub fn limbs_for(most: u128) -> usize {
    let bits = u128::BITS - most.leading_zeros();
    bits.div_ceil(LIMB_BITS).max(1) as usize
}

/// 0 ≤ Σ coefficient·hidden cell − bound < 2^(8·limbs).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inequality {
    /// (place among [`Cells::hidden`], coefficient).
    pub terms: Vec<(usize, i64)>,
    /// lo.
    pub bound: i64,
    /// l: limbs of the value, 1 to [`MAX_LIMBS`].
    pub limbs: usize,
}

/// Published values, and which cells are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells {
    /// By [`Equation::cell`](super::Equation::cell); `None` where hidden.
    pub published: Vec<Option<i128>>,
    /// What is proven of the hidden ones, by their order among the hidden cells.
    pub inequalities: Vec<Inequality>,
}

impl Cells {
    /// The hidden cells, ascending.
    #[must_use]
    pub fn hidden(&self) -> Vec<usize> {
        let cells = self.published.iter().enumerate();
        cells
            .filter_map(|(i, v)| v.is_none().then_some(i))
            .collect()
    }

    pub(crate) fn absorb(&self, t: &mut Transcript) {
        t.number(self.published.len() as u64);
        for value in &self.published {
            match value {
                None => t.number(0),
                Some(v) => t.number(1).bytes(&v.to_le_bytes()),
            };
        }
        t.number(self.inequalities.len() as u64);
        for inequality in &self.inequalities {
            t.bytes(&inequality.bound.to_le_bytes())
                .number(inequality.limbs as u64)
                .number(inequality.terms.len() as u64);
            for (cell, coefficient) in &inequality.terms {
                t.number(*cell as u64).bytes(&coefficient.to_le_bytes());
            }
        }
    }
}

/// A signed integer as a field element.
#[must_use]
pub(crate) fn signed(value: i128) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// Of the hidden cells and of the limbs the public weights with which they enter the second sum:
/// Σ_j d_j T_j − Σ_rows h·w = e, with θ telling the inequalities apart.
pub(crate) struct Folded {
    /// d_j by hidden cell.
    pub cells: Vec<Fr>,
    /// By row of the column of limbs.
    pub limbs: Vec<Fr>,
    /// e = Σ_k θ^k lo_k.
    pub bound: Fr,
}

/// Rows that the limbs of inequalities take.
pub(crate) fn limb_rows(inequalities: &[Inequality]) -> usize {
    inequalities.iter().map(|i| i.limbs).sum()
}

/// Folds inequalities over `hidden` cells with powers of θ.
pub(crate) fn fold(inequalities: &[Inequality], hidden: usize, theta: Fr) -> Folded {
    let mut folded = Folded {
        cells: vec![Fr::zero(); hidden],
        limbs: Vec::with_capacity(limb_rows(inequalities)),
        bound: Fr::zero(),
    };
    let mut power = Fr::from(1u64);
    for inequality in inequalities {
        for (cell, coefficient) in &inequality.terms {
            folded.cells[*cell] += power * signed(i128::from(*coefficient));
        }
        folded.bound += power * signed(i128::from(inequality.bound));
        let mut weight = power;
        for _ in 0..inequality.limbs {
            folded.limbs.push(weight);
            weight *= Fr::from(1u64 << LIMB_BITS);
        }
        power *= theta;
    }
    folded
}
