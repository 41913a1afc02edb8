//! Statements and files that do not say the same, all of them signed and logged.

use galen_circuits::{batch::Check, groth16::Proof, opening::Opening};
use galen_ledger::{
    documents::DocumentError,
    evidence::EvidenceError,
    statement::{
        AnswerStatement, DatasetStatement, ParameterSetStatement, QueryStatement,
        RegistryStatement, Statement,
    },
};
use galen_query::{ReadError, text::hex};
use galen_verifier::{
    VerifyError,
    bundle::Bundle,
    manifest::{Draft, Manifest},
    rules::State,
};

use crate::{
    hospital::{
        FIRST, HOSPITAL, Hospital, IMPOSTOR, INFINITY, NEXT, OTHER, OTHER_BUNDLE, OTHER_SET,
        OTHERS_BUNDLE, REGISTRY, SIGN, edited, registry, signing_key,
    },
    log::{Log, Said},
    story::{NEEDED, at, blob, blobs, dataset, refused, registration_bytes, story},
};

/// Files by their place in [`blobs`].
const TOML: usize = 0;
const VERIFYING: usize = 1;
const MANIFEST: usize = 2;
const REGISTRATION: usize = 3;
const BUNDLE: usize = 4;

/// A story with its files, told anew.
struct Retold {
    story: Vec<Said>,
    blobs: Vec<Vec<u8>>,
}

impl Retold {
    fn new() -> Self {
        Self {
            story: story(),
            blobs: blobs(),
        }
    }

