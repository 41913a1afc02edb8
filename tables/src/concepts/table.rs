//! Concept sets as CSV: `concept_id`, or `system` and `code`, and flags; also what ATLAS exports as CSV.

use csv::{ReaderBuilder, StringRecord};
use galen_query::quotes::{CsvBytes, QuoteFault, Quotes, record_line};

use super::remarks::Remarks;
use super::term::{Code, ConceptId, System, shown};
use super::{Concept, Entry, Found, Item};

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    ConceptId,
    System,
    Code,
    Excluded,
    Descendants,
    Mapped,
    Standard,
    Invalid,
    SetId,
    /// Something for people.
    Label,
}

/// The columns' names, in lower case and with underscores. A name that is not here may be one of ours misspelt.
const NAMES: [(Column, &[&str]); 10] = [
    (Column::ConceptId, &["concept_id"]),
    (Column::System, &["system"]),
    (Column::Code, &["code"]),
    (Column::Excluded, &["is_excluded", "exclude", "excluded"]),
    (Column::Descendants, &["include_descendants", "descendants"]),
    (Column::Mapped, &["include_mapped", "mapped"]),
    (Column::Standard, &["standard_concept"]),
    (Column::Invalid, &["invalid_reason"]),
    (Column::SetId, &["concept_set_id"]),
    (
        Column::Label,
        &[
            "name",
            "label",
            "display",
            "title",
            "comment",
            "concept_name",
            "concept_code",
            "concept_class_id",
            "concept_set_name",
            "domain",
            "domain_id",
            "vocabulary",
            "vocabulary_id",
            "standard_concept_caption",
            "invalid_reason_caption",
            "valid_start_date",
            "valid_end_date",
        ],
    ),
];

/// What every file has.
const WANTED: &str = "the first line must name the columns concept_id, or system and code";

/// Reads one concept set.
pub(super) fn read(text: &str) -> Result<Found, String> {
    let delimiter = delimiter(text);
    let quotes = Quotes::new(delimiter, false);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(CsvBytes::new(text.as_bytes(), Some(quotes)));
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record).map_err(|e| message(&e))? {
        return Err(format!("the file is empty: {WANTED}"));
    }
    let mut table = Table::new(&record)?;
    loop {
        let before = reader.position().line();
        if !reader.read_record(&mut record).map_err(|e| message(&e))? {
            break;
        }
        let line = record_line(
            before,
            reader.position().line(),
            record.as_slice().as_bytes(),
        );
        let row = table.row(&record, format!("line {line}"));
        row.map_err(|message| format!("line {line}: {message}"))?;
    }
    Ok(Found {
        notes: table.remarks.notes(),
        entries: table.entries,
    })
}

/// A comma, or a semicolon where the first line has some and no comma, as spreadsheets in many countries write it.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    if first.contains(';') && !first.contains(',') {
        b';'
    } else {
        b','
    }
}

/// The text is UTF-8 and its rows may be of any length: what is left to fail is its quotes.
fn message(error: &csv::Error) -> String {
    let fault = match error.kind() {
        csv::ErrorKind::Io(error) => error.get_ref().and_then(|e| e.downcast_ref()),
        _ => None,
    };
    match fault {
        Some(QuoteFault::ManyLines { .. }) => format!("{error}; close the quote, or double it"),
        _ => error.to_string(),
    }
}

/// The rows as they are read.
struct Table {
    columns: Vec<Column>,
    /// The set that ATLAS numbers its rows with.
    set_id: Option<String>,
    entries: Vec<Entry>,
    remarks: Remarks,
}

impl Table {
    fn new(header: &StringRecord) -> Result<Self, String> {
        let columns: Result<Vec<_>, _> = header.iter().map(column).collect();
        let table = Self {
            columns: columns?,
            set_id: None,
            entries: Vec::new(),
            remarks: Remarks::default(),
        };
        table
            .check()
            .map_err(|message| format!("line 1: {message}"))?;
        Ok(table)
    }

    fn check(&self) -> Result<(), String> {
        for (column, names) in NAMES {
            let count = self.columns.iter().filter(|c| **c == column).count();
            if count > 1 && column != Column::Label {
                return Err(format!(
                    "{count} columns are named {}: keep one",
                    names.join(" or ")
                ));
            }
        }
        let has = |column| self.columns.contains(&column);
        match (has(Column::ConceptId), has(Column::System), has(Column::Code)) {
            // Beside an id, a code is a label.
            (true, false, _) | (false, true, true) => Ok(()),
            (true, true, _) => Err(
                "concept_id and system are both there: a set is of OMOP's ids or of systems' codes, so delete one \
                 column"
                    .to_owned(),
            ),
            (false, true, false) => Err("system has no code beside it: add a column code".to_owned()),
            (false, false, true) => Err("code has no system beside it: add a column system, with its URI".to_owned()),
            (false, false, false) => Err(format!("no codes: {WANTED}")),
        }
    }

    fn row(&mut self, record: &StringRecord, place: String) -> Result<(), String> {
        let (fields, expected) = (record.len(), self.columns.len());
        if fields != expected {
            return Err(format!(
                "{fields} fields where the first line has {expected}; check the separators and the quotes"
            ));
        }
        if flag(self.cell(record, Column::Mapped), "mapped")? {
            return Err(
                "include_mapped is true, which adds concepts that are not in the file: list them, and say false"
                    .to_owned(),
            );
        }
        let set_id = self.cell(record, Column::SetId);
        if self.set_id.get_or_insert_with(|| set_id.to_owned()) != set_id {
            return Err(
                "another concept_set_id than above: put each set in a file of its own".to_owned(),
            );
        }
        let descendants = flag(self.cell(record, Column::Descendants), "descendants")?;
        let item = Item {
            code: self.concept(record)?,
            excluded: flag(self.cell(record, Column::Excluded), "excluded")?,
            descendants,
        };
        if let Concept::Omop(id) = item.code {
            let standard = self.cell(record, Column::Standard);
            let invalid = self.cell(record, Column::Invalid);
            self.remarks
                .take(id, descendants, Some(standard), Some(invalid));
        }
        self.entries.push(Entry { item, place });
        Ok(())
    }

    fn concept(&self, record: &StringRecord) -> Result<Concept, String> {
        if self.columns.contains(&Column::ConceptId) {
            return ConceptId::from_cell(self.cell(record, Column::ConceptId))
                .map(|id| Concept::Omop(id.0));
        }
        let System(system) = self.cell(record, Column::System).to_owned().try_into()?;
        let Code(code) = self.cell(record, Column::Code).to_owned().try_into()?;
        Ok(Concept::Coded { system, code })
    }

    /// The row's cell in a column, empty where the table has none.
    fn cell<'a>(&self, record: &'a StringRecord, column: Column) -> &'a str {
        let place = self.columns.iter().position(|c| *c == column);
        place.and_then(|i| record.get(i)).unwrap_or_default()
    }
}

fn column(heading: &str) -> Result<Column, String> {
    let name = heading.to_lowercase().replace(' ', "_");
    let known = NAMES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()));
    known.map(|(column, _)| *column).ok_or_else(|| {
        let names: Vec<&str> = NAMES
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        format!(
            "line 1: the column {} is not known: delete it, or rename it to one of {}",
            shown(heading),
            names.join(", ")
        )
    })
}

/// A flag in the spellings that the registry's booleans have; an empty one is not set.
fn flag(cell: &str, what: &str) -> Result<bool, String> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "1" => Ok(true),
        "false" | "f" | "no" | "0" | "" => Ok(false),
        _ => Err(format!("{what} is {}: write true or false", shown(cell))),
    }
}
