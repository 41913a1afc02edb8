//! Registration proofs as a document of their own.

use std::{fs, sync::LazyLock};

use galen_circuits::{batch::Check, gates::Gate};
use galen_params::Silent;
use galen_query::{
    ReadError,
    text::{base64, from_base64},
};
use galen_verifier::{
    VerifyError,
    bundle::{Bundle, INSECURE},
    check_dataset,
    plan::registration_steps,
    proven::Proven,
    registration::{MAX_REGISTRATION_BYTES, Registration, verify_registration},
    verify_beyond,
};

use crate::hospital::{BUNDLE, FIRST, KEYS, OTHER, OTHER_KEYS, SQL, question, registry};

static HONEST: LazyLock<Registration> = LazyLock::new(|| FIRST.registration.clone());

fn verify(proven: &mut Proven, registration: &Registration) -> Result<(), VerifyError> {
    let (d, keys) = (FIRST.dataset.dataset(), KEYS.verifying());
    verify_registration(proven, registration, d, &registry(), &keys)
}

fn refused(change: impl FnOnce(&mut Registration)) -> VerifyError {
    let mut registration = HONEST.clone();
    change(&mut registration);
    let mut proven = Proven::default();
    let e = verify(&mut proven, &registration).unwrap_err();
    assert!(proven.is_empty());
    e
}

fn step(start: &str) -> usize {
    let mut keys = HONEST.steps.iter().map(|s| s.key.as_str());
    keys.position(|k| k.starts_with(start)).unwrap()
}

#[test]
fn the_honest_one_holds() {
    let keys: Vec<&str> = HONEST.steps.iter().map(|s| s.key.as_str()).collect();
    let expected = [
        "bit(consent:DUO:0000042)",
        "bit(b)",
        "bit(b.known)",
        "null(b)",
        "range10(n)",
        "most10(n;600)",
    ];
    assert_eq!(keys, expected);
    assert_eq!(registration_steps(&registry()).len(), expected.len());
    let mut proven = Proven::default();
    verify(&mut proven, &HONEST).unwrap();
    assert_eq!(proven.len(), 2 * expected.len());
    let bytes = serde_json::to_vec(&*HONEST).unwrap();
    assert_eq!(Registration::from_json(&bytes).unwrap(), *HONEST);
}

#[test]
fn a_bundle_has_the_same_proofs() {
    let mut proven = Proven::default();
    verify(&mut proven, &HONEST).unwrap();
    let before = proven.len();
    let bundle = Bundle::from_json(&BUNDLE).unwrap();
    let d = FIRST.dataset.dataset();
    let (keys, question) = (KEYS.verifying(), question(SQL));
    verify_beyond(
        &mut proven,
        &bundle,
        &d.manifest,
        &registry(),
        &question,
        &keys,
    )
    .unwrap();
    let is_registered = |key: &str| HONEST.steps.iter().any(|s| s.key == key);
    let new = bundle
        .steps
        .iter()
        .filter(|s| !is_registered(&s.key))
        .count();
    assert!(new < bundle.steps.len());
    let releases = bundle.releases.len() + bundle.comparisons.len();
    assert_eq!(proven.len() - before, 2 * new + releases);
}

#[test]
fn it_is_read_from_the_index_and_made_anew_where_it_is_not_there() {
    let again = FIRST.dataset.registration(&KEYS, &Silent).unwrap();
    assert_eq!(again, *HONEST);
    let index = OTHER.dataset.folder().join("index");
    let before = OTHER.dataset.registration(&KEYS, &Silent).unwrap();
    fs::remove_dir_all(index).unwrap();
    let after = OTHER.dataset.registration(&KEYS, &Silent).unwrap();
    assert_ne!(after, before);
    assert_eq!(OTHER.dataset.registration(&KEYS, &Silent).unwrap(), after);
}

#[test]
fn another_parameter_set_cannot_read_the_index() {
    let e = FIRST
        .dataset
        .registration(&OTHER_KEYS, &Silent)
        .unwrap_err();
    assert!(e.to_string().contains("parameter set"), "{e}");
}

#[test]
fn a_step_is_missing() {
    match refused(|r| drop(r.steps.pop())) {
        VerifyError::MissingStep { what, key, index } => {
            assert_eq!(
                (what, key.as_str(), index),
                ("registration", "most10(n;600)", 5)
            );
        }
        other => panic!("{other:?}"),
    }
    let e = refused(|r| r.steps.clear());
    assert!(
        matches!(e, VerifyError::MissingStep { index: 0, .. }),
        "{e:?}"
    );
}

#[test]
fn steps_are_swapped_doubled_or_renamed() {
    for change in [
        |r: &mut Registration| r.steps.swap(1, 2),
        |r: &mut Registration| drop(r.steps.remove(1)),
        |r: &mut Registration| r.steps[1].key = "bit(c)".into(),
    ] {
        let e = refused(change);
        assert!(
            matches!(e, VerifyError::UnexpectedStep { index: 1, .. }),
            "{e:?}"
        );
    }
    let e = refused(|r| r.steps.push(r.steps[0].clone()));
    assert!(
        matches!(e, VerifyError::UnexpectedStep { index: 6, .. }),
        "{e:?}"
    );
}

