//! Percentiles that are wrong, and ones that are shown or hidden against the rule; the order of hidden cells.

use std::{fmt::Write as _, sync::LazyLock};

use ark_ff::One;
use galen_circuits::{CircuitError, Fr, batch::Check, gates::Gate};
use galen_params::Silent;
use galen_prover::{
    ProverError,
    execute::{plan, prove_plan},
};
use galen_query::query::Share;
use galen_tests::{Asked, Setup, ask, keys};
use galen_verifier::{
    VerifyError,
    answer::Cell,
    manifest::ReleaseProfile,
    plan::{Plan, PlanError, Quantile},
    plan_for,
    rules::State,
};

use super::{HOSPITAL, REGISTRY, alter, assert_proof, refused};

const MEDIANS: &str =
    "SELECT arm, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";
const WITH_COUNTS: &str =
    "SELECT arm, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";

static HONEST: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL.fork(), MEDIANS));

/// The plan of a question with these percentiles.
fn planned(sql: &str, quantiles: &[Quantile]) -> Result<Plan, VerifyError> {
    let d = &HOSPITAL.dataset;
    let resolved = HOSPITAL.question(sql).resolve(d.registry()).unwrap();
    plan_for(&resolved, d.registry(), d.dataset(), quantiles)
}

/// What keeps an otherwise honest prover from answering by this plan.
fn no_proof(sql: &str, plan: &Plan) -> (Gate, String) {
    let hospital = HOSPITAL.fork();
    let question = hospital.question(sql);
    match prove_plan(&hospital.dataset, &question, plan, keys(), &Silent) {
        Err(ProverError::Circuit(CircuitError::Unsatisfied { gate, detail })) => (gate, detail),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("proven"),
    }
}

