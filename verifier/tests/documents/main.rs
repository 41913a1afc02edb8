//! Registrations and bundles of a made-up hospital, honest and tampered with: each tampering is refused for its
//! own reason.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod hospital;

use std::sync::LazyLock;

use galen_circuits::batch::Check;
use galen_query::question::Question;
use galen_verifier::{
    Job, VerifyError,
    answer::Answer,
    bundle::Bundle,
    manifest::{Manifest, ReleaseProfile},
    registration::{Registered, Registration, verify_registration},
    rules::State,
    verify, verify_all,
};
use hospital::{HOSPITAL, Hospital, STORE, keys};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

static REGISTERED: LazyLock<Registered> = LazyLock::new(|| HOSPITAL.registered());

const COUNT: &str = "SELECT count(*), avg(cost) FROM test WHERE age BETWEEN 40 AND 60";
/// Of 5,000 patients few are 18, and fewer of a sex.
const FEW: &str = "SELECT sex, count(*) FROM test WHERE age = 18 AND cost < 20000 GROUP BY sex";

static COUNTED: LazyLock<(Question, Bundle)> = LazyLock::new(|| answered(&HOSPITAL, COUNT));
static HIDDEN: LazyLock<(Question, Bundle)> = LazyLock::new(|| answered(&HOSPITAL, FEW));

fn answered(hospital: &Hospital, sql: &str) -> (Question, Bundle) {
    let question = hospital.ask(sql);
    let bundle = hospital.answer(&question);
    (question, bundle)
}

fn check(bundle: &Bundle, question: &Question) -> Result<Answer, VerifyError> {
    verify(bundle, &REGISTERED, &HOSPITAL.registry, question, &keys())
}

/// A document with one member replaced, or without it.
fn with<T: Serialize + DeserializeOwned>(document: &T, name: &str, value: Option<Value>) -> T {
    let mut json = serde_json::to_value(document).unwrap();
    let members = json.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.into(), value),
        None => members.remove(name),
    };
    serde_json::from_value(json).unwrap()
}

/// A proof with its first character exchanged for another one.
fn spoiled(proof: &str, at: usize) -> Value {
    let mut bytes = proof.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    json!(String::from_utf8(bytes).unwrap())
}

#[test]
fn an_honest_answer_is_that_of_the_table() {
    let answer = check(&COUNTED.1, &COUNTED.0).unwrap();
    let mut ages = (0..5_000).filter(|i| i % 10 != 0).map(|i| 18 + i * 7 % 83);
    let counted = ages.by_ref().filter(|age| (40..=60).contains(age)).count();
    assert_eq!(answer.rows[0][0].to_string(), counted.to_string());
    assert!(answer.insecure);
    assert_eq!(answer.source.rows, 5_000);
    let bytes = serde_json::to_vec(&COUNTED.1).unwrap();
    assert_eq!(Bundle::from_json(&bytes).unwrap(), COUNTED.1);
    assert!(bytes.len() < 2_500, "{} bytes", bytes.len());
}

#[test]
fn small_counts_stay_hidden() {
    let (question, bundle) = &*HIDDEN;
    check(bundle, question).unwrap();
    let states: Vec<&State> = bundle.cells.iter().flatten().collect();
    assert!(states.iter().any(|s| s.shown().is_none()), "{states:?}");
}

