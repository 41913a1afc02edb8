//! True statements are proven and verified.

mod common;

use common::{
    cohort,
    reference::{Reference, Strategy},
};
use galen_core::{batch, proof::EquationProof};

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
