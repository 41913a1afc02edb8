//! Dishonest bundles, registrations and manifests. Each tampering is refused for its own reason: the error's variant,
//! place and check are asserted, so that a check that is lost does not hide behind another one.

#![allow(clippy::unwrap_used)]

mod bounds;
mod cells;
mod documents;
mod forge;
mod percentiles;
mod plans;
mod proofs;
mod registrations;
mod replays;
mod together;

use std::{fmt::Write as _, sync::LazyLock};

use forge::Secrets;
use galen_circuits::{
    G1,
    batch::Check,
    class::Size,
    equation::{Column, Layout, Linear},
    proof::EquationProof,
};
use galen_query::text::{from_base64, hex};
use galen_tests::{Asked, Hospital, Setup, ask, hospital::signing_key, keys::N};
use galen_verifier::{
    VerifyError,
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    manifest::{Draft, Manifest},
    plan::{Plan, Quantile},
    plan_for, rules,
};

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
nullable = true

[[column]]
name = "n"
type = "number"
min = 0
max = 600
nullable = true

[[column]]
name = "arm"
type = "category"
codes = ["a", "b", "c", "d"]
"#;

/// Rows: a full chunk and some more.
const ROWS: usize = N + 404;

/// Few patients are in arms c and d; one in ten has no n, one in eleven no b, one in seven no consent.
fn csv() -> String {
    let mut out = String::from("pid,consent,b,n,arm\n");
    for i in 0..ROWS {
        let n = match i % 10 {
            0 => String::new(),
            _ => ((i * 7) % 600).to_string(),
        };
        let arm = match i {
            101 | 203 | 307 | 481 => "c",
            _ if i % 1_000 == 999 => "d",
            _ if i % 3 == 0 => "a",
            _ => "b",
        };
        let b = match i % 2 == 1 {
            _ if i % 11 == 5 => String::new(),
            b => b.to_string(),
        };
        writeln!(out, "p{i},{},{b},{n},{arm}", i % 7 != 0).unwrap();
    }
    out
}

/// Counts in groups, of which two are small.
const GROUPS: &str = "SELECT arm, count(*) FROM t WHERE n < 550 GROUP BY arm";
/// Sums under guards, and a predicate.
const SUMS: &str = "SELECT count(*), sum(n), sum(n * n) FROM t WHERE b AND n > 20";

static HOSPITAL: LazyLock<Hospital> = LazyLock::new(|| Setup::new(&csv(), REGISTRY).commit());
static SECRETS: LazyLock<Secrets> = LazyLock::new(|| Secrets::of(&HOSPITAL));
static HONEST_GROUPS: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL, GROUPS));
static HONEST_SUMS: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL, SUMS));

/// Verifies `asked`'s bundle after `change`.
#[track_caller]
fn refused(asked: &Asked, change: impl FnOnce(&mut Bundle)) -> VerifyError {
    let mut bundle = asked.bundle.clone();
    change(&mut bundle);
    assert_ne!(bundle, asked.bundle, "nothing was changed");
    HOSPITAL.verify(&asked.question, &bundle).unwrap_err()
}

/// The plan of a question with these percentiles.
fn planned(sql: &str, quantiles: &[Quantile]) -> Result<Plan, VerifyError> {
    let d = &HOSPITAL.dataset;
    let resolved = HOSPITAL.question(sql).resolve(d.registry()).unwrap();
    plan_for(&resolved, d.registry(), d.dataset(), quantiles)
}

/// The bundle of `asked` with its proof changed; `change` is told the circuit's size.
fn altered(asked: &Asked, change: impl FnOnce(&mut EquationProof, Size)) -> Bundle {
    let plan = planned(&asked.question.sql, &asked.bundle.quantiles).unwrap();
    let release = &HOSPITAL.manifest().release;
    let cells = rules::cells(&plan, release, &asked.bundle.cells).unwrap();
    let layout = Layout::new(&plan.equation, &cells).unwrap();
    let bytes = from_base64(&asked.bundle.proof, MAX_BUNDLE_BYTES).unwrap();
    let mut proof = EquationProof::from_bytes(&bytes, &layout).unwrap();
    assert_eq!(proof.to_bytes(), bytes);
    change(&mut proof, layout.class.size);
    asked.bundle.clone().with_proof(&proof.to_bytes())
}

/// A base column of the registry.
fn base(name: &str) -> Linear {
    let bases = HOSPITAL.dataset.registry().base_columns();
    let index = bases.iter().position(|b| b.name == name).unwrap();
    Linear::column(Column::Base(index))
}

#[track_caller]
fn assert_proof(e: &VerifyError, document: &str, check: Check) {
    match e {
        VerifyError::Proof {
            what,
            place,
            check: c,
        } if *what == document && place.starts_with(document) && *c == check => {}
        other => panic!("{document}, {check:?} expected, not {other:?}"),
    }
}

/// What was proven is another statement.
#[track_caller]
fn assert_circuit(e: &VerifyError) {
    assert_proof(e, "bundle", Check::Circuit);
}

/// Another statement's proof is of another length.
#[track_caller]
fn assert_length(e: &VerifyError) {
    assert_encoding(e, "bytes of a proof");
}

#[track_caller]
fn assert_encoding(e: &VerifyError, word: &str) {
    match e {
        VerifyError::Encoding { place, why } if place == "bundle" && why.contains(word) => {}
        other => panic!("{word} expected, not {other:?}"),
    }
}

/// Group and statistic of the cell that breaks the rule; `word` stands in the reason.
#[track_caller]
fn broken(e: &VerifyError, word: &str) -> (usize, usize) {
    match e {
        VerifyError::CellRule {
            group,
            statistic,
            why,
            ..
        } if why.contains(word) => (*group, *statistic),
        other => panic!("{word} expected, not {other:?}"),
    }
}

/// A manifest over the same registry and parameters, changed and signed with the key of `seed`.
fn sign(seed: u8, change: impl FnOnce(&mut Draft<'_>, &mut Vec<Vec<G1>>)) -> Manifest {
    let d = HOSPITAL.dataset.dataset();
    let mut commitments = d.commitments.clone();
    let mut draft = Draft {
        hospital: &d.manifest.hospital,
        dataset: &d.manifest.dataset,
        epoch: d.manifest.epoch,
        registry: HOSPITAL.dataset.registry(),
        parameter_set: d.parameter_set,
        shape: d.shape,
        rows: d.manifest.rows,
        release: d.manifest.release.clone(),
        provenance: d.manifest.provenance.clone(),
        commitments: &[],
    };
    change(&mut draft, &mut commitments);
    let draft = Draft {
        commitments: &commitments,
        ..draft
    };
    Manifest::sign(&draft, &signing_key(seed))
}

/// A manifest's digest as documents name it.
fn digest(manifest: &Manifest) -> String {
    hex(&manifest.digest())
}
