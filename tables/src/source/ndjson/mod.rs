//! NDJSON, one object a line as FHIR Bulk Data has it: read once for its elements' types, and then for each
//! query over it.

mod shape;
mod walk;

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::common::Result;

use super::convert::{Columns, Convert};
use super::files::SourceFile;
use super::input;
use super::text_table::{Batches, TextFile, TextTable};
use super::types::arrow_type;
use crate::error::told;
use crate::mapping::{ColumnType, Source};
use shape::{EXAMPLE, Shape};
use walk::Lines;

/// Objects that are read at once.
const BATCH_ROWS: usize = 8_192;

/// Reads all of the source's files for their elements' types: FHIR's optional elements may first appear late.
///
/// # Errors
/// The file, and what is wrong with it, by line and element and without a value.
pub(super) fn read(
    source: &Source,
    files: &mut [SourceFile],
) -> Result<TextTable, (PathBuf, String)> {
    let first = files
        .first()
        .map_or_else(|| source.path.clone(), |f| f.file.clone());
    let mut root = Shape::default();
    if let Some(example) = &source.example {
        let taken = Lines::new(EXAMPLE, &source.types).take(example.as_bytes(), &mut root);
        taken.map_err(|e| (first.clone(), format!("the mapping's example: {e}")))?;
    }
    for (at, file) in files.iter_mut().enumerate() {
        let rows = input::open(&file.file, None)
            .map_err(|e| input::message(&e))
            .and_then(|text| read_lines(text, at, source, &mut root));
        file.rows = rows.map_err(|message| (file.file.clone(), message))?;
        if file.rows == 0 && source.example.is_none() {
            let message = "the file is empty: it needs one JSON object per line".to_owned();
            return Err((file.file.clone(), message));
        }
    }
    let whole = |message| (first, message);
    let columns = Columns::new(columns(source, &root, files).map_err(whole)?);
    let parts = files.iter().map(|file| {
        Arc::new(NdjsonFile {
            file: file.file.clone(),
            rows: file.rows,
            columns: columns.clone(),
        }) as Arc<dyn TextFile>
    });
    let mut parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        parts.push(Arc::new(NoFile));
    }
    Ok(TextTable::new(Arc::clone(&columns.given), parts))
}

/// In place of the files that an optional source does not have.
#[derive(Debug)]
struct NoFile;

impl TextFile for NoFile {
    fn rows(&self) -> u64 {
        0
    }

    fn batches(&self, _: &[usize]) -> Result<Batches> {
        Ok(Box::new(std::iter::empty()))
    }
}

/// An element of the top level: its name, its type, and how it becomes that.
type Column = (String, DataType, Option<Convert>);

fn columns(source: &Source, root: &Shape, files: &[SourceFile]) -> Result<Vec<Column>, String> {
    let elements = root.elements();
    let missing = |t: &&String| elements.iter().all(|(name, _)| name != *t);
    if let Some(missing) = source.types.keys().find(missing) {
        return Err(format!(
            "types names the element `{missing}`, which no line has at its top level"
        ));
    }
    elements
        .iter()
        .map(|(name, shape)| {
            let Some(&forced) = source.types.get(name) else {
                return Ok((name.clone(), shape.data_type(name, files)?, None));
            };
            let convert = match forced {
                ColumnType::Date => Some(Convert::Day),
                ColumnType::Timestamp => Some(Convert::Moment),
                _ => None,
            };
            Ok((name.clone(), arrow_type(forced), convert))
        })
        .collect()
}

/// Takes each line's elements into `root`, and gives the number of objects.
fn read_lines(
    mut text: impl BufRead,
    file: usize,
    source: &Source,
    root: &mut Shape,
) -> Result<u64, String> {
    let mut lines = Lines::new(file, &source.types);
    let mut line = Vec::new();
    let mut objects = 0;
    loop {
        line.clear();
        let read = text
            .read_until(b'\n', &mut line)
            .map_err(|e| input::message(&e))?;
        if read == 0 {
            return Ok(objects);
        }
        objects += u64::from(lines.take(&line, root)?);
    }
}

#[derive(Debug)]
struct NdjsonFile {
    file: PathBuf,
    rows: u64,
    columns: Columns,
}

impl TextFile for NdjsonFile {
    fn rows(&self) -> u64 {
        self.rows
    }

    fn batches(&self, wanted: &[usize]) -> Result<Batches> {
        let text = input::open(&self.file, None).map_err(|e| told(input::message(&e)))?;
        let read_as = self.columns.read_as.project(&Columns::to_read(wanted))?;
        let reader = ReaderBuilder::new(Arc::new(read_as))
            .with_batch_size(BATCH_ROWS)
            // An element that `types` reads as text keeps a number's digits.
            .with_coerce_primitive(true)
            .build(text)?;
        self.columns.convert(wanted, reader)
    }
}