/// 4,096 groups of 5,000 patients, most of them hidden: under a small k what is proven of them has one limb, under a
/// large one two, and lies in more chunks than the table.
#[test]
fn as_many_groups_as_there_may_be() {
    let sql = "SELECT width_bucket(cost, 0, 200000, 4095), count(*) FROM test GROUP BY 1";
    for (k, chunks) in [(11, 1), (300, 2)] {
        let profile = ReleaseProfile::exact("test", k, true);
        let hospital = Hospital::under(profile, 1, 5_000);
        let registered = hospital.registered();
        let (question, bundle) = answered(&hospital, sql);
        assert_eq!(bundle.cells.len(), 4_096);
        let small = |s: &&State| **s == State::Small;
        let hidden = bundle.cells.iter().flatten().filter(small).count();
        assert!(hidden > 2_500, "{hidden}");
        let limbs = hidden * 2 * if k > 256 { 2 } else { 1 };
        assert_eq!(limbs.div_ceil(STORE.srs().unwrap().rows()), chunks);
        let check = |bundle: &Bundle| {
            let (registry, keys) = (&hospital.registry, keys());
            verify(bundle, &registered, registry, &question, &keys)
        };
        let answer = check(&bundle).unwrap();
        assert_eq!(answer.rows.len(), 4_096);
        let group = bundle.cells.iter().position(|c| c[0] == State::Small);
        let mut other = bundle.clone();
        other.cells[group.unwrap()][0] = State::Shown(0);
        let e = check(&other).unwrap_err();
        let refused = matches!(e, VerifyError::Proof { .. } | VerifyError::Encoding { .. });
        assert!(refused, "{e}");
    }
}

/// Means under more filters than the class `large` has blocks, and more criteria than it has slots.
#[test]
fn what_only_the_largest_class_holds() {
    let filters: Vec<String> = (0..20)
        .map(|i| format!("stddev(cost) FILTER (WHERE age > {})", 20 + 2 * i))
        .collect();
    let filters = format!("SELECT {} FROM test", filters.join(", "));
    let criteria: Vec<String> = (0..82)
        .map(|i| format!("age <> {}", 19 + i))
        .chain((0..18).map(|i| format!("cost >= {}", 7 * i + 7)))
        .collect();
    let criteria = format!(
        "EXPLAIN COHORT SELECT count(*) FROM test WHERE {}",
        criteria.join(" AND ")
    );
    for (sql, numbers) in [(filters, 60), (criteria, 101)] {
        let (question, bundle) = answered(&HOSPITAL, &sql);
        assert_eq!(bundle.cells[0].len(), numbers);
        check(&bundle, &question).unwrap();
        let mut other = bundle.clone();
        let State::Shown(n) = &mut other.cells[0][0] else {
            panic!("a large count is shown");
        };
        *n -= 1;
        assert!(check(&other, &question).is_err());
    }
}

#[test]
fn what_is_published_cannot_be_changed() {
    let (question, bundle) = &*COUNTED;
    let mut other = bundle.clone();
    let State::Shown(n) = &mut other.cells[0][0] else {
        panic!("a large count is shown");
    };
    *n += 1;
    let e = check(&other, question).unwrap_err();
    let circuit = |e: &VerifyError| {
        matches!(
            e,
            VerifyError::Proof {
                what: "bundle",
                check: Check::Circuit,
                ..
            }
        )
    };
    assert!(circuit(&e), "{e}");
    assert!(e.to_string().contains("not what the query makes"), "{e}");
    // Another reason for hiding a count, if the rule allows it, is another answer.
    let (question, bundle) = &*HIDDEN;
    for (group, states) in bundle.cells.iter().enumerate() {
        for (at, state) in states.iter().enumerate() {
            for other in [
                State::Small,
                State::Difference,
                State::Margin(0),
                State::Guarded,
                State::Shown(0),
            ] {
                let mut changed = bundle.clone();
                changed.cells[group][at] = other;
                assert_eq!(
                    check(&changed, question).is_ok(),
                    other == *state,
                    "{other:?}"
                );
            }
        }
    }
}

