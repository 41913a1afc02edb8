//! The hospital's ETL: one SQL query over source files (CSV, Parquet, NDJSON such as
//! FHIR Bulk Data) into one Parquet table of one row per patient, checked and written
//! whole or not at all.
//!
//! A [`Mapping`] names the sources and holds the query; [`build`] runs it and gives a
//! [`Report`]; [`check`] only plans it. Nothing they return or log holds a patient's
//! value: counts, names and types only.

mod columns;
mod database;
mod dates;
mod engine_error;
mod error;
mod exact;
mod mapping;
mod plan;
mod report;
mod source;
mod tally;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::common::DataFusionError;
use futures::StreamExt;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

pub use database::Snapshot;
pub use error::TablesError;
pub use mapping::{ColumnType, DatabaseSource, Format, Mapping, Quote, Source};
pub use report::{ColumnReport, Plan, Report};
pub use source::{SourceColumns, SourceFile};

use plan::{Planned, Resources};
use tally::Tally;
use write::{TableWriter, Written};

/// How a build may run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Memory the query may use before it spills to disk, in MiB.
    pub memory_mib: usize,
    /// Ends the build from another thread.
    pub stop: Stop,
}

impl Default for Options {
    /// 4 GiB, and a stop nobody else holds.
    fn default() -> Self {
        Self {
            memory_mib: 4096,
            stop: Stop::default(),
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
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        tokio::select! {
            report = build_async(mapping, source_dir, out, options) => report,
            () = options.stop.0.notified() => Err(TablesError::Stopped),
        }
    });
    // A stopped query's workers end at their next batch.
    runtime.shutdown_timeout(Duration::from_secs(10));
    result
}

/// Reads the mapping and its sources' columns and plans the SQL, without running it.
///
/// # Errors
/// [`TablesError`], as [`build`] would fail before its first row.
pub fn check(mapping: &Path, source_dir: Option<&Path>) -> Result<Plan, TablesError> {
    let parsed = Mapping::read(mapping)?;
    let resources = Resources {
        memory_mib: Options::default().memory_mib,
        spill: None,
    };
    let planned = runtime()?.block_on(plan::plan(&parsed, mapping, source_dir, &resources))?;
    Ok(Plan {
        title: parsed.title,
        snapshot: planned.snapshot().cloned(),
        sources: planned.sources,
        columns: planned
            .schema
            .fields()
            .iter()
            .map(|f| (f.name().clone(), columns::type_name(f.data_type())))
            .collect(),
        warnings: planned.warnings,
    })
}

fn runtime() -> Result<Runtime, TablesError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| TablesError::Run(format!("threads could not be started: {e}")))
}

async fn build_async(
    mapping_file: &Path,
    source_dir: Option<&Path>,
    out: &Path,
    options: &Options,
) -> Result<Report, TablesError> {
    let started = Instant::now();
    let mapping = Mapping::read(mapping_file)?;
    let spill = write::spill_directory(out)?;
    let resources = Resources {
        memory_mib: options.memory_mib,
        spill: Some(spill.path().to_owned()),
    };
    let planned = plan::plan(&mapping, mapping_file, source_dir, &resources).await?;
    refuse_source_as_out(&planned, out)?;
    let schema = planned.schema.clone();
    let mut tally = Tally::new(&schema, &mapping.patient_id);
    let (warnings, sources) = (planned.warnings.clone(), planned.sources.clone());
    let snapshot = planned.snapshot().cloned();
    let Written { bytes, sha256 } = run(planned, &mut tally, out, options.memory_mib).await?;
    let columns = schema
        .fields()
        .iter()
        .zip(&tally.nulls)
        .map(|(field, nulls)| ColumnReport {
            name: field.name().clone(),
            data_type: columns::type_name(field.data_type()),
            nulls: *nulls,
        })
        .collect();
    Ok(Report {
        title: mapping.title,
        sources,
        snapshot,
        rows: tally.rows,
        columns,
        out: out.to_owned(),
        bytes,
        sha256,
        seconds: started.elapsed().as_secs_f64(),
        warnings,
    })
}

fn refuse_source_as_out(planned: &Planned, out: &Path) -> Result<(), TablesError> {
    let Ok(existing) = out.canonicalize() else {
        return Ok(());
    };
    match planned
        .sources
        .iter()
        .find(|s| s.files.iter().any(|f| f.file == existing))
    {
        None => Ok(()),
        Some(source) => Err(TablesError::Source {
            name: source.name.clone(),
            file: existing,
            message: "it is also --out, and would be replaced: choose another output".to_owned(),
        }),
    }
}

/// Runs the query into the file, which is put in place only if the sources are still what was planned with.
async fn run(
    planned: Planned,
    tally: &mut Tally,
    out: &Path,
    memory_mib: usize,
) -> Result<Written, TablesError> {
    let (sources, database) = (planned.sources.clone(), planned.database());
    let unchanged = || sources.iter().try_for_each(SourceColumns::check_unchanged);
    let streamed = stream(planned, tally, out, memory_mib).await;
    if let Some(database) = database {
        database.end().await;
    }
    match streamed {
        Ok(table) => {
            unchanged()?;
            tally.check()?;
            table.finish()
        }
        // A file that changed is the cause of whatever else went wrong.
        Err(error) => {
            unchanged()?;
            Err(error)
        }
    }
}

/// Streams the result into the file. Once a patient id proves NULL or repeated, rows
/// are only counted.
async fn stream(
    planned: Planned,
    tally: &mut Tally,
    out: &Path,
    memory_mib: usize,
) -> Result<TableWriter, TablesError> {
    let failed = |e: DataFusionError| engine_error::running(&e, out, memory_mib);
    // Texts become plain ones; no value may be lost by it.
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let mut table = TableWriter::create(out, &planned.schema)?;
    let mut stream = planned.frame.execute_stream().await.map_err(failed)?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        let columns = batch
            .columns()
            .iter()
            .zip(planned.schema.fields())
            .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
            .collect::<Result<Vec<ArrayRef>, _>>()
            .map_err(|e| failed(e.into()))?;
        tally
            .note(&columns, batch.num_rows())
            .map_err(|e| failed(e.into()))?;
        if tally.is_sound() {
            let batch = RecordBatch::try_new(planned.schema.clone(), columns)
                .map_err(|e| failed(e.into()))?;
            table.write(batch)?;
        }
    }
    Ok(table)
}
