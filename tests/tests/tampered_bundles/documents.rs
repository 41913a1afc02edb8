//! Documents that are cut, stretched, of another form, or edited.

use galen_query::ReadError;
use galen_tests::keys;
use galen_verifier::{
    VerifyError,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    check_dataset,
    manifest::Manifest,
};
use serde_json::{Value, json};

use super::{HONEST_GROUPS, HONEST_SUMS, HOSPITAL, refused, sign};

/// A change to a document.
type Edit = fn(&mut Value);

fn parse(value: &Value) -> Result<Bundle, VerifyError> {
    Bundle::from_json(&serde_json::to_vec(value).unwrap())
}

fn honest() -> Value {
    serde_json::to_value(&HONEST_SUMS.bundle).unwrap()
}

#[track_caller]
fn assert_json(result: Result<Bundle, VerifyError>, word: &str) {
    match result.unwrap_err() {
        VerifyError::Read(ReadError::Json {
            what: "bundle",
            why,
        }) => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bundle_is_truncated() {
    let bytes = serde_json::to_vec(&HONEST_SUMS.bundle).unwrap();
    for end in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert_json(Bundle::from_json(&bytes[..end]), "EOF");
    }
    let mut longer = bytes.clone();
    longer.extend_from_slice(b"{}");
    assert_json(Bundle::from_json(&longer), "trailing");
}

#[test]
fn a_bundle_is_too_large() {
    match Bundle::from_json(&vec![b' '; MAX_BUNDLE_BYTES + 1]).unwrap_err() {
        VerifyError::Read(ReadError::TooLarge {
            what: "bundle",
            bytes,
            limit,
        }) => {
            assert_eq!((bytes, limit), (MAX_BUNDLE_BYTES + 1, MAX_BUNDLE_BYTES));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_field_is_unknown_missing_or_doubled() {
    let mut bundle = honest();
    bundle["note"] = "x".into();
    assert_json(parse(&bundle), "unknown field `note`");
    for old in ["steps", "releases", "comparisons"] {
        let mut bundle = honest();
        bundle[old] = json!([]);
        assert_json(parse(&bundle), &format!("unknown field `{old}`"));
    }
    let required = [
        "format",
        "parameter_set",
        "manifest",
        "query",
        "cells",
        "proof",
    ];
    for name in required {
        let mut bundle = honest();
        bundle.as_object_mut().unwrap().remove(name);
        assert_json(parse(&bundle), &format!("missing field `{name}`"));
    }
    for name in required.into_iter().chain(["warning"]) {
        let text = honest().to_string();
        let doubled = text.replacen('{', &format!("{{\"{name}\":{},", honest()[name]), 1);
        assert_json(
            Bundle::from_json(doubled.as_bytes()),
            &format!("duplicate field `{name}`"),
        );
    }
}

#[test]
fn a_cell_is_no_state() {
    for cell in [
        json!(1.5),
        json!("12"),
        json!("margin 01"),
        json!("margin -1"),
        json!("margin"),
        json!("Small"),
        json!(null),
        json!([12]),
        json!(true),
        json!(1e30),
        json!(1u64 << 53),
        json!((1u64 << 53).to_string() + " "),
        json!("9007199254740991"),
    ] {
        let mut bundle = honest();
        bundle["cells"][0][0] = cell;
        assert_json(parse(&bundle), "");
    }
    let mut bundle = honest();
    bundle["cells"][0] = 12.into();
    assert_json(parse(&bundle), "invalid type");
    let mut bundle = honest();
    bundle["cells"] = json!(vec![json!([]); (1 << 13) + 1]);
    assert_json(parse(&bundle), "more than 8192 items");
    let mut bundle = honest();
    bundle["quantiles"] = json!(vec![0; (1 << 13) + 1]);
    assert_json(parse(&bundle), "more than 8192 items");
    for quantile in [json!(-1), json!("7"), json!(0.5)] {
        let mut bundle = honest();
        bundle["quantiles"] = json!([quantile]);
        assert_json(parse(&bundle), "invalid");
    }
}

/// Where no percentile was asked for.
#[test]
fn percentiles_are_added() {
    for asked in [&*HONEST_SUMS, &*HONEST_GROUPS] {
        match refused(asked, |b| b.quantiles = vec![None]) {
            VerifyError::Plan(e) => assert!(e.to_string().contains("1 percentiles"), "{e}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bundle_is_of_another_format() {
    let verify = |format: &str| {
        let mut bundle = honest();
        bundle["format"] = format.into();
        let bundle = parse(&bundle).unwrap();
        HOSPITAL.verify(&HONEST_SUMS.question, &bundle).unwrap_err()
    };
    for other in [
        "galen/bundle/v9",
        "galen/dataset/v3",
        "",
        "galen/bundle/v2 ",
    ] {
        match verify(other) {
            VerifyError::Format {
                what: "bundle",
                expected,
            } => assert_eq!(expected, "galen/bundle/v2"),
            other => panic!("{other:?}"),
        }
    }
    match verify("galen/bundle/v1") {
        VerifyError::Old {
            what: "bundle",
            cure,
        } => assert!(cure.contains("answer the query again"), "{cure}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_warning_is_removed_or_softened() {
    for warning in [None, Some(""), Some("made with development parameters")] {
        let e = refused(&HONEST_SUMS, |b| b.warning = warning.map(str::to_owned));
        assert!(
            matches!(e, VerifyError::Warning { what: "bundle" }),
            "{e:?}"
        );
    }
}

#[test]
fn identities_are_edited() {
    for change in [str::to_uppercase as fn(&str) -> String, |m| m[2..].into()] {
        let e = refused(&HONEST_SUMS, |b| b.manifest = change(&b.manifest));
        assert!(
            matches!(e, VerifyError::AnotherDataset { what: "bundle", .. }),
            "{e:?}"
        );
        let e = refused(&HONEST_SUMS, |b| b.parameter_set = change(&b.parameter_set));
        assert!(
            matches!(e, VerifyError::ParameterSet { what: "bundle", .. }),
            "{e:?}"
        );
    }
    let e = refused(&HONEST_SUMS, |b| b.query.truncate(10));
    assert!(matches!(e, VerifyError::AnotherQuery { .. }), "{e:?}");
}

fn check_manifest(change: impl FnOnce(&mut Value)) -> VerifyError {
    let mut json = serde_json::to_value(HOSPITAL.manifest()).unwrap();
    let honest = json.clone();
    change(&mut json);
    assert_ne!(json, honest);
    let manifest: Manifest = serde_json::from_value(json).unwrap();
    check_dataset(&manifest, HOSPITAL.dataset.registry(), &keys().verifying()).unwrap_err()
}

#[test]
fn the_manifest_is_edited() {
    let swapped = |m: &mut Value| {
        let first = m["columns"][1]["chunks"].take();
        let second = m["columns"][3]["chunks"].take();
        m["columns"][1]["chunks"] = second;
        m["columns"][3]["chunks"] = first;
    };
    let edits: [(&str, Edit); 12] = [
        ("hospital", |m| m["hospital"] = "St. Else".into()),
        ("dataset", |m| m["dataset"] = "other".into()),
        ("epoch", |m| m["epoch"] = 7.into()),
        ("rows", |m| m["rows"] = 4_499.into()),
        ("k", |m| m["release"]["k"] = 1.into()),
        ("zero", |m| m["release"]["zero_releasable"] = false.into()),
        ("rounding", |m| m["release"]["rounding"] = 5.into()),
        ("ties", |m| m["release"]["ties"] = "even".into()),
        ("complementary", |m| {
            m["release"]["complementary"] = true.into();
        }),
        ("profile", |m| m["release"]["name"] = "none".into()),
        ("provenance", |m| m["provenance"] = provenance()),
        ("signature", |m| m["signature"] = "0".repeat(128).into()),
    ];
    for (what, edit) in edits {
        let e = check_manifest(edit);
        assert!(matches!(e, VerifyError::ManifestSignature), "{what}: {e:?}");
    }
    assert!(matches!(
        check_manifest(swapped),
        VerifyError::ManifestSignature
    ));
    let other = galen_query::text::hex(
        galen_tests::hospital::signing_key(9)
            .verifying_key()
            .as_bytes(),
    );
    let e = check_manifest(|m| m["hospital_key"] = other.into());
    assert!(matches!(e, VerifyError::ManifestSignature), "{e:?}");
}

/// How a table may have been made.
fn provenance() -> Value {
    json!({
        "tool": "galen-tables 0.1.0", "mapping": ["ab".repeat(32)], "model": null,
        "sources": [{"kind": "csv", "tables": 2, "rows_at_least": 1200}],
        "snapshot": null, "exported": "2026-03-31", "date_shift": "none",
    })
}

#[test]
fn what_a_manifest_says_of_the_tables_making_is_signed_and_in_form() {
    let set = keys().verifying();
    let registry = HOSPITAL.dataset.registry();
    let check = |made: Value| {
        let manifest = sign(1, |d, _| {
            d.provenance = Some(serde_json::from_value(made).unwrap());
        });
        check_dataset(&manifest, registry, &set).map(|d| (manifest.signature, d.digest))
    };
    let honest = check(provenance()).unwrap();
    let mut other = provenance();
    other["date_shift"] = "whole weeks".into();
    assert_ne!(check(other).unwrap(), honest);
    let wrong: [(&str, Edit); 4] = [
        ("mapping", |p| p["mapping"] = json!(["ab"])),
        ("rows_at_least", |p| {
            p["sources"][0]["rows_at_least"] = 1234.into();
        }),
        ("exported", |p| p["exported"] = "2026-02-30".into()),
        ("tool", |p| p["tool"] = "x\n".into()),
    ];
    for (word, change) in wrong {
        let mut made = provenance();
        change(&mut made);
        match check(made).unwrap_err() {
            VerifyError::Manifest(why) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
    }
}

#[test]
fn the_manifest_does_not_fit_its_registry_or_rows() {
    let malformed = |change: fn(&mut Value), word: &str| match check_manifest(change) {
        VerifyError::Manifest(why) => assert!(why.contains(word), "{why}"),
        other => panic!("{word}: {other:?}"),
    };
    malformed(|m| m["rows"] = 0.into(), "holds 1 to 16384");
    malformed(|m| m["rows"] = u64::MAX.into(), "holds 1 to 16384");
    malformed(|m| m["epoch"] = 0.into(), "epochs");
    malformed(|m| m["release"]["k"] = 0.into(), "k is 1 to");
    malformed(|m| m["release"]["rounding"] = 7.into(), "rounded to");
    malformed(|m| m["shape"] = "huge".into(), "shape");
    malformed(|m| m["parameter_set"] = "00".into(), "parameter_set");
    let e = check_manifest(|m| m["registry_digest"] = "0".repeat(64).into());
    assert!(
        matches!(e, VerifyError::Registry { what: "manifest" }),
        "{e:?}"
    );
    let e = check_manifest(|m| m["format"] = "galen/dataset/v9".into());
    assert!(
        matches!(
            e,
            VerifyError::Format {
                what: "manifest",
                ..
            }
        ),
        "{e:?}"
    );
    let old: [fn(&mut Value); 2] = [
        |m| m["format"] = "galen/dataset/v1".into(),
        |m| m["format"] = "galen/dataset/v2".into(),
    ];
    for old in old {
        let e = check_manifest(old);
        assert!(
            matches!(
                e,
                VerifyError::Old {
                    what: "manifest",
                    ..
                }
            ),
            "{e:?}"
        );
    }
    // Another shape, whose chunks are as long, under an honest signature.
    let set = keys().verifying();
    let signed = |manifest: &Manifest| {
        check_dataset(manifest, HOSPITAL.dataset.registry(), &set).unwrap_err()
    };
    let larger = sign(1, |d, _| d.shape = galen_params::Shape::ALL[1]);
    let e = signed(&larger);
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
    type Edit = fn(&mut Vec<Vec<galen_circuits::G1>>);
    let edits: [(Edit, &str); 4] = [
        (|c| drop(c.pop()), "5 columns where the registry makes 6"),
        (
            |c| {
                c[1].pop();
            },
            "column `b` has 1 chunks",
        ),
        (|c| c[3].extend_from_within(..1), "column `n` has 3 chunks"),
        (|c| c[5].clear(), "column `arm` has 0 chunks"),
    ];
    for (edit, word) in edits {
        match signed(&sign(1, |_, c| edit(c))) {
            VerifyError::Manifest(why) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
    }
}
