//! The mappings of `tests/fixtures` over the shared open data sets: each builds, keeps
//! its registry's bounds, and gives the recorded answers (`expected-dev.json`; the ids
//! of the answers are named below). Skipped, with a word, where the data is absent.

use std::fs;
use std::path::{Path, PathBuf};

use galen_tables::{Report, build};
use tempfile::TempDir;
use toml::{Table, Value};

struct Built {
    _directory: TempDir,
    report: Report,
    registry: Table,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name)
}

/// A folder of the shared data, where it is present.
pub fn data(name: &str) -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    if data.is_dir() {
        return Some(data);
    }
    eprintln!("skipped: the shared data set {name} is absent");
    None
}

/// Builds the fixture `name` from `data`, a folder of the shared data.
fn built(name: &str, data: &str) -> Option<Built> {
    let source = self::data(data)?;
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("patients.parquet");
    let report = build(&fixture(name).join("mapping.toml"), Some(&source), &out).unwrap();
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let registry = fs::read_to_string(fixture(name).join("registry.toml")).unwrap();
    let built = Built {
        _directory: directory,
        report,
        registry: registry.parse().unwrap(),
    };
    built.keeps_its_registry(name);
    Some(built)
}

impl Built {
    fn query(&self, sql: &str) -> Vec<Vec<String>> {
        crate::common::query(&self.report.out, sql)
    }

    fn answer(&self, sql: &str, expected: &[&[&str]]) {
        assert_eq!(self.query(sql), expected, "{sql}");
    }

    fn close(&self, sql: &str, expected: &[f64], tolerance: f64) {
        let rows = self.query(sql);
        let found: Vec<f64> = rows[0].iter().map(|v| v.parse().unwrap()).collect();
        assert_eq!(found.len(), expected.len(), "{sql}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= tolerance,
                "{sql}: {found}, not {expected}"
            );
        }
    }

    /// The table has the registry's columns in its order, each within its bounds.
    fn keeps_its_registry(&self, name: &str) {
        let head = &self.registry["registry"];
        assert_eq!(head["name"].as_str(), Some(name));
        let columns = self.registry["column"].as_array().unwrap();
        let mut wanted = vec![head["patient_id"].as_str().unwrap()];
        let purposes = self.registry["purpose"].as_array().unwrap();
        wanted.extend(purposes.iter().map(|p| p["column"].as_str().unwrap()));
        wanted.extend(columns.iter().map(|c| c["name"].as_str().unwrap()));
        let found: Vec<&str> = self
            .report
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!(found, wanted);
        for purpose in purposes {
            let column = purpose["column"].as_str().unwrap();
            self.answer(
                &format!("SELECT count(*) FROM t WHERE {column} IS NOT TRUE"),
                &[&["0"]],
            );
        }
        for column in columns {
            self.keeps_bounds(column);
        }
    }

    fn keeps_bounds(&self, column: &Value) {
        let name = column["name"].as_str().unwrap();
        let found = self.report.columns.iter().find(|c| c.name == name).unwrap();
        let nullable = column
            .get("nullable")
            .is_some_and(|n| n.as_bool() == Some(true));
        assert!(
            nullable || found.nulls == 0,
            "{name}: {} NULLs",
            found.nulls
        );
        let within = match column["type"].as_str().unwrap() {
            "boolean" => {
                assert_eq!(found.data_type, "boolean", "{name}");
                return;
            }
            "category" => {
                assert_eq!(found.data_type, "utf8", "{name}");
                let codes = column["codes"].as_array().unwrap().iter().map(|c| match c {
                    Value::String(code) => format!("'{code}'"),
                    labelled => format!("'{}'", labelled["code"].as_str().unwrap()),
                });
                format!("{name} IN ({})", codes.collect::<Vec<_>>().join(", "))
            }
            "date" => {
                assert_eq!(found.data_type, "date", "{name}");
                let (min, max) = (
                    column["min"].as_str().unwrap(),
                    column["max"].as_str().unwrap(),
                );
                format!("{name} BETWEEN DATE '{min}' AND DATE '{max}'")
            }
            _ => {
                let bound = |name: &str| {
                    let bound = &column[name];
                    let whole = bound.as_integer().map(|n| n.to_string());
                    whole.unwrap_or_else(|| bound.as_float().unwrap().to_string())
                };
                let (min, max) = (bound("min"), bound("max"));
                let decimals = column["decimals"].as_integer().unwrap();
                let width = max.parse::<f64>().unwrap() - min.parse::<f64>().unwrap();
                let span = width * 10f64.powi(i32::try_from(decimals).unwrap());
                assert!(span < f64::from(u32::MAX), "{name}: {span}");
                let whole = matches!(found.data_type.as_str(), "int64");
                let scaled = found.data_type.ends_with(&format!(", {decimals})"));
                assert!(
                    (whole && decimals == 0) || scaled,
                    "{name}: {}",
                    found.data_type
                );
                format!("{name} BETWEEN {min} AND {max}")
            }
        };
        self.answer(
            &format!("SELECT count(*) FROM t WHERE NOT ({within})"),
            &[&["0"]],
        );
    }
}

