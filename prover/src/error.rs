use std::{io, path::PathBuf};

use galen_circuits::CircuitError;
use galen_params::{ParamsError, Shape};
use galen_query::ReadError;
use galen_verifier::VerifyError;

use crate::table::TableError;

/// What can go wrong on the hospital's side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProverError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The dataset's folder exists already.
    #[error("{path} exists; a dataset is never overwritten. Choose another folder; the next epoch gets a folder of its own, with --epoch", path = path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// More patients than the shape holds.
    #[error("the table has more than {capacity} patients, which is what shape {shape} holds; choose a larger one with --shape", capacity = shape.capacity())]
    TooManyPatients {
        /// The shape.
        shape: Shape,
    },
    /// A folder that is no dataset, or only part of one.
    #[error("{path} is not a committed dataset: {why}. Run `galen commit` into a new folder", path = path.display())]
    NotADataset {
        /// The folder.
        path: PathBuf,
        /// What is missing or wrong.
        why: String,
    },
    /// A file of the hospital's store is damaged.
    #[error("{path}: {why}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The note on a table's provenance is not one, or not on this table.
    #[error("{path}: {why}; build the table again, or remove this file and have no provenance on record", path = path.display())]
    Provenance {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A signing key file is not one.
    #[error("{path}: not a hospital key (64 hex digits on one line); give another --key, or a path that does not exist yet to make a new one", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The table is not what the registry asks for.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The mathematics refused.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Parameters are missing or damaged.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The query cannot be asked of the dataset's registry.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The manifest or finished bundle was refused.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl ProverError {
    /// Attaches a path to an I/O error.
    pub(crate) fn io(path: &std::path::Path) -> impl Fn(io::Error) -> ProverError + '_ {
        move |source| ProverError::Io {
            path: path.to_owned(),
            source,
        }
    }
}
