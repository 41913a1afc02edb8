//! The entries replayed: whether each may stand where it does, and what follows from them.

use std::collections::BTreeSet;

use galen_ledger::{
    LedgerError, Proposal, RuleError,
    entry::Envelope,
    facts::{Facts, Proposed},
    statement::Statement,
};
use galen_query::text::from_hex;

use super::Finding;
use crate::ledger::{
    LedgerStoreError,
    objects::Objects,
    store::{Line, Store, select},
};

/// Facts compared at once.
const PAGE: u64 = 1_000;

/// How an envelope is read, knowing what the entries before it have said.
pub type Reader = fn(Envelope, &Facts) -> Result<Box<dyn Proposed>, LedgerError>;

/// Reads the statements of Galen's ledger, and checks their signatures.
///
/// # Errors
/// As [`Proposal::read`].
pub fn read_proposal(envelope: Envelope, facts: &Facts) -> Result<Box<dyn Proposed>, LedgerError> {
    Ok(Box::new(Proposal::read(envelope, facts)?))
}

/// What the entries so far have said.
pub(super) struct Replay {
    read: Reader,
    facts: Facts,
    /// Files that have been looked at.
    blobs: BTreeSet<(String, u64)>,
}

impl Replay {
    pub(super) fn new(read: Reader) -> Self {
        Self {
            read,
            facts: Facts::new(),
            blobs: BTreeSet::new(),
        }
    }

    /// The line of the catalogue that an entry makes.
    pub(super) fn entry(&mut self, index: u64, envelope: Envelope) -> Result<Line, RuleError> {
        let proposed = (self.read)(envelope, &self.facts)?;
        let effects = proposed.apply(&select(&self.facts, &proposed.reads()))?;
        Ok(Line::new(index, effects.set(&mut self.facts, index)))
    }

    /// Looks for the files that an entry names, each once.
    pub(super) async fn files(
        &mut self,
        index: u64,
        statement: &Statement,
        objects: &Objects,
        findings: &mut Vec<Finding>,
    ) -> Result<(), LedgerStoreError> {
        for (_, blob) in statement.blobs() {
            let Some(sha256) = from_hex(&blob.sha256) else {
                continue;
            };
            if !self.blobs.insert((blob.sha256.clone(), blob.bytes)) {
                continue;
            }
            let good = match objects.blob(&sha256).await {
                Ok(found) => found.is_some_and(|b| b.len() as u64 == blob.bytes),
                Err(LedgerStoreError::Ledger(_)) => false,
                Err(e) => return Err(e),
            };
            if !good {
                let sha256 = blob.sha256.clone();
                findings.push(Finding::Blob { index, sha256 });
            }
        }
        Ok(())
    }

    /// Compares the facts with the database's. Those that an entry from `size` on has set are newer than this
    /// audit, and passed over; one that no entry can have set is not.
    pub(super) async fn compare_facts(
        mut self,
        store: &Store,
        size: u64,
        findings: &mut Vec<Finding>,
    ) -> Result<(), LedgerStoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = store.facts_after(after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (name, fact) in page {
                let ours = self.facts.remove(&name);
                let newer = fact.index >= size && fact.index < store.size().await?;
                if !newer && ours.as_ref() != Some(&fact) {
                    findings.push(Finding::Fact(name));
                }
            }
        }
        findings.extend(self.facts.into_keys().map(Finding::Fact));
        Ok(())
    }
}
