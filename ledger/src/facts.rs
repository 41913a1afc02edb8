//! What a ledger knows at one moment: a small map from names to values that its entries set one after the
//! other. It is a function of the entries alone, so whoever has them can rebuild it.
//!
//! The store under the ledger keeps the map and knows nothing of its meaning: under its lock it reads the
//! facts that an entry asks for, lets the entry say whether it may stand and what it changes, and writes
//! that. So two submissions that exclude each other, on two replicas, can never both get an index.

use std::collections::BTreeMap;

use crate::{RuleError, entry::Entry};

/// What is known under a name, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The entry that said so.
    pub index: u64,
    /// What it said, a short JSON text.
    pub value: String,
}

/// Facts by name.
pub type Facts = BTreeMap<String, Fact>;

/// What an entry changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// The facts that it sets: names and values.
    pub writes: Vec<(String, String)>,
    /// Its line in the catalogue.
    pub row: Row,
}

impl Effects {
    /// Sets its facts, for the entry at `index`; its line in the catalogue.
    pub fn set(self, facts: &mut Facts, index: u64) -> Row {
        let facts_of = |(name, value)| (name, Fact { index, value });
        facts.extend(self.writes.into_iter().map(facts_of));
        self.row
    }
}

/// An entry's line in the catalogue: what lists are filtered by. Digests are hex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// `query`, `answer`, …
    pub kind: &'static str,
    /// What the entry is known by: a query's digest, a manifest's, a bundle's SHA-256, a key's id, ….
    pub digest: String,
    /// The member's name: who signed it, or who it is about.
    pub member: Option<String>,
    /// Digest of the registry that it is about.
    pub registry: Option<String>,
    /// Digest of the manifest that it is about.
    pub dataset: Option<String>,
    /// Digest of the query that it is about.
    pub query: Option<String>,
}

/// An entry that knows what it depends on.
pub trait Proposed: Send + Sync {
    /// The entry.
    fn entry(&self) -> &Entry;

    /// The names of the facts that [`apply`](Self::apply) looks at.
    fn reads(&self) -> Vec<String>;

    /// Whether it may stand where exactly these facts hold, and what it changes. A function of its arguments
    /// alone.
    ///
    /// # Errors
    /// The rule that it breaks.
    fn apply(&self, facts: &Facts) -> Result<Effects, RuleError>;
}
