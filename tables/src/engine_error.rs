//! The engine's errors made into ours. While planning, its messages hold SQL and
//! column names and pass through with their place in the SQL. While rows flow they
//! may hold patients' values: there only what is recognised as free of values is
//! kept, and the rest is dropped.

use std::error::Error;
use std::fmt::Write;
use std::io;
use std::path::Path;

use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use datafusion::parquet::errors::ParquetError;

use crate::columns::{shown_names, type_name};
use crate::error::{TablesError, Told};
use crate::source::SourceColumns;

/// A planning error with its place in `sql` and the columns or tables there are.
pub(crate) fn plan_message(
    error: &DataFusionError,
    sql: &str,
    sources: &[SourceColumns],
) -> String {
    let root = error.find_root();
    let mut message = match root {
        DataFusionError::SQL(e, _) => strip_place(&e.to_string()).to_owned(),
        DataFusionError::SchemaError(e, _) => schema_message(e),
        DataFusionError::Plan(text) => function_message(text.replace("datafusion.public.", "")),
        DataFusionError::External(told) => told.to_string(),
        other => function_message(other.strip_backtrace()),
    };
    let place = error
        .diagnostic()
        .and_then(|d| d.span)
        .map(|s| (s.start.line, s.start.column))
        .or_else(|| place_in_text(&root.to_string()));
    if let Some((line, column)) = place {
        message = format!(
            "line {line}, column {column}: {message}\n{}",
            excerpt(sql, line, column)
        );
    }
    let available = match root {
        DataFusionError::SchemaError(e, _) => match e.as_ref() {
            SchemaError::FieldNotFound { valid_fields, .. } => in_scope(valid_fields, sources),
            _ => String::new(),
        },
        DataFusionError::Plan(text) if text.contains("not found") && text.contains("table '") => {
            let names: Vec<&str> = sources.iter().map(|s| s.name.as_str()).collect();
            format!("the mapping's sources are: {}", names.join(", "))
        }
        _ => String::new(),
    };
    if !available.is_empty() {
        message = format!("{}\n{available}", message.trim_end());
    }
    message.trim_end().to_owned()
}

/// Functions by which other engines count days.
const DAY_FUNCTIONS: [&str; 8] = [
    "date_diff",
    "datediff",
    "timestampdiff",
    "timestamp_diff",
    "age",
    "days_between",
    "day_diff",
    "julian",
];

/// An error about a function, with what to write where another engine's way was tried.
fn function_message(text: String) -> String {
    let invalid = text
        .split_once("Invalid function '")
        .and_then(|(_, rest)| rest.split_once('\''));
    if let Some((name, _)) = invalid
        && DAY_FUNCTIONS.contains(&name)
    {
        return format!("there is no function {name}: {DAYS}");
    }
    let text = without_report(text);
    if text.contains("date_part") {
        return format!("{text}\n{DAYS}, and needs no date_part");
    }
    text
}

const DAYS: &str = "d1 - d2 of two dates gives the days between them";

/// The engine's text without its account of what it tried, and its request to report the error to its authors.
fn without_report(text: String) -> String {
    if let Some((_, known)) =
        text.split_once("No function matches the given name and argument types '")
        && let Some((given, candidates)) = known.split_once("'.")
    {
        let candidates = candidates
            .split_once("Candidate functions:")
            .map_or("", |(_, c)| c);
        let known: Vec<&str> = candidates.split_whitespace().collect();
        if candidates.contains("UserDefined") {
            return format!(
                "there is no {given}: its arguments have types that do not go together; CAST them to one, as a text to \
                 BOOLEAN by x = 'yes'"
            );
        }
        return format!("there is no {given}; there are: {}", known.join(" "));
    }
    let text = text.strip_prefix("Internal error: ").unwrap_or(&text);
    let head = text.split_once("This issue was likely caused by a bug");
    head.map_or(text, |(head, _)| head)
        .trim_end_matches(['.', '\n', ' '])
        .to_owned()
}

