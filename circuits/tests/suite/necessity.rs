//! Verifiers with one check taken out, each of which believes a forgery that ours refuses.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::{Groth16, prepare_verifying_key};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    E, Fr, G1, G2,
    batch::{Check, Claim},
    prove::Proof,
};

use crate::world::*;

/// IC(p) + D, as the Groth16 equation takes it.
fn inputs(claim: &Claim<'_>) -> G1Projective {
    let ic = &claim.key.key.ic;
    let mut sum = ic[0] + claim.proof.d;
    for (k, p) in ic[1..].iter().zip(&claim.publics) {
        sum += *k * p;
    }
    for (first, last) in claim.set {
        let at = |i: u64| claim.key.key.public_prefix[usize::try_from(i).unwrap()];
        sum += at(last + 1) - at(*first);
    }
    sum
}

/// arkworks' own verifier over D, without the link.
fn groth16_only(keys: &Keys, claim: &Claim<'_>) -> bool {
    let pvk = prepare_verifying_key(&keys.pk.groth16.vk);
    let p = claim.proof;
    let proof = ark_groth16::Proof {
        a: p.a,
        b: p.b,
        c: p.c,
    };
    Groth16::<E>::verify_proof_with_prepared_inputs(&pvk, &proof, &inputs(claim)).unwrap()
}

/// The link without Groth16.
fn link_only(claim: &Claim<'_>) -> bool {
    let key = &claim.key.key;
    let left = claim.columns.iter().copied().chain([claim.proof.d]);
    let right = key.link_columns.iter().copied().chain([key.link_d]);
    E::multi_pairing(left, right) == E::pairing(claim.proof.link, G2::generator())
}

#[test]
fn both_reduced_verifiers_accept_the_truth() {
    for case in all_cases() {
        assert!(groth16_only(case.keys, &case.claim));
        assert!(link_only(&case.claim));
    }
}

#[test]
fn without_the_link_any_public_input_can_be_restated() {
    for case in all_cases() {
        let last = case.claim.publics.len() - 1;
        let mut claim = case.claim.clone();
        claim.publics[last] += Fr::one();
        let shift = case.keys.vk.key.ic[1 + last].into_group();
        claim.proof.d = (claim.proof.d - shift).into_affine();
        assert!(groth16_only(case.keys, &claim), "believed");
        assert_eq!(verdict_of(&claim), Err(Check::Link));
    }
}

#[test]
fn without_the_link_a_proof_speaks_of_no_column_in_particular() {
    let mut claim = multiply_case().claim;
    claim.columns = vec![commit(&[1; N]).commitment(); 3];
    assert!(groth16_only(&WORLD.multiply, &claim), "believed");
    assert_eq!(verdict_of(&claim), Err(Check::Link));
}

#[test]
fn without_groth16_the_link_binds_columns_to_no_statement() {
    // z says 1·1 = 5; D and π are made in order, A, B and C come from another proof.
    let keys = &WORLD.multiply;
    let columns = [commit(&[1; N]), commit(&[1; N]), commit(&[5; N])];
    let mut instance = vec![Fr::one(), ctx(), Fr::rand(&mut OsRng)];
    for c in &columns {
        instance.extend_from_slice(c.values());
    }
    let mut claim = multiply_case().claim;
    claim.columns = columns.iter().map(|c| c.commitment()).collect();
    claim.proof = Proof {
        d: commit_slots(&keys.pk, &instance),
        link: link(&keys.pk, &instance, &columns.each_ref()),
        ..claim.proof
    };
    assert!(link_only(&claim), "believed");
    assert_eq!(verdict_of(&claim), Err(Check::Groth16));
}

