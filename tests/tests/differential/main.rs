//! Generated queries over generated tables: every answer is proven, verified from the bytes of its
//! bundle, and compared with SQLite's over the plain table. Seeds are fixed: a failure names the table
//! and the query, and comes again.

#![allow(clippy::unwrap_used)]

mod aggregate;
mod generate;
mod statistics;
mod table;

use std::collections::BTreeSet;

use galen_params::Silent;
use galen_prover::execute::{plan, prove_plan};
use galen_tests::{
    Hospital, Setup, check_bytes, dice::Dice, keys, keys::N, oracle::Oracle, plain::PlainTable,
};
use galen_verifier::answer::Cell;

use generate::{Generator, Query};
use table::Kind;

/// A table's kind and rows, how many queries it is asked, and the seed of all of it.
type Run = (Kind, usize, usize, u64);

const ONE_ROW: Run = (Kind::Narrow, 1, 25, 101);
const A_FEW_ROWS: Run = (Kind::Narrow, 7, 30, 102);
const ONE_LESS_THAN_A_CHUNK: Run = (Kind::Narrow, N - 1, 30, 103);
const ONE_CHUNK: Run = (Kind::Narrow, N, 30, 104);
const ONE_MORE_THAN_A_CHUNK: Run = (Kind::Narrow, N + 1, 30, 105);
/// As many as the smallest shape holds.
const TWO_CHUNKS: Run = (Kind::Narrow, 2 * N, 30, 107);
const WIDE_ONE_CHUNK: Run = (Kind::Wide, 300, 30, 108);
const WIDE_TWO_CHUNKS: Run = (Kind::Wide, N + 300, 20, 109);

const FEW_ROWS_STATISTICS: Run = (Kind::Narrow, 4, 40, 201);
const ONE_CHUNK_STATISTICS: Run = (Kind::Narrow, N, 50, 202);
const CHUNKS_STATISTICS: Run = (Kind::Narrow, 2 * N - 1, 30, 203);
const WIDE_STATISTICS: Run = (Kind::Wide, N + 300, 30, 204);

/// The table of a run and its queries.
fn generated((kind, rows, count, seed): Run) -> (PlainTable, Vec<Query>) {
    let mut dice = Dice::new(seed);
    let table = table::generate(kind, rows, &mut dice);
    let mut generator = Generator::new(kind, dice);
    let queries = (0..count).map(|number| generator.query(number)).collect();
    (table, queries)
}

fn differ(run: Run) {
    let (kind, rows, count, seed) = run;
    let (table, queries) = generated(run);
    let hospital = Setup::new(&table.to_csv(), kind.registry()).open().commit();
    assert_eq!(hospital.report.as_ref().unwrap().chunks, rows.div_ceil(N));
    let oracle = Oracle::load("t", &table);
    let mut answers = BTreeSet::new();
    for (number, query) in queries.iter().enumerate() {
        let found = answer(&hospital, &query.sql);
        let expected = aggregate::expected(query, &oracle, hospital.dataset.registry());
        aggregate::compare(&found, &expected).unwrap_or_else(|why| {
            panic!(
                "{kind:?} of {rows} rows, seed {seed}, query {number}: {}\n{why}",
                query.sql
            )
        });
        answers.insert(format!("{found:?}"));
    }
    // The queries would be worth little if most had one and the same answer.
    assert!(
        rows < 10 || answers.len() > count / 2,
        "{} different answers",
        answers.len()
    );
}

/// Proves and verifies, without the prover's own check of its work.
fn answer(hospital: &Hospital, sql: &str) -> Vec<Vec<Cell>> {
    let question = hospital.question(sql);
    let d = &hospital.dataset;
    let plan = plan(d, &question).unwrap();
    let (bundle, _) =
        prove_plan(d, &question, &plan, keys(), &Silent).unwrap_or_else(|e| panic!("{sql}: {e}"));
    check_bytes(hospital, &question, &bundle).rows
}

