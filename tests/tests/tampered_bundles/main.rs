//! Dishonest bundles. Each tampering is refused for its own reason: the error's variant, place and
//! check are asserted, so that a check that is lost does not hide behind another one.

#![allow(clippy::unwrap_used)]

mod bounds;
mod cells;
mod documents;
mod known;
mod limbs;
mod percentiles;
mod plans;
mod points;
mod replays;
mod steps;

use std::{fmt::Write as _, sync::LazyLock};

use galen_circuits::{
    Fr, G1,
    batch::Check,
    gates::Gate,
    prove::{PROOF_BYTES, Proof},
};
use galen_params::Silent;
use galen_prover::execute::prove_plan;
use galen_query::text::{base64, from_base64, hex};
use galen_tests::{Asked, Hospital, Setup, ask, hospital::signing_key, keys};
use galen_verifier::{
    VerifyError,
    bundle::Bundle,
    manifest::{Draft, Manifest},
    plan::{Plan, Step},
    plan_for, verify,
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
codes = ["a", "b", "c"]
"#;

/// Rows: a full chunk and some more.
const ROWS: usize = 500;

/// No row has n = 499; four patients are in arm c; one in ten has no n, one in
/// eleven no b, one in seven no consent.
fn csv() -> String {
    let mut out = String::from("pid,consent,b,n,arm\n");
    for i in 0..ROWS {
        let n = match (i * 7) % 600 {
            _ if i % 10 == 0 => String::new(),
            499 => "498".into(),
            n => n.to_string(),
        };
        let arm = match i {
            101 | 203 | 307 | 481 => "c",
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

/// Counts in groups, of which one is small.
const GROUPS: &str = "SELECT arm, count(*) FROM t WHERE n < 550 GROUP BY arm";
/// Sums under guards, and a predicate.
const SUMS: &str = "SELECT count(*), sum(n), sum(n * n) FROM t WHERE b AND n > 20";

/// The hospital as it is after registration; nobody asks it directly.
static HOSPITAL: LazyLock<Hospital> = LazyLock::new(|| Setup::new(&csv(), REGISTRY).commit());
static HONEST_GROUPS: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL.fork(), GROUPS));
static HONEST_SUMS: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL.fork(), SUMS));

/// Verifies `asked`'s bundle after `change`.
#[track_caller]
fn refused(asked: &Asked, change: impl FnOnce(&mut Bundle)) -> VerifyError {
    let mut bundle = asked.bundle.clone();
    change(&mut bundle);
    assert_ne!(bundle, asked.bundle, "nothing was changed");
    HOSPITAL.verify(&asked.question, &bundle).unwrap_err()
}

/// Proves `sql` by a plan that was tampered with, on a hospital of its own, and verifies the bundle.
#[track_caller]
fn doctored(sql: &str, change: impl FnOnce(&mut Plan)) -> (Plan, VerifyError) {
    let hospital = HOSPITAL.fork();
    doctored_at(&hospital, sql, change)
}

#[track_caller]
fn doctored_at(
    hospital: &Hospital,
    sql: &str,
    change: impl FnOnce(&mut Plan),
) -> (Plan, VerifyError) {
    let question = hospital.question(sql);
    let honest = honest_plan(hospital, sql);
    let mut plan = honest.clone();
    change(&mut plan);
    assert_ne!(plan, honest, "nothing was changed");
    let (bundle, _) = prove_plan(&hospital.dataset, &question, &plan, keys(), &Silent).unwrap();
    let refused = hospital.verify(&question, &bundle).unwrap_err();
    (honest, refused)
}

fn honest_plan(hospital: &Hospital, sql: &str) -> Plan {
    let d = &hospital.dataset;
    let resolved = hospital.question(sql).resolve(d.registry()).unwrap();
    plan_for(&resolved, d.registry(), d.dataset(), &[]).unwrap()
}

/// The index of the only step whose key starts with `start`.
#[track_caller]
fn find<'a>(keys: impl Iterator<Item = &'a str>, start: &str) -> usize {
    let found: Vec<usize> = keys
        .enumerate()
        .filter_map(|(i, k)| k.starts_with(start).then_some(i))
        .collect();
    assert_eq!(found.len(), 1, "steps like {start}");
    found[0]
}

fn step(bundle: &Bundle, start: &str) -> usize {
    find(bundle.steps.iter().map(|s| s.key.as_str()), start)
}

fn plan_step<'a>(plan: &'a mut Plan, start: &str) -> &'a mut Step {
    let index = find(plan.steps.iter().map(|s| s.key.as_str()), start);
    &mut plan.steps[index]
}

fn decode(text: &str) -> Proof {
    Proof::from_bytes(&from_base64(text, PROOF_BYTES).unwrap()).unwrap()
}

/// Changes an encoded proof.
fn alter(text: &mut String, change: impl FnOnce(&mut Proof)) {
    let mut proof = decode(text);
    change(&mut proof);
    *text = base64(&proof.to_bytes());
}

#[track_caller]
fn assert_proof(e: &VerifyError, start: &str, gate: Gate, chunk: Option<usize>, check: Check) {
    match e {
        VerifyError::Proof {
            key,
            gate: g,
            chunk: c,
            check: k,
        } if key.starts_with(start) && (*g, *c, *k) == (gate, chunk, check) => {}
        other => panic!("{start}, {gate}, {chunk:?}, {check:?} expected, not {other:?}"),
    }
}

#[track_caller]
fn assert_release(e: &VerifyError, check: Check) {
    assert_proof(e, "release 0", Gate::Release, None, check);
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
        commitments: &[],
    };
    change(&mut draft, &mut commitments);
    let draft = Draft {
        commitments: &commitments,
        ..draft
    };
    Manifest::sign(&draft, &signing_key(seed))
}

/// Verifies `asked`'s bundle against another manifest, first as it is, then with the new manifest's
/// digest written over the old one's.
fn replayed(asked: &Asked, manifest: &Manifest) -> [VerifyError; 2] {
    let check = |bundle: &Bundle| {
        let registry = HOSPITAL.dataset.registry();
        verify(
            bundle,
            manifest,
            registry,
            &asked.question,
            &keys().verifying(),
        )
        .unwrap_err()
    };
    let mut bundle = asked.bundle.clone();
    bundle.manifest = hex(&manifest.digest());
    [check(&asked.bundle), check(&bundle)]
}

/// ctx under a manifest.
fn ctx_of(manifest: &Manifest) -> Fr {
    manifest.check(HOSPITAL.dataset.registry()).unwrap().ctx()
}
