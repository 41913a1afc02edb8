//! Derived statistics over open data, from the source files to the verified answer, against recorded results of
//! independent implementations.

use std::fs;

use galen_tests::{Asked, Hospital, analysed, crate_folder, hospital::open_profile, shared_data};
use galen_verifier::{
    analysis::{Derived, Table, Value},
    manifest::ReleaseProfile,
};

use crate::hospital;

fn table<'a>(derived: &'a Derived, title: &str) -> &'a Table {
    derived.tables.iter().find(|t| t.title == title).unwrap()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(n) => *n,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn close(found: &Value, expected: f64) {
    let found = number(found);
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs(),
        "{found}, expected {expected}"
    );
}

const YEARS: usize = 10;

fn survival(hospital: &Hospital, years: usize) -> Asked {
    let days = 365 * years;
    analysed(
        hospital,
        &format!(
            "SELECT node_positive, width_bucket(dtime, 0, {days}, {years}) AS year, \
             count(*) AS leaving, sum(death) AS deaths FROM rotterdam GROUP BY node_positive, year"
        ),
        &["survival time=year leaving=leaving events=deaths by=node_positive"],
    )
}

#[test]
fn rotterdam_survival_is_that_of_lifelines() {
    let columns = ["node_positive", "dtime", "death"];
    let Some(h) = hospital("rotterdam", "real-dev", &columns, &open_profile()) else {
        return;
    };
    let asked = survival(&h, YEARS);
    let [derived] = asked.answer.derived.as_slice() else {
        panic!()
    };
    assert!(derived.notes.is_empty(), "{:?}", derived.notes);
    let recorded = crate_folder().join("fixtures/rotterdam/lifelines.json");
    let recorded: serde_json::Value = serde_json::from_slice(&fs::read(recorded).unwrap()).unwrap();
    let estimate = table(derived, "Survival");
    assert_eq!(estimate.rows.len(), 2 * YEARS);
    for (group, name) in [("node_negative", "false"), ("node_positive", "true")] {
        let wanted = &recorded[group]["bins"];
        let rows = estimate
            .rows
            .iter()
            .filter(|r| r[0] == Value::Key(Some(name.into())));
        for (year, row) in (1..).zip(rows) {
            let wanted = &wanted[year - 1];
            assert_eq!(wanted["bin"], year);
            close(&row[1], f64::from(u32::try_from(365 * year).unwrap()));
            assert_eq!(row[2], Value::Count(wanted["at_risk"].as_u64().unwrap()));
            // Their estimate is the one of times that are the ends of their years.
            close(&row[8], wanted["survival"].as_f64().unwrap());
            assert!(number(&row[7]) < number(&row[4]) && number(&row[4]) < number(&row[8]));
        }
    }
    let medians = &table(derived, "Median survival").rows;
    assert_eq!(medians[0][4], Value::from("not reached"));
    let bin = recorded["node_positive"]["median_bin"].as_f64().unwrap();
    let years = number(&medians[1][4]) / 365.0;
    assert!(bin - 1.0 < years && years <= bin, "{years}, {bin}");
}

