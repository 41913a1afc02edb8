//! Hostile queries: whatever their size and shape, they are read or refused.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use std::time::{Duration, Instant};

use galen_query::query::{CohortQuery, QueryError, parse_query};
use galen_query::question::Question;
use galen_query::registry::Registry;
use proptest::prelude::*;

fn parse(sql: &str) -> Result<CohortQuery, QueryError> {
    let registry = Registry::from_toml(include_str!("study.toml")).unwrap();
    parse_query(sql, &registry)
}

/// Hostile sizes end in an error, on a small stack, and soon.
#[test]
fn limits() {
    let run = || {
        let from = "SELECT count(*) FROM breast_cancer WHERE ";
        let repeat = |n: usize, what: &str, tail: &str| format!("{from}{}{tail}", what.repeat(n));
        let texts = [
            repeat(10_000, "(", "htn"),
            repeat(150, "(", &format!("htn{}", ")".repeat(150))),
            repeat(3_000, "NOT ", "htn"),
            repeat(3_000, "- ", "1 = age"),
            repeat(2_000, "age+", "age > 1"),
            repeat(2_040, "1+", "1 = age"),
            repeat(4_000, "TRUE OR ", "htn"),
            repeat(60_000, "x", ""),
            repeat(70_000, "x", ""),
            format!("{from}htn{}", " IS TRUE".repeat(1_500)),
            format!("{from}htn{}", " IS NULL".repeat(1_500)),
            format!("{from}age{}", "::int".repeat(1_000)),
            format!("{from}age = {} ", "[1]".repeat(1_000)),
            format!("{from}age = (SELECT 1 WHERE {}1)", "1+".repeat(2_000)),
            format!("SELECT {}1 FROM breast_cancer", "1+".repeat(2_000)),
            format!(
                "SELECT {}count(*) FROM breast_cancer",
                "count(*),".repeat(64)
            ),
            (0..40).fold(format!("{from}age > 1"), |s, i| {
                let s = s.replacen("WHERE ", "WHERE (", 1);
                format!("{s} AND platelets > {i} OR htn) IS UNKNOWN")
            }),
        ];
        for sql in texts {
            let start = std::time::Instant::now();
            let shown: String = sql.chars().take(60).collect();
            assert!(parse(&sql).is_err(), "{shown}");
            assert!(start.elapsed().as_secs() < 10, "{shown}");
        }
        let deep = format!("{from}{}htn{}", "(".repeat(80), ")".repeat(80));
        assert!(parse(&deep).is_ok());
        let wide = format!("{from}{}htn", "htn AND ".repeat(2_000));
        assert!(parse(&wide).is_ok());
        let many: Vec<String> = (0..9_000).map(|i| (i * 7 % 10_000).to_string()).collect();
        let list = format!("{from}platelets NOT IN ({})", many.join(","));
        assert_eq!(parse(&list).unwrap().filter.leaves(), 1);
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn(run)
        .unwrap();
    thread.join().unwrap();
}

#[test]
fn too_many_leaves() {
    let member = |i: usize| format!("(age = {} AND bmi > {})", i % 100, 11 + i / 100);
    let members = |n: usize| (0..n).map(member).collect::<Vec<_>>().join(" OR ");
    let from = "SELECT count(*) FROM breast_cancer WHERE ";
    assert!(parse(&format!("{from}{}", members(128))).is_ok());
    let error = parse(&format!("{from}{}", members(129))).unwrap_err();
    insta::assert_snapshot!(error, @r##"conditions after simplification: 258, at most 256 are possible; ask several queries"##);
}

const WORDS: &[&str] = &[
    "SELECT",
    "count(*)",
    "FROM",
    "breast_cancer",
    "WHERE",
    "age",
    "htn",
    "grade",
    "birth",
    "patient_id",
    "AND",
    "OR",
    "NOT",
    "IS",
    "NULL",
    "TRUE",
    "UNKNOWN",
    "IN",
    "(",
    ")",
    ",",
    "BETWEEN",
    "=",
    "<",
    ">=",
    "<>",
    "-",
    "+",
    "*",
    "1",
    "2.5",
    "1e9",
    "'x'",
    "'",
    "\"",
    "DATE",
    "'2020-03-01'",
    "::",
    "date",
    "GROUP",
    "BY",
    "sum",
    "(age)",
    ".",
    "AS",
    ";",
    "CASE",
    "EXISTS",
    "LIKE",
    "JOIN",
    "ON",
    "é",
    "\n",
    "--",
    "/*",
    "$1",
    "[",
    "]",
    "{",
    "INTERVAL",
    "CAST",
];

proptest! {
    /// Word soup is read or refused, never worse.
    #[test]
    fn any_words_are_read_or_refused(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..25),
        whole in any::<bool>(),
    ) {
                let text = words.join(" ");
        let text = if whole { text } else { format!("SELECT count(*) FROM breast_cancer WHERE {text}") };
        if let Err(error) = parse(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

/// What opens in texts whose readers try one reading after another: nested, each try may double the work.
const OPENINGS: [&str; 45] = [
    "(",
    "NOT (",
    "NOT ",
    "- (",
    "+",
    "CASE WHEN (",
    "CASE WHEN ",
    "CASE ",
    "CAST(",
    "TRY_CAST(",
    "EXTRACT(",
    "EXISTS (",
    "NOT EXISTS (",
    "INTERVAL (",
    "INTERVAL ",
    "ARRAY[",
    "ARRAY(",
    "ROW(",
    "STRUCT(",
    "MAP {",
    "[",
    "(SELECT ",
    "(VALUES (",
    "(WITH a AS (",
    "date (",
    "timestamp (",
    "f(",
    "f(x=>",
    "f(DISTINCT ",
    "age IN (",
    "age BETWEEN (",
    "age > ANY(",
    "age LIKE (",
    "POSITION(",
    "POSITION (",
    "SUBSTRING(",
    "OVERLAY(",
    "TRIM(",
    "CEIL(",
    "FLOOR(",
    "CONVERT(",
    "LISTAGG(",
    "age AT TIME ZONE (",
    "GROUPING SETS (",
    "x -> ",
];

fn soon(sql: &str) {
    let started = Instant::now();
    let _ = parse(sql);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?} for {sql}");
}

#[test]
fn no_nesting_takes_long() {
    for opening in OPENINGS {
        for depth in [8, 14, 20, 40, 90, 400] {
            for core in ["age", "age >", "age > > 1", "1)", "", "'x' y", "age > 60"] {
                for closing in ["", ")", "]"] {
                    let (open, close) = (opening.repeat(depth), closing.repeat(depth));
                    let nested = format!("{open}{core}{close}");
                    soon(&format!(
                        "SELECT count(*) FROM breast_cancer WHERE {nested}"
                    ));
                    soon(&format!("SELECT {nested} FROM breast_cancer"));
                    soon(&format!("SELECT count(*) FROM {nested}"));
                }
            }
        }
    }
}

/// As many groups as an answer may have, and what makes fewer: a filter does not.
#[test]
fn too_many_groups() {
    let codes: Vec<String> = (0..3_000).map(|i| format!("\"c{i}\"")).collect();
    let text = include_str!("study.toml").replace("\"1\", \"2\", \"3\"", &codes.join(", "));
    let registry = Registry::from_toml(&text).unwrap();
    let ask = |sql: &str| {
        let asked = Question::new(&registry, "DUO:0000042", sql, None);
        asked
            .map(|_| "asked".to_owned())
            .unwrap_or_else(|e| e.to_string())
    };
    let of = "FROM breast_cancer WHERE grade IN ('c1', 'c2') GROUP BY";
    assert_eq!(ask(&format!("SELECT count(*) {of} grade")), "asked");
    insta::assert_snapshot!(ask(&format!("SELECT count(*) {of} grade, gender")), @r##"GROUP BY makes 6002 groups (3001 of grade × 2 of gender), at most 4096 are possible; a condition in WHERE leaves groups empty and takes none away: group by one of the columns, or group by a column with fewer codes than grade, or count those of its codes that you mean: count(*) FILTER (WHERE grade = 'code')"##);
    insta::assert_snapshot!(ask(&format!("SELECT count(*) {of} width_bucket(bmi, 10, 80, 700), width_bucket(age, 0, 10, 10)")), @r##"GROUP BY makes 8412 groups (701 of bmi × 12 of age), at most 4096 are possible; a condition in WHERE leaves groups empty and takes none away: group by one of the columns, or make the bins of bmi wider"##);
}
