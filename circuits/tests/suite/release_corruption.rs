//! For each constraint of `release`, a corruption that violates it and nothing else.

use ark_ff::{One, Zero};
use galen_circuits::{
    Fr,
    gates::{Assignment, Gate, release},
};

use crate::{corruption::Subject, relation::LIMB_WITNESSES};

const BITS: usize = release::LIMB_BITS as usize;
/// Offsets of a limb's private values.
const DIFFERENCE: usize = BITS + 1;
const INVERSE: usize = 2 * BITS + 2;
const ZERO: usize = INVERSE + 1;
const ZERO_RELEASED: usize = INVERSE + 2;

/// Four totals of (count, sum, 0, …) with k = 11 and zero not releasable: 40, 5, 0 and 11 patients.
fn subject() -> Subject {
    let cells = [[40u64, 900], [5, 70], [0, 0], [11, 11]];
    let totals: [Fr; release::TOTALS] = std::array::from_fn(|s| {
        Fr::from(cells[s][0]) + Fr::from(cells[s][1]) * Fr::from(1u64 << release::LIMB_BITS)
    });
    let mask = std::array::from_fn(|j| j % release::LIMBS_PER_TOTAL == 0);
    let limbs = release::all_limbs(&totals).unwrap();
    let statement = release::Statement::of_limbs(11, false, mask, &limbs);
    assert_eq!(statement.published[..2], [40, 900]);
    assert_eq!(statement.published[6..8], [0, 0]);
    assert!(!statement.released[6] && !statement.released[12] && statement.released[18]);
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

/// Where the `offset`-th private value of limb `j` stands.
fn private(s: &Subject, j: usize, offset: usize) -> usize {
    s.witness(j * LIMB_WITNESSES + offset)
}

const ZERO_RULE: usize = 3;

fn flag(j: usize) -> usize {
    4 + release::LIMBS + j
}

fn cell(j: usize) -> usize {
    4 + 2 * release::LIMBS + j
}

#[test]
fn c1_the_total_is_its_limbs() {
    let s = subject();
    for total in 0..release::TOTALS {
        s.refused(&[("C1", total)], |v| v[s.slot(total, 0)] += Fr::one());
    }
}

#[test]
fn c2_c3_a_limb_has_40_bits() {
    let s = subject();
    // Bits 2 and −1 instead of 0 and 0: the sum is right, the bits are none. 40 is 101000 in binary.
    s.refused(&[("C2", 0)], |v| {
        v[private(&s, 0, 1)] += Fr::from(2u64);
        v[private(&s, 0, 2)] -= Fr::one();
    });
    s.refused(&[("C3", 0)], |v| v[private(&s, 0, 1)] = Fr::one());
}

#[test]
fn c2_a_limb_cannot_carry_into_its_neighbour() {
    let s = subject();
    // (40, 900) told as (40 + 2^40, 899): the same total, so C1 holds, and C10 with a cell to match.
    s.refused(&[("C3", 0), ("C5", 0), ("C6", 0)], |v| {
        let carry = Fr::from(1u64 << release::LIMB_BITS);
        v[private(&s, 0, 0)] += carry;
        v[cell(0)] += carry;
        v[private(&s, 1, 0)] -= Fr::one();
        v[cell(1)] -= Fr::one();
        // 900 is even: its neighbour 899 has other bits. They are told truly.
        let honest = |count: usize, value: u64| -> Vec<Fr> {
            (0..count).map(|i| Fr::from(value >> i & 1)).collect()
        };
        let at = private(&s, 1, 0);
        v[at + 1..at + 1 + BITS].copy_from_slice(&honest(BITS, 899));
        let difference = 899 + (1 << release::LIMB_BITS) - 11;
        v[at + DIFFERENCE..at + INVERSE].copy_from_slice(&honest(BITS + 1, difference));
        v[at + INVERSE] = Fr::one() / Fr::from(899u64);
    });
}

#[test]
fn c4_c5_the_comparison_with_k() {
    let s = subject();
    // 40 − 11 = 29 = 11101 in binary.
    s.refused(&[("C4", 0)], |v| {
        v[private(&s, 0, DIFFERENCE)] += Fr::from(2u64);
        v[private(&s, 0, DIFFERENCE + 1)] -= Fr::one();
    });
    s.refused(&[("C5", 0)], |v| {
        v[private(&s, 0, DIFFERENCE)] = Fr::zero();
    });
    // "5 patients are at least 11": the top bit is a lie, everything after it follows from it.
    s.refused(&[("C5", 6)], |v| {
        v[private(&s, 6, DIFFERENCE + BITS)] = Fr::one();
        for (j, value) in (6..12).zip([5u64, 70, 0, 0, 0, 0]) {
            v[flag(j)] = Fr::one();
            v[cell(j)] = Fr::from(value);
        }
    });
}

#[test]
fn c6_c7_a_zero_is_a_zero() {
    let s = subject();
    s.refused(&[("C6", 0)], |v| {
        v[private(&s, 0, INVERSE)] += Fr::one();
    });
    s.refused(&[("C7", 6)], |v| {
        v[private(&s, 6, ZERO)] = Fr::one();
        v[private(&s, 6, INVERSE)] = Fr::zero();
    });
    // A true zero denied (to suppress it where the profile lets it out).
    s.refused(&[("C6", 12)], |v| v[private(&s, 12, ZERO)] = Fr::zero());
}

#[test]
fn c8_zero_goes_out_only_by_the_profile() {
    let s = subject();
    // At a limb that is no count nothing else looks at y.
    s.refused(&[("C8", 13)], |v| {
        v[private(&s, 13, ZERO_RELEASED)] = Fr::one();
    });
    // At the count of an empty cohort: the whole group is let out as zeros.
    s.refused(&[("C8", 12)], |v| {
        v[private(&s, 12, ZERO_RELEASED)] = Fr::one();
        for j in 12..18 {
            v[flag(j)] = Fr::one();
        }
    });
    // The profile's public rule changed after the fact: every limb that is 0 notices.
    let mut v = s.values.clone();
    v[ZERO_RULE] = Fr::one();
    assert!(s.failing(&v).iter().all(|(c, _)| *c == "C8"));
    assert_eq!(s.failing(&v).len(), release::LIMBS - 6);
}

#[test]
fn c9_flags_follow_the_rule() {
    let s = subject();
    // A small cell published together with all that it guards: C10 holds, C9 does not.
    s.refused(&[("C9", 6)], |v| {
        for (j, value) in (6..12).zip([5u64, 70, 0, 0, 0, 0]) {
            v[flag(j)] = Fr::one();
            v[cell(j)] = Fr::from(value);
        }
    });
    // A large cell hidden.
    s.refused(&[("C9", 18)], |v| {
        for j in 18..24 {
            v[flag(j)] = Fr::zero();
            v[cell(j)] = Fr::zero();
        }
    });
    // A guarded cell let out without its guard.
    s.refused(&[("C9", 7), ("C9", 8)], |v| {
        v[flag(7)] = Fr::one();
        v[cell(7)] = Fr::from(70u64);
    });
}

#[test]
fn c10_a_cell_is_the_limb_or_nothing() {
    let s = subject();
    s.refused(&[("C10", 0)], |v| v[cell(0)] += Fr::one());
    // A suppressed cell whispered beside a flag that says suppressed.
    s.refused(&[("C10", 6)], |v| v[cell(6)] = Fr::from(5u64));
}

#[test]
fn what_has_no_proof_is_named_before_any_circuit() {
    let mask = [true; release::LIMBS];
    let mut totals = [Fr::zero(); release::TOTALS];
    let mut statement = release::Statement::of_limbs(11, true, mask, &[0; release::LIMBS]);
    let check = |statement: &release::Statement, totals: &[Fr; release::TOTALS]| {
        release::violation(&release::Assignment {
            ctx: Fr::zero(),
            statement,
            rho: Fr::zero(),
            totals,
        })
    };
    assert_eq!(check(&statement, &totals), None);
    for k in [0, release::MAX_THRESHOLD + 1, u64::MAX] {
        statement.threshold = k;
        assert_eq!(check(&statement, &totals), Some(("k", 0)));
    }
    statement.threshold = 11;
    // 2^240 and −1 have no six limbs.
    totals[2] = Fr::from(1u64 << 60) * Fr::from(1u64 << 60) * Fr::from(1u128 << 120);
    assert_eq!(check(&statement, &totals), Some(("C1", 2)));
    totals[1] = -Fr::one();
    assert_eq!(check(&statement, &totals), Some(("C1", 1)));
}
