//! The registries that are shipped, with their concept sets and their mappings from OMOP and from FHIR.

use super::omop::{ANCESTOR, CONDITION, DEATH, MEASUREMENT, PERSON, Table};
use super::refused;
use crate::error::TablesError;

/// A registry that is shipped.
pub(super) struct Shipped {
    pub(super) name: &'static str,
    pub(super) registry: &'static str,
    /// The mapping from OMOP CDM 5.3 and 5.4, and the tables that it reads.
    pub(super) omop: (&'static str, &'static [Table]),
    /// The mapping from FHIR R4, and the resources that it reads.
    pub(super) fhir: (&'static str, &'static [&'static str]),
}

pub(super) const SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "cardiometabolic",
        registry: include_str!("../../mappings/cardiometabolic.registry.toml"),
        omop: (
            include_str!("../../mappings/omop/cardiometabolic.toml"),
            &[PERSON, DEATH, CONDITION, MEASUREMENT, ANCESTOR],
        ),
        fhir: (
            include_str!("../../mappings/fhir/cardiometabolic.toml"),
            &["Patient", "Condition", "Observation"],
        ),
    },
    Shipped {
        name: "demographics",
        registry: include_str!("../../mappings/demographics.registry.toml"),
        omop: (
            include_str!("../../mappings/omop/demographics.toml"),
            &[PERSON, DEATH],
        ),
        fhir: (
            include_str!("../../mappings/fhir/demographics.toml"),
            &["Patient"],
        ),
    },
];

macro_rules! concept_sets {
    ($($file:literal),*) => {
        [$((
            concat!("concept_sets/", $file),
            include_str!(concat!("../../mappings/concept_sets/", $file)),
        )),*]
    };
}

/// The concept sets' files, by their paths beside a mapping.
const CONCEPT_SETS: [(&str, &str); 14] = concept_sets![
    "hypertension.json",
    "hypertension_codes.csv",
    "type_2_diabetes.json",
    "type_2_diabetes_codes.csv",
    "hyperlipidaemia.json",
    "hyperlipidaemia_codes.csv",
    "ischaemic_heart_disease.json",
    "ischaemic_heart_disease_codes.csv",
    "heart_failure.json",
    "heart_failure_codes.csv",
    "atrial_fibrillation.json",
    "atrial_fibrillation_codes.csv",
    "stroke.json",
    "stroke_codes.csv"
];

/// The registry of this name.
///
/// # Errors
/// None is shipped.
pub(super) fn shipped(name: &str) -> Result<&'static Shipped, TablesError> {
    let found = SHIPPED.iter().find(|s| s.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = SHIPPED.iter().map(|s| s.name).collect();
        refused(format!(
            "no mapping is shipped for a registry `{name}`; there are: {}",
            names.join(", ")
        ))
    })
}

/// The concept sets' files that a mapping names.
pub(super) fn concept_sets(mapping: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let named = move |(path, _): &(&str, &str)| mapping.contains(&format!("path = \"{path}\""));
    CONCEPT_SETS.into_iter().filter(named)
}
