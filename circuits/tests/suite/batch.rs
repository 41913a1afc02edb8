//! Batches: whoever is wrong is named, at every position, and the verdict is the same for everyone.

use ark_ff::One;
use galen_circuits::{
    Fr,
    batch::{Check, Claim},
};

use crate::world::*;

fn mixed() -> Vec<Claim<'static>> {
    let twice = || all_cases().map(|c| c.claim);
    [twice(), twice()].concat()
}

#[test]
fn the_one_bad_claim_is_named_at_every_position() {
    let claims = mixed();
    assert_eq!(verdict(&claims), Ok(()));
    for index in 0..claims.len() {
        let mut bad = claims.clone();
        bad[index].publics[0] += Fr::one();
        assert_eq!(verdict(&bad), Err((index, Check::Groth16)));
        let mut bad = claims.clone();
        bad[index].columns.reverse();
        assert_eq!(verdict(&bad), Err((index, Check::Link)));
    }
}

#[test]
fn of_several_bad_claims_the_first_is_named() {
    let mut claims = mixed();
    claims.truncate(5);
    for (index, check) in [(4, Check::Groth16), (3, Check::Link), (1, Check::Groth16)] {
        match check {
            Check::Groth16 => claims[index].proof.c = -claims[index].proof.c,
            Check::Link => claims[index].proof.link = -claims[index].proof.link,
        }
        assert_eq!(verdict(&claims), Err((index, check)));
    }
    // Both equations of one claim: Groth16 comes first.
    claims[1].proof.link = -claims[1].proof.link;
    assert_eq!(verdict(&claims), Err((1, Check::Groth16)));
}

#[test]
fn equal_claims_and_orders_do_not_matter() {
    let mut claims = mixed();
    claims.extend_from_within(0..3);
    assert_eq!(verdict(&claims), Ok(()));
    claims.reverse();
    assert_eq!(verdict(&claims), Ok(()));
    // A bad claim twice is still bad: its error enters with two unrelated weights.
    let mut bad = claims[0].clone();
    bad.proof.c = -bad.proof.c;
    let mut all = vec![bad.clone(), bad];
    all.extend(claims);
    assert_eq!(verdict(&all), Err((0, Check::Groth16)));
}

#[test]
fn keys_of_another_set_with_the_same_gate_do_not_mix() {
    // The same gate and rows under other secrets, beside the first in one batch.
    let srs = &WORLD.srs;
    let other = Keys::generate(galen_circuits::gates::Gate::Multiply, srs, None);
    let case = multiply_case();
    let columns: [_; 3] = std::array::from_fn(|i| &case.columns[i]);
    let theirs = Claim {
        key: &other.vk,
        proof: galen_circuits::prove::multiply(&other.pk, ctx(), columns).unwrap(),
        ..case.claim.clone()
    };
    assert_eq!(verdict(&[case.claim.clone(), theirs.clone()]), Ok(()));
    let crossed = Claim {
        key: &other.vk,
        ..case.claim.clone()
    };
    assert_eq!(
        verdict(&[case.claim, theirs, crossed]),
        Err((2, Check::Groth16))
    );
}
