//! Committing a table as a new dataset epoch.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use galen_circuits::{
    G1,
    class::Size,
    commitment::{self, Blinding},
    srs::Srs,
};
use galen_params::{ParameterStore, Progress};
use galen_query::registry::Registry;
use galen_verifier::manifest::{Draft, Manifest, ReleaseProfile};
use rayon::prelude::*;

use super::{
    CommittedDataset, LOCK, MANIFEST, REGISTRATION, REGISTRY, SUMS,
    chunk_file::{self, BaseValues},
    files, note,
};
use crate::{
    ProverError,
    execute::register,
    table::{TableChunk, TableReader},
};

/// What to commit, where, and under which names.
pub struct CommitRequest<'a> {
    /// The patient table, `.csv` or `.parquet`. A note on its provenance is read from beside it.
    pub table: &'a Path,
    /// The registry's TOML text, kept beside the manifest as given.
    pub registry_toml: &'a str,
    /// The same, parsed.
    pub registry: &'a Registry,
    /// The hospital's name.
    pub hospital: &'a str,
    /// The dataset's name.
    pub dataset: &'a str,
    /// Epoch, from 1.
    pub epoch: u32,
    /// The release rule.
    pub release: ReleaseProfile,
    /// The hospital's signing key.
    pub key: &'a SigningKey,
    /// The dataset folder to make; it must not exist.
    pub out: &'a Path,
}

/// What was committed.
#[derive(Debug, Clone)]
pub struct CommitReport {
    /// R.
    pub rows: u64,
    /// Chunks.
    pub chunks: usize,
    /// Base columns.
    pub columns: usize,
    /// Columns of the table that the registry does not name; they were not read.
    pub ignored_columns: Vec<String>,
    /// What was not wrong with the table but should be looked at.
    pub warnings: Vec<String>,
    /// Registration proofs.
    pub proofs: usize,
    /// Reading and committing.
    pub commit_time: Duration,
    /// Registration proofs.
    pub registration_time: Duration,
}

/// Reads the table, commits every column chunk by chunk, signs the manifest and proves registration.
/// The folder appears only when all of it is done; what a crashed run left beside it is cleared.
///
/// # Errors
/// A table that the registry refuses (file, line and column), a folder that exists, a full disk.
pub fn commit(
    request: &CommitRequest<'_>,
    params: &ParameterStore,
    progress: &dyn Progress,
) -> Result<(CommittedDataset, CommitReport), ProverError> {
    let out = request.out;
    if out.exists() {
        return Err(ProverError::Exists {
            path: out.to_owned(),
        });
    }
    let partial = prepare_partial(out)?;
    let lock_path = partial.path().join(LOCK);
    let lock = fs::File::create(&lock_path).map_err(ProverError::io(&lock_path))?;
    lock.lock().map_err(ProverError::io(&lock_path))?;
    let note = note::read(request.table)?;
    let started = Instant::now();
    let Committed {
        rows,
        commitments,
        ignored_columns,
        warnings,
    } = commit_chunks(request, params, partial.path(), progress)?;
    // Again: the table may have been built anew while it was read.
    note::check(request.table, note.as_ref())?;
    let manifest = Manifest::sign(
        &Draft {
            hospital: request.hospital,
            dataset: request.dataset,
            epoch: request.epoch,
            registry: request.registry,
            parameter_set: *params.verifying().id(),
            shape: params.shape(),
            rows,
            release: request.release.clone(),
            provenance: note.map(|n| n.provenance),
            commitments: &commitments,
        },
        request.key,
    );
    let json = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
    files::write_public(&partial.path().join(MANIFEST), &json)?;
    files::write_public(
        &partial.path().join(REGISTRY),
        request.registry_toml.as_bytes(),
    )?;
    let commit_time = started.elapsed();
    // Read or made once in a process, and no part of what is measured.
    params.proving_key(Size::Registration)?;
    let started = Instant::now();
    let dataset = CommittedDataset::open(partial.path(), params)?;
    let registration = register(&dataset, params, progress)?;
    let json = serde_json::to_vec(&registration).expect("a registration is plain data");
    files::write_public(&partial.path().join(REGISTRATION), &json)?;
    let registration_time = started.elapsed();
    files::sync_folder(partial.path())?;
    let kept = partial.keep();
    fs::rename(&kept, out).map_err(|e| {
        let _ = fs::remove_dir_all(&kept);
        ProverError::io(out)(e)
    })?;
    let report = CommitReport {
        rows,
        chunks: dataset.dataset().chunks(),
        columns: commitments.len(),
        ignored_columns,
        warnings,
        proofs: registration.proofs.len(),
        commit_time,
        registration_time,
    };
    Ok((
        CommittedDataset {
            folder: out.to_owned(),
            ..dataset
        },
        report,
    ))
}