/// Kaplan and Meier's estimate of the exact days, just before each of `ends`; and its median.
fn exact(positive: bool, ends: &[u32]) -> (Vec<f64>, Option<u32>) {
    let path = shared_data("real-dev")
        .unwrap()
        .join("real-dev/rotterdam.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    let (nodes, time, death) = (column("nodes"), column("dtime"), column("death"));
    let mut days: Vec<(u32, bool)> = Vec::new();
    for record in reader.records().map(Result::unwrap) {
        if (record[nodes].parse::<u32>().unwrap() > 0) == positive {
            days.push((record[time].parse().unwrap(), &record[death] == "1"));
        }
    }
    days.sort_unstable();
    let (mut share, mut curve) = (1.0, Vec::new());
    for same in days.chunk_by(|a, b| a.0 == b.0) {
        let at_risk = days.iter().filter(|d| d.0 >= same[0].0).count();
        let deaths = same.iter().filter(|d| d.1).count();
        share *= 1.0 - deaths as f64 / at_risk as f64;
        curve.push((same[0].0, share));
    }
    let before = |end: &u32| curve.iter().rfind(|c| c.0 < *end).map_or(1.0, |c| c.1);
    let median = curve.iter().find(|c| c.1 <= 0.5).map(|c| c.0);
    (ends.iter().map(before).collect(), median)
}

/// The curve of yearly bins is the one of the exact days, up to some 0.001, and its ends hold it.
#[test]
fn bins_give_the_curve_of_the_exact_days() {
    let columns = ["node_positive", "dtime", "death"];
    let Some(h) = hospital("rotterdam", "real-dev", &columns, &open_profile()) else {
        return;
    };
    let asked = survival(&h, YEARS);
    let ends: Vec<u32> = (1..=10).map(|year| 365 * year).collect();
    let estimate = table(&asked.answer.derived[0], "Survival");
    for (group, rows) in estimate.rows.chunks(YEARS).enumerate() {
        let (days, median) = exact(group == 1, &ends);
        for (row, exact) in rows.iter().zip(days) {
            let [survival, lowest, highest] = [4, 7, 8].map(|at| number(&row[at]));
            assert!(lowest <= exact && exact <= highest, "{row:?} {exact}");
            assert!((survival - exact).abs() < 0.0015, "{row:?} {exact}");
        }
        if group == 1 {
            let row = &table(&asked.answer.derived[0], "Median survival").rows[group];
            let exact = f64::from(median.unwrap());
            assert!(
                number(&row[5]) <= exact && exact <= number(&row[6]),
                "{row:?}"
            );
            assert!((number(&row[4]) - exact).abs() < 60.0, "{row:?} {exact}");
        }
    }
}

/// What is hidden is not derived from: the note names the cell.
#[test]
fn a_hidden_count_stops_its_curve() {
    let columns = ["node_positive", "dtime", "death"];
    let profile = ReleaseProfile::default();
    let Some(h) = hospital("rotterdam", "real-dev", &columns, &profile) else {
        return;
    };
    let asked = survival(&h, 2);
    let [derived] = asked.answer.derived.as_slice() else {
        panic!()
    };
    let hidden = asked
        .answer
        .rows
        .iter()
        .flatten()
        .filter(|c| ["<11", "*"].contains(&c.to_string().as_str()))
        .count();
    assert!(hidden > 0, "{:?}", asked.answer.rows);
    assert!(
        derived
            .notes
            .iter()
            .any(|n| n.contains("is hidden by the release rule")),
        "{:?}",
        derived.notes
    );
    assert!(table(derived, "Survival").rows.len() < 2 * 2);
}

#[test]
fn birth_weight_and_smoking_give_the_published_odds_ratio() {
    let columns = ["low", "smoke", "bwt"];
    let Some(h) = hospital("birthwt", "real-dev", &columns, &ReleaseProfile::default()) else {
        return;
    };
    let asked = analysed(
        &h,
        "SELECT smoke, low, count(*) AS n FROM birthwt GROUP BY smoke, low",
        &[
            "two-by-two exposure=smoke outcome=low count=n",
            "contingency rows=smoke columns=low count=n",
        ],
    );
    let effects = &table(&asked.answer.derived[0], "Effects").rows;
    assert!((number(&effects[0][1]) - 2.02).abs() < 0.005, "{effects:?}");
    // 30·86/(29·44), exactly.
    close(&effects[0][1], 2580.0 / 1276.0);
    let both = [0, 1].map(|i| table(&asked.answer.derived[i], "Tests").rows[0][1].clone());
    assert_eq!(number(&both[0]).to_bits(), number(&both[1]).to_bits());
    let asked = analysed(
        &h,
        "SELECT smoke, count(*) AS n, avg(bwt) AS mean, var_samp(bwt) AS v FROM birthwt GROUP BY smoke",
        &["welch by=smoke mean=mean variance=v n=n"],
    );
    // R: t.test(bwt ~ smoke): difference 283.7767, t = 2.7299, df = 170.1, p = 0.007003.
    let row = &table(&asked.answer.derived[0], "Difference").rows[0];
    for (at, wanted) in [(1, -283.7767), (4, -2.7299), (5, 170.1), (6, 0.007_003)] {
        let found = number(&row[at]);
        assert!((found - wanted).abs() < 3e-4 * wanted.abs(), "{row:?}");
    }
}