#[test]
fn a_bundle_of_something_else_is_refused() {
    let (question, bundle) = &*COUNTED;
    let other = HOSPITAL.ask("SELECT count(*), avg(cost) FROM test WHERE age BETWEEN 41 AND 60");
    let e = check(bundle, &other).unwrap_err();
    assert!(matches!(e, VerifyError::AnotherQuery { .. }), "{e}");
    let renamed = with(
        bundle,
        "query",
        Some(json!(galen_query::text::hex(&other.digest()))),
    );
    let e = check(&renamed, &other).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Proof {
                check: Check::Circuit,
                ..
            }
        ),
        "{e}"
    );
    let e = check(&with(bundle, "manifest", Some(json!("00"))), question).unwrap_err();
    assert!(
        matches!(e, VerifyError::AnotherDataset { what: "bundle", .. }),
        "{e}"
    );
    let e = check(&with(bundle, "parameter_set", Some(json!("00"))), question).unwrap_err();
    assert!(
        matches!(e, VerifyError::ParameterSet { what: "bundle", .. }),
        "{e}"
    );
    let e = check(&with(bundle, "warning", None), question).unwrap_err();
    assert!(matches!(e, VerifyError::Warning { what: "bundle" }), "{e}");
    let mut fewer = bundle.clone();
    fewer.cells[0].pop();
    let e = check(&fewer, question).unwrap_err();
    assert!(matches!(e, VerifyError::Cells { .. }), "{e}");
}

#[test]
fn a_proof_is_read_strictly() {
    let (question, bundle) = &*COUNTED;
    let proof = &bundle.proof;
    for bad in ["", "=", &proof[..proof.len() - 4], &format!("{proof}AAAA")] {
        let e = check(&with(bundle, "proof", Some(json!(bad))), question).unwrap_err();
        assert!(matches!(e, VerifyError::Encoding { .. }), "{e}");
    }
    for at in (0..proof.len()).step_by(97) {
        let e = check(&with(bundle, "proof", Some(spoiled(proof, at))), question).unwrap_err();
        let expected = matches!(e, VerifyError::Encoding { .. } | VerifyError::Proof { .. });
        assert!(expected, "{at}: {e}");
    }
    // The last part of it is the opening's.
    let e = check(
        &with(bundle, "proof", Some(spoiled(proof, proof.len() - 4))),
        question,
    )
    .unwrap_err();
    let expected = matches!(
        e,
        VerifyError::Encoding { .. }
            | VerifyError::Proof {
                check: Check::Opening,
                ..
            }
    );
    assert!(expected, "{e}");
}

#[test]
fn a_bad_bundle_takes_no_other_with_it() {
    let jobs_of = |bundles: &[(Bundle, Question)]| -> Vec<Option<VerifyError>> {
        let jobs: Vec<Job<'_>> = bundles
            .iter()
            .map(|(bundle, question)| Job {
                bundle,
                registered: &REGISTERED,
                registry: &HOSPITAL.registry,
                question,
            })
            .collect();
        verify_all(&keys(), &jobs)
            .into_iter()
            .map(Result::err)
            .collect()
    };
    let good = [&*COUNTED, &*HIDDEN].map(|(q, b)| (b.clone(), q.clone()));
    let mut wrong = good[0].clone();
    wrong.0.cells[0][0] = State::Shown(wrong.0.cells[0][0].shown().unwrap() - 1);
    let mut unread = good[1].clone();
    unread.0.proof = String::new();
    let all = [
        good[0].clone(),
        wrong.clone(),
        unread,
        good[1].clone(),
        wrong,
        good[0].clone(),
    ];
    let verdicts = jobs_of(&all);
    let refused: Vec<bool> = verdicts.iter().map(Option::is_some).collect();
    assert_eq!(refused, [false, true, true, false, true, false]);
    assert!(matches!(verdicts[1], Some(VerifyError::Proof { .. })));
    assert!(matches!(verdicts[2], Some(VerifyError::Encoding { .. })));
    assert!(jobs_of(&[]).is_empty());
}

