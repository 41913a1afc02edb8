//! Concept sets as FHIR value sets (R4 and R5): their definition, `compose`, where it names codes, and else their
//! expansion.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::expansion::Expansion;
use super::json::{Object, parse};
use super::term::{Code, System, shown};
use super::{Concept, Entry, Found, Item};

/// What to do with a value set that names no codes.
const EXPAND: &str = "let a terminology server expand it (ValueSet/$expand) and give its answer";

/// A version's system and the version.
pub(super) type Versions = BTreeSet<(String, String)>;

/// The resource; its names, texts, dates and plain extensions are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValueSet {
    status: Option<String>,
    compose: Option<Object<Compose>>,
    expansion: Option<Object<Expansion>>,
    /// What changes the meaning of all the rest.
    #[serde(alias = "implicitRules")]
    modifier_extension: Option<IgnoredAny>,
}

/// The definition. Here and below, fields that begin with `_` are known and do not matter; others could.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Compose {
    include: Vec<Object<Part>>,
    #[serde(default)]
    exclude: Vec<Object<Part>>,
    inactive: Option<bool>,
    locked_date: Option<String>,
    #[serde(default, rename = "property")]
    _property: IgnoredAny,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "extension")]
    _extension: IgnoredAny,
}

/// Codes of one system.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Part {
    system: Option<System>,
    version: Option<String>,
    #[serde(default)]
    concept: Vec<Object<Listed>>,
    #[serde(default)]
    filter: Vec<Object<Filter>>,
    value_set: Option<IgnoredAny>,
    #[serde(default, rename = "copyright")]
    _copyright: IgnoredAny,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "extension")]
    _extension: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    code: Code,
    #[serde(default, rename = "display")]
    _display: IgnoredAny,
    #[serde(default, rename = "designation")]
    _designation: IgnoredAny,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "extension")]
    _extension: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    property: String,
    op: String,
    value: String,
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "extension")]
    _extension: IgnoredAny,
}

/// Reads a value set.
pub(super) fn read(text: &str) -> Result<Found, String> {
    let set: ValueSet = parse(text)?;
    if set.modifier_extension.is_some() {
        return Err(format!(
            "it has a modifierExtension or implicitRules, which change what the rest means: {EXPAND}"
        ));
    }
    let mut versions = Versions::new();
    let (entries, mut notes) = match (set.compose, set.expansion) {
        (Some(Object(compose)), expansion) => match (compose.unnamed(), expansion) {
            (None, _) => compose.entries(&mut versions),
            (Some(why), Some(Object(expansion))) => expanded(expansion, Some(&why), &mut versions),
            (Some(why), None) => Err(format!("{why}: {EXPAND}")),
        },
        (None, Some(Object(expansion))) => expanded(expansion, None, &mut versions),
        (None, None) => Err(format!("neither compose nor expansion: {EXPAND}")),
    }?;
    if set.status.as_deref() == Some("retired") {
        notes.push("the value set is retired: look for the one in its place".to_owned());
    }
    notes.extend(versions.iter().map(|(system, version)| {
        format!(
            "the codes of {system} are of version {}, which the digest leaves out: see that the hospitals' codes mean \
             the same",
            shown(version)
        )
    }));
    Ok(Found { entries, notes })
}

/// The items of an expansion, and a note why it was taken.
fn expanded(
    expansion: Expansion,
    why: Option<&str>,
    versions: &mut Versions,
) -> Result<(Vec<Entry>, Vec<String>), String> {
    if let Some(limit) = expansion.limit() {
        let why = why.map(|why| format!("{why}, and ")).unwrap_or_default();
        return Err(format!("{why}{limit}: {EXPAND} in full"));
    }
    let mut notes = expansion.notes();
    notes.extend(
        why.map(|why| {
            format!("{why}: the expansion was taken, which is of one day and one server")
        }),
    );
    Ok((expansion.entries(versions)?, notes))
}

impl Compose {
    /// The parts, where each stands, and whether it is excluded.
    fn parts(&self) -> impl Iterator<Item = (&Part, String, bool)> {
        let include = self.include.iter().enumerate();
        let include =
            include.map(|(i, Object(part))| (part, format!("compose.include[{i}]"), false));
        let exclude = self.exclude.iter().enumerate();
        let exclude =
            exclude.map(|(i, Object(part))| (part, format!("compose.exclude[{i}]"), true));
        include.chain(exclude)
    }

    /// Why the definition does not name its codes, if it does not.
    fn unnamed(&self) -> Option<String> {
        if self.inactive == Some(false) {
            return Some(
                "compose.inactive is false, which leaves out codes and does not say which"
                    .to_owned(),
            );
        }
        self.parts()
            .find_map(|(part, place, _)| part.unnamed(&place))
    }

    /// The items of a definition that names them.
    fn entries(self, versions: &mut Versions) -> Result<(Vec<Entry>, Vec<String>), String> {
        let mut entries = Vec::new();
        for (part, place, excluded) in self.parts() {
            part.take(&place, excluded, &mut entries)?;
            versions.extend(part.version());
        }
        let locked = self.locked_date.map(|date| {
            format!(
                "compose.lockedDate is {}: the digest leaves it out, so see that the hospitals' codes mean the same",
                shown(&date)
            )
        });
        Ok((entries, locked.into_iter().collect()))
    }
}

impl Part {
    fn unnamed(&self, place: &str) -> Option<String> {
        if self.value_set.is_some() {
            return Some(format!("{place} refers to another value set"));
        }
        match (self.concept.as_slice(), self.filter.as_slice()) {
            ([], []) => Some(format!("{place} is a whole code system")),
            (_, []) => None,
            ([], [Object(filter)]) if filter.is_subtree() => None,
            ([], [Object(filter)]) => Some(format!(
                "{place}.filter[0] is {} {} {}, and of filters only \"concept\" \"is-a\" names its codes",
                shown(&filter.property),
                shown(&filter.op),
                shown(&filter.value)
            )),
            ([], _) => Some(format!("{place} has several filters that must all hold")),
            _ => Some(format!("{place} has both concept and filter")),
        }
    }

    fn take(&self, place: &str, excluded: bool, entries: &mut Vec<Entry>) -> Result<(), String> {
        let Some(System(system)) = &self.system else {
            return Err(format!("{place} has no system: add the code system's URI"));
        };
        let entry = |code: &Code, place: String, descendants| {
            let code = Concept::Coded {
                system: system.clone(),
                code: code.0.clone(),
            };
            let item = Item {
                code,
                excluded,
                descendants,
            };
            Entry { item, place }
        };
        for (i, Object(listed)) in self.concept.iter().enumerate() {
            entries.push(entry(&listed.code, format!("{place}.concept[{i}]"), false));
        }
        for (i, Object(filter)) in self.filter.iter().enumerate() {
            let place = format!("{place}.filter[{i}]");
            let code = filter.value.clone().try_into();
            let code: Code = code.map_err(|message: String| format!("{place}: {message}"))?;
            entries.push(entry(&code, place, true));
        }
        Ok(())
    }

    fn version(&self) -> Option<(String, String)> {
        let System(system) = self.system.as_ref()?;
        Some((system.clone(), self.version.clone()?))
    }
}

impl Filter {
    /// Whether it is a code with all below it: FHIR's `is-a` has the code itself, `descendent-of` has not.
    fn is_subtree(&self) -> bool {
        self.property == "concept" && self.op == "is-a"
    }
}
