use galen_verifier::answer::PoolError;

use crate::{evidence::EvidenceError, tiles::Span};

/// Why verified evidence is not added up. Sites are told by their place, from 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PooledError {
    /// Evidence of different logs.
    #[error("they are of two logs, {first} and {other}, whose orders cannot be compared")]
    AnotherLog {
        /// Which two.
        sites: (usize, usize),
        /// The first one's key.
        first: String,
        /// The other's.
        other: String,
    },
    /// The log has shown different trees to those who gathered the evidence.
    #[error(
        "THE LOG {log} SHOWS TWO LEDGERS: {}. Its key has signed both: keep the files, they prove it",
        place(*span)
    )]
    Forked {
        /// Which two.
        sites: (usize, usize),
        /// The log's key, with its name.
        log: String,
        /// Entries that are others in one tree than in the other.
        span: Span,
    },
    /// A consortium before an answer that is not in its file, though evidence holds all of them. The file's fault, and
    /// perhaps on purpose.
    #[error(
        "the evidence of answer {answer} leaves out the consortium of entry {index}: gather it anew"
    )]
    LeftOut {
        /// The one that shows it, and the one that leaves it out.
        sites: (usize, usize),
        /// The answer's entry.
        answer: u64,
        /// The consortium's.
        index: u64,
    },
    /// Each file stands by the rules, but not with the others' entries beside its own: the log's keeper took in what
    /// its rules forbid.
    #[error(
        "THE LOG {log} BREAKS ITS OWN RULES: {source}. Its keeper took in what they forbid: keep the files, they prove it"
    )]
    Rules {
        /// The log's key, with its name.
        log: String,
        /// The entry, and the rule that it breaks beside the others.
        source: Box<EvidenceError>,
    },
    /// The answers do not add up.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

fn place((start, end): Span) -> String {
    match end.saturating_sub(1) {
        last if last == start => format!("there are two entries {start}"),
        last => format!("somewhere in entries {start} to {last} they differ"),
    }
}

impl PooledError {
    /// The two sites that do not go together, where it is two.
    #[must_use]
    pub fn sites(&self) -> Option<(usize, usize)> {
        match self {
            Self::AnotherLog { sites, .. }
            | Self::Forked { sites, .. }
            | Self::LeftOut { sites, .. }
            | Self::Pool(
                PoolError::AnotherQuery { sites } | PoolError::SameDataset { sites, .. },
            ) => Some(*sites),
            Self::Rules { .. } | Self::Pool(_) => None,
        }
    }
}
