//! Building from data made here: joins over the three formats, refusals, and that a
//! failed build leaves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch};
use datafusion::parquet::arrow::ArrowWriter;
use galen_tables::{Options, Progress, Report, TablesError, Watch, build, build_with, check};
use tempfile::TempDir;

/// A directory with `person.csv`, `patient.ndjson`, `lab.parquet` and a mapping over them.
struct Place {
    directory: TempDir,
}

const SOURCES: &str = r#"
[[source]]
name = "person"
path = "person.csv"
format = "csv"
delimiter = ";"
nulls = ["NA", "?"]
multiline = true

[[source]]
name = "patient"
path = "patient.ndjson"
format = "ndjson"
types = { birthDate = "date" }

[[source]]
name = "lab"
path = "lab.parquet"
format = "parquet"
"#;

const GOOD: &str = r#"
SELECT p.id AS patient_id, true AS consent_research, p.age, p.ward,
       f."birthDate" AS birth_date, f.name[1]['family'] = 'Roe' AS roe,
       CAST(l.crp AS DECIMAL(8, 2)) AS crp
FROM person p
JOIN patient f ON f.id = p.id
LEFT JOIN (SELECT person, max(crp) AS crp FROM lab GROUP BY person) l ON l.person = CAST(p.id AS BIGINT)
ORDER BY patient_id
"#;

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(
            at("person.csv"),
            "id;age;ward\n003;71;\"east\nwing\"\n001;?;west\n002;64;NA\n",
        )
        .unwrap();
        let lines = [
            r#"{"id":"001","birthDate":"1950-02-28","name":[{"family":"Roe"}]}"#,
            r#"{"id":"002","name":[{"family":"Doe","given":["A","B"]}]}"#,
            r#"{"id":"003","birthDate":"1949-12-31"}"#,
        ];
        fs::write(at("patient.ndjson"), lines.join("\n")).unwrap();
        let batch = RecordBatch::try_from_iter([
            ("person", Arc::new(Int64Array::from(vec![1, 1, 3])) as _),
            (
                "crp",
                Arc::new(Float64Array::from(vec![4.25, 9.5, 1.0])) as _,
            ),
        ])
        .unwrap();
        let file = fs::File::create(at("lab.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn mapping(&self, sql: &str, sources: &str) -> PathBuf {
        let path = self.path("mapping.toml");
        let text = format!("[mapping]\ntitle = \"test\"\nsql = '''{sql}'''\n{sources}");
        fs::write(&path, text).unwrap();
        path
    }

    fn build(&self, sql: &str) -> Result<Report, TablesError> {
        build(&self.mapping(sql, SOURCES), None, &self.path("out.parquet"))
    }

    /// The build fails; nothing but the inputs is there afterwards.
    fn refused(&self, sql: &str) -> String {
        let error = self.build(sql).unwrap_err();
        self.assert_clean();
        let text = error.to_string();
        assert!(
            !text.contains("Roe") && !text.contains("wing"),
            "a value in: {text}"
        );
        text
    }

    fn assert_clean(&self) {
        let inputs = [
            "person.csv",
            "patient.ndjson",
            "lab.parquet",
            "mapping.toml",
        ];
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(inputs.iter().any(|i| name == *i), "left behind: {name:?}");
        }
    }
}

fn file_sha256(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(fs::read(path).unwrap())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

#[test]
fn three_formats_join_into_one_table() {
    let place = Place::new();
    let report = place.build(GOOD).unwrap();
    assert_eq!(report.rows, 3);
    assert!(report.warnings.is_empty());
    let columns: Vec<_> = report
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.data_type.as_str(), c.nulls))
        .collect();
    assert_eq!(
        columns,
        [
            ("patient_id", "utf8", 0),
            ("consent_research", "boolean", 0),
            ("age", "int64", 1),
            ("ward", "utf8", 1),
            ("birth_date", "date", 1),
            ("roe", "boolean", 1),
            ("crp", "decimal(8, 2)", 1),
        ]
    );
    assert_eq!(report.sha256, file_sha256(&report.out));
    assert_eq!(report.bytes, fs::metadata(&report.out).unwrap().len());
    let rows = crate::common::query(&report.out, "SELECT * FROM t");
    assert_eq!(
        rows,
        [
            ["001", "true", "-", "west", "1950-02-28", "true", "9.50"],
            ["002", "true", "64", "-", "-", "false", "-"],
            ["003", "true", "71", "east\nwing", "1949-12-31", "-", "1.00"],
        ]
    );
    assert!(report.to_string().contains(&report.sha256));
}

