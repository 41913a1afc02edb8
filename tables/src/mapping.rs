//! The mapping file: sources, and the one SELECT that makes the patient table.

mod source;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::TablesError;
use source::Sources;
pub use source::{ColumnType, DatabaseSource, Format, Quote, Source};

/// A mapping: which files are read under which names, and the query over them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Mapping {
    /// What the mapping makes, for the report.
    pub title: String,
    /// The result's column that names the patient.
    pub patient_id: String,
    /// The files the SQL may read.
    pub sources: Vec<Source>,
    /// The databases whose tables the SQL may read.
    pub databases: Vec<DatabaseSource>,
    /// The query.
    pub sql: String,
    /// The file the query was read from: the mapping, or its `sql_file`.
    pub sql_file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Head,
    #[serde(default)]
    source: Sources,
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
        let (sources, databases) = file.source.checked().map_err(&fail)?;
        if (file.sql.is_some() && head.sql.is_some())
            || (file.sql_file.is_some() && head.sql_file.is_some())
        {
            return Err(fail(
                "it has its query above [mapping] and below it: keep one".to_owned(),
            ));
        }
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
            sources,
            databases,
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
        return format!("{message}\nwrite sql under [mapping], above the first source");
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
