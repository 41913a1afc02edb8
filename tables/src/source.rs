//! Registering a mapping's sources as tables of a session.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::json::reader::infer_json_schema;
use datafusion::common::DataFusionError;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{Expr, cast, ident, lit};
use datafusion::prelude::{
    CsvReadOptions, DataFrame, JsonReadOptions, ParquetReadOptions, SessionContext,
};
use serde::Serialize;

use crate::columns::type_name;
use crate::error::TablesError;
use crate::infer::{self, CsvShape, Dialect};
use crate::mapping::{Format, Source};

/// A source as the SQL sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SourceColumns {
    /// Its name in the SQL.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Its columns' names and types, in file order.
    pub columns: Vec<(String, String)>,
}

/// Registers `source`, whose file lies under `directory`, as a table of `session`.
///
/// # Errors
/// [`TablesError::Read`] for a missing file, [`TablesError::Source`] for one whose
/// content does not fit.
pub(crate) async fn register(
    session: &SessionContext,
    source: &Source,
    directory: &Path,
) -> Result<SourceColumns, TablesError> {
    let file = locate(source, directory)?;
    let fail = |message: String| TablesError::Source {
        name: source.name.clone(),
        file: file.clone(),
        message,
    };
    let path = file
        .to_str()
        .filter(|p| !p.contains(['*', '?', '[']))
        .ok_or_else(|| {
            fail("its path may not contain *, ? or [, nor non-UTF-8: move it".to_owned())
        })?;
    let frame = match source.format {
        Format::Csv => csv(session, source, &file, path).await,
        Format::Ndjson => ndjson(session, source, &file, path).await,
        Format::Parquet => parquet(session, path).await,
    }
    .map_err(fail)?;
    let columns = frame
        .schema()
        .fields()
        .iter()
        .map(|f| (f.name().clone(), type_name(f.data_type())))
        .collect();
    session
        .register_table(source.name.as_str(), frame.into_view())
        .map_err(|e| fail(engine_message(&e)))?;
    Ok(SourceColumns {
        name: source.name.clone(),
        file,
        columns,
    })
}

/// The source's file, absolute; it must be a file that can be opened.
fn locate(source: &Source, directory: &Path) -> Result<PathBuf, TablesError> {
    let file = directory.join(&source.path);
    let read_error = |source_error: io::Error| TablesError::Read {
        file: file.clone(),
        next: format!(
            "source `{}` is looked for in {}: correct its path or give --source DIR",
            source.name,
            directory.display()
        ),
        source: source_error,
    };
    let absolute = file.canonicalize().map_err(read_error)?;
    let opened = File::open(&absolute).map_err(read_error)?;
    if opened.metadata().map_err(read_error)?.is_dir() {
        return Err(read_error(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    Ok(absolute)
}

/// The engine reads only the empty cell as NULL. A column in which another null word
/// stands is therefore read as text, and typed once that word is NULL.
async fn csv(
    session: &SessionContext,
    source: &Source,
    file: &Path,
    path: &str,
) -> Result<DataFrame, String> {
    let dialect = Dialect {
        delimiter: source
            .delimiter
            .and_then(|d| u8::try_from(d).ok())
            .unwrap_or(b','),
        header: source.header.unwrap_or(true),
        nulls: source
            .nulls
            .iter()
            .filter(|n| !n.is_empty())
            .cloned()
            .collect(),
    };
    let input = File::open(file).map_err(|e| format!("cannot be read: {e}"))?;
    let shape = infer::infer_csv(BufReader::new(input), &dialect, &source.types)?;
    let read_as: Vec<Field> = shape
        .columns
        .iter()
        .map(|c| {
            let as_text = if c.has_null_word {
                DataType::Utf8
            } else {
                c.data_type.clone()
            };
            Field::new(&c.name, as_text, true)
        })
        .collect();
    let schema = Schema::new(read_as);
    let options = CsvReadOptions::new()
        .has_header(dialect.header)
        .delimiter(dialect.delimiter)
        .newlines_in_values(shape.newlines)
        .file_extension("")
        .schema(&schema);
    let frame = session
        .read_csv(path, options)
        .await
        .map_err(|e| engine_message(&e))?;
    if !shape.columns.iter().any(|c| c.has_null_word) {
        return Ok(frame);
    }
    frame
        .select(typed(&shape, &dialect.nulls))
        .map_err(|e| engine_message(&e))
}

fn typed(shape: &CsvShape, nulls: &[String]) -> Vec<Expr> {
    shape
        .columns
        .iter()
        .map(|column| {
            if !column.has_null_word {
                return ident(&column.name);
            }
            let text = nulls
                .iter()
                .fold(ident(&column.name), |e, word| nullif(e, lit(word.as_str())));
            cast(text, column.data_type.clone()).alias(&column.name)
        })
        .collect()
}

/// The schema is inferred over all lines: FHIR's optional elements may first appear late.
async fn ndjson(
    session: &SessionContext,
    source: &Source,
    file: &Path,
    path: &str,
) -> Result<DataFrame, String> {
    let input = File::open(file).map_err(|e| format!("cannot be read: {e}"))?;
    let (inferred, lines) = infer_json_schema(BufReader::new(input), None).map_err(|_| {
        json_fault(file).unwrap_or_else(|| {
            "one element is an object in one line and text, a number or an array in another: split the file \
             so that each holds one shape"
                .to_owned()
        })
    })?;
    if lines == 0 {
        return Err("the file is empty: it needs one JSON object per line".to_owned());
    }
    if let Some(missing) = source
        .types
        .keys()
        .find(|t| inferred.field_with_name(t).is_err())
    {
        return Err(format!(
            "types names the element `{missing}`, which no line has at its top level"
        ));
    }
    let fields: Vec<Arc<Field>> = inferred
        .fields()
        .iter()
        .map(|f| match source.types.get(f.name()) {
            Some(t) => Arc::new(f.as_ref().clone().with_data_type(infer::arrow_type(*t))),
            None => Arc::clone(f),
        })
        .collect();
    let schema = Schema::new(fields);
    let options = JsonReadOptions::default()
        .file_extension("")
        .schema(&schema);
    session
        .read_json(path, options)
        .await
        .map_err(|e| engine_message(&e))
}

/// The first line that is not a JSON object, by number only.
fn json_fault(file: &Path) -> Option<String> {
    let input = BufReader::new(File::open(file).ok()?);
    for (i, line) in input.lines().enumerate() {
        let number = i + 1;
        let Ok(line) = line else {
            return Some(format!("line {number}: not UTF-8"));
        };
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<serde_json::Value>(&line) {
            Ok(value) if value.is_object() => {}
            Ok(_) => {
                return Some(format!(
                    "line {number}: not a JSON object; NDJSON has one object per line"
                ));
            }
            Err(e) => {
                return Some(format!(
                    "line {number}, column {}: not JSON; NDJSON has one object per line",
                    e.column()
                ));
            }
        }
    }
    None
}

async fn parquet(session: &SessionContext, path: &str) -> Result<DataFrame, String> {
    let options = ParquetReadOptions::default().file_extension("");
    session
        .read_parquet(path, options)
        .await
        .map_err(|e| engine_message(&e))
}

/// Opening a file reads its schema and no row of values.
fn engine_message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ParquetError(e) => format!("not a readable Parquet file: {e}"),
        other => other.strip_backtrace(),
    }
}
