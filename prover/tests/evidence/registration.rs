//! Registration proofs as a document of their own.

use std::{fs, path::Path, sync::LazyLock};

use ark_ff::{BigInteger, PrimeField};
use galen_circuits::{Fr, batch::Check, groth16::Proof, opening::Opening};
use galen_params::Silent;
use galen_prover::{ProverError, dataset::CommittedDataset, execute};
use galen_query::ReadError;
use galen_verifier::{
    VerifyError,
    bundle::{Bundle, INSECURE},
    check_dataset,
    plan::registration_equations,
    registration::{MAX_REGISTRATION_BYTES, Registered, Registration, verify_registration},
    verify,
};

use crate::hospital::{
    BUNDLE, FIRST, INFINITY, KEYS, NEXT, OTHER, OTHERS_BUNDLE, REGISTRY, SIGN, SQL, edited,
    other_keys, question, registry,
};

static HONEST: LazyLock<Registration> = LazyLock::new(|| FIRST.registration.clone());

fn register(registration: &Registration) -> Result<Registered, VerifyError> {
    let (d, keys) = (FIRST.dataset.dataset().clone(), KEYS.verifying());
    verify_registration(registration, d, &registry(), &keys)
}

fn refused(change: impl FnOnce(&mut Registration)) -> VerifyError {
    let mut registration = HONEST.clone();
    change(&mut registration);
    register(&registration).unwrap_err()
}

/// The part that does not hold, from 0, and why.
fn failed(e: VerifyError) -> (usize, Check) {
    match e {
        VerifyError::Proof {
            what: "registration",
            place,
            check,
        } => (part(&place), check),
        other => panic!("{other:?}"),
    }
}

/// The part that is not read, from 0.
fn not_read(e: VerifyError) -> usize {
    match e {
        VerifyError::Encoding { place, .. } => part(&place),
        other => panic!("{other:?}"),
    }
}

fn part(place: &str) -> usize {
    let parts = ["registration, part 1 of 2", "registration, part 2 of 2"];
    parts.iter().position(|p| *p == place).unwrap()
}

#[test]
fn the_honest_one_holds() {
    let equations = registration_equations(&registry(), FIRST.dataset.dataset().rows()).unwrap();
    let bases: Vec<Vec<usize>> = equations.iter().map(|e| e.bases()).collect();
    assert_eq!(bases, [vec![0, 1, 2, 3, 4, 5, 6], vec![7]]);
    assert_eq!(HONEST.proofs.len(), 2);
    let registered = register(&HONEST).unwrap();
    assert_eq!(registered.dataset().digest, FIRST.dataset.dataset().digest);
    let bytes = serde_json::to_vec(&*HONEST).unwrap();
    assert_eq!(Registration::from_json(&bytes).unwrap(), *HONEST);
}

#[test]
fn an_answer_is_over_its_own_registered_dataset() {
    let bundle = Bundle::from_json(&BUNDLE).unwrap();
    let check = |registered: &Registered| {
        verify(
            &bundle,
            registered,
            &registry(),
            &question(SQL),
            &KEYS.verifying(),
        )
    };
    check(&register(&HONEST).unwrap()).unwrap();
    for other in [&OTHER, &NEXT] {
        let e = check(&other.registered()).unwrap_err();
        assert!(
            matches!(e, VerifyError::AnotherDataset { what: "bundle", .. }),
            "{e:?}"
        );
    }
}

/// What a hospital publishes of its folder, opened elsewhere.
fn published(folder: &Path) -> CommittedDataset {
    for name in ["manifest.json", "registry.toml", "registration.json"] {
        fs::copy(FIRST.dataset.folder().join(name), folder.join(name)).unwrap();
    }
    CommittedDataset::open(folder, &KEYS).unwrap()
}

