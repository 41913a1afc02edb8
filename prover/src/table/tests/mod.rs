//! Tests of the patient table: each refusal is provoked once, and its text holds no value.

mod csv_files;
mod parquet_files;
mod values;

use std::path::{Path, PathBuf};

use galen_query::registry::Registry;

use super::{TableChunk, TableError, TableReader};
use crate::testing::registry;

const REGISTRY: &str = r#"
[registry]
name = "small"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "ok"

[[column]]
name = "age"
type = "number"
min = 18
max = 120
nullable = true

[[column]]
name = "ldl"
type = "number"
min = -1.0
max = 9999.99
decimals = 2
nullable = true

[[column]]
name = "sex"
type = "category"
codes = ["F", "M", "NA"]

[[column]]
name = "grade"
type = "category"
codes = ["1", "2", "3"]
nullable = true

[[column]]
name = "mi"
type = "boolean"
nullable = true

[[column]]
name = "seen"
type = "date"
min = "2000-01-01"
max = "2025-12-31"
nullable = true
"#;

/// The base columns of [`REGISTRY`], for the tests that name one.
const BASE: [&str; 13] = [
    "consent:DUO:0000042",
    "age",
    "age.known",
    "ldl.lo",
    "ldl.hi",
    "ldl.known",
    "sex",
    "grade",
    "grade.known",
    "mi",
    "mi.known",
    "seen",
    "seen.known",
];

fn small() -> Registry {
    registry(REGISTRY)
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// All rows of a table, read in chunks of `rows`.
fn read(path: &Path, registry: &Registry, rows: usize) -> Result<Vec<TableChunk>, TableError> {
    let mut reader = TableReader::open(path, registry)?;
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next_chunk(rows)? {
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn column<'a>(chunk: &'a TableChunk, name: &str) -> &'a [u16] {
    let at = BASE.iter().position(|b| *b == name).unwrap();
    &chunk.columns()[at]
}

#[test]
fn the_names_of_base_columns_are_as_assumed() {
    let names: Vec<String> = small().base_columns().into_iter().map(|b| b.name).collect();
    assert_eq!(names, BASE);
}

#[test]
fn a_name_without_a_known_ending_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "table.xlsx", b"");
    let error = TableReader::open(&path, &small()).unwrap_err();
    assert!(matches!(error, TableError::UnknownExtension { .. }));
}

#[test]
fn a_missing_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = TableReader::open(&dir.path().join("no.csv"), &small()).unwrap_err();
    assert!(matches!(error, TableError::Open { .. }));
}
