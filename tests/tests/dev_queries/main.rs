//! The recorded queries over open data sets, from the source files to the verified answer: tables
//! built by SQL, committed, proven, and compared with `expected-dev.json`.

#![allow(clippy::unwrap_used)]

mod derived;
mod verdicts;

use std::fs;

use galen_tests::{
    Asked, Hospital, Setup, ask, crate_folder,
    hospital::{open_profile, plain_profile},
    shared_data,
};
use galen_verifier::{VerifyError, answer::Cell, manifest::ReleaseProfile, rules::State};
use serde_json::Value;

/// The recorded rows of query `id`.
fn expected(id: &str) -> Vec<Vec<Value>> {
    let file = shared_data("expected-dev.json")
        .unwrap()
        .join("expected-dev.json");
    let all: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let queries = all["queries"].as_array().unwrap();
    let query = queries.iter().find(|q| q["id"] == id).unwrap();
    let rows = query["expected"].as_array().unwrap();
    rows.iter().map(|r| r.as_array().unwrap().clone()).collect()
}

/// The fixture's registry with only the named columns: every column costs registration proofs.
fn reduced(registry: &str, columns: &[&str]) -> String {
    let mut parts = registry.split("\n[[column]]\n");
    let mut out = parts.next().unwrap().to_owned();
    let mut kept = 0;
    for part in parts {
        if columns
            .iter()
            .any(|c| part.starts_with(&format!("name = \"{c}\"\n")))
        {
            out += "\n[[column]]\n";
            out += part;
            kept += 1;
        }
    }
    assert_eq!(kept, columns.len(), "{columns:?}");
    out
}

/// The fixture `name` built from `data` and committed with the named columns.
fn hospital(
    name: &str,
    data: &str,
    columns: &[&str],
    release: &ReleaseProfile,
) -> Option<Hospital> {
    let fixture = crate_folder().join("fixtures").join(name);
    // Single files live in one folder; a data set of several has a folder of its own.
    let source = shared_data(data)?.join(data);
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("patients.parquet");
    galen_tables::build(&fixture.join("mapping.toml"), Some(&source), &table).unwrap();
    let registry = fs::read_to_string(fixture.join("registry.toml")).unwrap();
    let registry = reduced(&registry, columns);
    let setup = Setup {
        release: release.clone(),
        ..Setup::new("", &registry)
    };
    Some(setup.commit_file(home, &table))
}

#[track_caller]
fn assert_cell(cell: &Cell, expected: &Value, tolerance: f64) {
    let same = match (cell, expected) {
        (Cell::Key(text), Value::String(e)) => text == e,
        (Cell::Key(text), Value::Number(e)) => e.to_string() == text.as_str(),
        (Cell::Integer(n), Value::Number(e)) => e.to_string() == n.to_string().as_str(),
        (Cell::Real(v), e) => {
            let e = e.as_f64().unwrap();
            (v - e).abs() <= tolerance * e.abs()
        }
        (Cell::Null, Value::Null) => true,
        _ => false,
    };
    assert!(same, "{cell:?}, recorded {expected}");
}

/// The answer's rows are the recorded ones, reals to 1e-9 of their size.
#[track_caller]
fn assert_rows(asked: &Asked, expected: &[Vec<Value>]) {
    assert_eq!(
        asked.answer.rows.len(),
        expected.len(),
        "{:?}",
        asked.answer.rows
    );
    for (row, wanted) in asked.answer.rows.iter().zip(expected) {
        assert_eq!(row.len(), wanted.len());
        row.iter()
            .zip(wanted)
            .for_each(|(c, e)| assert_cell(c, e, 1e-9));
    }
}

/// The recorded rows with each key of column `at` said in the registry's words.
fn renamed(mut rows: Vec<Vec<Value>>, at: usize, names: &[(Value, &str)]) -> Vec<Vec<Value>> {
    for row in &mut rows {
        let (_, name) = names.iter().find(|(key, _)| *key == row[at]).unwrap();
        row[at] = Value::from(*name);
    }
    rows
}