#[test]
fn it_stands_in_the_folder_and_is_checked_before_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = published(folder.path());
    assert_eq!(dataset.registration().unwrap(), *HONEST);
    dataset.registered(&KEYS).unwrap();
    let file = folder.path().join("registration.json");
    fs::copy(OTHER.dataset.folder().join("registration.json"), &file).unwrap();
    let answer = || execute::answer(&dataset, &question(SQL), &KEYS, &Silent);
    for e in [
        dataset.registered(&KEYS).unwrap_err(),
        answer().unwrap_err(),
    ] {
        assert!(
            matches!(
                e,
                ProverError::Verify(VerifyError::AnotherDataset {
                    what: "registration",
                    ..
                })
            ),
            "{e:?}"
        );
    }
    fs::remove_file(&file).unwrap();
    for e in [dataset.registration().unwrap_err(), answer().unwrap_err()] {
        assert!(matches!(e, ProverError::NotADataset { .. }), "{e:?}");
    }
}

#[test]
fn sums_by_value_are_made_anew_where_they_are_damaged_or_not_there() {
    // From then on no other test writes there.
    LazyLock::force(&OTHERS_BUNDLE);
    let folder = OTHER.dataset.folder().join("secret/sums");
    let files = fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path());
    let before: Vec<_> = files.map(|path| (fs::read(&path).unwrap(), path)).collect();
    assert!(!before.is_empty());
    for (bytes, path) in &before {
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }
    OTHER.answer(SQL);
    let again = before
        .iter()
        .filter(|(bytes, path)| fs::read(path).unwrap() == *bytes);
    assert!(again.count() > 0);
    fs::remove_dir_all(&folder).unwrap();
    OTHER.answer(SQL);
}

#[test]
fn a_part_is_missing_or_too_many() {
    let parts = |change: fn(&mut Registration)| match refused(change) {
        VerifyError::Parts { expected: 2, got } => got,
        other => panic!("{other:?}"),
    };
    assert_eq!(parts(|r| drop(r.proofs.pop())), 1);
    assert_eq!(parts(|r| drop(r.proofs.remove(0))), 1);
    assert_eq!(parts(|r| r.proofs.clear()), 0);
    assert_eq!(parts(|r| r.proofs.push(r.proofs[1].clone())), 3);
    assert_eq!(parts(|r| r.proofs.push(String::new())), 3);
}

#[test]
fn parts_are_swapped_or_doubled() {
    assert_eq!(not_read(refused(|r| r.proofs.swap(0, 1))), 0);
    let e = refused(|r| r.proofs[0] = r.proofs[1].clone());
    assert_eq!(not_read(e), 0);
    let e = refused(|r| r.proofs[1] = r.proofs[0].clone());
    assert_eq!(not_read(e), 1);
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
    // Under this dataset's name: another hospital's, and the next epoch's of the same table.
    for other in [&OTHER, &NEXT] {
        let proofs = &other.registration.proofs;
        let e = refused(|r| r.proofs = proofs.clone());
        assert_eq!(failed(e), (0, Check::Circuit));
        for (one, proof) in proofs.iter().enumerate() {
            let e = refused(|r| r.proofs[one].clone_from(proof));
            assert_eq!(failed(e), (one, Check::Circuit));
        }
    }
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
    let (d, other) = (FIRST.dataset.dataset(), other_keys());
    let mut r = HONEST.clone();
    let e = verify_registration(&r, d.clone(), &registry(), &other).unwrap_err();
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
    let e = verify_registration(&r, d.clone(), &registry(), &other).unwrap_err();
    let of_manifest = |e: &VerifyError| {
        matches!(
            e,
            VerifyError::ParameterSet {
                what: "manifest",
                ..
            }
        )
    };
    assert!(of_manifest(&e), "{e:?}");
    let e = check_dataset(&d.manifest, &registry(), &other).unwrap_err();
    assert!(of_manifest(&e), "{e:?}");
}

#[test]
fn another_registry() {
    let text = REGISTRY.replace("600", "599");
    let other = galen_query::registry::Registry::from_toml(&text).unwrap();
    let (d, keys) = (FIRST.dataset.dataset(), KEYS.verifying());
    let e = verify_registration(&HONEST, d.clone(), &other, &keys).unwrap_err();
    assert!(matches!(e, VerifyError::Registry { .. }), "{e:?}");
    assert!(check_dataset(&d.manifest, &other, &keys).is_err());
}