#[test]
fn the_proof_is_of_another_column_or_chunk() {
    let (consent, b) = (step("bit(consent"), step("bit(b)"));
    let e = refused(|r| r.steps[b].chunks[1] = r.steps[consent].chunks[1].clone());
    match e {
        VerifyError::Proof {
            key,
            gate: Gate::Multiply,
            chunk: Some(1),
            check: Check::Link,
        } => assert_eq!(key, "bit(b)"),
        other => panic!("{other:?}"),
    }
    let n = step("range10(n)");
    let e = refused(|r| r.steps[n].chunks.swap(0, 1));
    assert!(
        matches!(e, VerifyError::Proof { chunk: Some(0), .. }),
        "{e:?}"
    );
    // The range of n does not prove that of its rest, nor a bit that another is one.
    let most = step("most10");
    let e = refused(|r| r.steps[most].chunks = r.steps[n].chunks.clone());
    assert!(
        matches!(e, VerifyError::Proof { chunk: Some(0), .. }),
        "{e:?}"
    );
}

#[test]
fn chunks_are_missing_or_too_many() {
    for change in [
        |r: &mut Registration| drop(r.steps[3].chunks.pop()),
        |r: &mut Registration| {
            let chunk = r.steps[3].chunks[0].clone();
            r.steps[3].chunks.push(chunk);
        },
    ] {
        match refused(change) {
            VerifyError::Chunks {
                what,
                key,
                expected: 2,
                ..
            } => assert_eq!((what, key.as_str()), ("registration", "null(b)")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_commitment_where_no_column_is_made() {
    let e = refused(|r| r.steps[0].chunks[0].commitment = Some("x".into()));
    assert!(
        matches!(
            e,
            VerifyError::Commitment {
                what: "registration",
                chunk: 0,
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn another_datasets() {
    let e = refused(|r| *r = OTHER.registration.clone());
    assert!(
        matches!(
            e,
            VerifyError::AnotherDataset {
                what: "registration",
                ..
            }
        ),
        "{e:?}"
    );
    // Under this dataset's name.
    let e = refused(|r| r.steps = OTHER.registration.steps.clone());
    assert!(
        matches!(
            e,
            VerifyError::Proof {
                check: Check::Groth16,
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn another_parameter_set() {
    let e = refused(|r| r.parameter_set = "00".repeat(32));
    assert!(
        matches!(
            e,
            VerifyError::ParameterSet {
                what: "registration",
                ..
            }
        ),
        "{e:?}"
    );
    let d = FIRST.dataset.dataset();
    let other = OTHER_KEYS.verifying();
    let mut r = HONEST.clone();
    let e = verify_registration(&mut Proven::default(), &r, d, &registry(), &other).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::ParameterSet {
                what: "registration",
                ..
            }
        ),
        "{e:?}"
    );
    r.parameter_set = galen_query::text::hex(other.id());
    let e = verify_registration(&mut Proven::default(), &r, d, &registry(), &other).unwrap_err();
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
}

#[test]
fn another_registry() {
    let text = crate::hospital::REGISTRY.replace("600", "599");
    let other = galen_query::registry::Registry::from_toml(&text).unwrap();
    let (d, keys) = (FIRST.dataset.dataset(), KEYS.verifying());
    let e = verify_registration(&mut Proven::default(), &HONEST, d, &other, &keys).unwrap_err();
    assert!(matches!(e, VerifyError::Registry { .. }), "{e:?}");
    assert!(check_dataset(&d.manifest, &other, &keys).is_err());
}

#[test]
fn a_proof_is_tampered_with() {
    // A bit of a point: off the curve or another one. Then a proof of the right form for another column.
    let e = refused(|r| {
        let proof = &mut r.steps[1].chunks[0].proof;
        let mut bytes = from_base64(proof, 192).unwrap();
        bytes[3] ^= 1;
        *proof = base64(&bytes);
    });
    assert!(
        matches!(e, VerifyError::Encoding { .. } | VerifyError::Proof { .. }),
        "{e:?}"
    );
    for bad in ["", "AAAA", "not base64"] {
        let e = refused(|r| r.steps[1].chunks[0].proof = bad.into());
        assert!(matches!(e, VerifyError::Encoding { .. }), "{e:?}");
    }
}

#[test]
fn the_warning_is_removed_or_softened() {
    for warning in [None, Some(""), Some("made with development parameters")] {
        let e = refused(|r| r.warning = warning.map(Into::into));
        assert!(
            matches!(
                e,
                VerifyError::Warning {
                    what: "registration"
                }
            ),
            "{e:?}"
        );
    }
    assert_eq!(HONEST.warning.as_deref(), Some(INSECURE));
}

#[test]
fn files_of_another_form() {
    let text = serde_json::to_string(&*HONEST).unwrap();
    let read = |text: String| Registration::from_json(text.as_bytes());
    for bad in [
        text.replacen("\"steps\"", "\"note\":1,\"steps\"", 1),
        text.replacen("\"manifest\"", "\"manifest2\"", 1),
        text[..text.len() / 2].to_owned(),
    ] {
        let e = read(bad).unwrap_err();
        assert!(
            matches!(
                e,
                VerifyError::Read(ReadError::Json {
                    what: "registration",
                    ..
                })
            ),
            "{e:?}"
        );
    }
    let other = read(text.replacen("registration/v1", "registration/v2", 1)).unwrap();
    let e = verify(&mut Proven::default(), &other).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Format {
                what: "registration",
                ..
            }
        ),
        "{e:?}"
    );
    let e = Registration::from_json(&vec![b' '; MAX_REGISTRATION_BYTES + 1]).unwrap_err();
    assert!(
        matches!(
            e,
            VerifyError::Read(ReadError::TooLarge {
                what: "registration",
                ..
            })
        ),
        "{e:?}"
    );
}
