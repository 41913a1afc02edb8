//! What concept sets' files hold, and how a registry refers to them.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::{Concept, Named};
use crate::error::TablesError;
use crate::mapping::is_name;
use crate::report::table;

/// What files of concept sets hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConceptSets(pub Vec<ConceptSetReport>);

/// What a concept set's file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConceptSetReport {
    /// The file.
    pub file: PathBuf,
    /// A name for it in a registry, of the file's.
    pub name: String,
    /// How many concepts it names.
    pub concepts: usize,
    /// How many of them are taken out.
    pub excluded: usize,
    /// How many go with their descendants.
    pub with_descendants: usize,
    /// Whether they are OMOP's, and not codes of their systems.
    pub omop: bool,
    /// SHA-256 of its canonical form, hex: what stands in a registry.
    pub digest: String,
    /// What should be looked at.
    pub notes: Vec<String>,
}

/// Reads concept sets' files.
///
/// # Errors
/// The first that cannot be read or is not understood in full.
pub fn concept_sets(files: &[PathBuf]) -> Result<ConceptSets, TablesError> {
    let sets = files.iter().map(|file| {
        let set = Named::read(name_of(file), file.clone())?;
        let count = |of: fn(&&super::Item) -> bool| set.items().filter(of).count();
        Ok(ConceptSetReport {
            file: set.file.clone(),
            name: set.name.clone(),
            concepts: set.items().count(),
            excluded: count(|i| i.excluded),
            with_descendants: count(|i| i.descendants),
            omop: set.items().any(|i| matches!(i.code, Concept::Omop(_))),
            digest: set.digest(),
            notes: set.notes().collect(),
        })
    });
    Ok(ConceptSets(sets.collect::<Result<_, TablesError>>()?))
}

/// A file's name as that of a concept set.
fn name_of(file: &std::path::Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let letters = stem.to_lowercase();
    let letters = letters.chars().map(|c| match c {
        'a'..='z' | '0'..='9' => c,
        _ => '_',
    });
    let name: String = letters.take(60).collect();
    if is_name(&name) {
        name
    } else {
        format!("c_{name}")
    }
}

impl fmt::Display for ConceptSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut files = table(&["file", "concepts", "excluded", "with descendants", "of"]);
        for set in &self.0 {
            files.add_row([
                set.file.display().to_string(),
                set.concepts.to_string(),
                set.excluded.to_string(),
                set.with_descendants.to_string(),
                if set.omop { "OMOP" } else { "codes" }.to_owned(),
            ]);
        }
        writeln!(f, "{}\n", files.trim_fmt())?;
        for set in &self.0 {
            for note in &set.notes {
                writeln!(f, "note: {note}")?;
            }
        }
        writeln!(
            f,
            "In the registry, with concept_sets = [\"…\"] in each column that means one:\n"
        )?;
        for set in &self.0 {
            writeln!(
                f,
                "[[concept_set]]\nname = \"{}\"\ndigest = \"{}\"\n",
                set.name, set.digest
            )?;
        }
        writeln!(f, "In the mapping, with the path from there:\n")?;
        let texts = self.0.iter().map(|set| {
            let path = toml::Value::String(set.file.display().to_string());
            format!("[concept_set.{}]\npath = {path}", set.name)
        });
        let texts: Vec<String> = texts.collect();
        write!(f, "{}", texts.join("\n\n"))
    }
}