fn truth() -> [(Value, &'static str); 2] {
    [(0.into(), "false"), (1.into(), "true")]
}

fn gibleed(columns: &[&str]) -> Option<Hospital> {
    hospital("gibleed", "omop-gibleed", columns, &plain_profile())
}

#[test]
fn dev_01_02_05_persons_and_ages_by_gender() {
    let columns = ["gender_concept_id", "gi_bleed", "age_at_gi_bleed"];
    let Some(h) = gibleed(&columns) else { return };
    let by_gender = "SELECT gender_concept_id, count(*) FROM gibleed";
    assert_rows(
        &ask(&h, &format!("{by_gender} GROUP BY gender_concept_id")),
        &expected("dev-01"),
    );
    assert_rows(
        &ask(
            &h,
            &format!("{by_gender} WHERE gi_bleed GROUP BY gender_concept_id"),
        ),
        &expected("dev-02"),
    );
    // Smallest and largest values are single patients': not an answer that can be asked for.
    let mut wanted = expected("dev-05");
    wanted[0].drain(3..5);
    assert_rows(
        &ask(
            &h,
            "SELECT count(*), sum(age_at_gi_bleed), sum(age_at_gi_bleed * age_at_gi_bleed), \
             avg(age_at_gi_bleed), stddev_samp(age_at_gi_bleed) FROM gibleed WHERE gi_bleed",
        ),
        &wanted,
    );
}

#[test]
fn dev_03_07_drugs_and_bleeding() {
    let columns = ["celecoxib", "diclofenac", "first_drug", "bleed_after_drug"];
    let Some(h) = gibleed(&columns) else { return };
    let drugs = [
        (1_118_084.into(), "celecoxib"),
        (1_124_300.into(), "diclofenac"),
    ];
    for row in expected("dev-03") {
        let (_, drug) = drugs.iter().find(|(id, _)| *id == row[0]).unwrap();
        let asked = ask(&h, &format!("SELECT count(*) FROM gibleed WHERE {drug}"));
        assert_rows(&asked, &[vec![row[1].clone()]]);
    }
    let wanted = renamed(renamed(expected("dev-07"), 0, &drugs), 1, &truth());
    assert_rows(
        &ask(
            &h,
            "SELECT first_drug, bleed_after_drug, count(*) FROM gibleed \
             GROUP BY first_drug, bleed_after_drug",
        ),
        &wanted,
    );
}

const BY_RACE: &str = "SELECT race, count(*) FROM gibleed WHERE gi_bleed GROUP BY race";

#[test]
fn dev_08_a_small_cell_is_suppressed_and_cannot_be_published() {
    let Some(h) = gibleed(&["race", "gi_bleed"]) else {
        return;
    };
    let asked = ask(&h, BY_RACE);
    let recorded = expected("dev-08");
    let mut small = None;
    for (i, row) in asked.answer.rows.iter().enumerate() {
        let wanted = recorded.iter().find(|r| r[0] == *row[0].to_string());
        let count = wanted.map_or(0, |r| r[1].as_u64().unwrap());
        if (1..11).contains(&count) {
            assert_eq!(row[1], Cell::Suppressed(11));
            assert!(small.replace((i, count)).is_none());
        } else {
            assert_cell(&row[1], &count.into(), 0.0);
        }
    }
    let (at, count) = small.expect("the recorded answer has a small cell");
    let mut bundle = asked.bundle.clone();
    assert_eq!(bundle.cells[at], [State::Small]);
    bundle.cells[at] = vec![State::Shown(count.into())];
    let refused = h.verify(&asked.question, &bundle).unwrap_err();
    let VerifyError::CellRule {
        group,
        statistic: 0,
        ..
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!(group, at);
}

/// Under CMS's rule one group that is hidden alone could be had from the total.
#[test]
fn dev_08_a_second_cell_is_hidden_where_the_profile_says_so() {
    let columns = ["race", "gi_bleed"];
    let Some(h) = hospital(
        "gibleed",
        "omop-gibleed",
        &columns,
        &ReleaseProfile::default(),
    ) else {
        return;
    };
    let asked = ask(&h, BY_RACE);
    let hidden: Vec<(String, String)> = asked
        .answer
        .rows
        .iter()
        .map(|r| (r[0].to_string(), r[1].to_string()))
        .filter(|(_, count)| count.parse::<u64>().is_err())
        .collect();
    // 5 is below 11, and 32 is the smallest of the others that is not 0.
    let pair = |race: &str, cell: &str| (race.to_owned(), cell.to_owned());
    assert_eq!(hidden, [pair("asian", "*"), pair("native", "<11")]);
    // 88 in its place.
    let mut bundle = asked.bundle.clone();
    let at = |wanted: State| asked.bundle.cells.iter().position(|c| *c == [wanted]);
    let (pick, other) = (at(State::Margin(0)).unwrap(), at(State::Shown(88)).unwrap());
    bundle.cells[pick] = vec![State::Shown(32)];
    bundle.cells[other] = vec![State::Margin(0)];
    let refused = h.verify(&asked.question, &bundle).unwrap_err();
    assert!(
        matches!(
            refused,
            VerifyError::CellRule { .. } | VerifyError::Proof { .. }
        ),
        "{refused}"
    );
}

#[test]
fn dev_08_every_cell_where_the_profile_allows_it() {
    let columns = ["race", "gi_bleed"];
    let Some(h) = hospital("gibleed", "omop-gibleed", &columns, &open_profile()) else {
        return;
    };
    let mut wanted = expected("dev-08");
    // A code without patients is a group too: 0 can be told from suppressed.
    wanted.insert(4, vec!["other".into(), 0.into()]);
    assert_rows(&ask(&h, BY_RACE), &wanted);
}

#[test]
fn dev_04_06_bleeding_on_celecoxib_and_ages_by_decade() {
    let columns = ["bleed_on_celecoxib", "age_at_celecoxib", "celecoxib"];
    let Some(h) = hospital("gibleed", "omop-gibleed", &columns, &open_profile()) else {
        return;
    };
    // dev-04 counts diagnoses and finds none, so no patient has one either. dev-04b is a check of the data.
    let asked = ask(&h, "SELECT count(*) FROM gibleed WHERE bleed_on_celecoxib");
    assert_rows(&asked, &expected("dev-04"));
    let asked = ask(
        &h,
        "SELECT width_bucket(age_at_celecoxib, 0, 120, 12) AS decade, count(*) FROM gibleed \
         WHERE celecoxib GROUP BY decade",
    );
    let recorded = expected("dev-06");
    let mut found = 0;
    for row in &asked.answer.rows {
        // Nobody on celecoxib is without an age: the group of NULL is empty.
        let decade = match &row[0] {
            Cell::Bucket(b) => i64::from(b.number - 1) * 10,
            _ => -1,
        };
        match recorded.iter().find(|r| r[0] == decade) {
            Some(wanted) => {
                found += 1;
                assert_cell(&row[1], &wanted[1], 0.0);
            }
            None => assert_cell(&row[1], &0.into(), 0.0),
        }
    }
    assert_eq!(found, recorded.len());
}

#[test]
fn dev_09_systolic_pressure_from_omop() {
    let columns = ["systolic_readings", "systolic_latest"];
    let Some(h) = hospital("synthea27", "omop-synthea27nj", &columns, &plain_profile()) else {
        return;
    };
    let asked = ask(
        &h,
        "SELECT sum(systolic_readings), count(systolic_latest), avg(systolic_latest) FROM synthea27",
    );
    let wanted = expected("dev-09");
    assert_cell(&asked.answer.rows[0][0], &wanted[0][0], 0.0);
    assert_cell(&asked.answer.rows[0][1], &wanted[0][1], 0.0);
    // Recorded with six decimals.
    assert_cell(&asked.answer.rows[0][2], &wanted[0][2], 2e-6);
}

#[test]
fn dev_11_latest_hba1c_from_fhir() {
    let columns = ["prediabetes_or_diabetes", "hba1c"];
    let Some(h) = hospital("fhir100", "fhir-synthea-100", &columns, &plain_profile()) else {
        return;
    };
    let asked = ask(
        &h,
        "SELECT count(*), count(hba1c), avg(hba1c), stddev_samp(hba1c) FROM fhir100 \
         WHERE prediabetes_or_diabetes",
    );
    let row = &asked.answer.rows[0];
    for (cell, wanted) in row.iter().zip(&expected("dev-11")[0]) {
        assert_cell(cell, wanted, 2e-6);
    }
}

#[test]
fn dev_10_gender_and_hypertension_from_fhir() {
    let columns = ["gender", "hypertension"];
    let Some(h) = hospital("fhir100", "fhir-synthea-100", &columns, &open_profile()) else {
        return;
    };
    let asked = ask(
        &h,
        "SELECT gender, hypertension, count(*) FROM fhir100 GROUP BY gender, hypertension",
    );
    let recorded = renamed(expected("dev-10"), 1, &truth());
    let mut found = 0;
    for row in &asked.answer.rows {
        let key = |r: &&Vec<Value>| (0..2).all(|i| r[i] == *row[i].to_string());
        match recorded.iter().find(key) {
            Some(wanted) => {
                found += 1;
                assert_cell(&row[2], &wanted[2], 0.0);
            }
            None => assert_cell(&row[2], &0.into(), 0.0),
        }
    }
    assert_eq!(found, recorded.len());
}

#[test]
fn dev_12_rotterdam() {
    let columns = ["age", "node_positive", "recur", "death"];
    let release = ReleaseProfile::default();
    let Some(h) = hospital("rotterdam", "real-dev", &columns, &release) else {
        return;
    };
    assert_rows(
        &ask(
            &h,
            "SELECT count(*), sum(node_positive), sum(recur), sum(death), sum(age), avg(age), \
             stddev_samp(age) FROM rotterdam",
        ),
        &expected("dev-12"),
    );
}

const ARMS: [(&str, usize); 4] = [
    ("", 1),
    (" WHERE rad_num = 1", 2),
    (" WHERE improved", 3),
    (" WHERE rad_num = 6", 4),
];

#[test]
fn dev_13_streptomycin_trial() {
    let columns = ["arm", "rad_num", "improved"];
    let recorded = || expected("dev-13");
    for k in [1, 11] {
        let release = ReleaseProfile {
            k,
            ..open_profile()
        };
        let Some(h) = hospital("strep_tb", "real-dev", &columns, &release) else {
            return;
        };
        for (condition, column) in ARMS {
            let sql = format!("SELECT arm, count(*) FROM strep_tb{condition} GROUP BY arm");
            let asked = ask(&h, &sql);
            for (row, wanted) in asked.answer.rows.iter().zip(recorded()) {
                assert_cell(&row[0], &wanted[0], 0.0);
                if wanted[column].as_u64().unwrap() < k {
                    assert_eq!(row[1], Cell::Suppressed(k), "{sql}");
                } else {
                    assert_cell(&row[1], &wanted[column], 0.0);
                }
            }
            assert_eq!(asked.answer.rows.len(), 2);
        }
    }
}

/// The whole recorded table by one query, and what CMS's rule leaves of it.
#[test]
fn dev_13_in_one_query() {
    let columns = ["arm", "rad_num", "improved"];
    let sql = "SELECT arm, count(*), count(*) FILTER (WHERE rad_num = 1) AS deaths, \
               count(*) FILTER (WHERE improved) AS improved, \
               count(*) FILTER (WHERE rad_num = 6) AS considerable FROM strep_tb GROUP BY arm";
    let Some(h) = hospital("strep_tb", "real-dev", &columns, &open_profile()) else {
        return;
    };
    assert_rows(&ask(&h, sql), &expected("dev-13"));
    let profile = ReleaseProfile::default();
    let Some(h) = hospital("strep_tb", "real-dev", &columns, &profile) else {
        return;
    };
    let rows = ask(&h, sql).answer.rows;
    let text: Vec<String> = rows
        .iter()
        .map(|r| {
            r.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    // 4 deaths and 4 considerable improvements are below 11; each hides the other arm's count.
    assert_eq!(text, ["Control 52 * 17 <11", "Streptomycin 55 <11 38 *"]);
}

#[test]
fn dev_14_weight_change_of_smokers() {
    let columns = ["qsmk", "wt82_71"];
    let release = ReleaseProfile::default();
    let Some(h) = hospital("nhefs", "real-dev", &columns, &release) else {
        return;
    };
    let asked = ask(
        &h,
        "SELECT qsmk, count(wt82_71), avg(wt82_71), stddev_samp(wt82_71) FROM nhefs \
         WHERE wt82_71 IS NOT NULL GROUP BY qsmk",
    );
    let wanted = renamed(expected("dev-14"), 0, &truth());
    assert_eq!(asked.answer.rows.len(), wanted.len());
    for (row, wanted) in asked.answer.rows.iter().zip(&wanted) {
        // The table rounds the source's weights to six decimals.
        row.iter()
            .zip(wanted)
            .for_each(|(c, e)| assert_cell(c, e, 1e-6));
    }
}

#[test]
fn dev_15_low_birth_weight_by_smoking() {
    let columns = ["low", "smoke"];
    for k in [1, 11, 30] {
        let release = ReleaseProfile {
            k,
            ..open_profile()
        };
        let Some(h) = hospital("birthwt", "real-dev", &columns, &release) else {
            return;
        };
        let sql = "SELECT smoke, low, count(*) FROM birthwt GROUP BY smoke, low";
        let asked = ask(&h, sql);
        let wanted = renamed(renamed(expected("dev-15"), 0, &truth()), 1, &truth());
        assert_eq!(asked.answer.rows.len(), wanted.len());
        for (row, wanted) in asked.answer.rows.iter().zip(&wanted) {
            assert_cell(&row[0], &wanted[0], 0.0);
            assert_cell(&row[1], &wanted[1], 0.0);
            if wanted[2].as_u64().unwrap() < k {
                assert_eq!(row[2], Cell::Suppressed(k));
            } else {
                assert_cell(&row[2], &wanted[2], 0.0);
            }
        }
    }
}
