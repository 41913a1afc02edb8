//! What is published against what was proven.

use galen_circuits::{
    Fr,
    batch::Check,
    gates::{Gate, release::LIMBS},
};
use galen_verifier::{VerifyError, answer::Cell};

use super::{HONEST_GROUPS, HONEST_SUMS, alter, assert_release, refused};

#[test]
fn the_honest_answers_are_what_the_tamperings_assume() {
    let groups = &HONEST_GROUPS.answer.rows;
    let suppressed: Vec<bool> = groups
        .iter()
        .map(|r| matches!(r[1], Cell::Suppressed(11)))
        .collect();
    assert_eq!(suppressed, [false, false, true]);
    assert_eq!(HONEST_SUMS.bundle.releases[0].cells.len(), 4);
    assert!(
        HONEST_SUMS.bundle.releases[0]
            .cells
            .iter()
            .all(Option::is_some)
    );
}

#[test]
fn a_published_count_is_changed() {
    let e = refused(&HONEST_GROUPS, |b| {
        *b.releases[0].cells[0].as_mut().unwrap() += 1
    });
    assert_release(&e, Check::Groth16);
}

#[test]
fn a_published_sum_is_changed() {
    for cell in 1..4 {
        let e = refused(&HONEST_SUMS, |b| {
            *b.releases[0].cells[cell].as_mut().unwrap() -= 1
        });
        assert_release(&e, Check::Groth16);
    }
}

#[test]
fn a_suppressed_cell_is_published() {
    let publish = |value| refused(&HONEST_GROUPS, |b| b.releases[0].cells[2] = Some(value));
    match publish(4) {
        VerifyError::CellRule {
            release: 0,
            cell: 2,
            why,
        } => assert!(why.contains("below k = 11"), "{why}"),
        other => panic!("{other:?}"),
    }
    // As zero, which the profile lets out, and as a number large enough.
    for value in [0, 11, 400] {
        assert_release(&publish(value), Check::Groth16);
    }
}

#[test]
fn a_released_cell_is_hidden() {
    let e = refused(&HONEST_GROUPS, |b| b.releases[0].cells[0] = None);
    assert_release(&e, Check::Groth16);
    let e = refused(&HONEST_SUMS, |b| b.releases[0].cells.fill(None));
    assert_release(&e, Check::Groth16);
}

#[test]
fn a_sum_is_shown_or_hidden_without_its_guard() {
    // Cells: count(*), count(n), sum(n), sum(n²); the latter two are guarded by count(n).
    for (cell, broken) in [(2, 2), (3, 3), (1, 2)] {
        match refused(&HONEST_SUMS, |b| b.releases[0].cells[cell] = None) {
            VerifyError::CellRule {
                release: 0,
                cell,
                why,
            } => {
                assert_eq!(cell, broken);
                assert!(why.contains("guards it"), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn cells_or_releases_are_missing_or_doubled() {
    let cells = |change: fn(&mut Vec<Option<u64>>)| match refused(&HONEST_GROUPS, |b| {
        change(&mut b.releases[0].cells)
    }) {
        VerifyError::Cells {
            what,
            expected: 3,
            got,
        } if what == "cells of release 0" => got,
        other => panic!("{other:?}"),
    };
    assert_eq!(cells(|c| c.truncate(2)), 2);
    assert_eq!(cells(|c| c.push(Some(11))), 4);
    let doubled = refused(&HONEST_GROUPS, |b| b.releases.push(b.releases[0].clone()));
    let missing = refused(&HONEST_GROUPS, |b| b.releases.clear());
    for (e, n) in [(doubled, 2), (missing, 0)] {
        match e {
            VerifyError::Cells {
                what,
                expected: 1,
                got,
            } if what == "releases" => assert_eq!(got, n),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_cell_is_too_large_for_its_limb() {
    for large in [1 << 40, u64::MAX] {
        match refused(&HONEST_GROUPS, |b| b.releases[0].cells[1] = Some(large)) {
            VerifyError::CellRange {
                release: 0,
                cell: 1,
                value,
            } => assert_eq!(value, large),
            other => panic!("{other:?}"),
        }
    }
}

/// D shifted by the base of the published cell: Groth16 then holds for another value, the link not.
#[test]
fn d_is_shifted_to_publish_another_count() {
    let set = galen_tests::keys().verifying();
    let ic = &set.key(Gate::Release).unwrap().key.ic;
    // 1, ctx, k, zero rule, counts, flags, then the cells.
    let base = ic[4 + 2 * LIMBS];
    let e = refused(&HONEST_GROUPS, |b| {
        *b.releases[0].cells[0].as_mut().unwrap() += 3;
        alter(&mut b.releases[0].proof, |p| {
            p.d = (p.d - base * Fr::from(3u64)).into()
        });
    });
    assert_release(&e, Check::Link);
}

/// The same with its flag: a count that must be released is hidden.
#[test]
fn d_is_shifted_to_hide_a_cell() {
    let set = galen_tests::keys().verifying();
    let ic = &set.key(Gate::Release).unwrap().key.ic;
    let (flag, cell) = (ic[4 + LIMBS], ic[4 + 2 * LIMBS]);
    let e = refused(&HONEST_GROUPS, |b| {
        let shown = b.releases[0].cells[0].take().unwrap();
        alter(&mut b.releases[0].proof, |p| {
            p.d = (p.d + flag + cell * Fr::from(shown)).into();
        });
    });
    assert_release(&e, Check::Link);
}

#[test]
fn releases_of_two_answers_are_exchanged() {
    let e = refused(&HONEST_GROUPS, |b| {
        b.releases[0]
            .proof
            .clone_from(&HONEST_SUMS.bundle.releases[0].proof);
    });
    assert_release(&e, Check::Groth16);
}
