//! Tables that are refused leave nothing behind.

use std::{fs, path::Path, process::Command};

use galen_query::text::hex;
use sha2::Digest;

use crate::study::{csv, ok_json, refused, study};

/// Commits `table` in a folder of its own; nothing but what was there before may be left.
fn refuse(name: &str, table: &str, kind: &str, part: &str) {
    let study = study();
    let folder = study.path(&format!("bad-{name}"));
    fs::create_dir_all(&folder).unwrap();
    let path = format!("{folder}/table.csv");
    fs::write(&path, table).unwrap();
    let key = study.path("dataset");
    let key = Path::new(&key).with_file_name("hospital.key");
    let out = format!("{folder}/dataset");
    let args = study.commit(&path, &out, &["--key", key.to_str().unwrap()]);
    let (got, error) = refused(&args);
    assert_eq!(got, kind, "{name}: {error}");
    assert!(error.contains(part), "{name}: {error}");
    let left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["table.csv"], "{name}");
}

/// The table with the cell of `column` on line `line` (1 is the header) replaced.
fn with(line: usize, column: usize, cell: &str) -> String {
    let table = csv();
    let lines = table.lines().enumerate().map(|(i, text)| {
        let mut cells: Vec<&str> = text.split(',').collect();
        if i + 1 == line {
            cells[column] = cell;
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

#[test]
fn bad_headers_leave_nothing_behind() {
    refuse("empty", "", "table.Empty", "empty");
    refuse(
        "header",
        csv().lines().next().unwrap(),
        "table.NoRows",
        "no rows",
    );
    refuse(
        "missing",
        &with(1, 3, "alter"),
        "table.MissingColumn",
        "age",
    );
    refuse("twice", &with(1, 3, "sex"), "table.AmbiguousColumn", "sex");
}

#[test]
fn bad_cells_leave_nothing_behind_and_are_not_quoted() {
    // In the second chunk, after the first was committed.
    refuse("type", &with(551, 3, "old"), "table.Value", "line 551");
    refuse("range", &with(551, 3, "117"), "table.Value", "maximum");
    refuse("code", &with(551, 2, "X"), "table.Value", "sex");
    refuse("null", &with(551, 3, ""), "table.Value", "NULL");
    refuse("consent", &with(551, 1, ""), "table.Value", "consent");
    refuse(
        "duplicate",
        &with(551, 0, "p3"),
        "table.DuplicatePatient",
        "line 5",
    );
    let ragged = csv() + "p9999,true\n";
    refuse("ragged", &ragged, "table.Ragged", "2 fields");
}

#[test]
fn other_files_are_refused() {
    let study = study();
    let commit = |table: &str| {
        let args = study.commit(table, &study.path("never"), &[]);
        let (kind, _) = refused(&args);
        assert!(!fs::exists(study.path("never")).unwrap());
        kind
    };
    assert_eq!(commit(&study.path("nowhere.csv")), "table.Open");
    assert_eq!(
        commit(&study.path("registry.toml")),
        "table.UnknownExtension"
    );
    let not_parquet = study.write("not.parquet", "hello");
    assert_eq!(commit(&not_parquet), "table.NotParquet");
}

#[test]
fn a_dataset_is_never_overwritten() {
    let study = study();
    let before = fs::read(study.path("dataset/manifest.json")).unwrap();
    let args = study.commit(&study.path("table.csv"), &study.path("dataset"), &[]);
    assert_eq!(refused(&args).0, "dataset.Exists");
    assert_eq!(
        fs::read(study.path("dataset/manifest.json")).unwrap(),
        before
    );
}

#[test]
fn columns_that_the_registry_does_not_name_are_reported() {
    let study = study();
    let table = csv();
    let wider: String = table
        .lines()
        .enumerate()
        .map(|(i, l)| {
            if i == 0 {
                format!("{l},name\n")
            } else {
                format!("{l},x\n")
            }
        })
        .collect();
    let path = study.write("wider.csv", wider);
    let document = ok_json(&study.commit(&path, &study.path("wider"), &[]));
    assert_eq!(document["ignored_columns"], serde_json::json!(["name"]));
}

/// A small file system of its own, where mounting is permitted.
struct Mounted(String);

impl Mounted {
    fn new(folder: String, size: &str) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs", &folder])
            .output()
            .is_ok_and(|o| o.status.success());
        mounted.then_some(Self(folder))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing_behind() {
    let study = study();
    // What every commit must write is 20 KiB and more: where it nearly fits, it may.
    let Some(disk) = Mounted::new(study.path("small-disk"), "16k") else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    let out = format!("{}/dataset", disk.0);
    let (kind, error) = refused(&study.commit(
        &study.path("table.csv"),
        &out,
        &["--key", &study.path("disk.key")],
    ));
    assert_eq!(kind, "dataset.Io");
    assert!(error.contains("No space left"), "{error}");
    assert_eq!(fs::read_dir(&disk.0).unwrap().count(), 0);
}

/// A note on a table of these bytes, as `galen-tables build` writes it.
fn note(table: &str) -> String {
    let sha256 = hex(&sha2::Sha256::digest(table));
    let mapping = "ab".repeat(32);
    format!(
        "{{\"format\":\"galen/provenance/v1\",\"table_sha256\":\"{sha256}\",\"provenance\":{{\"tool\":\"galen-tables 0.1.0\",\
         \"mapping\":[\"{mapping}\"],\"model\":\"OMOP CDM 5.4\",\"sources\":[{{\"kind\":\"csv\",\"tables\":3,\
         \"rows_at_least\":4200}}],\"snapshot\":null,\"exported\":\"2026-03-31\",\"date_shift\":null}}}}"
    )
}

#[test]
fn how_a_table_was_made_goes_on_record_and_a_note_on_another_does_not() {
    let study = study();
    let (table, out) = (study.path("made.csv"), study.path("made"));
    fs::write(&table, csv()).unwrap();
    let noted = format!("{table}.provenance.json");
    for (text, part) in [
        (note("another"), "another table"),
        (note(&csv()).replace("4200", "4242"), "rows_at_least"),
        (
            note(&csv()).replace("provenance/v1", "provenance/v2"),
            "format",
        ),
        (String::from("{"), "line 1"),
    ] {
        fs::write(&noted, text).unwrap();
        let (kind, error) = refused(&study.commit(&table, &out, &[]));
        assert_eq!(kind, "dataset.Provenance", "{error}");
        assert!(
            error.contains(part) && error.contains("made.csv.provenance.json"),
            "{error}"
        );
        assert!(!Path::new(&out).exists());
    }
    fs::write(&noted, note(&csv())).unwrap();
    let committed = ok_json(&study.commit(&table, &out, &[]));
    assert_eq!(committed["provenance"]["exported"], "2026-03-31");
    let inspected = ok_json(&["inspect", &out]);
    assert_eq!(inspected["provenance"], committed["provenance"]);
    assert_eq!(
        ok_json(&["inspect", &noted])["provenance"],
        committed["provenance"]
    );
    let without = ok_json(&["inspect", &study.path("dataset")]);
    assert_eq!(without["provenance"], serde_json::Value::Null);
}
