//! The answer circuit against its native twin, constraint by constraint (`docs/spec/circuit.md`).
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use ark_ff::Field;
use ark_std::rand::{SeedableRng, rngs::StdRng};
use common::{
    cohort, forge,
    hidden::{Flaw, transcript},
    keys,
    reference::{Reference, Strategy},
};
use galen_circuits::{
    CircuitError, Fr,
    circuit::{Publics, Secret, Violation, assign, matrices, violation},
    class::{Class, Size},
    groth16,
    r1cs::Side,
};
use proptest::prelude::*;

const CLASS: Class = Class {
    rounds: 10,
    size: Size::Small,
};

/// The label of the first constraint that fails, up to its colon.
fn fails(class: Class, publics: &Publics, secret: &Secret) -> Option<String> {
    let matrices = matrices(class);
    let assignment = assign(class, publics, secret, matrices.variables());
    let first = matrices.first_unsatisfied(assignment.values())?;
    let label = matrices.label(first);
    Some(label.split(':').next().unwrap().to_owned())
}

/// Asserts that one corruption of a transcript fails both, and where.
fn both_fail(change: impl FnOnce(&mut Publics, &mut Secret), label: &str, expected: Violation) {
    let (mut publics, mut secret) = transcript(CLASS, 5, Flaw::None);
    assert_eq!(fails(CLASS, &publics, &secret), None);
    assert_eq!(violation(CLASS, &publics, &secret), None);
    change(&mut publics, &mut secret);
    assert_eq!(fails(CLASS, &publics, &secret).as_deref(), Some(label));
    assert_eq!(violation(CLASS, &publics, &secret), Some(expected));
}

/// Asserts that a transcript of a prover with a flaw fails both: its end is right by its own rule only.
fn flawed_fails(flaw: Flaw) {
    let (publics, secret) = transcript(CLASS, 6, flaw);
    assert!(matches!(
        violation(CLASS, &publics, &secret),
        Some(Violation::Constraints | Violation::Sum)
    ));
    let label = fails(CLASS, &publics, &secret);
    assert!(matches!(label.as_deref(), Some("C7" | "C8")), "{label:?}");
}

/// Asserts that a constraint with `label` binds the variable that it brings in.
fn binds(label: &str) {
    let matrices = matrices(CLASS);
    let (publics, secret) = transcript(CLASS, 7, Flaw::None);
    let values = assign(CLASS, &publics, &secret, matrices.variables());
    let own: Vec<usize> = (0..matrices.constraints())
        .filter(|i| matrices.label(*i).starts_with(label))
        .collect();
    assert!(!own.is_empty(), "{label}");
    for constraint in own {
        let terms = [Side::A, Side::B, Side::C].map(|s| matrices.row(s, constraint));
        let newest = terms.into_iter().flatten().map(|(_, v)| v).max().unwrap();
        let mut values = values.values().to_vec();
        values[newest] += Fr::ONE;
        let side = |s| matrices.evaluate(s, constraint, &values);
        assert_ne!(side(Side::A) * side(Side::B), side(Side::C), "{label}");
    }
}

#[test]
fn c1_another_x() {
    both_fail(|p, _| p.x += Fr::ONE, "C1", Violation::Challenges);
}

#[test]
fn c1_another_gamma_or_beta() {
    both_fail(|p, _| p.gamma += Fr::ONE, "C1", Violation::Challenges);
    both_fail(|p, _| p.beta += Fr::ONE, "C1", Violation::Challenges);
}

#[test]
fn c1_another_salt_or_alpha_0() {
    both_fail(|_, s| s.salt += Fr::ONE, "C1", Violation::Challenges);
    both_fail(|p, _| p.alpha_0 += Fr::ONE, "C1", Violation::Challenges);
}

/// χ and t₀ are not public: that they are others shows in the first challenge after them.
#[test]
fn c2_another_alpha_1() {
    let last = CLASS.rounds as usize - 1;
    let label = format!("C5: r is drawn after the message, variable {last}");
    let label = label.split(':').next().unwrap();
    both_fail(|p, _| p.alpha_1 += Fr::ONE, label, Violation::Round(last));
    binds("C2");
}

#[test]
fn c3_a_weight_that_is_not_the_square_of_the_one_before() {
    flawed_fails(Flaw::Weights);
    binds("C3");
}

#[test]
fn c4_another_difference() {
    flawed_fails(Flaw::Delta);
    binds("C4");
}

