//! How a patient table was made: what its maker notes beside it, and a manifest has on record.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::ReadError;
use crate::hash::Fields;
use crate::registry::{MAX_TEXT, Unseen, value::date};
use crate::text::{from_hex, parse_json};

/// The format line of the file beside a table.
pub const NOTE_FORMAT: &str = "galen/provenance/v1";

/// A note larger than this is refused unread.
pub const MAX_NOTE_BYTES: usize = 1 << 16;

/// What sources can be.
pub const SOURCE_KINDS: [&str; 4] = ["csv", "ndjson", "parquet", "postgresql"];

/// How a patient table was made. It is public: it has counts of sources' rows only as [`at_least`] gives them, and no
/// name of a file, a table or a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The program and its version, such as `galen-tables 0.1.0`.
    pub tool: String,
    /// SHA-256 of the mapping file and, where its SQL is a file of its own, of that; hex.
    pub mapping: Vec<String>,
    /// What the sources hold, as the mapping says it: `OMOP CDM 5.4`.
    pub model: Option<String>,
    /// The sources by kind, in the order of [`SOURCE_KINDS`].
    pub sources: Vec<SourceKind>,
    /// The moment of the database's snapshot, in UTC: `2026-03-31T02:00:00Z`.
    pub snapshot: Option<String>,
    /// The day of the files' export, as the mapping says it: `2026-03-31`.
    pub exported: Option<String>,
    /// How dates were shifted before or in the mapping, as it says: `none`, or the rule.
    pub date_shift: Option<String>,
}

/// The sources of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceKind {
    /// One of [`SOURCE_KINDS`].
    pub kind: String,
    /// How many tables they are.
    pub tables: u64,
    /// How many rows they have together, as [`at_least`] gives it; none of a database, which counts no rows.
    pub rows_at_least: Option<u64>,
}

/// A provenance beside the table that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    format: String,
    /// SHA-256 of the table's file, hex.
    pub table_sha256: String,
    /// How it was made.
    pub provenance: Provenance,
}

/// Where the note on a table stands: beside it.
#[must_use]
pub fn note_file(table: &Path) -> PathBuf {
    let mut name = table.file_name().unwrap_or_default().to_owned();
    name.push(".provenance.json");
    table.with_file_name(name)
}

/// A count of rows for the public: its first two digits, and 0 below 100, so that it tells of no few patients.
#[must_use]
pub fn at_least(rows: u64) -> u64 {
    let mut unit = 1;
    while rows / unit >= 100 {
        unit *= 10;
    }
    if unit == 1 { 0 } else { rows / unit * unit }
}

impl Note {
    /// The note on a table of this SHA-256.
    #[must_use]
    pub fn new(table_sha256: String, provenance: Provenance) -> Self {
        Self {
            format: NOTE_FORMAT.to_owned(),
            table_sha256,
            provenance,
        }
    }

    /// Reads and checks a note.
    ///
    /// # Errors
    /// Too large, not JSON of this form (with line and column), or what is wrong with it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ReadError> {
        let note: Self = parse_json(bytes, "provenance", MAX_NOTE_BYTES)?;
        let what = "provenance";
        if note.format != NOTE_FORMAT {
            return Err(ReadError::Format {
                what,
                expected: NOTE_FORMAT,
            });
        }
        let digest = from_hex::<32>(&note.table_sha256);
        digest
            .map(|_| ())
            .ok_or_else(|| "table_sha256 is not 64 lower-case hex digits".to_owned())
            .and_then(|()| note.provenance.check())
            .map_err(|why| ReadError::Json { what, why })?;
        Ok(note)
    }
}

impl Provenance {
    /// Checks its form.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        let texts = [
            ("tool", Some(&self.tool)),
            ("model", self.model.as_ref()),
            ("date_shift", self.date_shift.as_ref()),
        ];
        for (name, text) in texts {
            if text.is_some_and(|t| !is_line(t)) {
                return Err(format!(
                    "{name} is empty, longer than {MAX_TEXT} bytes, or has something that is not seen"
                ));
            }
        }
        let digests = self.mapping.iter().all(|d| from_hex::<32>(d).is_some());
        if !(1..=2).contains(&self.mapping.len()) || !digests {
            return Err("mapping is not one or two digests of 64 lower-case hex digits".to_owned());
        }
        if self.snapshot.as_deref().is_some_and(|s| !is_moment(s)) {
            return Err("snapshot is no moment such as 2026-03-31T02:00:00Z".to_owned());
        }
        if self.exported.as_deref().is_some_and(|d| !is_day(d)) {
            return Err("exported is no day such as 2026-03-31".to_owned());
        }
        self.check_sources()
    }

    fn check_sources(&self) -> Result<(), String> {
        let place = |s: &SourceKind| SOURCE_KINDS.iter().position(|k| *k == s.kind);
        let places: Vec<_> = self.sources.iter().map(place).collect();
        if places.contains(&None) || !places.is_sorted_by(|a, b| a < b) {
            let kinds = SOURCE_KINDS.join(", ");
            return Err(format!("sources are each once, in this order: {kinds}"));
        }
        for source in &self.sources {
            if source.tables == 0 {
                return Err(format!("sources: {} has no tables", source.kind));
            }
            if source
                .rows_at_least
                .is_some_and(|rows| rows != at_least(rows))
            {
                return Err(format!(
                    "sources: rows_at_least of {} has more than its first two digits, or is below 100",
                    source.kind
                ));
            }
        }
        Ok(())
    }

    /// What it says, by name, for people.
    #[must_use]
    pub fn in_words(&self) -> Vec<(&'static str, String)> {
        let sources = self.sources.iter().map(|s| {
            let tables = if s.tables == 1 { "table" } else { "tables" };
            let rows = s.rows_at_least.filter(|rows| *rows > 0);
            let rows = rows.map_or(String::new(), |rows| format!(", at least {rows} rows"));
            format!("{} {} {tables}{rows}", s.tables, s.kind)
        });
        let sources: Vec<String> = sources.collect();
        let said = [
            ("made by", Some(self.tool.clone())),
            ("mapping", Some(self.mapping.join(" "))),
            ("data model", self.model.clone()),
            ("sources", Some(sources.join("; "))),
            ("snapshot", self.snapshot.clone()),
            ("exported", self.exported.clone()),
            ("date shift", self.date_shift.clone()),
        ];
        let said = said.into_iter();
        said.filter_map(|(name, text)| Some((name, text?)))
            .collect()
    }

    /// Adds every field to a digest.
    #[must_use]
    pub fn fields(&self, fields: Fields) -> Fields {
        let mut fields = fields.text(&self.tool).number(self.mapping.len() as u64);
        for digest in &self.mapping {
            fields = fields.text(digest);
        }
        fields = optional(fields, self.model.as_deref()).number(self.sources.len() as u64);
        for source in &self.sources {
            fields = fields.text(&source.kind).number(source.tables);
            fields = fields.number(u64::from(source.rows_at_least.is_some()));
            if let Some(rows) = source.rows_at_least {
                fields = fields.number(rows);
            }
        }
        let texts = [&self.snapshot, &self.exported, &self.date_shift];
        texts
            .into_iter()
            .fold(fields, |f, text| optional(f, text.as_deref()))
    }
}

