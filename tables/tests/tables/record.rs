//! What goes on record of how a table was made.

use std::fs;

use galen_tables::{TablesError, build};
use serde_json::{Value, json};

use crate::common::Folder;

const CSV: &[u8] = b"id,x\n1,5\n2,6\n";

fn folder() -> Folder {
    let rows: String = (0..1_234).map(|i| format!("{i}\n")).collect();
    Folder::with(&[
        ("t.csv", CSV),
        ("other.csv", format!("n\n{rows}").as_bytes()),
        ("codes.ndjson", b"{\"n\":1}\n"),
    ])
}

fn mapping(folder: &Folder, said: &str) -> std::path::PathBuf {
    let text = format!(
        "[mapping]\ntitle = \"test\"\n{said}\nsql = \"SELECT id AS patient_id, x FROM t ORDER BY 1\"\n\
         [source.t]\npath = \"t.csv\"\nformat = \"csv\"\n[source.o]\npath = \"other.csv\"\nformat = \"csv\"\n\
         [source.c]\npath = \"codes.ndjson\"\nformat = \"ndjson\"\n"
    );
    let path = folder.path("mapping.toml");
    fs::write(&path, text).unwrap();
    path
}

fn note(folder: &Folder) -> Value {
    let file = folder.path("p.parquet.provenance.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn made(folder: &Folder, said: &str) -> Result<galen_tables::Report, TablesError> {
    build(&mapping(folder, said), None, &folder.path("p.parquet"))
}

#[test]
fn a_note_stands_beside_the_table_and_names_no_file_and_no_small_count() {
    let folder = folder();
    let said = "model = \"OMOP CDM 5.4\"\nexported = 2026-03-31\ndate_shift = \"none\"";
    let report = made(&folder, said).unwrap();
    assert_eq!(report.note, folder.path("p.parquet.provenance.json"));
    let digest = |bytes: &[u8]| {
        use sha2::Digest;
        galen_query::text::hex(&sha2::Sha256::digest(bytes))
    };
    let own = digest(&fs::read(folder.path("mapping.toml")).unwrap());
    let expected = json!({
        "format": "galen/provenance/v1",
        "table_sha256": digest(&fs::read(&report.out).unwrap()),
        "provenance": {
            "tool": concat!("galen-tables ", env!("CARGO_PKG_VERSION")),
            "mapping": [own],
            "model": "OMOP CDM 5.4",
            "sources": [
                {"kind": "csv", "tables": 2, "rows_at_least": 1_200},
                {"kind": "ndjson", "tables": 1, "rows_at_least": 0},
            ],
            "snapshot": null,
            "exported": "2026-03-31",
            "date_shift": "none",
        },
    });
    assert_eq!(note(&folder), expected);
    // Built again it is the same, to the byte.
    let before = fs::read(&report.note).unwrap();
    made(&folder, said).unwrap();
    assert_eq!(fs::read(&report.note).unwrap(), before);
}

#[test]
fn what_a_mapping_does_not_say_is_not_on_record_and_nonsense_is_refused() {
    let folder = folder();
    made(&folder, "").unwrap();
    let said = &note(&folder)["provenance"];
    for key in ["model", "exported", "date_shift", "snapshot"] {
        assert_eq!(said[key], Value::Null, "{key}");
    }
    let before = note(&folder);
    for (said, part) in [
        ("exported = \"31.03.2026\"", "2026-03-31"),
        ("exported = 2026-03-31T10:00:00", "2026-03-31"),
        ("model = \"\"", "mapping.model"),
        ("date_shift = \"a\\nb\"", "mapping.date_shift"),
    ] {
        let text = made(&folder, said).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(note(&folder), before);
}

#[test]
fn a_refused_build_leaves_the_older_table_and_its_note() {
    let folder = folder();
    made(&folder, "").unwrap();
    let before = note(&folder);
    fs::write(folder.path("t.csv"), b"id,x\n1,5\n1,6\n").unwrap();
    made(&folder, "").unwrap_err();
    assert_eq!(note(&folder), before);
    let left = fs::read_dir(folder.path(".")).unwrap();
    let left = left.filter(|f| {
        let name = f.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("partial")
    });
    assert_eq!(left.count(), 0);
}
