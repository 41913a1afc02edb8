//! Proofs of another dataset, epoch, hospital, query or parameter set, and second answers.

use std::sync::LazyLock;

use ark_bn254::Bn254;
use ark_groth16::{Groth16, VerifyingKey};
use ark_std::rand::rngs::OsRng;
use galen_circuits::batch::Check;
use galen_query::{ReadError, question::Question, text::hex};
use galen_tests::{Asked, Hospital, Setup, ask, keys, keys::another_set};
use galen_verifier::{
    VerifyError, manifest::Manifest, register::AnswerRegister, registration::Registered, verify,
};

use super::{
    HONEST_GROUPS, HONEST_SUMS, HOSPITAL, REGISTRY, SECRETS, SUMS, altered, assert_circuit,
    assert_length, assert_proof, csv, digest,
    forge::{Forger, Secrets, registered},
    planned, refused, sign,
};

/// The same table committed again as epoch 2, and its answer.
pub static NEXT_EPOCH: LazyLock<(Hospital, Asked)> = LazyLock::new(|| {
    let csv = csv();
    let setup = Setup {
        epoch: 2,
        ..Setup::new(&csv, REGISTRY)
    };
    let hospital = setup.commit();
    let asked = ask(&hospital, SUMS);
    (hospital, asked)
});

/// `asked`'s bundle over another registered dataset: as it is, and with that one's manifest written over the old one's.
#[track_caller]
fn assert_replay_refused(asked: &Asked, registered: &Registered) {
    let check = |bundle| {
        let (registry, set) = (HOSPITAL.dataset.registry(), keys().verifying());
        verify(bundle, registered, registry, &asked.question, &set).unwrap_err()
    };
    match check(&asked.bundle) {
        VerifyError::AnotherDataset { what: "bundle", .. } => {}
        other => panic!("{other:?}"),
    }
    let mut renamed = asked.bundle.clone();
    renamed.manifest = digest(&registered.dataset().manifest);
    assert_circuit(&check(&renamed));
}

/// The hospital's own commitments under another manifest, registered again: nothing but the context differs.
#[track_caller]
fn assert_bound(manifest: &Manifest, secrets: &Secrets) {
    let registry = HOSPITAL.dataset.registry();
    let registered = registered(manifest, registry, secrets, keys());
    assert_replay_refused(&HONEST_SUMS, &registered);
}

#[test]
fn a_bundle_is_replayed_for_another_manifest_over_the_same_commitments() {
    assert_bound(&sign(1, |d, _| d.epoch = 2), &SECRETS);
    assert_bound(&sign(1, |d, _| d.dataset = "other"), &SECRETS);
    assert_bound(&sign(1, |d, _| d.release.k = 1), &SECRETS);
    let hide_zero = sign(1, |d, _| d.release.zero_releasable = false);
    assert_bound(&hide_zero, &SECRETS);
    // Another hospital, even one that was told the secrets.
    assert_bound(&sign(9, |_, _| {}), &SECRETS);
    assert_bound(&sign(9, |d, _| d.hospital = "St. Copy"), &SECRETS);
}

/// More rows in as many chunks: padding becomes patients without consent.
#[test]
fn rows_are_changed_in_the_manifest() {
    let secrets = SECRETS.with(|values| {
        for column in values {
            column.resize(column.len() + 100, 0);
        }
    });
    assert_bound(&sign(1, |d, _| d.rows += 100), &secrets);
}

#[test]
fn a_bundle_is_replayed_for_another_epoch() {
    let (next, asked) = &*NEXT_EPOCH;
    assert_eq!(asked.answer.rows, HONEST_SUMS.answer.rows);
    assert_replay_refused(&HONEST_SUMS, &next.registered);
    assert_replay_refused(asked, &HOSPITAL.registered);
}

/// An honest proof of values that are not the committed ones.
#[test]
fn an_answer_is_of_other_values_than_are_committed() {
    let asked = &HONEST_SUMS;
    let plan = planned(SUMS, &[]).unwrap();
    let names = HOSPITAL.dataset.registry().base_columns();
    let n = names.iter().position(|b| b.name == "n").unwrap();
    // 77 in the place of 7: the second patient now meets the query.
    let secrets = SECRETS.with(|values| {
        assert_eq!(values[n][1], 7);
        values[n][1] = 77;
    });
    let execution = secrets.execute(&plan.equation).unwrap();
    let release = &HOSPITAL.manifest().release;
    let (published, _) = galen_verifier::rules::publish(&plan, release, &execution.cells).unwrap();
    assert_ne!(published, asked.bundle.cells);
    let forger = Forger::new(&secrets, HOSPITAL.dataset.dataset());
    let bundle = forger
        .answer(&asked.question, &plan, &published, |_, _| ())
        .unwrap();
    let e = HOSPITAL.verify(&asked.question, &bundle).unwrap_err();
    assert_proof(&e, "bundle", Check::Opening);
}