/// The same for statistics of two columns, percentiles and bins.
fn statistics_differ((kind, rows, count, seed): Run) {
    let mut dice = Dice::new(seed);
    let table = table::generate(kind, rows, &mut dice);
    let hospital = Setup::new(&table.to_csv(), kind.registry()).open().commit();
    let oracle = Oracle::load("t", &table);
    for (number, query) in statistics::queries(kind, count, dice).iter().enumerate() {
        let found = answer(&hospital, &query.sql);
        statistics::compare(query, &oracle, &found).unwrap_or_else(|why| {
            panic!(
                "{kind:?} of {rows} rows, seed {seed}, query {number}: {}\n{why}",
                query.sql
            )
        });
    }
}

#[test]
fn statistics_of_a_few_rows() {
    statistics_differ(FEW_ROWS_STATISTICS);
}

#[test]
fn statistics_of_one_chunk() {
    statistics_differ(ONE_CHUNK_STATISTICS);
}

#[test]
fn statistics_of_several_chunks() {
    statistics_differ(CHUNKS_STATISTICS);
}

#[test]
fn statistics_of_wide_columns() {
    statistics_differ(WIDE_STATISTICS);
}

#[test]
fn one_row() {
    differ(ONE_ROW);
}

#[test]
fn a_few_rows() {
    differ(A_FEW_ROWS);
}

#[test]
fn one_row_less_than_a_chunk() {
    differ(ONE_LESS_THAN_A_CHUNK);
}

#[test]
fn exactly_one_chunk() {
    differ(ONE_CHUNK);
}

#[test]
fn one_row_more_than_a_chunk() {
    differ(ONE_MORE_THAN_A_CHUNK);
}

#[test]
fn exactly_two_chunks() {
    differ(TWO_CHUNKS);
}

#[test]
fn wide_columns_in_one_chunk() {
    differ(WIDE_ONE_CHUNK);
}

#[test]
fn wide_columns_in_two_chunks() {
    differ(WIDE_TWO_CHUNKS);
}

/// What the runs ask, all in all, without proving it.
#[test]
fn the_queries_cover_the_language() {
    let runs = [
        ONE_ROW,
        A_FEW_ROWS,
        ONE_LESS_THAN_A_CHUNK,
        ONE_CHUNK,
        ONE_MORE_THAN_A_CHUNK,
        TWO_CHUNKS,
        WIDE_ONE_CHUNK,
        WIDE_TWO_CHUNKS,
    ];
    let queries: Vec<String> = runs
        .into_iter()
        .flat_map(|run| generated(run).1)
        .map(|q| q.sql)
        .collect();
    let different: BTreeSet<&String> = queries.iter().collect();
    assert!(different.len() >= 210, "{}", different.len());
    let words = [
        "count(*)",
        "count(nb)",
        "count(day)",
        "sum(b)",
        "sum(nb)",
        "sum(age)",
        "sum(score)",
        "sum(money)",
        "sum(age * age)",
        "sum(score * score)",
        "sum(money * money)",
        "avg(b)",
        "avg(nb)",
        "avg(score)",
        "avg(money)",
        "var_samp(",
        "var_pop(",
        "stddev_samp(",
        "stddev_pop(",
        " AND ",
        " OR ",
        "NOT (",
        " NOT IN (",
        " IN (",
        ", NULL)",
        " BETWEEN ",
        " NOT BETWEEN ",
        " IS NULL",
        " IS NOT NULL",
        " IS TRUE",
        " IS NOT TRUE",
        " IS FALSE",
        " IS NOT FALSE",
        "NOT b",
        "NOT nb",
        "day < DATE",
        "money ",
        "steps ",
        "'it''s'",
        " = TRUE",
        " <> TRUE",
        " FILTER (WHERE ",
        "GROUP BY arm",
        "GROUP BY site, ",
        "GROUP BY nb",
    ];
    if std::env::var_os("GALEN_TESTS_SHOW").is_some() {
        queries.iter().for_each(|q| println!("{q}"));
    }
    for word in words {
        let found = queries.iter().filter(|q| q.contains(word)).count();
        assert!(found > 0, "no query with {word}");
    }
}
