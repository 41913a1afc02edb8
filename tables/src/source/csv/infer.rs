//! What types a CSV file's columns have, judged over all its rows, so that the
//! reading that follows cannot fail on a late one. A whole number with a leading
//! zero is text: codes and identifiers keep their zeros.

use std::collections::BTreeMap;
use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};
use datafusion::arrow::array::types::{Float64Type, Int64Type};
use datafusion::arrow::compute::kernels::cast_utils::Parser;
use datafusion::arrow::datatypes::DataType;
use galen_query::quotes::{CsvBytes, Quotes, record_line};

use super::near::Near;
use super::quotes::fault_message;
use crate::columns::shown_names;
use crate::dates;
use crate::mapping::{ColumnType, Source};
use crate::source::convert::Convert;
use crate::source::input;
use crate::source::types::{
    EXACT, EXACT_FLOAT, arrow_type, is_boolean, is_date, parses, wanted_text,
};

/// How a CSV file is cut into cells, and how its cells are written.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    /// Whether the mapping says that there is one.
    pub(crate) header_declared: bool,
    pub(crate) nulls: Vec<String>,
    /// Whether a quote is more than a letter.
    pub(crate) quoted: bool,
    pub(crate) multiline: bool,
    pub(crate) decimal_comma: bool,
    /// How a declared order of dates is read.
    pub(crate) date: Option<Convert>,
}

impl Dialect {
    /// As the mapping declares it.
    pub(crate) fn of(source: &Source) -> Self {
        let delimiter = source.delimiter.and_then(|d| u8::try_from(d).ok());
        let nulls = source.nulls.iter().filter(|n| !n.is_empty());
        Self {
            delimiter: delimiter.unwrap_or(b','),
            header: source.header.unwrap_or(true),
            header_declared: source.header == Some(true),
            nulls: nulls.cloned().collect(),
            quoted: source.quote.is_none(),
            multiline: source.multiline.unwrap_or(false),
            decimal_comma: source.decimal == Some(','),
            date: source.date_format.clone().map(Convert::Format),
        }
    }

    /// What reads a column that is settled as `data_type` where the reader's own rule would differ.
    fn convert(&self, data_type: &DataType, forced: Option<ColumnType>) -> Option<Convert> {
        match (data_type, forced) {
            (DataType::Date32, _) if self.date.is_some() => self.date.clone(),
            (DataType::Date32, Some(_)) => Some(Convert::Day),
            (DataType::Timestamp(_, None), _) => Some(Convert::Moment),
            (DataType::Float64, _) if self.decimal_comma => Some(Convert::Comma),
            _ => None,
        }
    }
}

/// One column as found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// How it becomes that type once it is read as text.
    pub(crate) convert: Option<Convert>,
}

pub(super) const BOOLEAN: u8 = 1;
pub(super) const INT: u8 = 2;
pub(super) const FLOAT: u8 = 4;
pub(super) const DATE: u8 = 8;
pub(super) const TIMESTAMP: u8 = 16;

/// The types a column's cells so far all have.
struct Candidates {
    kinds: u8,
    seen: bool,
    /// A line in which a number has blanks around it, and so is text.
    padded: Option<u64>,
    /// Whether all cells are numbers once their blanks are taken off.
    numbers: bool,
    near: Near,
}

/// Settles the columns' types over all files of a source; the mapping's `types` override, and are checked
/// against every cell.
pub(crate) struct Inference<'a> {
    dialect: &'a Dialect,
    types: &'a BTreeMap<String, ColumnType>,
    names: Vec<String>,
    forced: Vec<Option<ColumnType>>,
    columns: Vec<Candidates>,
    warnings: Vec<String>,
}

