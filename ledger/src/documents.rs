//! Whether a statement and the documents beside the log that it names say the same. The service asks before
//! it accepts an entry, and a reviewer of [evidence](super::evidence) asks again: by this code.
//!
//! Every function first compares each document's bytes with the length and digest in the statement. None of
//! them knows the ledger's rules: which entry may stand after which is `rules`'.

use galen_params::{ParamsError, VerifyingSet};
use galen_query::{
    question::{Question, Resolved},
    registry::{Registry, RegistryError},
    text::hex,
};
use galen_verifier::{
    Job, VerifyError,
    answer::Answer,
    bundle::Bundle,
    check_dataset,
    manifest::{Dataset, Manifest},
    proven::Proven,
    registration::{Registration, verify_registration},
    verify_all,
};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::statement::{
    AnswerStatement, Blob, DatasetStatement, ParameterSetStatement, QueryStatement,
    RegistryStatement,
};

/// Why a document does not support its statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// A file has other bytes than the statement names.
    #[error(
        "{document}: SHA-256 {got} of {got_bytes} bytes, but the statement names {stated} of {stated_bytes} bytes"
    )]
    Blob {
        /// Which document.
        document: &'static str,
        /// The statement's digest, hex.
        stated: String,
        /// The statement's length, bytes.
        stated_bytes: u64,
        /// The file's digest, hex; empty where the length told already.
        got: String,
        /// The file's length, bytes.
        got_bytes: u64,
    },
    /// A text file is not UTF-8.
    #[error("{document}: not UTF-8")]
    NotText {
        /// Which document.
        document: &'static str,
    },
    /// The registry file is malformed.
    #[error("registry: {0}")]
    Registry(#[from] RegistryError),
    /// The parameter set's verifying part is malformed.
    #[error(transparent)]
    ParameterSet(#[from] ParamsError),
    /// The statement says one thing, the document another.
    #[error("the statement's {field} is {stated}, but the {document} has {got}")]
    Mismatch {
        /// Which document.
        document: &'static str,
        /// Which field of the statement.
        field: &'static str,
        /// What the statement says.
        stated: String,
        /// What the document says.
        got: String,
    },
    /// The document does not hold by itself, or not for the others.
    #[error("the {document} is refused: {source}")]
    Refused {
        /// Which document.
        document: &'static str,
        /// Why.
        source: VerifyError,
    },
}

fn refused<E: Into<VerifyError>>(document: &'static str) -> impl Fn(E) -> DocumentError {
    move |source| DocumentError::Refused {
        document,
        source: source.into(),
    }
}

/// A document and the statement about it, to be compared field by field.
struct Compared(&'static str);

impl Compared {
    fn same(
        &self,
        field: &'static str,
        stated: impl ToString,
        got: impl ToString,
    ) -> Result<(), DocumentError> {
        let (stated, got) = (stated.to_string(), got.to_string());
        if stated == got {
            return Ok(());
        }
        Err(DocumentError::Mismatch {
            document: self.0,
            field,
            stated,
            got,
        })
    }
}

/// Checks a file's length and digest.
///
/// # Errors
/// [`DocumentError::Blob`].
pub fn check_blob(document: &'static str, blob: &Blob, bytes: &[u8]) -> Result<(), DocumentError> {
    let same_length = blob.bytes == bytes.len() as u64;
    let got = if same_length {
        hex(&Sha256::digest(bytes))
    } else {
        String::new()
    };
    if same_length && got == blob.sha256 {
        return Ok(());
    }
    Err(DocumentError::Blob {
        document,
        stated: blob.sha256.clone(),
        stated_bytes: blob.bytes,
        got,
        got_bytes: bytes.len() as u64,
    })
}

/// Reads the registry of a statement: the TOML text has its digest, and its name and version.
///
/// # Errors
/// Other bytes, a malformed registry, another digest or label.
pub fn check_registry(
    statement: &RegistryStatement,
    toml: &[u8],
) -> Result<Registry, DocumentError> {
    let document = "registry";
    check_blob(document, &statement.toml, toml)?;
    let text = std::str::from_utf8(toml).map_err(|_| DocumentError::NotText { document })?;
    let registry = Registry::from_toml(text)?;
    let compared = Compared(document);
    compared.same("digest", &statement.digest, hex(&registry.digest))?;
    compared.same("registry", &statement.registry, registry.label())?;
    Ok(registry)
}

/// Reads the verifying part of a statement's parameter set. Its id is the digest of these bytes, so it is
/// the one that the statement names.
///
/// # Errors
/// Other bytes, a malformed set, another shape, or a mark of insecurity that the statement conceals or adds.
pub fn check_parameter_set(
    statement: &ParameterSetStatement,
    bytes: &[u8],
) -> Result<VerifyingSet, DocumentError> {
    let document = "parameter set";
    check_blob(document, &statement.verifying, bytes)?;
    let keys = VerifyingSet::from_bytes(bytes)?;
    let compared = Compared(document);
    compared.same("shape", &statement.shape, keys.shape())?;
    compared.same("insecure", statement.insecure, keys.is_insecure())?;
    Ok(keys)
}

/// Checks the manifest of a statement, signed by the hospital with the key of its entry (`signer_key`, the
/// public key in hex): manifest, statement, registry and parameter set are about the same.
///
/// # Errors
/// Other bytes, a manifest that is refused, or a field of the statement that the manifest has otherwise.
pub fn check_dataset_statement(
    statement: &DatasetStatement,
    signer_key: &str,
    manifest: &[u8],
    registry: &Registry,
    keys: &VerifyingSet,
) -> Result<Dataset, DocumentError> {
    let document = "manifest";
    check_blob(document, &statement.manifest, manifest)?;
    let manifest = Manifest::from_json(manifest).map_err(refused(document))?;
    let compared = Compared(document);
    compared.same("hospital", &statement.hospital, &manifest.hospital)?;
    compared.same("dataset", &statement.dataset, &manifest.dataset)?;
    compared.same("epoch", statement.epoch, manifest.epoch)?;
    compared.same("registry", &statement.registry, &manifest.registry_digest)?;
    let set = &manifest.parameter_set;
    compared.same("parameter_set", &statement.parameter_set, set)?;
    compared.same("signing key", signer_key, &manifest.hospital_key)?;
    compared.same("digest", &statement.digest, hex(&manifest.digest()))?;
    check_dataset(&manifest, registry, keys).map_err(refused(document))
}

/// Checks the registration proofs of a statement, over the dataset that [`check_dataset_statement`] gave.
///
/// # Errors
/// Other bytes, or a proof that is missing or does not hold; `proven` is then unchanged.
pub fn check_registration(
    statement: &DatasetStatement,
    registration: &[u8],
    dataset: &Dataset,
    registry: &Registry,
    keys: &VerifyingSet,
    proven: &mut Proven,
) -> Result<(), DocumentError> {
    let document = "registration";
    check_blob(document, &statement.registration, registration)?;
    let registration = Registration::from_json(registration).map_err(refused(document))?;
    verify_registration(proven, &registration, dataset, registry, keys).map_err(refused(document))
}

/// Checks that the query of a statement can be asked under its registry.
///
/// # Errors
/// Another registry, a purpose that is not listed, or SQL or analyses that are refused.
pub fn check_query(
    statement: &QueryStatement,
    registry: &Registry,
) -> Result<Resolved, DocumentError> {
    statement.query.resolve(registry).map_err(refused("query"))
}

/// An answer's statement and bundle, with what they are checked against.
#[derive(Debug, Clone, Copy)]
pub struct AnswerDocuments<'a> {
    /// The statement.
    pub statement: &'a AnswerStatement,
    /// The bundle's bytes.
    pub bundle: &'a [u8],
    /// The dataset, from [`check_dataset_statement`] with the same registry and keys.
    pub dataset: &'a Dataset,
    /// The registry.
    pub registry: &'a Registry,
    /// The query.
    pub question: &'a Question,
}

impl AnswerDocuments<'_> {
    /// Everything but the bundle's proofs.
    fn read(&self) -> Result<Bundle, DocumentError> {
        let (s, document) = (self.statement, "bundle");
        check_blob(document, &s.bundle, self.bundle)?;
        Compared("query").same("query", &s.query, hex(&self.question.digest()))?;
        let (compared, manifest) = (Compared("manifest"), &self.dataset.manifest);
        compared.same("manifest", &s.manifest, hex(&self.dataset.digest))?;
        compared.same("hospital", &s.hospital, &manifest.hospital)?;
        compared.same("dataset", &s.dataset, &manifest.dataset)?;
        compared.same("epoch", s.epoch, manifest.epoch)?;
        Bundle::from_json(self.bundle).map_err(refused(document))
    }
}

