//! What `galen query` says of a query before it is registered.

use serde_json::Value;

use crate::study::{ok, ok_json, study};

const REGISTRY: &str = r#"
[registry]
name = "dates"
version = 1
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "seen"
type = "date"
min = "2020-01-01"
max = "2020-12-31"

[[column]]
name = "ldl"
type = "number"
min = 1.0
max = 9.9
decimals = 1
unit = "mmol/L"
nullable = true

[[column]]
name = "ill"
type = "boolean"
"#;

fn arguments(sql: &str) -> Vec<String> {
    let registry = study().path("dates.toml");
    if !std::path::Path::new(&registry).exists() {
        study().write("dates.toml", REGISTRY);
    }
    let words = [
        "query",
        "--explain",
        "--purpose",
        "DUO:0000042",
        "--registry",
        &registry,
        "--sql",
        sql,
    ];
    words.map(str::to_owned).to_vec()
}

/// Outputs that may be hidden, with why and what to ask instead.
fn hidden(sql: &str) -> Vec<(Value, String, String)> {
    let document = ok_json(&arguments(sql));
    let all = document["may_be_hidden"].as_array().unwrap().iter();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    all.map(|e| (e["outputs"].clone(), text(&e["why"]), text(&e["instead"])))
        .collect()
}

#[test]
fn bounds_and_widths_are_in_the_columns_own_units() {
    let said = ok(&arguments(
        "SELECT width_bucket(ldl, 2, 8, 4) AS band, count(*) AS n FROM dates \
         WHERE ldl < 5.5 AND seen > DATE '2020-01-30' GROUP BY band",
    ));
    for part in [
        "ldl 1.0 to 5.4 mmol/L",
        "seen 2020-01-31 to 2020-12-31",
        "each 1.5 mmol/L wide",
        "1: 2.0 to 3.4, 2: 3.5 to 4.9",
        "1.0 to 9.9 mmol/L, in steps of 0.1; may be NULL",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_mean_of_a_nullable_column_beside_a_count_may_be_hidden() {
    let found = hidden("SELECT count(*) AS n, avg(ldl) AS mean, sum(ldl) AS total FROM dates");
    let [(outputs, why, instead)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(*outputs, serde_json::json!(["mean", "total"]));
    assert!(why.contains("1 to k − 1 patients lack ldl"), "{why}");
    assert!(why.contains("`difference`"), "{why}");
    assert!(instead.contains("`WHERE ldl IS NOT NULL`"), "{instead}");
    let grouped = hidden("SELECT ill, count(*) AS n, avg(ldl) AS mean FROM dates GROUP BY ill");
    assert!(
        grouped[0].1.contains("patients of a group lack ldl"),
        "{grouped:?}"
    );
    let text = ok(&arguments(
        "SELECT count(*) AS n, avg(ldl) AS mean FROM dates",
    ));
    assert!(
        text.contains("may be hidden in the answer\n  - mean: avg(ldl) is hidden"),
        "{text}"
    );
}

#[test]
fn what_is_asked_as_advised_is_not_warned_of() {
    for sql in [
        "SELECT count(*) AS n, avg(ldl) AS mean FROM dates WHERE ldl IS NOT NULL",
        "SELECT count(*) AS n, avg(ldl) AS mean FROM dates WHERE ldl > 2",
        "SELECT avg(ldl) AS mean, count(ldl) AS n FROM dates",
        "SELECT count(*) AS n, avg(ill) AS share FROM dates",
    ] {
        assert_eq!(hidden(sql), [], "{sql}");
    }
}

#[test]
fn counts_that_add_up_are_told() {
    let sql = "SELECT count(*) AS n, count(*) FILTER (WHERE seen < DATE '2020-03-01') AS early, \
        avg(ldl) FILTER (WHERE seen > DATE '2020-06-30') AS late_ldl, \
        count(*) FILTER (WHERE seen > DATE '2020-06-30') AS late FROM dates";
    let found = hidden(sql);
    let [_, (outputs, why, instead)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        *outputs,
        serde_json::json!(["n", "early", "late_ldl", "late"])
    );
    let who = "say of those without seen 2020-01-01 to 2020-02-29";
    assert!(
        why.contains(who) && why.contains("(the rule `tied`"),
        "{why}"
    );
    assert!(instead.contains("GROUP BY"), "{instead}");
    // What one leaves of another is told as before.
    let one = "SELECT count(*) AS n, count(*) FILTER (WHERE ill) AS ill FROM dates";
    assert_eq!(hidden(one), []);
}

#[test]
fn percentiles_and_many_groups_are_told() {
    let sql = "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ldl) AS median FROM dates";
    let found = hidden(sql);
    assert!(found[0].1.contains("fewer than 41 patients"), "{found:?}");
    let sql = "SELECT width_bucket(ldl, 1, 9, 80) AS band, count(*) AS n FROM dates GROUP BY band";
    let found = hidden(sql);
    assert!(
        found[0].1.contains("groups, and each of 1 to k − 1"),
        "{found:?}"
    );
}
