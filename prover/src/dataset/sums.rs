//! The store of sums by value: what makes a query's commitments cheap, computed once for a dataset.
//!
//! `secret/sums/<digest of key, number of its values and commitments>-<chunk>`: SHA-256 of the rest, then the sums. They fix the columns
//! that they were made of, without any blinder, and never leave the hospital. The store is a cache: what is missing
//! or damaged is made anew. Nothing in it is trusted: every finished proof is verified before it is handed out.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use galen_circuits::{
    CircuitError,
    commitment::SumsByValue,
    encoding,
    equation::{Column, Linear},
    prove::SumsStore,
};
use galen_query::text::hex;
use galen_verifier::manifest::Dataset;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::files::write_atomic;

/// More sums than this are not kept: they would fill the disk and spare little.
const MOST: usize = 1 << 14;

/// The sums of one dataset, on disk and in memory.
pub(crate) struct DatasetSums<'a> {
    dataset: &'a Dataset,
    folder: PathBuf,
    known: Mutex<HashMap<(String, usize), Arc<SumsByValue>>>,
}

impl<'a> DatasetSums<'a> {
    pub(super) fn new(dataset: &'a Dataset, folder: PathBuf) -> Self {
        Self {
            dataset,
            folder,
            known: Mutex::default(),
        }
    }

    /// Names a key over base columns by the columns' commitments in a chunk, and by the number of its values.
    fn name(&self, key: &Linear, values: usize, chunk: usize) -> Option<String> {
        let mut hash = Sha256::new();
        hash.update(b"galen/v2/sums");
        hash.update(u64::try_from(values).ok()?.to_le_bytes());
        for (column, coefficient) in key.terms() {
            let Column::Base(index) = column else {
                return None;
            };
            hash.update(coefficient.to_le_bytes());
            let commitment = self.dataset.commitments.get(index)?.get(chunk)?;
            hash.update(encoding::g1_bytes(commitment));
        }
        Some(hex(&hash.finalize()[..16]))
    }

    fn read(&self, path: &PathBuf) -> Option<SumsByValue> {
        let mut bytes = fs::read(path).ok()?;
        let sums = bytes
            .split_at_checked(32)
            .filter(|(digest, body)| Sha256::digest(body)[..] == **digest)
            .and_then(|(_, body)| SumsByValue::read_trusted(body).ok());
        bytes.zeroize();
        sums
    }

    /// A full disk is no reason to fail: the sums are in memory.
    fn keep(&self, path: &std::path::Path, sums: &SumsByValue) {
        let mut body = sums.to_bytes();
        let mut out = Sha256::digest(&body).to_vec();
        out.extend_from_slice(&body);
        let _ = write_atomic(path, &out);
        body.zeroize();
        out.zeroize();
    }
}

impl SumsStore for DatasetSums<'_> {
    fn sums(
        &self,
        key: &Linear,
        values: usize,
        chunk: usize,
        make: &dyn Fn() -> Result<SumsByValue, CircuitError>,
    ) -> Result<Arc<SumsByValue>, CircuitError> {
        let Some(name) = self.name(key, values, chunk) else {
            return make().map(Arc::new);
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (name, chunk);
        if let Some(sums) = known().get(&place) {
            return Ok(Arc::clone(sums));
        }
        let path = self.folder.join(format!("{}-{chunk:05}", place.0));
        let sums = match self.read(&path).filter(|sums| sums.len() == values) {
            Some(sums) => Arc::new(sums),
            None => {
                let sums = Arc::new(make()?);
                if sums.len() <= MOST {
                    self.keep(&path, &sums);
                }
                sums
            }
        };
        known().insert(place, Arc::clone(&sums));
        Ok(sums)
    }
}
