//! What the checks find in a file of evidence, from one check to the next.

use std::collections::BTreeMap;

use crate::{
    entry::Envelope,
    facts::Row,
    statement::Statement,
    tiles::{Hash, Span},
};

/// An entry that was read but not yet checked against the others.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) index: u64,
    pub(super) envelope: Envelope,
    pub(super) statement: Statement,
}

impl Read {
    pub(super) fn is_consortium(&self) -> bool {
        matches!(self.statement, Statement::Consortium(_))
    }
}

/// What a file shows of its log: the entries, and nodes of the tree.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) entries: Vec<Read>,
    pub(super) nodes: BTreeMap<Span, Hash>,
}

/// An entry that stands by the ledger's rules.
pub(super) struct Stated {
    pub(super) index: u64,
    pub(super) statement: Statement,
    pub(super) row: Row,
    pub(super) signers: Vec<String>,
    /// The public key, hex, of the member who signed alone.
    pub(super) signer_key: Option<String>,
}
