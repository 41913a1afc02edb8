use galen_query::ReadError;

use crate::{LedgerError, RuleError, documents::DocumentError};

/// Why evidence was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The file is too large, of another format, or not JSON of its form.
    #[error(transparent)]
    File(#[from] ReadError),
    /// The log's key in the file is none.
    #[error("the log's key: {0}")]
    LogKey(LedgerError),
    /// The file is about another log than the reader trusts.
    #[error("the evidence is of the log {got}, but the log to be trusted is {expected}")]
    AnotherLog {
        /// The key that the reader trusts.
        expected: String,
        /// The file's.
        got: String,
    },
    /// The checkpoint is not signed by the log, or malformed.
    #[error(transparent)]
    Checkpoint(LedgerError),
    /// Entries that are not in ascending order, or one twice.
    #[error("entry {index} stands after entry {before}: indices ascend, each once")]
    Order {
        /// Its index.
        index: u64,
        /// The one before it.
        before: u64,
    },
    /// An entry whose inclusion proof does not lead to the checkpoint's root.
    #[error("entry {index} is not in the log at this index: {source}")]
    Inclusion {
        /// Its index.
        index: u64,
        /// Why.
        source: LedgerError,
    },
    /// An envelope or statement that is malformed, or a signature that does not verify.
    #[error("entry {index}: {source}")]
    Entry {
        /// Its index.
        index: u64,
        /// Why.
        source: LedgerError,
    },
    /// A first consortium that is not the first entry.
    #[error("entry {index}: version 1 of the consortium begins a ledger, so it is entry 0")]
    Beginning {
        /// Its index.
        index: u64,
    },
    /// Another number of answers than one.
    #[error("{got} answers, but evidence is of one")]
    Answers {
        /// How many.
        got: usize,
    },
    /// An entry that another one rests on is not there.
    #[error("entry {by} rests on the {kind} {digest}, which is not in the evidence")]
    Missing {
        /// The entry that rests on it.
        by: u64,
        /// The missing entry's kind.
        kind: &'static str,
        /// What it is known by.
        digest: String,
    },
    /// An entry that could not stand after those before it.
    #[error("entry {index}, {kind}: {source}")]
    Rule {
        /// Its index.
        index: u64,
        /// Its kind.
        kind: &'static str,
        /// The rule that it breaks.
        source: RuleError,
    },
    /// An entry that the answer does not rest on.
    #[error("entry {index}, {kind}: the answer does not rest on it")]
    NoPart {
        /// Its index.
        index: u64,
        /// Its kind.
        kind: &'static str,
    },
    /// A file that an entry names is not there.
    #[error("the {what} of entry {index} is missing, SHA-256 {sha256}")]
    BlobMissing {
        /// The entry.
        index: u64,
        /// What the file is.
        what: &'static str,
        /// Its digest, hex.
        sha256: String,
    },
    /// A file that no entry names.
    #[error("no entry names the file with SHA-256 {sha256:?}")]
    BlobExtra {
        /// Its digest as it stands there.
        sha256: String,
    },
    /// A file twice.
    #[error("the file with SHA-256 {sha256} is there twice")]
    BlobTwice {
        /// Its digest as it stands there.
        sha256: String,
    },
    /// A file that is not base64url.
    #[error("the file with SHA-256 {sha256} is not canonical base64url")]
    BlobEncoding {
        /// Its digest as it stands there.
        sha256: String,
    },
    /// An entry and a file that it names do not say the same, or the file does not hold.
    #[error("entry {index}, {kind}: {source}")]
    Document {
        /// The entry.
        index: u64,
        /// Its kind.
        kind: &'static str,
        /// Why.
        source: Box<DocumentError>,
    },
}
