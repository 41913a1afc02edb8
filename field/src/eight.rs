//! Eight elements of F for code that knows nothing of instructions.
//!
//! [`Vectors`] is proof that the machine has them. Every [`Eight`] is made from one, so that whoever holds an `Eight` may compute with it. Its
//! functions are compiled into [`Vectors::run`] where what runs there is inlined: [`Work::run`] and what it calls are to be
//! `#[inline(always)]`, and are slow, not wrong, where they are not.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use zeroize::Zeroize;

use crate::{
    lanes::{LANES, Lanes, Products},
    modulus::{Constants, LIMB, LIMBS, Modulus, widen},
    path::{Path, Work, path},
};

/// That the machine has the instructions, and that they are to be used.
#[derive(Debug, Clone, Copy)]
pub struct Vectors(());

impl Vectors {
    /// Where [`path`] says so.
    #[must_use]
    pub fn new() -> Option<Self> {
        (path() == Path::Vector).then_some(Self(()))
    }

    /// Does it with the instructions.
    pub fn run<W: Work>(self, work: W) -> W::Result {
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn with_vectors<W: Work>(work: W) -> W::Result {
            work.run()
        }
        // SAFETY: `self` says that the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            with_vectors(work)
        }
    }

    /// Zeros.
    #[inline(always)]
    #[must_use]
    pub fn zero(self) -> Eight {
        // SAFETY: `self` says that the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            Eight(Lanes::zero())
        }
    }

    /// One element in all lanes, below 2.
    #[must_use]
    pub fn splat(self, element: Fr) -> Eight {
        // SAFETY: `self` says that the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            Eight(Lanes::splat(element))
        }
    }

    /// Eight elements, below 2.
    #[must_use]
    pub fn load(self, elements: &[Fr; LANES]) -> Eight {
        // SAFETY: `self` says that the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            Eight(Lanes::load(elements))
        }
    }

    /// Sixteenths of eight elements, below 1: arkworks' form, x·2^256, read as x/16·2^260.
    #[inline(always)]
    #[must_use]
    pub fn sixteenths(self, elements: [&Fr; LANES]) -> Eight {
        // SAFETY: `self` says that the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            Eight(Lanes::of_rows(elements.map(|e| e.kept())))
        }
    }

    /// A sum of nothing.
    #[inline(always)]
    #[must_use]
    pub fn nothing(self) -> Total {
        Total {
            limbs: self.zero(),
            count: 0,
            done: Fr::ZERO,
        }
    }
}

/// Eight elements: *below n* says that each lane is a number below n·p that stands for it.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Eight(Lanes<Fr>);

/// Calls a function of [`Lanes`].
macro_rules! with_lanes {
    ($call:expr) => {{
        // SAFETY: there is no `Eight` unless the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            $call
        }
    }};
}

impl Eight {
    /// a + b, below 2, of numbers below 4.
    #[inline(always)]
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        with_lanes!(Self(self.0.plus_wide(&other.0).reduced()))
    }

    /// a − b, below 4, of numbers below 2.
    #[inline(always)]
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        with_lanes!(Self(self.0.minus(&other.0)))
    }

    /// a·b, below 2, of numbers below 4.
    #[inline(always)]
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        with_lanes!(Self(self.0.times(&other.0)))
    }

    /// Σ aᵢ·bᵢ, below 2, of at most five products of numbers below 4: 5·4·4 ≤ 84.
    #[inline(always)]
    #[must_use]
    pub fn products<const K: usize>(a: &[Self; K], b: &[Self; K]) -> Self {
        const { assert!(K <= 5) };
        with_lanes!({
            let mut products = Products::zero();
            for at in 0..K {
                products.add::<2, 2>(&a[at].0, &b[at].0);
            }
            Self(products.reduced())
        })
    }

    /// Whether all of them are the number 0 itself.
    #[inline(always)]
    #[must_use]
    pub fn is_blank(&self) -> bool {
        with_lanes!(self.0.are_blank() == u8::MAX)
    }

    /// Zeros.
    #[inline(always)]
    #[must_use]
    pub fn zeros(&self) -> Self {
        with_lanes!(Self(Lanes::zero()))
    }

    /// The elements, of numbers below 4.
    #[must_use]
    pub fn elements(&self) -> [Fr; LANES] {
        with_lanes!(self.0.store())
    }
}

