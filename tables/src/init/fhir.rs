//! The mappings that are shipped for FHIR R4 bulk exports. They name their files by patterns, so only whether those are
//! there is for this module.

use std::path::Path;

use super::files::find;
use super::shipped::shipped;
use super::{Texts, refused};
use crate::error::TablesError;
use crate::mapping::Format;

pub(super) fn texts(registry: &str, folder: &Path) -> Result<Texts, TablesError> {
    let shipped = shipped(registry)?;
    let (mapping, resources) = shipped.fhir;
    let (found, _) = find(folder)?;
    let ndjson: Vec<&str> = found
        .iter()
        .filter(|f| f.format == Format::Ndjson)
        .map(|f| f.file.as_str())
        .collect();
    let mut notes = Vec::new();
    for resource in resources {
        let begins = format!("{resource}.");
        if ndjson.iter().any(|file| file.starts_with(&begins)) {
            continue;
        }
        if *resource == "Observation" {
            notes.push("no file is named Observation.ndjson or Observation.000.ndjson: all measurements are NULL".to_owned());
        } else {
            return Err(refused(format!(
                "{} has no file {resource}.ndjson or {resource}.000.ndjson, as a bulk export has; where its files have \
                 other names, write them into the mapping",
                folder.display()
            )));
        }
    }
    notes.push(format!(
            "consent.csv has the columns patient_id (the Patient's id) and consent_research (true or false), one row per \
             patient; who is not in it has not consented: put it into {}",
            folder.display()
        ));
    Ok(Texts {
        registry: shipped.registry.to_owned(),
        mapping: mapping.to_owned(),
        notes,
        source: Some(folder.to_owned()),
    })
}