#[test]
fn gibleed() {
    let Some(t) = built("gibleed", "omop-gibleed") else {
        return;
    };
    assert_eq!(t.report.rows, 2694);
    // dev-01
    t.answer(
        "SELECT gender_concept_id, count(*) FROM t GROUP BY 1 ORDER BY 1",
        &[&["8507", "1321"], &["8532", "1373"]],
    );
    // dev-02
    t.answer(
        "SELECT gender_concept_id, count(*) FROM t WHERE gi_bleed GROUP BY 1 ORDER BY 1",
        &[&["8507", "237"], &["8532", "242"]],
    );
    // dev-03
    t.answer(
        "SELECT count(*) FILTER (WHERE celecoxib), count(*) FILTER (WHERE diclofenac) FROM t",
        &[&["1844", "850"]],
    );
    // dev-05
    t.answer(
        "SELECT count(age_at_gi_bleed), sum(age_at_gi_bleed), \
         sum(age_at_gi_bleed * age_at_gi_bleed), min(age_at_gi_bleed), max(age_at_gi_bleed) FROM t",
        &[&["479", "18643", "730767", "32", "47"]],
    );
    t.close(
        "SELECT avg(age_at_gi_bleed), stddev_samp(age_at_gi_bleed) FROM t",
        &[38.920_668_058_455_114, 3.288_430_774_491_376_3],
        1e-9,
    );
    // dev-06
    t.answer(
        "SELECT age_at_first_drug / 10 * 10, count(*) FROM t WHERE first_drug = 'celecoxib' \
         GROUP BY 1 ORDER BY 1",
        &[&["30", "1094"], &["40", "750"]],
    );
    // dev-07: every person has era of one of the drugs and of no other.
    t.answer(
        "SELECT count(*) FROM t WHERE celecoxib = diclofenac",
        &[&["0"]],
    );
    t.answer(
        "SELECT first_drug, bleed_after_drug, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2",
        &[
            &["celecoxib", "false", "1489"],
            &["celecoxib", "true", "355"],
            &["diclofenac", "false", "726"],
            &["diclofenac", "true", "124"],
        ],
    );
    // dev-08
    t.answer(
        "SELECT race, count(*) FROM t WHERE gi_bleed GROUP BY 1 ORDER BY 1",
        &[
            &["asian", "32"],
            &["black", "61"],
            &["hispanic", "88"],
            &["native", "5"],
            &["white", "293"],
        ],
    );
}

#[test]
fn rotterdam() {
    let Some(t) = built("rotterdam", "real-dev") else {
        return;
    };
    // dev-12
    t.answer(
        "SELECT count(*), count(*) FILTER (WHERE node_positive), count(*) FILTER (WHERE recur), \
         count(*) FILTER (WHERE death), sum(age) FROM t",
        &[&["2982", "1546", "1518", "1272", "164184"]],
    );
    t.close(
        "SELECT avg(age), stddev_samp(age) FROM t",
        &[55.058_350_100_603_62, 12.952_987_621_401_975],
        1e-9,
    );
}

#[test]
fn strep_tb() {
    let Some(t) = built("strep_tb", "real-dev") else {
        return;
    };
    assert_eq!(t.query("SELECT min(patient_id) FROM t"), [["0001"]]);
    // dev-13
    t.answer(
        "SELECT arm, count(*), count(*) FILTER (WHERE rad_num = 1), \
         count(*) FILTER (WHERE improved), count(*) FILTER (WHERE rad_num = 6) \
         FROM t GROUP BY 1 ORDER BY 1",
        &[
            &["Control", "52", "14", "17", "4"],
            &["Streptomycin", "55", "4", "38", "28"],
        ],
    );
}

#[test]
fn nhefs() {
    let Some(t) = built("nhefs", "real-dev") else {
        return;
    };
    assert_eq!(t.report.rows, 1629);
    // dev-14; the weights are rounded to six decimals, hence the tolerance.
    t.answer(
        "SELECT qsmk, count(*) FROM t WHERE wt82_71 IS NOT NULL GROUP BY 1 ORDER BY 1",
        &[&["false", "1163"], &["true", "403"]],
    );
    let statistics = |quit: &str| {
        format!(
            "SELECT avg(CAST(wt82_71 AS DOUBLE)), stddev_samp(CAST(wt82_71 AS DOUBLE)) FROM t \
             WHERE qsmk = {quit}"
        )
    };
    t.close(
        &statistics("false"),
        &[1.984_497_534_746_350_3, 7.449_075_855_798_695],
        1e-6,
    );
    t.close(
        &statistics("true"),
        &[4.525_078_989_702_235, 8.748_261_237_678_29],
        1e-6,
    );
}

#[test]
fn birthwt() {
    let Some(t) = built("birthwt", "real-dev") else {
        return;
    };
    assert_eq!(t.report.rows, 189);
    // dev-15
    t.answer(
        "SELECT smoke, low, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2",
        &[
            &["false", "false", "86"],
            &["false", "true", "29"],
            &["true", "false", "44"],
            &["true", "true", "30"],
        ],
    );
}

#[test]
fn fhir100() {
    let Some(t) = built("fhir100", "fhir-synthea-100") else {
        return;
    };
    assert_eq!(t.report.rows, 100);
    // dev-10
    t.answer(
        "SELECT gender, hypertension, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2",
        &[
            &["female", "false", "32"],
            &["female", "true", "8"],
            &["male", "false", "45"],
            &["male", "true", "15"],
        ],
    );
    // dev-11's cohort
    t.answer(
        "SELECT count(*) FROM t WHERE prediabetes_or_diabetes",
        &[&["27"]],
    );
}
