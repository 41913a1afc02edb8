//! A mapping's concept sets, and whether they are those of its registry.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use galen_query::registry::Registry;
use galen_query::text::hex;

use super::{ConceptSet, Item, MAX_BYTES};
use crate::error::TablesError;

/// A concept set under its name, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    set: ConceptSet,
}

impl Named {
    /// Reads a set's file.
    ///
    /// # Errors
    /// [`TablesError::Read`], or what is wrong with it.
    pub(crate) fn read(name: String, file: PathBuf) -> Result<Self, TablesError> {
        let mut bytes = Vec::new();
        let opened = File::open(&file);
        // One byte more than a set may have is refused, and no more is read.
        let read = opened.and_then(|f| f.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|source| TablesError::Read {
            file: file.clone(),
            next: "a concept set's path is relative to the mapping file".to_owned(),
            source,
        })?;
        let set = ConceptSet::from_bytes(&file, &bytes)?;
        Ok(Self { name, file, set })
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.set.items().iter()
    }

    /// Its digest in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        hex(&self.set.digest())
    }

    /// What should be looked at, with its name.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let notes = self.set.notes().iter();
        notes.map(|note| format!("concept set {}: {note}", self.name))
    }

    /// Why it cannot be used.
    pub(super) fn refused(&self, message: String) -> TablesError {
        TablesError::Mapping {
            file: self.file.clone(),
            message,
        }
    }
}

/// Refuses sets that mean something else than the registry does, and a column whose meaning nothing tells.
pub(crate) fn check(sets: &[Named], registry: &Registry) -> Result<(), String> {
    for set in sets {
        let declared = registry.concept_sets.iter().find(|s| s.name == set.name);
        let Some(wanted) = declared else {
            return Err(format!(
                "[concept_set.{}]: the registry {} has no such concept set, so nothing would say what was counted: \
                 declare it there, or leave it out here",
                set.name,
                registry.label()
            ));
        };
        let (own, digest) = (set.digest(), hex(&wanted.digest));
        if own != digest {
            return Err(format!(
                "[concept_set.{}]: {} has other codes than the registry {} means: its digest is {own}, the registry's \
                 {digest}. Take the study's file, or agree on a new version of the registry",
                set.name,
                set.file.display(),
                registry.label()
            ));
        }
    }
    let given = |name: &String| sets.iter().any(|s| s.name == *name);
    let untold = registry
        .columns
        .iter()
        .find(|c| !c.concept_sets.is_empty() && !c.concept_sets.iter().any(given));
    match untold {
        None => Ok(()),
        Some(column) => Err(format!(
            "the registry says that column `{}` means the concept set {}: give its file, as [concept_set.{}] and path = \
             \"…\", and have the SQL read it",
            column.name,
            column.concept_sets.join(" or "),
            column.concept_sets[0]
        )),
    }
}
