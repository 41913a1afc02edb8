//! True statements are proven and verified.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use common::{
    Statement, cohort, random,
    reference::{Reference, Strategy},
};
use galen_circuits::{
    batch,
    equation::{Committed, Inequality, Rows, limbs_for},
    proof::EquationProof,
};
use proptest::prelude::*;

#[test]
fn a_second_prover_of_the_specification_is_accepted() {
    let world = cohort::world(1);
    for statement in [cohort::statement(&world), cohort::hidden(&world)] {
        let reference = Reference::new(&statement, &statement.execution());
        let proven = reference.prove(Strategy::Honest).unwrap();
        statement.verify(&proven.proof).unwrap();
    }
}

#[test]
fn published_and_hidden_cells_are_proven() {
    let world = cohort::world(1);
    for statement in [cohort::statement(&world), cohort::hidden(&world)] {
        let proof = statement.prove().unwrap();
        statement.verify(&proof).unwrap();
        let bytes = proof.to_bytes();
        let layout = statement.layout();
        assert_eq!(bytes.len(), EquationProof::length(&layout));
        assert_eq!(EquationProof::from_bytes(&bytes, &layout).unwrap(), proof);
    }
}

#[test]
fn nothing_is_a_batch_that_holds() {
    batch::verify(&[]).unwrap();
}

/// One patient in one chunk of four, and limbs in all rows of all four.
#[test]
fn limbs_in_more_chunks_than_the_dataset() {
    let rows = Rows {
        present: 1,
        ..common::ROWS
    };
    let world = cohort::world_of(rows, 1);
    for limbs in [257, 900, 1024] {
        let statement = cohort::hidden(&world).repeating(limbs);
        let layout = statement.layout();
        assert_eq!(layout.chunks(Committed::Limbs), limbs.div_ceil(256));
        assert_eq!(layout.chunks(Committed::Derived(0)), 1);
        let proof = statement.prove().unwrap();
        statement.verify(&proof).unwrap();
        let reference = Reference::new(&statement, &statement.execution());
        let proven = reference.prove(Strategy::Honest).unwrap();
        statement.verify(&proven.proof).unwrap();
    }
}

/// The forgery of the second prover changes nothing where there is nothing to forge.
#[test]
fn true_columns_need_no_forged_evaluations() {
    let world = cohort::world(1);
    let statement = cohort::hidden(&world);
    let reference = Reference::new(&statement, &statement.execution());
    let proven = reference.prove(Strategy::ForgeEvaluations).unwrap();
    statement.verify(&proven.proof).unwrap();
}

/// With cells hidden, each in bounds that hold, and the first two in an order that holds.
fn hide<'a>(mut statement: Statement<'a>, rng: &mut StdRng) -> Statement<'a> {
    let cells = statement.cells.published.len();
    let hidden: Vec<usize> = (0..cells).filter(|_| rng.gen_range(0..3) == 0).collect();
    let values: Vec<i128> = statement.execution().cells.clone();
    statement = statement.hiding(&hidden);
    if let [first, second, ..] = hidden.as_slice() {
        let difference = i64::try_from(values[*first] - values[*second]).unwrap();
        let more = rng.gen_range(0..1000);
        statement.cells.inequalities.push(Inequality {
            terms: vec![(0, 1), (1, -1)],
            bound: difference - more,
            limbs: limbs_for(more.unsigned_abs().into()) + rng.gen_range(0..3),
        });
    }
    match statement.cells.inequalities.is_empty() || rng.gen_range(0..4) > 0 {
        true => statement,
        // More limbs than the dataset has rows, or fewer.
        false => {
            let rows = rng.gen_range(400..=statement.equation.rows.all());
            statement.repeating(rows)
        }
    }
}

fn is_proven(rows: Rows, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let world = random::world(rows, &mut rng);
    let equation = random::equation(rows, seed);
    let published = Statement::new(&world, equation);
    let statement = hide(published, &mut rng);
    let proof = statement.prove().unwrap();
    statement.verify(&proof).unwrap();
    let mut other = statement.clone();
    if let Some(Some(cell)) = other.cells.published.iter_mut().find(|c| c.is_some()) {
        *cell += 1;
        other.verify(&proof).unwrap_err();
        assert!(other.prove().is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nullable tuples, bins, formulas with complements, groupings that blocks share, products, hidden cells, absent
    /// chunks, one row, all rows.
    #[test]
    fn random_equations_are_proven(seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        is_proven(random::rows(&mut rng), seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// And by the second prover.
    #[test]
    fn random_equations_are_proven_by_the_second_prover(seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let rows = random::rows(&mut rng);
        let world = random::world(rows, &mut rng);
        let statement = hide(Statement::new(&world, random::equation(rows, seed)), &mut rng);
        let reference = Reference::new(&statement, &statement.execution());
        let proven = reference.prove(Strategy::Honest).unwrap();
        statement.verify(&proven.proof).unwrap();
    }
}

#[test]
fn one_row_and_all_rows() {
    for (chunk_bits, present) in [(8, 1), (8, 1024), (10, 1), (10, 1024)] {
        let rows = Rows {
            row_bits: 10,
            chunk_bits,
            present,
        };
        for seed in 0..3 {
            is_proven(rows, seed);
        }
    }
}