/// All Groth16 equations of one key added up without weights.
fn unweighted(keys: &Keys, claims: &[Claim<'_>]) -> bool {
    let key = &keys.vk.key;
    let mut left: Vec<G1> = claims.iter().map(|c| c.proof.a).collect();
    let mut right: Vec<_> = claims.iter().map(|c| c.proof.b).collect();
    let count = Fr::from(claims.len() as u64);
    let gamma: G1Projective = claims.iter().map(inputs).sum();
    let delta: G1Projective = claims.iter().map(|c| c.proof.c.into_group()).sum();
    let fixed = [key.alpha_g1 * count, gamma, delta].map(|p| (-p).into_affine());
    left.extend(fixed);
    right.extend([key.beta_g2, G2::generator(), key.delta_g2]);
    E::multi_pairing(left, right).is_zero()
}

#[test]
fn without_weights_two_errors_cancel() {
    let p = G1::generator() * Fr::rand(&mut OsRng);
    let keys = &WORLD.select;
    let honest = [select_case().claim, select_case().claim];
    assert!(unweighted(keys, &honest) && verdict(&honest).is_ok());
    // C + P and C − P.
    let mut bad = honest.clone();
    bad[0].proof.c = (p + bad[0].proof.c).into_affine();
    bad[1].proof.c = (-p + bad[1].proof.c).into_affine();
    assert!(unweighted(keys, &bad), "believed");
    assert_eq!(verdict(&bad), Err((0, Check::Groth16)));
    // D + P and D − P, which the link would see as well; π + P and π − P, seen by the link alone.
    let mut bad = honest.clone();
    bad[0].proof.d = (p + bad[0].proof.d).into_affine();
    bad[1].proof.d = (-p + bad[1].proof.d).into_affine();
    assert!(unweighted(keys, &bad), "believed");
    assert_eq!(verdict(&bad), Err((0, Check::Groth16)));
    let mut bad = honest.clone();
    bad[0].proof.link = (p + bad[0].proof.link).into_affine();
    bad[1].proof.link = (-p + bad[1].proof.link).into_affine();
    assert_eq!(verdict(&bad), Err((0, Check::Link)));
    // Public inputs traded between the two: k + 1 here, k − 1 there.
    let mut bad = honest.clone();
    bad[0].publics[1] += Fr::one();
    bad[1].publics[1] -= Fr::one();
    assert!(unweighted(keys, &bad), "believed");
    assert_eq!(verdict(&bad), Err((0, Check::Groth16)));
    // A column traded between the two links.
    let mut bad = honest;
    let column = bad[0].columns[0];
    bad[0].columns[0] = bad[1].columns[0];
    bad[1].columns[0] = column;
    assert_eq!(verdict(&bad), Err((0, Check::Link)));
}

#[test]
fn without_the_groth16_weight_apart_from_the_links_the_two_would_cancel() {
    // D stands in both equations of a claim; an error that enters e(·, γ) and e(·, k_D·a) with opposite
    // signs is no help as γ and k_D·a are independent: D + P alone breaks both.
    let mut claim = multiply_case().claim;
    let p = G1::generator() * Fr::rand(&mut OsRng);
    claim.proof.d = (p + claim.proof.d).into_affine();
    assert!(!groth16_only(&WORLD.multiply, &claim) && !link_only(&claim));
    assert_eq!(verdict_of(&claim), Err(Check::Groth16));
}

/// Of the link's bases that a commitment could contain, those of the blinding cancel between two slots: a
/// link does not show that anyone knows an opening. The values stay what they are (docs/spec/link.md).
#[test]
fn the_link_does_not_bind_the_blinding() {
    for case in [select_case(), multiply_case()] {
        let mut claim = case.claim.clone();
        let h = &case.keys.pk.link.blinding;
        let c = Fr::rand(&mut OsRng);
        claim.columns[0] = (h[1] * c + claim.columns[0]).into_affine();
        claim.columns[1] = (h[0] * -c + claim.columns[1]).into_affine();
        assert_eq!(verdict_of(&claim), Ok(()));
        claim.columns[1] = case.claim.columns[1];
        assert_eq!(verdict_of(&claim), Err(Check::Link));
    }
}
