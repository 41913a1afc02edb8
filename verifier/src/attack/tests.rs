use galen_circuits::equation::Rows;
use galen_query::{
    query::{CohortQuery, Predicate, parse_query},
    question::Resolved,
    registry::Registry,
};

use super::{program::Program, solver::Solver, *};
use crate::{
    VerifyError,
    plan::{Field, FieldKind, GroupKey, Plan},
    rules::{Tied, check, decide, rule},
};

/// Numbers from a seed.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// With so many sites.
fn registry(sites: usize) -> Registry {
    let codes = &["a", "b", "c", "d"][..sites];
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"site\"\ntype = \"category\"\ncodes = CODES\n\
        [[column]]\nname = \"flag\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"age\"\ntype = \"number\"\nmin = 0\nmax = 100\n\
        [[column]]\nname = \"cost\"\ntype = \"number\"\nmin = 0\nmax = 1000\n\
        [[column]]\nname = \"ldl\"\ntype = \"number\"\nmin = 0\nmax = 20\nnullable = true\n\
        [[column]]\nname = \"score\"\ntype = \"number\"\nmin = 1\nmax = 4\n";
    Registry::from_toml(&text.replace("CODES", &format!("{codes:?}"))).unwrap()
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

/// A query over patients, with what is counted of them.
struct Case {
    resolved: Resolved,
    plan: Plan,
    query: CohortQuery,
    counts: Counts,
    keys: Vec<Vec<GroupKey>>,
    values: Vec<u64>,
}

impl Case {
    fn new(sql: &str, rows: &[Row], all: u64) -> Self {
        Self::over(&registry(4), sql, rows, all)
    }

    fn over(registry: &Registry, sql: &str, rows: &[Row], all: u64) -> Self {
        let query = parse_query(sql, registry).unwrap();
        let present = Rows::of(usize::try_from(all).unwrap()).unwrap();
        let plan = Plan::new(&query, 0, registry, present, &[]).unwrap();
        let keys: Vec<Vec<GroupKey>> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
        let mut case = Self {
            resolved: Resolved {
                query: query.clone(),
                purpose: 0,
                analyses: Vec::new(),
            },
            counts: Counts::of(&plan),
            query,
            plan,
            keys,
            values: Vec::new(),
        };
        let ones: Vec<(&Row, u64)> = rows.iter().map(|r| (r, 1)).collect();
        case.values = case.counted(&ones);
        case
    }

    /// What is counted of so many patients of each kind.
    fn counted(&self, patients: &[(&Row, u64)]) -> Vec<u64> {
        let cell = |cell: usize| {
            let (field, group) = self.counts.place(cell);
            let is_counted =
                |r: &Row| is_in(r, &self.query, &self.keys[group]) && meets(r, &self.query, field);
            let counted = patients.iter().filter(|(r, _)| is_counted(r));
            counted.map(|(_, n)| n).sum()
        };
        let sum = |(field, group): (Field, usize)| {
            let value = |c: Option<usize>, r: &Row| c.map_or(Some(1), |c| r[c]);
            let of = |r: &Row| -> u64 {
                let (own, other) = (value(field.column, r), value(field.other, r));
                let of_both = own.zip(other).filter(|_| {
                    is_in(r, &self.query, &self.keys[group]) && meets(r, &self.query, field)
                });
                of_both.map_or(0, |(own, _)| match field.kind {
                    FieldKind::SumOfSquares => own * own,
                    _ => own,
                })
            };
            patients.iter().map(|(r, n)| n * of(r)).sum()
        };
        let sums = self.counts.of_sums().map(|(field, _, g)| (field, g));
        let cells = (0..self.counts.len()).map(cell);
        cells.chain(sums.map(sum)).collect()
    }

    /// What is found where each count is looked at by itself.
    fn found(&self, profile: &ReleaseProfile) -> Result<Vec<Finding>, Unfound> {
        let states = rule(&self.counts, profile, &self.values, &Tied::new());
        let checked = check(&self.counts, profile, &states).unwrap();
        let facts = Facts {
            counts: &self.counts,
            profile,
            states: &states,
            bounds: &checked.bounds,
            sums: &self.counts.shown_sums(&states, &self.values),
        };
        findings(&facts, &mut Work::of_an_answer())
    }
}

fn between(sql: &str, rows: &[Row], all: u64) -> Vec<(usize, u64, u64)> {
    let found = Case::new(sql, rows, all).found(&ReleaseProfile::default());
    let of_finding = |f: Finding| (f.group, f.between.0, f.between.1);
    found.unwrap().into_iter().map(of_finding).collect()
}

/// What is published in the end, as JSON writes it.
fn published(sql: &str, rows: &[Row], all: u64) -> Vec<String> {
    let case = Case::new(sql, rows, all);
    let states = decide(&case.counts, &ReleaseProfile::default(), &case.values).unwrap();
    let text = |s: &State| serde_json::to_string(s).unwrap().replace('"', "");
    states.iter().map(text).collect()
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
    assert_eq!(between(sql, &sites(), 1_000), [(0, 1, 1)]);
    // Nothing else is there: nobody is in neither.
    let all = sql.replace("site <> 'd'", "site IN ('a', 'b')");
    assert_eq!(between(&all, &sites(), 1_000), []);
}

#[test]
fn the_count_of_missing_values() {
    let rows = patients(&[(45, 0, Some(1), 50), (50, 0, Some(0), 50), (5, 0, None, 50)]);
    let sql = "SELECT count(*), sum(flag), count(*) FILTER (WHERE NOT flag) FROM t";
    assert_eq!(between(sql, &rows, 1_000), [(0, 5, 5)]);
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
    assert_eq!(between(sql, &rows, 1_000), [(0, 1, 1)]);
}

#[test]
fn what_several_filters_leave() {
    let three = "SELECT count(*), avg(cost), avg(cost) FILTER (WHERE site = 'a'), avg(cost) FILTER (WHERE site = 'b'), \
        avg(cost) FILTER (WHERE site = 'c') FROM t";
    let mut rows = sites();
    rows.extend(patients(&[(29, 2, Some(0), 50)]));
    assert_eq!(between(three, &rows, 1_000), [(0, 1, 1)]);
    // One of them hidden, it and the rest are as few.
    let four = "SELECT count(*), count(*) FILTER (WHERE site = 'a'), count(*) FILTER (WHERE site = 'b'), \
        count(*) FILTER (WHERE site = 'c') FROM t WHERE site <> 'd' OR flag IS NULL";
    let mut rows = patients(&[
        (60, 0, Some(0), 50),
        (38, 1, Some(0), 50),
        (4, 2, Some(0), 50),
    ]);
    rows.extend(patients(&[(2, 3, None, 50)]));
    assert_eq!(between(four, &rows, 1_000), [(0, 6, 6)]);
    // With a value, and neither true nor false.
    let unknown = "SELECT count(*), avg(ldl), avg(ldl) FILTER (WHERE flag), avg(ldl) FILTER (WHERE NOT flag) FROM t";
    let kinds = [(500, Some(1)), (600, Some(0)), (8, None)];
    let of_kind = |(n, flag): &(usize, Option<u64>)| {
        let row = vec![Some(0), *flag, Some(50), Some(7), Some(9)];
        vec![row; *n]
    };
    let mut rows: Vec<Row> = kinds.iter().flat_map(of_kind).collect();
    rows.extend(vec![vec![Some(0), None, Some(50), Some(7), None]; 50]);
    assert_eq!(between(unknown, &rows, 2_000), [(0, 8, 8)]);
}

/// So many patients have the scores 1, 2, 3 and 4.
fn scores(counts: [usize; 4]) -> Vec<Row> {
    let row = |score: u64| vec![Some(0), Some(0), Some(50), Some(7), Some(9), Some(score)];
    let of_score = (0..4).flat_map(|s| vec![row(s); counts[usize::try_from(s).unwrap()]]);
    of_score.collect()
}

#[test]
fn what_sums_tell_of_counts() {
    // Two means and a deviation are three equations for three counts.
    let three = "SELECT count(*), avg(score), stddev_samp(score) FROM t WHERE score <> 3";
    assert_eq!(
        between(three, &scores([700, 419, 5, 9]), 2_000),
        [(0, 9, 9)]
    );
    assert_eq!(between(three, &scores([700, 419, 5, 0]), 2_000), []);
    let hidden = "SELECT count(*), avg(score), count(*) FILTER (WHERE score <= 2), count(*) FILTER (WHERE score = 1), \
        count(*) FILTER (WHERE score = 4) FROM t";
    assert_eq!(
        between(hidden, &scores([291, 157, 77, 4]), 2_000),
        [(0, 4, 4)]
    );
    // Of four values it tells nothing so small.
    let four = "SELECT count(*), avg(score), stddev_samp(score) FROM t";
    assert_eq!(between(four, &scores([300, 200, 100, 9]), 2_000), []);
}

/// A mean alone tells how many patients lie above the least value, or below the largest: their values may be any.
#[test]
fn what_one_sum_tells_of_few() {
    let mean = "SELECT avg(score) FROM t";
    assert_eq!(between(mean, &scores([99, 1, 0, 0]), 2_000), [(0, 1, 1)]);
    assert_eq!(between(mean, &scores([96, 1, 3, 0]), 2_000), [(0, 3, 7)]);
    assert_eq!(between(mean, &scores([0, 0, 1, 99]), 2_000), [(0, 1, 1)]);
    assert_eq!(between(mean, &scores([70, 10, 10, 10]), 2_000), []);
    let by_site = "SELECT site, avg(score) FROM t GROUP BY site";
    assert_eq!(between(by_site, &scores([49, 1, 0, 0]), 2_000), [(0, 1, 1)]);
    // Nearly all have the middle values: what lies beside them, a mean and a deviation tell.
    let deviation = "SELECT avg(score), stddev_samp(score) FROM t WHERE score <> 2";
    let between_two = "SELECT count(*), avg(score) FILTER (WHERE score BETWEEN 2 AND 3) FROM t";
    assert!(!between(deviation, &scores([2, 0, 90, 2]), 2_000).is_empty());
    assert_eq!(
        between(between_two, &scores([50, 95, 3, 50]), 2_000),
        [(0, 3, 3)]
    );
}

#[test]
fn the_four_cases_are_hidden() {
    let partition = "SELECT count(*), sum(cost), count(*) FILTER (WHERE site = 'a'), sum(cost) FILTER (WHERE site = 'a'), \
        count(*) FILTER (WHERE site = 'b'), sum(cost) FILTER (WHERE site = 'b') FROM t WHERE site <> 'd'";
    let [all, a, b] = &published(partition, &sites(), 1_000)[..] else {
        panic!()
    };
    assert_eq!((all.as_str(), a.as_str()), ("99", "60"));
    assert!(b.starts_with("tied "), "{b}");
    let missing = "SELECT count(*), sum(flag), count(*) FILTER (WHERE NOT flag) FROM t";
    let rows = patients(&[(45, 0, Some(1), 50), (50, 0, Some(0), 50), (5, 0, None, 50)]);
    let [all, no, yes] = &published(missing, &rows, 1_000)[..] else {
        panic!()
    };
    assert_eq!((all.as_str(), no.as_str()), ("100", "50"));
    assert!(yes.starts_with("tied "), "{yes}");
    let grouped = "SELECT site, count(*) FROM t GROUP BY site";
    let hidden = ["60", "whole 0", "small", "small"];
    assert_eq!(published(grouped, &sites(), 100), hidden);
    // It is hidden as long as the small ones could not be anything from 1 to 10.
    assert_eq!(published(grouped, &sites(), 109), hidden);
    assert_eq!(
        published(grouped, &sites(), 110),
        ["60", "38", "small", "small"]
    );
}

mod all_tables;
mod together;

/// The verifier knows of which group no table is, and which numbers it publishes.
#[test]
fn a_contradiction_names_the_numbers() {
    let sql = "SELECT flag, count(*) AS n, count(*) FILTER (WHERE site = 'a') AS a, \
        count(*) FILTER (WHERE site = 'b') AS b FROM t GROUP BY flag";
    let case = Case::new(sql, &[], 1_000);
    let nobody = vec![State::Shown(0); 3];
    let published = vec![
        nobody.clone(),
        [100, 60, 60].map(State::Shown).to_vec(),
        nobody,
    ];
    let refused = crate::rules::cells(&case.plan, &ReleaseProfile::default(), &published);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "malformed claim: published numbers contradict one another: no table of at most 1000 patients has \
         n, a, b (flag = true) as they are"
    );
}

#[test]
fn what_is_told_of_a_group_names_its_keys() {
    let sql = "SELECT flag, count(*) AS n, count(*) FILTER (WHERE site = 'a') AS a, \
        count(*) FILTER (WHERE site = 'b') AS b FROM t WHERE site <> 'd' GROUP BY flag";
    let case = Case::new(sql, &[], 1_000);
    let nobody = vec![State::Shown(0); 3];
    let published = vec![
        nobody.clone(),
        nobody,
        [100, 60, 37].map(State::Shown).to_vec(),
    ];
    let refused = crate::rules::cells(&case.plan, &ReleaseProfile::default(), &published);
    let VerifyError::Told { who, .. } = refused.unwrap_err() else {
        panic!()
    };
    assert_eq!(who, "without site a or site b, in the group flag = NULL");
}