#[test]
fn the_same_rows_give_the_same_bytes_and_replace_the_old_table() {
    let place = Place::new();
    let first = place.build(GOOD).unwrap();
    let second = place.build(GOOD).unwrap();
    assert_eq!(first.sha256, second.sha256);
    let third = place
        .build("SELECT id AS patient_id FROM person ORDER BY 1")
        .unwrap();
    assert_ne!(third.sha256, second.sha256);
    assert_eq!(third.sha256, file_sha256(&place.path("out.parquet")));
}

#[test]
fn a_failed_build_keeps_the_old_table() {
    let place = Place::new();
    let old = place.build(GOOD).unwrap();
    place
        .build("SELECT id AS patient_id, CAST(ward AS INT) AS w FROM person ORDER BY 1")
        .unwrap_err();
    assert_eq!(file_sha256(&old.out), old.sha256);
    fs::remove_file(&old.out).unwrap();
    fs::remove_file(&old.note).unwrap();
    place.assert_clean();
}

#[test]
fn one_row_per_patient_is_required() {
    let place = Place::new();
    let text = place.refused("SELECT 'Roe' AS patient_id FROM person");
    assert!(text.starts_with("2 rows repeat the `patient_id`"), "{text}");
    let text = place.refused("SELECT nullif(id, '002') AS patient_id FROM person");
    assert!(
        text.starts_with("1 rows have a NULL `patient_id`"),
        "{text}"
    );
    let text = place.refused("SELECT id AS patient_id FROM person WHERE age > 200");
    assert!(text.contains("no rows"), "{text}");
    let text = place.refused("SELECT id, age FROM person");
    assert!(text.contains("it gives: id, age"), "{text}");
}

#[test]
fn errors_while_running_hold_no_value() {
    let place = Place::new();
    let text = place.refused(
        "SELECT id AS patient_id, CAST(name[1]['family'] AS INT) AS x FROM patient ORDER BY 1",
    );
    assert!(
        text.contains("CAST(") && text.contains("AS INT)") && text.contains("TRY_CAST"),
        "{text}"
    );
    let text = place.refused("SELECT id AS patient_id, age / (age - 64) AS x FROM person");
    assert!(text.contains("NULLIF"), "{text}");
}

#[test]
fn planning_errors_say_where_and_what_there_is() {
    let place = Place::new();
    let text = place.refused("SELECT id AS patient_id,\n  agee FROM person");
    assert!(
        text.contains("line 2, column 3") && text.contains("has: id, age, ward"),
        "{text}"
    );
    let text = place.refused("SELECT birthDate FROM patient");
    assert!(text.contains("\"birthDate\""), "{text}");
    let text = place.refused("SELECT * FROM persons");
    assert!(text.contains("person, patient, lab"), "{text}");
    let text = place.refused("SELECT id FRM person WHERE");
    assert!(text.contains("line 1") && text.contains('^'), "{text}");
    let text = place.refused("SELECT id AS patient_id, name FROM patient");
    assert!(
        text.contains("`name`") && text.contains("name[1]"),
        "{text}"
    );
    for sql in [
        "COPY person TO 'x.csv'",
        "CREATE TABLE x AS SELECT * FROM person",
        "SET a.b = 1",
    ] {
        assert!(place.refused(sql).contains("one SELECT"), "{sql}");
    }
}

