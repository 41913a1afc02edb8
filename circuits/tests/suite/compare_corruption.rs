//! For each constraint of `compare`, a corruption that violates it and nothing else.

use ark_ff::{Field, One, Zero};
use galen_circuits::{
    Fr,
    gates::{Assignment, Gate, compare, release},
    prove,
};

use crate::{
    corruption::Subject,
    world::{WORLD, compare_statement, ctx, is_unsatisfied, release_columns},
};

const BITS: usize = release::LIMB_BITS as usize;
/// Private values of one inequality: products, then the bits of their sum.
const EACH: usize = release::LIMBS + compare::SUM_BITS as usize;

fn totals() -> [Fr; release::TOTALS] {
    release_columns().map(|c| c.values().iter().sum())
}

/// 1 + 40 − 2·5 = 31 ≥ 0 and −830 + 900 − 70 = 0 ≥ 0.
fn subject() -> Subject {
    Subject::new(
        Gate::Compare,
        8,
        Assignment::Compare(compare::Assignment {
            ctx: Fr::from(5u64),
            statement: &compare_statement(),
            rho: Fr::from(6u64),
            totals: &totals(),
        }),
    )
}

fn limb_bit(s: &Subject, limb: usize, bit: usize) -> usize {
    s.witness(limb * BITS + bit)
}

fn product(s: &Subject, inequality: usize, limb: usize) -> usize {
    s.witness(release::LIMBS * BITS + inequality * EACH + limb)
}

fn sum_bit(s: &Subject, inequality: usize, bit: usize) -> usize {
    product(s, inequality, release::LIMBS) + bit
}

/// The public constant of an inequality; its weights follow.
fn constant(inequality: usize) -> usize {
    2 + inequality * (1 + release::LIMBS)
}

#[test]
fn c1_the_bits_of_a_limb_are_bits() {
    let s = subject();
    // 5 = 101: bits 3 and −1 for 1 and 0 are the same number.
    s.refused(&[("C1", 6)], |v| {
        v[limb_bit(&s, 6, 0)] += Fr::from(2u64);
        v[limb_bit(&s, 6, 1)] -= Fr::one();
    });
}

#[test]
fn c1_a_limb_cannot_carry_into_its_neighbour() {
    let s = subject();
    // (5, 70) told as (5 + 2^40, 69), so that −2·5 + … could be had from another limb.
    s.refused(&[("C1", 6), ("C3", 0), ("C3", 1)], |v| {
        v[limb_bit(&s, 6, BITS - 1)] += Fr::from(2u64);
        v[limb_bit(&s, 7, 0)] += Fr::one();
        v[limb_bit(&s, 7, 1)] -= Fr::one();
    });
}

#[test]
fn c2_the_total_is_its_limbs() {
    let s = subject();
    for total in 0..release::TOTALS {
        s.refused(&[("C2", total)], |v| v[s.slot(total, 0)] += Fr::one());
    }
    // A limb of no weight, told as another.
    s.refused(&[("C2", 2)], |v| v[limb_bit(&s, 13, 0)] += Fr::one());
}

#[test]
fn c3_a_product_is_weight_times_limb() {
    let s = subject();
    // 31 told as 32 by a product that is one too large, its sum kept in step.
    s.refused(&[("C3", 0)], |v| {
        v[product(&s, 0, 3)] += Fr::one();
        for bit in 0..5 {
            v[sum_bit(&s, 0, bit)] = Fr::zero();
        }
        v[sum_bit(&s, 0, 5)] = Fr::one();
    });
    // Another weight than the one that was used.
    s.refused(&[("C3", 0)], |v| v[constant(0) + 1] += Fr::one());
}

#[test]
fn c4_a_negative_sum_has_no_bits() {
    let s = subject();
    // −831 + 900 − 70 = −1, told by a bit of −1.
    s.refused(&[("C4", 1)], |v| {
        v[constant(1)] -= Fr::one();
        v[sum_bit(&s, 1, 0)] = -Fr::one();
    });
    // −1 as the number −1/2^79·2^79.
    s.refused(&[("C4", 1)], |v| {
        v[constant(1)] -= Fr::one();
        let top = compare::SUM_BITS as usize - 1;
        let weight = Fr::from(2u64).pow([top as u64]);
        v[sum_bit(&s, 1, top)] = -weight.inverse().unwrap();
    });
}

#[test]
fn c5_the_bits_are_the_sums() {
    let s = subject();
    for c in 0..compare::COMPARISONS {
        s.refused(&[("C5", c)], |v| v[constant(c)] += Fr::one());
        s.refused(&[("C5", c)], |v| v[sum_bit(&s, c, 70)] += Fr::one());
    }
}

#[test]
fn what_has_no_proof_is_named_before_any_circuit() {
    let honest = compare_statement();
    let check = |statement: &compare::Statement, totals: &[Fr; release::TOTALS]| {
        compare::violation(&compare::Assignment {
            ctx: Fr::zero(),
            statement,
            rho: Fr::zero(),
            totals,
        })
    };
    assert_eq!(check(&honest, &totals()), None);
    for (constant, weight, place) in [
        (-831, 1, ("C5", 1)),
        (-830, 0, ("C5", 1)),
        (-830, 1 << compare::WEIGHT_BITS, ("weights", 0)),
        (-(1 << compare::WEIGHT_BITS), 1, ("weights", 0)),
    ] {
        let mut statement = honest;
        statement.comparisons[1].constant = constant;
        statement.comparisons[1].weights[1] = weight;
        assert_eq!(check(&statement, &totals()), Some(place));
        let columns = release_columns();
        let proof = prove::compare(&WORLD.compare.pk, ctx(), &statement, columns.each_ref());
        assert!(is_unsatisfied(proof, place.0));
    }
    let mut large = totals();
    large[3] = Fr::from(2u64).pow([u64::from(release::LIMB_BITS) * 6]);
    assert_eq!(check(&honest, &large), Some(("C2", 3)));
}
