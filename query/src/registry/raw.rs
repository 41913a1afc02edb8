//! The registry file's shape in TOML, before it is checked.

use serde::Deserialize;
use toml::{Spanned, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    pub registry: RawHeader,
    #[serde(default)]
    pub purpose: Vec<RawPurpose>,
    #[serde(default)]
    pub concept_set: Vec<RawConceptSet>,
    #[serde(default)]
    pub column: Vec<RawColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHeader {
    pub name: Spanned<String>,
    pub version: Spanned<u32>,
    pub title: Option<Spanned<String>>,
    pub patient_id: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPurpose {
    pub code: Spanned<String>,
    pub label: Option<Spanned<String>>,
    pub column: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConceptSet {
    pub name: Spanned<String>,
    pub title: Option<Spanned<String>>,
    pub digest: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    pub name: Spanned<String>,
    #[serde(rename = "type")]
    pub kind: Spanned<String>,
    #[serde(default)]
    pub nullable: bool,
    pub title: Option<Spanned<String>>,
    pub system: Option<Spanned<String>>,
    pub code: Option<Spanned<String>>,
    #[serde(default)]
    pub concept_sets: Vec<Spanned<String>>,
    pub codes: Option<Spanned<Vec<RawCode>>>,
    pub min: Option<Spanned<Value>>,
    pub max: Option<Spanned<Value>>,
    pub decimals: Option<Spanned<u32>>,
    pub unit: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a code as text, e.g. \"1\", or { code = \"1\", label = \"low\" }"
)]
pub(super) enum RawCode {
    Text(String),
    Labelled(LabelledCode),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelledCode {
    pub code: String,
    pub label: Option<String>,
}

/// The line of a byte offset, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|b| **b == b'\n').count() + 1
}
