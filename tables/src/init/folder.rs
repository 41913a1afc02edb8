//! A proposal for a folder of files.

use std::path::Path;

use datafusion::prelude::SessionContext;

use super::files::{Found, find};
use super::profile::{is_unique, profile};
use super::propose::{Proposed, TableFound, checked};
use super::sniff::sniff;
use super::{Texts, refused};
use crate::error::TablesError;
use crate::mapping::{Format, Source};
use crate::plan::{Resources, session};
use crate::source::{Warning, register};
use crate::{Options, Watch, runtime};

/// Names of columns that tell patients apart, and of tables that have one row for each, the likeliest first.
pub(super) const IDS: &[&str] = &[
    "patient_id",
    "person_id",
    "subject_id",
    "patientid",
    "personid",
    "subjectid",
    "patient",
    "person",
    "subject",
    "pid",
    "mrn",
    "id",
];
const PATIENTS: &[&str] = &[
    "person", "persons", "patient", "patients", "subject", "subjects",
];

pub(super) fn texts(
    folder: &Path,
    registry: Option<&str>,
    patient_id: Option<&str>,
) -> Result<Texts, TablesError> {
    let name = match registry {
        Some(name) => name.to_owned(),
        None => registry_name(folder),
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        return Err(refused(format!(
            "a registry cannot be named `{name}`: give --registry with lower-case letters, digits, _ and -"
        )));
    }
    let (found, others) = find(folder)?;
    if found.is_empty() {
        return Err(refused(format!(
            "{} has no CSV, Parquet or NDJSON file",
            folder.display()
        )));
    }
    let runtime = runtime()?;
    let mut texts = runtime.block_on(look(folder, &name, patient_id, found))?;
    if !others.is_empty() {
        // A file's name may be a patient's.
        let (number, what) = (others.len(), "no CSV, Parquet or NDJSON by their names");
        texts
            .notes
            .push(format!("not looked at: files that are {what}: {number}"));
    }
    Ok(texts)
}

fn registry_name(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    name.chars().map(letter).take(64).collect()
}

async fn look(
    folder: &Path,
    registry: &str,
    patient_id: Option<&str>,
    found: Vec<Found>,
) -> Result<Texts, TablesError> {
    let session = session(&Resources {
        memory_mib: Options::default().memory_mib,
        spill: None,
        watch: Watch::default(),
    })?;
    let (mut tables, mut notes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for mut file in found {
        if tables
            .iter()
            .any(|t: &TableFound| t.file.table == file.table)
        {
            notes.push(format!(
                "{}: another file has the table {}",
                file.file, file.table
            ));
            continue;
        }
        let mut source = Source::new(&file.table, file.file.as_ref(), file.format);
        source.delimiter = file.delimiter;
        if file.format == Format::Csv {
            file.dialect = sniff(&folder.join(&file.file), file.delimiter);
            source.decimal = file.dialect.decimal_comma.then_some(',');
            source.date_format = file.dialect.date_format.map(str::to_owned);
            source.nulls.clone_from(&file.dialect.nulls);
        }
        match register(&session, &source, folder, &mut warnings).await {
            Ok(columns) => tables.push(TableFound {
                file,
                columns: columns.columns,
            }),
            Err(error) => notes.push(format!("left out: {error}")),
        }
    }
    let failed = |e: datafusion::common::DataFusionError| {
        crate::engine_error::running(&e, folder, Options::default().memory_mib)
    };
    let (at, id) = match patients(&session, &tables, patient_id)
        .await
        .map_err(failed)?
    {
        Some(found) => found,
        None => return Err(nobody(folder, patient_id, &notes)),
    };
    let table = &tables[at];
    let schema = session.table_provider(table.file.table.as_str()).await;
    let schema = schema.map_err(failed)?.schema();
    let mut profiles = Vec::new();
    for field in schema.fields().iter().filter(|f| *f.name() != id) {
        let name = &table.file.table;
        let looked = profile(&session, name, field.name(), field.data_type()).await;
        profiles.push(checked(looked.map_err(failed)?));
    }
    let proposed = Proposed {
        registry,
        patients: table,
        id: &id,
        profiles: &profiles,
        tables: &tables,
    };
    let patients = format!("one row per patient: {}, by {id}", table.file.file);
    notes.insert(0, patients);
    let own = |w: &Warning| {
        w.column
            .as_ref()
            .is_none_or(|(t, _)| *t == table.file.table)
    };
    notes.extend(warnings.into_iter().filter(own).map(|w| w.text));
    notes.extend(proposed.notes());
    Ok(Texts {
        registry: proposed.registry(),
        mapping: proposed.mapping(&format!("{registry}, from {}", table.file.file)),
        notes,
        source: Some(folder.to_owned()),
    })
}

/// The table with one row per patient, and the column that tells them apart.
async fn patients(
    session: &SessionContext,
    tables: &[TableFound],
    given: Option<&str>,
) -> Result<Option<(usize, String)>, datafusion::common::DataFusionError> {
    let place = |list: &[&str], name: &str| list.iter().position(|n| name.eq_ignore_ascii_case(n));
    let mut likely: Vec<(usize, usize, usize, String)> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let about_patients = place(PATIENTS, &table.file.table);
        let ranked = table.columns.iter().filter_map(|(column, data_type)| {
            let rank = match given {
                Some(given) => (column == given).then_some(0),
                None => place(IDS, column),
            };
            Some((rank?, column, data_type))
        });
        // The likeliest of its columns alone: where `patient` repeats, `id` is that of a visit.
        let Some((rank, column, data_type)) = ranked.min() else {
            continue;
        };
        // A mere `id` may be a drug's, or a doctor's.
        let mere = given.is_none() && IDS[rank] == "id";
        let about_others = mere && about_patients.is_none() && tables.len() > 1;
        if !about_others && (data_type == "utf8" || data_type.contains("int")) {
            let about_patients = about_patients.unwrap_or(PATIENTS.len());
            likely.push((about_patients, rank, at, column.clone()));
        }
    }
    likely.sort();
    for (_, _, at, column) in likely {
        if is_unique(session, &tables[at].file.table, &column).await? {
            return Ok(Some((at, column)));
        }
    }
    Ok(None)
}

fn nobody(folder: &Path, given: Option<&str>, notes: &[String]) -> TablesError {
    let what = match given {
        Some(given) => format!(
            "no file of {} has a column {given} that is another in each row",
            folder.display()
        ),
        None => format!(
            "no file of {} has a column that tells patients apart by its name ({}, …) and is another in each row: name \
             it with --patient-id; where a patient has several rows, write the mapping by hand, with GROUP BY",
            folder.display(),
            IDS[..3].join(", ")
        ),
    };
    let notes: String = notes.iter().map(|n| format!("\n  {n}")).collect();
    refused(what + &notes)
}
