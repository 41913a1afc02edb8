//! The mapping file: sources, and the one SELECT that makes the patient table.

mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use galen_query::provenance::{is_day, is_line};
use galen_query::registry::{MAX_TEXT, Registry};
use galen_query::text::hex;
use sha2::{Digest, Sha256};

use crate::concepts::{self, Named};
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
    /// Its file.
    pub(crate) registry_file: Option<PathBuf>,
    /// SHA-256 of the mapping file, and of the query's where that is a file of its own; lower-case hexadecimal.
    pub(crate) sha256: Vec<String>,
    /// What the report counts besides.
    pub counts: Vec<Count>,
    /// The tables that its queries share.
    pub views: Vec<View>,
    /// What there should be none of.
    pub expected: Vec<Expect>,
    /// What goes on record of the data, as the hospital says it.
    pub said: Said,
    /// The concept sets that the SQL can read.
    pub(crate) concept_sets: Vec<Named>,
}

/// What a mapping says of its data, for the record.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Said {
    /// What the sources hold, such as `OMOP CDM 5.4`.
    pub model: Option<String>,
    /// The day of the files' export.
    pub exported: Option<String>,
    /// How dates were shifted: `none`, or the rule.
    pub date_shift: Option<String>,
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

/// A table of the mapping's own, for all of its queries.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct View {
    /// Its name in the SQL.
    pub name: String,
    /// The query, over the sources and the views before it.
    pub sql: String,
}

/// What must be so for the table to be right: a query that counts what is not.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Expect {
    /// What it counts, of which there should be none.
    pub title: String,
    /// The query, over the same sources: one row with one whole number.
    pub sql: String,
    /// What is done where there are some.
    pub otherwise: Otherwise,
}

/// What is done where there is some of what there should be none of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Otherwise {
    /// Nothing is written.
    Reject,
    /// It is told.
    Warn,
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
    #[serde(default)]
    view: Vec<View>,
    #[serde(default)]
    expect: Vec<Expect>,
    #[serde(default)]
    concept_set: BTreeMap<String, ConceptFile>,
    sql: Option<String>,
    sql_file: Option<PathBuf>,
}

/// Where a concept set stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConceptFile {
    path: PathBuf,
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
    model: Option<String>,
    exported: Option<toml::Value>,
    date_shift: Option<String>,
}

impl Head {
    /// What goes on record.
    fn said(&self) -> Result<Said, String> {
        for (key, text) in [("model", &self.model), ("date_shift", &self.date_shift)] {
            if text.as_deref().is_some_and(|t| !is_line(t)) {
                return Err(format!(
                    "mapping.{key} goes on public record: write one line of at most {MAX_TEXT} bytes, of which all is seen"
                ));
            }
        }
        let exported = self.exported.as_ref().map(|value| match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        if exported.as_deref().is_some_and(|day| !is_day(day)) {
            return Err(
                "mapping.exported is the day of the export: write it as \"2026-03-31\"".to_owned(),
            );
        }
        Ok(Said {
            model: self.model.clone(),
            exported,
            date_shift: self.date_shift.clone(),
        })
    }
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
        let said = head.said().map_err(&fail)?;
        let named = file.view.iter().map(|v| check_name(&v.name, "view.name"));
        named.collect::<Result<(), _>>().map_err(&fail)?;
        let wanted = wanted(head.registry.as_deref(), path, policy)?;
        let concept_sets = concept_sets(file.concept_set, path)?;
        if let Some(wanted) = &wanted {
            concepts::check(&concept_sets, &wanted.registry).map_err(&fail)?;
        }
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
            registry_file: head.registry.map(|file| directory(path).join(file)),
            counts: file.count,
            views: file.view,
            expected: file.expect,
            said,
            concept_sets,
        })
    }
}

fn concept_sets(
    files: BTreeMap<String, ConceptFile>,
    path: &Path,
) -> Result<Vec<Named>, TablesError> {
    let sets = files.into_iter().map(|(name, file)| {
        check_name(&name, "the name of a concept set").map_err(|message| TablesError::Mapping {
            file: path.to_owned(),
            message,
        })?;
        Named::read(name, directory(path).join(file.path))
    });
    sets.collect()
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