#[test]
fn c5_another_challenge() {
    for variable in [0, 4, CLASS.rounds as usize - 1] {
        let change = |p: &mut Publics, _: &mut Secret| p.r[variable] += Fr::ONE;
        both_fail(change, "C5", Violation::Round(variable));
    }
}

#[test]
fn c5_another_message() {
    for coefficient in 0..8 {
        let change = |_: &mut Publics, s: &mut Secret| s.messages[0][coefficient] += Fr::ONE;
        both_fail(change, "C5", Violation::Round(CLASS.rounds as usize - 1));
    }
}

#[test]
fn c6_claims_at_another_point() {
    flawed_fails(Flaw::Claims);
    binds("C6");
}

#[test]
fn c6_another_right_side() {
    both_fail(|p, _| p.rhs += Fr::ONE, "C8", Violation::Sum);
}

#[test]
fn c7_an_evaluation_that_breaks_a_constraint() {
    let table = forge::first_table(CLASS.size);
    let root = forge::linear_sum(CLASS.size) + 2;
    for evaluation in [0, 1, table, root, root + 1] {
        let change = |_: &mut Publics, s: &mut Secret| s.evaluations[evaluation] += Fr::ONE;
        both_fail(change, "C7", Violation::Constraints);
    }
}

#[test]
fn c8_an_evaluation_that_breaks_the_sum() {
    let sum = forge::linear_sum(CLASS.size);
    let last = CLASS.size.evaluations() - 1;
    for evaluation in [sum, sum + 1, last - 2, last - 1, last] {
        let change = |_: &mut Publics, s: &mut Secret| s.evaluations[evaluation] += Fr::ONE;
        both_fail(change, "C8", Violation::Sum);
    }
}

#[test]
fn c9_another_rho() {
    both_fail(|p, _| p.rho += Fr::ONE, "C9", Violation::Rho);
}

#[test]
fn c9_another_evaluation_of_the_mask() {
    both_fail(|_, s| s.mask += Fr::ONE, "C9", Violation::Rho);
}

#[test]
fn c10_another_combined_evaluation() {
    both_fail(|p, _| p.y += Fr::ONE, "C10", Violation::Evaluation);
}

#[test]
fn a_witness_of_another_length_is_not_one() {
    let (publics, mut secret) = transcript(CLASS, 8, Flaw::None);
    secret.messages.pop();
    let expected = Some(Violation::Length);
    assert_eq!(violation(CLASS, &publics, &secret), expected);
}

/// Changing any one variable, public or not, breaks a constraint that it stands in.
#[test]
fn no_variable_is_free() {
    let matrices = matrices(CLASS);
    let (publics, secret) = transcript(CLASS, 9, Flaw::None);
    let assignment = assign(CLASS, &publics, &secret, matrices.variables());
    let mut values = assignment.values().to_vec();
    let mut standing: Vec<Vec<usize>> = vec![Vec::new(); values.len()];
    for i in 0..matrices.constraints() {
        for side in [Side::A, Side::B, Side::C] {
            matrices.row(side, i).for_each(|(_, v)| standing[v].push(i));
        }
    }
    for variable in 1..values.len() {
        values[variable] += Fr::ONE;
        let holds = |i: &usize| {
            let side = |s| matrices.evaluate(s, *i, &values);
            side(Side::A) * side(Side::B) == side(Side::C)
        };
        assert!(!standing[variable].iter().all(holds), "{variable}");
        values[variable] -= Fr::ONE;
    }
}

#[test]
fn every_size_has_its_twin() {
    for size in Size::ALL {
        let class = Class { rounds: 10, size };
        let (publics, secret) = transcript(class, 10, Flaw::None);
        assert_eq!(fails(class, &publics, &secret), None, "{class}");
        assert_eq!(violation(class, &publics, &secret), None, "{class}");
        let count = matrices(class).publics();
        assert_eq!(count, Publics::count(class.rounds));
        assert_eq!(count, publics.to_vec().len());
    }
}

#[test]
fn public_inputs_stand_in_their_order() {
    let (publics, secret) = transcript(CLASS, 11, Flaw::None);
    let assignment = assign(CLASS, &publics, &secret, matrices(CLASS).variables());
    let p = &publics;
    let mut expected = vec![p.alpha_0, p.x, p.gamma, p.beta, p.alpha_1];
    expected.extend(&p.r);
    expected.extend([p.rho, p.y, p.rhs]);
    assert_eq!(assignment.publics(), expected);
    assert_eq!(publics.to_vec(), expected);
}

