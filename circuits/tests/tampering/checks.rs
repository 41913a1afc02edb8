//! The verifier's own checks, one by one: each test fails if its check is removed (`docs/spec/batch.md`, V1 to V9).

use ark_ec::AffineRepr;
use ark_ff::Field;
use galen_circuits::{
    CircuitError, Fr, G1, G2,
    batch::{BatchError, Claim},
    class::{Class, Size},
    equation::{Fingerprint, Layout, MAX_LIMBS},
    proof::EquationProof,
};

use super::{Statement, cohort, proof, statement};
use crate::common::{base, keys, srs};

/// What a claim is refused for before any equation is looked at.
fn malformed(proof: &EquationProof, change: impl FnOnce(&mut Claim<'_>)) -> String {
    why(&statement(), proof, change)
}

fn why(
    statement: &Statement<'_>,
    proof: &EquationProof,
    change: impl FnOnce(&mut Claim<'_>),
) -> String {
    match statement.verify_with(proof, change) {
        Err(BatchError::Malformed { index: 0, source }) => source.to_string(),
        other => panic!("{other:?}"),
    }
}

fn changed(change: impl FnOnce(&mut EquationProof)) -> String {
    let mut proof = proof();
    change(&mut proof);
    malformed(&proof, |_| {})
}

fn length(what: &'static str, expected: usize, got: usize) -> String {
    CircuitError::Length {
        what,
        expected,
        got,
    }
    .to_string()
}

#[test]
fn v1_cells_of_another_layout() {
    let mut other = statement().cells;
    other.inequalities.pop();
    let other: &'static _ = Box::leak(Box::new(other));
    let why = malformed(&proof(), |claim| claim.cells = other);
    assert_eq!(why, "malformed: cells of another layout");
}

#[test]
fn v1_fewer_cells_than_the_layout_has() {
    let mut other = statement().cells;
    other.published.pop();
    let other: &'static _ = Box::leak(Box::new(other));
    let why = malformed(&proof(), |claim| claim.cells = other);
    assert_eq!(why, "malformed: cells of another layout");
}

#[test]
fn v2_the_identity_in_the_circuits_proof() {
    let expected = "the proof is refused: a point of it is the identity";
    assert_eq!(changed(|p| p.proof.a = G1::zero()), expected);
    assert_eq!(changed(|p| p.proof.b = G2::zero()), expected);
    assert_eq!(changed(|p| p.proof.c = G1::zero()), expected);
}

#[test]
fn v3_another_number_of_variables() {
    let fewer = changed(|p| p.r.truncate(9));
    assert_eq!(fewer, length("variables", 10, 9));
    let more = changed(|p| p.r.push(Fr::ONE));
    assert_eq!(more, length("variables", 10, 11));
}

#[test]
fn v4_a_commitment_string_of_other_chunks() {
    let other: &'static _ = Box::leak(Box::new(srs(9).verifying()));
    let why = malformed(&proof(), |claim| claim.srs = other);
    assert_eq!(why, length("rows of the commitment string", 8, 9));
}

#[test]
fn v5_another_number_of_base_columns() {
    let fewer = malformed(&proof(), |claim| claim.bases.truncate(4));
    assert_eq!(fewer, length("base columns", 5, 4));
    let more = malformed(&proof(), |claim| claim.bases.push(claim.bases[0]));
    assert_eq!(more, length("base columns", 5, 6));
}

#[test]
fn v5_another_number_of_chunks_of_a_base_column() {
    let fewer = malformed(&proof(), |claim| claim.bases[1] = &claim.bases[1][..2]);
    assert_eq!(fewer, length("chunks of a base column", 3, 2));
}

#[test]
fn v6_another_number_of_committed_columns() {
    let first = proof().first.len();
    let fewer = changed(|p| p.first.truncate(first - 1));
    assert_eq!(fewer, length("committed columns", first, first - 1));
    let second = proof().second.len();
    let more = changed(|p| p.second.push(Vec::new()));
    assert_eq!(more, length("committed columns", second, second + 1));
}

#[test]
fn v6_another_number_of_chunks_of_a_committed_column() {
    let what = "chunks of a committed column";
    assert_eq!(changed(|p| p.first[0].truncate(2)), length(what, 3, 2));
    let more = changed(|p| p.second[0].push(p.mask));
    assert_eq!(more, length(what, 3, 4));
}

/// Limbs lie in as many chunks as they fill, whatever the dataset's are, and their slot's e in as many.
#[test]
fn v6_another_number_of_chunks_of_limbs() {
    let statement = statement().repeating(257);
    let proof = statement.prove().unwrap();
    statement.verify(&proof).unwrap();
    let what = "chunks of a committed column";
    let layout = statement.layout();
    let limbs = layout.first_columns().len() - 1;
    let slot = statement.equation.lookups.len();
    assert_eq!((proof.first[limbs].len(), proof.second[slot].len()), (2, 2));
    for chunks in [0, 1, 3] {
        let mut other = proof.clone();
        other.first[limbs].resize(chunks, proof.mask);
        assert_eq!(why(&statement, &other, |_| {}), length(what, 2, chunks));
        let mut other = proof.clone();
        other.second[slot].resize(chunks, proof.mask);
        assert_eq!(why(&statement, &other, |_| {}), length(what, 2, chunks));
    }
}

#[test]
fn w_inequalities_without_limbs_or_with_too_many() {
    let mut other = statement();
    let refused = |other: &Statement<'_>| {
        let refused = Layout::new(&other.equation, &other.cells).unwrap_err();
        refused.to_string()
    };
    for limbs in [0, MAX_LIMBS + 1] {
        other.cells.inequalities[0].limbs = limbs;
        let expected = "malformed: an inequality with no limbs or too many";
        assert_eq!(refused(&other), expected);
    }
    other.cells.inequalities[0].limbs = 1;
    let full = other.repeating(1024);
    full.layout();
    let mut more = full.clone();
    more.cells.inequalities[0].limbs += 1;
    assert_eq!(
        refused(&more),
        "limbs of hidden cells: 1025 where at most 1024 are possible"
    );
}

#[test]
fn v7_an_x_that_meets_a_group() {
    let groups = 3;
    let [_, gamma, _] = proof().challenges;
    let id = statement().layout().tables().len() as u64 + 1;
    let fp = Fingerprint::new(gamma).of([groups, 0, 0], id);
    let why = changed(|p| p.challenges[0] = fp);
    assert_eq!(why, "degenerate challenges: X meets a public entry");
}

#[test]
fn v7_an_x_that_meets_the_tuple_of_absent_rows() {
    let [_, gamma, _] = proof().challenges;
    let fp = Fingerprint::new(gamma).of([0, 0, 0], 1);
    let why = changed(|p| p.challenges[0] = fp);
    assert_eq!(why, "degenerate challenges: X meets a public entry");
}

#[test]
fn v8_a_key_with_other_public_inputs() {
    let other = keys(Class {
        rounds: 9,
        size: Size::Small,
    });
    let other: &'static _ = Box::leak(Box::new(other));
    let why = malformed(&proof(), |claim| claim.key = &other.1);
    assert_eq!(why, length("public inputs", 17, 18));
}

#[test]
fn v9_the_identity_as_a_commitment() {
    let expected = "the proof is refused: a commitment is the identity";
    assert_eq!(changed(|p| p.first[1][2] = G1::zero()), expected);
    assert_eq!(changed(|p| p.second[1][2] = G1::zero()), expected);
    assert_eq!(changed(|p| p.mask = G1::zero()), expected);
    let zero: &'static [G1] = Box::leak(vec![G1::zero(); 3].into_boxed_slice());
    let why = malformed(&proof(), |claim| claim.bases[0] = zero);
    assert_eq!(why, expected);
}

#[test]
fn v9_the_identity_in_the_opening() {
    let expected = "the opening is refused: a point is the identity";
    assert_eq!(changed(|p| p.opening.s = G1::zero()), expected);
    assert_eq!(changed(|p| p.opening.w = G1::zero()), expected);
}

/// What a layout refuses, so that neither side goes on with it (`docs/spec/equation.md`, W1 to W5).
#[test]
fn w_equations_that_do_not_bind_their_columns() {
    use galen_circuits::equation::{Derived, Linear, Measure};
    let refused = |change: &dyn Fn(&mut galen_circuits::equation::Equation), expected: &str| {
        let mut other = statement();
        change(&mut other.equation);
        let why = Layout::new(&other.equation, &other.cells).unwrap_err();
        assert_eq!(why.to_string(), format!("malformed: {expected}"));
    };
    refused(&|e| e.rows.present = 0, "rows");
    refused(&|e| e.lookups[0].table = 2, "a lookup without a table");
    refused(
        &|e| e.blocks[0].grouping = Some(1),
        "a block without its grouping",
    );
    refused(&|e| e.derived.truncate(2), "a column that is not there");
    let unnamed = "an output that its lookup does not name";
    refused(&|e| e.lookups[0].tuple[1] = base(cohort::CONSENT), unnamed);
    let itself = |e: &mut galen_circuits::equation::Equation| {
        e.blocks[0].factors = vec![e.blocks[0].root.clone()];
    };
    refused(&itself, "a root that depends on itself");
    let unnamed = "a root that its block does not name";
    refused(&|e| e.blocks[0].root = base(cohort::CONSENT), unnamed);
    let own = "an output that its own key depends on";
    let keyed = |e: &mut galen_circuits::equation::Equation| {
        e.lookups[0].tuple[0] = crate::common::derived(cohort::IN_Y);
    };
    refused(&keyed, own);
    let two = |e: &mut galen_circuits::equation::Equation| {
        e.tables[0] = crate::common::table(&[(16, 0, 0, 0), (1, 3, 1, 0)]);
    };
    refused(&two, "a key with two outputs");
    let wide = |e: &mut galen_circuits::equation::Equation| {
        e.tables[0] = crate::common::table(&[(16, 0, 1 << 16, 0)]);
    };
    refused(&wide, "an output beyond 16 bits");
    let twice = |e: &mut galen_circuits::equation::Equation| {
        e.groupings[0].groups = crate::common::table(&[(3, 0, 0, 0), (1, 2, 0, 0)]);
    };
    refused(&twice, "a group stands twice");
    let uncounted = |e: &mut galen_circuits::equation::Equation| {
        e.blocks[0].measures[0] = Measure::Linear(Linear::constant(2));
    };
    refused(&uncounted, "a block that does not count its rows");
    let elsewhere = |e: &mut galen_circuits::equation::Equation| {
        e.derived[0] = Derived::Output {
            lookup: 5,
            component: 1,
        };
    };
    refused(&elsewhere, "an output without its lookup");
}
