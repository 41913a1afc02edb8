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
    equation::{Inequality, LIMBS, Rows},
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
    let most = (statement.equation.rows.committed() / LIMBS).saturating_sub(1) / 2;
    let cells = statement.cells.published.len();
    let hidden: Vec<usize> = (0..cells)
        .filter(|_| rng.gen_range(0..3) == 0)
        .take(most)
        .collect();
    let values: Vec<i128> = statement.execution().cells.clone();
    statement = statement.hiding(&hidden);
    if let [first, second, ..] = hidden.as_slice() {
        let difference = i64::try_from(values[*first] - values[*second]).unwrap();
        statement.cells.inequalities.push(Inequality {
            terms: vec![(0, 1), (1, -1)],
            bound: difference - rng.gen_range(0..1000),
        });
    }
    statement
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
