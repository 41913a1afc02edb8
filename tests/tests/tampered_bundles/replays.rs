//! Proofs of another dataset, epoch, hospital, query or parameter set, and second answers.

use std::sync::LazyLock;

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_groth16::{Groth16, VerifyingKey};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{G2, batch::Check, gates::Gate};
use galen_params::{ParameterStore, Shape, Silent};
use galen_query::{ReadError, question::Question, text::hex};
use galen_tests::{Asked, Setup, ask, keys};
use galen_verifier::{VerifyError, register::AnswerRegister, verify};

use super::{
    HONEST_GROUPS, HONEST_SUMS, HOSPITAL, REGISTRY, SUMS, alter, assert_proof, csv, ctx_of, decode,
    refused, replayed, sign, step,
};

/// The same table committed again as epoch 2, and its answer.
static NEXT_EPOCH: LazyLock<Asked> = LazyLock::new(|| {
    let csv = csv();
    let setup = Setup {
        epoch: 2,
        ..Setup::new(&csv, REGISTRY)
    };
    ask(&setup.commit(), SUMS)
});

/// The first claim of `HONEST_SUMS`.
fn assert_first_claim(e: &VerifyError) {
    let first = &HONEST_SUMS.bundle.steps[0].key;
    let gate = if first.starts_with("in(") {
        Gate::Recode { bits: 10 }
    } else {
        Gate::Multiply
    };
    assert_proof(e, first, gate, Some(0), Check::Groth16);
}

#[track_caller]
fn assert_replay_refused(refused: [VerifyError; 2]) {
    let [as_it_is, renamed] = refused;
    assert!(
        matches!(as_it_is, VerifyError::AnotherDataset { .. }),
        "{as_it_is:?}"
    );
    assert_first_claim(&renamed);
}

#[test]
fn a_bundle_is_replayed_for_another_epoch() {
    assert_replay_refused(replayed(&HONEST_SUMS, &sign(1, |d, _| d.epoch = 2)));
    // The other way round, with the epoch's own commitments in between.
    let mut bundle = NEXT_EPOCH.bundle.clone();
    let e = HOSPITAL.verify(&HONEST_SUMS.question, &bundle).unwrap_err();
    assert!(matches!(e, VerifyError::AnotherDataset { .. }), "{e:?}");
    bundle.manifest.clone_from(&HONEST_SUMS.bundle.manifest);
    assert_first_claim(&HOSPITAL.verify(&HONEST_SUMS.question, &bundle).unwrap_err());
}

#[test]
fn a_bundle_is_replayed_for_another_dataset() {
    assert_replay_refused(replayed(&HONEST_SUMS, &sign(1, |d, _| d.dataset = "other")));
}

#[test]
fn another_hospital_republishes_commitments_and_proofs_as_its_own() {
    let stolen = sign(9, |d, _| d.hospital = "St. Copy");
    assert_replay_refused(replayed(&HONEST_SUMS, &stolen));
}

/// Every D shifted along the base of ctx: each Groth16 equation holds for the thief, no link does.
#[test]
fn another_hospital_shifts_every_d_to_its_own_context() {
    let stolen = sign(9, |d, _| d.hospital = "St. Copy");
    let difference = ctx_of(HOSPITAL.manifest()) - ctx_of(&stolen);
    let set = keys().verifying();
    let mut bundle = HONEST_SUMS.bundle.clone();
    bundle.manifest = hex(&stolen.digest());
    // recode's challenge takes D and ctx in: those proofs are lost, so leave the thief only the rest.
    let gate_of = |key: &str| match key {
        k if k.starts_with("root") => Some(Gate::Select),
        k if ["in(", "range", "most"].iter().any(|p| k.starts_with(p)) => None,
        _ => Some(Gate::Multiply),
    };
    for s in &mut bundle.steps {
        let Some(gate) = gate_of(&s.key) else {
            continue;
        };
        let base = set.key(gate).unwrap().key.ic[1];
        for chunk in &mut s.chunks {
            alter(&mut chunk.proof, |p| p.d = (p.d + base * difference).into());
        }
    }
    let registry = HOSPITAL.dataset.registry();
    let e = verify(&bundle, &stolen, registry, &HONEST_SUMS.question, &set).unwrap_err();
    assert_first_claim(&e);
    // Seen alone: a query without recode, whose first claim is a shifted one.
    let asked = ask(&HOSPITAL.fork(), "SELECT count(*) FROM t WHERE b");
    let mut bundle = asked.bundle.clone();
    bundle.manifest = hex(&stolen.digest());
    for s in &mut bundle.steps {
        let base = set.key(gate_of(&s.key).unwrap()).unwrap().key.ic[1];
        for chunk in &mut s.chunks {
            alter(&mut chunk.proof, |p| p.d = (p.d + base * difference).into());
        }
    }
    let e = verify(&bundle, &stolen, registry, &asked.question, &set).unwrap_err();
    assert_proof(&e, "root", Gate::Select, Some(0), Check::Link);
}

#[test]
fn commitments_are_swapped_in_the_manifest() {
    let swapped = sign(1, |_, c| c.swap(1, 2));
    assert_replay_refused(replayed(&HONEST_SUMS, &swapped));
    let chunks = sign(1, |_, c| c[1].swap(0, 1));
    assert_replay_refused(replayed(&HONEST_SUMS, &chunks));
}