impl Zeroize for Eight {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// The sum of many eights, all lanes together: limbs are added up, and reduced when there are many.
#[derive(Debug, Clone, Copy)]
pub struct Total {
    limbs: Eight,
    count: u32,
    done: Fr,
}

impl Total {
    /// A limb below 2^52 of each number: so many fit into 63 bits.
    const MOST: u32 = 1 << 11;

    /// Adds eight elements, below 4.
    #[inline(always)]
    pub fn add(&mut self, eight: &Eight) {
        if self.count == Self::MOST {
            self.fold();
        }
        self.count += 1;
        self.limbs = with_lanes!(Eight(self.limbs.0.plus_raw(&eight.0)));
    }

    /// What was added.
    #[must_use]
    pub fn sum(mut self) -> Fr {
        self.fold();
        self.done
    }

    #[cold]
    fn fold(&mut self) {
        let lanes = with_lanes!(self.limbs.0.numbers());
        let base = Fr::from(1_u64 << LIMB);
        let number = (0..LIMBS).rev().fold(Fr::ZERO, |higher, at| {
            let sum: u128 = lanes.iter().map(|limbs| u128::from(limbs[at])).sum();
            higher * base + Fr::from(sum)
        });
        // Kept as 1/16 is 1/(16·2^256): a number stands for itself over 2^260.
        self.done += number * Fr::of_kept(widen(Constants::<Fr>::SIXTEENTH));
        self.limbs = self.limbs.zeros();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand, Zero};
    use ark_std::{rand::Rng, test_rng};

    use super::*;

    /// The token, whatever `GALEN_SIMD` says.
    fn vectors() -> Option<Vectors> {
        let can = crate::path::has_vectors();
        if !can {
            eprintln!("NOT TESTED: this machine has no AVX-512 IFMA");
        }
        can.then_some(Vectors(()))
    }

    fn element(rng: &mut impl Rng) -> Fr {
        match rng.gen_range(0..6) {
            0 => Fr::zero(),
            1 => Fr::one(),
            2 => -Fr::one(),
            _ => Fr::rand(rng),
        }
    }

    #[test]
    fn operations_are_those_of_the_field() {
        let Some(vectors) = vectors() else { return };
        let rng = &mut test_rng();
        for _ in 0..2_000 {
            let [a, b, c]: [[Fr; 8]; 3] =
                std::array::from_fn(|_| std::array::from_fn(|_| element(rng)));
            let [x, y, z] = [&a, &b, &c].map(|e| vectors.load(e));
            let d = x.minus(&y);
            let found = [
                x.plus(&y),
                d,
                d.plus(&d),
                d.times(&d),
                Eight::products(&[d, d, x, y, d], &[d, z, z, d, d]),
                vectors.sixteenths(a.each_ref()),
                vectors.splat(a[0]),
                x.zeros(),
            ];
            for lane in 0..8 {
                let [a0, a, b, c] = [a[0], a[lane], b[lane], c[lane]];
                let d = a - b;
                let expected = [
                    a + b,
                    d,
                    d + d,
                    d * d,
                    d * d + d * c + a * c + b * d + d * d,
                    a / Fr::from(16_u64),
                    a0,
                    Fr::zero(),
                ];
                assert_eq!(found.map(|f| f.elements()[lane]), expected);
            }
        }
    }

    #[test]
    fn totals_are_reduced_when_they_are_full() {
        let Some(vectors) = vectors() else { return };
        // The largest numbers that may be added: 4p − 1, nearly.
        let largest = [-Fr::one(); 8];
        let one = vectors.load(&largest);
        let zero = vectors.zero();
        let largest_difference = zero.minus(&one.minus(&zero).plus(&zero));
        for count in [0, 1, 2_047, 2_048, 2_049, 10_000_u64] {
            let mut total = vectors.nothing();
            for _ in 0..count {
                total.add(&largest_difference);
            }
            assert_eq!(total.sum(), Fr::from(8 * count));
        }
        let rng = &mut test_rng();
        let (mut total, mut expected) = (vectors.nothing(), Fr::zero());
        for _ in 0..5_000 {
            let eight: [Fr; 8] = std::array::from_fn(|_| element(rng));
            total.add(&vectors.load(&eight));
            expected += eight.iter().sum::<Fr>();
        }
        assert_eq!(total.sum(), expected);
    }

    #[test]
    fn eights_are_blank_when_they_are_overwritten() {
        let Some(vectors) = vectors() else { return };
        let mut eight = vectors.splat(Fr::from(7_u64));
        assert!(!eight.is_blank());
        eight.zeroize();
        assert!(eight.is_blank() && vectors.zero().is_blank());
    }
}
