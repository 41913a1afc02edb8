//! What a hospital starts from: a mapping and its registry, ready for OMOP or proposed for any folder of files, to be
//! edited.

mod fhir;
mod files;
mod folder;
mod omop;
mod profile;
mod propose;
mod shipped;
mod sniff;

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::TablesError;
use crate::mapping::directory;
use shipped::{SHIPPED, concept_sets};

/// Where a mapping is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// An OMOP CDM, for a registry that is shipped.
    Omop {
        /// The registry's name.
        registry: String,
        /// Where it lies.
        place: Place,
    },
    /// A FHIR R4 bulk export, for a registry that is shipped.
    Fhir {
        /// The registry's name.
        registry: String,
        /// The folder of its NDJSON files.
        folder: PathBuf,
    },
    /// Files of any kind.
    Folder {
        /// Their folder.
        folder: PathBuf,
        /// The new registry's name; the folder's, if none is given.
        registry: Option<String>,
        /// The column that names the patient, where it is not found by its name.
        patient_id: Option<String>,
    },
}

/// Where an OMOP CDM lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a folder of CSV or Parquet files, named as its tables.
    Files(PathBuf),
    /// In PostgreSQL.
    Database {
        /// The environment variable that holds its URL.
        url_env: String,
        /// The schema of its tables; `public`, if none is given.
        schema: Option<String>,
    },
}

/// What was written to start from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Start {
    /// The registry, the mapping and its concept sets.
    pub files: Vec<PathBuf>,
    /// What to look at, or to do, first.
    pub notes: Vec<String>,
    /// The next command.
    pub next: String,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            writeln!(f, "written  {}", file.display())?;
        }
        for note in &self.notes {
            writeln!(f, "note     {note}")?;
        }
        write!(f, "next     {}", self.next)
    }
}

/// The registries that mappings are shipped for, from OMOP and from FHIR.
#[must_use]
pub fn shipped_registries() -> Vec<&'static str> {
    SHIPPED.iter().map(|s| s.name).collect()
}

/// Two files' texts, and what is to be said of them.
struct Texts {
    registry: String,
    mapping: String,
    notes: Vec<String>,
    /// The folder that the mapping's sources lie in, if they are files.
    source: Option<PathBuf>,
}

/// Writes `registry.toml`, `mapping.toml` and the concept sets that it reads into `out`, which is made if it is not
/// there. None of them may be there.
///
/// # Errors
/// [`TablesError::Start`]: no such registry, or a folder that tells nothing; [`TablesError::Read`],
/// [`TablesError::Source`] and [`TablesError::Write`]. Nothing is written then.
pub fn init(from: &From, out: &Path) -> Result<Start, TablesError> {
    let texts = match from {
        From::Omop { registry, place } => omop::texts(registry, place)?,
        From::Fhir { registry, folder } => fhir::texts(registry, folder)?,
        From::Folder {
            folder,
            registry,
            patient_id,
        } => folder::texts(folder, registry.as_deref(), patient_id.as_deref())?,
    };
    let (registry, mapping) = (out.join("registry.toml"), out.join("mapping.toml"));
    let sets = concept_sets(&texts.mapping);
    let sets: Vec<_> = sets.map(|(path, text)| (out.join(path), text)).collect();
    let mut files = vec![
        (registry, texts.registry.as_str()),
        (mapping.clone(), texts.mapping.as_str()),
    ];
    files.extend(sets);
    for (file, _) in &files {
        if file.exists() {
            return Err(TablesError::Start {
                message: format!(
                    "{} is there already: choose another --out, or move it away",
                    file.display()
                ),
            });
        }
    }
    let written = files.iter().try_for_each(|(file, text)| {
        write(file, text).map_err(|source| TablesError::Write {
            file: file.clone(),
            next: "choose another --out: a folder that can be written to",
            source,
        })
    });
    written?;
    let source = texts.source.map(|s| format!(" --source {}", s.display()));
    Ok(Start {
        next: format!(
            "galen-tables check {}{} --report {}",
            mapping.display(),
            source.unwrap_or_default(),
            out.join("report").display()
        ),
        files: files.into_iter().map(|(file, _)| file).collect(),
        notes: texts.notes,
    })
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(directory(file))?;
    let mut created = fs::File::create_new(file)?;
    created.write_all(text.as_bytes())?;
    created.sync_all()
}

fn refused(message: String) -> TablesError {
    TablesError::Start { message }
}