#[test]
fn sources_are_checked_by_name_file_line_and_column() {
    let place = Place::new();
    let sql = "SELECT id AS patient_id FROM person";
    let refused = |sources: &str| {
        let mapping = place.mapping(sql, sources);
        let error = build(&mapping, None, &place.path("out.parquet")).unwrap_err();
        place.assert_clean();
        error.to_string()
    };
    let text = refused(&SOURCES.replace("person.csv", "persons.csv"));
    assert!(
        text.contains("persons.csv") && text.contains("--source DIR"),
        "{text}"
    );
    let text = refused(&SOURCES.replace("nulls = [\"NA\", \"?\"]", "types = { age = \"int\" }"));
    assert!(
        text.contains("column `age`") && text.contains("a whole number"),
        "{text}"
    );
    assert!(text.contains("line 4"), "{text}");
    let text = refused(&SOURCES.replace("birthDate", "birthdate"));
    assert!(text.contains("`birthdate`"), "{text}");
    let text = refused(&SOURCES.replace("lab.parquet", "person.csv"));
    assert!(text.contains("not a readable Parquet file"), "{text}");
    fs::write(
        place.path("patient.ndjson"),
        "{\"id\":\"1\"}\n{\"id\": Roe}\n",
    )
    .unwrap();
    let text = refused(SOURCES);
    assert!(text.contains("line 2") && !text.contains("Roe"), "{text}");
}

#[test]
fn mapping_errors_name_the_file_and_the_remedy() {
    let place = Place::new();
    let refused = |text: &str| {
        let path = place.path("mapping.toml");
        fs::write(&path, text).unwrap();
        let text = check(&path, None).unwrap_err().to_string();
        assert!(text.contains("mapping.toml"), "{text}");
        text
    };
    let head = "[mapping]\ntitle = \"t\"\nsql = \"SELECT 1\"\n";
    let source = "[[source]]\nname = \"a\"\npath = \"a.csv\"\nformat = \"csv\"\n";
    assert!(refused("[mapping\n").contains("line 1"));
    assert!(refused(head).contains("[[source]]"));
    assert!(refused(&format!("{head}{source}{source}")).contains("two sources"));
    assert!(refused(&format!("[mapping]\ntitle = \"t\"\n{source}")).contains("no query"));
    assert!(refused(&format!("{head}sql_file = \"x.sql\"\n{source}")).contains("keep one"));
    let misplaced = format!("[mapping]\ntitle = \"t\"\n{source}sql = \"SELECT 1\"\n");
    assert!(refused(&misplaced).contains("under [mapping]"));
    assert!(refused(&format!("{head}{source}colour = 1\n")).contains("line 8"));
    let parquet = source.replace("\"csv\"", "\"parquet\"");
    assert!(refused(&format!("{head}{parquet}header = false\n")).contains("only"));
    let path = place.path("none.toml");
    assert!(
        check(&path, None)
            .unwrap_err()
            .to_string()
            .contains("none.toml")
    );
}

#[test]
fn the_output_must_be_a_new_place_in_an_existing_directory() {
    let place = Place::new();
    let mapping = place.mapping(GOOD, SOURCES);
    let refused = |out: &Path| {
        let error = build(&mapping, None, out).unwrap_err().to_string();
        place.assert_clean();
        error
    };
    assert!(refused(&place.path("none/out.parquet")).contains("make its directory"));
    assert!(refused(place.directory.path()).contains("give a file name"));
    let before = file_sha256(&place.path("lab.parquet"));
    assert!(refused(&place.path("lab.parquet")).contains("also --out"));
    assert_eq!(file_sha256(&place.path("lab.parquet")), before);
    assert!(refused(&place.path("patients.csv")).contains("end its name in .parquet"));
    // Nor may it be what is read besides.
    fs::copy(&mapping, place.path("mapping.parquet")).unwrap();
    let text = build(
        &place.path("mapping.parquet"),
        None,
        &place.path("mapping.parquet"),
    );
    let text = text.unwrap_err().to_string();
    assert!(
        text.contains("mapping.parquet: it is read, and also --out"),
        "{text}"
    );
    fs::remove_file(place.path("mapping.parquet")).unwrap();
    let note = place.path("out.parquet.provenance.json");
    fs::rename(place.path("mapping.toml"), &note).unwrap();
    let text = build(&note, None, &place.path("out.parquet"))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("out.parquet.provenance.json: it is read"),
        "{text}"
    );
    fs::remove_file(&note).unwrap();
}