#[test]
fn rows_or_rule_are_changed_in_the_manifest() {
    // More rows in as many chunks: more padding would count as patients.
    assert_replay_refused(replayed(&HONEST_SUMS, &sign(1, |d, _| d.rows = 960)));
    assert_replay_refused(replayed(&HONEST_SUMS, &sign(1, |d, _| d.release.k = 1)));
    let hide_zero = sign(1, |d, _| d.release.zero_releasable = false);
    assert_replay_refused(replayed(&HONEST_SUMS, &hide_zero));
}

#[test]
fn a_derived_column_was_proven_under_another_context() {
    for (start, gate) in [
        ("in(n;22-", Gate::Recode { bits: 10 }),
        ("product", Gate::Multiply),
    ] {
        let at = step(&HONEST_SUMS.bundle, start);
        let e = refused(&HONEST_SUMS, |b| {
            b.steps[at] = NEXT_EPOCH.bundle.steps[at].clone()
        });
        assert_proof(&e, start, gate, Some(0), Check::Groth16);
    }
}

#[test]
fn a_bundle_answers_another_query() {
    let other = HOSPITAL.question("SELECT count(*), sum(n), sum(n * n) FROM t WHERE b AND n > 21");
    let mut bundle = HONEST_SUMS.bundle.clone();
    let e = HOSPITAL.verify(&other, &bundle).unwrap_err();
    assert!(matches!(e, VerifyError::AnotherQuery { .. }), "{e:?}");
    bundle.query = hex(&other.digest());
    let at = step(&bundle, "in(n;22-");
    match HOSPITAL.verify(&other, &bundle).unwrap_err() {
        VerifyError::UnexpectedStep { index, got, .. } => {
            assert_eq!((index, &got), (at, &bundle.steps[at].key));
        }
        other => panic!("{other:?}"),
    }
    // With the keys of the other query's steps the statements are still the first one's.
    let honest = ask(&HOSPITAL.fork(), &other.sql);
    for (s, h) in bundle.steps.iter_mut().zip(&honest.bundle.steps) {
        s.key.clone_from(&h.key);
    }
    let e = HOSPITAL.verify(&other, &bundle).unwrap_err();
    assert_proof(
        &e,
        "in(n;23-",
        Gate::Recode { bits: 10 },
        Some(0),
        Check::Groth16,
    );
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

    let cache = tempfile::tempdir().unwrap();
    let gates = [
        Gate::Select,
        Gate::Multiply,
        Gate::Recode { bits: 10 },
        Gate::Release,
    ];
    let other =
        ParameterStore::open_development(cache.path(), Shape::Tiny, &gates, &Silent).unwrap();
    let set = other.verifying();
    let registry = HOSPITAL.dataset.registry();
    let asked = &HONEST_SUMS;
    let e = verify(
        &asked.bundle,
        HOSPITAL.manifest(),
        registry,
        &asked.question,
        &set,
    )
    .unwrap_err();
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
    let mut bundle = asked.bundle.clone();
    bundle.parameter_set = hex(set.id());
    bundle.manifest = hex(&manifest.digest());
    assert_first_claim(&verify(&bundle, &manifest, registry, &asked.question, &set).unwrap_err());
}

/// Re-randomises a proof as anyone can: A, B and C are new, D and π stay.
fn rerandomize(text: &mut String, gate: Gate) {
    let set = keys().verifying();
    let key = &set.key(gate).unwrap().key;
    let vk = VerifyingKey::<Bn254> {
        alpha_g1: key.alpha_g1,
        beta_g2: key.beta_g2,
        gamma_g2: G2::generator(),
        delta_g2: key.delta_g2,
        gamma_abc_g1: key.ic.clone(),
    };
    alter(text, |p| {
        let old = ark_groth16::Proof {
            a: p.a,
            b: p.b,
            c: p.c,
        };
        let new = Groth16::<Bn254>::rerandomize_proof(&vk, &old, &mut OsRng);
        (p.a, p.b, p.c) = (new.a, new.b, new.c);
    });
}

#[test]
fn a_second_answer_is_the_first_one_under_new_proof_bytes() {
    let mut bundle = HONEST_GROUPS.bundle.clone();
    for s in &mut bundle.steps {
        let gate = match s.key.as_str() {
            k if k.starts_with("root") => Gate::Select,
            k if ["in(", "range", "most"].iter().any(|p| k.starts_with(p)) => {
                Gate::Recode { bits: 10 }
            }
            _ => Gate::Multiply,
        };
        for chunk in &mut s.chunks {
            let old = decode(&chunk.proof);
            rerandomize(&mut chunk.proof, gate);
            let new = decode(&chunk.proof);
            assert!(old.a != new.a && old.b != new.b && old.c != new.c && old.d == new.d);
        }
    }
    rerandomize(&mut bundle.releases[0].proof, Gate::Release);
    let again = HOSPITAL.verify(&HONEST_GROUPS.question, &bundle).unwrap();
    assert_eq!(again, HONEST_GROUPS.answer);

    let mut register = AnswerRegister::default();
    register.admit(&HONEST_GROUPS.answer).unwrap();
    register.admit(&HONEST_SUMS.answer).unwrap();
    register.admit(&NEXT_EPOCH.answer).unwrap();
    match register.admit(&again).unwrap_err() {
        VerifyError::SecondAnswer {
            epoch: 1,
            same: true,
            query,
            ..
        } => {
            assert_eq!(query, hex(&HONEST_GROUPS.question.digest()));
        }
        other => panic!("{other:?}"),
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