/// Checks the bundle of a statement against query, dataset, registry and parameter set, and returns the
/// answer.
///
/// # Errors
/// Other bytes, a statement about another query or dataset, or a bundle that is refused; `proven` is then
/// unchanged.
pub fn check_answer(
    documents: AnswerDocuments<'_>,
    keys: &VerifyingSet,
    proven: &mut Proven,
) -> Result<Answer, DocumentError> {
    let mut verdicts = check_answers(&[documents], keys, proven);
    verdicts.pop().expect("one verdict an answer")
}

/// As [`check_answer`] for each, in order, with one check of all their proofs.
pub fn check_answers(
    answers: &[AnswerDocuments<'_>],
    keys: &VerifyingSet,
    proven: &mut Proven,
) -> Vec<Result<Answer, DocumentError>> {
    let bundles: Vec<_> = answers.par_iter().map(AnswerDocuments::read).collect();
    let jobs: Vec<Job<'_>> = answers
        .iter()
        .zip(&bundles)
        .filter_map(|(a, bundle)| {
            Some(Job {
                bundle: bundle.as_ref().ok()?,
                dataset: a.dataset,
                registry: a.registry,
                question: a.question,
            })
        })
        .collect();
    let mut verdicts = verify_all(proven, keys, &jobs).into_iter();
    bundles
        .into_iter()
        .map(|bundle| {
            bundle?;
            let verdict = verdicts.next().expect("one verdict a bundle");
            verdict.map_err(refused("bundle"))
        })
        .collect()
}