    fn registry(&mut self) -> &mut RegistryStatement {
        match &mut self.story[at::REGISTRY].statement {
            Statement::Registry(s) => s,
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self) -> &mut ParameterSetStatement {
        match &mut self.story[at::PARAMETER_SET].statement {
            Statement::ParameterSet(s) => s,
            other => panic!("{other:?}"),
        }
    }

    fn dataset(&mut self) -> &mut DatasetStatement {
        match &mut self.story[at::DATASET].statement {
            Statement::Dataset(s) => s,
            other => panic!("{other:?}"),
        }
    }

    fn query(&mut self) -> &mut QueryStatement {
        match &mut self.story[at::QUERY].statement {
            Statement::Query(s) => s,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self) -> &mut AnswerStatement {
        match &mut self.story[at::ANSWER].statement {
            Statement::Answer(s) => s,
            other => panic!("{other:?}"),
        }
    }

    /// Another hospital's manifest and registration, under the first one's statement.
    fn use_dataset(&mut self, of: &Hospital) {
        self.blobs[MANIFEST] = of.manifest();
        self.blobs[REGISTRATION] = registration_bytes(of);
        let honest = dataset(of);
        let s = self.dataset();
        s.manifest = honest.manifest;
        s.registration = honest.registration;
        s.digest = honest.digest.clone();
        self.answer().manifest = honest.digest;
    }

    fn use_bundle(&mut self, bytes: Vec<u8>) {
        self.answer().bundle = blob(&bytes);
        self.blobs[BUNDLE] = bytes;
    }

    fn refused(self) -> (u64, DocumentError) {
        match refused(&Log::new(&self.story), &NEEDED, &self.blobs) {
            EvidenceError::Document { index, source, .. } => (index, *source),
            other => panic!("{other:?}"),
        }
    }

    fn mismatch(self) -> (u64, &'static str) {
        match self.refused() {
            (index, DocumentError::Mismatch { field, .. }) => (index, field),
            other => panic!("{other:?}"),
        }
    }

    fn refusal(self) -> (u64, &'static str, VerifyError) {
        match self.refused() {
            (index, DocumentError::Refused { document, source }) => (index, document, source),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_registry_has_another_name() {
    let mut t = Retold::new();
    t.registry().registry = "t v2".into();
    assert_eq!(t.mismatch(), (2, "registry"));
}

#[test]
fn the_registry_has_another_digest() {
    let mut t = Retold::new();
    let digest = "ab".repeat(32);
    t.registry().digest.clone_from(&digest);
    t.dataset().registry.clone_from(&digest);
    t.query().query.registry_digest = digest;
    let query = hex(&t.query().query.digest());
    t.answer().query = query;
    assert_eq!(t.mismatch(), (2, "digest"));
}

#[test]
fn the_registry_is_another_text() {
    let mut t = Retold::new();
    t.blobs[TOML] = REGISTRY.replace("600", "500").into_bytes();
    t.registry().toml = blob(&t.blobs[TOML].clone());
    assert_eq!(t.mismatch(), (2, "digest"));
    let mut t = Retold::new();
    t.blobs[TOML] = vec![0xff, 0xfe];
    t.registry().toml = blob(&[0xff, 0xfe]);
    assert!(matches!(t.refused(), (2, DocumentError::NotText { .. })));
    let mut t = Retold::new();
    t.blobs[TOML] = b"name = 1".to_vec();
    t.registry().toml = blob(b"name = 1");
    assert!(matches!(t.refused(), (2, DocumentError::Registry(_))));
}

#[test]
fn the_length_alone_is_wrong() {
    let mut t = Retold::new();
    t.registry().toml.bytes += 1;
    match t.refused() {
        (2, DocumentError::Blob { got, .. }) => assert_eq!(got, ""),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_parameter_set_hides_that_it_is_insecure() {
    let mut t = Retold::new();
    t.set().insecure = false;
    assert_eq!(t.mismatch(), (3, "insecure"));
}

#[test]
fn the_parameter_set_has_another_shape() {
    let mut t = Retold::new();
    t.set().shape = "32k".into();
    assert_eq!(t.mismatch(), (3, "shape"));
}

#[test]
fn the_parameter_set_is_malformed() {
    let mut t = Retold::new();
    t.blobs[VERIFYING].push(0);
    let changed = blob(&t.blobs[VERIFYING]);
    t.dataset().parameter_set.clone_from(&changed.sha256);
    t.set().verifying = changed;
    assert!(matches!(t.refused(), (3, DocumentError::ParameterSet(_))));
}

#[test]
fn the_parameter_set_is_encoded_otherwise() {
    let mut t = Retold::new();
    let bytes = &mut t.blobs[VERIFYING];
    // The point at infinity with another's coordinate, which a lenient reader passes over.
    let last = bytes.last_mut().unwrap();
    *last = *last & !SIGN | INFINITY;
    let changed = blob(bytes);
    t.dataset().parameter_set.clone_from(&changed.sha256);
    t.set().verifying = changed;
    let (place, e) = t.refused();
    assert_eq!(place, 3);
    assert!(e.to_string().contains("canonical"), "{e}");
}

#[test]
fn another_parameter_set() {
    let bytes = OTHER_SET.clone();
    let mut t = Retold::new();
    t.set().verifying = blob(&bytes);
    t.dataset().parameter_set = blob(&bytes).sha256;
    t.blobs[VERIFYING] = bytes;
    assert_eq!(t.mismatch(), (7, "parameter_set"));
}

#[test]
fn the_manifest_of_another_hospital() {
    let mut t = Retold::new();
    t.use_dataset(&OTHER);
    assert_eq!(t.mismatch(), (7, "hospital"));
    // Or one that only calls itself the same.
    let mut t = Retold::new();
    t.use_dataset(&IMPOSTOR);
    assert_eq!(t.mismatch(), (7, "signing key"));
}

#[test]
fn the_manifest_of_another_epoch() {
    let mut t = Retold::new();
    t.use_dataset(&NEXT);
    assert_eq!(t.mismatch(), (7, "epoch"));
}

#[test]
fn the_manifest_has_another_digest() {
    let mut t = Retold::new();
    let digest = "cd".repeat(32);
    t.dataset().digest.clone_from(&digest);
    t.answer().manifest = digest;
    assert_eq!(t.mismatch(), (7, "digest"));
}

#[test]
fn the_dataset_has_another_name() {
    let mut t = Retold::new();
    t.dataset().dataset = "other".into();
    t.answer().dataset = "other".into();
    assert_eq!(t.mismatch(), (7, "dataset"));
}

#[test]
fn the_manifest_is_edited() {
    let mut t = Retold::new();
    let mut manifest: serde_json::Value = serde_json::from_slice(&t.blobs[MANIFEST]).unwrap();
    manifest["release"]["k"] = 1.into();
    let bytes = manifest.to_string().into_bytes();
    let read = Manifest::from_json(&bytes).unwrap();
    let digest = hex(&read.digest());
    t.dataset().manifest = blob(&bytes);
    t.dataset().digest.clone_from(&digest);
    t.answer().manifest = digest;
    t.blobs[MANIFEST] = bytes;
    let (index, document, e) = t.refusal();
    assert_eq!((index, document), (7, "manifest"));
    assert!(matches!(e, VerifyError::ManifestSignature), "{e:?}");
}

#[test]
fn a_name_in_the_manifest_has_line_breaks() {
    // As if the report said more than it does.
    let d = FIRST.dataset.dataset();
    let mut release = d.manifest.release.clone();
    release.name = "cms-11\nlog key  the one given".into();
    let draft = Draft {
        hospital: &d.manifest.hospital,
        dataset: &d.manifest.dataset,
        epoch: 1,
        registry: &registry(),
        parameter_set: d.parameter_set,
        shape: d.shape,
        rows: d.manifest.rows,
        release,
        provenance: None,
        commitments: &d.commitments,
    };
    let manifest = Manifest::sign(&draft, &signing_key(HOSPITAL));
    let (bytes, digest) = (serde_json::to_vec(&manifest).unwrap(), manifest.digest());
    let mut t = Retold::new();
    t.dataset().manifest = blob(&bytes);
    t.dataset().digest = hex(&digest);
    t.answer().manifest = hex(&digest);
    t.blobs[MANIFEST] = bytes;
    let (_, document, e) = t.refusal();
    assert_eq!(document, "manifest");
    assert!(matches!(e, VerifyError::Manifest(_)), "{e:?}");
}

#[test]
fn the_registration_of_another_dataset() {
    let mut t = Retold::new();
    t.blobs[REGISTRATION] = registration_bytes(&OTHER);
    t.dataset().registration = blob(&registration_bytes(&OTHER));
    let (index, document, e) = t.refusal();
    assert_eq!((index, document), (7, "registration"));
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
}

#[test]
fn a_registration_that_lacks_a_proof() {
    let mut registration = FIRST.registration.clone();
    registration.proofs.pop();
    let bytes = serde_json::to_vec(&registration).unwrap();
    let mut t = Retold::new();
    t.dataset().registration = blob(&bytes);
    t.blobs[REGISTRATION] = bytes;
    let (_, document, e) = t.refusal();
    assert_eq!(document, "registration");
    assert!(
        matches!(
            e,
            VerifyError::Parts {
                expected: 2,
                got: 1
            }
        ),
        "{e:?}"
    );
}

#[test]
fn a_query_that_cannot_be_asked() {
    let mut t = Retold::new();
    t.query().query.sql = "SELECT min(n) FROM t".into();
    let query = hex(&t.query().query.digest());
    t.answer().query = query;
    let (index, document, e) = t.refusal();
    assert_eq!((index, document), (8, "query"));
    assert!(matches!(e, VerifyError::Read(ReadError::Query(_))), "{e:?}");
    let mut t = Retold::new();
    t.query().query.purpose = "DUO:0000007".into();
    let query = hex(&t.query().query.digest());
    t.answer().query = query;
    let (_, _, e) = t.refusal();
    assert!(
        matches!(e, VerifyError::Read(ReadError::Purpose { .. })),
        "{e:?}"
    );
}

#[test]
fn the_bundle_answers_another_query() {
    let mut t = Retold::new();
    t.use_bundle(OTHER_BUNDLE.clone());
    let (index, document, e) = t.refusal();
    assert_eq!((index, document), (11, "bundle"));
    assert!(matches!(e, VerifyError::AnotherQuery { .. }), "{e:?}");
}

#[test]
fn the_bundle_is_over_another_dataset() {
    let mut t = Retold::new();
    t.use_bundle(OTHERS_BUNDLE.clone());
    let (_, document, e) = t.refusal();
    assert_eq!(document, "bundle");
    assert!(
        matches!(e, VerifyError::AnotherDataset { what: "bundle", .. }),
        "{e:?}"
    );
}

/// The bundle with something changed.
fn bundle_refused(change: impl FnOnce(&mut Bundle)) -> VerifyError {
    let mut bundle = Bundle::from_json(&blobs()[BUNDLE]).unwrap();
    change(&mut bundle);
    let mut t = Retold::new();
    t.use_bundle(serde_json::to_vec(&bundle).unwrap());
    let (index, document, e) = t.refusal();
    assert_eq!((index, document), (11, "bundle"));
    e
}

fn failed(e: VerifyError) -> Check {
    match e {
        VerifyError::Proof {
            what: "bundle",
            check,
            ..
        } => check,
        other => panic!("{other:?}"),
    }
}

fn not_read(e: VerifyError) {
    match e {
        VerifyError::Encoding { place, .. } => assert_eq!(place, "bundle"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cell_is_edited() {
    let e = bundle_refused(|b| {
        let count = b.cells[0][0].shown().unwrap();
        b.cells[0][0] = State::Shown(count + 1);
    });
    assert_eq!(failed(e), Check::Circuit);
}

#[test]
fn a_cell_is_hidden_or_there_are_more() {
    // The proof of a hidden count has more in it.
    not_read(bundle_refused(|b| b.cells[0][0] = State::Small));
    let e = bundle_refused(|b| b.cells[0][0] = State::Margin(0));
    assert!(
        matches!(
            e,
            VerifyError::CellRule {
                group: 0,
                statistic: 0,
                ..
            }
        ),
        "{e:?}"
    );
    let e = bundle_refused(|b| b.cells[0].push(State::Small));
    assert!(
        matches!(
            e,
            VerifyError::Cells {
                expected: 1,
                got: 2,
                ..
            }
        ),
        "{e:?}"
    );
    let e = bundle_refused(|b| b.cells.clear());
    assert!(
        matches!(
            e,
            VerifyError::Cells {
                expected: 1,
                got: 0,
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn the_proof_is_of_another_answer() {
    let proof = |bytes: &[u8]| Bundle::from_json(bytes).unwrap().proof;
    // The other hospital's, to the same query.
    let e = bundle_refused(|b| b.proof = proof(&OTHERS_BUNDLE));
    assert_eq!(failed(e), Check::Circuit);
    not_read(bundle_refused(|b| b.proof = proof(&OTHER_BUNDLE)));
    let part = FIRST.registration.proofs[0].clone();
    not_read(bundle_refused(|b| b.proof = part));
}

#[test]
fn the_proof_is_edited() {
    // Another point with the same coordinate: a commitment's, the circuit's proof's, the opening's.
    let negated = |from_end: usize| {
        bundle_refused(|b| {
            b.proof = edited(&b.proof, |bytes| {
                let place = bytes.len() - from_end;
                bytes[place + 31] ^= SIGN;
            });
        })
    };
    let first = |b: &mut Bundle| b.proof = edited(&b.proof, |bytes| bytes[31] ^= SIGN);
    assert_eq!(failed(bundle_refused(first)), Check::Circuit);
    assert_eq!(
        failed(negated(Opening::BYTES + Proof::BYTES)),
        Check::Circuit
    );
    assert_eq!(failed(negated(Opening::BYTES)), Check::Opening);
    not_read(bundle_refused(|b| b.proof.clear()));
}
