use galen_circuits::equation::Rows;
use galen_query::query::{Predicate, parse_query};

use super::*;
use crate::{
    plan::{FieldKind, Plan},
    rules::{check, decide},
};

fn registry() -> Registry {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"site\"\ntype = \"category\"\ncodes = [\"a\", \"b\", \"c\", \"d\"]\n\
        [[column]]\nname = \"flag\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"age\"\ntype = \"number\"\nmin = 0\nmax = 100\n\
        [[column]]\nname = \"cost\"\ntype = \"number\"\nmin = 0\nmax = 1000\n";
    Registry::from_toml(text).unwrap()
}

/// A patient's stored values, by column.
type Row = Vec<Option<u64>>;

fn patients(kinds: &[(u64, u64, Option<u64>, u64)]) -> Vec<Row> {
    let rows = kinds.iter().flat_map(|(n, site, flag, age)| {
        let row = vec![Some(*site), *flag, Some(*age), Some(7)];
        (0..*n).map(move |_| row.clone())
    });
    rows.collect()
}

fn is_in(row: &Row, query: &CohortQuery, keys: &[GroupKey]) -> bool {
    let key = |(g, k): (&galen_query::query::Grouping, &GroupKey)| match (row[g.column], k) {
        (None, GroupKey::Null) => true,
        (Some(v), GroupKey::Value(k)) => v == *k,
        _ => false,
    };
    query.group_by.iter().zip(keys).all(key) && query.filter.eval(&|c| row[c])
}

fn meets(row: &Row, query: &CohortQuery, field: Field) -> bool {
    let filters: Vec<&Predicate> = query.filters();
    let value = |c: Option<usize>| c.is_none_or(|c| row[c].is_some());
    let trues = field.kind != FieldKind::Trues || field.column.is_some_and(|c| row[c] == Some(1));
    let filtered = field.filter.is_none_or(|f| filters[f].eval(&|c| row[c]));
    value(field.column) && value(field.other) && trues && filtered
}

/// What is found of the rule's own decision.
fn found(sql: &str, rows: &[Row], all: u64) -> Result<Vec<Finding>, Unknown> {
    let registry = registry();
    let query = parse_query(sql, &registry).unwrap();
    let present = usize::try_from(all).unwrap();
    let plan = Plan::new(&query, 0, &registry, Rows::of(present).unwrap(), &[]).unwrap();
    let counts = Counts::of(&plan);
    let keys: Vec<Vec<GroupKey>> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
    let values: Vec<u64> = (0..counts.len())
        .map(|cell| {
            let (field, group) = counts.place(cell);
            let inside = rows.iter().filter(|r| is_in(r, &query, &keys[group]));
            inside.filter(|r| meets(r, &query, field)).count() as u64
        })
        .collect();
    let profile = ReleaseProfile::default();
    let states = decide(&counts, &profile, &values);
    let bounds = check(&counts, &profile, &states).unwrap().bounds;
    let facts = Facts {
        query: &query,
        registry: &registry,
        counts: &counts,
        keys: &keys,
        states: &states,
        bounds: &bounds,
    };
    findings(&facts, &profile)
}

fn between(found: Result<Vec<Finding>, Unknown>) -> Vec<(usize, u64, u64)> {
    let found = found.unwrap();
    found
        .into_iter()
        .map(|f| (f.group, f.between.0, f.between.1))
        .collect()
}

fn sites() -> Vec<Row> {
    patients(&[
        (60, 0, Some(0), 50),
        (38, 1, Some(0), 50),
        (1, 2, Some(0), 50),
        (1, 3, Some(0), 50),
    ])
}

#[test]
fn a_partition_by_filters() {
    let sql = "SELECT count(*), sum(cost), count(*) FILTER (WHERE site = 'a'), sum(cost) FILTER (WHERE site = 'a'), \
        count(*) FILTER (WHERE site = 'b'), sum(cost) FILTER (WHERE site = 'b') FROM t WHERE site <> 'd'";
    assert_eq!(between(found(sql, &sites(), 1_000)), [(0, 1, 1)]);
    // Nothing else is there: nobody is in neither.
    let all = sql.replace("site <> 'd'", "site IN ('a', 'b')");
    assert_eq!(between(found(&all, &sites(), 1_000)), []);
}

#[test]
fn the_count_of_missing_values() {
    let rows = patients(&[(45, 0, Some(1), 50), (50, 0, Some(0), 50), (5, 0, None, 50)]);
    let sql = "SELECT count(*), sum(flag), count(*) FILTER (WHERE NOT flag) FROM t";
    assert_eq!(between(found(sql, &rows, 1_000)), [(0, 5, 5)]);
}

#[test]
fn inclusion_and_exclusion() {
    let rows = patients(&[
        (12, 0, Some(1), 50),
        (12, 0, Some(0), 80),
        (1, 0, Some(1), 80),
        (60, 0, Some(0), 50),
    ]);
    let sql = "SELECT count(*) FILTER (WHERE flag), count(*) FILTER (WHERE age > 70), \
        count(*) FILTER (WHERE flag OR age > 70) FROM t";
    assert_eq!(between(found(sql, &rows, 1_000)), [(0, 1, 1)]);
}

#[test]
fn hidden_counts_that_the_number_of_patients_gives_away() {
    let sql = "SELECT site, count(*) FROM t GROUP BY site";
    assert_eq!(between(found(sql, &sites(), 101)), []);
    assert_eq!(between(found(sql, &sites(), 100)), [(2, 1, 1), (3, 1, 1)]);
}
