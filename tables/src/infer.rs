//! What types a CSV file's columns have, judged over all its rows, so that the
//! reading that follows cannot fail on a late one. A whole number with a leading
//! zero is text: codes and identifiers keep their zeros.

use std::collections::BTreeMap;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use datafusion::arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit};

use crate::mapping::ColumnType;

/// How a CSV file is cut into cells.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) header: bool,
    pub(crate) nulls: Vec<String>,
}

/// One column as found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// Whether one of the mapping's `nulls` stands in it.
    pub(crate) has_null_word: bool,
}

/// A CSV file as found.
#[derive(Debug)]
pub(crate) struct CsvShape {
    pub(crate) columns: Vec<Found>,
    /// Whether a quoted cell spans lines.
    pub(crate) newlines: bool,
}

const BOOLEAN: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 4;
const DATE: u8 = 8;
const TIMESTAMP: u8 = 16;

/// The types a column's cells so far all have.
struct Candidates {
    kinds: u8,
    seen: bool,
    has_null_word: bool,
}

/// Reads all of `input` and settles each column's type; `types` overrides, and is
/// checked against every cell.
///
/// # Errors
/// A message with the line and column, and never a value.
pub(crate) fn infer_csv(
    input: impl Read,
    dialect: &Dialect,
    types: &BTreeMap<String, ColumnType>,
) -> Result<CsvShape, String> {
    let mut reader = ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .has_headers(false)
        .from_reader(input);
    let mut record = ByteRecord::new();
    if !reader
        .read_byte_record(&mut record)
        .map_err(|e| csv_message(&e))?
    {
        return Err("the file is empty: it needs at least a header line".to_owned());
    }
    let names = names(&record, dialect.header)?;
    let overrides = overrides(&names, types)?;
    let mut columns: Vec<Candidates> = names
        .iter()
        .map(|_| Candidates {
            kinds: u8::MAX,
            seen: false,
            has_null_word: false,
        })
        .collect();
    let mut newlines = false;
    let mut more = !dialect.header
        || reader
            .read_byte_record(&mut record)
            .map_err(|e| csv_message(&e))?;
    while more {
        let line = record.position().map_or(0, csv::Position::line);
        for (i, bytes) in record.iter().enumerate() {
            let cell = std::str::from_utf8(bytes).map_err(|_| {
                format!(
                    "line {line}, column `{}`: not UTF-8; convert the file, for example with \
                     iconv -f ISO-8859-1 -t UTF-8",
                    names[i]
                )
            })?;
            newlines |= cell.contains(['\n', '\r']);
            note(cell, dialect, overrides[i], &mut columns[i])
                .map_err(|wanted| misfit(line, &names[i], wanted))?;
        }
        more = reader
            .read_byte_record(&mut record)
            .map_err(|e| csv_message(&e))?;
    }
    let columns = names
        .into_iter()
        .zip(columns.iter().zip(overrides))
        .map(|(name, (found, forced))| Found {
            name,
            data_type: forced.map_or_else(|| settle(found), arrow_type),
            has_null_word: found.has_null_word,
        })
        .collect();
    Ok(CsvShape { columns, newlines })
}

/// Takes one cell into its column; the error is the type it was forced to and is not.
fn note(
    cell: &str,
    dialect: &Dialect,
    forced: Option<ColumnType>,
    column: &mut Candidates,
) -> Result<(), ColumnType> {
    if cell.is_empty() {
        return Ok(());
    }
    if dialect.nulls.iter().any(|n| n == cell) {
        column.has_null_word = true;
        return Ok(());
    }
    match forced {
        Some(wanted) if !parses(cell, wanted) => Err(wanted),
        Some(_) => Ok(()),
        None => {
            column.seen = true;
            if column.kinds != 0 {
                column.kinds &= kinds(cell);
            }
            Ok(())
        }
    }
}

fn misfit(line: u64, column: &str, wanted: ColumnType) -> String {
    format!(
        "line {line}, column `{column}`: not {}, which types asks for; correct the file, name \
         the word in nulls, or read the column as \"utf8\" and convert it in the SQL",
        match wanted {
            ColumnType::Boolean => "a boolean (true or false)",
            ColumnType::Int => "a whole number",
            ColumnType::Float => "a number",
            ColumnType::Utf8 => "text",
            ColumnType::Date => "a date (YYYY-MM-DD)",
            ColumnType::Timestamp => "a timestamp (YYYY-MM-DD HH:MM:SS)",
        }
    )
}

/// The columns' names: from the first record, which the reader has freed of a BOM.
fn names(first: &ByteRecord, header: bool) -> Result<Vec<String>, String> {
    if !header {
        return Ok((1..=first.len()).map(|i| format!("column_{i}")).collect());
    }
    let mut names: Vec<String> = Vec::with_capacity(first.len());
    for (i, bytes) in first.iter().enumerate() {
        let name = std::str::from_utf8(bytes)
            .map_err(|_| format!("line 1, field {}: the header is not UTF-8", i + 1))?;
        if names.iter().any(|n| n == name) {
            return Err(format!(
                "line 1: two columns are named `{name}`: rename one"
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
            names.join(", ")
        ));
    }
    Ok(names.iter().map(|n| types.get(n).copied()).collect())
}

/// The csv crate's messages name lines and lengths; only a UTF-8 error, which byte
/// records do not raise, could show a value.
fn csv_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => format!(
            "line {}: {len} fields where the first line has {expected_len}; check the delimiter \
             and the quotes",
            pos.as_ref().map_or(0, csv::Position::line)
        ),
        csv::ErrorKind::Io(e) => format!("cannot be read: {e}"),
        _ => "not a readable CSV file".to_owned(),
    }
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

