//! What the sumcheck's arithmetic is done on: one element of F, or eight.

use ark_ff::{AdditiveGroup, Field, Zero};

use crate::Fr;

/// An element, or several side by side. Of several each function says between which multiples of p its arguments and its result may be.
pub(super) trait Number: Copy {
    /// A sum over many rows, all lanes together.
    type Total;

    /// 0.
    fn nought(&self) -> Self;
    /// Whether it is 0; of a 0 that is written otherwise it may say that it is not.
    fn is_nought(&self) -> bool;
    /// a + b.
    fn plus(&self, other: &Self) -> Self;
    /// a − b, of a and b that are no differences themselves.
    fn minus(&self, other: &Self) -> Self;
    /// a·b.
    fn times(&self, other: &Self) -> Self;
    /// Σ aᵢ·bᵢ, for at most five.
    fn products<const K: usize>(a: &[Self; K], b: &[Self; K]) -> Self;
    /// Adds it to a total.
    fn add_to(&self, total: &mut Self::Total);
}

impl Number for Fr {
    type Total = Fr;

    #[inline(always)]
    fn nought(&self) -> Self {
        Fr::ZERO
    }

    #[inline(always)]
    fn is_nought(&self) -> bool {
        self.is_zero()
    }

    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        *self + other
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        *self - other
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        *self * other
    }

    #[inline(always)]
    fn products<const K: usize>(a: &[Self; K], b: &[Self; K]) -> Self {
        Fr::sum_of_products(a, b)
    }

    #[inline(always)]
    fn add_to(&self, total: &mut Self) {
        *total += self;
    }
}

#[cfg(target_arch = "x86_64")]
impl Number for galen_field::Eight {
    type Total = galen_field::Total;

    #[inline(always)]
    fn nought(&self) -> Self {
        self.zeros()
    }

    #[inline(always)]
    fn is_nought(&self) -> bool {
        self.is_blank()
    }

    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        self.plus(other)
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        self.minus(other)
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        self.times(other)
    }

    #[inline(always)]
    fn products<const K: usize>(a: &[Self; K], b: &[Self; K]) -> Self {
        Self::products(a, b)
    }

    #[inline(always)]
    fn add_to(&self, total: &mut Self::Total) {
        total.add(self);
    }
}
