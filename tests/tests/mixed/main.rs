//! Queries that mix FILTERs, nested conditions, NULLs, up to two keys, percentiles and analyses. Every answer is
//! proven, verified from the bytes of its bundle, and compared with what follows from the plain rows that SQLite
//! finds; on half of the tables small counts are hidden. CONTRIBUTING.md tells how to run hundreds of them.

#![allow(clippy::unwrap_used)]

mod check;
mod condition;
mod derived;
mod distribution;
mod key;
mod output;
mod query;
mod refusal;
mod release;
mod study;
mod table;
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    panic::{AssertUnwindSafe, catch_unwind},
};

use galen_params::Silent;
use galen_prover::execute::{plan, prove_plan};
use galen_query::question::Question;
use galen_tests::{
    Hospital, PURPOSE, Setup, check_bytes, dice::Dice, hospital::open_profile, keys, keys::N,
    oracle::Oracle,
};
use galen_verifier::{answer::Answer, manifest::ReleaseProfile};

use query::{Query, query};

/// How many tables there are.
const TABLES: usize = 6;
/// Queries in all where the environment does not say: as many as a CI run has time for.
const QUERIES: usize = 48;
const SEED: u64 = 1;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    let text = env::var(name).ok();
    text.map_or(default, |t| t.parse().expect("a whole number"))
}

/// What became of the queries of one table.
#[derive(Default)]
struct Outcome {
    answers: BTreeSet<String>,
    answered: usize,
    refused: BTreeMap<&'static str, usize>,
    shown: usize,
    hidden: usize,
    failures: Vec<String>,
}

/// Asks one table its share of the queries.
fn mix(table: u64, rows: usize, release: ReleaseProfile) {
    let queries = usize::try_from(setting("GALEN_TEST_QUERIES", QUERIES as u64)).unwrap();
    let seed = setting("GALEN_TEST_SEED", SEED);
    let mut dice = Dice::new(1_000 * seed + table);
    let plain = table::generate(rows, &mut dice);
    let (counts_only, hides) = (release.rounding > 1, release.k > 1);
    let (csv, registry) = (plain.to_csv(), table::registry());
    let setup = Setup {
        release,
        ..Setup::new(&csv, &registry)
    };
    let hospital = setup.commit();
    let oracle = Oracle::load("t", &plain);
    let mut outcome = Outcome::default();
    for number in 0..queries.div_ceil(TABLES) {
        let query = loop {
            let query = query(number, &mut dice, counts_only);
            if !refusal::of_inputs(&hospital, &query) {
                break query;
            }
        };
        if let Err(why) = one(&hospital, &oracle, &query, &mut outcome) {
            outcome.failures.push(format!(
                "table {table}, seed {seed}, query {number}: {}\n{:?}\n{why}",
                query.sql(),
                query.analyses()
            ));
        }
    }
    outcome.judge(table, hides);
}

/// Asks and checks one query; a panic is a failure of this query.
fn one(
    hospital: &Hospital,
    oracle: &Oracle,
    query: &Query,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let asked = catch_unwind(AssertUnwindSafe(|| ask(hospital, query)));
    match asked.map_err(|_| "a panic".to_owned())?? {
        Err(limit) => *outcome.refused.entry(limit).or_default() += 1,
        Ok(answer) => {
            outcome.answered += 1;
            outcome.answers.insert(format!("{:?}", answer.rows));
            let cells = answer.rows.iter().flatten();
            let hidden = cells.clone().filter(|c| release::is_hidden(c)).count();
            outcome.hidden += hidden;
            outcome.shown += cells.count() - hidden;
            check::check(query, &answer, oracle)?;
        }
    }
    Ok(())
}

/// The answer, proven and verified from bytes, or the limit for which the query is refused before any work.
fn ask(hospital: &Hospital, query: &Query) -> Result<Result<Answer, &'static str>, String> {
    let (dataset, sql) = (&hospital.dataset, query.sql());
    let registry = dataset.registry();
    let question = Question::with_analyses(registry, PURPOSE, &sql, None, query.analyses())
        .map_err(|e| format!("not a query: {e}"))?;
    let plan = match plan(dataset, &question) {
        Ok(plan) => plan,
        Err(e) => return refusal::limit(&e).map(Err).ok_or(format!("refused: {e}")),
    };
    let (bundle, _) = prove_plan(dataset, &question, &plan, keys(), &Silent)
        .map_err(|e| format!("not proven: {e}"))?;
    Ok(Ok(check_bytes(hospital, &question, &bundle)))
}

impl Outcome {
    fn judge(self, table: u64, hides: bool) {
        let refused: usize = self.refused.values().sum();
        let (answered, different) = (self.answered, self.answers.len());
        println!(
            "table {table}: {answered} answered, {different} different; cells: {} shown, {} hidden; refused: {:?}",
            self.shown, self.hidden, self.refused
        );
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n\n"));
        assert!(10 * refused <= answered + refused, "too many refused");
        assert!(10 * different >= 8 * answered, "answers repeat");
        // A few queries may happen to meet no small count.
        let is_tested = self.hidden > 0 || answered < 20;
        assert!(if hides { is_tested } else { self.hidden == 0 });
    }
}

/// What is asked, all in all, without proving it.
#[test]
fn the_queries_mix_everything() {
    let mut dice = Dice::new(SEED);
    let queries: Vec<Query> = (0..500).map(|n| query(n, &mut dice, false)).collect();
    let texts: Vec<String> = queries
        .iter()
        .map(|q| format!("{} {:?}", q.sql(), q.analyses()))
        .collect();
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), 500);
    for word in [
        "EXPLAIN COHORT",
        "FILTER",
        "NOT (",
        " AND ",
        " OR ",
        " NOT IN (",
        ", NULL)",
        " NOT BETWEEN ",
        " IS NULL",
        "IS UNKNOWN",
        "width_bucket(",
        "EXTRACT(YEAR",
        "percentile_disc(",
        "corr(",
        "regr_slope(",
        "stddev_samp(",
        "sum(money * money)",
        "two-by-two",
        "outcome=",
        "contingency",
        "means",
        "welch",
        "proportions",
        "survival",
        "rates events",
        "standardised-rates",
    ] {
        let found = texts.iter().filter(|t| t.contains(word)).count();
        assert!(found >= 5, "{found} queries with {word}");
    }
    let two_filters = |q: &&Query| {
        let filters = q.outputs.iter().filter_map(|o| o.filter);
        filters.collect::<BTreeSet<_>>().len() > 1
    };
    assert!(queries.iter().filter(two_filters).count() > 100);
    assert!(queries.iter().filter(|q| q.keys.len() == 2).count() > 100);
}

#[test]
fn a_few_patients() {
    mix(0, 60, open_profile());
}

#[test]
fn hundreds_under_the_default_profile() {
    mix(1, 900, ReleaseProfile::default());
}

#[test]
fn thousands() {
    mix(2, 6_000, open_profile());
}

#[test]
fn thousands_with_few_hidden() {
    mix(3, 2_500, ReleaseProfile::named("ohdsi-5").unwrap());
}

#[test]
fn two_chunks() {
    mix(4, N + 700, open_profile());
}

#[test]
fn rounded_counts() {
    mix(5, 4_000, ReleaseProfile::named("opensafely").unwrap());
}
