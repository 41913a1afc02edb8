//! What names a concept in a file, checked: ids, codes, and URIs of code systems.

use std::fmt;

use galen_query::registry::Unseen;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// How long a code or a system may be, in bytes, as the registry's texts.
const MAX_TEXT: usize = 256;

/// How much of a file's text stands in a message, in characters.
const MAX_SHOWN: usize = 80;

/// The usual systems, by what people call them and by the URI that FHIR gives them.
const SYSTEMS: [(&str, &str); 6] = [
    ("SNOMED CT", "http://snomed.info/sct"),
    ("LOINC", "http://loinc.org"),
    ("ICD-10", "http://hl7.org/fhir/sid/icd-10"),
    ("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("ATC", "http://www.whocc.no/atc"),
    ("RxNorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
];

/// Text of the file for a message: in quotes, escaped, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(MAX_SHOWN).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{dots}")
}

/// A positive `concept_id`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConceptId(pub(super) i64);

impl ConceptId {
    fn checked(id: i64) -> Result<Self, String> {
        match id {
            0 => Err("concept_id 0 is OMOP's \"no matching concept\": delete it".to_owned()),
            ..0 => Err(format!(
                "concept_id {id} is negative: take it from the vocabulary"
            )),
            _ => Ok(Self(id)),
        }
    }

    /// From a cell, which has its digits and nothing else.
    pub(super) fn from_cell(cell: &str) -> Result<Self, String> {
        let digits =
            cell.bytes().all(|b| b.is_ascii_digit()) && (cell == "0" || !cell.starts_with('0'));
        match cell.parse() {
            Ok(id) if digits => Self::checked(id),
            _ => Err(format!(
                "the concept_id is {}: write a whole number such as 316866",
                shown(cell)
            )),
        }
    }
}

impl<'de> Deserialize<'de> for ConceptId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(WholeNumber)
    }
}

/// A float or a text that looks like a whole number is none.
struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = ConceptId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a concept_id, which is a whole number such as 316866")
    }

    fn visit_i64<E: Error>(self, id: i64) -> Result<ConceptId, E> {
        ConceptId::checked(id).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, id: u64) -> Result<ConceptId, E> {
        let id =
            i64::try_from(id).map_err(|_| E::invalid_value(Unexpected::Unsigned(id), &self))?;
        self.visit_i64(id)
    }
}

/// A code as its system writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Code(pub(super) String);

impl TryFrom<String> for Code {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        visible("code", &text)?;
        Ok(Self(text))
    }
}

/// A code system's URI.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct System(pub(super) String);

impl TryFrom<String> for System {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        visible("system", &text)?;
        if SYSTEMS.iter().any(|(_, uri)| *uri == text) {
            return Ok(Self(text));
        }
        if let Some((name, uri)) = usual(&text) {
            return Err(format!(
                "the system is {}: write {uri} for {name}",
                shown(&text)
            ));
        }
        if let Some((uri, _)) = text.split_once('|') {
            return Err(format!(
                "the system is {}, with a version: write {uri}, as the set is of codes and not of a version",
                shown(&text)
            ));
        }
        if is_uri(&text) {
            return Ok(Self(text));
        }
        Err(format!(
            "the system is {}: write its URI, such as {}",
            shown(&text),
            listed()
        ))
    }
}

/// The usual system that is meant, where the text is its name or nearly its URI: `SNOMED`, `icd10`,
/// `https://loinc.org/`.
fn usual(text: &str) -> Option<(&'static str, &'static str)> {
    let is = |other| letters(text).eq(letters(other));
    // Most people leave out the CT of SNOMED CT.
    SYSTEMS
        .into_iter()
        .find(|(name, uri)| is(name) || is(name.trim_end_matches(" CT")) || is(uri))
}

/// A name's or URI's letters and digits in lower case, without its scheme.
fn letters(text: &str) -> impl Iterator<Item = char> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let lower = rest.chars().flat_map(char::to_lowercase);
    lower.filter(|c| c.is_alphanumeric())
}

fn is_uri(text: &str) -> bool {
    let schemes = ["http://", "https://", "urn:"];
    let mut rests = schemes
        .iter()
        .filter_map(|scheme| text.strip_prefix(scheme));
    rests.any(|rest| !rest.is_empty()) && !text.contains(' ')
}

fn listed() -> String {
    let systems = SYSTEMS.map(|(name, uri)| format!("{uri} ({name})"));
    systems.join(", ")
}

/// Refuses what is not seen of a text: two codes that differ by it alone would look the same.
fn visible(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("the {what} is empty: write it, or delete the item"));
    }
    if text.len() > MAX_TEXT {
        return Err(format!(
            "the {what} {} has {} bytes, and {MAX_TEXT} is the most: is it one {what}?",
            shown(text),
            text.len()
        ));
    }
    match Unseen::of(text) {
        Some(unseen) => Err(format!(
            "the {what} {} has {unseen}: take it out",
            shown(text)
        )),
        None => Ok(()),
    }
}
