//! CSV: read once for its columns' types, and then for each query over it.

mod infer;
mod quotes;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use encoding_rs::Encoding;
use regex::Regex;

use super::convert::{Convert, convert};
use super::files::SourceFile;
use super::input;
use super::text_table::{Batches, TextFile, TextTable};
use crate::error::told;
use crate::mapping::Source;
pub(super) use infer::{Dialect, Inference};

/// Rows that are read at once.
const BATCH_ROWS: usize = 8_192;

/// A byte that UTF-8 does not have: a quote that never comes.
const NO_QUOTE: u8 = 0xFF;

/// Reads all of the source's files for their types.
///
/// # Errors
/// The file, and what is wrong with it, by line and column and without a value.
pub(super) fn read(
    source: &Source,
    files: &mut [SourceFile],
    warnings: &mut Vec<String>,
) -> Result<TextTable, (PathBuf, String)> {
    let dialect = Dialect::of(source);
    let encoding = source.encoding();
    let mut inference = Inference::new(&dialect, &source.types);
    for file in files.iter_mut() {
        let rows = input::open(&file.file, encoding)
            .map_err(|e| input::message(&e))
            .and_then(|text| inference.read(text));
        file.rows = rows.map_err(|message| (file.file.clone(), message))?;
        for warning in inference.warnings() {
            warnings.push(format!(
                "source `{}` ({}): {warning}",
                source.name,
                file.name()
            ));
        }
    }
    let (columns, padded) = inference.finish();
    warnings.extend(
        padded
            .iter()
            .map(|w| format!("source `{}`: {w}", source.name)),
    );
    let converts: Vec<Option<Convert>> = columns.iter().map(|c| c.convert.clone()).collect();
    let read_as = columns.iter().map(|c| {
        let data_type = match c.convert {
            Some(_) => DataType::Utf8,
            None => c.data_type.clone(),
        };
        Field::new(&c.name, data_type, true)
    });
    let read_as = Arc::new(Schema::new(read_as.collect::<Vec<_>>()));
    let given = columns
        .iter()
        .map(|c| Field::new(&c.name, c.data_type.clone(), true));
    let given = Arc::new(Schema::new(given.collect::<Vec<_>>()));
    let format = dialect.format();
    let parts = files.iter().map(|file| {
        Arc::new(CsvFile {
            file: file.file.clone(),
            encoding,
            format: format.clone(),
            read_as: Arc::clone(&read_as),
            given: Arc::clone(&given),
            converts: converts.clone(),
        }) as Arc<dyn TextFile>
    });
    Ok(TextTable::new(Arc::clone(&given), parts.collect()))
}

impl Dialect {
    /// As the engine's reader takes it.
    fn format(&self) -> Format {
        let words = self.nulls.iter().map(|word| regex::escape(word));
        let words: Vec<String> = words.collect();
        let format = Format::default()
            .with_header(self.header)
            .with_delimiter(self.delimiter)
            .with_quote(if self.quoted { b'"' } else { NO_QUOTE });
        if words.is_empty() {
            return format;
        }
        // Without a null expression, the empty cell alone is NULL.
        let nulls = Regex::new(&format!("^(?:|{})$", words.join("|")));
        format.with_null_regex(nulls.expect("escaped words make an expression"))
    }
}

#[derive(Debug)]
struct CsvFile {
    file: PathBuf,
    encoding: Option<&'static Encoding>,
    format: Format,
    /// All columns, those that are converted as text.
    read_as: SchemaRef,
    /// All columns as they are given.
    given: SchemaRef,
    converts: Vec<Option<Convert>>,
}

impl TextFile for CsvFile {
    fn batches(&self, wanted: &[usize]) -> Result<Batches> {
        let text = input::open(&self.file, self.encoding).map_err(|e| told(input::message(&e)))?;
        // Rows are counted by a column, also where no column is wanted.
        let read: Vec<usize> = if wanted.is_empty() {
            vec![0]
        } else {
            wanted.to_vec()
        };
        let reader = ReaderBuilder::new(Arc::clone(&self.read_as))
            .with_format(self.format.clone())
            .with_batch_size(BATCH_ROWS)
            .with_projection(read)
            .build_buffered(text)?;
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