impl<'a> Inference<'a> {
    pub(crate) fn new(dialect: &'a Dialect, types: &'a BTreeMap<String, ColumnType>) -> Self {
        Self {
            dialect,
            types,
            names: Vec::new(),
            forced: Vec::new(),
            columns: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads all of a file, and gives its number of rows.
    ///
    /// # Errors
    /// A message with the line and column, and never a value.
    pub(crate) fn read(&mut self, input: impl Read) -> Result<u64, String> {
        let dialect = self.dialect;
        let quotes = Quotes::new(dialect.delimiter, dialect.multiline);
        let mut reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .has_headers(false)
            .flexible(true)
            .quoting(dialect.quoted)
            .from_reader(CsvBytes::new(input, dialect.quoted.then_some(quotes)));
        let mut record = ByteRecord::new();
        let Some(mut line) = next(&mut reader, &mut record)? else {
            return Err("the file is empty: it needs at least a header line".to_owned());
        };
        self.take_names(names(&record, dialect.header, dialect.header_declared)?)?;
        let mut rows = 0;
        if !dialect.header {
            rows += 1;
            self.note_record(&record, line)?;
        }
        while let Some(next) = next(&mut reader, &mut record)? {
            line = next;
            rows += 1;
            if record.len() != self.names.len() {
                return Err(ragged(line, record.len(), self.names.len()));
            }
            self.note_record(&record, line)?;
        }
        if !reader.get_ref().last_line_is_ended() {
            let text = "the last line has no end, as if a copy had been cut there: see whether its last cell is \
                        whole";
            self.warnings.push(text.to_owned());
        }
        Ok(rows)
    }

    fn take_names(&mut self, names: Vec<String>) -> Result<(), String> {
        if self.columns.is_empty() {
            self.forced = overrides(&names, self.types)?;
            let candidates = names.iter().map(|_| Candidates {
                kinds: u8::MAX,
                seen: false,
                padded: None,
                numbers: true,
                near: Near::default(),
            });
            self.columns = candidates.collect();
            self.names = names;
            return Ok(());
        }
        if names == self.names {
            return Ok(());
        }
        Err(format!(
            "its columns are not those of the files before it, which have: {}",
            shown_names(&self.names)
        ))
    }

    fn note_record(&mut self, record: &ByteRecord, line: u64) -> Result<(), String> {
        for (i, bytes) in record.iter().enumerate() {
            let name = &self.names[i];
            let cell = std::str::from_utf8(bytes).map_err(|_| {
                format!(
                    "line {line}, column `{name}`: not UTF-8; say in which character set the file is written, as \
                     in encoding = \"windows-1252\", or convert it"
                )
            })?;
            note(
                cell,
                line,
                self.dialect,
                self.forced[i],
                &mut self.columns[i],
            )
            .map_err(|unfit| match unfit {
                Unfit::Forced(wanted) => misfit(line, name, wanted),
                Unfit::Point => format!(
                    "line {line}, column `{name}`: a number with a point, where decimals have a comma: of thousands or of \
                     decimals? Correct the file, or say types = {{ {name} = \"utf8\" }} and replace it in the SQL"
                ),
            })?;
        }
        Ok(())
    }

    /// What is not wrong with the files but should be looked at, since the last call.
    pub(crate) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The columns as all files have them, and of some what is to be said of them.
    pub(crate) fn finish(self) -> (Vec<Found>, Vec<(String, String)>) {
        let columns = self.names.iter().zip(&self.columns).zip(&self.forced);
        let texts = columns.filter(|((_, c), forced)| forced.is_none() && c.seen && c.kinds == 0);
        let warnings = texts.filter_map(|((name, c), _)| {
            let warning = match c.padded.filter(|_| c.numbers) {
            None => c.near.warning(name)?,
            Some(line) => format!(
                "column `{name}`: numbers with blanks around them, the first in line {line}, make it text: \
                 CAST(trim({name}) AS …) reads them"
            ),
            };
            Some((name.clone(), warning))
        });
        let warnings = warnings.collect();
        let columns = self
            .names
            .into_iter()
            .zip(self.columns.iter().zip(self.forced));
        let found = columns.map(|(name, (candidates, forced))| {
            let data_type = forced.map_or_else(|| settle(candidates), arrow_type);
            Found {
                name,
                convert: self.dialect.convert(&data_type, forced),
                data_type,
            }
        });
        (found.collect(), warnings)
    }
}

/// The next record's line.
fn next<R: Read>(reader: &mut Reader<R>, record: &mut ByteRecord) -> Result<Option<u64>, String> {
    let before = reader.position().line();
    let more = reader.read_byte_record(record).map_err(csv_message)?;
    let line = record_line(before, reader.position().line(), record.as_slice());
    Ok(more.then_some(line))
}

fn ragged(line: u64, fields: usize, expected: usize) -> String {
    format!(
        "line {line}: {fields} fields where the first line has {expected}; check the delimiter and the quotes"
    )
}

/// Why a cell cannot stand in its column.
enum Unfit {
    /// It was forced to this type, and is not of it.
    Forced(ColumnType),
    /// It has a point where the file has decimal commas.
    Point,
}

/// Takes one cell into its column.
fn note(
    cell: &str,
    line: u64,
    dialect: &Dialect,
    forced: Option<ColumnType>,
    column: &mut Candidates,
) -> Result<(), Unfit> {
    if cell.is_empty() || dialect.nulls.iter().any(|n| n == cell) {
        return Ok(());
    }
    if let Some(wanted) = forced {
        let taken = match dialect.convert(&arrow_type(wanted), forced) {
            Some(convert) => convert.takes(cell),
            None => parses(cell, wanted),
        };
        return if taken {
            Ok(())
        } else {
            Err(Unfit::Forced(wanted))
        };
    }
    if has_point(cell, dialect) {
        return Err(Unfit::Point);
    }
    column.seen = true;
    if column.kinds == 0 && !column.numbers && column.near.is_far() {
        return Ok(());
    }
    let found = kinds(cell, dialect);
    column.kinds &= found;
    column.near.note(found, line);
    let bare = cell.trim();
    let padded = bare.len() < cell.len();
    let number = if padded { kinds(bare, dialect) } else { found } & (INT | FLOAT) != 0;
    column.numbers &= number;
    if column.numbers && padded {
        column.padded.get_or_insert(line);
    }
    Ok(())
}

fn misfit(line: u64, column: &str, wanted: ColumnType) -> String {
    format!(
        "line {line}, column `{column}`: not {}, which types asks for; correct the file, name \
         the word in nulls, or read the column as \"utf8\" and convert it in the SQL",
        wanted_text(wanted)
    )
}

/// A column's name of more bytes is text that was cut wrongly.
const LONGEST_NAME: usize = 128;

/// Whether a cell of the first line is a number, a date or a truth value, and not a year, as columns can be named.
fn is_value(cell: &[u8]) -> bool {
    let cell = std::str::from_utf8(cell).unwrap_or_default().trim();
    if cell.len() == 4 && (cell.starts_with("19") || cell.starts_with("20")) {
        return false;
    }
    let number = cell.replace(',', ".");
    let date = cell.len() >= 8
        && cell
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-./:T ".contains(&b));
    date || is_boolean(cell) || Float64Type::parse(&number).is_some_and(f64::is_finite)
}

/// The columns' names: from the first record, which the reader has freed of a BOM, if there is a header, which may be
/// declared.
fn names(first: &ByteRecord, header: bool, declared: bool) -> Result<Vec<String>, String> {
    if !header {
        return Ok((1..=first.len()).map(|i| format!("column_{i}")).collect());
    }
    // As names they would stand in messages.
    if !declared && first.iter().any(is_value) {
        return Err(
            "line 1 looks like patients' data and not like names of columns: say header = false where there are none, \
             header = true where these are"
                .to_owned(),
        );
    }
    if first.iter().any(|name| name.len() > LONGEST_NAME) {
        return Err(format!(
            "line 1 has a column's name of more than {LONGEST_NAME} bytes: see whether delimiter and encoding are right"
        ));
    }
    let mut names: Vec<String> = Vec::with_capacity(first.len());
    for (i, bytes) in first.iter().enumerate() {
        let name = std::str::from_utf8(bytes)
            .map_err(|_| format!("line 1, field {}: the header is not UTF-8", i + 1))?;
        if let Some(at) = names.iter().position(|n| n == name) {
            return Err(format!(
                "line 1: the columns {} and {} have one name: rename one",
                at + 1,
                i + 1
            ));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn overrides(
    names: &[String],
    types: &BTreeMap<String, ColumnType>,
) -> Result<Vec<Option<ColumnType>>, String> {
    if let Some(missing) = types.keys().find(|t| !names.contains(t)) {
        return Err(format!(
            "types names the column `{missing}`, which the file does not have; it has: {}",
            shown_names(names)
        ));
    }
    Ok(names.iter().map(|n| types.get(n).copied()).collect())
}

/// The reader takes records of any length as bytes: what is left to fail is the file, and its quotes.
fn csv_message(error: csv::Error) -> String {
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::from(io::ErrorKind::InvalidData),
    };
    fault_message(&error).unwrap_or_else(|| input::message(&error))
}

fn settle(column: &Candidates) -> DataType {
    let kinds = if column.seen { column.kinds } else { 0 };
    let kind = [BOOLEAN, INT, FLOAT, DATE, TIMESTAMP]
        .into_iter()
        .find(|k| kinds & k != 0);
    match kind {
        Some(BOOLEAN) => DataType::Boolean,
        Some(INT) => DataType::Int64,
        Some(FLOAT) => DataType::Float64,
        Some(DATE) => DataType::Date32,
        Some(TIMESTAMP) => arrow_type(ColumnType::Timestamp),
        _ => DataType::Utf8,
    }
}

/// All types `cell` could be, as a set; 0 is text alone.
fn kinds(cell: &str, dialect: &Dialect) -> u8 {
    if dialect.date.as_ref().is_some_and(|date| date.takes(cell)) {
        return DATE;
    }
    match cell.as_bytes() {
        [b'-' | b'.' | b',' | b'0'..=b'9', ..] => {}
        _ => return if is_boolean(cell) { BOOLEAN } else { 0 },
    }
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let padded =
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if is_date(cell) {
        // Where the file's dates are declared in another order, this one is a text.
        if dialect.date.is_some() {
            0
        } else {
            DATE | TIMESTAMP
        }
    } else if padded {
        0
    } else if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        // A whole number too long for 64 bits is an identifier: as a float it would lose digits.
        // Beside a fraction, one beyond 2^53 would lose digits too.
        match Int64Type::parse(cell) {
            Some(whole) if whole.unsigned_abs() <= EXACT => INT | FLOAT,
            Some(_) => INT,
            None => 0,
        }
    } else if is_float(cell, dialect.decimal_comma) {
        FLOAT
    } else if cell.len() >= 19 && cell.as_bytes()[4] == b'-' && dates::moment(cell).is_some() {
        TIMESTAMP
    } else {
        0
    }
}

/// Whether `cell` is a number that a float keeps: `9007199254740993.0` is an identifier that some exporter wrote as one.
fn is_float(cell: &str, decimal_comma: bool) -> bool {
    let exponent = cell.contains(['e', 'E']);
    let kept = |n: f64| n.is_finite() && (exponent || n.abs() < EXACT_FLOAT);
    if decimal_comma {
        return Convert::Comma.takes(cell)
            && Float64Type::parse(&cell.replace(',', ".")).is_some_and(kept);
    }
    Float64Type::parse(cell).is_some_and(kept)
}

/// A number with a point where the file's decimals have a comma: of thousands, or of another hand.
fn has_point(cell: &str, dialect: &Dialect) -> bool {
    let bare = cell.trim();
    let digits = bare.strip_prefix(['-', '+']).unwrap_or(bare);
    let (whole, decimals) = digits.split_once(',').unwrap_or((digits, "0"));
    let Some((first, groups)) = whole.split_once('.') else {
        return false;
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let thousands = groups.split('.').all(|g| g.len() == 3 && is_digits(g));
    let decimal = !digits.contains(',') && is_digits(groups);
    dialect.decimal_comma && is_digits(first) && is_digits(decimals) && (thousands || decimal)
}

#[cfg(test)]
mod tests;