fn optional(fields: Fields, text: Option<&str>) -> Fields {
    let fields = fields.number(u64::from(text.is_some()));
    match text {
        None => fields,
        Some(text) => fields.text(text),
    }
}

/// Whether it is one short line of which all is seen.
#[must_use]
pub fn is_line(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT && Unseen::of(text).is_none()
}

/// Whether it is a calendar day, written `YYYY-MM-DD`.
#[must_use]
pub fn is_day(text: &str) -> bool {
    date(text).is_some_and(|d: Date| d.to_string() == text)
}

/// Whether it is a moment in UTC, written to the second.
fn is_moment(text: &str) -> bool {
    text.len() == "2026-03-31T02:00:00Z".len()
        && text.ends_with('Z')
        && OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        let kind = |kind: &str, rows| SourceKind {
            kind: kind.to_owned(),
            tables: 3,
            rows_at_least: rows,
        };
        Provenance {
            tool: "galen-tables 0.1.0".to_owned(),
            mapping: vec!["ab".repeat(32)],
            model: Some("OMOP CDM 5.4".to_owned()),
            sources: vec![kind("csv", Some(91_000)), kind("postgresql", None)],
            snapshot: Some("2026-03-31T02:00:00Z".to_owned()),
            exported: Some("2026-03-31".to_owned()),
            date_shift: Some("none".to_owned()),
        }
    }

    #[test]
    fn counts_keep_two_digits_and_none_below_a_hundred() {
        let given = [
            0,
            9,
            10,
            99,
            100,
            101,
            109,
            110,
            999,
            1_234,
            91_377,
            u64::MAX,
        ];
        let told = [0, 0, 0, 0, 100, 100, 100, 110, 990, 1_200, 91_000];
        for (rows, told) in given.into_iter().zip(told) {
            assert_eq!(at_least(rows), told, "{rows}");
            assert_eq!(at_least(told), told);
        }
        assert_eq!(at_least(u64::MAX), 18_000_000_000_000_000_000);
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_no_other() {
        let note = Note::new("cd".repeat(32), provenance());
        let json = serde_json::to_string(&note).unwrap();
        assert_eq!(Note::from_json(json.as_bytes()).unwrap(), note);
        for (from, to) in [
            ("provenance/v1", "provenance/v2"),
            ("cdcd", "CDCD"),
            ("abab", "abaB"),
            ("OMOP CDM 5.4", ""),
            ("OMOP CDM 5.4", "OMOP\\n"),
            ("OMOP CDM 5.4", "OMOP\\u202e"),
            ("OMOP CDM 5.4", " OMOP"),
            ("91000", "91001"),
            ("91000", "12"),
            ("\"csv\"", "\"postgresql\""),
            ("\"csv\"", "\"ndjson2\""),
            ("\"tables\":3", "\"tables\":0"),
            ("02:00:00Z", "02:00:00+00:00"),
            ("\"2026-03-31\"", "\"2026-02-30\""),
            ("\"2026-03-31\"", "\"2026-03-31 00:00:00\""),
            ("\"exported\":\"2026-03-31\",", ""),
            ("{", "{\"x\":1,"),
        ] {
            assert!(json.contains(from), "{from}");
            let changed = json.replacen(from, to, 1);
            assert!(Note::from_json(changed.as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn every_field_is_in_the_digest() {
        let digest = |p: &Provenance| p.fields(Fields::new("t")).digest();
        let mut seen = vec![digest(&provenance())];
        let changes: [fn(&mut Provenance); 11] = [
            |p| p.tool.push('1'),
            |p| p.mapping[0] = "cd".repeat(32),
            |p| p.mapping.push("ab".repeat(32)),
            |p| p.model = None,
            |p| p.sources.truncate(1),
            |p| p.sources[0].kind = "parquet".to_owned(),
            |p| p.sources[0].tables = 4,
            |p| p.sources[0].rows_at_least = None,
            |p| p.snapshot = None,
            |p| p.exported = None,
            |p| p.date_shift = None,
        ];
        for change in changes {
            let mut other = provenance();
            change(&mut other);
            assert!(!seen.contains(&digest(&other)));
            seen.push(digest(&other));
        }
    }
}
