//! Check 10: the entries and the files that they name say the same, and the proofs hold.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::text::from_base64;
use galen_verifier::proven::Proven;

use super::{
    EvidenceError, MAX_EVIDENCE_BYTES,
    report::{LogReport, ParameterSetReport, Report, ReportedEntry, ReportedKey},
    seen::{Seen, Stated},
};
use crate::{
    documents::{
        AnswerDocuments, DocumentError, check_answer, check_dataset_statement, check_parameter_set,
        check_query, check_registration, check_registry,
    },
    statement::{
        AnswerStatement, Blob, Consortium, DatasetStatement, ParameterSetStatement, QueryStatement,
        RegistryStatement, Statement,
    },
};

/// The files of the evidence, base64url, by their digest as it stands there. That the bytes have this digest
/// is checked with the document.
pub(super) struct Blobs<'a>(pub(super) BTreeMap<&'a str, &'a str>);

impl Blobs<'_> {
    fn read(&self, blob: &Blob) -> Result<Vec<u8>, EvidenceError> {
        let text = self.0.get(&*blob.sha256).copied().unwrap_or_default();
        from_base64(text, MAX_EVIDENCE_BYTES).ok_or_else(|| EvidenceError::BlobEncoding {
            sha256: blob.sha256.clone(),
        })
    }
}

/// The entries that an answer rests on, each with its index.
pub(super) struct Chain<'a> {
    consortium: &'a Consortium,
    registry: (u64, &'a RegistryStatement),
    parameter_set: (u64, &'a ParameterSetStatement),
    dataset: (u64, &'a DatasetStatement),
    /// The key, hex, that signed the dataset's entry.
    dataset_key: &'a str,
    query: (u64, &'a QueryStatement),
    researcher: &'a str,
    answer: (u64, &'a AnswerStatement),
}

/// The last entry of a kind; the rules, and that no entry is without a part, leave one of each but for
/// consortia and members.
macro_rules! last {
    ($stated:expr, $kind:ident) => {
        $stated
            .iter()
            .rev()
            .find_map(|s| match &s.statement {
                Statement::$kind(statement) => Some((s, statement)),
                _ => None,
            })
            .expect("an answer stands by the rules only after one of each")
    };
}

fn refused(index: u64, kind: &'static str) -> impl Fn(DocumentError) -> EvidenceError {
    move |source| EvidenceError::Document {
        index,
        kind,
        source: Box::new(source),
    }
}

/// Each key once in each role, though a new consortium names some of the stewards again.
fn keys_of(stated: &[Stated]) -> Vec<ReportedKey> {
    let signers: BTreeSet<&str> = stated
        .iter()
        .flat_map(|s| &s.signers)
        .map(|s| &**s)
        .collect();
    let all = stated
        .iter()
        .flat_map(|s| ReportedKey::of(&s.statement, &signers));
    let mut seen = BTreeSet::new();
    all.filter(|k| seen.insert(k.clone())).collect()
}

impl<'a> Chain<'a> {
    /// Picks the entries out, after the rules and checks 6 to 8.
    pub(super) fn of(stated: &'a [Stated]) -> Self {
        let (_, consortium) = last!(stated, Consortium);
        let (registry, registry_statement) = last!(stated, Registry);
        let (parameter_set, parameter_set_statement) = last!(stated, ParameterSet);
        let (dataset, dataset_statement) = last!(stated, Dataset);
        let (query, query_statement) = last!(stated, Query);
        let (answer, answer_statement) = last!(stated, Answer);
        Self {
            consortium,
            registry: (registry.index, registry_statement),
            parameter_set: (parameter_set.index, parameter_set_statement),
            dataset: (dataset.index, dataset_statement),
            dataset_key: dataset.signer_key.as_deref().unwrap_or_default(),
            query: (query.index, query_statement),
            researcher: query.row.member.as_deref().unwrap_or_default(),
            answer: (answer.index, answer_statement),
        }
    }

    /// Checks every document against its entry, and then the proofs.
    pub(super) fn check(
        &self,
        blobs: &Blobs<'_>,
        log: LogReport,
        stated: &[Stated],
        seen: Seen,
    ) -> Result<Report, EvidenceError> {
        let (index, s) = self.registry;
        let registry =
            check_registry(s, &blobs.read(&s.toml)?).map_err(refused(index, "registry"))?;
        let (index, s) = self.parameter_set;
        let keys = check_parameter_set(s, &blobs.read(&s.verifying)?)
            .map_err(refused(index, "parameter-set"))?;
        let (index, query) = self.query;
        check_query(query, &registry).map_err(refused(index, "query"))?;

        let (index, s) = self.dataset;
        let here = refused(index, "dataset");
        let manifest = blobs.read(&s.manifest)?;
        let dataset = check_dataset_statement(s, self.dataset_key, &manifest, &registry, &keys)
            .map_err(&here)?;
        let registration = blobs.read(&s.registration)?;
        // The bundle has registration proofs too, the same bytes where the hospital is honest.
        let mut proven = Proven::default();
        check_registration(s, &registration, &dataset, &registry, &keys, &mut proven)
            .map_err(&here)?;

        let (index, s) = self.answer;
        let bundle = blobs.read(&s.bundle)?;
        let question = &query.query;
        let documents = AnswerDocuments {
            statement: s,
            bundle: &bundle,
            dataset: &dataset,
            registry: &registry,
            question,
        };
        let answer =
            check_answer(documents, &keys, &mut proven).map_err(refused(index, "answer"))?;
        Ok(Report {
            answer,
            question: question.clone(),
            registry,
            log,
            consortium: self.consortium.clone(),
            parameter_set: ParameterSetReport {
                id: *keys.id(),
                shape: keys.shape(),
                insecure: keys.is_insecure(),
            },
            researcher: self.researcher.to_owned(),
            query_index: self.query.0,
            answer_index: index,
            entries: stated.iter().map(ReportedEntry::of).collect(),
            keys: keys_of(stated),
            seen,
        })
    }
}
