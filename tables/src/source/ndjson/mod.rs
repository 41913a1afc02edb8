//! NDJSON, one object a line as FHIR Bulk Data has it: read once for its elements' types, and then for each
//! query over it.

mod shape;
mod walk;

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::json::ReaderBuilder;
use datafusion::common::{DataFusionError, Result};

use super::convert::{Convert, convert};
use super::files::SourceFile;
use super::input;
use super::text_table::{Batches, TextFile, TextTable};
use super::types::arrow_type;
use crate::error::told;
use crate::mapping::{ColumnType, Source};
use shape::Shape;
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
    let mut root = Shape::default();
    for (at, file) in files.iter_mut().enumerate() {
        let rows = input::open(&file.file, None)
            .map_err(|e| input::message(&e))
            .and_then(|text| read_lines(text, at, source, &mut root));
        file.rows = rows.map_err(|message| (file.file.clone(), message))?;
        if file.rows == 0 {
            let message = "the file is empty: it needs one JSON object per line".to_owned();
            return Err((file.file.clone(), message));
        }
    }
    let whole = |message| (files[0].file.clone(), message);
    let columns = columns(source, &root, files).map_err(whole)?;
    let field = |(name, data_type, _): &Column| Field::new(name, data_type.clone(), true);
    let given = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let read_as = columns.iter().map(|(name, data_type, convert)| {
        let data_type = match convert {
            Some(_) => DataType::Utf8,
            None => data_type.clone(),
        };
        Field::new(name, data_type, true)
    });
    let read_as = Arc::new(Schema::new(read_as.collect::<Vec<_>>()));
    let converts: Vec<_> = columns.into_iter().map(|(_, _, convert)| convert).collect();
    let parts = files.iter().map(|file| {
        Arc::new(NdjsonFile {
            file: file.file.clone(),
            read_as: Arc::clone(&read_as),
            given: Arc::clone(&given),
            converts: converts.clone(),
        }) as Arc<dyn TextFile>
    });
    Ok(TextTable::new(Arc::clone(&given), parts.collect()))
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
    read_as: SchemaRef,
    given: SchemaRef,
    converts: Vec<Option<Convert>>,
}

impl TextFile for NdjsonFile {
    fn batches(&self, wanted: &[usize]) -> Result<Batches> {
        let text = input::open(&self.file, None).map_err(|e| told(input::message(&e)))?;
        // Objects are counted by an element, also where none is wanted.
        let read: Vec<usize> = if wanted.is_empty() {
            vec![0]
        } else {
            wanted.to_vec()
        };
        let reader = ReaderBuilder::new(Arc::new(self.read_as.project(&read)?))
            .with_batch_size(BATCH_ROWS)
            // An element that `types` reads as text keeps a number's digits.
            .with_coerce_primitive(true)
            .build(text)?;
        let given = Arc::new(self.given.project(wanted)?);
        let converts: Vec<_> = wanted.iter().map(|&i| self.converts[i].clone()).collect();
        let rows_alone = wanted.is_empty();
        Ok(Box::new(reader.map(move |batch| {
            let batch = batch.map_err(DataFusionError::from)?;
            if rows_alone {
                return Ok(batch.project(&[])?);
            }
            convert(&batch, &converts, &given)
        })))
    }
}
