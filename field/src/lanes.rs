//! Eight elements of a field, lane by lane.
//!
//! *Below n* says that each lane is a number below n·p whose lower four limbs are below 2^52. With α·β ≤ 84 the product of numbers below α
//! and β is below 2: (αβ·p² + 2^260·p)/2^260 is, as p < 2^253.6.

use std::{arch::x86_64::*, array, marker::PhantomData};

use zeroize::Zeroize;

use crate::modulus::{Constants, LIMB, LIMBS, Limbs, MASK, Modulus, is_below, less, narrow, widen};

/// Lanes.
pub const LANES: usize = 8;

/// Eight elements.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Lanes<M>([__m512i; LIMBS], PhantomData<M>);

/// Sums of products, before they are reduced: what stands for each power of 2^52.
///
/// With Σ α·β ≤ 84 there are at most 84 products. Each adds at most ten numbers below 2^52 to a limb, and the reduction ten more: below 2^62.
#[derive(Debug, Clone, Copy)]
pub struct Products<M> {
    limbs: [__m512i; 2 * LIMBS],
    /// Σ α·β.
    #[cfg(debug_assertions)]
    size: u64,
    of: PhantomData<M>,
}

// Here and below loops instead of closures: a closure with these instructions is not compiled into a function without them, such as `from_fn`.

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn splat_limbs(limbs: &Limbs) -> [__m512i; LIMBS] {
    let mut splat = [_mm512_setzero_si512(); LIMBS];
    for (to, limb) in splat.iter_mut().zip(limbs) {
        *to = _mm512_set1_epi64(limb.cast_signed());
    }
    splat
}

/// Carries from limb to limb; limbs may be negative before, the number may not.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn carried(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    for at in 0..LIMBS - 1 {
        let carry = _mm512_srai_epi64::<LIMB>(limbs[at]);
        limbs[at] = _mm512_and_si512(limbs[at], mask);
        limbs[at + 1] = _mm512_add_epi64(limbs[at + 1], carry);
    }
    limbs
}

impl<M: Modulus> Lanes<M> {
    /// Eight elements, below 2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn load(elements: &[M; LANES]) -> Self {
        let kept: [Limbs; LANES] = elements.map(|e| narrow(*e.kept()));
        let limbs = array::from_fn(|at| {
            let [a, b, c, d, e, f, g, h] = kept.map(|limbs| limbs[at].cast_signed());
            _mm512_setr_epi64(a, b, c, d, e, f, g, h)
        });
        let in_form = Self(splat_limbs(&Constants::<M>::IN), PhantomData);
        Self(limbs, PhantomData).times(&in_form)
    }

    /// One element in all lanes, below 2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn splat(element: M) -> Self {
        Self::load(&[element; LANES])
    }

    /// Zeros.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn zero() -> Self {
        Self([_mm512_setzero_si512(); LIMBS], PhantomData)
    }

    /// The elements, of numbers below 8.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn store(&self) -> [M; LANES] {
        let out = Self(splat_limbs(&Constants::<M>::OUT), PhantomData);
        let lanes = self.times(&out).numbers();
        lanes.map(|mut limbs| {
            while !is_below(limbs, Constants::<M>::P) {
                limbs = less(limbs, Constants::<M>::P);
            }
            M::of_kept(widen(limbs))
        })
    }

    /// Each lane's limbs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn numbers(&self) -> [Limbs; LANES] {
        let mut limbs = [[0_i64; LANES]; LIMBS];
        for (to, from) in limbs.iter_mut().zip(&self.0) {
            // SAFETY: eight numbers of 64 bits are 512 bits, and the store needs no alignment.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_storeu_si512(to.as_mut_ptr().cast(), *from);
            }
        }
        array::from_fn(|lane| limbs.map(|l| l[lane].cast_unsigned()))
    }

    /// In a debug build that each lane is below a power of two times p, its limbs but the last below 2^52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn check_below(&self, power: usize) {
        if cfg!(debug_assertions) {
            let limit = Constants::<M>::TIMES[power];
            for limbs in self.numbers() {
                assert!(limbs[..LIMBS - 1].iter().all(|l| *l <= MASK), "{limbs:x?}");
                assert!(is_below(limbs, limit), "{limbs:x?} is not below {limit:x?}");
            }
        }
    }

    /// a + b, below 4, of numbers below 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.check_below(1);
        other.check_below(1);
        Self(carried(self.plus_raw(other).0), PhantomData)
    }

    /// a + b, below 8, of numbers below 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn plus_wide(&self, other: &Self) -> Self {
        self.check_below(2);
        other.check_below(2);
        Self(carried(self.plus_raw(other).0), PhantomData)
    }

    /// Limb by limb.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn plus_raw(&self, other: &Self) -> Self {
        let mut sums = self.0;
        for (sum, limb) in sums.iter_mut().zip(&other.0) {
            *sum = _mm512_add_epi64(*sum, *limb);
        }
        Self(sums, PhantomData)
    }

    /// a − b, below 4, of numbers below 2.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.check_below(1);
        other.check_below(1);
        let two = splat_limbs(&Constants::<M>::TIMES[1]);
        let mut differences = self.0;
        for ((limb, more), less) in differences.iter_mut().zip(&two).zip(&other.0) {
            *limb = _mm512_sub_epi64(_mm512_add_epi64(*limb, *more), *less);
        }
        Self(carried(differences), PhantomData)
    }

    /// The same below 2, of numbers below 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn halved(&self) -> Self {
        self.check_below(2);
        let halved = self.less_unless_negative(1);
        halved.check_below(1);
        halved
    }

    /// Less 2^`power`·p, where that is not negative.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn less_unless_negative(&self, power: usize) -> Self {
        let limit = splat_limbs(&Constants::<M>::TIMES[power]);
        let mut rest = self.0;
        for (limb, of_limit) in rest.iter_mut().zip(&limit) {
            *limb = _mm512_sub_epi64(*limb, *of_limit);
        }
        let rest = carried(rest);
        // The last limb has the number's sign.
        let is_negative = _mm512_movepi64_mask(rest[LIMBS - 1]);
        Self(rest, PhantomData).or(is_negative, self)
    }

    /// The same below 2, of numbers below 8.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn reduced(&self) -> Self {
        self.check_below(3);
        let reduced = self.less_unless_negative(2).less_unless_negative(1);
        reduced.check_below(1);
        reduced
    }

    /// The other's lanes where the mask has bits, and these elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn or(&self, mask: u8, other: &Self) -> Self {
        let mut chosen = self.0;
        for (own, limb) in chosen.iter_mut().zip(&other.0) {
            *own = _mm512_mask_blend_epi64(mask, *own, *limb);
        }
        Self(chosen, PhantomData)
    }

    /// Which lanes are 0 in the field, of numbers below 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn are_zero(&self) -> u8 {
        self.check_below(2);
        let p = Constants::<M>::P[0];
        // Hardly ever is another number's lowest limb that of a multiple of p.
        let mut is_near = 0;
        for times in 0..4 {
            let multiple = _mm512_set1_epi64(((times * p) & MASK).cast_signed());
            is_near |= _mm512_cmpeq_epi64_mask(self.0[0], multiple);
        }
        if is_near == 0 {
            return 0;
        }
        let (reduced, p) = (self.reduced(), splat_limbs(&Constants::<M>::P));
        let mut is_p = u8::MAX;
        for (limb, of_p) in reduced.0.iter().zip(&p) {
            is_p &= _mm512_cmpeq_epi64_mask(*limb, *of_p);
        }
        is_p | reduced.are_blank()
    }

    /// Which lanes are the number 0 itself.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn are_blank(&self) -> u8 {
        let mut any = self.0[0];
        for limb in &self.0[1..] {
            any = _mm512_or_si512(any, *limb);
        }
        _mm512_testn_epi64_mask(any, any)
    }

    /// a·b, below 2, of numbers below 8.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut product = Products::zero();
        product.add::<3, 3>(self, other);
        product.reduced()
    }
}

