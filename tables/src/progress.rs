//! How far a build is: rows that its scans have read, of those that they will.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use crate::source::SourceColumns;

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: String,
    /// Rows read so far; what is read twice counts twice.
    pub rows: u64,
    /// Rows that will be read, where no database is read: it does not count its rows.
    pub total: Option<u64>,
}

/// Is told how far a build is, a few times a second.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Told>>);

type Told = dyn Fn(&Progress) + Send + Sync;

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch" } else { "nobody" })
    }
}

impl Watch {
    /// Calls `told`, from within the build.
    pub fn new(told: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(crate) fn tell(&self, stage: &str, rows: u64, total: Option<u64>) {
        if let Some(told) = &self.0 {
            told(&Progress {
                stage: stage.to_owned(),
                rows,
                total,
            });
        }
    }
}

/// Rows that a session's text files and databases have given so far, and those that its scans will give.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    rows: AtomicU64,
    expected: AtomicU64,
    is_open: AtomicBool,
}

impl Meter {
    /// More rows have come.
    pub(crate) fn add(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// A scan is planned, of so many rows, or nobody knows of how many.
    pub(crate) fn expect(&self, rows: Option<u64>) {
        match rows {
            Some(rows) => {
                self.expected.fetch_add(rows, Ordering::Relaxed);
            }
            None => self.is_open.store(true, Ordering::Relaxed),
        }
    }

    /// Begins anew: what is planned next is counted.
    pub(crate) fn reset(&self) {
        self.rows.store(0, Ordering::Relaxed);
        self.expected.store(0, Ordering::Relaxed);
        self.is_open.store(false, Ordering::Relaxed);
    }
}

/// The session's meter.
pub(crate) fn meter(config: &SessionConfig) -> Arc<Meter> {
    config.get_extension::<Meter>().unwrap_or_default()
}

/// A plan's reading.
pub(crate) struct Reading {
    meter: Arc<Meter>,
    /// Scans of Parquet files, which count for themselves, and the rows that these have.
    parquet: Vec<Arc<dyn ExecutionPlan>>,
    parquet_rows: u64,
}

impl Reading {
    /// Of a plan over `sources`, before it runs.
    pub(crate) fn of(
        plan: &Arc<dyn ExecutionPlan>,
        sources: &[SourceColumns],
        meter: Arc<Meter>,
    ) -> Self {
        let files = sources.iter().flat_map(|s| &s.files);
        let rows: HashMap<&Path, u64> = files.map(|f| (f.file.as_path(), f.rows)).collect();
        let mut reading = Self {
            meter,
            parquet: Vec::new(),
            parquet_rows: 0,
        };
        reading.leaves(plan, &rows);
        reading
    }

    fn leaves(&mut self, plan: &Arc<dyn ExecutionPlan>, rows: &HashMap<&Path, u64>) {
        let source = plan.downcast_ref::<DataSourceExec>();
        if let Some(files) = source.and_then(|s| s.data_source().downcast_ref::<FileScanConfig>()) {
            let files = files.file_groups.iter().flat_map(|g| g.iter());
            let mut paths: Vec<PathBuf> = files
                .map(|f| Path::new("/").join(f.object_meta.location.as_ref()))
                .collect();
            paths.sort();
            // A large file is read in parts.
            paths.dedup();
            let rows = paths.iter().filter_map(|p| rows.get(p.as_path()));
            self.parquet_rows += rows.sum::<u64>();
            self.parquet.push(Arc::clone(plan));
        }
        for child in plan.children() {
            self.leaves(child, rows);
        }
    }

    /// Rows read so far, and rows that will be, if that is known.
    pub(crate) fn now(&self) -> (u64, Option<u64>) {
        let parquet = self
            .parquet
            .iter()
            .filter_map(|p| p.metrics()?.output_rows());
        let rows = self.meter.rows.load(Ordering::Relaxed);
        let expected = self.meter.expected.load(Ordering::Relaxed) + self.parquet_rows;
        let is_open = self.meter.is_open.load(Ordering::Relaxed);
        let rows = rows + parquet.map(|rows| rows as u64).sum::<u64>();
        (rows, (!is_open).then_some(expected))
    }
}
