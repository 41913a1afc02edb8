//! Why a concept set is refused.

use std::path::PathBuf;

use thiserror::Error;

use super::MAX_BYTES;

/// Why a file gives no concept set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConceptSetError {
    /// The file is larger than [`MAX_BYTES`].
    #[error(
        "{}: {bytes} bytes, and a concept set has at most {MAX_BYTES}: is it the right file?",
        file.display()
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: usize,
    },
    /// The file is in none of the forms that are read, or not all of it is understood.
    #[error("{}: {message}", file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// Where, what is wrong, and what to write instead.
        message: String,
    },
    /// All items are understood, and together they are no set of codes.
    #[error("{}: {message}", file.display())]
    Meaning {
        /// The file.
        file: PathBuf,
        /// Which items, what is wrong with them, and what to do.
        message: String,
    },
}