impl<M> Zeroize for Lanes<M> {
    fn zeroize(&mut self) {
        // SAFETY: zeros are numbers too, and a volatile write to what is borrowed alone is not left out where nobody reads it.
        #[allow(unsafe_code)]
        unsafe {
            std::ptr::write_volatile(self, std::mem::zeroed());
        }
    }
}

impl<M: Modulus> Products<M> {
    /// No products.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn zero() -> Self {
        Self {
            limbs: [_mm512_setzero_si512(); 2 * LIMBS],
            #[cfg(debug_assertions)]
            size: 0,
            of: PhantomData,
        }
    }

    /// Adds a·b, of numbers below 2^`A` and 2^`B`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add<const A: usize, const B: usize>(&mut self, a: &Lanes<M>, b: &Lanes<M>) {
        a.check_below(A);
        b.check_below(B);
        #[cfg(debug_assertions)]
        {
            self.size += 1 << (A + B);
        }
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                let (low, high) = (i + j, i + j + 1);
                self.limbs[low] = _mm512_madd52lo_epu64(self.limbs[low], a.0[i], b.0[j]);
                self.limbs[high] = _mm512_madd52hi_epu64(self.limbs[high], a.0[i], b.0[j]);
            }
        }
    }

    /// The sum over 2^260, below 2 if Σ α·β ≤ 84.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn reduced(self) -> Lanes<M> {
        #[cfg(debug_assertions)]
        assert!(self.size <= 84, "Σ α·β is {}", self.size);
        let (mut limbs, zero) = (self.limbs, _mm512_setzero_si512());
        let inverse = _mm512_set1_epi64(Constants::<M>::INVERSE.cast_signed());
        let p = splat_limbs(&Constants::<M>::P);
        for i in 0..LIMBS {
            // What makes the lowest limb a multiple of 2^52.
            let times = _mm512_madd52lo_epu64(zero, limbs[i], inverse);
            for j in 0..LIMBS {
                limbs[i + j] = _mm512_madd52lo_epu64(limbs[i + j], times, p[j]);
            }
            limbs[i + 1] = _mm512_add_epi64(limbs[i + 1], _mm512_srli_epi64::<LIMB>(limbs[i]));
            for j in 0..LIMBS {
                limbs[i + j + 1] = _mm512_madd52hi_epu64(limbs[i + j + 1], times, p[j]);
            }
        }
        let [.., a, b, c, d, e] = limbs;
        let reduced = Lanes(carried([a, b, c, d, e]), PhantomData);
        reduced.check_below(1);
        reduced
    }
}

mod rows;
#[cfg(test)]
mod tests;

pub(crate) use rows::Row;