/// Medians of arms a and b; arm c has four patients.
fn medians() -> [u64; 2] {
    match HONEST.bundle.quantiles[..] {
        [Some(a), Some(b), None] => [a, b],
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn medians_are_published_where_k_patients_stand_on_either_side() {
    let [a, b] = medians();
    let cells: Vec<String> = HONEST
        .answer
        .rows
        .iter()
        .map(|r| r[1].to_string())
        .collect();
    assert_eq!(cells, [a.to_string(), b.to_string(), "(<11)".into()]);
    assert_eq!(HONEST.bundle.comparisons.len(), 2);
    // The plan finds the same percentiles again.
    let question = HOSPITAL.question(MEDIANS);
    let found = plan(&HOSPITAL.dataset, &question).unwrap().quantiles;
    assert_eq!(found, HONEST.bundle.quantiles);
}

#[test]
fn another_value_is_not_the_median() {
    let [a, b] = medians();
    // One place too low or too high fails one inequality each, whatever the distance.
    for wrong in [0, a - 1, a + 1, 600] {
        let plan = planned(MEDIANS, &[Some(wrong), Some(b), None]).unwrap();
        let (gate, detail) = no_proof(MEDIANS, &plan);
        assert_eq!(gate, Gate::Compare, "{wrong}");
        assert!(detail.starts_with("C5"), "{detail}");
    }
    // Honest proofs of a wrong value's counts, that it is another percentile's included.
    let question = HOSPITAL.question(MEDIANS);
    // 0.52 is released among as few values as the median, so that nothing but the rank differs.
    let near = "SELECT arm, percentile_disc(0.52) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";
    let hospital = HOSPITAL.fork();
    let other = plan(&hospital.dataset, &hospital.question(near)).unwrap();
    assert_eq!(
        other.percentiles[0].share,
        Share {
            numerator: 13,
            denominator: 25
        }
    );
    assert_ne!(other.quantiles[0], Some(a));
    let (bundle, _) = prove_plan(&hospital.dataset, &question, &other, keys(), &Silent).unwrap();
    let e = HOSPITAL.verify(&question, &bundle).unwrap_err();
    assert_proof(&e, "percentile 0", Gate::Compare, None, Check::Groth16);
}

#[test]
fn a_value_written_over_changes_the_plan() {
    let [a, _] = medians();
    let e = refused(&HONEST, |b| b.quantiles[0] = Some(a + 1));
    assert!(matches!(e, VerifyError::UnexpectedStep { .. }), "{e}");
    for quantiles in [vec![], vec![Some(1); 2], vec![None; 4]] {
        let e = refused(&HONEST, |b| b.quantiles = quantiles);
        assert!(
            matches!(e, VerifyError::Plan(PlanError::Quantiles { .. })),
            "{e}"
        );
    }
    let e = refused(&HONEST, |b| b.quantiles[0] = Some(601));
    assert!(
        matches!(e, VerifyError::Plan(PlanError::Quantiles { .. })),
        "{e}"
    );
    assert!(e.to_string().contains("beyond column n"), "{e}");
}

#[test]
fn a_percentile_of_few_cannot_be_published_nor_one_of_many_hidden() {
    let [a, b] = medians();
    // The median of four patients, whatever it is.
    let plan = planned(MEDIANS, &[Some(a), Some(b), Some(300)]).unwrap();
    assert_eq!(no_proof(MEDIANS, &plan).0, Gate::Release);
    let plan = planned(MEDIANS, &[None, Some(b), None]).unwrap();
    assert_eq!(no_proof(MEDIANS, &plan).0, Gate::Release);
}

#[test]
fn a_percentile_goes_with_a_hidden_count() {
    let asked = ask(&HOSPITAL.fork(), WITH_COUNTS);
    let [a, b] = medians();
    assert_eq!(asked.bundle.quantiles, [Some(a), Some(b), None]);
    assert_eq!(asked.answer.rows[2][1..], vec![Cell::Suppressed(11); 2]);
    let plan = planned(WITH_COUNTS, &[Some(a), Some(b), Some(300)]).unwrap();
    let hospital = HOSPITAL.fork();
    let question = hospital.question(WITH_COUNTS);
    let e = prove_plan(&hospital.dataset, &question, &plan, keys(), &Silent).unwrap_err();
    assert!(
        matches!(
            e,
            ProverError::Verify(VerifyError::Percentile { index: 2, .. })
        ),
        "{e}"
    );
}

#[test]
fn comparisons_are_as_many_as_they_should_be_and_in_order() {
    for change in [
        (|c: &mut Vec<String>| c.clear()) as fn(&mut Vec<String>),
        |c| c.truncate(1),
        |c| c.push(c[0].clone()),
    ] {
        let e = refused(&HONEST, |b| change(&mut b.comparisons));
        assert!(matches!(e, VerifyError::Cells { .. }), "{e}");
    }
    let e = refused(&HONEST, |b| b.comparisons.swap(0, 1));
    assert_proof(&e, "percentile 0", Gate::Compare, None, Check::Groth16);
    let e = refused(&HONEST, |b| b.comparisons[1].truncate(255));
    assert!(matches!(e, VerifyError::Encoding { .. }), "{e}");
    let e = refused(&HONEST, |b| {
        alter(&mut b.comparisons[1], |p| {
            p.link = (p.link * (Fr::one() + Fr::one())).into();
        });
    });
    assert_proof(&e, "percentile 1", Gate::Compare, None, Check::Link);
}

/// Counts by b and arm: a small one takes the smaller of its row with it, and that one's column another.
fn two_way() -> String {
    let mut out = String::from("pid,consent,b,n,arm\n");
    let mut patient = 0;
    for (b, arm, count) in [
        ("true", "a", 5),
        ("true", "b", 30),
        ("true", "c", 40),
        ("false", "a", 50),
        ("false", "b", 60),
        ("false", "c", 70),
        ("", "a", 20),
        ("", "b", 20),
        ("", "c", 3),
    ] {
        for _ in 0..count {
            writeln!(out, "p{patient},true,{b},1,{arm}").unwrap();
            patient += 1;
        }
    }
    out
}

#[test]
fn the_order_of_hidden_cells_is_proven() {
    let setup = Setup {
        release: ReleaseProfile::default(),
        ..Setup::new("", REGISTRY)
    };
    let table = two_way();
    let hospital = Setup {
        csv: &table,
        ..setup
    }
    .commit();
    let asked = ask(&hospital, "SELECT b, arm, count(*) FROM t GROUP BY b, arm");
    let margins = asked.bundle.releases[0].cells.iter();
    let margins = margins.filter(|s| matches!(s, State::Margin(_))).count();
    assert!(margins > 1, "{:?}", asked.bundle.releases[0].cells);
    assert_eq!(
        asked.bundle.comparisons.len(),
        1,
        "{:?}",
        asked.bundle.releases
    );
    let check = |change: &dyn Fn(&mut Vec<String>)| {
        let mut bundle = asked.bundle.clone();
        change(&mut bundle.comparisons);
        hospital.verify(&asked.question, &bundle).unwrap_err()
    };
    let e = check(&|c| c.clear());
    assert!(
        matches!(
            e,
            VerifyError::Cells {
                expected: 1,
                got: 0,
                ..
            }
        ),
        "{e}"
    );
    let e = check(&|c| c[0].clone_from(&asked.bundle.releases[0].proof));
    let start = "comparison 0: the order of hidden cells";
    assert_proof(&e, start, Gate::Compare, None, Check::Groth16);
}
