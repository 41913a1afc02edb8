//! Concept sets: which codes a registry's column means, such as all that are "hypertension".
//!
//! They come from ATLAS, as FHIR value sets or as CSV, and all become the same sorted list of [`Item`]s. Its
//! [digest](ConceptSet::digest) stands in the registry: hospitals whose digests are equal mean the same codes. A file
//! that is not understood in full is therefore refused in full.

mod atlas;
mod check;
mod digest;
mod error;
mod expansion;
mod fhir;
mod json;
mod named;
mod remarks;
mod show;
mod table;
mod tables;
mod term;

use std::fmt;
use std::path::Path;

pub use error::ConceptSetError;
pub(crate) use named::{Named, check};
pub use show::{ConceptSetReport, ConceptSets, concept_sets};
pub(crate) use tables::{EXPANDED, ITEMS, register};

/// How large a file may be.
pub const MAX_BYTES: usize = 16 << 20;

/// How many items a file may have.
pub const MAX_ITEMS: usize = 100_000;

/// What one item of a concept set names. Concepts are ordered by id, or by system and then code, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concept {
    /// A concept of the OMOP vocabularies, by its `concept_id`, which is positive.
    Omop(i64),
    /// A code as patients' records have it.
    Coded {
        /// The code system's URI, as in FHIR.
        system: String,
        /// The code, exactly as the system writes it.
        code: String,
    },
}

impl Concept {
    /// A code's system.
    fn system(&self) -> Option<&str> {
        match self {
            Self::Omop(_) => None,
            Self::Coded { system, .. } => Some(system),
        }
    }

    /// A code, without its system.
    fn code(&self) -> Option<&str> {
        match self {
            Self::Omop(_) => None,
            Self::Coded { code, .. } => Some(code),
        }
    }
}

impl fmt::Display for Concept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Omop(id) => write!(f, "concept_id {id}"),
            Self::Coded { system, code } => write!(f, "code {code} of {system}"),
        }
    }
}

/// One line of a concept set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// What it names.
    pub code: Concept,
    /// Whether it is taken out of what the other items include.
    pub excluded: bool,
    /// Whether all that is below it in its vocabulary's hierarchy goes with it.
    pub descendants: bool,
}

/// A set of codes: at least one that is included, each code once, and all either OMOP's or coded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConceptSet {
    items: Vec<Item>,
    notes: Vec<String>,
}

/// An item, and where it stands in the file, for messages.
struct Entry {
    item: Item,
    place: String,
}

/// What a file holds, before its items are looked at together.
struct Found {
    entries: Vec<Entry>,
    notes: Vec<String>,
}

impl ConceptSet {
    /// Reads a concept set from the bytes of a file: a CSV where its name ends with `.csv`, else JSON, either a FHIR
    /// `ValueSet` or what ATLAS exports.
    ///
    /// # Errors
    /// [`ConceptSetError`], which names `file_name`; bytes beyond [`MAX_BYTES`] are not looked at.
    pub fn from_bytes(file_name: &Path, bytes: &[u8]) -> Result<Self, ConceptSetError> {
        let file = file_name.to_owned();
        if bytes.len() > MAX_BYTES {
            let bytes = bytes.len();
            return Err(ConceptSetError::TooLarge { file, bytes });
        }
        let found = match read(file_name, bytes) {
            Ok(found) => found,
            Err(message) => return Err(ConceptSetError::Form { file, message }),
        };
        check::set(found).map_err(|message| ConceptSetError::Meaning { file, message })
    }

    /// The items, sorted.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What is not wrong with the file but should be looked at, one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

fn read(file_name: &Path, bytes: &[u8]) -> Result<Found, String> {
    let text = utf8(bytes)?;
    let extension = file_name.extension().unwrap_or_default();
    if extension.eq_ignore_ascii_case("csv") {
        table::read(text)
    } else {
        json::read(text)
    }
}

/// The file's text, without a byte order mark.
fn utf8(bytes: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let lines = bytes[..e.valid_up_to()].split(|b| *b == b'\n');
        format!("line {}: not UTF-8; save the file as UTF-8", lines.count())
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests;
