//! What goes on public record of how a table was made (`galen_query::provenance`), written beside it.

use galen_query::provenance::{Note, Provenance, SOURCE_KINDS, SourceKind, at_least};

use crate::mapping::{Format, Mapping};
use crate::plan::Planned;
use crate::source::SourceColumns;

/// The kind of a source, as [`SOURCE_KINDS`] names it.
fn kind(mapping: &Mapping, source: &SourceColumns) -> &'static str {
    let file = mapping.sources.iter().find(|f| f.name == source.name);
    match file.map(|f| f.format) {
        None => "postgresql",
        Some(Format::Csv) => "csv",
        Some(Format::Ndjson) => "ndjson",
        Some(Format::Parquet) => "parquet",
    }
}

fn of_kind(kind: &str, sources: &[&SourceColumns]) -> SourceKind {
    let files = sources.iter().flat_map(|s| &s.files);
    SourceKind {
        kind: kind.to_owned(),
        tables: sources.len() as u64,
        // A database's tables are not counted: only the rows that the query needs travel.
        rows_at_least: (kind != "postgresql").then(|| at_least(files.map(|f| f.rows).sum())),
    }
}

/// How the table of a planned mapping is made.
pub(crate) fn provenance(mapping: &Mapping, planned: &Planned) -> Provenance {
    let sources = SOURCE_KINDS.into_iter().filter_map(|wanted| {
        let sources = planned.sources.iter();
        let sources: Vec<_> = sources.filter(|s| kind(mapping, s) == wanted).collect();
        (!sources.is_empty()).then(|| of_kind(wanted, &sources))
    });
    Provenance {
        tool: concat!("galen-tables ", env!("CARGO_PKG_VERSION")).to_owned(),
        mapping: mapping.sha256.clone(),
        model: mapping.said.model.clone(),
        sources: sources.collect(),
        snapshot: planned.snapshot().map(|s| s.taken.clone()),
        exported: mapping.said.exported.clone(),
        date_shift: mapping.said.date_shift.clone(),
    }
}

/// The note on a table of this SHA-256, as its file has it.
pub(crate) fn note(sha256: &str, provenance: Provenance) -> Vec<u8> {
    let note = Note::new(sha256.to_owned(), provenance);
    let mut json = serde_json::to_vec_pretty(&note).unwrap_or_default();
    json.push(b'\n');
    json
}
