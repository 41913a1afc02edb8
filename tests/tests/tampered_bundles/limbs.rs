//! Payloads whose limbs could carry.

use std::{fmt::Write as _, sync::LazyLock};

use ark_ff::Field;
use galen_circuits::{
    Fr,
    batch::Check,
    gates::{Gate, release::LIMB_BITS},
};
use galen_params::Shape;
use galen_query::{question::Question, registry::Registry};
use galen_tests::{Hospital, PURPOSE, Setup, ask};
use galen_verifier::{
    VerifyError,
    plan::{FieldKind, Linear, Plan, Slot},
};

use super::{assert_proof, doctored_at, plan_step};

const WIDE: &str = r#"
[registry]
name = "w"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "money"
type = "number"
min = 0
max = 10000000
"#;

/// 40 rows of about 10⁷: the squares' sum is near 2^52.
static RICH: LazyLock<Hospital> = LazyLock::new(|| {
    let mut csv = String::from("pid,consent,money\n");
    for i in 0..40 {
        writeln!(csv, "p{i},true,{}", 9_999_000 + i).unwrap();
    }
    Setup::new(&csv, WIDE).commit()
});

const SQUARES: &str = "SELECT count(*), sum(money * money), sum(money) FROM w";

/// Where the fields of the answer's only group stand.
fn places(plan: &Plan) -> Vec<(FieldKind, usize, usize)> {
    let (_, places) = &plan.layout.groups[0];
    let mut all: Vec<_> = places
        .iter()
        .map(|(f, p)| (f.kind, p.limb, p.limbs))
        .collect();
    all.sort_by_key(|(_, limb, _)| *limb);
    all
}

#[test]
fn a_sum_over_two_limbs_is_exact() {
    let exact: u64 = (0..40).map(|i| (9_999_000u64 + i).pow(2)).sum();
    assert!(exact > 1 << LIMB_BITS);
    let asked = ask(&RICH.fork(), SQUARES);
    assert_eq!(asked.answer.rows[0][1].to_string(), exact.to_string());
}

/// The statistic in the limbs above the squares moved down by one limb: the squares' sum runs into it.
#[test]
fn a_payload_has_too_few_limbs() {
    let hospital = RICH.fork();
    let shift = Fr::from(2u64).pow([u64::from(LIMB_BITS)]);
    let (honest, e) = doctored_at(&hospital, SQUARES, |plan| {
        let wide: Vec<usize> = places(plan).iter().map(|(_, _, limbs)| *limbs).collect();
        assert_eq!(wide, [1, 1, 2], "count, sum, sum of squares");
        // The squares start in the sum's limb.
        let root = plan_step(plan, "root");
        let Slot::Given(y) = &root.slots[1] else {
            panic!("y is given");
        };
        let mut packed = Linear::zero();
        let (low, high) = (shift, shift * shift);
        for (id, c) in y.terms() {
            let c = if c == high { low } else { c };
            packed.add_scaled(c, &Linear::column(id));
        }
        root.slots[1] = Slot::Given(packed);
    });
    assert_eq!(honest.releases.len(), 1);
    assert_proof(&e, "root", Gate::Select, Some(0), Check::Link);
}

#[test]
fn a_release_uses_fewer_limbs() {
    let hospital = RICH.fork();
    let mut asked = ask(&hospital, SQUARES);
    asked.bundle.releases[0].cells.pop();
    let e = hospital.verify(&asked.question, &asked.bundle).unwrap_err();
    match e {
        VerifyError::Cells {
            what,
            expected: 4,
            got: 3,
        } => assert_eq!(what, "cells of release 0"),
        other => panic!("{other:?}"),
    }
}

/// Only 2^10 − 1 is proven of a column declared up to 600, and limbs are for what is proven.
#[test]
fn limbs_are_allotted_by_what_is_proven() {
    let toml = WIDE.replace("max = 10000000", "max = 600");
    let registry = Registry::from_toml(&toml).unwrap();
    let sql = "SELECT sum(money * money) FROM w";
    let question = Question::new(&registry, PURPOSE, sql, None).unwrap();
    let resolved = question.resolve(&registry).unwrap();
    let rows = Shape::Hospital.rows();
    let limbs = |chunks: usize| {
        let plan = Plan::new(
            &resolved.query,
            resolved.purpose,
            &registry,
            (rows, chunks),
            &[],
        )
        .unwrap();
        let squares = places(&plan)
            .into_iter()
            .find(|p| p.0 == FieldKind::SumOfSquares);
        squares.unwrap().2
    };
    let fits =
        |chunks: usize, maximum: u128| (rows * chunks) as u128 * maximum * maximum < 1 << LIMB_BITS;
    let most = (1..).find(|c| !fits(c + 1, 1023)).unwrap();
    assert!(
        fits(most + 1, 600),
        "by the declared maximum one more chunk would fit"
    );
    assert_eq!((limbs(most), limbs(most + 1)), (1, 2));
}
