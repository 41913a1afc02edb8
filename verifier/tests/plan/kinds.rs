//! Every kind of thing that a query can hold, once.

use galen_circuits::equation::{Block, Linear, Measure};
use galen_verifier::plan::Plan;

use crate::{
    check,
    data::{Dice, Table, study},
};

fn run(sql: &[&str]) -> Vec<Plan> {
    let registry = study();
    let table = Table::random(&registry, 400, &mut Dice(1));
    sql.iter().map(|s| check(s, &registry, &table)).collect()
}

/// Lookups, derived columns, blocks, and left factors in a block.
fn shape(plan: &Plan) -> (usize, usize, usize, usize) {
    let e = &plan.equation;
    let left = |block: &Block| {
        let mut left: Vec<&Linear> = Vec::new();
        for measure in &block.measures {
            if let Measure::Product(l, _) = measure
                && !left.contains(&l)
            {
                left.push(l);
            }
        }
        left.len()
    };
    let pairs = e.blocks.iter().map(left).max().unwrap();
    (e.lookups.len(), e.derived.len(), e.blocks.len(), pairs)
}

fn shapes(sql: &[&str]) -> Vec<(usize, usize, usize, usize)> {
    run(sql).iter().map(shape).collect()
}

#[test]
fn conditions() {
    let found = shapes(&[
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t WHERE flag",
        "SELECT count(*) FROM t WHERE NOT flag_n",
        "SELECT count(*) FROM t WHERE flag_n IS NULL",
        "SELECT count(*) FROM t WHERE age > 20",
        "SELECT count(*) FROM t WHERE NOT (age > 20)",
        "SELECT count(*) FROM t WHERE NOT (age_n > 20)",
        "SELECT count(*) FROM t WHERE age_n > 20 OR age_n IS NULL",
        "SELECT count(*) FROM t WHERE age_n IS NOT NULL AND flag AND NOT flag_n",
        "SELECT count(*) FROM t WHERE age_n IS NOT NULL AND flag AND NOT flag_n AND code = 'b'",
        "SELECT count(*) FROM t WHERE code IN ('a', 'c') AND code_n <> 'b' AND age > 3",
        "SELECT count(*) FROM t WHERE code IN ('a', 'c') OR code_n <> 'b' OR lab > 20",
    ]);
    assert_eq!(
        found,
        [
            (0, 0, 1, 0),
            (0, 1, 1, 0),
            (0, 1, 1, 0),
            (0, 1, 1, 0),
            (1, 2, 1, 0),
            (1, 2, 1, 0),
            (1, 2, 1, 0),
            (1, 2, 1, 0),
            (0, 1, 1, 0),
            (1, 2, 1, 0),
            (1, 2, 1, 0),
            (2, 3, 1, 0),
        ]
    );
}

/// A set and its complement, whatever is NULL, are one lookup; two sets of one column are one lookup of two outputs.
#[test]
fn lookups_are_shared() {
    let found = shapes(&[
        "SELECT count(*) FILTER (WHERE age_n > 20), count(*) FILTER (WHERE age_n <= 20) FROM t",
        "SELECT count(*) FILTER (WHERE age > 20), count(*) FILTER (WHERE age <= 20) FROM t",
        "SELECT count(*) FILTER (WHERE age > 20), count(*) FILTER (WHERE age <= 40) FROM t",
        "SELECT count(*) FILTER (WHERE age > 20), count(*) FILTER (WHERE age <= 20), sum(lab) FROM t WHERE age > 20",
        "SELECT count(*) FILTER (WHERE flag_n), count(*) FILTER (WHERE NOT flag_n), count(*) FILTER (WHERE flag_n IS NULL) FROM t",
    ]);
    assert_eq!(
        found,
        [
            (1, 1, 1, 0),
            (1, 1, 1, 0),
            (1, 2, 1, 0),
            (1, 2, 1, 0),
            (0, 0, 1, 0),
        ]
    );
}

#[test]
fn nested_conditions() {
    run(&[
        "SELECT count(*) FROM t WHERE (age < 30 AND lab > 40) OR (age > 60 AND lab < 20)",
        "SELECT count(*) FROM t WHERE (age_n < 30 AND lab_n > 40) OR (age_n > 60 AND flag_n) OR NOT (lab_n > 3)",
        "SELECT count(*) FROM t WHERE (flag OR age > 3) AND (flag_n OR lab < 9) AND (code = 'a' OR day > '2001-01-01') AND (age_n < 4 OR lab_n > 9)",
        "SELECT count(*) FROM t WHERE NOT ((age_n < 30 OR wide_n > 40) AND (day_n < '2000-01-01' OR wide > 66000))",
        "SELECT count(*) FROM t WHERE (age IN (1,5,9) OR (lab BETWEEN 3 AND 4 AND (flag OR code_n = 'd'))) AND age_n IS NULL",
    ]);
}

#[test]
fn wide_columns() {
    for column in ["wide", "wide_n"] {
        for condition in [
            "> 65525",
            "<= 65525",
            ">= 131000",
            "< 7",
            "BETWEEN 100 AND 131072",
            "NOT BETWEEN 65530 AND 140000",
            "= 65526",
            "<> 65526",
            "IN (3, 70000, 131062, 131061, 199999)",
            "IS NULL",
            "IS NOT NULL",
        ] {
            run(&[&format!(
                "SELECT count(*), sum({column}) FROM t WHERE {column} {condition}"
            )]);
        }
    }
}

