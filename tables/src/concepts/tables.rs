//! Concept sets as tables of the SQL: what their files say, and with OMOP's descendants.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray,
};
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;

use super::{Concept, Item, Named};
use crate::error::TablesError;

/// What the sets' files say: a row for each item.
pub(crate) const ITEMS: &str = "concept_set_item";
/// OMOP's concepts of each set.
pub(crate) const EXPANDED: &str = "concept_set";
/// OMOP's hierarchy, in which each concept is its own descendant, too.
const ANCESTORS: &str = "concept_ancestor";

/// Systems whose codes begin with those of what is above them.
const BY_PREFIX: [&str; 5] = [
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-9-cm",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "http://www.whocc.no/atc",
];

/// Registers the tables of a mapping's concept sets, after its sources.
///
/// # Errors
/// Descendants that nothing tells, as where the vocabulary does not know a concept; a source with one of the tables'
/// names; what the engine says.
pub(crate) async fn register(session: &SessionContext, sets: &[Named]) -> Result<(), TablesError> {
    if sets.is_empty() {
        return Ok(());
    }
    for name in [ITEMS, EXPANDED] {
        if session.table_exist(name).map_err(failed)? {
            return Err(TablesError::Run(format!(
                "a source is named {name}, which is the table of the mapping's concept sets: name it otherwise"
            )));
        }
    }
    sets.iter().try_for_each(check_codes)?;
    session
        .register_batch(ITEMS, items(sets).map_err(|e| failed(e.into()))?)
        .map_err(failed)?;
    let descendants = sets.iter().any(|s| s.items().any(is_omop_tree));
    let expanded = if descendants {
        if !session.table_exist(ANCESTORS).map_err(failed)? {
            return Err(TablesError::Run(format!(
                "a concept set has descendants of OMOP concepts, and no source is named {ANCESTORS}: add the vocabulary's \
                 table of that name, or list each concept"
            )));
        }
        check_ancestors(session).await?;
        refuse_unknown(session).await?;
        format!(
            "SELECT name, concept_id FROM (
               SELECT name, concept_id, excluded FROM {ITEMS} WHERE concept_id IS NOT NULL
               UNION ALL
               SELECT i.name, CAST(a.descendant_concept_id AS BIGINT), i.excluded
               FROM {ITEMS} i JOIN {ANCESTORS} a ON a.ancestor_concept_id = i.concept_id
               WHERE i.descendants AND a.descendant_concept_id IS NOT NULL
             ) AS concept GROUP BY name, concept_id HAVING NOT bool_or(excluded)"
        )
    } else {
        format!(
            "SELECT name, concept_id FROM {ITEMS} WHERE concept_id IS NOT NULL
             GROUP BY name, concept_id HAVING NOT bool_or(excluded)"
        )
    };
    let frame = session.sql(&expanded).await.map_err(failed)?;
    session
        .register_table(EXPANDED, frame.into_view())
        .map_err(failed)?;
    Ok(())
}

fn is_omop_tree(item: &Item) -> bool {
    item.descendants && matches!(item.code, Concept::Omop(_))
}

/// Refuses what the SQL could not do with codes: descendants that nothing tells, and exclusions, which a join of the items
/// would count as the disease.
fn check_codes(set: &Named) -> Result<(), TablesError> {
    for item in set.items() {
        let Concept::Coded { system, .. } = &item.code else {
            continue;
        };
        if item.excluded {
            return Err(set.refused(
                "it takes codes out of others, which is for OMOP's concepts alone: list the codes that are meant".to_owned(),
            ));
        }
        if item.descendants && !BY_PREFIX.contains(&system.as_str()) {
            return Err(set.refused(format!(
                "it asks for the descendants of codes of {system}, whose hierarchy is not at hand: list the codes"
            )));
        }
    }
    Ok(())
}

/// Refuses a hierarchy without its two columns of whole numbers.
async fn check_ancestors(session: &SessionContext) -> Result<(), TablesError> {
    let table = session.table_provider(ANCESTORS).await.map_err(failed)?;
    let schema = table.schema();
    for name in ["ancestor_concept_id", "descendant_concept_id"] {
        let found = schema.field_with_name(name);
        if !found.is_ok_and(|f| f.data_type().is_integer()) {
            return Err(TablesError::Run(format!(
                "{ANCESTORS} has no column {name} of whole numbers, named in small letters: give it in types, or in a \
                 source of another name and a [[view]] {ANCESTORS}"
            )));
        }
    }
    Ok(())
}

fn items(sets: &[Named]) -> Result<RecordBatch, datafusion::arrow::error::ArrowError> {
    let rows: Vec<(&str, &Item)> = sets
        .iter()
        .flat_map(|s| s.items().map(move |i| (s.name.as_str(), i)))
        .collect();
    let omop = rows.iter().map(|(_, i)| match i.code {
        Concept::Omop(id) => Some(id),
        Concept::Coded { .. } => None,
    });
    let coded = |part: fn(&Concept) -> Option<&str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(
            rows.iter().map(|(_, i)| part(&i.code)),
        ))
    };
    let flag = |of: fn(&Item) -> bool| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(
            rows.iter().map(|(_, i)| Some(of(i))),
        ))
    };
    RecordBatch::try_from_iter_with_nullable([
        (
            "name",
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|(name, _)| name),
            )) as ArrayRef,
            false,
        ),
        (
            "concept_id",
            Arc::new(Int64Array::from_iter(omop)) as ArrayRef,
            true,
        ),
        ("system", coded(Concept::system), true),
        ("code", coded(Concept::code), true),
        ("excluded", flag(|i| i.excluded), false),
        ("descendants", flag(|i| i.descendants), false),
    ])
}

/// Refuses concepts that are to have their descendants and are not in the vocabulary: nobody would have the disease.
async fn refuse_unknown(session: &SessionContext) -> Result<(), TablesError> {
    let sql = format!(
        "SELECT DISTINCT i.name || ' ' || CAST(i.concept_id AS VARCHAR) FROM {ITEMS} i
         LEFT ANTI JOIN {ANCESTORS} a ON a.ancestor_concept_id = i.concept_id
         WHERE i.descendants AND i.concept_id IS NOT NULL ORDER BY 1"
    );
    let collected = async { session.sql(&sql).await?.collect().await }.await;
    let batches = collected.map_err(failed)?;
    let columns = batches.iter().map(|b| b.column(0).as_string::<i32>());
    let missing: Vec<&str> = columns.flat_map(|c| c.iter().flatten()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(TablesError::Run(format!(
        "{ANCESTORS} does not know these concepts, whose descendants are asked for: {}. Nobody would be found to have \
         them: load a vocabulary that has them",
        missing.join(", ")
    )))
}

fn failed(error: DataFusionError) -> TablesError {
    TablesError::Run(format!("concept sets: {}", error.strip_backtrace()))
}
