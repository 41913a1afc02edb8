//! The index: what was proven once is not proven again, and what must be fresh is.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use galen_tests::{Asked, Hospital, Setup, ask, keys::N};

const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "b"
type = "boolean"

[[column]]
name = "n"
type = "number"
min = 0
max = 600
nullable = true

[[column]]
name = "arm"
type = "category"
codes = ["x", "y"]
"#;

const CHUNKS: usize = 2;

fn hospital() -> Hospital {
    let mut csv = String::from("pid,consent,b,n,arm\n");
    for i in 0..N + 20 {
        let arm = if i % 3 == 0 { "x" } else { "y" };
        writeln!(csv, "p{i},{},{},{},{arm}", i % 5 > 0, i % 2 == 0, i % 600).unwrap();
    }
    Setup::new(&csv, REGISTRY).open().commit()
}

/// Steps of the bundle whose key starts so.
fn steps(asked: &Asked, start: &str) -> usize {
    asked
        .bundle
        .steps
        .iter()
        .filter(|s| s.key.starts_with(start))
        .count()
}

fn commitments(asked: &Asked, start: &str) -> Vec<Option<String>> {
    let steps = asked
        .bundle
        .steps
        .iter()
        .filter(|s| s.key.starts_with(start));
    steps
        .flat_map(|s| s.chunks.iter().map(|c| c.commitment.clone()))
        .collect()
}

#[test]
fn registration_is_proven_once_and_reused() {
    let h = hospital();
    let report = h.report.as_ref().unwrap();
    // consent, b, of arm and n the range and the largest value, and where n is known.
    assert_eq!((report.chunks, report.proofs), (CHUNKS, 7 * CHUNKS));
    let asked = ask(&h, "SELECT count(*) FROM t WHERE b");
    assert_eq!(steps(&asked, "bit("), 2);
    assert_eq!(asked.report.proven, CHUNKS + 1);
    assert_eq!(asked.report.reused, 2 * CHUNKS);
}

#[test]
fn a_second_query_proves_only_its_root_and_release() {
    let h = hospital();
    let first = ask(
        &h,
        "SELECT count(*) FROM t WHERE n BETWEEN 40 AND 65 AND (b OR n > 500)",
    );
    assert_eq!((steps(&first, "in(n;"), steps(&first, "none(")), (2, 1));
    assert_eq!(first.report.proven, (3 + 1) * CHUNKS + 1);

    // The same predicates, another root.
    let sql = "SELECT sum(n), count(n) FROM t WHERE (n > 500 OR b) AND n BETWEEN 40 AND 65";
    let second = ask(&h, sql);
    assert_eq!(steps(&second, "root"), 1);
    assert_eq!(second.report.proven, CHUNKS + second.bundle.releases.len());
    assert_eq!(
        second.report.reused,
        (second.bundle.steps.len() - 1) * CHUNKS
    );
    for predicate in ["in(n;41-66)", "in(n;502-"] {
        assert_eq!(
            commitments(&first, predicate),
            commitments(&second, predicate)
        );
    }

    // Groups of sums have a root each, four of them in a release.
    let sql = "SELECT arm, b, sum(n) FROM t GROUP BY arm, b";
    let _ = ask(&h, sql);
    let again = ask(&h, sql);
    assert_eq!((steps(&again, "root"), again.bundle.releases.len()), (4, 1));
    assert_eq!(again.report.proven, 4 * CHUNKS + 1);
}

#[test]
fn the_same_question_is_proven_under_fresh_blinding() {
    let h = hospital();
    let sql = "SELECT count(*) FROM t WHERE n > 100";
    let (first, second) = (ask(&h, sql), ask(&h, sql));
    assert_eq!(first.answer, second.answer);
    assert_ne!(
        first.bundle.releases[0].proof,
        second.bundle.releases[0].proof
    );
    let (a, b) = (commitments(&first, "root"), commitments(&second, "root"));
    assert_eq!(a.len(), CHUNKS);
    let all: std::collections::BTreeSet<_> = a.iter().chain(&b).collect();
    assert_eq!(
        all.len(),
        2 * CHUNKS,
        "every root of every chunk is blinded afresh"
    );
    // No root is ever kept.
    let files = h.index_files().len();
    assert_eq!(ask(&h, sql).report.proven, CHUNKS + 1);
    assert_eq!(h.index_files().len(), files);
}

#[test]
fn two_hospitals_with_the_same_table_share_nothing() {
    let (one, two) = (hospital(), hospital());
    let sql = "SELECT count(*) FROM t WHERE n > 100";
    let (a, b) = (ask(&one, sql), ask(&two, sql));
    assert_eq!(a.answer.rows, b.answer.rows);
    for (x, y) in one.manifest().columns.iter().zip(&two.manifest().columns) {
        assert_ne!(x.chunks, y.chunks, "{}", x.name);
    }
    assert_ne!(commitments(&a, "in(n;"), commitments(&b, "in(n;"));
}

#[test]
fn an_index_survives_reopening() {
    let h = hospital();
    let sql = "SELECT count(*) FROM t WHERE n > 100";
    assert_eq!(ask(&h, sql).report.proven, 2 * CHUNKS + 1);
    assert_eq!(ask(&h.fork(), sql).report.proven, CHUNKS + 1);
}