fn schema_message(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let quoted = valid_fields
                .iter()
                .find(|v| v.name != field.name && v.name.eq_ignore_ascii_case(&field.name));
            match quoted {
                Some(v) => format!(
                    "no column is named {}; names with capitals are quoted: \"{}\"",
                    field.name, v.name
                ),
                None => format!("no column is named {}", field.flat_name()),
            }
        }
        SchemaError::AmbiguousReference { field } => format!(
            "the column {} is in more than one table: write which, as in t.{}",
            field.name, field.name
        ),
        other => other.to_string(),
    }
}

/// The columns in scope where one was not found, by table; without them, the sources'.
fn in_scope(valid: &[Column], sources: &[SourceColumns]) -> String {
    let mut tables: Vec<(String, Vec<&str>)> = Vec::new();
    for column in valid {
        let table = column
            .relation
            .as_ref()
            .map_or_else(|| "the query".to_owned(), |r| r.table().to_owned());
        match tables.iter_mut().find(|(t, _)| *t == table) {
            Some((_, names)) => names.push(&column.name),
            None => tables.push((table, vec![&column.name])),
        }
    }
    if tables.is_empty() {
        tables = sources
            .iter()
            .map(|s| {
                (
                    s.name.clone(),
                    s.columns.iter().map(|(n, _)| n.as_str()).collect(),
                )
            })
            .collect();
    }
    let mut text = String::new();
    for (table, names) in tables {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{table} has: {}", shown_names(&names));
    }
    text
}

/// `… at Line: 2, Column: 8`, as the parser writes it.
fn place_in_text(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.split_once(" at Line: ")?.1.split_once(", Column: ")?;
    let digits = column.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((line.parse().ok()?, digits.parse().ok()?))
}

fn strip_place(text: &str) -> &str {
    let text = text.split_once(" at Line: ").map_or(text, |(head, _)| head);
    text.trim_start_matches("sql parser error: ")
}

/// The SQL's line with a mark under the column; both count from 1.
fn excerpt(sql: &str, line: u64, column: u64) -> String {
    let text = usize::try_from(line.saturating_sub(1))
        .ok()
        .and_then(|i| sql.lines().nth(i));
    let Some(text) = text else {
        return String::new();
    };
    let indent: String = text
        .chars()
        .take(usize::try_from(column.saturating_sub(1)).unwrap_or(0))
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    format!("  {text}\n  {indent}^")
}

/// An error met while rows flow, without any value it may hold.
pub(crate) fn running(error: &DataFusionError, out: &Path, memory_mib: usize) -> TablesError {
    if is_storage_full(error) {
        return TablesError::writing(out, io::Error::from(io::ErrorKind::StorageFull));
    }
    let root = error.find_root();
    if let DataFusionError::External(cause) = root
        && let Some(told) = cause.downcast_ref::<Told>()
    {
        return TablesError::Run(told.to_string());
    }
    let text = match root {
        DataFusionError::ResourcesExhausted(_) => return TablesError::Memory { mib: memory_mib },
        DataFusionError::ArrowError(e, _) => arrow_message(e),
        DataFusionError::IoError(e) => format!("reading or spilling: {}", e.kind()),
        DataFusionError::ObjectStore(_) => {
            "a source could no longer be read: was it moved or changed meanwhile?".to_owned()
        }
        DataFusionError::ParquetError(_) => "a Parquet source is damaged".to_owned(),
        DataFusionError::NotImplemented(_) => {
            "the engine does not implement a part of this SQL: write it another way".to_owned()
        }
        DataFusionError::Execution(text) if text.contains("more than one row") => {
            "a scalar subquery gave more than one row: aggregate it, as in (SELECT max(x) …)"
                .to_owned()
        }
        DataFusionError::Execution(_) => {
            "a function was given a value it cannot take (not shown, for it may be a patient's); \
             look for it with TRY_CAST or a WHERE on the inputs"
                .to_owned()
        }
        _ => "the engine stopped on an error whose text may hold a patient's value, and is not \
              shown; narrow it down by removing columns from the SELECT"
            .to_owned(),
    };
    TablesError::Run(text)
}

