//! The mappings that are shipped for FHIR R4 bulk exports. They name their files by patterns, so only whether those are
//! there is for this module.

use std::path::Path;

use super::files::find;
use super::{Texts, refused};
use crate::error::TablesError;
use crate::mapping::Format;

/// A registry, its mapping, and the resources that it reads.
fn shipped(registry: &str) -> Option<(&'static str, &'static str, &'static [&'static str])> {
    match registry {
        "cardiometabolic" => Some((
            include_str!("../../mappings/cardiometabolic.registry.toml"),
            include_str!("../../mappings/fhir/cardiometabolic.toml"),
            &["Patient", "Condition", "Observation"],
        )),
        "demographics" => Some((
            include_str!("../../mappings/demographics.registry.toml"),
            include_str!("../../mappings/fhir/demographics.toml"),
            &["Patient"],
        )),
        _ => None,
    }
}

pub(super) fn texts(registry: &str, folder: &Path) -> Result<Texts, TablesError> {
    let (registry, mapping, resources) =
        shipped(registry).ok_or_else(|| super::not_shipped(registry))?;
    let (found, _) = find(folder)?;
    let ndjson: Vec<&str> = found
        .iter()
        .filter(|f| f.format == Format::Ndjson)
        .map(|f| f.file.as_str())
        .collect();
    for resource in resources {
        let begins = format!("{resource}.");
        if !ndjson.iter().any(|file| file.starts_with(&begins)) {
            return Err(refused(format!(
                "{} has no file {resource}.ndjson or {resource}.000.ndjson, as a bulk export has; where its files have \
                 other names, write them into the mapping",
                folder.display()
            )));
        }
    }
    Ok(Texts {
        registry: registry.to_owned(),
        mapping: mapping.to_owned(),
        notes: vec![format!(
            "consent.csv has the columns patient_id (the Patient's id) and consent_research (true or false), one row per \
             patient; who is not in it has not consented: put it into {}",
            folder.display()
        )],
        source: Some(folder.to_owned()),
    })
}