#[test]
fn a_proof_is_tampered_with() {
    // Another point with the same coordinate: a commitment's, the circuit's proof's, the opening's.
    for part in 0..2 {
        let negated = |place: fn(&[u8]) -> usize| {
            refused(|r| {
                let proof = &mut r.proofs[part];
                *proof = edited(proof, |bytes| {
                    let last = place(bytes) + 31;
                    bytes[last] ^= SIGN;
                });
            })
        };
        let commitment = |_: &[u8]| 0;
        let circuit = |bytes: &[u8]| bytes.len() - Opening::BYTES - Proof::BYTES;
        let opening = |bytes: &[u8]| bytes.len() - Opening::BYTES;
        assert_eq!(failed(negated(commitment)), (part, Check::Circuit));
        assert_eq!(failed(negated(circuit)), (part, Check::Circuit));
        assert_eq!(failed(negated(opening)), (part, Check::Opening));
    }
}

#[test]
fn a_proof_is_read_strictly() {
    for part in 0..2 {
        let change = |change: fn(&mut Vec<u8>)| {
            not_read(refused(|r| {
                r.proofs[part] = edited(&r.proofs[part], change);
            }))
        };
        // A byte more or less; the point at infinity with a coordinate; y* written as y* + p.
        assert_eq!(change(|bytes| bytes.push(0)), part);
        assert_eq!(change(|bytes| bytes.truncate(bytes.len() - 1)), part);
        let infinite = |bytes: &mut Vec<u8>| bytes[31] = bytes[31] & !SIGN | INFINITY;
        assert_eq!(change(infinite), part);
        let unreduced = |bytes: &mut Vec<u8>| {
            let end = bytes.len() - Opening::BYTES - Proof::BYTES;
            let mut carry = 0;
            for (byte, p) in bytes[end - 32..end]
                .iter_mut()
                .zip(Fr::MODULUS.to_bytes_le())
            {
                let sum = u16::from(*byte) + u16::from(p) + carry;
                [*byte, _] = sum.to_le_bytes();
                carry = sum >> 8;
            }
            assert_eq!(carry, 0);
        };
        assert_eq!(change(unreduced), part);
        for bad in ["", "AAAA", "not base64"] {
            let e = refused(|r| r.proofs[part] = bad.into());
            assert_eq!(not_read(e), part);
        }
    }
}

#[test]
fn base64_that_is_not_canonical() {
    for part in 0..2 {
        let respelled = |change: &dyn Fn(&str) -> String| {
            not_read(refused(|r| r.proofs[part] = change(&r.proofs[part])))
        };
        assert_eq!(respelled(&|p| format!("{p}=")), part);
        assert_eq!(respelled(&|p| format!("{p}\n")), part);
        assert_eq!(respelled(&|p| format!("+{}", &p[1..])), part);
    }
    // Bits of the last letter that are no part of the bytes.
    let mut spare = 0;
    for (part, proof) in HONEST.proofs.iter().enumerate() {
        if proof.len() % 4 == 0 {
            continue;
        }
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (last, rest) = proof.as_bytes().split_last().unwrap();
        let at = LETTERS.iter().position(|l| l == last).unwrap();
        let mut other = rest.to_vec();
        other.push(LETTERS[at + 1]);
        let other = String::from_utf8(other).unwrap();
        assert_eq!(not_read(refused(|r| r.proofs[part] = other)), part);
        spare += 1;
    }
    assert!(spare > 0);
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
    let mut many = HONEST.clone();
    many.proofs = vec![String::new(); (1 << 10) + 1];
    for bad in [
        text.replacen("\"proofs\"", "\"note\":1,\"proofs\"", 1),
        text.replacen("\"manifest\"", "\"manifest2\"", 1),
        text[..text.len() / 2].to_owned(),
        serde_json::to_string(&many).unwrap(),
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
    let of_version = |version: &str| {
        let text = text.replacen("registration/v2", version, 1);
        register(&read(text).unwrap()).unwrap_err()
    };
    let e = of_version("registration/v3");
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
    let e = of_version("registration/v1");
    assert!(
        matches!(
            e,
            VerifyError::Old {
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
