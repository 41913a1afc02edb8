//! A value set's expansion: the codes that a terminology server found for it, if the file has all of them.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fhir::Versions;
use super::json::Object;
use super::term::{Code, System, shown};
use super::{Concept, Entry, Item, check};

/// How the URLs end of the extensions by which servers say that codes are missing.
const INCOMPLETE: [&str; 2] = ["/valueset-toocostly", "/valueset-unclosed"];

/// What a server may have been asked to leave out.
const NARROWER: [&str; 3] = ["activeOnly", "excludeNotForUI", "excludePostCoordinated"];

/// Fields that begin with `_` are known and do not matter; others could.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expansion {
    total: Option<usize>,
    offset: Option<usize>,
    next: Option<IgnoredAny>,
    #[serde(default)]
    parameter: Vec<Object<Parameter>>,
    #[serde(default)]
    contains: Vec<Object<Node>>,
    #[serde(default)]
    extension: Vec<Object<Extension>>,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "identifier")]
    _identifier: IgnoredAny,
    #[serde(default, rename = "timestamp")]
    _timestamp: IgnoredAny,
    #[serde(default, rename = "property")]
    _property: IgnoredAny,
}

/// What the server was asked; most values are for people.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    name: String,
    value_boolean: Option<bool>,
    value_integer: Option<usize>,
}

#[derive(Deserialize)]
struct Extension {
    url: String,
}

/// A code, or a heading, and what is below it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    system: Option<System>,
    version: Option<String>,
    code: Option<Code>,
    #[serde(default, rename = "abstract")]
    heading: bool,
    #[serde(default)]
    contains: Vec<Object<Node>>,
    /// Records from before it was withdrawn still have it.
    #[serde(default, rename = "inactive")]
    _inactive: IgnoredAny,
    #[serde(default, rename = "display")]
    _display: IgnoredAny,
    #[serde(default, rename = "designation")]
    _designation: IgnoredAny,
    #[serde(default, rename = "property")]
    _property: IgnoredAny,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "extension")]
    _extension: IgnoredAny,
}

impl Expansion {
    /// Why the file may not have all codes, if so.
    pub(super) fn limit(&self) -> Option<String> {
        if self.next.is_some() || self.offset.unwrap_or_default() > 0 {
            return Some("the expansion is one page of several".to_owned());
        }
        let incomplete = |url: &str| INCOMPLETE.iter().any(|end| url.ends_with(end));
        if let Some(Object(found)) = self.extension.iter().find(|e| incomplete(&e.0.url)) {
            return Some(format!("the expansion says {}", shown(&found.url)));
        }
        let count = count(&self.contains);
        if let Some(total) = self.total.filter(|total| *total != count) {
            return Some(format!("the expansion has {count} of {total} codes"));
        }
        let limiting = |p: &Parameter| p.limits(self.total.is_some(), count);
        let found = self.parameter.iter().find(|p| limiting(&p.0));
        found.map(|p| {
            format!(
                "the expansion was limited by its parameter {}",
                shown(&p.0.name)
            )
        })
    }

    /// What the server was asked to leave out.
    pub(super) fn notes(&self) -> Vec<String> {
        let asked = self.parameter.iter().map(|p| &p.0);
        let narrower =
            asked.filter(|p| NARROWER.contains(&p.name.as_str()) && p.value_boolean != Some(false));
        let notes = narrower.map(|p| {
            format!(
                "the expansion was asked for with {}: codes that records have may be missing",
                p.name
            )
        });
        notes.collect()
    }

    /// Its codes, without headings.
    pub(super) fn entries(self, versions: &mut Versions) -> Result<Vec<Entry>, String> {
        // Before each has its place in words.
        check::count(count(&self.contains))?;
        let mut entries = Vec::new();
        take(self.contains, "expansion.contains", &mut entries, versions)?;
        Ok(entries)
    }
}

impl Parameter {
    /// Whether the server may have left out codes by it, of which it gave `count`.
    fn limits(&self, total_known: bool, count: usize) -> bool {
        match self.name.as_str() {
            "filter" => true,
            "limitedExpansion" => self.value_boolean != Some(false),
            "offset" => self.value_integer != Some(0),
            "count" => !total_known && self.value_integer.is_none_or(|asked| asked <= count),
            _ => false,
        }
    }
}

fn count(nodes: &[Object<Node>]) -> usize {
    let below = nodes.iter().map(|node| count(&node.0.contains));
    nodes.len() + below.sum::<usize>()
}

/// Takes the nodes that stand at `path`. Their depth is bounded by that of JSON.
fn take(
    nodes: Vec<Object<Node>>,
    path: &str,
    entries: &mut Vec<Entry>,
    versions: &mut Versions,
) -> Result<(), String> {
    for (i, Object(node)) in nodes.into_iter().enumerate() {
        let place = format!("{path}[{i}]");
        take(
            node.contains,
            &format!("{place}.contains"),
            entries,
            versions,
        )?;
        if node.heading {
            continue;
        }
        let (Some(System(system)), Some(Code(code))) = (node.system, node.code) else {
            return Err(format!(
                "{place} lacks a system or a code and is not abstract: add them, or say \"abstract\": true"
            ));
        };
        versions.extend(node.version.map(|version| (system.clone(), version)));
        let item = Item {
            code: Concept::Coded { system, code },
            excluded: false,
            descendants: false,
        };
        entries.push(Entry { item, place });
    }
    Ok(())
}
