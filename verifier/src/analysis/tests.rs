mod belongs;
mod selection;

use galen_query::{analysis::Analysis, query::parse_query, registry::Registry};
use num_bigint::BigInt;

use super::{Derived, Value, View, derive};
use crate::answer::{Bucket, Cell, key_columns};

fn registry() -> Registry {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"b\"\ntype = \"boolean\"\n\
        [[column]]\nname = \"arm\"\ntype = \"category\"\ncodes = [\"a\", \"b c\"]\n\
        [[column]]\nname = \"x\"\ntype = \"number\"\nmin = 0\nmax = 100\nnullable = true\n\
        [[column]]\nname = \"t\"\ntype = \"number\"\nmin = 0\nmax = 100\n";
    Registry::from_toml(text).unwrap()
}

const COUNTS: &str = "SELECT arm, count(*) AS n, count(*) FILTER (WHERE b) AS cases, sum(t) AS days, \
     avg(x) AS mean, stddev_samp(x) AS sd, count(x) AS known FROM t GROUP BY arm";
const TABLE: &str = "SELECT arm, b, count(*) AS n FROM t GROUP BY arm, b";
const TIMES: &str = "SELECT arm, width_bucket(t, 0, 20, 2) AS bin, count(*) AS n, sum(b) AS events \
     FROM t GROUP BY arm, bin";

fn parse(sql: &str, text: &str) -> Result<Analysis, String> {
    parse_over(&registry(), sql, text)
}

fn parse_over(registry: &Registry, sql: &str, text: &str) -> Result<Analysis, String> {
    let query = parse_query(sql, registry).unwrap();
    Analysis::parse(text, &query, registry).map_err(|e| e.to_string())
}

fn run(sql: &str, text: &str, rows: &[Vec<Cell>], count_error: u64) -> Derived {
    run_over(&registry(), sql, text, rows, count_error)
}

fn run_over(
    registry: &Registry,
    sql: &str,
    text: &str,
    rows: &[Vec<Cell>],
    count_error: u64,
) -> Derived {
    let query = parse_query(sql, registry).unwrap();
    let analysis = parse_over(registry, sql, text).unwrap();
    let columns: Vec<String> = query.outputs.iter().map(|o| o.label.clone()).collect();
    let view = View {
        columns: &columns,
        rows,
        key_columns: &key_columns(&query),
        count_error,
    };
    derive(&[analysis], &query, registry, &view).pop().unwrap()
}

fn n(n: u64) -> Cell {
    Cell::Integer(BigInt::from(n))
}

fn key(text: &str) -> Cell {
    Cell::Key(text.to_owned())
}

fn bucket(number: u32) -> Cell {
    Cell::Bucket(Bucket {
        number,
        from: String::new(),
        to: String::new(),
    })
}

fn counts() -> Vec<Vec<Cell>> {
    let row = |arm: &str, all, cases, mean, sd| {
        let (mean, sd) = (Cell::Real(mean), Cell::Real(sd));
        vec![key(arm), n(all), n(cases), n(400), mean, sd, n(all)]
    };
    vec![row("a", 55, 4, 10.0, 2.0), row("b c", 52, 14, 12.0, 3.0)]
}

