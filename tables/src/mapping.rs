//! The mapping file: sources, and the one SELECT that makes the patient table.

mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use galen_query::registry::Registry;
use galen_query::text::hex;
use sha2::{Digest, Sha256};

use crate::error::TablesError;
use crate::quality::{Policy, Rules, Wanted};
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
    /// The registry that the table is for, where the mapping names one.
    pub(crate) wanted: Option<Wanted>,
    /// SHA-256 of the mapping file, and of the query's where that is a file of its own; lower-case hexadecimal.
    pub(crate) sha256: Vec<String>,
    /// What the report counts besides.
    pub counts: Vec<Count>,
}

/// A query whose result stands in the report: units that were seen, rows that were left out and why.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Count {
    /// What it counts.
    pub title: String,
    /// The query, over the same sources.
    pub sql: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Head,
    #[serde(default)]
    source: Sources,
    #[serde(default)]
    policy: Rules,
    #[serde(default)]
    column: BTreeMap<String, Rules>,
    #[serde(default)]
    count: Vec<Count>,
    sql: Option<String>,
    sql_file: Option<PathBuf>,
}

/// TOML puts a key written after `[mapping]` into that table, so the query may
/// stand there as well as at the top.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    title: String,
    patient_id: Option<String>,
    registry: Option<PathBuf>,
    sql: Option<String>,
    sql_file: Option<PathBuf>,
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
        let policy = Policy {
            rules: file.policy,
            columns: file.column,
        };
        let wanted = wanted(head.registry.as_deref(), path, policy)?;
        let patient_id = patient_id(head.patient_id, wanted.as_ref()).map_err(&fail)?;
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
            patient_id,
            sources,
            databases,
            sha256: digests(text, (sql_file != path).then_some(&sql)),
            sql,
            sql_file,
            wanted,
            counts: file.count,
        })
    }
}

fn digests(mapping: &str, sql: Option<&String>) -> Vec<String> {
    let texts = [mapping].into_iter().chain(sql.map(String::as_str));
    texts.map(|text| hex(&Sha256::digest(text))).collect()
}

/// The registry that the mapping at `path` names, and its policy.
fn wanted(
    registry: Option<&Path>,
    path: &Path,
    policy: Policy,
) -> Result<Option<Wanted>, TablesError> {
    let fail = |file: &Path, message: String| TablesError::Mapping {
        file: file.to_owned(),
        message,
    };
    let Some(registry) = registry else {
        if policy != Policy::default() {
            let message = "[policy] and [column.…] are about a registry: name it under [mapping], as \
                           registry = \"registry.toml\"";
            return Err(fail(path, message.to_owned()));
        }
        return Ok(None);
    };
    let file = directory(path).join(registry);
    let text = read_text(&file, "registry is relative to the mapping file")?;
    let registry = Registry::from_toml(&text).map_err(|e| fail(&file, e.to_string()))?;
    policy.check(&registry).map_err(|e| fail(path, e))?;
    Ok(Some(Wanted::new(registry, policy)))
}

/// The column that names the patient: the mapping's, which is the registry's.
fn patient_id(own: Option<String>, wanted: Option<&Wanted>) -> Result<String, String> {
    if let Some(own) = &own {
        check_name(own, "mapping.patient_id")?;
    }
    match (own, wanted.map(|w| w.registry.patient_id.clone())) {
        (Some(own), Some(registry)) if own != registry => Err(format!(
            "mapping.patient_id is `{own}` and the registry's is `{registry}`: leave it out here, and name the \
             column in the SQL AS {registry}"
        )),
        (own, registry) => Ok(registry.or(own).unwrap_or_else(|| "patient_id".to_owned())),
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
