//! JSON: told apart, and parsed so that nothing of ours is read twice or in another shape.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

use super::term::shown;
use super::{Found, atlas, fhir};

/// How much of an error's text is told, in characters; it may quote the file.
const MAX_TOLD: usize = 400;

/// How serde's own messages begin, which say what is wrong and not what to do.
const WITHOUT_CURE: [&str; 5] = [
    "duplicate field",
    "invalid type",
    "invalid value",
    "missing field",
    "unknown field",
];

/// What FHIR says of itself, and ATLAS does not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    resource_type: Option<String>,
}

/// Reads a FHIR value set or an export of ATLAS.
pub(super) fn read(text: &str) -> Result<Found, String> {
    match text.trim_start().chars().next() {
        Some('{') => {}
        Some('[') => {
            return Err(
                "a list, where one concept set is an object: put each set in a file of its own"
                    .to_owned(),
            );
        }
        _ => {
            return Err(
                "neither JSON nor named .csv: export the set from ATLAS as JSON, or name a CSV file .csv".to_owned(),
            );
        }
    }
    let head: Head = parse(text)?;
    match head.resource_type.as_deref() {
        None => atlas::read(text),
        Some("ValueSet") => fhir::read(text),
        Some(other) => Err(format!(
            "a FHIR resource of type {}: give the ValueSet in a file of its own",
            shown(other)
        )),
    }
}

/// Parses an object.
pub(super) fn parse<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
    let parsed: Result<Object<T>, _> = serde_json::from_str(text);
    parsed.map(|object| object.0).map_err(|e| message(&e))
}

fn message(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.strip_suffix(&format!(" at line {line} column {column}"));
    let told: String = what.unwrap_or(&text).chars().take(MAX_TOLD).collect();
    let (before, cure) = match error.classify() {
        Category::Data if WITHOUT_CURE.iter().any(|w| told.starts_with(w)) => {
            ("", "; correct it there, or export the set again")
        }
        Category::Data => ("", ""),
        _ => (
            "not JSON: ",
            "; export the set again, as a copy may have been cut",
        ),
    };
    format!("line {line}, column {column}: {before}{told}{cure}")
}

/// An object, and no list of its fields in their order, which serde's structs are read from as well.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
