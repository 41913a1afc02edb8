//! A true proof held against another statement.

use ark_ec::{AffineRepr, CurveGroup};
use galen_circuits::{
    G1,
    batch::{self, BatchError, Check, Claim},
    equation::{Linear, Measure, Run, Table},
};

use super::{Statement, cohort, proof, proven, statement};
use crate::common::{base, derived, keys};

/// Asserts that the proof does not prove another statement.
fn does_not_prove(change: impl FnOnce(&mut Statement<'_>)) {
    let mut other = statement();
    change(&mut other);
    match other.verify(&proof()) {
        Err(BatchError::Refused { index: 0, check }) => assert_eq!(check, Check::Circuit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_published_cell() {
    let published: Vec<usize> = (0..12).filter(|c| ![0, 4, 8].contains(c)).collect();
    for cell in published {
        for by in [-1, 1] {
            does_not_prove(|s| *s.cells.published[cell].as_mut().unwrap() += by);
        }
    }
}

#[test]
fn exchanged_published_cells() {
    does_not_prove(|s| s.cells.published.swap(1, 2));
    does_not_prove(|s| s.cells.published.swap(3, 6));
}

/// The modulus is beyond what an `i128` holds; the nearest to "the same number" is its own negative.
#[test]
fn the_negative_of_a_published_cell() {
    does_not_prove(|s| *s.cells.published[1].as_mut().unwrap() *= -1);
}

#[test]
fn a_changed_bound_of_a_hidden_cell() {
    for inequality in 0..6 {
        for by in [-1, 1] {
            does_not_prove(|s| s.cells.inequalities[inequality].bound += by);
        }
    }
}

/// One limb more or less, in the same chunk.
#[test]
fn another_number_of_limbs() {
    for inequality in 0..6 {
        does_not_prove(|s| s.cells.inequalities[inequality].limbs += 1);
    }
    does_not_prove(|s| s.cells.inequalities[0].limbs -= 1);
    does_not_prove(|s| s.cells.inequalities.iter_mut().for_each(|i| i.limbs = 6));
}

#[test]
fn changed_terms_of_an_inequality() {
    does_not_prove(|s| s.cells.inequalities[0].terms[0].1 = 2);
    does_not_prove(|s| s.cells.inequalities[0].terms[0].0 = 1);
    does_not_prove(|s| s.cells.inequalities[0].terms.clear());
    does_not_prove(|s| s.cells.inequalities[0].terms.push((1, 0)));
    does_not_prove(|s| s.cells.inequalities.swap(0, 1));
}

#[test]
fn a_hidden_cell_said_to_be_published() {
    let mut other = statement();
    other.cells.published[0] = Some(1);
    other.cells.inequalities.drain(..2);
    for inequality in &mut other.cells.inequalities {
        inequality.terms[0].0 -= 1;
    }
    other.verify(&proof()).unwrap_err();
}

#[test]
fn a_missing_cell() {
    let mut other = statement();
    other.cells.published.pop();
    let layout = galen_circuits::equation::Layout::new(&other.equation, &other.cells);
    layout.unwrap_err();
}

#[test]
fn another_context() {
    does_not_prove(|s| s.context = b"tesu".to_vec());
    does_not_prove(|s| s.context.clear());
}

#[test]
fn another_dataset() {
    let world = cohort::world(2);
    let mut other = statement();
    other.world = &world;
    other.verify(&proof()).unwrap_err();
    // The same rows under other blinders are another dataset too.
    let again = cohort::world(1);
    assert_eq!(again.values, proven().0.values);
    other.world = &again;
    other.verify(&proof()).unwrap_err();
}

#[test]
fn exchanged_base_commitments() {
    let swap = |claim: &mut Claim<'_>| claim.bases.swap(1, 2);
    statement().verify_with(&proof(), swap).unwrap_err();
}

#[test]
fn a_changed_base_commitment() {
    for column in 0..5 {
        for chunk in 0..3 {
            let mut changed = proven().0.commitments[column].clone();
            super::moved(&mut changed[chunk]);
            let exchange = |claim: &mut Claim<'_>| {
                claim.bases[column] = Box::leak(changed.into_boxed_slice());
            };
            let result = statement().verify_with(&proof(), exchange);
            assert!(matches!(
                result,
                Err(BatchError::Refused {
                    check: Check::Circuit,
                    ..
                })
            ));
        }
    }
}

#[test]
fn another_number_of_patients() {
    does_not_prove(|s| s.equation.rows.present -= 1);
    does_not_prove(|s| s.equation.rows.present += 1);
}

#[test]
fn another_predicate() {
    does_not_prove(|s| s.equation.tables[0] = crate::common::interval(3, 11, 16));
    does_not_prove(|s| s.equation.tables.swap(0, 1));
    // 1 − z in the root: the complement of the predicate.
    let not = derived(cohort::IN_X).complement();
    does_not_prove(|s| s.equation.blocks[0].factors[1] = not);
}

#[test]
fn a_dropped_or_exchanged_factor() {
    does_not_prove(|s| drop(s.equation.blocks[0].factors.remove(0)));
    does_not_prove(|s| s.equation.blocks[0].factors.swap(0, 1));
    does_not_prove(|s| s.equation.blocks[0].factors.push(base(cohort::Y_KNOWN)));
    does_not_prove(|s| s.equation.blocks[0].factors[0] = Linear::constant(1));
}

#[test]
fn another_measure() {
    let two = Measure::Linear(base(cohort::Y).plus(1, &Linear::constant(1)));
    does_not_prove(|s| s.equation.blocks[0].measures[1] = two);
    does_not_prove(|s| s.equation.blocks[0].measures.swap(1, 2));
}

#[test]
fn other_groups() {
    let shifted = Run {
        length: 4,
        first: 1,
        second: 0,
        third: 0,
    };
    does_not_prove(|s| s.equation.groupings[0].groups = Table::new([shifted]));
    does_not_prove(|s| s.equation.groupings[0].tuple[1] = base(cohort::Y_KNOWN));
}

/// Of eight answers the third is said to be another's: it is named.
#[test]
fn another_answers_proof_in_a_batch() {
    let other = cohort::world(3);
    let (ours, theirs) = (statement(), cohort::hidden(&other));
    let (layout, layout_2) = (ours.layout(), theirs.layout());
    let (keys, srs) = (keys(layout.class), ours.world.srs.verifying());
    let proof = proof();
    let claim = || Claim {
        key: &keys.1,
        srs: &srs,
        context: b"test",
        layout: &layout,
        cells: &ours.cells,
        bases: ours.commitments(),
        proof: &proof,
    };
    let mut claims: Vec<Claim<'_>> = (0..8).map(|_| claim()).collect();
    batch::verify(&claims).unwrap();
    claims[2].layout = &layout_2;
    claims[2].cells = &theirs.cells;
    claims[2].bases = theirs.commitments();
    match batch::verify(&claims) {
        Err(BatchError::Refused { index, check }) => {
            assert_eq!((index, check), (2, Check::Circuit));
        }
        other => panic!("{other:?}"),
    }
}

/// Two false openings, the second wrong by as much the other way: weights are each equation's own.
#[test]
fn errors_of_two_answers_that_would_cancel() {
    let ours = statement();
    let layout = ours.layout();
    let (keys, srs) = (keys(layout.class), ours.world.srs.verifying());
    let (mut one, mut two) = (proof(), proof());
    let by = G1::generator();
    one.opening.w = (one.opening.w + by).into_affine();
    two.opening.w = (two.opening.w - by).into_affine();
    let claim = |proof| Claim {
        key: &keys.1,
        srs: &srs,
        context: b"test",
        layout: &layout,
        cells: &ours.cells,
        bases: ours.commitments(),
        proof,
    };
    match batch::verify(&[claim(&one), claim(&two)]) {
        Err(BatchError::Refused { index, check }) => {
            assert_eq!((index, check), (0, Check::Opening));
        }
        other => panic!("{other:?}"),
    }
}
