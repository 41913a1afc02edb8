//! The fields' constants in limbs of 52 bits.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, PrimeField};

/// Bits of a limb.
pub(crate) const LIMB: u32 = 52;
/// A limb of all ones.
pub(crate) const MASK: u64 = (1 << LIMB) - 1;
/// Limbs of an element.
pub(crate) const LIMBS: usize = 5;

/// A number below 2^260 in limbs of 52 bits.
pub(crate) type Limbs = [u64; LIMBS];

/// A prime field of 254 bits whose elements arkworks keeps in Montgomery form with R = 2^256.
pub trait Modulus: PrimeField<BigInt = BigInt<4>> {
    /// The limbs as they are kept.
    fn kept(&self) -> &[u64; 4];
    /// The element that is kept so; the limbs are below the modulus.
    fn of_kept(limbs: [u64; 4]) -> Self;
}

impl Modulus for Fr {
    #[inline(always)]
    fn kept(&self) -> &[u64; 4] {
        &self.0.0
    }

    fn of_kept(limbs: [u64; 4]) -> Self {
        Fr::new_unchecked(BigInt(limbs))
    }
}

impl Modulus for Fq {
    #[inline(always)]
    fn kept(&self) -> &[u64; 4] {
        &self.0.0
    }

    fn of_kept(limbs: [u64; 4]) -> Self {
        Fq::new_unchecked(BigInt(limbs))
    }
}

/// What the kernels need of a field.
pub(crate) struct Constants<M>(std::marker::PhantomData<M>);

impl<M: Modulus> Constants<M> {
    /// p, 2p, 4p and 8p: the last is below 2^257.
    pub(crate) const TIMES: [Limbs; 4] = {
        let p = narrow(M::MODULUS.0);
        [p, times(p, 2), times(p, 4), times(p, 8)]
    };
    pub(crate) const P: Limbs = Self::TIMES[0];
    /// −1/p modulo 2^52.
    pub(crate) const INVERSE: u64 = {
        // Newton's iteration doubles the bits that are right: 1, 2, 4, 8, 16, 32, 64.
        let (p, mut x, mut round) = (Self::P[0], 1_u64, 0);
        while round < 6 {
            x = x.wrapping_mul(2_u64.wrapping_sub(p.wrapping_mul(x)));
            round += 1;
        }
        x.wrapping_neg() & MASK
    };
    /// 2^264 modulo p: times x·2^256, by a product that divides by 2^260, it is x·2^260.
    pub(crate) const IN: Limbs = power_of_two(Self::P, 264);
    /// 2^256 modulo p: the way back.
    pub(crate) const OUT: Limbs = power_of_two(Self::P, 256);
    /// 1/16 modulo p.
    pub(crate) const SIXTEENTH: Limbs = {
        let mut times_p = 0;
        while (Self::P[0] * times_p + 1) & 15 != 0 {
            times_p += 1;
        }
        let (mut number, mut at) = (times(Self::P, times_p), 0);
        number[0] += 1;
        while at < LIMBS {
            let above = if at + 1 < LIMBS { number[at + 1] } else { 0 };
            number[at] = (number[at] >> 4 | above << (LIMB - 4)) & MASK;
            at += 1;
        }
        number
    };
}

/// The same number in limbs of 52 bits.
pub(crate) const fn narrow(wide: [u64; 4]) -> Limbs {
    [
        wide[0] & MASK,
        (wide[0] >> 52 | wide[1] << 12) & MASK,
        (wide[1] >> 40 | wide[2] << 24) & MASK,
        (wide[2] >> 28 | wide[3] << 36) & MASK,
        wide[3] >> 16,
    ]
}

/// A number below 2^256 in limbs of 64 bits.
pub(crate) const fn widen(narrow: Limbs) -> [u64; 4] {
    [
        narrow[0] | narrow[1] << 52,
        narrow[1] >> 12 | narrow[2] << 40,
        narrow[2] >> 24 | narrow[3] << 28,
        narrow[3] >> 36 | narrow[4] << 16,
    ]
}

/// A few times a number; the last limb takes what is beyond 52 bits.
const fn times(limbs: Limbs, factor: u64) -> Limbs {
    let (mut product, mut carry, mut at) = ([0; LIMBS], 0, 0);
    while at < LIMBS {
        carry += limbs[at] * factor;
        product[at] = if at + 1 < LIMBS { carry & MASK } else { carry };
        carry >>= LIMB;
        at += 1;
    }
    product
}

/// 2^exponent modulo p.
const fn power_of_two(p: Limbs, exponent: u32) -> Limbs {
    let (mut power, mut done) = ([1, 0, 0, 0, 0], 0);
    while done < exponent {
        power = times(power, 2);
        if !is_below(power, p) {
            power = less(power, p);
        }
        done += 1;
    }
    power
}

pub(crate) const fn is_below(a: Limbs, b: Limbs) -> bool {
    let mut at = LIMBS;
    while at > 0 {
        at -= 1;
        if a[at] != b[at] {
            return a[at] < b[at];
        }
    }
    false
}

/// a − b, which is not below 0.
pub(crate) const fn less(a: Limbs, b: Limbs) -> Limbs {
    let (mut difference, mut borrow, mut at) = ([0; LIMBS], 0, 0);
    while at < LIMBS {
        let limb = a[at] + (1 << 63) - b[at] - borrow;
        borrow = if limb < 1 << 63 { 1 } else { 0 };
        difference[at] = if at + 1 < LIMBS {
            limb & MASK
        } else {
            limb & !(1 << 63)
        };
        at += 1;
    }
    difference
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use ark_std::test_rng;

    use super::*;

    fn constants<M: Modulus>() {
        let p = Constants::<M>::P;
        assert_eq!(widen(p), M::MODULUS.0);
        assert_eq!(p[0].wrapping_mul(Constants::<M>::INVERSE) & MASK, MASK);
        let of = |limbs: Limbs| M::from_bigint(BigInt(widen(limbs))).unwrap();
        assert_eq!(of(Constants::<M>::IN), M::from(2_u64).pow([264]));
        assert_eq!(of(Constants::<M>::OUT), M::from(2_u64).pow([256]));
        let sixteenth = of(Constants::<M>::SIXTEENTH);
        assert!((sixteenth * M::from(16_u64)).is_one());
        let [one, two, four, eight] = Constants::<M>::TIMES;
        assert_eq!(less(less(two, one), one), [0; LIMBS]);
        assert_eq!(less(less(less(eight, four), two), one), one);
        assert!(is_below(one, two) && !is_below(two, one) && !is_below(one, one));
    }

    #[test]
    fn constants_are_those_of_the_fields() {
        constants::<Fr>();
        constants::<Fq>();
    }

    #[test]
    fn limbs_are_cut_and_joined() {
        let mut rng = test_rng();
        for _ in 0..1_000 {
            let x = Fq::rand(&mut rng);
            assert_eq!(widen(narrow(*x.kept())), *x.kept());
            assert_eq!(Fq::of_kept(*x.kept()), x);
            assert!(narrow(*x.kept()).iter().all(|l| *l <= MASK));
        }
    }
}
