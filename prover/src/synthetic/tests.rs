//! The made-up hospital is stable, plausible, and fits its registry in both formats.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::{REGISTRY_TOML, SyntheticError, write_hospital};
use crate::table::{TableChunk, TableReader};
use crate::testing::registry;

fn read(path: &Path, rows: usize) -> Vec<TableChunk> {
    let mut reader = TableReader::open(path, &registry(REGISTRY_TOML)).unwrap();
    assert!(reader.ignored_columns().is_empty());
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next_chunk(rows).unwrap() {
        chunks.push(chunk);
    }
    chunks
}

fn hospital(name: &str, patients: u64, seed: u64) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    write_hospital(&path, patients, seed).unwrap();
    (dir, path)
}

#[test]
fn a_seed_always_gives_the_same_csv() {
    let (_dir, path) = hospital("h.csv", 5_000, 1);
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        "0ba066e00a6d6c4b8ad83f27680c4d7d9f7ceafe2c44e029a781b3358e14d5a9"
    );
}

#[test]
fn another_seed_gives_other_patients_and_more_patients_the_same_first_ones() {
    let text = |patients, seed| {
        let (_dir, path) = hospital("h.csv", patients, seed);
        std::fs::read_to_string(path).unwrap()
    };
    assert_ne!(text(50, 1), text(50, 2));
    assert!(text(100, 1).starts_with(&text(50, 1)));
    assert_eq!(text(0, 1).lines().count(), 1);
}

#[test]
fn both_formats_read_back_equal() {
    let (_csv_dir, csv) = hospital("h.csv", 20_000, 7);
    let (_dir, parquet) = hospital("h.parquet", 20_000, 7);
    let chunks = read(&csv, 7_616);
    assert_eq!(chunks.iter().map(TableChunk::rows).sum::<usize>(), 20_000);
    assert!(chunks == read(&parquet, 7_616));
}

/// A whole hospital as stored values, by the base columns' names.
struct Stored {
    names: Vec<String>,
    chunk: TableChunk,
}

impl Stored {
    fn column(&self, name: &str) -> &[u16] {
        let at = self.names.iter().position(|n| n == name);
        &self.chunk.columns()[at.unwrap_or_else(|| panic!("no {name}"))]
    }

    /// Stored values, `None` for NULL.
    fn values(&self, name: &str) -> Vec<Option<u16>> {
        let known = format!("{name}.known");
        let column = self.column(name).iter();
        if self.names.contains(&known) {
            let known = self.column(&known).iter();
            column
                .zip(known)
                .map(|(v, k)| (*k == 1).then_some(*v))
                .collect()
        } else {
            column.copied().map(Some).collect()
        }
    }

    /// The part of the rows with a value.
    fn known(&self, name: &str) -> f64 {
        let values = self.values(name);
        let known = values.iter().filter(|v| v.is_some()).count();
        f64::from(u32::try_from(known).unwrap()) / f64::from(u32::try_from(values.len()).unwrap())
    }

    /// Mean stored value over the known rows that `keep` keeps.
    fn mean_where(&self, name: &str, keep: impl Fn(usize) -> bool) -> f64 {
        let values = self.values(name);
        let kept: Vec<f64> = (0..self.chunk.rows())
            .filter(|&row| keep(row))
            .filter_map(|row| values[row])
            .map(f64::from)
            .collect();
        kept.iter().sum::<f64>() / f64::from(u32::try_from(kept.len()).unwrap())
    }

    fn mean(&self, name: &str) -> f64 {
        self.mean_where(name, |_| true)
    }

    /// Mean where a bit is set less mean where it is not.
    fn effect(&self, name: &str, bit: &str) -> f64 {
        let bit = self.column(bit);
        self.mean_where(name, |row| bit[row] == 1) - self.mean_where(name, |row| bit[row] == 0)
    }
}

fn stored(patients: u64) -> Stored {
    let (_dir, path) = hospital("h.parquet", patients, 1);
    let registry = registry(REGISTRY_TOML);
    let base = registry.base_columns();
    Stored {
        names: base.into_iter().map(|b| b.name).collect(),
        chunk: read(&path, usize::MAX).pop().unwrap(),
    }
}

