//! Parquet files, read by the engine itself.

use std::fs::File;
use std::path::PathBuf;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionContext};

use super::files::SourceFile;
use crate::mapping::Source;

/// Registers the source's files as one table; all of them have the columns of the first.
///
/// # Errors
/// The file, and what is wrong with it.
pub(super) async fn register(
    session: &SessionContext,
    source: &Source,
    files: &mut [SourceFile],
) -> Result<SchemaRef, (PathBuf, String)> {
    let mut first: Option<SchemaRef> = None;
    for file in files.iter_mut() {
        let (schema, rows) = look(file).map_err(|message| (file.file.clone(), message))?;
        file.rows = rows;
        let expected = first.get_or_insert_with(|| SchemaRef::clone(&schema));
        if expected.fields() != schema.fields() {
            let message = "its columns or their types are not those of the files before it: write them alike, or \
                           name them as sources of their own"
                .to_owned();
            return Err((file.file.clone(), message));
        }
    }
    let whole = |message: String| (files[0].file.clone(), message);
    let paths = files
        .iter()
        .map(|f| path(f).map_err(|m| (f.file.clone(), m)));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    let options = ParquetReadOptions::default().file_extension("");
    let frame = session
        .read_parquet(paths, options)
        .await
        .map_err(|e| whole(engine_message(&e)))?;
    let schema = SchemaRef::clone(frame.schema().inner());
    session
        .register_table(source.name.as_str(), frame.into_view())
        .map_err(|e| whole(engine_message(&e)))?;
    Ok(schema)
}

/// The engine reads patterns in paths.
fn path(file: &SourceFile) -> Result<&str, String> {
    file.file
        .to_str()
        .filter(|p| !p.contains(['*', '?', '[']))
        .ok_or_else(|| "its path may not contain *, ? or [, nor non-UTF-8: move it".to_owned())
}

/// The file's columns and its rows.
fn look(file: &SourceFile) -> Result<(SchemaRef, u64), String> {
    let input = File::open(&file.file).map_err(|e| format!("cannot be read: {e}"))?;
    let opened = ParquetRecordBatchReaderBuilder::try_new(input)
        .map_err(|e| format!("not a readable Parquet file: {e}"))?;
    let rows = opened.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| "not a readable Parquet file".to_owned())?;
    Ok((SchemaRef::clone(opened.schema()), rows))
}

/// Opening a file reads its schema and no row of values.
fn engine_message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ParquetError(e) => format!("not a readable Parquet file: {e}"),
        other => other.strip_backtrace(),
    }
}
