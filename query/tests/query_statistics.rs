//! Functions of two columns, percentiles, bins, and EXPLAIN COHORT.

#![allow(clippy::unwrap_used)]

use galen_query::query::{
    Aggregate, BinName, CohortQuery, OutputValue, PairFunction, Predicate, QueryError, Share,
    parse_query,
};
use galen_query::registry::Registry;

fn registry() -> Registry {
    Registry::from_toml(include_str!("study.toml")).unwrap()
}

fn parse(sql: &str) -> Result<CohortQuery, QueryError> {
    parse_query(sql, &registry())
}

#[test]
fn functions_of_two_columns_and_percentiles() {
    let query = parse(
        "SELECT corr(age, bmi), REGR_SLOPE(bmi, age) AS slope, covar_samp(age, age), \
         percentile_disc(0.50) WITHIN GROUP (ORDER BY bmi) AS median, \
         percentile_disc(0.25) WITHIN GROUP (ORDER BY birth ASC) FILTER (WHERE htn) \
         FROM breast_cancer",
    )
    .unwrap();
    let found: Vec<_> = query
        .outputs
        .iter()
        .map(|o| (o.label.as_str(), &o.value))
        .collect();
    let share = |numerator, denominator| Share {
        numerator,
        denominator,
    };
    let pair = |function, y, x| OutputValue::Aggregate(Aggregate::Pair { function, y, x });
    let percentile =
        |column, share| OutputValue::Aggregate(Aggregate::PercentileDisc { column, share });
    let expected = [
        ("corr", pair(PairFunction::Corr, 0, 1)),
        ("slope", pair(PairFunction::Slope, 1, 0)),
        ("covar_samp", pair(PairFunction::CovarSamp, 0, 0)),
        ("median", percentile(1, share(1, 2))),
        ("percentile_disc", percentile(5, share(1, 4))),
    ];
    let expected: Vec<_> = expected.iter().map(|(l, v)| (*l, v)).collect();
    assert_eq!(found, expected);
    assert_eq!(query.percentiles()[1].filter, Some(0));
}

/// The stored values and names of the bins of a query's only grouping.
fn bins(group_by: &str) -> Vec<(String, u64, u64)> {
    let query = parse(&format!(
        "SELECT count(*) FROM breast_cancer GROUP BY {group_by}"
    ))
    .unwrap();
    let [grouping] = query.group_by.as_slice() else {
        panic!()
    };
    let bins = grouping.bins.as_ref().unwrap().iter();
    bins.map(|b| {
        let name = match &b.name {
            BinName::Year(year) => year.to_string(),
            BinName::Bucket { number, until } => {
                format!("{number}<{}", until.map_or("-".into(), |u| u.to_string()))
            }
        };
        (name, b.stored.0, b.stored.1)
    })
    .collect()
}

#[test]
fn groups_may_be_bins() {
    let own = |list: &[(&str, u64, u64)]| -> Vec<(String, u64, u64)> {
        list.iter()
            .map(|(n, a, b)| ((*n).to_owned(), *a, *b))
            .collect()
    };
    // age: 0 to 120, stored from 0.
    assert_eq!(
        bins("width_bucket(age, 20, 80, 3)"),
        own(&[
            ("0<20", 0, 19),
            ("1<40", 20, 39),
            ("2<60", 40, 59),
            ("3<80", 60, 79),
            ("4<-", 80, 120)
        ])
    );
    // Bounds outside the column's: no empty bins.
    assert_eq!(
        bins("width_bucket(age, -50, 200, 2)"),
        own(&[("1<75", 0, 74), ("2<200", 75, 120)])
    );
    // Edges between values, and buckets that no value falls into.
    assert_eq!(
        bins("width_bucket(age, 17.5, 19.1, 4)"),
        own(&[
            ("0<35/2", 0, 17),
            ("2<183/10", 18, 18),
            ("4<191/10", 19, 19),
            ("5<-", 20, 120)
        ])
    );
    // bmi has one decimal, from 10.0: a third ends at 13.33…
    let thirds = bins("width_bucket(bmi, 10, 20, 3)");
    assert_eq!(thirds[..2], own(&[("1<40/3", 0, 33), ("2<50/3", 34, 66)]));
    let years = bins("extract(year from birth)");
    assert_eq!(bins("date_part('year', birth)"), years);
    let registry = registry();
    let birth = registry.columns.iter().find(|c| c.name == "birth").unwrap();
    for (name, first, last) in &years {
        assert_eq!(birth.format_stored(*first)[..4], *name);
        assert_eq!(birth.format_stored(*last)[..4], *name);
    }
    assert_eq!(years.last().unwrap().2, birth.span());
    assert!(years.windows(2).all(|w| w[0].2 + 1 == w[1].1));
}

#[test]
fn group_by_may_name_an_output() {
    let by = |group_by: &str| {
        parse(&format!(
            "SELECT grade, width_bucket(age, 20, 80, 3) AS band, count(*) FROM breast_cancer \
             GROUP BY {group_by}"
        ))
        .unwrap()
    };
    let written = by("grade, width_bucket(age, 20, 80, 3)");
    assert_eq!(written.outputs[1].value, OutputValue::Key(1));
    assert_eq!(by("1, 2"), written);
    assert_eq!(by("grade, band"), written);
    // A column goes before an alias of the same name.
    let query = parse("SELECT htn AS grade, count(*) FROM breast_cancer GROUP BY htn, grade");
    assert_eq!(query.unwrap().group_by.len(), 2);
}

#[test]
fn a_cohort_can_be_explained() {
    let query = parse(
        "-- who is left\nexplain Cohort SELECT count(*) FROM breast_cancer \
         WHERE age >= 40 AND (htn OR bmi > 30) AND NOT htn",
    )
    .unwrap();
    assert_eq!(query.criteria, ["age >= 40", "htn OR bmi > 30", "NOT htn"]);
    assert_eq!(query.outputs.len(), 4);
    let plain =
        |sql: &str| parse(&format!("SELECT count(*) FROM breast_cancer WHERE {sql}")).unwrap();
    assert_eq!(query.outputs[0].filter, Predicate::Always);
    assert_eq!(query.outputs[1].filter, plain("age >= 40").filter);
    assert_eq!(
        query.outputs[3].filter,
        plain("age >= 40 AND (htn OR bmi > 30) AND NOT htn").filter
    );
    assert_eq!(query.filter, Predicate::Always);
}
