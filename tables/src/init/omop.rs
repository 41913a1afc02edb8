//! The mappings that are shipped for OMOP CDM 5.3 and 5.4. Both have all columns that these read.

use std::path::Path;

use super::files::{Found, find, section};
use super::shipped::shipped;
use super::sniff::Dialect;
use super::{Place, Texts, refused};
use crate::error::TablesError;
use crate::mapping::Format;

/// A table that a mapping reads, and the types of its columns where they are read from CSV: an empty column tells none.
pub(super) type Table = (&'static str, &'static [(&'static str, &'static str)]);

pub(super) const PERSON: Table = (
    "person",
    &[
        ("person_id", "int"),
        ("gender_concept_id", "int"),
        ("year_of_birth", "int"),
        ("race_concept_id", "int"),
        ("ethnicity_concept_id", "int"),
    ],
);
pub(super) const DEATH: Table = ("death", &[("person_id", "int"), ("death_date", "date")]);
pub(super) const CONDITION: Table = (
    "condition_occurrence",
    &[
        ("person_id", "int"),
        ("condition_concept_id", "int"),
        ("condition_start_date", "date"),
    ],
);
pub(super) const MEASUREMENT: Table = (
    "measurement",
    &[
        ("measurement_id", "int"),
        ("person_id", "int"),
        ("measurement_concept_id", "int"),
        ("measurement_date", "date"),
        ("measurement_datetime", "timestamp"),
        ("operator_concept_id", "int"),
        ("value_as_number", "float"),
        ("unit_concept_id", "int"),
        ("unit_source_value", "utf8"),
    ],
);
pub(super) const ANCESTOR: Table = (
    "concept_ancestor",
    &[
        ("ancestor_concept_id", "int"),
        ("descendant_concept_id", "int"),
    ],
);

pub(super) fn texts(registry: &str, place: &Place) -> Result<Texts, TablesError> {
    let shipped = shipped(registry)?;
    let (mapping, tables) = shipped.omop;
    let consent = "consent.csv, which is not in OMOP, has the columns person_id and consent_research (true or false), \
                   one row per person; who is not in it has not consented";
    let consents = "types = { person_id = \"int\", consent_research = \"boolean\" }\n";
    let mut mapping = mapping.to_owned();
    match place {
        Place::Files(folder) => {
            let (found, _) = find(folder)?;
            for (name, types) in tables {
                let file = one(&found, name, folder)?;
                mapping += &section(file, name, &more(file, types));
            }
            let own = found.iter().find(|f| f.table == "consent");
            let own = own.cloned().unwrap_or_else(consent_csv);
            let types = if own.format == Format::Csv {
                consents
            } else {
                ""
            };
            mapping += &section(&own, "consent", types);
            Ok(Texts {
                registry: shipped.registry.to_owned(),
                mapping,
                notes: vec![format!("{consent}: put it into {}", folder.display())],
                source: Some(folder.clone()),
            })
        }
        Place::Database { url_env, schema } => {
            let url_env = toml::Value::String(url_env.clone());
            mapping += &format!("\n[source.omop]\nurl_env = {url_env}\n");
            if let Some(schema) = schema {
                mapping += &format!("schema = {}\n", toml::Value::String(schema.clone()));
            }
            mapping += &section(&consent_csv(), "consent", consents);
            Ok(Texts {
                registry: shipped.registry.to_owned(),
                mapping,
                notes: vec![
                    format!("{consent}: put it beside the mapping"),
                    format!("{url_env} is the environment variable with the database's URL"),
                ],
                source: None,
            })
        }
    }
}

fn consent_csv() -> Found {
    Found {
        file: "consent.csv".to_owned(),
        table: "consent".to_owned(),
        format: Format::Csv,
        delimiter: None,
        dialect: Dialect::default(),
    }
}

/// A table's one file.
fn one<'a>(found: &'a [Found], table: &str, folder: &Path) -> Result<&'a Found, TablesError> {
    let files: Vec<&Found> = found.iter().filter(|f| f.table == table).collect();
    match files.as_slice() {
        [file] => Ok(file),
        [] => Err(refused(format!(
            "{} has no file for the OMOP table `{table}`, such as {table}.csv or {table}.parquet",
            folder.display()
        ))),
        [one, other, ..] => Err(refused(format!(
            "{} has two files for the OMOP table `{table}`, {} and {}: move one away",
            folder.display(),
            one.file,
            other.file
        ))),
    }
}

/// What a CSV needs to be told.
fn more(file: &Found, types: &[(&str, &str)]) -> String {
    if file.format != Format::Csv {
        return String::new();
    }
    let types = types.iter().map(|(c, t)| format!("{c} = \"{t}\""));
    let types: Vec<String> = types.collect();
    // As OHDSI's vocabularies are written, in which a quote is a letter.
    let quote = match file.delimiter {
        Some('\t') => "quote = \"none\"\n",
        _ => "",
    };
    format!("{quote}types = {{ {} }}\n", types.join(", "))
}