#[test]
fn no_proof_is_made_of_an_unsatisfied_witness() {
    let (mut publics, secret) = transcript(CLASS, 12, Flaw::None);
    publics.y += Fr::ONE;
    let keys = keys(CLASS);
    let assignment = assign(CLASS, &publics, &secret, matrices(CLASS).variables());
    let mut rng = StdRng::seed_from_u64(3);
    let refused = groth16::prove(&keys.0, assignment.values(), &mut rng);
    match refused {
        Err(CircuitError::Unsatisfied(label)) => assert!(label.starts_with("C10"), "{label}"),
        other => panic!("{other:?}"),
    }
}

/// Constraints, variables, and the digest of the matrices: a change makes every key worthless.
#[test]
fn circuits_are_pinned() {
    let pinned = [
        (
            14,
            Size::Registration,
            12941,
            13170,
            "4bc763b0fa2c64f079f5304e8ae1d9158845dea47ad0a22ae16c203771f9819d",
        ),
        (
            14,
            Size::Small,
            7897,
            8035,
            "9791f1777aad084ef28cc889c69dd63887fd42b87fbb37a2af5ba19d6ef8744f",
        ),
        (
            14,
            Size::Medium,
            9996,
            10175,
            "45f05f075864eb8825b3b954b1d4dd2122aafee7d2e1655030dd1fb64a9c1c59",
        ),
        (
            14,
            Size::Large,
            22550,
            22965,
            "f30b2528f216fe58c2a4067afddc7d8648fbe33a2778cf72f13a0574c7c8173d",
        ),
        (
            14,
            Size::Huge,
            61044,
            62193,
            "391b1d140453c6b41fd57740cd47d680b2677986b738ded9e4c6b2a1a2fec6ed",
        ),
        (
            20,
            Size::Small,
            10393,
            10579,
            "ee3ca1c40d73f1d64e7c65de257b358230d1de6b5913ab416ed3921951bb1a1d",
        ),
    ];
    let found = pinned.map(|(rounds, size, ..)| {
        let matrices = matrices(Class { rounds, size });
        let digest: String = matrices
            .digest()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        (
            rounds,
            size,
            matrices.constraints(),
            matrices.variables(),
            digest,
        )
    });
    let pinned = pinned.map(|(l, s, c, v, d)| (l, s, c, v, d.to_owned()));
    assert_eq!(found, pinned, "{found:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Both accept a transcript, and both refuse it with any one value changed.
    #[test]
    fn the_twins_agree(seed: u64, place: prop::sample::Index, by in 1u64..) {
        let (mut publics, mut secret) = transcript(CLASS, seed, Flaw::None);
        prop_assert_eq!(fails(CLASS, &publics, &secret), None);
        prop_assert_eq!(violation(CLASS, &publics, &secret), None);
        change(&mut publics, &mut secret, place, by);
        prop_assert!(fails(CLASS, &publics, &secret).is_some());
        prop_assert!(violation(CLASS, &publics, &secret).is_some());
    }
}

fn change(publics: &mut Publics, secret: &mut Secret, place: prop::sample::Index, by: u64) {
    let p = publics;
    let mut all = vec![
        &mut p.alpha_0,
        &mut p.x,
        &mut p.gamma,
        &mut p.beta,
        &mut p.alpha_1,
        &mut p.rho,
        &mut p.y,
        &mut p.rhs,
    ];
    all.extend(&mut p.r);
    let Secret {
        salt,
        messages,
        evaluations,
        mask,
    } = secret;
    all.extend([salt, mask]);
    all.extend(messages.iter_mut().flatten());
    all.extend(evaluations);
    let at = place.index(all.len());
    *all[at] += Fr::from(by);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// The transcripts of real proofs satisfy both, and none of their evaluations is free.
    #[test]
    fn real_transcripts_satisfy_both(seed: u64, place: prop::sample::Index) {
        let world = cohort::world(seed);
        let statement = cohort::hidden(&world);
        let reference = Reference::new(&statement, &statement.execution());
        let class = reference.layout.class;
        let proven = reference.prove(Strategy::Honest).unwrap();
        let (publics, mut secret) = (proven.publics, proven.secret);
        prop_assert_eq!(violation(class, &publics, &secret), None);
        prop_assert_eq!(fails(class, &publics, &secret), None);
        let at = place.index(secret.evaluations.len());
        secret.evaluations[at] += Fr::ONE;
        prop_assert!(violation(class, &publics, &secret).is_some());
        prop_assert!(fails(class, &publics, &secret).is_some());
    }
}
