//! Against arkworks, at the edges of each range and at random.

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, UniformRand};
use ark_std::{rand::Rng, test_rng};

use super::*;
use crate::path::has_vectors;

/// How many of each operation: in the long test 10^7.
const OPERATIONS: usize = 100_000;
const MANY: usize = 10_000_000;

/// Numbers below n·p in limbs: 0, 1, multiples of p and their neighbours, limbs of all ones where they fit, and random ones.
fn numbers<M: Modulus>(power: usize, rng: &mut impl Rng) -> Limbs {
    let limit = Constants::<M>::TIMES[power];
    let one = [1, 0, 0, 0, 0];
    let edge = match rng.gen_range(0..12) {
        0 => [0; LIMBS],
        1 => one,
        2 => less(limit, one),
        3 => [MASK, MASK, MASK, MASK, limit[4] - 1],
        4 => [MASK, 0, MASK, 0, 0],
        5 => {
            let other = Constants::<M>::TIMES[rng.gen_range(0..=power)];
            less(other, one)
        }
        6 if power > 0 => Constants::<M>::TIMES[rng.gen_range(0..power)],
        _ => loop {
            let top = rng.gen_range(0..=limit[4]);
            let limbs = [0; 4].map(|_: u64| u64::rand(rng) & MASK);
            let [a, b, c, d] = limbs;
            if is_below([a, b, c, d, top], limit) {
                break [a, b, c, d, top];
            }
        },
    };
    assert!(is_below(edge, limit));
    edge
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn of_numbers<M: Modulus>(numbers: &[Limbs; LANES]) -> Lanes<M> {
    let limbs = array::from_fn(|at| {
        let [a, b, c, d, e, f, g, h] = numbers.map(|limbs| limbs[at].cast_signed());
        _mm512_setr_epi64(a, b, c, d, e, f, g, h)
    });
    Lanes(limbs, PhantomData)
}

/// The element that a number is: it over 2^260.
fn element<M: Modulus>(mut number: Limbs) -> M {
    while !is_below(number, Constants::<M>::P) {
        number = less(number, Constants::<M>::P);
    }
    // Kept as 1/16 is 1/(16·2^256).
    M::from_bigint(BigInt(widen(number))).unwrap() * M::of_kept(widen(Constants::<M>::SIXTEENTH))
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn operations<M: Modulus>(count: usize) {
    let rng = &mut test_rng();
    let mut eight =
        |power: usize| -> [Limbs; LANES] { array::from_fn(|_| numbers::<M>(power, rng)) };
    for _ in 0..count.div_ceil(LANES) {
        let (a, b) = (eight(1), eight(1));
        let (x, y) = (of_numbers::<M>(&a), of_numbers::<M>(&b));
        let (c, d) = (eight(3), eight(3));
        let (z, w) = (of_numbers::<M>(&c), of_numbers::<M>(&d));
        let (sum, difference) = (x.plus(&y), x.minus(&y));
        let (product, reduced) = (z.times(&w), z.reduced());
        sum.check_below(2);
        difference.check_below(2);
        product.check_below(1);
        reduced.check_below(1);
        let mut products = Products::zero();
        products.add::<1, 1>(&x, &y);
        products.add::<1, 1>(&x, &z.reduced());
        products.add::<1, 1>(&y, &w.reduced());
        let (of_three, stored) = (products.reduced(), z.store());
        of_three.check_below(1);
        let (e, f) = (eight(2), eight(2));
        let (u, v) = (of_numbers::<M>(&e), of_numbers::<M>(&f));
        let wide = u.plus_wide(&v);
        wide.check_below(3);
        // As many products, and as large, as a sum may have.
        let mut products = Products::zero();
        for _ in 0..5 {
            products.add::<2, 2>(&u, &v);
        }
        let of_five = products.reduced();
        of_five.check_below(1);
        for (lane, number) in e.iter().enumerate() {
            let is = |mask: u8| mask >> lane & 1 == 1;
            assert_eq!(is(u.are_zero()), element::<M>(*number).is_zero());
            assert_eq!(is(u.are_blank()), *number == [0; LIMBS]);
        }
        let rows = x.into_rows();
        assert_eq!(rows, a.map(widen));
        assert_eq!(Lanes::<M>::of_rows(rows.each_ref()).numbers(), a);
        let all = [sum, difference, product, reduced, of_three, wide, of_five];
        let all = all.map(|l| l.numbers());
        for lane in 0..LANES {
            let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(|n| element::<M>(n[lane]));
            let ef = e * f;
            let expected = [
                a + b,
                a - b,
                c * d,
                c,
                a * b + a * c + b * d,
                e + f,
                ef + ef + ef + ef + ef,
            ];
            for (found, expected) in all.iter().zip(expected) {
                assert_eq!(element::<M>(found[lane]), expected);
                assert!(found[lane][..4].iter().all(|l| *l <= MASK));
            }
            assert_eq!(stored[lane], c);
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn elements<M: Modulus>() {
    let rng = &mut test_rng();
    for _ in 0..1_000 {
        let own: [M; LANES] = array::from_fn(|at| match at {
            0 => M::zero(),
            1 => M::one(),
            2 => -M::one(),
            _ => M::rand(rng),
        });
        let loaded = Lanes::load(&own);
        loaded.check_below(1);
        assert_eq!(loaded.store(), own);
        assert_eq!(Lanes::splat(own[3]).store(), [own[3]; LANES]);
        assert_eq!(Lanes::<M>::zero().store(), [M::zero(); LANES]);
        // A sum of as many products as there may be, each of elements below 1.
        let small: [M; LANES] = array::from_fn(|_| M::from(u32::rand(rng)));
        let mut products = Products::zero();
        let times = Lanes::load(&small);
        for _ in 0..20 {
            products.add::<1, 1>(&loaded, &times);
        }
        let expected = array::from_fn(|at| own[at] * small[at] * M::from(20_u64));
        assert_eq!(products.reduced().store(), expected);
    }
}

/// Whether there is something to test; what there is not is said loudly.
fn can() -> bool {
    let can = has_vectors();
    if !can {
        eprintln!("NOT TESTED: this machine has no AVX-512 IFMA");
    }
    can
}

#[test]
fn operations_are_those_of_the_fields() {
    if can() {
        // SAFETY: the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            operations::<Fr>(OPERATIONS);
            operations::<Fq>(OPERATIONS);
            elements::<Fr>();
            elements::<Fq>();
        }
    }
}

#[test]
#[ignore = "ten million operations of each kind: minutes"]
fn many_operations_are_those_of_the_fields() {
    if can() {
        // SAFETY: the machine has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            operations::<Fr>(MANY);
            operations::<Fq>(MANY);
        }
    }
}
