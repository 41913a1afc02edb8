//! What the query language accepts beside WHERE.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use galen_query::query::{
    Aggregate, CohortQuery, Grouping, OutputValue, Predicate, QueryError, parse_query,
};
use galen_query::registry::Registry;

fn registry() -> Registry {
    Registry::from_toml(include_str!("study.toml")).unwrap()
}

fn parse(sql: &str) -> Result<CohortQuery, QueryError> {
    parse_query(sql, &registry())
}

/// The columns of GROUP BY, none of them in bins.
fn columns(query: &CohortQuery) -> Vec<usize> {
    let plain = |g: &Grouping| g.bins.is_none().then_some(g.column);
    query.group_by.iter().map(|g| plain(g).unwrap()).collect()
}

#[test]
fn aggregates_and_their_names() {
    let sql = "SELECT count(*), count(1), COUNT(age), sum(age) AS \"Total\", sum(bmi*bmi), \
               sum(bmi^2), sum(power(bmi, 2)), avg(htn), var_samp(age) v, variance(age), \
               var_pop(age), stddev(bmi), stddev_samp(bmi), stddev_pop(bmi) AS Spread, sum(htn) \
               FROM Breast_Cancer b;";
    let query = parse(sql).unwrap();
    let found: Vec<_> = query
        .outputs
        .iter()
        .map(|o| match &o.value {
            OutputValue::Aggregate(a) => (o.label.as_str(), a.clone()),
            OutputValue::Key(_) => unreachable!(),
        })
        .collect();
    let expected = [
        ("count", Aggregate::CountAll),
        ("count", Aggregate::CountAll),
        ("count", Aggregate::Count(0)),
        ("Total", Aggregate::Sum(0)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("sum", Aggregate::SumOfSquares(1)),
        ("avg", Aggregate::Avg(6)),
        ("v", Aggregate::VarSamp(0)),
        ("variance", Aggregate::VarSamp(0)),
        ("var_pop", Aggregate::VarPop(0)),
        ("stddev", Aggregate::StddevSamp(1)),
        ("stddev_samp", Aggregate::StddevSamp(1)),
        ("spread", Aggregate::StddevPop(1)),
        ("sum", Aggregate::Sum(6)),
    ];
    assert_eq!(found, expected);
    assert_eq!(query.filter, Predicate::Always);
    assert!(query.group_by.is_empty());
}

#[test]
fn an_aggregate_may_have_a_cohort_of_its_own() {
    let query = parse(
        "SELECT count(*), count(*) FILTER (WHERE htn) AS n, avg(age) FILTER (WHERE NOT age < 40), \
         sum(age) FILTER (WHERE htn = true AND true), count(*) FILTER (WHERE true) FROM breast_cancer",
    )
    .unwrap();
    let htn = parse("SELECT count(*) FROM breast_cancer WHERE htn")
        .unwrap()
        .filter;
    let old = parse("SELECT count(*) FROM breast_cancer WHERE age >= 40")
        .unwrap()
        .filter;
    let always = Predicate::Always;
    let found: Vec<&Predicate> = query.outputs.iter().map(|o| &o.filter).collect();
    assert_eq!(found, [&always, &htn, &old, &htn, &always]);
    assert_eq!(query.filters(), [&htn, &old]);
    assert_eq!(query.outputs[1].label, "n");
}

/// Counts under filters of two forms and one meaning would contain each other, and each could be hidden for the other.
#[test]
fn filters_that_lie_within_one_another_are_one() {
    let query = parse(
        "SELECT count(*) FILTER (WHERE htn), count(*) FILTER (WHERE htn OR (htn AND age < 50)), \
         count(*) FILTER (WHERE htn AND age < 50), count(*), count(*) FILTER (WHERE htn AND age < 60) FROM breast_cancer",
    )
    .unwrap();
    let indices = [Some(0), Some(0), Some(1), None, Some(2)];
    assert_eq!(query.filter_indices(), indices);
    assert_eq!(query.filters().len(), 3);
    assert_eq!(query.filters_within(), [(1, 0), (1, 2), (2, 0)]);
}

/// What is asked of the parts of two filters is asked once: it took twice as long for each level.
#[test]
fn deep_filters_are_compared_quickly() {
    let nested = |first: [&str; 2], words: [&str; 2], last: &str| {
        (0..40).rev().fold(last.to_owned(), |inner, level| {
            format!("{} {} ({inner})", first[level % 2], words[level % 2])
        })
    };
    let a = nested(
        ["age BETWEEN 10 AND 20", "grade = 1"],
        ["AND", "OR"],
        "bmi > 30",
    );
    let b = nested(
        ["grade IN (1, 2)", "age BETWEEN 0 AND 50"],
        ["OR", "AND"],
        "bmi > 50",
    );
    let sql = format!(
        "SELECT count(*) FILTER (WHERE {a}), count(*) FILTER (WHERE {b}) FROM breast_cancer"
    );
    let started = std::time::Instant::now();
    let query = parse(&sql).unwrap();
    assert_eq!(query.filters().len(), 2);
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}

/// An attrition table's criteria lie within one another as they are written: comparing them took seconds.
#[test]
fn criteria_are_nested_without_being_compared() {
    let criteria: Vec<String> = (0..128)
        .map(|i| format!("(age > {i} OR bmi > {})", i % 50))
        .collect();
    let sql = format!(
        "EXPLAIN COHORT SELECT count(*) FROM breast_cancer WHERE {}",
        criteria.join(" AND ")
    );
    let started = std::time::Instant::now();
    let query = parse(&sql).unwrap();
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
    let filters = query.filters().len();
    let pairs = (0..filters).flat_map(|inner| (0..inner).map(move |outer| (inner, outer)));
    assert_eq!(query.filters_within(), pairs.collect::<Vec<_>>());
}

#[test]
fn groups() {
    let query = parse(
        "SELECT b.htn, count(*) AS n, grade AS g FROM breast_cancer AS b \
         WHERE b.age >= 40 GROUP BY grade, b.htn",
    )
    .unwrap();
    assert_eq!(columns(&query), [3, 6]);
    assert_eq!(query.outputs[0].value, OutputValue::Key(1));
    assert_eq!(query.outputs[0].label, "htn");
    assert_eq!(query.outputs[2].value, OutputValue::Key(0));
    assert_eq!(query.outputs[2].label, "g");
    let keyless = parse("SELECT avg(age) FROM breast_cancer GROUP BY grade").unwrap();
    assert_eq!(columns(&keyless), [3]);
}

#[test]
fn a_registry_name_may_need_quotes() {
    let text = include_str!("study.toml").replace("\"breast_cancer\"", "\"2-sites\"");
    let registry = Registry::from_toml(&text).unwrap();
    assert!(parse_query("SELECT count(*) FROM \"2-sites\"", &registry).is_ok());
    let error = parse_query("SELECT count(*) FROM sites", &registry).unwrap_err();
    insta::assert_snapshot!(error, @r##"line 1, column 22: there is no table sites; write FROM "2-sites""##);
}