#[test]
fn aggregates() {
    let found = shapes(&[
        "SELECT count(*), count(age_n), avg(age_n), sum(flag_n), sum(wide) FROM t",
        "SELECT stddev(age_n), sum(wide_n * wide_n) FROM t",
        "SELECT avg(age) FILTER (WHERE flag), count(*) FROM t",
        "SELECT stddev(age_n) FILTER (WHERE lab > 9) FROM t",
        "SELECT stddev(age_n) FILTER (WHERE lab > 9), stddev(lab_n) FILTER (WHERE lab > 9), count(*) FROM t",
        "SELECT corr(age_n, lab_n) FROM t WHERE code = 'a'",
        "SELECT corr(age_n, wide_n) FILTER (WHERE day > '2002-02-02' OR flag_n), count(*) FROM t WHERE code = 'a' AND lab < 60",
        "SELECT corr(age, lab), regr_slope(lab, wide) FROM t",
        "SELECT count(age_n) FILTER (WHERE flag_n), sum(flag_n) FILTER (WHERE NOT flag) FROM t",
    ]);
    assert_eq!(
        found,
        [
            (0, 0, 1, 0),
            (0, 0, 1, 2),
            (0, 0, 1, 1),
            (1, 2, 1, 1),
            (1, 2, 2, 2),
            (1, 2, 1, 2),
            (2, 4, 2, 2),
            (0, 0, 1, 3),
            (0, 0, 1, 2),
        ]
    );
}

#[test]
fn groups() {
    let found = shapes(&[
        "SELECT code, count(*) FROM t GROUP BY code",
        "SELECT code_n, flag_n, count(*), avg(age_n) FROM t WHERE age > 9 GROUP BY code_n, flag_n",
        "SELECT extract(year FROM day), count(*) FROM t GROUP BY 1",
        "SELECT extract(year FROM day_n), width_bucket(lab_n, 10, 60, 7), count(*) FROM t GROUP BY 1, 2",
        "SELECT width_bucket(wide, 0, 200000, 9), code, count(*) FROM t GROUP BY 1, 2",
        "SELECT width_bucket(wide_n, 60000, 70000, 4), stddev(lab) FROM t GROUP BY 1",
    ]);
    assert_eq!(
        found,
        [
            (0, 0, 1, 0),
            (1, 2, 1, 0),
            (1, 1, 1, 0),
            (2, 2, 1, 0),
            (2, 2, 1, 0),
            (2, 2, 1, 1),
        ]
    );
}

#[test]
fn filters_that_nobody_meets() {
    run(&[
        "SELECT count(*) FILTER (WHERE age > 2 AND age < 2), avg(lab) FILTER (WHERE FALSE), count(*) FROM t",
        "SELECT count(*), stddev(age_n) FROM t WHERE FALSE",
    ]);
}

#[test]
fn attrition() {
    let plans = run(&[
        "EXPLAIN COHORT SELECT count(*) FROM t WHERE age > 3 AND lab < 70 AND code <> 'b' AND (flag_n OR wide_n > 9) AND day > '2000-01-01' AND age_n < 80",
    ]);
    assert!(plans[0].is_chain);
    assert_eq!(plans[0].statistics.len(), 7);
}

#[test]
fn percentiles() {
    let half = |of: &str| format!("percentile_disc(0.5) WITHIN GROUP (ORDER BY {of})");
    let sql = [
        format!("SELECT {}, {} FROM t", half("age"), half("age_n")),
        format!("SELECT {}, {} FROM t", half("wide"), half("wide_n")),
        format!("SELECT code_n, {}, {} FROM t GROUP BY 1", half("lab"), half("lab_n")),
        format!("SELECT code, flag_n, {}, count(*) FROM t WHERE age > 9 GROUP BY 1, 2", half("wide_n")),
        format!("SELECT {} FILTER (WHERE flag_n), {} FROM t", half("day_n"), half("day_n")),
        "SELECT width_bucket(age, 0, 90, 60), percentile_disc(0.25) WITHIN GROUP (ORDER BY day), \
         percentile_disc(0.5) WITHIN GROUP (ORDER BY day), percentile_disc(0.75) WITHIN GROUP (ORDER BY day) FROM t GROUP BY 1"
            .to_owned(),
    ];
    let sql: Vec<&str> = sql.iter().map(String::as_str).collect();
    let found = shapes(&sql);
    assert_eq!(
        found,
        [
            (2, 4, 1, 0),
            (4, 6, 1, 0),
            (2, 4, 1, 0),
            (3, 5, 1, 0),
            (2, 4, 1, 1),
            (5, 8, 1, 0),
        ]
    );
}

#[test]
fn places_tell_what_a_cell_is() {
    let plans = run(&["SELECT code, avg(lab_n) FROM t GROUP BY code"]);
    let plan = &plans[0];
    for (cell, place) in plan.places().into_iter().enumerate() {
        match place {
            Some((group, field)) => assert_eq!(plan.cell(group, field), Some(cell)),
            None => {
                let one = Measure::Linear(Linear::constant(1));
                assert_eq!(plan.equation.blocks[0].measures[cell % 3], one);
            }
        }
    }
}
