//! Concept sets as ATLAS and its `WebAPI` export them: `{"items": […]}`, or that under `expression`.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::json::{Object, parse};
use super::remarks::Remarks;
use super::term::ConceptId;
use super::{Concept, Entry, Found, Item};

/// The set's own id, name, tags and dates are not read.
#[derive(Deserialize)]
struct File {
    items: Option<Vec<Object<Line>>>,
    expression: Option<Object<Expression>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expression {
    items: Vec<Object<Line>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    concept: Object<Vocabulary>,
    #[serde(default)]
    is_excluded: bool,
    #[serde(default)]
    include_descendants: bool,
    #[serde(default)]
    include_mapped: bool,
}

/// A concept's row in the vocabulary: its name, code, domain and dates are not read. ATLAS writes its fields as the
/// vocabulary does, others as `WebAPI`'s classes do.
#[derive(Deserialize)]
struct Vocabulary {
    #[serde(rename = "CONCEPT_ID", alias = "conceptId")]
    id: ConceptId,
    #[serde(rename = "STANDARD_CONCEPT", alias = "standardConcept")]
    standard: Option<String>,
    #[serde(rename = "INVALID_REASON", alias = "invalidReason")]
    invalid: Option<String>,
    /// What belongs beside the concept, and would be lost in it.
    #[serde(
        rename = "isExcluded",
        alias = "includeDescendants",
        alias = "includeMapped"
    )]
    flag: Option<IgnoredAny>,
}

/// What a cohort definition has.
#[derive(Deserialize)]
struct Cohort {
    #[serde(rename = "ConceptSets")]
    _sets: IgnoredAny,
}

/// A cohort definition as `WebAPI` keeps it.
#[derive(Deserialize)]
struct NamedCohort {
    #[serde(rename = "expression")]
    _expression: Object<Cohort>,
}

/// Reads one concept set.
pub(super) fn read(text: &str) -> Result<Found, String> {
    if parse::<Cohort>(text).is_ok() || parse::<NamedCohort>(text).is_ok() {
        return Err(
            "a cohort definition, whose ConceptSets are several: export the one set from ATLAS"
                .to_owned(),
        );
    }
    let file: File = parse(text)?;
    let (items, path) = match (file.items, file.expression) {
        (Some(items), None) => (items, "items"),
        (None, Some(Object(expression))) => (expression.items, "expression.items"),
        (Some(_), Some(_)) => {
            return Err("it has both `items` and `expression`: keep one".to_owned());
        }
        (None, None) => {
            let message = "neither `items`, as ATLAS writes it, nor `resourceType`, as FHIR does: \
                           export the set as JSON";
            return Err(message.to_owned());
        }
    };
    let mut remarks = Remarks::default();
    let entries = items.into_iter().enumerate();
    let entries = entries.map(|(i, Object(line))| line.entry(format!("{path}[{i}]"), &mut remarks));
    Ok(Found {
        entries: entries.collect::<Result<_, _>>()?,
        notes: remarks.notes(),
    })
}

impl Line {
    fn entry(self, place: String, remarks: &mut Remarks) -> Result<Entry, String> {
        let Object(concept) = self.concept;
        if self.include_mapped {
            return Err(format!(
                "{place}: includeMapped is true, which adds concepts that are not in the file: list them, and say false"
            ));
        }
        if concept.flag.is_some() {
            return Err(format!(
                "{place}: a flag stands within `concept`: move isExcluded and includeDescendants beside it"
            ));
        }
        let descendants = self.include_descendants;
        let (standard, invalid) = (concept.standard.as_deref(), concept.invalid.as_deref());
        remarks.take(concept.id.0, descendants, standard, invalid);
        let item = Item {
            code: Concept::Omop(concept.id.0),
            excluded: self.is_excluded,
            descendants,
        };
        Ok(Entry { item, place })
    }
}
