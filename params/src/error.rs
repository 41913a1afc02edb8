use std::{io, path::PathBuf};

use galen_circuits::CircuitError;

/// What can go wrong with parameter sets and key files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file's bytes are not those that the index names.
    #[error("{path}: SHA-256 is {got} but the index says {expected}; the file is damaged or was replaced. Delete the folder and run `galen params` again", path = path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// The index's digest, in hex.
        expected: String,
        /// The file's digest, in hex.
        got: String,
    },
    /// The index is not readable.
    #[error("{path}: not a parameter index ({why}). Delete the folder and run `galen params` again", path = path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The verifying part is not well-formed.
    #[error("parameter set: {0}")]
    Verifying(String),
    /// Another shape than expected.
    #[error("the parameter set is of shape {got}, but {expected} is needed")]
    WrongShape {
        /// What was needed.
        expected: String,
        /// What the set is.
        got: String,
    },
    /// No cache folder can be found.
    #[error("no cache folder: set GALEN_CACHE, XDG_CACHE_HOME or HOME, or give --cache")]
    NoCache,
    /// The mathematics refused.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}
