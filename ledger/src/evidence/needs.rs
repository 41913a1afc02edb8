//! What an entry rests on: which others must be there for it to stand.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    LedgerError,
    entry::Envelope,
    statement::{Blob, Statement},
};

/// An entry that another one rests on, named as in the catalogue
/// ([`Row`](crate::facts::Row)): no two entries of a ledger have the same kind and digest of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// `member`, `registry`, `parameter-set`, `dataset` or `query`.
    pub kind: &'static str,
    /// What it is known by, hex: a key's id, a registry's digest, a parameter set's id, a manifest's digest, a
    /// query's digest.
    pub digest: String,
}

/// The entries that this one rests on directly, all of them before it in the log. What stewards sign rests on
/// the consortium's entries, of which evidence has all before the answer.
///
/// # Errors
/// As [`Statement::read`].
pub fn needs(envelope: &Envelope) -> Result<Vec<Need>, LedgerError> {
    let need = |kind, digest: &str| Need {
        kind,
        digest: digest.to_owned(),
    };
    let named = match Statement::read(envelope)? {
        Statement::Dataset(s) => vec![
            need("registry", &s.registry),
            need("parameter-set", &s.parameter_set),
        ],
        Statement::Query(s) => vec![need("registry", &s.query.registry_digest)],
        Statement::Announcement(_) => Vec::new(),
        Statement::Disclosure(s) => vec![need("query", &s.query)],
        Statement::Answer(s) => vec![need("query", &s.query), need("dataset", &s.manifest)],
        Statement::Refusal(s) => vec![need("query", &s.query), need("dataset", &s.manifest)],
        Statement::Consortium(_)
        | Statement::Member(_)
        | Statement::Revocation(_)
        | Statement::Registry(_)
        | Statement::ParameterSet(_) => return Ok(Vec::new()),
    };
    let signers = envelope.signers().map(|id| need("member", id));
    Ok(signers.chain(named).collect())
}

/// Finds the entries and files of an answer's evidence, one after the other. The caller looks each of
/// [`wanted`](Self::wanted) up, in a ledger's catalogue or a mirror, and gives it to [`add`](Self::add) until
/// nothing is wanted; before or after that it adds every consortium entry before the answer.
///
/// Nothing is verified: that is [`Evidence::verify`](super::Evidence::verify).
#[derive(Debug, Clone, Default)]
pub struct Gathering {
    entries: BTreeMap<u64, Vec<u8>>,
    asked: BTreeSet<Need>,
    wanted: Vec<Need>,
    blobs: Vec<(&'static str, Blob)>,
}

impl Gathering {
    /// Begins with the answer's entry.
    ///
    /// # Errors
    /// As [`needs`].
    pub fn new(index: u64, answer: &Envelope) -> Result<Self, LedgerError> {
        let mut gathering = Self::default();
        gathering.add(index, answer)?;
        Ok(gathering)
    }

    /// An entry to look up next, and to [`add`](Self::add); each is wanted once.
    pub fn wanted(&mut self) -> Option<Need> {
        self.wanted.pop()
    }

    /// Takes an entry in, with what it rests on. The same one again changes nothing.
    ///
    /// # Errors
    /// As [`needs`].
    pub fn add(&mut self, index: u64, envelope: &Envelope) -> Result<(), LedgerError> {
        let needs = needs(envelope)?;
        let statement = Statement::read(envelope)?;
        let bytes = envelope.bytes().to_vec();
        if self.entries.insert(index, bytes).is_some() {
            return Ok(());
        }
        for need in needs {
            if self.asked.insert(need.clone()) {
                self.wanted.push(need);
            }
        }
        let blobs = statement.blobs().into_iter();
        self.blobs.extend(blobs.map(|(what, b)| (what, b.clone())));
        Ok(())
    }

    /// The envelopes found so far, by index.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<u64, Vec<u8>> {
        &self.entries
    }

    /// The files that they name, with what each is.
    #[must_use]
    pub fn blobs(&self) -> &[(&'static str, Blob)] {
        &self.blobs
    }
}
