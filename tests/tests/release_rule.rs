//! What is published and what is not: counts around the threshold, zero, and sums under their guards.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use galen_params::Silent;
use galen_prover::execute::answer;
use galen_tests::{Hospital, Setup, ask, keys};
use galen_verifier::{answer::Cell, manifest::ReleaseProfile};

const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "size"
type = "category"
codes = ["0", "1", "10", "11", "12"]

[[column]]
name = "b"
type = "boolean"
nullable = true

[[column]]
name = "n"
type = "number"
min = -5
max = 600
nullable = true
"#;

/// Each group has as many consenting patients as its name says, and two without consent. In group 12,
/// eleven have n, ten are known to have or not to have b, and three have it.
fn csv() -> String {
    let mut out = String::from("pid,consent,size,b,n\n");
    for size in [0, 1, 10, 11, 12] {
        for i in 0..size + 2 {
            let consent = i < size;
            let b = match (size, i) {
                (12, 0..3) => "true",
                (12, 3..10) => "false",
                (12, _) => "",
                _ => "true",
            };
            let n = if size == 12 && i == 11 {
                String::new()
            } else {
                (i + 1).to_string()
            };
            writeln!(out, "p{size}-{i},{consent},{size},{b},{n}").unwrap();
        }
    }
    out
}

fn hospital(k: u64, zero_releasable: bool) -> Hospital {
    let csv = csv();
    let setup = Setup {
        release: ReleaseProfile {
            zero_releasable,
            ..ReleaseProfile::exact("test", k, false)
        },
        ..Setup::new(&csv, REGISTRY)
    };
    setup.commit()
}

/// The answer's rows without their keys; `<` for a suppressed cell.
fn shown(h: &Hospital, sql: &str) -> Vec<String> {
    let k = h.manifest().release.k;
    let text = |cell: &Cell| match cell {
        Cell::Suppressed(told) => {
            assert_eq!(*told, k);
            "<".to_owned()
        }
        other => other.to_string(),
    };
    let rows = ask(h, sql).answer.rows;
    let rows = rows.iter().map(|r| r.iter().map(text).collect::<Vec<_>>());
    rows.map(|r| r.join(" ")).collect()
}

#[test]
fn counts_around_the_threshold() {
    let sql = "SELECT size, count(*) FROM t GROUP BY size";
    let cases = [
        (11, true, ["0 0", "1 <", "10 <", "11 11", "12 12"]),
        (11, false, ["0 <", "1 <", "10 <", "11 11", "12 12"]),
        (1, true, ["0 0", "1 1", "10 10", "11 11", "12 12"]),
        (1, false, ["0 <", "1 1", "10 10", "11 11", "12 12"]),
        (12, true, ["0 0", "1 <", "10 <", "11 <", "12 12"]),
        (1 << 32, true, ["0 0", "1 <", "10 <", "11 <", "12 <"]),
    ];
    for (k, zero, expected) in cases {
        assert_eq!(shown(&hospital(k, zero), sql), expected, "{k}, {zero}");
    }
}

#[test]
fn sums_go_with_the_count_of_those_who_contribute() {
    let h = hospital(11, true);
    // Twelve patients, eleven values: 1 + … + 11.
    let in_12 = "FROM t WHERE size = '12'";
    assert_eq!(
        shown(
            &h,
            &format!("SELECT count(*), count(n), sum(n), avg(n) {in_12}")
        ),
        ["12 11 66 6"]
    );
    // Without one more value the sums are hidden, the patients are not.
    assert_eq!(
        shown(
            &h,
            &format!(
                "SELECT count(*), count(n), sum(n), sum(n*n), stddev_samp(n) {in_12} AND n IS NULL OR size = '12' AND n < 11"
            )
        ),
        ["11 < < < <"]
    );
    // Three of ten: the share would tell both.
    assert_eq!(
        shown(
            &h,
            &format!("SELECT count(*), count(b), sum(b), avg(b) {in_12}")
        ),
        ["12 < < <"]
    );
    // Nobody: counts are 0, and there is nothing to add up.
    assert_eq!(
        shown(
            &h,
            "SELECT count(*), sum(b), sum(n), avg(n), avg(b) FROM t WHERE size = '0'"
        ),
        ["0 0 NULL NULL NULL"]
    );
}

#[test]
fn every_group_has_its_own_guard() {
    let h = hospital(11, true);
    assert_eq!(
        shown(&h, "SELECT size, sum(n), count(*) FROM t GROUP BY size"),
        ["0 NULL 0", "1 < <", "10 < <", "11 66 11", "12 66 12"]
    );
}

fn under(release: ReleaseProfile) -> Hospital {
    let csv = csv();
    let setup = Setup {
        release,
        ..Setup::new(&csv, REGISTRY)
    };
    setup.commit()
}

const BY_SIZE: &str = "SELECT size, count(*) FROM t GROUP BY size";

#[test]
fn a_group_is_not_hidden_alone() {
    let h = under(ReleaseProfile::exact("test", 10, true));
    let rows: Vec<String> = ask(&h, BY_SIZE)
        .answer
        .rows
        .iter()
        .map(|r| r[1].to_string())
        .collect();
    assert_eq!(rows, ["0", "<10", "*", "11", "12"]);
    // Two hidden groups hide each other.
    let h = under(ReleaseProfile::exact("test", 11, true));
    assert_eq!(shown(&h, BY_SIZE), ["0 0", "1 <", "10 <", "11 11", "12 12"]);
}

#[test]
fn a_small_difference_is_hidden() {
    let h = under(ReleaseProfile::exact("test", 11, true));
    let row = |sql: &str| -> Vec<String> {
        let rows = ask(&h, sql).answer.rows;
        rows[0].iter().map(ToString::to_string).collect()
    };
    // One of twelve has no n: the patients are shown, those with a value and their mean are not.
    assert_eq!(
        row("SELECT count(*), count(n), avg(n) FROM t WHERE size = '12'"),
        ["12", "*", "*"]
    );
    // Without the patients beside them, nothing is told about the one.
    assert_eq!(
        row("SELECT count(n), avg(n) FROM t WHERE size = '12'"),
        ["11", "6"]
    );
    assert_eq!(
        row("SELECT count(*), count(n), avg(n) FROM t WHERE size = '11'"),
        ["11", "11", "6"]
    );
}

#[test]
fn counts_are_rounded() {
    let h = under(ReleaseProfile::named("opensafely").unwrap());
    assert_eq!(
        shown(&h, BY_SIZE),
        ["0 0", "1 <", "10 10", "11 10", "12 10"]
    );
    let tens = ReleaseProfile {
        rounding: 10,
        ..ReleaseProfile::exact("test", 10, false)
    };
    let h = under(tens);
    assert_eq!(
        shown(&h, "SELECT count(*), sum(b) FROM t"),
        ["30 30"],
        "34 goes down, 25 up"
    );
    let question = h.question("SELECT count(*), avg(n) FROM t");
    let e = answer(&h.dataset, &question, keys(), &Silent).unwrap_err();
    assert!(e.to_string().contains("rounds counts to 10"), "{e}");
}
