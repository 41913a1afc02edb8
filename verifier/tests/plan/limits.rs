//! What has no plan, and what is said of it.

use galen_circuits::equation::{Cells, Inequality, Layout, Rows};
use galen_query::{query::parse_query, registry::Registry};
use galen_verifier::{
    plan::{PlanError, assumed_quantiles, check_percentiles, quantile_count},
    rules::{ReleaseProfile, check_profile},
};

use crate::{
    data::{registry, study},
    plan_with,
};

fn refused(sql: &str, registry: &Registry, patients: usize) -> Option<PlanError> {
    let query = parse_query(sql, registry).unwrap();
    let quantiles = assumed_quantiles(&query, registry);
    plan_with(&query, registry, patients, &quantiles).err()
}

fn message(sql: &str, registry: &Registry, patients: usize) -> String {
    refused(sql, registry, patients).unwrap().to_string()
}

fn is_too_large(sql: &str, registry: &Registry) -> bool {
    let error = refused(sql, registry, 1_000_000);
    matches!(error, Some(PlanError::TooLarge { .. }))
}

#[test]
fn groups_and_cells() {
    let r = study();
    let many = "SELECT width_bucket(lab, 2, 80, 780), width_bucket(age, 0, 90, 9), count(*) FROM t GROUP BY 1, 2";
    insta::assert_snapshot!(message(many, &r, 100_000), @"GROUP BY makes 8591 groups, more than 4096; take wider buckets, a column with fewer codes or one column instead of two; WHERE makes none of them fewer");
    let some = "SELECT width_bucket(lab, 2, 80, 780), flag, count(*), avg(age_n), avg(wide_n) FROM t GROUP BY 1, 2";
    insta::assert_snapshot!(message(some, &r, 100_000), @"the answer would have 7810 numbers, more than 4096; ask for fewer groups, or for fewer columns in one query");
}

/// What is proven of hidden counts has room for all groups that an answer may have, over the smallest tables too.
#[test]
fn rows_for_hidden_counts() {
    let r = registry(
        &[("a", 4095), ("b", 2047), ("c", 1), ("d", 99)]
            .map(|(n, max)| number(n, max))
            .concat(),
    );
    let refused = |sql: &str, profile: &ReleaseProfile, patients: usize| {
        let query = parse_query(sql, &r).unwrap();
        let quantiles = assumed_quantiles(&query, &r);
        let plan = plan_with(&query, &r, patients, &quantiles).unwrap();
        check_profile(&plan, profile).err().map(|e| e.to_string())
    };
    let one = "SELECT width_bucket(a, 0, 4096, 4096), count(*) FROM t GROUP BY 1";
    let two = "SELECT width_bucket(b, 0, 2048, 2048), width_bucket(c, 0, 2, 2), count(*) FROM t GROUP BY 1, 2";
    let halves = "SELECT width_bucket(b, 0, 2048, 600), count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY d) FROM t GROUP BY 1";
    let strict = ReleaseProfile::exact("strict", 5_000, true);
    let wide = ReleaseProfile::named("cms-11").unwrap();
    let rounded = ReleaseProfile::named("opensafely").unwrap();
    for patients in [1, 5_000, 16_384, 1_000_000] {
        for profile in [&strict, &wide, &rounded] {
            assert_eq!(refused(one, profile, patients), None);
        }
        assert_eq!(refused(halves, &wide, patients), None);
    }
    insta::assert_snapshot!(refused(two, &wide, 16_384).unwrap(), @"if all counts had to be hidden, what is proven of them would take 16440 rows, and a table of this size has 16384; ask for fewer groups, or for fewer counts and percentiles in one query");
    assert_eq!(refused(two, &wide, 16_385), None);
    assert_eq!(
        refused(two, &ReleaseProfile::named("ohdsi-5").unwrap(), 16_384),
        None
    );
}

fn number(name: &str, max: u32) -> String {
    format!("[[column]]\nname = \"{name}\"\ntype = \"number\"\nmin = 0\nmax = {max}\n")
}

#[test]
fn circuits() {
    let r = study();
    let wide = numbers(140, 9000);
    let all = |count: usize| -> String {
        let all: Vec<String> = (0..count).map(|i| format!("x{i} > 7")).collect();
        format!("SELECT count(*) FROM t WHERE {}", all.join(" AND "))
    };
    assert_eq!(class(&all(60), &wide, 1_000_000), "huge-20");
    assert!(is_too_large(&all(140), &wide));
    let squares: Vec<String> = (0..60).map(|i| format!("stddev(x{i})")).collect();
    let sql = format!("SELECT {} FROM t", squares.join(", "));
    assert_eq!(refused(&sql, &wide, 1_000_000), None);
    let filters = |count: usize| -> String {
        let each = (0..count).map(|i| format!("stddev(x{i}) FILTER (WHERE x{} > 9)", i + 1));
        format!("SELECT {} FROM t", each.collect::<Vec<_>>().join(", "))
    };
    assert_eq!(class(&filters(6), &wide, 1_000_000), "large-20");
    assert_eq!(class(&filters(20), &wide, 5_000), "huge-14");
    assert_eq!(class(&filters(20), &wide, 1_000_000), "huge-20");
    assert!(is_too_large(&filters(25), &wide));
    insta::assert_snapshot!(message(&filters(25), &wide, 1_000_000), @"the query needs 25 filters with means or products, and cannot have more than 24; ask for the aggregates under different filters, or of different nullable columns, in separate queries");
    let half = "SELECT code, percentile_disc(0.5) WITHIN GROUP (ORDER BY day) FROM t GROUP BY 1";
    assert_eq!(refused(half, &r, 20_000), None);
}

