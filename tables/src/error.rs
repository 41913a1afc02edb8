//! The crate's one error type. No message carries a patient's value: engine
//! errors met while rows flow are reduced to what is known to be safe (see
//! [`crate::engine_error`]).

use std::io;
use std::path::{Path, PathBuf};

use datafusion::common::DataFusionError;
use thiserror::Error;

use crate::concepts::ConceptSetError;

/// An error that passes through the engine and whose text was written in this crate: it holds no value.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Told(String);

/// An engine's error with a text of this crate.
pub(crate) fn told(message: String) -> DataFusionError {
    DataFusionError::External(Box::new(Told(message)))
}

/// Why a patient table could not be planned or built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TablesError {
    /// A concept set's file is not what this crate reads.
    #[error(transparent)]
    ConceptSet(#[from] ConceptSetError),
    /// The mapping file is not what this crate reads.
    #[error("{}: {message}", file.display())]
    Mapping {
        /// The mapping file.
        file: PathBuf,
        /// What is wrong, where in the file, and what to write instead.
        message: String,
    },
    /// A file could not be read.
    #[error("{}: cannot be read: {source}; {next}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What to do about it.
        next: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A source's content does not fit its description.
    #[error("source `{name}` ({}): {message}", file.display())]
    Source {
        /// The source's name in the mapping.
        name: String,
        /// Its file.
        file: PathBuf,
        /// The line or column, and what to do; never a value.
        message: String,
    },
    /// A database cannot be read.
    #[error("source `{name}`: {message}")]
    Database {
        /// The source's name in the mapping.
        name: String,
        /// What is wrong and what to do; never the URL, which may hold a password.
        message: String,
    },
    /// The SQL was refused or does not plan.
    #[error("the SQL of {}: {message}", file.display())]
    Sql {
        /// The mapping file, or the file its `sql_file` names.
        file: PathBuf,
        /// Position, reason and next step.
        message: String,
    },
    /// A column of the result cannot stand in a patient table.
    #[error("column `{column}` of the result: {message}")]
    Column {
        /// The column's name in the SQL's result.
        column: String,
        /// The reason, and the cast or alias to write.
        message: String,
    },
    /// No mapping can be proposed, or it has no place.
    #[error("{message}")]
    Start {
        /// The reason, and what to do.
        message: String,
    },
    /// The query gave no rows.
    #[error("the SQL gave no rows: check its joins and WHERE; nothing was written")]
    NoRows,
    /// Some rows have no patient.
    #[error("{count} rows have a NULL `{column}`: filter them out in the SQL; nothing was written")]
    NullIds {
        /// The patient id column.
        column: String,
        /// How many rows.
        count: u64,
    },
    /// Some patients' ids are none that the prover takes.
    #[error(
        "{count} rows have a `{column}` that galen commit refuses (row {rows} of the result): a text that is empty, NA or \
         NULL, or one with something that is not seen, such as white space around it: trim() or filter them in the SQL; \
         nothing was written"
    )]
    UnfitIds {
        /// The patient id column.
        column: String,
        /// How many rows.
        count: u64,
        /// The first of them.
        rows: String,
    },
    /// Some patients have more than one row.
    #[error(
        "{count} rows repeat the `{column}` of another row: the table takes one row per \
         patient, so aggregate with GROUP BY {column}, or keep one row of each join; nothing \
         was written"
    )]
    DuplicateIds {
        /// The patient id column.
        column: String,
        /// Rows beyond the first of their patient.
        count: u64,
    },
    /// The registry does not take some of the values and the mapping does not say what to do with them, or there is some
    /// of what the mapping expects none of.
    #[error("the registry or the mapping does not take this:\n  {}\n{}nothing was written{}", problems.join("\n  "), as_lines(warnings), shown_in(report.as_deref()))]
    Rejected {
        /// Each problem: the column, how many values, the first rows, and what to do; no value.
        problems: Vec<String>,
        /// What else should be looked at, which may be the cause.
        warnings: Vec<String>,
        /// The folder of the report, which has the values.
        report: Option<PathBuf>,
    },
    /// The query failed while rows were flowing.
    #[error("the query failed while running: {0}; nothing was written")]
    Run(String),
    /// The query needs more memory than it may use.
    #[error(
        "the query needs more than the {mib} MiB it may use: raise --memory, or aggregate \
         before joining; nothing was written"
    )]
    Memory {
        /// The limit, in MiB.
        mib: usize,
    },
    /// The disk filled up.
    #[error(
        "no space left in {} for the table and the query's temporary files: free some or choose \
         another --out; nothing was left behind", directory.display()
    )]
    DiskFull {
        /// The output's directory.
        directory: PathBuf,
    },
    /// The output could not be written.
    #[error("{}: cannot be written: {source}; {next}", file.display())]
    Write {
        /// The output.
        file: PathBuf,
        /// What to do about it.
        next: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The run was stopped by its [`Stop`](crate::Stop).
    #[error("stopped; nothing was written")]
    Stopped,
}

/// Warnings, each on a line of its own.
fn as_lines(warnings: &[String]) -> String {
    warnings.iter().map(|w| format!("warning: {w}\n")).collect()
}

fn shown_in(report: Option<&Path>) -> String {
    match report {
        Some(folder) => format!(
            "; {} shows the values",
            folder.join("report.html").display()
        ),
        None => "; with --report DIR the values are shown, for the hospital alone".to_owned(),
    }
}

impl TablesError {
    /// An I/O error met while writing `out`, told apart by its kind.
    pub(crate) fn writing(out: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => TablesError::DiskFull {
                directory: crate::write::directory_of(out),
            },
            kind => TablesError::Write {
                file: out.to_owned(),
                next: match kind {
                    io::ErrorKind::NotFound => "make its directory first",
                    io::ErrorKind::IsADirectory => "give a file name, such as patients.parquet",
                    io::ErrorKind::PermissionDenied => {
                        "its directory must be writable: the table is made there and renamed"
                    }
                    _ => "choose another --out or repair the disk",
                },
                source,
            },
        }
    }
}