/// An error of the engine before any source is open.
pub(crate) fn starting(error: &DataFusionError) -> TablesError {
    TablesError::Run(format!(
        "the engine could not start: {}",
        error.strip_backtrace()
    ))
}

fn arrow_message(error: &ArrowError) -> String {
    match error {
        ArrowError::CastError(text) | ArrowError::ParseError(text) => {
            let wanted = target_type(text).unwrap_or_else(|| "the type asked for".to_owned());
            format!(
                "a value (not shown) cannot be cast to {wanted}: TRY_CAST gives NULL instead, and \
                 WHERE x IS NOT NULL AND TRY_CAST(x AS …) IS NULL finds the rows"
            )
        }
        ArrowError::DivideByZero => {
            "a division by zero: divide by NULLIF(x, 0), which gives NULL".to_owned()
        }
        ArrowError::ArithmeticOverflow(_) => {
            "a number too large for its type: cast to DOUBLE or a wider DECIMAL first".to_owned()
        }
        ArrowError::CsvError(_) | ArrowError::JsonError(_) => {
            "a source does not read as it did when its types were found".to_owned()
        }
        _ => "a computation failed on a value, which is not shown; narrow it down by removing \
              columns from the SELECT"
            .to_owned(),
    }
}

/// The type a cast aimed at, taken from the message's end only if it reads as a type.
fn target_type(text: &str) -> Option<String> {
    let (_, tail) = text.rsplit_once(" to value of ")?;
    let data_type: DataType = tail.strip_suffix(" type")?.parse().ok()?;
    Some(type_name(&data_type))
}

/// Whether any cause in the chain is a full disk.
fn is_storage_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(e) = cause {
        if let Some(io) = e.downcast_ref::<io::Error>()
            && matches!(
                io.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        {
            return true;
        }
        cause = e.source();
    }
    false
}

/// An error of the Parquet writer: the disk's if an I/O error is behind it.
pub(crate) fn encoding(error: ParquetError, out: &Path) -> TablesError {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(io) => TablesError::writing(out, *io),
            Err(_) => TablesError::Run("the Parquet writer failed".to_owned()),
        },
        other if is_storage_full(&other) => {
            TablesError::writing(out, io::Error::from(io::ErrorKind::StorageFull))
        }
        _ => TablesError::Run("the Parquet writer failed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_pass() {
        let secret = "Smith to value of Jones type";
        let errors = [
            DataFusionError::ArrowError(
                Box::new(ArrowError::CastError(format!(
                    "Cannot cast string '{secret}' to value of Int64 type"
                ))),
                None,
            ),
            DataFusionError::ArrowError(
                Box::new(ArrowError::ParseError(format!("Row data: '{secret}'"))),
                None,
            ),
            DataFusionError::ArrowError(Box::new(ArrowError::ComputeError(secret.into())), None),
            DataFusionError::Execution(secret.into()),
            DataFusionError::Internal(secret.into()),
            DataFusionError::External(secret.into()),
            DataFusionError::Plan(secret.into()).context(secret),
        ];
        for error in errors {
            let text = running(&error, Path::new("x"), 1).to_string();
            assert!(!text.contains("Smith") && !text.contains("Jones"), "{text}");
        }
    }

    #[test]
    fn a_cast_names_its_type_and_a_full_disk_is_itself() {
        let cast = ArrowError::CastError("Cannot cast string 'x' to value of Int64 type".into());
        assert!(arrow_message(&cast).contains("cast to int64"));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = DataFusionError::IoError(full).context("spilling");
        assert!(matches!(
            running(&error, Path::new("x"), 1),
            TablesError::DiskFull { .. }
        ));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(
            encoding(ParquetError::from(full), Path::new("x")),
            TablesError::DiskFull { .. }
        ));
    }
}
