//! What verified evidence shows, for people, and what it does not.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use galen_params::Shape;
use galen_query::{question::Question, registry::Registry, text::hex};
use galen_verifier::answer::Answer;
use serde::Serialize;

use super::seen::{Seen, Stated};
use crate::{
    rules::id_of,
    statement::{Consortium, Statement},
    tiles::Hash,
};

/// The log that the evidence is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// Its public key, `<origin>+<id>+<key>`.
    pub key: String,
    /// Its name.
    pub origin: String,
    /// Whether the key was compared with one that the reader trusts. If not, anyone could have made the log.
    pub compared: bool,
    /// Entries in the tree of the checkpoint.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
}

impl LogReport {
    /// The root as a checkpoint's third line has it, so that the two can be compared: base64 with padding.
    #[must_use]
    pub fn root_text(&self) -> String {
        BASE64_STANDARD.encode(self.root)
    }
}

/// The parameter set of the proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSetReport {
    /// Its id.
    pub id: [u8; 32],
    /// Its shape.
    pub shape: Shape,
    /// Whether one party made it, for development, and could forge any answer.
    pub insecure: bool,
}

/// An entry that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedEntry {
    /// Its index in the log.
    pub index: u64,
    /// `consortium`, `member`, `registry`, `parameter-set`, `dataset`, `query` or `answer`.
    pub kind: &'static str,
    /// What it is known by: see [`Row`](crate::facts::Row).
    pub digest: String,
    /// Who signed it or who it is about.
    pub member: Option<String>,
    /// Ids of the keys that signed it.
    pub signers: Vec<String>,
}

impl ReportedEntry {
    pub(super) fn of(stated: &Stated) -> Self {
        Self {
            index: stated.index,
            kind: stated.row.kind,
            digest: stated.row.digest.clone(),
            member: stated.row.member.clone(),
            signers: stated.signers.clone(),
        }
    }
}

/// A key that signed something that the answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReportedKey {
    /// The member's name, or that of the consortium whose steward it is.
    pub whose: String,
    /// `steward`, `hospital` or `researcher`.
    pub role: &'static str,
    /// The public key, hex.
    pub key: String,
    /// Its id.
    pub id: String,
}

impl ReportedKey {
    /// The keys that a statement makes known, if they are among the signers.
    pub(super) fn of(statement: &Statement, signers: &BTreeSet<&str>) -> Vec<Self> {
        let (whose, role, keys) = match statement {
            Statement::Consortium(s) => (s.name.as_str(), "steward", s.stewards.as_slice()),
            Statement::Member(s) => (s.name.as_str(), s.role.name(), std::slice::from_ref(&s.key)),
            _ => return Vec::new(),
        };
        let reported = keys.iter().map(|key| Self {
            whose: whose.to_owned(),
            role,
            key: key.clone(),
            id: id_of(key),
        });
        reported.filter(|k| signers.contains(&*k.id)).collect()
    }
}

/// What verified evidence shows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The answer.
    pub answer: Answer,
    /// The query, as the researcher registered it.
    pub question: Question,
    /// The study's registry.
    pub registry: Registry,
    /// The log.
    pub log: LogReport,
    /// The stewards at the time of the answer, as far as the evidence's entries tell.
    pub consortium: Consortium,
    /// The parameter set.
    pub parameter_set: ParameterSetReport,
    /// The name of the researcher who registered the query.
    pub researcher: String,
    /// The query's index in the log.
    pub query_index: u64,
    /// The answer's index in the log, larger than the query's.
    pub answer_index: u64,
    /// Every entry that the answer rests on, itself included, by index.
    pub entries: Vec<ReportedEntry>,
    /// The keys that signed these entries, as the log makes them known.
    pub keys: Vec<ReportedKey>,
    /// What other evidence of the same log is held against.
    pub(super) seen: Seen,
}

impl Report {
    /// What was checked, a sentence each.
    #[must_use]
    pub fn checked(&self) -> Vec<String> {
        let s = &self.answer.source;
        vec![
            format!(
                "The log {} signed a checkpoint of {} entries, and each of the {} entries that the answer, entry {}, rests on stands in it at its index.",
                self.log.origin,
                self.log.size,
                self.entries.len(),
                self.answer_index
            ),
            "Each entry is signed by the stewards, or by a member whom they admitted before, and stands by the ledger's rules after those before it.".into(),
            format!(
                "{} registered the query as entry {}, before {} answered it as entry {}.",
                self.researcher, self.query_index, s.hospital, self.answer_index
            ),
            "Registry, parameter set, manifest, registration and bundle are the files that the entries name, and say what the entries say.".into(),
            format!(
                "The proofs hold: every column that {} committed is well-formed, and each cell is its query's value over the committed rows, shown or hidden as the dataset's release rule says ({}).",
                s.hospital, s.profile.in_words()
            ),
        ]
    }

    /// What was not checked, or cannot be from one file, a sentence each.
    #[must_use]
    pub fn unchecked(&self) -> Vec<String> {
        let mut all = Vec::new();
        if !self.log.compared {
            all.push(format!(
                "Whether this is the right log: its key came with the evidence and was compared with nothing. Anyone can make a log; compare the key {}.",
                self.log.key
            ));
        }
        if self.parameter_set.insecure {
            all.push(
                "Anything against the maker of the parameter set: it is a development set, and who made it could forge any answer.".into(),
            );
        }
        all.extend([
            "Whether everyone sees this log: no cosignature of the checkpoint was checked, and a log could show another tree to others.".into(),
            "Entries that are not in the evidence: whether a key that signed was revoked, the stewards were replaced, a later epoch of the dataset was registered, or the same query was answered before. Who keeps or mirrors the whole log checks that.".into(),
            "When anything happened: the log keeps an order, not times.".into(),
            "Who the stewards and members are: their names are what the consortium calls them; compare the keys.".into(),
            "Whether the committed table is true and complete, its rows distinct people, and its consent bits what patients said.".into(),
        ]);
        all
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "answer": self.answer.to_json(),
            "question": self.question,
            "log": {
                "origin": self.log.origin,
                "key": self.log.key,
                "key_compared": self.log.compared,
                "size": self.log.size,
                "root": self.log.root_text(),
            },
            "consortium": self.consortium,
            "parameter_set": {
                "id": hex(&self.parameter_set.id),
                "shape": self.parameter_set.shape.name(),
                "insecure": self.parameter_set.insecure,
            },
            "researcher": self.researcher,
            "query_index": self.query_index,
            "answer_index": self.answer_index,
            "entries": self.entries,
            "keys": self.keys,
            "checked": self.checked(),
            "unchecked": self.unchecked(),
        })
    }
}