#[test]
fn a_stopped_build_leaves_nothing() {
    let place = Place::new();
    let options = Options::default();
    options.stop.stop();
    // More rows than could pass before the stop is seen.
    let sql = "SELECT a.value * 10000 + b.value AS patient_id, p.age FROM person p, \
               generate_series(1, 100000) a, generate_series(1, 100000) b";
    let mapping = place.mapping(sql, SOURCES);
    let error = build_with(&mapping, None, &place.path("out.parquet"), &options).unwrap_err();
    assert!(matches!(error, TablesError::Stopped), "{error}");
    place.assert_clean();
}

#[test]
fn too_little_memory_is_said() {
    let place = Place::new();
    let mut options = Options::default();
    options.memory_mib = 1;
    let sql = "SELECT value AS patient_id, count(*) AS n, max(md) AS md FROM \
               (SELECT value, repeat(CAST(value AS VARCHAR), 500) AS md FROM generate_series(1, 200000)) \
               JOIN person ON true GROUP BY value ORDER BY patient_id";
    let mapping = place.mapping(sql, SOURCES);
    let error = build_with(&mapping, None, &place.path("out.parquet"), &options).unwrap_err();
    assert!(error.to_string().contains("--memory"), "{error}");
    place.assert_clean();
}

#[test]
fn check_plans_without_writing() {
    let place = Place::new();
    let plan = check(&place.mapping(GOOD, SOURCES), None).unwrap();
    assert_eq!(
        plan.columns[0],
        ("patient_id".to_owned(), "utf8".to_owned())
    );
    assert_eq!(
        plan.sources[0].columns[1],
        ("age".to_owned(), "int64".to_owned())
    );
    assert!(plan.to_string().contains("nothing was run"));
    place.assert_clean();
    let unordered = place.mapping("SELECT id AS patient_id FROM person", SOURCES);
    assert!(check(&unordered, None).unwrap().warnings[0].contains("ORDER BY"));
}

/// Who watches is told what is read, and how much of how much: what is read twice counts twice.
#[test]
fn a_build_tells_how_far_it_is() {
    use std::sync::{Arc, Mutex};
    let place = Place::new();
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let mut options = Options::default();
    let to = Arc::clone(&told);
    options.watch = Watch::new(move |progress| to.lock().unwrap().push(progress.clone()));
    let mapping = place.mapping(GOOD, SOURCES);
    build_with(&mapping, None, &place.path("out.parquet"), &options).unwrap();
    let told = told.lock().unwrap();
    let stages: Vec<&str> = told.iter().map(|p| p.stage.as_str()).collect();
    for stage in [
        "looking at person",
        "looking at patient",
        "looking at lab",
        "counting",
    ] {
        assert!(stages.contains(&stage), "{stages:?}");
    }
    // Three persons, three patients, and the laboratory's rows.
    let rows = |name: &str| {
        let report = check(&mapping, None).unwrap();
        let source = report.sources.into_iter().find(|s| s.name == name).unwrap();
        source.files.iter().map(|f| f.rows).sum::<u64>()
    };
    let all = rows("person") + rows("patient") + rows("lab");
    let read = told.iter().filter(|p| p.total.is_some());
    for progress in read.clone() {
        assert_eq!(progress.total, Some(all));
        assert!(progress.rows <= all, "{progress:?}");
    }
    assert!(read.count() > 0, "{stages:?}");
}
