//! What `galen query` says of a query before it is registered.

use serde_json::{Value, json};

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

[[column]]
name = "arm"
type = "category"
codes = ["NULL", "A 1", "x, y"]
nullable = true

[[column]]
name = "grade"
type = "number"
min = 1
max = 4
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

/// Their outputs, and a rule that the reason names.
fn rules(sql: &str) -> Vec<(Value, String)> {
    let rule = |why: &str| why.split('`').nth(1).unwrap_or_default().to_owned();
    let found = hidden(sql).into_iter();
    found
        .map(|(outputs, why, _)| (outputs, rule(&why)))
        .collect()
}

#[test]
fn a_mean_of_a_nullable_column_beside_a_count_may_be_hidden() {
    let found = hidden("SELECT count(*) AS n, avg(ldl) AS mean, sum(ldl) AS total FROM dates");
    let [(outputs, why, instead), (all, small, _)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(*outputs, json!(["mean", "total"]));
    assert_eq!(*all, json!(["n", "mean", "total"]));
    assert!(small.contains("`small`"), "{small}");
    assert!(why.contains("1 to k − 1 patients lack ldl"), "{why}");
    assert!(why.contains("`difference`"), "{why}");
    assert_eq!(
        instead,
        "`WHERE ldl IS NOT NULL`, or a query of its own without n"
    );
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
    for (sql, outputs) in [
        (
            "SELECT count(*) AS n, avg(ldl) AS mean FROM dates WHERE ldl IS NOT NULL",
            json!(["n", "mean"]),
        ),
        (
            "SELECT count(*) AS n, avg(ldl) AS mean FROM dates WHERE ldl > 2",
            json!(["n", "mean"]),
        ),
        (
            "SELECT avg(ldl) AS mean, count(ldl) AS n FROM dates",
            json!(["mean", "n"]),
        ),
    ] {
        assert_eq!(rules(sql), [(outputs, "small".to_owned())], "{sql}");
    }
}

#[test]
fn filters_and_booleans_that_few_meet_or_few_do_not_are_told() {
    let both = "SELECT count(*) AS n, count(*) FILTER (WHERE seen < DATE '2020-03-01') AS early, avg(ill) AS share FROM dates";
    let found = hidden(both);
    assert_eq!(found[0].0, json!(["early", "share"]), "{found:?}");
    let why = "where 1 to k − 1 patients meet the filter or are counted as true, their count is hidden, with what is computed from it \
        (the rule `small`; k is 11 under cms-11). cms-11 hides it also where 1 to k − 1 of those counted beside it do not (`difference`)";
    assert_eq!(found[0].1, why);
    // Without a count that contains it there is nothing to differ from.
    let alone = hidden("SELECT count(*) FILTER (WHERE ill) AS ill FROM dates");
    let [(_, why, _)] = &alone[..] else {
        panic!("{alone:?}")
    };
    assert!(!why.contains("difference"), "{why}");
    let never = "SELECT count(*) AS n, count(*) FILTER (WHERE ldl > 9.9) AS none FROM dates";
    assert_eq!(rules(never), [(json!(["n"]), "small".to_owned())]);
}

#[test]
fn small_groups_and_those_beside_them_are_told() {
    let one = hidden("SELECT ill, count(*) AS n FROM dates GROUP BY ill");
    let [(outputs, why, _)] = &one[..] else {
        panic!("{one:?}")
    };
    assert_eq!(*outputs, json!(["n"]));
    let said = "each group of 1 to k − 1 patients is hidden, with what is computed from it (the rule `small`; k is 11 under cms-11). \
        cms-11 hides beside a single one the smallest other too, since the total would tell it (`margin`), and more where the number of \
        all patients would (`whole`). The query is refused where nothing is left to hide that would help";
    assert_eq!(why, said);
    let two = "SELECT ill, width_bucket(ldl, 1, 9, 4) AS band, count(*) AS n FROM dates GROUP BY ill, band";
    let found = hidden(two);
    let said = "the smallest other of the same ill or of the same ldl too";
    assert!(found[0].1.contains(said), "{found:?}");
}

#[test]
fn small_steps_of_an_attrition_table_are_told() {
    let found = hidden("EXPLAIN COHORT SELECT count(*) AS n FROM dates WHERE ill AND ldl > 3");
    let [(outputs, why, instead)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(*outputs, json!(["n"]));
    assert!(
        why.contains("a step that leaves 1 to k − 1 patients"),
        "{why}"
    );
    let rest = "excludes 1 to k − 1 of those whom the last step shown leaves (`difference`)";
    assert!(why.contains(rest), "{why}");
    assert!(instead.contains("in parentheses"), "{instead}");
}

#[test]
fn nothing_is_said_to_be_hidden_of_nobody() {
    assert_eq!(hidden("SELECT count(*) FROM dates WHERE ldl > 9.9"), []);
}

#[test]
fn counts_that_add_up_are_told() {
    let sql = "SELECT count(*) AS n, count(*) FILTER (WHERE seen < DATE '2020-03-01') AS early, \
        avg(ldl) FILTER (WHERE seen > DATE '2020-06-30') AS late_ldl, \
        count(*) FILTER (WHERE seen > DATE '2020-06-30') AS late FROM dates";
    let found = hidden(sql);
    let [_, _, (outputs, why, instead), _] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(*outputs, json!(["n", "early", "late_ldl", "late"]));
    let who = "say of those without seen 2020-01-01 to 2020-02-29";
    assert!(
        why.contains(who) && why.contains("(the rule `tied`"),
        "{why}"
    );
    assert!(instead.contains("GROUP BY"), "{instead}");
    // What one leaves of another is told by itself.
    let one = "SELECT count(*) AS n, count(*) FILTER (WHERE ill) AS ill FROM dates";
    let found = hidden(one);
    assert!(
        found.iter().all(|(_, why, _)| !why.contains("tied")),
        "{found:?}"
    );
}

#[test]
fn sums_of_few_values_may_be_refused() {
    let sql = "SELECT count(*) AS n, avg(grade) AS mean, sum(ldl) AS total FROM dates";
    let found = hidden(sql);
    let own = found.iter().find(|(_, why, _)| why.contains("grade"));
    let Some((outputs, why, instead)) = own else {
        panic!("{found:?}")
    };
    assert_eq!(*outputs, json!(["mean"]));
    assert!(why.contains("the query is refused"), "{why}");
    assert!(instead.contains("GROUP BY grade"), "{instead}");
    let groups = hidden("SELECT ill, count(*) AS n FROM dates GROUP BY ill");
    assert!(groups[0].1.contains("The query is refused"), "{groups:?}");
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

#[test]
fn no_code_looks_like_a_missing_value_or_like_two() {
    let sql = "SELECT arm, count(*) AS n FROM dates WHERE arm <> 'A 1' GROUP BY arm";
    let said = ok(&arguments(sql));
    for part in [
        "\"NULL\", A 1, \"x, y\"; and NULL",
        "arm \"NULL\" or \"x, y\"",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
