//! For each constraint of `release`, a corruption that violates it and nothing else.

use ark_ff::{One, Zero};
use galen_circuits::{
    Fr,
    gates::{Assignment, Gate, release},
};

use crate::{corruption::Subject, relation::LIMB_WITNESSES};

const BITS: usize = release::LIMB_BITS as usize;
/// Offset of the bits of hi − a among a limb's private values.
const BELOW: usize = BITS;

/// Totals of (count, sum, 0, …): 40 and 900 published, 5 known to be 1 to 10, 70 free, 0 and 11 published.
fn subject() -> Subject {
    let (totals, statement) = truth();
    Subject::new(
        Gate::Release,
        8,
        Assignment::Release(release::Assignment {
            ctx: Fr::from(5u64),
            statement: &statement,
            rho: Fr::from(6u64),
            totals: &totals,
        }),
    )
}

fn truth() -> ([Fr; release::TOTALS], release::Statement) {
    let cells = [[40u64, 900], [5, 70], [0, 0], [11, 11]];
    let totals = std::array::from_fn(|s| {
        Fr::from(cells[s][0]) + Fr::from(cells[s][1]) * Fr::from(1u64 << release::LIMB_BITS)
    });
    let mut bounds = release::all_limbs(&totals).unwrap().map(|a| (a, a));
    bounds[6] = (1, 10);
    bounds[7] = (0, release::MAX_LIMB);
    (totals, release::Statement { bounds })
}

/// Where the `offset`-th private value of limb `j` stands.
fn private(s: &Subject, j: usize, offset: usize) -> usize {
    s.witness(j * LIMB_WITNESSES + offset)
}

fn lower(j: usize) -> usize {
    2 + j
}

fn upper(j: usize) -> usize {
    2 + release::LIMBS + j
}

#[test]
fn c1_bits_above_are_bits() {
    let s = subject();
    // 5 − 1 = 100 in binary. Bits 2 and −1 for 0 and 0: the sum is right, the bits are none.
    s.refused(&[("C1", 6)], |v| {
        v[private(&s, 6, 0)] += Fr::from(2u64);
        v[private(&s, 6, 1)] -= Fr::one();
    });
}

#[test]
fn c2_bits_below_are_bits() {
    let s = subject();
    s.refused(&[("C2", 6)], |v| {
        v[private(&s, 6, BELOW + 1)] += Fr::from(2u64);
        v[private(&s, 6, BELOW + 2)] -= Fr::one();
    });
    // A lower bound that the limb does not reach: 70 told as "at least 71", the excess hidden in a bit.
    let mut v = s.values.clone();
    v[lower(7)] = Fr::from(71u64);
    assert!(!s.failing(&v).is_empty());
}

#[test]
fn c3_a_limb_lies_between_its_bounds() {
    let s = subject();
    // 40 published as 41, the total kept: above is −1, which 40 bits cannot say.
    s.refused(&[("C1", 0)], |v| {
        v[lower(0)] += Fr::one();
        v[upper(0)] += Fr::one();
        v[private(&s, 0, 0)] -= Fr::one();
        v[private(&s, 0, BELOW)] += Fr::one();
        // below = 1 is a bit; above = −1 is none.
    });
    // An upper bound that was passed: "at most 4".
    s.refused(&[("C3", 6)], |v| v[upper(6)] = Fr::from(4u64));
    // A lower bound that was not reached; C4 sees it too, as the limb is told from there.
    s.refused(&[("C3", 6), ("C4", 1)], |v| v[lower(6)] = Fr::from(6u64));
    // A limb told as another one within its bounds.
    s.refused(&[("C4", 1)], |v| {
        v[private(&s, 6, 0)] += Fr::one();
        v[private(&s, 6, BELOW)] -= Fr::one();
    });
}

#[test]
fn c3_a_limb_cannot_carry_into_its_neighbour() {
    let s = subject();
    // (5, 70) told as (5 + 2^40, 69): the same total, and 69 is within its bounds.
    s.refused(&[("C1", 6), ("C3", 6)], |v| {
        v[private(&s, 6, BITS - 1)] += Fr::from(2u64);
        // 70 is 1000110: 69 is 1000101.
        for (bit, by) in [(0, 1i64), (1, -1)] {
            v[private(&s, 7, bit)] += Fr::from(by);
            v[private(&s, 7, BELOW + bit)] -= Fr::from(by);
        }
    });
}

#[test]
fn c4_the_total_is_its_limbs() {
    let s = subject();
    for total in 0..release::TOTALS {
        s.refused(&[("C4", total)], |v| v[s.slot(total, 0)] += Fr::one());
    }
}

#[test]
fn what_has_no_proof_is_named_before_any_circuit() {
    let (mut totals, honest) = truth();
    let check = |statement: &release::Statement, totals: &[Fr; release::TOTALS]| {
        release::violation(&release::Assignment {
            ctx: Fr::zero(),
            statement,
            rho: Fr::zero(),
            totals,
        })
    };
    assert_eq!(check(&honest, &totals), None);
    for (bounds, place) in [
        ((6, 10), ("C3", 6)),
        ((1, 4), ("C3", 6)),
        ((10, 1), ("bounds", 0)),
        ((0, release::MAX_LIMB + 1), ("bounds", 0)),
    ] {
        let mut statement = honest.clone();
        statement.bounds[6] = bounds;
        assert_eq!(check(&statement, &totals), Some(place), "{bounds:?}");
    }
    // 2^240 and −1 have no six limbs.
    totals[2] = Fr::from(1u64 << 60) * Fr::from(1u64 << 60) * Fr::from(1u128 << 120);
    assert_eq!(check(&honest, &totals), Some(("C4", 2)));
    totals[1] = -Fr::one();
    assert_eq!(check(&honest, &totals), Some(("C4", 1)));
}
