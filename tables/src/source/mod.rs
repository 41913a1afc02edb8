//! Registering a mapping's sources as tables of a session.

mod convert;
mod csv;
mod files;
mod input;
mod ndjson;
mod parquet;
mod text_table;
mod types;

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::columns::type_name;
use crate::error::TablesError;
use crate::mapping::{Format, Source};
pub(crate) use convert::date_format_problem;
pub use files::SourceFile;
pub(crate) use text_table::{AHEAD, scan};

/// What is not wrong with a source but should be looked at.
#[derive(Debug)]
pub(crate) struct Warning {
    /// The source and the column, where it is about one: nobody need look at one that is not read.
    pub(crate) column: Option<(String, String)>,
    pub(crate) text: String,
}

/// A source as the SQL sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceColumns {
    /// Its name in the SQL.
    pub name: String,
    /// Its files, by name.
    pub files: Vec<SourceFile>,
    /// Its columns' names and types, in file order.
    pub columns: Vec<(String, String)>,
}

impl SourceColumns {
    /// Refuses files that are not what they were when their types were found.
    ///
    /// # Errors
    /// [`TablesError::Source`].
    pub(crate) fn check_unchanged(&self) -> Result<(), TablesError> {
        match self.files.iter().find(|f| f.has_changed()) {
            None => Ok(()),
            Some(changed) => Err(TablesError::Source {
                name: self.name.clone(),
                file: changed.file.clone(),
                message: "it was changed while it was read: wait until its export has ended, and build again; \
                          nothing was written"
                    .to_owned(),
            }),
        }
    }
}

/// Opens a text file, unpacked where its name says that it is packed.
///
/// # Errors
/// The system's.
pub(crate) fn open_text(file: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    input::open(file, None)
}

/// Registers `source`, whose files lie under `directory`, as a table of `session`. What is not wrong with it but
/// should be looked at goes to `warnings`.
///
/// # Errors
/// [`TablesError::Read`] for a missing file, [`TablesError::Source`] for one whose
/// content does not fit.
pub(crate) async fn register(
    session: &SessionContext,
    source: &Source,
    directory: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<SourceColumns, TablesError> {
    let mut files = files::locate(source, directory)?;
    if files.is_empty() {
        warnings.push(Warning {
            column: None,
            text: format!(
                "source `{}`: no file is named {}, so it has no rows",
                source.name,
                source.path.display()
            ),
        });
    }
    let fail = |(file, message): (PathBuf, String)| TablesError::Source {
        name: source.name.clone(),
        file,
        message,
    };
    let registered = match source.format {
        Format::Parquet => parquet::register(session, source, &mut files).await,
        Format::Csv => csv::read(source, &mut files, warnings)
            .and_then(|table| text(session, source, &files, table)),
        Format::Ndjson => {
            ndjson::read(source, &mut files).and_then(|table| text(session, source, &files, table))
        }
    };
    let schema = registered.map_err(fail)?;
    let columns = schema
        .fields()
        .iter()
        .map(|f| (f.name().clone(), type_name(f.data_type())))
        .collect();
    Ok(SourceColumns {
        name: source.name.clone(),
        files,
        columns,
    })
}

fn text(
    session: &SessionContext,
    source: &Source,
    files: &[SourceFile],
    table: text_table::TextTable,
) -> Result<datafusion::arrow::datatypes::SchemaRef, (PathBuf, String)> {
    let schema = datafusion::datasource::TableProvider::schema(&table);
    session
        .register_table(source.name.as_str(), Arc::new(table))
        .map_err(|e| {
            (
                files
                    .first()
                    .map_or_else(|| source.path.clone(), |f| f.file.clone()),
                e.strip_backtrace(),
            )
        })?;
    Ok(schema)
}
