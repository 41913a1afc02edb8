//! One honest claim, one change: each is refused, by the equation that should see it.

use ark_ec::CurveGroup;
use ark_ff::One;
use galen_circuits::{
    CircuitError, Fr, G1,
    batch::{self, Check, VerifyError},
    prove::Proof,
};

use crate::world::*;

fn plus(point: G1, by: impl Into<ark_bn254::G1Projective>) -> G1 {
    (by.into() + point).into_affine()
}

#[test]
fn every_public_input_counts() {
    for case in all_cases() {
        for p in 0..case.claim.publics.len() {
            let mut claim = case.claim.clone();
            claim.publics[p] += Fr::one();
            assert_eq!(
                verdict_of(&claim),
                Err(Check::Groth16),
                "{} public {p}",
                case.keys.vk.gate
            );
        }
    }
}

#[test]
fn no_bound_can_be_restated() {
    let case = release_case();
    let restated = |change: fn(&mut galen_circuits::gates::release::Statement)| {
        let mut s = release_statement();
        change(&mut s);
        let mut claim = case.claim.clone();
        claim.publics = [vec![ctx()], s.publics()].concat();
        verdict_of(&claim)
    };
    assert_eq!(restated(|_| ()), Ok(()));
    let bad = Err(Check::Groth16);
    assert_eq!(restated(|s| s.bounds[0] = (41, 41)), bad);
    assert_eq!(restated(|s| s.bounds.swap(0, 1)), bad);
    assert_eq!(restated(|s| s.bounds[6].0 = 2), bad);
    assert_eq!(restated(|s| s.bounds[6].1 = 9), bad);
    assert_eq!(restated(|s| s.bounds[7].1 -= 1), bad);
}

#[test]
fn a_column_commitment_cannot_be_swapped() {
    for case in all_cases() {
        let columns = case.claim.columns.len();
        for s in 0..columns {
            // Even another commitment to the same values.
            let mut claim = case.claim.clone();
            claim.columns[s] = commit_fr(case.columns[s].values().to_vec()).commitment();
            assert_eq!(verdict_of(&claim), Err(Check::Link));
            let mut claim = case.claim.clone();
            claim.columns.swap(s, (s + 1) % columns);
            assert_eq!(verdict_of(&claim), Err(Check::Link));
        }
    }
}

#[test]
fn d_shifted_along_a_public_base_is_caught_by_the_link() {
    // IC(p + δ) + (D − δ·K_p) = IC(p) + D: the Groth16 equation is blind to it.
    let delta = Fr::from(5u64);
    for case in all_cases() {
        for p in 0..case.claim.publics.len().min(4) {
            let mut claim = case.claim.clone();
            claim.publics[p] += delta;
            claim.proof.d = plus(claim.proof.d, case.keys.vk.key.ic[1 + p] * -delta);
            assert_eq!(verdict_of(&claim), Err(Check::Link), "public {p}");
        }
    }
}

#[test]
fn d_shifted_along_the_public_slot_is_caught_by_the_link() {
    // The same with S: {2..5, 9} told as {2..5}, D taking over the base of 9.
    let mut claim = recode_case().claim;
    let prefix = &WORLD.recode.vk.key.public_prefix;
    claim.set = &[(2, 5)];
    claim.proof.d = (prefix[10] - prefix[9] + claim.proof.d).into_affine();
    assert_eq!(verdict_of(&claim), Err(Check::Link));
}

#[test]
fn d_shifted_along_a_slot_base_is_refused_with_and_without_its_link() {
    for case in all_cases() {
        let pk = &case.keys.pk;
        let layout = pk.gate.layout(N);
        let mut claim = case.claim.clone();
        claim.proof.d = plus(
            claim.proof.d,
            pk.groth16.vk.gamma_abc_g1[layout.range(0).start],
        );
        assert_eq!(verdict_of(&claim), Err(Check::Groth16));
        // Column and π moved along: the link holds again, the statement is another and unproven.
        claim.columns[0] = plus(claim.columns[0], WORLD.srs.lagrange[0]);
        claim.proof.link = plus(claim.proof.link, pk.link.rows[0][0]);
        assert_eq!(verdict_of(&claim), Err(Check::Groth16));
        // D along ρ: C0 gives ρ a column, so the proof is for the old ρ.
        let mut claim = case.claim.clone();
        claim.proof.d = plus(claim.proof.d, pk.committed_bases()[0]);
        claim.proof.link = plus(claim.proof.link, pk.link.rho);
        assert_eq!(verdict_of(&claim), Err(Check::Groth16));
    }
}

