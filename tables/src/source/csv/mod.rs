//! CSV: read once for its columns' types, and then for each query over it.

mod infer;
mod near;
mod quotes;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::common::Result;
use encoding_rs::Encoding;
use regex::Regex;

use super::Warning;
use super::convert::Columns;
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
    warnings: &mut Vec<Warning>,
) -> Result<TextTable, (PathBuf, String)> {
    let dialect = Dialect::of(source);
    let encoding = source.encoding();
    let mut inference = Inference::new(&dialect, &source.types);
    for file in files.iter_mut() {
        let rows = input::open(&file.file, encoding)
            .map_err(|e| input::message(&e))
            .and_then(|text| inference.read(text));
        file.rows = rows.map_err(|message| (file.file.clone(), message))?;
        let told = inference.warnings().into_iter().map(|warning| Warning {
            column: None,
            text: format!("source `{}` ({}): {warning}", source.name, file.name()),
        });
        warnings.extend(told);
    }
    let (columns, texts) = inference.finish();
    warnings.extend(texts.into_iter().map(|(column, warning)| Warning {
        column: Some((source.name.clone(), column)),
        text: format!("source `{}`: {warning}", source.name),
    }));
    let columns = columns
        .into_iter()
        .map(|c| (c.name, c.data_type, c.convert));
    let columns = Columns::new(columns.collect());
    let format = dialect.format();
    let parts = files.iter().map(|file| {
        Arc::new(CsvFile {
            file: file.file.clone(),
            rows: file.rows,
            encoding,
            format: format.clone(),
            columns: columns.clone(),
        }) as Arc<dyn TextFile>
    });
    Ok(TextTable::new(Arc::clone(&columns.given), parts.collect()))
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
    rows: u64,
    encoding: Option<&'static Encoding>,
    format: Format,
    columns: Columns,
}

impl TextFile for CsvFile {
    fn rows(&self) -> u64 {
        self.rows
    }

    fn batches(&self, wanted: &[usize]) -> Result<Batches> {
        let text = input::open(&self.file, self.encoding).map_err(|e| told(input::message(&e)))?;
        let reader = ReaderBuilder::new(Arc::clone(&self.columns.read_as))
            .with_format(self.format.clone())
            .with_batch_size(BATCH_ROWS)
            .with_projection(Columns::to_read(wanted))
            .build_buffered(text)?;
        self.columns.convert(wanted, reader)
    }
}