#[test]
fn distributions_are_plausible() {
    let h = stored(20_000);
    let near = |value: f64, low: f64, high: f64, what: &str| {
        assert!((low..high).contains(&value), "{what}: {value}");
    };
    near(
        h.mean("consent:DUO:0000042"),
        0.93,
        0.95,
        "consent to research",
    );
    near(
        h.mean("consent:DUO:0000007"),
        0.87,
        0.89,
        "consent to cardiology",
    );
    near(h.mean("age") + 18.0, 56.0, 61.0, "age");
    near(h.mean("bmi") / 10.0 + 12.0, 25.0, 28.5, "BMI");
    near(h.mean("sbp") + 70.0, 120.0, 135.0, "systolic");
    near(h.mean("dbp") + 35.0, 70.0, 83.0, "diastolic");
    near(h.mean("ldl") / 100.0, 2.7, 3.5, "LDL");
    near(h.mean("hba1c") / 10.0 + 3.0, 5.4, 6.2, "HbA1c");
    near(h.mean("diabetes"), 0.08, 0.18, "diabetes");
    near(h.mean("hypertension"), 0.2, 0.4, "hypertension");
    near(h.mean("statin"), 0.1, 0.3, "statin");
    near(h.mean("mi_5y"), 0.03, 0.1, "infarction");
    near(h.mean("days_in_hospital"), 3.0, 9.0, "days");
    for column in [
        "heart_failure",
        "atrial_fibrillation",
        "kidney_disease",
        "copd",
    ] {
        near(h.mean(column), 0.03, 0.15, column);
    }
    near(h.mean("death"), 0.05, 0.3, "death");
    near(h.mean("follow_up_months"), 80.0, 130.0, "follow-up");
    for column in ["smoker", "bmi", "sbp", "ldl", "hba1c", "mi_5y"] {
        near(h.known(column), 0.6, 0.99, column);
    }
}

#[test]
fn columns_depend_on_each_other_as_in_a_clinic() {
    let h = stored(20_000);
    assert!(h.effect("ldl", "statin") < -80.0);
    assert!(h.effect("hba1c", "diabetes") > 12.0);
    assert!(h.effect("sbp", "hypertension") > 8.0);
    assert!(h.effect("age", "hypertension") > 4.0);
    assert!(h.effect("bmi", "diabetes") > 10.0);
    assert!(h.effect("mi_5y", "diabetes") > 0.01);
    assert!(h.effect("death", "heart_failure") > 0.1);
    assert!(h.effect("age", "death") > 8.0);
}

#[test]
fn a_region_is_small_enough_to_be_suppressed() {
    let h = stored(5_000);
    let in_region = |code| h.column("region").iter().filter(|r| **r == code).count();
    assert!((1..11).contains(&in_region(11)), "{}", in_region(11));
    assert!((0..11).all(|code| in_region(code) >= 11));
}

#[test]
fn bad_paths_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let error = write_hospital(&dir.path().join("h.xlsx"), 1, 1).unwrap_err();
    assert!(matches!(error, SyntheticError::UnknownExtension { .. }));
    let error = write_hospital(&dir.path().join("no/h.csv"), 1, 1).unwrap_err();
    assert!(matches!(error, SyntheticError::Write { .. }));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A measurement, not a check; run it in release with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn a_million_patients() {
    for name in ["h.csv", "h.parquet"] {
        let start = std::time::Instant::now();
        let (_dir, path) = hospital(name, 1_000_000, 1);
        let written = start.elapsed();
        let start = std::time::Instant::now();
        let mut reader = TableReader::open(&path, &registry(REGISTRY_TOML)).unwrap();
        while reader.next_chunk(31_744).unwrap().is_some() {}
        let rows = reader.rows_read();
        println!(
            "{name}: {written:?} to write, {:?} to read {rows} rows",
            start.elapsed()
        );
    }
}