#[test]
fn no_element_of_a_proof_can_be_exchanged() {
    for (case, other) in all_cases().into_iter().zip(all_cases()) {
        let (p, q) = (case.claim.proof, other.claim.proof);
        // D enters recode's challenge, so there another D already breaks the Groth16 equation.
        let whole = if case.keys.vk.gate == RECODE {
            Check::Groth16
        } else {
            Check::Link
        };
        for (proof, check) in [
            (Proof { a: q.a, ..p }, Check::Groth16),
            (Proof { b: q.b, ..p }, Check::Groth16),
            (Proof { c: q.c, ..p }, Check::Groth16),
            (Proof { d: q.d, ..p }, Check::Groth16),
            (Proof { link: q.link, ..p }, Check::Link),
            (
                Proof {
                    a: p.c,
                    c: p.a,
                    ..p
                },
                Check::Groth16,
            ),
            (Proof { a: -p.a, ..p }, Check::Groth16),
            (Proof { d: -p.d, ..p }, Check::Groth16),
            (Proof { link: -p.link, ..p }, Check::Link),
            // Another proof of the same statement, over another commitment of the same values.
            (Proof { link: p.link, ..q }, whole),
            (q, whole),
        ] {
            let mut claim = case.claim.clone();
            claim.proof = proof;
            assert_eq!(verdict_of(&claim), Err(check), "{}", case.keys.vk.gate);
        }
    }
}

#[test]
fn a_proof_or_link_of_another_gate_is_refused() {
    let cases = all_cases();
    for (i, case) in cases.iter().enumerate() {
        let other = &cases[(i + 1) % 4].claim;
        let mut claim = case.claim.clone();
        claim.proof.link = other.proof.link;
        assert_eq!(verdict_of(&claim), Err(Check::Link));
        claim.proof = other.proof;
        assert_eq!(verdict_of(&claim), Err(Check::Groth16));
    }
    // Two links swapped between two claims: the first one is named.
    let mut claims = [select_case().claim, select_case().claim];
    let link = claims[0].proof.link;
    claims[0].proof.link = claims[1].proof.link;
    claims[1].proof.link = link;
    assert_eq!(verdict(&claims), Err((0, Check::Link)));
}

#[test]
fn another_owner_cannot_republish_a_claim() {
    let theirs = galen_circuits::hash::context(&SET_ID, &[9; 32], &[2; 32]);
    for case in all_cases() {
        let mut claim = case.claim;
        claim.publics[0] = theirs;
        assert_eq!(verdict_of(&claim), Err(Check::Groth16));
    }
}

#[test]
fn blinding_may_be_traded_between_columns_but_no_value() {
    // C₁ + k₂·h, C₂ − k₁·h passes: P_{s,h} = k_s·h is published, and the cross terms cancel. Known and
    // harmless: the link proves the values of columns, not that someone knows their blinding factors;
    // nobody can open the moved commitments, and honest ones stand in the manifest that ctx covers.
    let case = select_case();
    let link = &case.keys.pk.link;
    let mut claim = case.claim.clone();
    claim.columns[0] = plus(claim.columns[0], link.blinding[1]);
    claim.columns[1] = plus(claim.columns[1], -link.blinding[0]);
    assert_eq!(verdict_of(&claim), Ok(()));
    // With a row's base in place of h the K's of D are left over.
    let mut claim = case.claim.clone();
    claim.columns[0] = plus(claim.columns[0], link.rows[1][0]);
    claim.columns[1] = plus(claim.columns[1], -link.rows[0][0]);
    assert_eq!(verdict_of(&claim), Err(Check::Link));
}

#[test]
fn claims_of_the_wrong_shape_are_malformed() {
    let malformed = |change: &dyn Fn(&mut batch::Claim<'static>)| {
        for case in all_cases() {
            let good = case.claim.clone();
            let mut claim = case.claim;
            change(&mut claim);
            match batch::verify(&SET_ID, &[good, claim]) {
                Err(VerifyError::Malformed { index: 1, source }) => assert!(matches!(
                    source,
                    CircuitError::Length { .. } | CircuitError::Encoding { .. }
                )),
                other => panic!("{other:?}"),
            }
        }
    };
    malformed(&|c| c.publics.push(Fr::one()));
    malformed(&|c| c.publics.truncate(c.publics.len() - 1));
    malformed(&|c| c.publics.clear());
    malformed(&|c| c.columns.push(c.columns[0]));
    malformed(&|c| c.columns.truncate(c.columns.len() - 1));
    // No set is canonical for a gate without S; for recode these are not.
    malformed(&|c| c.set = &[(15, 16)]);
    malformed(&|c| c.set = &[(3, 2)]);
    malformed(&|c| c.set = &[(9, 9), (2, 5)]);
    malformed(&|c| c.set = &[(2, 4), (5, 5)]);
    malformed(&|c| c.set = &[(2, 5), (5, 6)]);
    malformed(&|c| c.set = &[(0, u64::MAX)]);
    malformed(&|c| c.set = &[(u64::MAX, u64::MAX)]);
    for claim in [select_case().claim, release_case().claim] {
        let claim = batch::Claim { set: S, ..claim };
        assert!(matches!(
            batch::verify(&SET_ID, &[claim]),
            Err(VerifyError::Malformed { index: 0, .. })
        ));
    }
}
