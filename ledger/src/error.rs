/// Why an entry, a statement, a proof or a file of the ledger was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// An envelope that is malformed, or not signed by known keys.
    #[error("the entry is refused: {why}")]
    Entry {
        /// What is wrong with it.
        why: String,
    },
    /// A signature by a key that does not count here.
    #[error("the entry is refused: the key {key:?} is not known")]
    UnknownKey {
        /// Its id.
        key: String,
    },
    /// A signature that does not hold over the statement.
    #[error("the entry is refused: the signature by {key:?} is invalid")]
    Signature {
        /// The id of the key.
        key: String,
    },
    /// An entry that no bundle can hold.
    #[error("the entry is of {bytes} bytes; at most 65,535 are allowed")]
    EntryTooLarge {
        /// Its length, bytes.
        bytes: usize,
    },
    /// What is stored contradicts itself.
    #[error("the ledger is damaged: {why}")]
    Damaged {
        /// The contradiction.
        why: String,
    },
    /// A checkpoint that does not parse, or is not signed by the log's key.
    #[error("the checkpoint is refused: {why}")]
    Checkpoint {
        /// What is wrong with it.
        why: String,
    },
    /// A proof that does not verify, or tiles that do not hash to the root.
    #[error("the proof is refused: {why}")]
    Proof {
        /// What is wrong with it.
        why: String,
    },
    /// A size or index outside the tree or beyond [`MAX_SIZE`](super::tiles::MAX_SIZE).
    #[error("{what}: out of range")]
    Range {
        /// The size or index in question.
        what: String,
    },
}

impl LedgerError {
    /// What is stored contradicts itself.
    #[must_use]
    pub fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged { why: why.into() }
    }

    /// A size or index out of range.
    #[must_use]
    pub fn range(what: impl Into<String>) -> Self {
        Self::Range { what: what.into() }
    }
}
