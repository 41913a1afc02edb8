//! Concept sets read from texts.

mod atlas;
mod expansion;
mod forms;
mod table;
mod together;
mod value_set;

use std::path::Path;

use super::{Concept, ConceptSet, Item};

/// Reads a text as JSON, or as CSV where it is none.
fn try_read(text: &str) -> Result<ConceptSet, String> {
    let json = text.trim_start_matches('\u{feff}').starts_with(['{', '[']);
    let file = if json { "set.json" } else { "set.csv" };
    ConceptSet::from_bytes(Path::new(file), text.as_bytes()).map_err(|e| e.to_string())
}

fn read(text: &str) -> ConceptSet {
    try_read(text).unwrap_or_else(|e| panic!("{text}\nis refused: {e}"))
}

/// That a text is refused with this message behind the file's name.
fn refused(text: &str, expected: &str) {
    let message = try_read(text).map(|set| set.items).unwrap_err();
    let (_, message) = message.split_once(": ").unwrap();
    assert_eq!(message, expected, "\n{text}");
}

/// An item as text: `-` is excluded, `+` has its descendants.
fn line(item: &Item) -> String {
    let code = match &item.code {
        Concept::Omop(id) => id.to_string(),
        Concept::Coded { system, code } => format!("{system} {code}"),
    };
    let excluded = if item.excluded { "-" } else { "" };
    let descendants = if item.descendants { "+" } else { "" };
    format!("{excluded}{code}{descendants}")
}

fn lines(text: &str) -> Vec<String> {
    read(text).items().iter().map(line).collect()
}

/// An item of ATLAS for concept 1, with more beside its concept.
fn item(more: &str) -> String {
    format!(r#"{{"concept": {{"CONCEPT_ID": 1}}{more}}}"#)
}

/// A value set with this `compose`, and more.
fn value_set(compose: &str, more: &str) -> String {
    format!(r#"{{"resourceType": "ValueSet", "status": "active", "compose": {compose}{more}}}"#)
}

/// A value set with this `expansion` alone.
fn expansion(expansion: &str) -> String {
    format!(r#"{{"resourceType": "ValueSet", "expansion": {expansion}}}"#)
}
