use crate::{analysis::AnalysisError, query::QueryError};

/// Why a document was not read, or a query document cannot be asked of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A document's format line is another one.
    #[error(
        "{what}: not of format {expected}; it is another document, or was made by another version of galen"
    )]
    Format {
        /// Which document.
        what: &'static str,
        /// The format that is understood.
        expected: &'static str,
    },
    /// A document is not JSON of its form.
    #[error("{what}: {why}")]
    Json {
        /// Which document.
        what: &'static str,
        /// serde's reason with line and column.
        why: String,
    },
    /// A document is larger than any honest one.
    #[error("{what}: {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Which document.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A document names another registry than the one at hand.
    #[error("{what}: made for another registry (its digest differs from the one given)")]
    Registry {
        /// Which document.
        what: &'static str,
    },
    /// The query's purpose is not in the registry.
    #[error("purpose {purpose} is not in the registry; it lists {}", known.join(", "))]
    Purpose {
        /// The purpose asked for.
        purpose: String,
        /// The registry's purposes.
        known: Vec<String>,
    },
    /// The query cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An analysis that does not fit its query.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}
