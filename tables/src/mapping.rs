//! The mapping file: sources, and the one SELECT that makes the patient table.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::TablesError;

/// A mapping: which files are read under which names, and the query over them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mapping {
    /// What the mapping makes, for the report.
    pub title: String,
    /// The result's column that names the patient.
    pub patient_id: String,
    /// The tables the SQL may read.
    pub sources: Vec<Source>,
    /// The query.
    pub sql: String,
    /// The file the query was read from: the mapping, or its `sql_file`.
    pub sql_file: PathBuf,
}

/// One table the SQL may read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Source {
    /// Its name in the SQL.
    pub name: String,
    /// The file, relative to the source directory.
    pub path: PathBuf,
    /// How the file is written.
    pub format: Format,
    /// CSV: the byte between fields; a comma when absent.
    pub delimiter: Option<char>,
    /// CSV: whether line 1 names the columns; true when absent. Without it they
    /// are `column_1`, `column_2`, …
    pub header: Option<bool>,
    /// CSV: cells read as NULL. The empty cell always is.
    #[serde(default)]
    pub nulls: Vec<String>,
    /// CSV and NDJSON: types that replace the inferred ones, by column.
    #[serde(default)]
    pub types: BTreeMap<String, ColumnType>,
}

/// How a source file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// Text with a delimiter, quotes doubled, UTF-8.
    Csv,
    /// Parquet.
    Parquet,
    /// One JSON object per line, as FHIR Bulk Data writes it.
    Ndjson,
}

/// A type given to a source's column in place of the inferred one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ColumnType {
    /// `true` or `false`.
    #[serde(alias = "bool")]
    Boolean,
    /// A signed 64-bit integer.
    #[serde(alias = "int64")]
    Int,
    /// A 64-bit float.
    #[serde(alias = "float64")]
    Float,
    /// Text as written, leading zeros and all.
    #[serde(alias = "text")]
    Utf8,
    /// A calendar date, `YYYY-MM-DD`.
    #[serde(alias = "date32")]
    Date,
    /// A date and time; an offset, if written, is applied, giving UTC.
    Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Head,
    #[serde(default)]
    source: Vec<Source>,
    sql: Option<String>,
    sql_file: Option<PathBuf>,
}

/// TOML puts a key written after `[mapping]` into that table, so the query may
/// stand there as well as at the top.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    #[serde(default = "default_patient_id")]
    patient_id: String,
    sql: Option<String>,
    sql_file: Option<PathBuf>,
}

fn default_patient_id() -> String {
    "patient_id".to_owned()
}

impl Mapping {
    /// Reads the mapping file at `path`, and its `sql_file` if it has one.
    ///
    /// # Errors
    /// [`TablesError::Read`] for a file that cannot be read, else as
    /// [`Mapping::from_toml`].
    pub fn read(path: &Path) -> Result<Self, TablesError> {
        let text = read_text(path, "give the mapping file's path")?;
        Self::from_toml(&text, path)
    }

    /// Reads a mapping from its text; `path` is where it stands, for messages and
    /// for finding its `sql_file`.
    ///
    /// # Errors
    /// [`TablesError::Mapping`] with the line for TOML that is not a mapping;
    /// [`TablesError::Read`] for a `sql_file` that cannot be read.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, TablesError> {
        let fail = |message: String| TablesError::Mapping {
            file: path.to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|e| fail(toml_message(&e)))?;
        let head = file.mapping;
        check_name(&head.patient_id, "mapping.patient_id").map_err(&fail)?;
        check_sources(&file.source).map_err(&fail)?;
        let (sql, sql_file) = match (file.sql.or(head.sql), file.sql_file.or(head.sql_file)) {
            (Some(sql), None) => (sql, path.to_owned()),
            (None, Some(name)) => {
                let file = directory(path).join(name);
                (
                    read_text(&file, "sql_file is relative to the mapping file")?,
                    file,
                )
            }
            (None, None) => {
                return Err(fail(
                    "it has no query: write sql = \"\"\"SELECT …\"\"\" or sql_file = \"x.sql\" \
                     under [mapping]"
                        .to_owned(),
                ));
            }
            (Some(_), Some(_)) => {
                return Err(fail("it has both sql and sql_file: keep one".to_owned()));
            }
        };
        Ok(Self {
            title: head.title,
            patient_id: head.patient_id,
            sources: file.source,
            sql,
            sql_file,
        })
    }
}

/// TOML's own message shows the line; it cannot know that a key written below a
/// `[[source]]` belongs to that source.
fn toml_message(error: &toml::de::Error) -> String {
    let message = error.to_string().trim().to_owned();
    if message.contains("unknown field `sql") {
        return format!("{message}\nwrite sql under [mapping], above the first [[source]]");
    }
    message
}

/// The directory a file stands in, `.` for a bare name.
pub(crate) fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn read_text(path: &Path, next: &str) -> Result<String, TablesError> {
    fs::read_to_string(path).map_err(|source| TablesError::Read {
        file: path.to_owned(),
        next: next.to_owned(),
        source,
    })
}

/// Whether `name` can name a column of a registry: `[a-z_][a-z0-9_]*`.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn check_name(name: &str, key: &str) -> Result<(), String> {
    if is_name(name) {
        return Ok(());
    }
    Err(format!(
        "{key} is `{name}`: names are lower-case letters, digits and _, and begin with no digit"
    ))
}

fn check_sources(sources: &[Source]) -> Result<(), String> {
    if sources.is_empty() {
        return Err("it has no [[source]]: name the files the SQL reads".to_owned());
    }
    for (i, source) in sources.iter().enumerate() {
        let name = &source.name;
        check_name(name, "source.name")?;
        if sources[..i].iter().any(|s| s.name == *name) {
            return Err(format!("two sources are named `{name}`: rename one"));
        }
        if source.delimiter.is_some_and(|d| !d.is_ascii()) {
            return Err(format!(
                "source `{name}`: the delimiter must be one ASCII character, like \",\" or \"\\t\""
            ));
        }
        let csv_only =
            source.delimiter.is_some() || source.header.is_some() || !source.nulls.is_empty();
        if csv_only && source.format != Format::Csv {
            return Err(format!(
                "source `{name}`: delimiter, header and nulls are for format = \"csv\" only"
            ));
        }
        if !source.types.is_empty() && source.format == Format::Parquet {
            return Err(format!(
                "source `{name}`: a Parquet file has its types; cast in the SQL instead"
            ));
        }
    }
    Ok(())
}