/// The Arrow type a mapping's type stands for.
pub(crate) fn arrow_type(column: ColumnType) -> DataType {
    match column {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Utf8 => DataType::Utf8,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// Whether the reader will take `cell` as `wanted`.
fn parses(cell: &str, wanted: ColumnType) -> bool {
    match wanted {
        ColumnType::Boolean => is_boolean(cell),
        ColumnType::Int => Int64Type::parse(cell).is_some(),
        ColumnType::Float => Float64Type::parse(cell).is_some_and(f64::is_finite),
        ColumnType::Utf8 => true,
        ColumnType::Date => is_date(cell),
        ColumnType::Timestamp => is_date(cell) || is_timestamp(cell),
    }
}

fn is_boolean(cell: &str) -> bool {
    cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false")
}

fn is_date(cell: &str) -> bool {
    let b = cell.as_bytes();
    b.len() == 10 && b[4] == b'-' && b[7] == b'-' && Date32Type::parse(cell).is_some()
}

fn is_timestamp(cell: &str) -> bool {
    let utc: Result<Tz, _> = "+00:00".parse();
    utc.is_ok_and(|utc| string_to_datetime(&utc, cell).is_ok())
}

/// All types `cell` could be, as a set; 0 is text alone.
fn kinds(cell: &str) -> u8 {
    match cell.as_bytes() {
        [b'-' | b'.' | b'0'..=b'9', ..] => {}
        _ => return if is_boolean(cell) { BOOLEAN } else { 0 },
    }
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let padded =
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    if is_date(cell) {
        DATE | TIMESTAMP
    } else if padded {
        0
    } else if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        // A whole number too long for 64 bits is an identifier: as a float it would lose digits.
        if Int64Type::parse(cell).is_some() {
            INT | FLOAT
        } else {
            0
        }
    } else if parses(cell, ColumnType::Float) {
        FLOAT
    } else if cell.len() >= 19 && cell.as_bytes()[4] == b'-' && is_plain_timestamp(cell) {
        TIMESTAMP
    } else {
        0
    }
}

/// `YYYY-MM-DD HH:MM:SS` with an optional fraction and no offset; one with an
/// offset stays text unless the mapping says `timestamp`.
fn is_plain_timestamp(cell: &str) -> bool {
    let bytes = &cell.as_bytes()[19..];
    let fraction = bytes.is_empty()
        || (bytes[0] == b'.' && bytes.len() > 1 && bytes[1..].iter().all(u8::is_ascii_digit));
    fraction && matches!(cell.as_bytes()[10], b' ' | b'T') && is_timestamp(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str, nulls: &[&str], types: &[(&str, ColumnType)]) -> Result<CsvShape, String> {
        let dialect = Dialect {
            delimiter: b',',
            header: true,
            nulls: nulls.iter().map(|s| (*s).to_owned()).collect(),
        };
        let types = types.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
        infer_csv(text.as_bytes(), &dialect, &types)
    }

    fn types(text: &str, nulls: &[&str]) -> Vec<DataType> {
        let shape = shape(text, nulls, &[]).unwrap();
        shape.columns.into_iter().map(|c| c.data_type).collect()
    }

    #[test]
    fn each_kind_is_told_from_all_rows() {
        let text = "a,b,c,d,e,f,g,h\n\
                    1,1,007,2020-01-01,2020-01-01,true,x,\n\
                    -2,2.5,8,2020-02-29,2020-01-01 10:00:00,FALSE,1,\n";
        let us = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(
            types(text, &[]),
            [
                DataType::Int64,
                DataType::Float64,
                DataType::Utf8,
                DataType::Date32,
                us,
                DataType::Boolean,
                DataType::Utf8,
                DataType::Utf8
            ]
        );
    }

    #[test]
    fn what_would_lose_digits_or_meaning_stays_text() {
        for cell in [
            "01",
            "-05",
            "99999999999999999999",
            "1e999",
            "NaN",
            "2020-02-30",
            "1-2",
            "+5",
        ] {
            let text = format!("a\n{cell}\n");
            assert_eq!(types(&text, &[]), [DataType::Utf8], "{cell}");
        }
        assert_eq!(
            types("a\n2020-01-01T10:00:00-05:00\n", &[]),
            [DataType::Utf8]
        );
    }

    #[test]
    fn null_words_do_not_count_and_are_noted() {
        let text = "a,b\n1,NA\nNA,2\n,3\n";
        let shape = shape(text, &["NA"], &[]).unwrap();
        assert!(
            shape
                .columns
                .iter()
                .all(|c| c.has_null_word && c.data_type == DataType::Int64)
        );
        assert_eq!(types(text, &[]), [DataType::Utf8, DataType::Utf8]);
    }

    #[test]
    fn a_bom_is_dropped_and_newlines_are_noticed() {
        let shape = shape("\u{feff}a,b\n\"x\ny\",1\n", &[], &[]).unwrap();
        assert_eq!(shape.columns[0].name, "a");
        assert!(shape.newlines);
    }

    #[test]
    fn errors_name_line_and_column_but_no_value() {
        let error = shape("a,b\n1,2\n3,Smith\n", &[], &[("b", ColumnType::Int)]).unwrap_err();
        assert!(
            error.contains("line 3, column `b`") && !error.contains("Smith"),
            "{error}"
        );
        let error = shape("a,b\n1,2,Smith\n", &[], &[]).unwrap_err();
        assert!(
            error.contains("line 2: 3 fields") && !error.contains("Smith"),
            "{error}"
        );
        let error = shape("a,b\n", &[], &[("c", ColumnType::Int)]).unwrap_err();
        assert!(error.contains("`c`") && error.contains("a, b"), "{error}");
    }
}
