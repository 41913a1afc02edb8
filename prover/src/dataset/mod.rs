//! A committed dataset: one epoch of the hospital's table in a folder of the hospital's own.
//!
//! ```text
//! manifest.json      public: commitments, registry digest, release profile, signature
//! registry.toml      public: the registry as given
//! secret/base-00000  values and blinding factors of chunk 0's base columns; never leaves the hospital
//! lock               held while the folder is made or proven over
//! index/…            proofs of registration and derived columns with their blinding factors
//! ```
//! A folder appears whole or not at all: it is built beside its place and renamed.

mod chunk_file;
mod commit;
mod files;
mod index;
mod key;

use std::{
    fs,
    path::{Path, PathBuf},
};

use galen_params::{ParameterStore, Progress};
use galen_query::registry::Registry;
use galen_verifier::{
    check_dataset,
    manifest::{Dataset, Manifest},
    registration::Registration,
};

pub(crate) use chunk_file::BaseChunk;
pub(crate) use commit::committed_steps;
pub use commit::{CommitReport, CommitRequest, commit};
pub(crate) use index::{Entry, Index};
pub use key::load_or_create_key;

use crate::{ProverError, execute::registration};

const MANIFEST: &str = "manifest.json";
const REGISTRY: &str = "registry.toml";
/// Held while a dataset is being made or proven over.
const LOCK: &str = "lock";

/// An opened dataset folder.
#[derive(Debug)]
pub struct CommittedDataset {
    folder: PathBuf,
    registry: Registry,
    dataset: Dataset,
}

impl CommittedDataset {
    /// Opens a folder that [`commit`] made and checks it against the parameter set.
    ///
    /// # Errors
    /// A folder that is no dataset, a damaged manifest, or another parameter set.
    pub fn open(folder: &Path, params: &ParameterStore) -> Result<Self, ProverError> {
        let (manifest, registry) = read_public(folder)?;
        let dataset = check_dataset(&manifest, &registry, &params.verifying())?;
        Ok(Self {
            folder: folder.to_owned(),
            registry,
            dataset,
        })
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The checked manifest.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The registration document, to be published beside the manifest: the proofs made when the dataset was
    /// committed, from the index. One that is missing there is made anew.
    ///
    /// # Errors
    /// Another parameter set than the dataset's, a damaged store, a full disk.
    pub fn registration(
        &self,
        params: &ParameterStore,
        progress: &dyn Progress,
    ) -> Result<Registration, ProverError> {
        registration(self, params, progress)
    }

    /// Holds the folder for one proving process at a time; released when dropped.
    pub(crate) fn lock(&self) -> Result<fs::File, ProverError> {
        let path = self.folder.join(LOCK);
        let file = fs::File::create(&path).map_err(ProverError::io(&path))?;
        file.lock().map_err(ProverError::io(&path))?;
        Ok(file)
    }

    pub(crate) fn index(&self) -> Index {
        Index::new(&self.folder, &self.dataset.ctx())
    }

    pub(crate) fn base_chunk(
        &self,
        chunk: usize,
        wanted: &[usize],
    ) -> Result<BaseChunk, ProverError> {
        let columns = self.registry.base_columns().len();
        let rows = self.dataset.shape.rows();
        let stored = BaseChunk::read(&self.folder, chunk, columns, rows, wanted)?;
        // A whole file in another one's place: what was derived from it would verify nowhere.
        let fits = stored.rows == self.dataset.rows_in_chunk(chunk)
            && wanted
                .iter()
                .all(|i| stored.values(*i).commitment == self.dataset.commitments[*i][chunk]);
        if fits {
            Ok(stored)
        } else {
            Err(chunk_file::damaged(&self.folder, chunk))
        }
    }
}

/// Reads the public documents of a dataset folder, without checking the manifest.
///
/// # Errors
/// A folder without them, or documents that do not parse.
pub fn read_public(folder: &Path) -> Result<(Manifest, Registry), ProverError> {
    let refuse = |why: String| ProverError::NotADataset {
        path: folder.to_owned(),
        why,
    };
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).map_err(|e| refuse(format!("{name}: {e}")))
    };
    let registry =
        Registry::from_toml(&read(REGISTRY)?).map_err(|e| refuse(format!("{REGISTRY}: {e}")))?;
    let manifest = Manifest::from_json(read(MANIFEST)?.as_bytes())
        .map_err(|e| refuse(format!("{MANIFEST}: {e}")))?;
    Ok((manifest, registry))
}
