//! What is published against what was proven.

use galen_circuits::{
    Fr,
    batch::Check,
    gates::{Gate, release::LIMBS},
};
use galen_verifier::{VerifyError, answer::Cell, rules::State};

use super::{HONEST_GROUPS, HONEST_SUMS, alter, assert_release, refused};

fn change(cell: &mut State, by: i64) {
    *cell = State::Shown(cell.shown().unwrap().strict_add_signed(by));
}

#[test]
fn the_honest_answers_are_what_the_tamperings_assume() {
    let groups = &HONEST_GROUPS.answer.rows;
    let suppressed: Vec<bool> = groups
        .iter()
        .map(|r| matches!(r[1], Cell::Suppressed(11)))
        .collect();
    assert_eq!(suppressed, [false, false, true]);
    assert_eq!(HONEST_SUMS.bundle.releases[0].cells.len(), 4);
    let shown = |s: &State| s.shown().is_some();
    assert!(HONEST_SUMS.bundle.releases[0].cells.iter().all(shown));
    assert_eq!(HONEST_GROUPS.bundle.releases[0].cells[2], State::Small);
}

#[test]
fn a_published_count_is_changed() {
    let e = refused(&HONEST_GROUPS, |b| change(&mut b.releases[0].cells[0], 1));
    assert_release(&e, Check::Groth16);
}

#[test]
fn a_published_sum_is_changed() {
    for cell in 1..4 {
        let e = refused(&HONEST_SUMS, |b| change(&mut b.releases[0].cells[cell], -1));
        assert_release(&e, Check::Groth16);
    }
}

#[test]
fn a_suppressed_cell_is_published() {
    let publish = |value| {
        refused(&HONEST_GROUPS, |b| {
            b.releases[0].cells[2] = State::Shown(value)
        })
    };
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
    let e = refused(&HONEST_GROUPS, |b| b.releases[0].cells[0] = State::Small);
    assert_release(&e, Check::Groth16);
    let e = refused(&HONEST_SUMS, |b| {
        b.releases[0].cells.fill(State::Guarded);
        b.releases[0].cells[0] = State::Small;
    });
    assert_release(&e, Check::Groth16);
    // With a reason that the rule does not know here.
    for state in [State::Difference, State::Margin(0), State::Guarded] {
        let e = refused(&HONEST_GROUPS, |b| b.releases[0].cells[0] = state);
        let VerifyError::CellRule {
            release: 0,
            cell: 0,
            ..
        } = e
        else {
            panic!("{state:?}: {e}");
        };
    }
}

#[test]
fn a_sum_is_shown_or_hidden_without_its_guard() {
    // Cells: count(*), count(n), sum(n), sum(n²); the latter two are guarded by count(n).
    for (cell, broken) in [(2, 2), (3, 3), (1, 2)] {
        let hide = if cell == 1 {
            State::Small
        } else {
            State::Guarded
        };
        match refused(&HONEST_SUMS, |b| b.releases[0].cells[cell] = hide) {
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
    let cells = |change: fn(&mut Vec<State>)| match refused(&HONEST_GROUPS, |b| {
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
    assert_eq!(cells(|c| c.push(State::Shown(11))), 4);
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
        for (asked, cell) in [(&HONEST_GROUPS, 1), (&HONEST_SUMS, 2)] {
            match refused(asked, |b| b.releases[0].cells[cell] = State::Shown(large)) {
                VerifyError::CellRule {
                    release: 0,
                    cell: at,
                    why,
                } => assert!(at == cell && why.contains("2^40"), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// D shifted by the base of the published cell: Groth16 then holds for another value, the link not.
#[test]
fn d_is_shifted_to_publish_another_count() {
    let set = galen_tests::keys().verifying();
    let ic = &set.key(Gate::Release).unwrap().key.ic;
    // 1, ctx, lower bounds, upper bounds.
    let base = ic[2] + ic[2 + LIMBS];
    let e = refused(&HONEST_GROUPS, |b| {
        change(&mut b.releases[0].cells[0], 3);
        alter(&mut b.releases[0].proof, |p| {
            p.d = (-(base * Fr::from(3u64)) + p.d).into()
        });
    });
    assert_release(&e, Check::Link);
}

/// The same for both bounds apart: a count that must be released is hidden.
#[test]
fn d_is_shifted_to_hide_a_cell() {
    let set = galen_tests::keys().verifying();
    let ic = &set.key(Gate::Release).unwrap().key.ic;
    let (lower, upper) = (ic[2], ic[2 + LIMBS]);
    let e = refused(&HONEST_GROUPS, |b| {
        let shown = b.releases[0].cells[0].shown().unwrap();
        b.releases[0].cells[0] = State::Small;
        alter(&mut b.releases[0].proof, |p| {
            let moved = lower * Fr::from(shown - 1) + upper * Fr::from(shown - 10);
            p.d = (moved + p.d).into();
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