#[test]
fn a_bundle_answers_another_query() {
    let another = |sql: &str| {
        let other = HOSPITAL.question(sql);
        let mut bundle = HONEST_SUMS.bundle.clone();
        match HOSPITAL.verify(&other, &bundle).unwrap_err() {
            VerifyError::AnotherQuery { expected, got } => {
                assert_eq!(expected, hex(&other.digest()));
                assert_eq!(got, bundle.query);
            }
            other => panic!("{other:?}"),
        }
        bundle.query = hex(&other.digest());
        HOSPITAL.verify(&other, &bundle).unwrap_err()
    };
    assert_circuit(&another(
        "SELECT count(*), sum(n), sum(n * n) FROM t WHERE b AND n > 21",
    ));
    // The same plan, asked otherwise.
    assert_circuit(&another(
        "SELECT count(*), sum(n * n), sum(n) FROM t WHERE b AND n > 20",
    ));
    assert_circuit(&another(
        "SELECT count(*), sum(n), sum(n * n) FROM t WHERE b AND n >= 21",
    ));
    // Without a predicate there is less to commit to.
    assert_length(&another("SELECT count(*), sum(n), sum(n * n) FROM t"));
}

#[test]
fn a_query_is_asked_of_another_registry() {
    let mut text = serde_json::to_value(&HONEST_SUMS.question).unwrap();
    text["registry_digest"] = "0".repeat(64).into();
    let question: Question = serde_json::from_value(text).unwrap();
    match HOSPITAL.verify(&question, &HONEST_SUMS.bundle).unwrap_err() {
        VerifyError::Read(ReadError::Registry { what: "query" }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bundle_names_or_uses_another_parameter_set() {
    let e = refused(&HONEST_SUMS, |b| b.parameter_set = "0".repeat(64));
    assert!(
        matches!(e, VerifyError::ParameterSet { what: "bundle", .. }),
        "{e:?}"
    );

    // Another key for small answers, and nothing else: registrations hold under both.
    let cache = tempfile::tempdir().unwrap();
    let other = another_set(cache.path());
    let set = other.verifying();
    assert_ne!(set.id(), keys().verifying().id());
    let registry = HOSPITAL.dataset.registry();
    let asked = &HONEST_SUMS;
    let check = |bundle, registered: &Registered| {
        verify(bundle, registered, registry, &asked.question, &set).unwrap_err()
    };
    let e = check(&asked.bundle, &HOSPITAL.registered);
    assert!(
        matches!(
            e,
            VerifyError::ParameterSet {
                what: "manifest",
                ..
            }
        ),
        "{e:?}"
    );

    // Under new documents for the other set, the old proofs do not hold.
    let manifest = sign(1, |d, _| d.parameter_set = *set.id());
    let registered = registered(&manifest, registry, &SECRETS, &other);
    let e = check(&asked.bundle, &registered);
    assert!(
        matches!(e, VerifyError::ParameterSet { what: "bundle", .. }),
        "{e:?}"
    );
    let mut bundle = asked.bundle.clone();
    bundle.parameter_set = hex(set.id());
    bundle.manifest = digest(&manifest);
    assert_circuit(&check(&bundle, &registered));
}

/// Re-randomises an answer's proof as anyone can: A, B and C are new, the rest stays.
fn rerandomised(asked: &Asked) -> galen_verifier::bundle::Bundle {
    altered(asked, |proof, size| {
        let set = keys().verifying();
        let key = set.key(size).key();
        let vk = VerifyingKey::<Bn254> {
            alpha_g1: key.alpha_g1,
            beta_g2: key.beta_g2,
            gamma_g2: key.gamma_g2,
            delta_g2: key.delta_g2,
            gamma_abc_g1: key.gamma_abc.clone(),
        };
        let p = &mut proof.proof;
        let old = ark_groth16::Proof {
            a: p.a,
            b: p.b,
            c: p.c,
        };
        let new = Groth16::<Bn254>::rerandomize_proof(&vk, &old, &mut OsRng);
        assert!(old.a != new.a && old.b != new.b && old.c != new.c);
        (p.a, p.b, p.c) = (new.a, new.b, new.c);
    })
}

#[test]
fn a_second_answer_is_the_first_one_under_new_proof_bytes() {
    let asked = &HONEST_GROUPS;
    // The points' negatives are the smallest change of all.
    let negated = altered(asked, |proof, _| {
        proof.proof.a = -proof.proof.a;
        proof.proof.b = -proof.proof.b;
    });
    let proven_again = ask(&HOSPITAL, &asked.question.sql).bundle;
    for bundle in [rerandomised(asked), negated, proven_again] {
        assert_ne!(bundle.proof, asked.bundle.proof);
        let again = HOSPITAL.verify(&asked.question, &bundle).unwrap();
        assert_eq!(again, asked.answer);
        let mut register = AnswerRegister::default();
        register.admit(&asked.answer).unwrap();
        register.admit(&HONEST_SUMS.answer).unwrap();
        register.admit(&NEXT_EPOCH.1.answer).unwrap();
        match register.admit(&again).unwrap_err() {
            VerifyError::SecondAnswer {
                epoch: 1,
                same: true,
                query,
                ..
            } => assert_eq!(query, hex(&asked.question.digest())),
            other => panic!("{other:?}"),
        }
    }
}

/// A hospital that commits the same epoch twice can prove two answers; one is admitted.
#[test]
fn a_second_answer_differs() {
    let csv = csv().replacen("p1,true,true,7,", "p1,true,true,77,", 1);
    let other = ask(&Setup::new(&csv, REGISTRY).commit(), SUMS);
    assert_ne!(other.answer.rows, HONEST_SUMS.answer.rows);
    let mut register = AnswerRegister::default();
    register.admit(&HONEST_SUMS.answer).unwrap();
    match register.admit(&other.answer).unwrap_err() {
        VerifyError::SecondAnswer {
            epoch: 1,
            same: false,
            ..
        } => {}
        other => panic!("{other:?}"),
    }
}
