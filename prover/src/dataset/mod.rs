//! A committed dataset: one epoch of the hospital's table in a folder of the hospital's own.
//!
//! ```text
//! manifest.json      public: commitments, registry digest, release profile, signature
//! registration.json  public: the proofs that the columns are well-formed
//! registry.toml      public: the registry as given
//! secret/base-00000  values and blinding factors of chunk 0's base columns; never leaves the hospital
//! secret/sums/…      sums by value, a cache; never leaves the hospital
//! lock               held while the folder is made
//! ```
//! A folder appears whole or not at all: it is built beside its place and renamed.

mod base;
mod chunk_file;
mod commit;
mod files;
mod key;
mod note;
mod sums;

use std::{
    fs,
    path::{Path, PathBuf},
};

use galen_params::ParameterStore;
use galen_query::registry::Registry;
use galen_verifier::{
    check_dataset,
    manifest::{Dataset, Manifest},
    registration::{Registered, Registration, verify_registration},
};

pub(crate) use base::BaseColumns;
pub(crate) use chunk_file::BaseChunk;
pub use commit::{CommitReport, CommitRequest, commit};
pub use key::load_or_create_key;
pub(crate) use sums::DatasetSums;

use crate::ProverError;

const MANIFEST: &str = "manifest.json";
const REGISTRATION: &str = "registration.json";
const REGISTRY: &str = "registry.toml";
/// The cache of sums by value.
const SUMS: &str = "secret/sums";
/// Held while a dataset is being made.
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

    /// The registration document, to be published beside the manifest.
    ///
    /// # Errors
    /// A folder without it, or a damaged one.
    pub fn registration(&self) -> Result<Registration, ProverError> {
        read_registration(&self.folder)
    }

    /// The dataset with its registration checked: what answers are verified against.
    ///
    /// # Errors
    /// As [`Self::registration`]; a registration that does not hold for the manifest.
    pub fn registered(&self, params: &ParameterStore) -> Result<Registered, ProverError> {
        let registration = self.registration()?;
        let dataset = self.dataset.clone();
        let keys = params.verifying();
        Ok(verify_registration(
            &registration,
            dataset,
            &self.registry,
            &keys,
        )?)
    }

    pub(crate) fn sums(&self) -> DatasetSums<'_> {
        DatasetSums::new(&self.dataset, self.folder.join(SUMS))
    }

    pub(crate) fn base_columns(&self, wanted: &[usize]) -> Result<BaseColumns, ProverError> {
        BaseColumns::read(self, wanted)
    }

    pub(crate) fn base_chunk(
        &self,
        chunk: usize,
        wanted: &[usize],
    ) -> Result<BaseChunk, ProverError> {
        let columns = self.registry.base_columns().len();
        let rows = self.dataset.rows().chunk();
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

/// Reads the registration of a dataset folder, without checking it.
///
/// # Errors
/// A folder without it, or a document that does not parse.
pub fn read_registration(folder: &Path) -> Result<Registration, ProverError> {
    let refuse = |why: String| ProverError::NotADataset {
        path: folder.to_owned(),
        why: format!("{REGISTRATION}: {why}"),
    };
    let bytes = fs::read(folder.join(REGISTRATION)).map_err(|e| refuse(e.to_string()))?;
    Registration::from_json(&bytes).map_err(|e| refuse(e.to_string()))
}