#[test]
fn every_analysis_reads_back_as_itself() {
    let all = [
        (
            COUNTS,
            "two-by-two exposure=arm exposed=a unexposed=\"b c\" cases=cases total=n",
        ),
        (
            TABLE,
            "two-by-two exposure=arm exposed=\"b c\" unexposed=a outcome=b case=true noncase=false count=n",
        ),
        (TABLE, "contingency rows=arm columns=b count=n"),
        (COUNTS, "means mean=mean sd=sd n=known"),
        (
            COUNTS,
            "welch by=arm first=a second=\"b c\" mean=mean sd=sd n=known",
        ),
        (COUNTS, "proportions cases=cases total=n"),
        (TIMES, "survival time=bin leaving=n events=events by=arm"),
        (COUNTS, "rates events=cases time=days per=1000"),
        (
            COUNTS,
            "standardised-rates events=cases time=days strata=arm weights=\"a:70,b c:30\"",
        ),
    ];
    for (sql, text) in all {
        let analysis = parse(sql, text).unwrap();
        assert_eq!(analysis.to_string(), text);
        assert_eq!(parse(sql, &analysis.to_string()).unwrap(), analysis);
    }
    // The values of a boolean need not be said.
    let short = parse(
        TABLE,
        "two-by-two exposure=b outcome=arm case=a noncase=\"b c\" count=n",
    );
    assert!(
        short
            .unwrap()
            .to_string()
            .contains("exposed=true unexposed=false")
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = [
        (COUNTS, "", "there is no analysis ''"),
        (COUNTS, "two_by_two", "there is no analysis"),
        (COUNTS, "means mean=mean", "sd is missing"),
        (
            COUNTS,
            "means mean=mean sd=sd n=n",
            "must be avg, spread and count of one column",
        ),
        (COUNTS, "means mean=sd sd=mean n=known", "is not an avg"),
        (
            COUNTS,
            "means mean=mean sd=sd n=known more=1",
            "means has no more",
        ),
        (
            COUNTS,
            "means mean=mean mean=mean sd=sd n=known",
            "given twice",
        ),
        (COUNTS, "means mean", "is not name=value"),
        (
            COUNTS,
            "proportions cases=cases total=all",
            "no output is labelled all",
        ),
        (COUNTS, "proportions cases=mean total=n", "is not a count"),
        (COUNTS, "proportions cases=\"cases total=n", "not closed"),
        (
            COUNTS,
            "welch by=arm mean=mean sd=sd n=known",
            "give both first and second",
        ),
        (
            COUNTS,
            "welch by=arm first=a second=a mean=mean sd=sd n=known",
            "are the same",
        ),
        (
            COUNTS,
            "welch by=arm first=a second=z mean=mean sd=sd n=known",
            "has no value z",
        ),
        (
            COUNTS,
            "welch by=n first=a second=z mean=mean sd=sd n=known",
            "is no key",
        ),
        (
            COUNTS,
            "survival time=arm leaving=n events=cases",
            "is no width_bucket",
        ),
        (
            COUNTS,
            "rates events=cases time=days per=0",
            "no whole number above 0",
        ),
        (
            COUNTS,
            "standardised-rates events=cases time=days strata=arm weights=a",
            "is not VALUE:PERSONS",
        ),
        (
            COUNTS,
            "standardised-rates events=cases time=days strata=arm weights=a:1,a:2",
            "stands twice",
        ),
        (
            "SELECT count(*), count(x) FROM t",
            "proportions cases=count total=count",
            "several outputs",
        ),
        (
            "SELECT width_bucket(t, 5, 20, 2) AS bin, count(*) AS n FROM t GROUP BY bin",
            "survival time=bin leaving=n events=n",
            "below its first bucket",
        ),
    ];
    let weights = "standardised-rates events=cases time=days strata=arm weights=a:1";
    assert!(
        parse(COUNTS, weights)
            .unwrap_err()
            .contains("stratum b c of arm has none")
    );
    for (sql, text, why) in refused {
        let message = parse(sql, text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(n) => *n,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_of_the_streptomycin_trial() {
    let text = "two-by-two exposure=arm exposed=a unexposed=\"b c\" cases=cases total=n";
    let by_counts = run(COUNTS, text, &counts(), 0);
    assert_eq!(by_counts.notes, Vec::<String>::new());
    let odds = number(&by_counts.tables[1].rows[0][1]);
    assert!((odds - (4.0 * 38.0) / (51.0 * 14.0)).abs() < 1e-12);
    // The same from a count by two keys.
    let cell = |arm: &str, b: &str, count| vec![key(arm), key(b), n(count)];
    let rows = [
        cell("a", "false", 51),
        cell("a", "true", 4),
        cell("b c", "false", 38),
        cell("b c", "true", 14),
    ];
    let text = "two-by-two exposure=arm exposed=a unexposed=\"b c\" outcome=b count=n";
    let by_key = run(TABLE, text, &rows, 0);
    assert_eq!(by_key.tables[0].rows, by_counts.tables[0].rows);
    assert_eq!(by_key.tables[1], by_counts.tables[1]);
    let all = run(TABLE, "contingency rows=arm columns=b count=n", &rows, 0);
    assert_eq!(all.tables[1].rows[0], by_key.tables[2].rows[0]);
}

#[test]
fn hidden_cells_are_named_and_nothing_is_guessed() {
    let mut rows = counts();
    rows[0][2] = Cell::Suppressed(11);
    let text = "two-by-two exposure=arm exposed=a unexposed=\"b c\" cases=cases total=n";
    let derived = run(COUNTS, text, &rows, 0);
    assert!(derived.tables.is_empty());
    assert_eq!(
        derived.notes,
        ["cases of a is hidden by the release rule (<11)."]
    );
    let derived = run(COUNTS, "proportions cases=cases total=n", &rows, 0);
    assert_eq!(derived.tables[0].rows[0][1..], vec![Value::Missing; 5]);
    assert!(number(&derived.tables[0].rows[1][3]) > 0.26);
    assert_eq!(derived.notes.len(), 1);
    rows[1][1] = Cell::Withheld;
    let derived = run(
        COUNTS,
        "welch by=arm first=a second=\"b c\" mean=mean sd=sd n=known",
        &rows,
        0,
    );
    assert_eq!(derived.tables.len(), 2, "other cells do not matter");
}

#[test]
fn rows_are_named_by_their_keys_alone() {
    let row = |arm, all, known| vec![arm, n(all), n(0), n(0), Cell::Null, Cell::Null, n(known)];
    let rows = [row(key("a"), 9, 0), row(Cell::Null, 7, 0)];
    let derived = run(COUNTS, "means mean=mean sd=sd n=known", &rows, 0);
    let names: Vec<&Value> = derived.tables[0].rows.iter().map(|r| &r[0]).collect();
    assert_eq!(names, [&Value::Key(Some("a".into())), &Value::Key(None)]);
    assert_eq!(
        derived.notes,
        ["a", "NULL"].map(|group| {
            let null = |label| format!("{label} of {group} is NULL: too few values were counted.");
            format!("{} {}", null("mean"), null("sd"))
        })
    );
}

#[test]
fn unknown_outcomes_are_told() {
    let sql = "SELECT arm, count(*) AS n, count(x) AS known, count(*) FILTER (WHERE x > 5) AS high FROM t GROUP BY arm";
    let rows = [vec![key("a"), n(20), n(15), n(5)]];
    let note = |total: &str| {
        let text = format!("proportions cases=high total={total}");
        run(sql, &text, &rows, 0).notes
    };
    assert!(
        note("n")[0].starts_with("Patients of n whose x is NULL may count as without the outcome")
    );
    assert_eq!(note("known"), Vec::<String>::new());
}

#[test]
fn rounded_and_impossible_counts_are_told() {
    let derived = run(COUNTS, "proportions cases=cases total=n", &counts(), 5);
    assert!(
        derived.notes[0].contains("each off by up to 5"),
        "{:?}",
        derived.notes
    );
    let mut rows = counts();
    rows[0][2] = n(56);
    let text = "two-by-two exposure=arm exposed=a unexposed=\"b c\" cases=cases total=n";
    assert_eq!(
        run(COUNTS, text, &rows, 0).notes,
        ["a has more cases than patients."]
    );
    rows[0][2] = n(0);
    let derived = run(COUNTS, text, &rows, 0);
    assert_eq!(
        derived.tables[1].rows[0][1..],
        vec![Value::Missing; 3],
        "no odds ratio"
    );
    assert_eq!(derived.notes.len(), 1);
}

#[test]
fn survival_reads_bins_in_order_and_who_is_beyond() {
    let row = |arm: &str, bin, leaving, events| vec![key(arm), bucket(bin), n(leaving), n(events)];
    let rows = [
        row("a", 1, 10, 5),
        row("a", 2, 20, 10),
        row("a", 3, 20, 0),
        row("b c", 1, 20, 20),
        row("b c", 2, 10, 4),
        row("b c", 3, 20, 0),
    ];
    let derived = run(
        TIMES,
        "survival time=bin leaving=n events=events by=arm",
        &rows,
        0,
    );
    assert_eq!(derived.notes, Vec::<String>::new());
    let table = &derived.tables[0];
    assert_eq!(table.rows.len(), 4);
    assert_eq!(
        table.rows[1][1..4],
        [Value::Number(20.0), Value::Count(40), Value::Count(10)]
    );
    let row = |row: usize| [4, 7, 8].map(|at| number(&table.rows[row][at]));
    // Of 5 and then 10 who are censored half, all and none leave before the events.
    let wanted = [
        (1.0 - 5.0 / 47.5) * (1.0 - 10.0 / 35.0),
        (1.0 - 5.0 / 45.0) * (1.0 - 10.0 / 30.0),
        (1.0 - 5.0 / 50.0) * (1.0 - 10.0 / 40.0),
    ];
    for (found, wanted) in row(1).iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    }
    assert!(derived.method.starts_with("Actuarial"));
    let medians: Vec<&Value> = derived.tables[1].rows.iter().map(|r| &r[4]).collect();
    assert_eq!(
        medians,
        [&Value::from("not reached"), &Value::from("not reached")]
    );
    // By hand: 5 + 10 deaths in a; at risk 47.5 + 50, then 35 + 27; hypergeometric variances.
    let expected: f64 = 25.0 * 47.5 / 97.5 + 14.0 * 35.0 / 62.0;
    let of = |n: f64, a: f64, d: f64| d * (a / n) * (1.0 - a / n) * (n - d) / (n - 1.0);
    let variance = of(97.5, 47.5, 25.0) + of(62.0, 35.0, 14.0);
    let found = number(&derived.tables[2].rows[0][2]);
    let wanted = (15.0 - expected).powi(2) / variance;
    assert!((found - wanted).abs() < 1e-9, "{found}");
    // Deaths of b in the second bin hidden: its curve ends at the first, and so does the comparison.
    let mut cut = rows.clone();
    cut[4][3] = Cell::Suppressed(11);
    let text = "survival time=bin leaving=n events=events by=arm";
    let shorter = run(TIMES, text, &cut, 0);
    assert_eq!(shorter.tables[0].rows, derived.tables[0].rows[..3]);
    assert_eq!(shorter.tables[2].rows[0][1], Value::Number(10.0));
    assert_eq!(
        shorter.tables[1].rows[1][2..],
        [
            Value::Number(10.0),
            Value::Count(20),
            Value::from("not known"),
            Value::from("not known"),
            Value::from("not known"),
        ]
    );
    let note = "b c: the curve ends at 10. events of b c";
    assert!(shorter.notes[0].starts_with(note), "{:?}", shorter.notes);
    cut[3][3] = Cell::Suppressed(11);
    let none = run(TIMES, text, &cut, 0);
    assert_eq!(
        none.tables[1].rows[1][1..],
        [
            Value::Count(50),
            Value::Missing,
            Value::Count(0),
            Value::from("not known"),
            Value::from("not known"),
            Value::from("not known"),
        ],
        "who is at risk is known though no events are"
    );
    cut[5][2] = Cell::Suppressed(11);
    let one = run(TIMES, text, &cut, 0);
    assert_eq!((one.tables[0].rows.len(), one.tables.len()), (2, 2));
}

#[test]
fn rates_are_per_what_is_asked() {
    let derived = run(
        COUNTS,
        "rates events=cases time=days per=1000",
        &counts(),
        0,
    );
    assert_eq!(number(&derived.tables[0].rows[0][3]), 10.0);
    let text =
        "standardised-rates events=cases time=days strata=arm weights=\"a:70,b c:30\" per=1000";
    let derived = run(COUNTS, text, &counts(), 0);
    let rate = number(&derived.tables[0].rows[0][1]);
    assert!((rate - (0.7 * 10.0 + 0.3 * 35.0)).abs() < 1e-9, "{rate}");
    assert_eq!(derived.tables[1].rows[0][1], Value::Count(18));
}