/// A temporary folder beside `out`; those of crashed runs are removed first.
fn prepare_partial(out: &Path) -> Result<tempfile::TempDir, ProverError> {
    let parent = match out.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    files::create_folder(&parent)?;
    let name = out
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or("dataset");
    let prefix = format!(".{name}.partial-");
    for entry in fs::read_dir(&parent)
        .map_err(ProverError::io(&parent))?
        .flatten()
    {
        let ours = entry.file_name().to_string_lossy().starts_with(&prefix);
        if ours && !is_held(&entry.path()) {
            fs::remove_dir_all(entry.path()).map_err(ProverError::io(&entry.path()))?;
        }
    }
    let partial = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(&parent)
        .map_err(ProverError::io(&parent))?;
    files::create_folder(&partial.path().join(SUMS))?;
    Ok(partial)
}

/// Whether a living process is building that folder.
fn is_held(folder: &Path) -> bool {
    fs::File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

/// What a table became, chunk files aside.
struct Committed {
    rows: u64,
    /// By base column and chunk.
    commitments: Vec<Vec<G1>>,
    ignored_columns: Vec<String>,
    warnings: Vec<String>,
}

fn commit_chunks(
    request: &CommitRequest<'_>,
    params: &ParameterStore,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Committed, ProverError> {
    let mut reader = TableReader::open(request.table, request.registry)?;
    let srs = params.srs()?;
    let (n, capacity) = (srs.rows(), params.shape().capacity() as u64);
    let total = reader.size_hint().unwrap_or(0);
    let mut commitments = vec![Vec::new(); request.registry.base_columns().len()];
    let mut chunk = 0;
    progress.report("committing rows", 0, total);
    while let Some(rows) = reader.next_chunk(n)? {
        if reader.rows_read() > capacity {
            return Err(ProverError::TooManyPatients {
                shape: params.shape(),
            });
        }
        let columns = commit_chunk(&srs, &rows)?;
        chunk_file::write(folder, chunk, n, &columns)?;
        for (all, column) in commitments.iter_mut().zip(&columns) {
            all.push(column.commitment);
        }
        chunk += 1;
        progress.report(
            "committing rows",
            reader.rows_read(),
            total.max(reader.rows_read()),
        );
    }
    Ok(Committed {
        rows: reader.rows_read(),
        commitments,
        ignored_columns: reader.ignored_columns().to_vec(),
        warnings: reader.warnings(),
    })
}

/// Commits every column of a chunk under a blinding factor of its own.
fn commit_chunk(srs: &Srs, rows: &TableChunk) -> Result<Vec<BaseValues>, ProverError> {
    rows.columns()
        .par_iter()
        .map(|values| {
            let numbers: Vec<u32> = values.iter().map(|v| u32::from(*v)).collect();
            let blinding = Blinding::fresh();
            let commitment = commitment::commit_numbers(srs, &numbers, &blinding)?;
            Ok(BaseValues {
                values: values.clone(),
                blinding: blinding.expose(),
                commitment,
            })
        })
        .collect()
}
