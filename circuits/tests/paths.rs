//! Both paths of `galen_field` give the same bytes: commitments and proofs of the same data with the same randomness.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{env, process::Command};

use ark_ff::UniformRand;
use ark_serialize::CanonicalSerialize;
use ark_std::rand::{SeedableRng, rngs::StdRng};
use common::{Statement, World, cohort, random};
use galen_circuits::{Fr, commitment::Blinding, equation::Rows};
use sha2::{Digest, Sha256};

/// Equations at random, besides those of the other tests.
const RANDOM: u64 = 12;

/// What the child prints before its digest.
const MARK: &str = "proven on the path";

#[test]
fn both_paths_give_the_same_bytes() {
    let (taken, own) = child(None);
    let (scalar, other) = child(Some("off"));
    assert_eq!(scalar, "scalar");
    if taken == scalar {
        eprintln!("NOT TESTED: this machine has no AVX-512 IFMA, or GALEN_SIMD is off");
    }
    assert_eq!(own, other, "the path {taken} gives other bytes");
}

/// The path that a process with this switch takes, and the digest of what it proves.
fn child(switch: Option<&str>) -> (String, String) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([
        "--exact",
        "the_bytes_of_this_path",
        "--ignored",
        "--nocapture",
    ]);
    if let Some(switch) = switch {
        command.env("GALEN_SIMD", switch);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|l| l.split_once(MARK)).unwrap().1;
    let (path, digest) = line.trim().rsplit_once(' ').unwrap();
    (path.to_owned(), digest.to_owned())
}

#[test]
#[ignore = "a part of both_paths_give_the_same_bytes, which runs it"]
fn the_bytes_of_this_path() {
    let mut digest = Sha256::new();
    let world = reblinded(cohort::world(1));
    add(&cohort::statement(&world), 1, &mut digest);
    add(&cohort::hidden(&world), 2, &mut digest);
    for seed in 0..RANDOM {
        let mut rng = StdRng::seed_from_u64(seed);
        let rows = random::rows(&mut rng);
        add_random(rows, &mut rng, seed, &mut digest);
    }
    // More rows than a block has, and a last chunk that is nearly empty.
    let rows = Rows {
        row_bits: 14,
        chunk_bits: 12,
        present: (3 << 12) + 5,
    };
    add_random(rows, &mut StdRng::seed_from_u64(99), 99, &mut digest);
    println!("\n{MARK} {} {:x}", galen_field::path(), digest.finalize());
}

fn add_random(rows: Rows, rng: &mut StdRng, seed: u64, digest: &mut Sha256) {
    let world = reblinded(random::world(rows, rng));
    add(
        &Statement::new(&world, random::equation(rows, seed)),
        seed,
        digest,
    );
}

/// With the same blinders in every process.
fn reblinded(world: World) -> World {
    let mut rng = StdRng::seed_from_u64(3);
    World::blinded(world.rows, world.values, || {
        Blinding::restore(Fr::rand(&mut rng))
    })
}

/// The commitments of the statement's columns and its proof, which holds.
fn add(statement: &Statement<'_>, seed: u64, digest: &mut Sha256) {
    let mut bytes = Vec::new();
    let commitments = &statement.world.commitments;
    commitments.serialize_uncompressed(&mut bytes).unwrap();
    let rng = &mut StdRng::seed_from_u64(seed);
    let proof = statement.prove_from(&statement.execution(), rng).unwrap();
    statement.verify(&proof).unwrap();
    digest.update(bytes);
    digest.update(proof.to_bytes());
}
