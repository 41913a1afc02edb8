//! The hospital's ETL: one SQL query over source files (CSV, Parquet, NDJSON such as
//! FHIR Bulk Data) into one Parquet table of one row per patient, checked and written
//! whole or not at all.
//!
//! A [`Mapping`] names the sources and holds the query; [`build`] runs it and gives a
//! [`Report`]; [`check`] only plans it. Nothing they return or log holds a patient's
//! value: counts, names and types only.

mod columns;
mod concepts;
mod database;
mod dates;
mod engine_error;
mod error;
mod exact;
mod init;
mod mapping;
mod plan;
mod progress;
mod provenance;
mod quality;
mod report;
mod run;
mod source;
mod tally;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

pub use concepts::{ConceptSetError, ConceptSetReport, ConceptSets, concept_sets};
pub use database::Snapshot;
pub use error::TablesError;
pub use init::{From as StartFrom, Place as OmopPlace, Start, init, shipped_registries};
pub use mapping::{
    ColumnType, Count, DatabaseSource, Expect, Format, Mapping, Otherwise, Quote, Said, Source,
    View,
};
pub use progress::{Progress, Watch};
pub use quality::{Action, ColumnFindings, Counted, Histogram, Kind, Problem, Quality};
pub use report::{ColumnReport, Plan, ProblemReport, Report};
pub use source::{SourceColumns, SourceFile};

/// How a build may run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Memory the query may use before it spills to disk, in MiB.
    pub memory_mib: usize,
    /// Ends the build from another thread.
    pub stop: Stop,
    /// The folder for the report that shows values and stays in the hospital; it needs a mapping that names its registry.
    pub report: Option<PathBuf>,
    /// Is told how far the build is.
    pub watch: Watch,
}

impl Default for Options {
    /// 4 GiB, a stop nobody else holds, and nobody who watches.
    fn default() -> Self {
        Self {
            memory_mib: 4096,
            stop: Stop::default(),
            report: None,
            watch: Watch::default(),
        }
    }
}

/// Ends a build from another thread, such as a signal's: it then cleans up and fails
/// with [`TablesError::Stopped`].
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Ends the build that holds this, or the next one to.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// Builds the patient table of the mapping file `mapping` into `out`, reading its
/// sources under `source_dir`, or beside the mapping. Blocks; runs its own runtime,
/// so it may not be called from within one.
///
/// `out` is replaced only by a complete table.
///
/// # Errors
/// [`TablesError`]; `out` is then as it was.
pub fn build(mapping: &Path, source_dir: Option<&Path>, out: &Path) -> Result<Report, TablesError> {
    build_with(mapping, source_dir, out, &Options::default())
}

/// [`build`] with [`Options`].
///
/// # Errors
/// As [`build`].
pub fn build_with(
    mapping: &Path,
    source_dir: Option<&Path>,
    out: &Path,
    options: &Options,
) -> Result<Report, TablesError> {
    until_stopped(options, run::build(mapping, source_dir, out, options))
}

/// Reads the mapping and its sources' columns and plans the SQL, without running it.
///
/// # Errors
/// [`TablesError`], as [`build`] would fail before its first row.
pub fn check(mapping: &Path, source_dir: Option<&Path>) -> Result<Plan, TablesError> {
    check_with(mapping, source_dir, &Options::default())
}

/// [`check`] with [`Options`]: with a report, the SQL is run, and all is found that [`build`] would find; no table is
/// written.
///
/// # Errors
/// As [`check`]; with a report, as [`build`].
pub fn check_with(
    mapping: &Path,
    source_dir: Option<&Path>,
    options: &Options,
) -> Result<Plan, TablesError> {
    until_stopped(options, run::check(mapping, source_dir, options))
}

fn until_stopped<T>(
    options: &Options,
    work: impl Future<Output = Result<T, TablesError>>,
) -> Result<T, TablesError> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        tokio::select! {
            done = work => done,
            () = options.stop.0.notified() => Err(TablesError::Stopped),
        }
    });
    // A stopped query's workers end at their next batch.
    runtime.shutdown_timeout(Duration::from_secs(10));
    result
}

fn runtime() -> Result<Runtime, TablesError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| TablesError::Run(format!("threads could not be started: {e}")))
}
