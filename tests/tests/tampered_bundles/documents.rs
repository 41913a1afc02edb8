//! Documents that are cut, stretched, of another form, or edited.

use galen_query::ReadError;
use galen_tests::keys;
use galen_verifier::{
    VerifyError,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    manifest::Manifest,
    verify,
};
use serde_json::{Value, json};

use super::{HONEST_SUMS, HOSPITAL, refused};

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
    for place in ["", "/releases/0", "/steps/0", "/steps/0/chunks/0"] {
        let mut bundle = honest();
        bundle.pointer_mut(place).unwrap()["note"] = "x".into();
        assert_json(parse(&bundle), "unknown field `note`");
    }
    let mut bundle = honest();
    bundle.as_object_mut().unwrap().remove("steps");
    assert_json(parse(&bundle), "missing field `steps`");
    let text = honest().to_string();
    let doubled = text.replacen('{', "{\"query\":\"\",", 1);
    assert_json(
        Bundle::from_json(doubled.as_bytes()),
        "duplicate field `query`",
    );
}

#[test]
fn a_cell_is_no_number() {
    for cell in [
        json!(-1),
        json!(1.5),
        json!("12"),
        json!("margin 01"),
        json!("margin"),
        json!(null),
        json!(1e30),
    ] {
        let mut bundle = honest();
        bundle["releases"][0]["cells"][0] = cell;
        assert_json(parse(&bundle), "");
    }
}

#[test]
fn a_bundle_is_of_another_format() {
    let mut bundle = honest();
    bundle["format"] = "galen/bundle/v9".into();
    let bundle = parse(&bundle).unwrap();
    match HOSPITAL.verify(&HONEST_SUMS.question, &bundle).unwrap_err() {
        VerifyError::Format {
            what: "bundle",
            expected,
        } => assert_eq!(expected, "galen/bundle/v1"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_warning_is_removed_or_softened() {
    for warning in [None, Some(""), Some("made with development parameters")] {
        let e = refused(&HONEST_SUMS, |b| b.warning = warning.map(str::to_owned));
        assert!(matches!(e, VerifyError::Warning { .. }), "{e:?}");
    }
}

#[test]
fn identities_are_edited() {
    let e = refused(&HONEST_SUMS, |b| b.manifest = b.manifest.to_uppercase());
    assert!(matches!(e, VerifyError::AnotherDataset { .. }), "{e:?}");
    let e = refused(&HONEST_SUMS, |b| b.query.truncate(10));
    assert!(matches!(e, VerifyError::AnotherQuery { .. }), "{e:?}");
}

fn check_manifest(change: impl FnOnce(&mut Value)) -> VerifyError {
    let mut json = serde_json::to_value(HOSPITAL.manifest()).unwrap();
    let honest = json.clone();
    change(&mut json);
    assert_ne!(json, honest);
    let manifest: Manifest = serde_json::from_value(json).unwrap();
    let registry = HOSPITAL.dataset.registry();
    let asked = &HONEST_SUMS;
    verify(
        &asked.bundle,
        &manifest,
        registry,
        &asked.question,
        &keys().verifying(),
    )
    .unwrap_err()
}

#[test]
fn the_manifest_is_edited() {
    let swapped = |m: &mut Value| {
        let first = m["columns"][1]["chunks"].take();
        let second = m["columns"][3]["chunks"].take();
        m["columns"][1]["chunks"] = second;
        m["columns"][3]["chunks"] = first;
    };
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 11] = [
        ("hospital", |m| m["hospital"] = "St. Else".into()),
        ("dataset", |m| m["dataset"] = "other".into()),
        ("epoch", |m| m["epoch"] = 7.into()),
        ("rows", |m| m["rows"] = 499.into()),
        ("k", |m| m["release"]["k"] = 1.into()),
        ("zero", |m| m["release"]["zero_releasable"] = false.into()),
        ("rounding", |m| m["release"]["rounding"] = 5.into()),
        ("ties", |m| m["release"]["ties"] = "even".into()),
        ("complementary", |m| {
            m["release"]["complementary"] = true.into();
        }),
        ("profile", |m| m["release"]["name"] = "none".into()),
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

#[test]
fn the_manifest_does_not_fit_its_registry_or_rows() {
    let malformed = |change: fn(&mut Value), word: &str| match check_manifest(change) {
        VerifyError::Manifest(why) => assert!(why.contains(word), "{why}"),
        other => panic!("{word}: {other:?}"),
    };
    malformed(|m| m["rows"] = 0.into(), "no dataset");
    malformed(|m| m["rows"] = u64::MAX.into(), "no dataset");
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
}