/// The criteria of an attrition table take one lookup each where their columns have few values, or the table many rows.
#[test]
fn a_hundred_criteria() {
    let criteria: Vec<String> = (0..100).map(|i| format!("x{i} >= 3")).collect();
    let criteria = criteria.join(" AND ");
    let sql = format!("EXPLAIN COHORT SELECT count(*) FROM t WHERE {criteria}");
    assert_eq!(class(&sql, &numbers(100, 2_000), 5_000), "huge-14");
    let wide = numbers(100, 9_000);
    assert_eq!(class(&sql, &wide, 1_000_000), "huge-20");
    let error = refused(&sql, &wide, 5_000);
    assert!(
        matches!(error, Some(PlanError::TooLarge { .. })),
        "{error:?}"
    );
}

/// Number columns x0, x1, … from 0 to `max`.
fn numbers(count: usize, max: u32) -> Registry {
    let columns: Vec<String> = (0..count).map(|i| number(&format!("x{i}"), max)).collect();
    registry(&columns.concat())
}

/// The class of the circuit that proves a query with a count hidden.
fn class(sql: &str, registry: &Registry, patients: usize) -> String {
    let query = parse_query(sql, registry).unwrap();
    let plan = plan_with(&query, registry, patients, &[]).unwrap();
    let one = Inequality {
        terms: Vec::new(),
        bound: 0,
        limbs: 1,
    };
    let hidden = Cells {
        published: vec![None; plan.equation.cells()],
        inequalities: vec![one],
    };
    Layout::new(&plan.equation, &hidden).unwrap().class.name()
}

#[test]
fn percentiles_fit_their_query() {
    let r = study();
    let query = parse_query(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age) FROM t",
        &r,
    )
    .unwrap();
    assert!(plan_with(&query, &r, 10, &[]).is_err());
    assert!(plan_with(&query, &r, 10, &[Some(94)]).is_err());
    assert!(plan_with(&query, &r, 10, &[Some(93)]).is_ok());
    assert!(plan_with(&query, &r, 10, &[None]).is_ok());
}

#[test]
fn a_plan_is_told_in_words() {
    let r = study();
    let sql = "SELECT code_n, stddev(age_n), avg(lab) FILTER (WHERE day > '2002-02-02') FROM t WHERE flag AND lab < 40 GROUP BY code_n";
    let query = parse_query(sql, &r).unwrap();
    let plan = plan_with(&query, &r, 15_000, &[]).unwrap();
    insta::assert_snapshot!(plan.explain(&r).join("\n"), @r"
    Of each of 15000 patients are read: consent:DUO:0000042, flag, code_n, code_n.known, age_n, age_n.known, lab, day
    Lookup 1: lab in a table of 781 entries gives d0, 1 where it is 40.0 to 80.0
    Lookup 2: day in a table of 1740 entries gives d2, 1 where it is 2002-02-03 to 2004-02-03
    Counted (d1): patients for whom all of these are 1: consent:DUO:0000042; flag; 1 − d0
    Summed over them, in each group: 1; d2; age_n.known; age_n; d2·lab; age_n·age_n
    Groups: 5 by code_n + code_n.known
    Numbers: 25 to publish or hide by the release rule, 5 that stay hidden; at most 4096
    Slots: 2 of lookups, 1 of groups, 1 of tables; a lookup more where a count is hidden
    Circuit: medium-14
    ");
}

/// Whether it is answered must not depend on what its percentiles are: with few different ones it has a plan, with many
/// none.
#[test]
fn percentiles_that_could_be_too_many_are_refused() {
    let r = study();
    let sql = |groups: u32| {
        let half = "percentile_disc(0.5) WITHIN GROUP (ORDER BY lab)";
        format!("SELECT width_bucket(wide, 0, 200000, {groups}), {half} FROM t GROUP BY 1")
    };
    let rows = Rows::of(100_000).unwrap();
    let checked = |groups: u32| {
        let query = parse_query(&sql(groups), &r).unwrap();
        check_percentiles(&query, 0, &r, rows)
    };
    assert!(checked(100).is_ok());
    assert!(matches!(checked(250), Err(PlanError::TooLarge { .. })));
    let query = parse_query(&sql(250), &r).unwrap();
    let few = vec![Some(7); quantile_count(&query, &r)];
    assert!(plan_with(&query, &r, 100_000, &few).is_ok());
}

/// What passes the check has a plan with whatever percentiles.
#[test]
fn percentiles_of_any_values_are_planned() {
    let r = study();
    let mut state = 1u64;
    let mut next = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for (column, groups) in [
        ("lab", 100),
        ("wide", 100),
        ("wide", 170),
        ("age_n", 250),
        ("day", 30),
    ] {
        let half = format!("percentile_disc(0.5) WITHIN GROUP (ORDER BY {column})");
        let most = format!("percentile_disc(0.9) WITHIN GROUP (ORDER BY {column})");
        let sql = format!(
            "SELECT width_bucket(wide, 0, 200000, {groups}), {half}, {most} FROM t GROUP BY 1"
        );
        let query = parse_query(&sql, &r).unwrap();
        if check_percentiles(&query, 0, &r, Rows::of(100_000).unwrap()).is_err() {
            continue;
        }
        let span = r.columns[query.percentiles()[0].column].span();
        for values in [2, 5, 40, 1_000] {
            let drawn: Vec<u64> = (0..values).map(|_| next(span + 1)).collect();
            let quantile = |_| (next(9) > 0).then(|| drawn[next(values) as usize]);
            let quantiles: Vec<_> = (0..quantile_count(&query, &r)).map(quantile).collect();
            let plan = plan_with(&query, &r, 100_000, &quantiles);
            assert!(plan.is_ok(), "{sql}: {:?}", plan.err());
        }
    }
}