#[test]
fn a_registration_is_of_one_epoch() {
    let registration = HOSPITAL.register();
    println!(
        "registration: {} bytes",
        serde_json::to_vec(&registration).unwrap().len()
    );
    let register = |r: &Registration, h: &Hospital| {
        verify_registration(r, h.dataset.clone(), &h.registry, &keys()).map(|_| ())
    };
    register(&registration, &HOSPITAL).unwrap();
    let next = Hospital::new(2, 5_000);
    let e = register(&registration, &next).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::AnotherDataset {
                what: "registration",
                ..
            }
        ),
        "{e}"
    );
    let digest = json!(galen_query::text::hex(&next.dataset.digest));
    let e = register(&with(&registration, "manifest", Some(digest)), &next).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Proof {
                what: "registration",
                check: Check::Circuit,
                ..
            }
        ),
        "{e}"
    );
    assert!(
        e.to_string()
            .contains("part 1 of 1: a column does not hold"),
        "{e}"
    );
    let none = with(&registration, "proofs", Some(json!([])));
    let e = register(&none, &HOSPITAL).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Parts {
                expected: 1,
                got: 0
            }
        ),
        "{e}"
    );
    let bad = with(&registration, "proofs", Some(json!(["AAAA"])));
    let e = register(&bad, &HOSPITAL).unwrap_err();
    assert!(matches!(e, VerifyError::Encoding { .. }), "{e}");
    let e = register(&with(&registration, "warning", None), &HOSPITAL).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Warning {
                what: "registration"
            }
        ),
        "{e}"
    );
}

#[test]
fn documents_of_the_first_design_are_named() {
    let old = [
        Bundle::from_json(br#"{"format":"galen/bundle/v1","steps":[]}"#).map(|_| ()),
        Registration::from_json(br#"{"format":"galen/registration/v1","steps":[]}"#).map(|_| ()),
        Manifest::from_json(br#"{"format":"galen/dataset/v1"}"#).map(|_| ()),
        with(
            &HOSPITAL.manifest,
            "format",
            Some(json!("galen/dataset/v1")),
        )
        .check(&HOSPITAL.registry)
        .map(|_| ()),
        check(
            &with(&COUNTED.1, "format", Some(json!("galen/bundle/v1"))),
            &COUNTED.0,
        )
        .map(|_| ()),
    ];
    for e in old.map(Result::unwrap_err) {
        assert!(matches!(e, VerifyError::Old { .. }), "{e}");
        assert!(e.to_string().contains("older Galen"), "{e}");
    }
    let e = Bundle::from_json(br#"{"format":"galen/bundle/v3"}"#).unwrap_err();
    assert!(
        matches!(e, VerifyError::Format { what: "bundle", .. }),
        "{e}"
    );
    let e = Bundle::from_json(br#"{"format":"galen/bundle/v2"}"#).unwrap_err();
    assert!(matches!(e, VerifyError::Read(_)), "{e}");
}

/// A document with the list of its members' values in its place, or in that of its member `inner`.
fn as_list<T: Serialize>(document: &T, members: &[&str], inner: Option<&str>) -> Vec<u8> {
    let mut json = serde_json::to_value(document).unwrap();
    let object = match inner {
        Some(name) => &mut json[name],
        None => &mut json,
    };
    let values = members.iter().map(|m| object[*m].clone()).collect();
    *object = Value::Array(values);
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn a_document_is_an_object_in_all_its_parts() {
    let bundle = ["format", "warning", "parameter_set", "manifest", "query"];
    let bundle = [&bundle[..], &["quantiles", "cells", "proof"]].concat();
    let mut with_quantiles = COUNTED.1.clone();
    with_quantiles.quantiles = vec![None];
    let registration = HOSPITAL.register();
    let release = ["name", "k", "zero_releasable", "rounding", "ties"];
    let release = [&release[..], &["complementary"]].concat();
    let read = [
        Bundle::from_json(&as_list(&with_quantiles, &bundle, None)).map(|_| ()),
        Registration::from_json(&as_list(
            &registration,
            &["format", "warning", "parameter_set", "manifest", "proofs"],
            None,
        ))
        .map(|_| ()),
        Manifest::from_json(&as_list(&HOSPITAL.manifest, &release, Some("release"))).map(|_| ()),
    ];
    for e in read.map(Result::unwrap_err) {
        assert!(e.to_string().contains("in the place of an object"), "{e}");
    }
}
