//! A true proof with one thing changed, and a true proof of something else: each is refused.
//!
//! What an answer is identified by is its statement, not its bytes: a Groth16 proof can be made another proof of the
//! same statement by anyone (`an_answer_is_not_its_bytes`).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "tampering/bytes.rs"]
mod bytes;
#[path = "tampering/checks.rs"]
mod checks;

mod common;
#[path = "tampering/statement.rs"]
mod statement;

use std::sync::OnceLock;

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, UniformRand};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use common::{Statement, World, cohort, keys};
use galen_circuits::{
    Fr, G1, G2,
    batch::{BatchError, Check},
    proof::EquationProof,
};

/// A dataset, its statement with hidden cells, and a proof.
fn proven() -> &'static (World, EquationProof) {
    static PROVEN: OnceLock<(World, EquationProof)> = OnceLock::new();
    PROVEN.get_or_init(|| {
        let world = cohort::world(1);
        let proof = cohort::hidden(&world).prove().unwrap();
        (world, proof)
    })
}

fn statement() -> Statement<'static> {
    cohort::hidden(&proven().0)
}

fn proof() -> EquationProof {
    proven().1.clone()
}

/// Asserts that a changed proof is refused, for what it is, by both equations or one.
fn refused(change: impl FnOnce(&mut EquationProof), expected: Check) {
    let mut changed = proof();
    change(&mut changed);
    assert_ne!(changed, proof());
    match statement().verify(&changed) {
        Err(BatchError::Refused { index: 0, check }) => assert_eq!(check, expected),
        other => panic!("{other:?}"),
    }
}

fn moved(point: &mut G1) {
    *point = (*point + G1::generator()).into_affine();
}

#[test]
fn a_changed_commitment_of_any_column() {
    for column in 0..proof().first.len() {
        for chunk in 0..proof().first[column].len() {
            refused(|p| moved(&mut p.first[column][chunk]), Check::Circuit);
        }
    }
    for column in 0..proof().second.len() {
        for chunk in 0..proof().second[column].len() {
            refused(|p| moved(&mut p.second[column][chunk]), Check::Circuit);
        }
    }
}

#[test]
fn a_changed_commitment_of_the_mask() {
    refused(|p| moved(&mut p.mask), Check::Circuit);
}

#[test]
fn exchanged_commitments() {
    refused(|p| p.first.swap(0, 1), Check::Circuit);
    refused(|p| p.first[0].swap(0, 1), Check::Circuit);
    refused(|p| p.second.swap(0, 1), Check::Circuit);
    refused(|p| p.second[0].swap(1, 2), Check::Circuit);
    let swap = |p: &mut EquationProof| std::mem::swap(&mut p.first[0], &mut p.second[0]);
    refused(swap, Check::Circuit);
}

#[test]
fn a_changed_challenge() {
    for i in 0..3 {
        refused(|p| p.challenges[i] += Fr::ONE, Check::Circuit);
    }
    for i in 0..proof().r.len() {
        refused(|p| p.r[i] += Fr::ONE, Check::Circuit);
    }
    refused(|p| p.challenges.swap(0, 1), Check::Circuit);
    refused(|p| p.r.swap(0, 9), Check::Circuit);
    refused(|p| p.rho += Fr::ONE, Check::Circuit);
}

#[test]
fn a_changed_combined_evaluation() {
    refused(|p| p.y += Fr::ONE, Check::Circuit);
}

#[test]
fn a_changed_proof_of_the_circuit() {
    refused(|p| moved(&mut p.proof.a), Check::Circuit);
    refused(|p| moved(&mut p.proof.c), Check::Circuit);
    let b = |p: &mut EquationProof| p.proof.b = (p.proof.b + G2::generator()).into_affine();
    refused(b, Check::Circuit);
    let swap = |p: &mut EquationProof| std::mem::swap(&mut p.proof.a, &mut p.proof.c);
    refused(swap, Check::Circuit);
}

#[test]
fn a_changed_opening() {
    refused(|p| moved(&mut p.opening.s), Check::Opening);
    refused(|p| moved(&mut p.opening.w), Check::Opening);
    refused(|p| p.opening.f_z += Fr::ONE, Check::Opening);
    refused(|p| p.opening.f_zi += Fr::ONE, Check::Opening);
    refused(|p| p.opening.s_z += Fr::ONE, Check::Opening);
    let swap = |p: &mut EquationProof| std::mem::swap(&mut p.opening.f_z, &mut p.opening.f_zi);
    refused(swap, Check::Opening);
}

/// Another proof of the same statement has another salt: no part of it can stand in this one.
#[test]
fn parts_of_another_proof_of_the_same_statement() {
    let other = statement().prove().unwrap();
    statement().verify(&other).unwrap();
    refused(|p| p.first = other.first.clone(), Check::Circuit);
    refused(|p| p.mask = other.mask, Check::Circuit);
    refused(|p| p.second = other.second.clone(), Check::Circuit);
    refused(|p| p.challenges = other.challenges, Check::Circuit);
    refused(|p| p.r = other.r.clone(), Check::Circuit);
    refused(|p| p.rho = other.rho, Check::Circuit);
    refused(|p| p.y = other.y, Check::Circuit);
    refused(|p| p.proof = other.proof.clone(), Check::Circuit);
    refused(|p| p.opening = other.opening, Check::Opening);
}

/// Anyone can make A/s, sB, C of A, B, C; more generally A/s, sB + stδ, C + tA. It verifies, and says the same.
#[test]
fn an_answer_is_not_its_bytes() {
    let mut rng = StdRng::seed_from_u64(4);
    let (s, t) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    let keys = keys(statement().layout().class);
    let delta = keys.0.verifying_key().delta_g2;
    let mut other = proof();
    let (a, b, c) = (other.proof.a, other.proof.b, other.proof.c);
    other.proof.a = (a * s.inverse().unwrap()).into_affine();
    other.proof.b = (b * s + delta * (s * t)).into_affine();
    other.proof.c = (c + a * t).into_affine();
    assert_ne!(other.to_bytes(), proof().to_bytes());
    statement().verify(&other).unwrap();
}
