//! Percentiles that are wrong, and ones that are shown or hidden against the rule; the order of hidden cells.

use std::{fmt::Write as _, sync::LazyLock};

use galen_circuits::CircuitError;
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
    plan::{Plan, PlanError},
    rules::{self, State},
};

use super::{
    HOSPITAL, REGISTRY, assert_circuit,
    forge::{Forger, Secrets},
    planned, refused,
};

const MEDIANS: &str =
    "SELECT arm, percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";
const WITH_COUNTS: &str =
    "SELECT arm, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";

static HONEST: LazyLock<Asked> = LazyLock::new(|| ask(&HOSPITAL, MEDIANS));

/// An otherwise honest prover cannot answer by this plan.
#[track_caller]
fn no_proof(sql: &str, plan: &Plan) {
    let question = HOSPITAL.question(sql);
    match prove_plan(&HOSPITAL.dataset, &question, plan, keys(), &Silent) {
        Err(ProverError::Circuit(CircuitError::Unsatisfied(what))) => {
            assert_eq!(what, "an inequality over hidden cells");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("proven"),
    }
}

/// Medians of arms a and b; few patients are in arms c and d.
fn medians() -> [u64; 2] {
    match HONEST.bundle.quantiles[..] {
        [Some(a), Some(b), None, None] => [a, b],
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
    assert_eq!(
        cells,
        [a.to_string(), b.to_string(), "(<41)".into(), "(<41)".into()]
    );
    // No count beside them was asked for.
    assert!(HONEST.bundle.cells.iter().all(Vec::is_empty));
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
        let plan = planned(MEDIANS, &[Some(wrong), Some(b), None, None]).unwrap();
        no_proof(MEDIANS, &plan);
    }
    no_proof(
        MEDIANS,
        &planned(MEDIANS, &[Some(b), Some(a), None, None]).unwrap(),
    );
    // Honest proofs of a wrong value's counts, that it is another percentile's included.
    let question = HOSPITAL.question(MEDIANS);
    // 0.52 is released among as few values as the median, so that nothing but the rank differs.
    let near = "SELECT arm, percentile_disc(0.52) WITHIN GROUP (ORDER BY n) FROM t GROUP BY arm";
    let other = plan(&HOSPITAL.dataset, &HOSPITAL.question(near)).unwrap();
    assert_eq!(
        other.percentiles[0].share,
        Share {
            numerator: 13,
            denominator: 25
        }
    );
    assert_ne!(other.quantiles[0], Some(a));
    let (bundle, _) = prove_plan(&HOSPITAL.dataset, &question, &other, keys(), &Silent).unwrap();
    assert_circuit(&HOSPITAL.verify(&question, &bundle).unwrap_err());
}

#[test]
fn a_value_is_written_over() {
    let [a, b] = medians();
    for other in [a + 1, a - 1, b] {
        assert_circuit(&refused(&HONEST, |bundle| {
            bundle.quantiles[0] = Some(other);
        }));
    }
    assert_circuit(&refused(&HONEST, |bundle| bundle.quantiles.swap(0, 1)));
    for quantiles in [vec![], vec![Some(1); 2], vec![None; 5]] {
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
    // The median of few patients, whatever it is.
    for few in [0, 300, 600] {
        no_proof(
            MEDIANS,
            &planned(MEDIANS, &[Some(a), Some(b), Some(few), None]).unwrap(),
        );
    }
    no_proof(
        MEDIANS,
        &planned(MEDIANS, &[None, Some(b), None, None]).unwrap(),
    );
    no_proof(MEDIANS, &planned(MEDIANS, &[None; 4]).unwrap());
}

#[test]
fn a_percentile_goes_with_a_hidden_count() {
    let asked = ask(&HOSPITAL, WITH_COUNTS);
    let [a, b] = medians();
    assert_eq!(asked.bundle.quantiles, [Some(a), Some(b), None, None]);
    assert_eq!(asked.answer.rows[2][1..], vec![Cell::Suppressed(11); 2]);
    let plan = planned(WITH_COUNTS, &[Some(a), Some(b), Some(300), None]).unwrap();
    let question = HOSPITAL.question(WITH_COUNTS);
    match prove_plan(&HOSPITAL.dataset, &question, &plan, keys(), &Silent).unwrap_err() {
        ProverError::Verify(VerifyError::Percentile { index: 2, why, .. }) => {
            assert!(why.contains("a count that contains it is not"), "{why}");
        }
        other => panic!("{other}"),
    }
    match refused(&asked, |b| b.quantiles[2] = Some(300)) {
        VerifyError::Percentile {
            index: 2,
            name,
            why,
        } => {
            assert!(name.ends_with("(arm = c)"), "{name}");
            assert!(why.contains("a count that contains it is not"), "{why}");
        }
        other => panic!("{other}"),
    }
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
    let table = two_way();
    let setup = Setup {
        release: ReleaseProfile::default(),
        ..Setup::new(&table, REGISTRY)
    };
    let hospital = setup.commit();
    let asked = ask(&hospital, "SELECT b, arm, count(*) FROM t GROUP BY b, arm");
    let published = &asked.bundle.cells;
    let margins: Vec<usize> = (0..published.len())
        .filter(|g| matches!(published[*g][0], State::Margin(_)))
        .collect();
    assert!(margins.len() > 1, "{published:?}");

    // Of two hidden cells the smaller was hidden first: a statement about both.
    let dataset = &hospital.dataset;
    let plan = plan(dataset, &asked.question).unwrap();
    let cells = rules::cells(&plan, &hospital.manifest().release, published).unwrap();
    let hidden = cells.hidden();
    // larger − smaller ≥ gap.
    let orders = cells.inequalities.iter().filter_map(|order| {
        let [(larger, 1), (smaller, -1)] = order.terms[..] else {
            return None;
        };
        Some((hidden[larger], hidden[smaller], i128::from(order.bound)))
    });
    let orders: Vec<(usize, usize, i128)> = orders.collect();
    assert!(!orders.is_empty(), "{:?}", cells.inequalities);

    let secrets = Secrets::of(&hospital);
    let forger = Forger::new(&secrets, dataset.dataset());
    let forge = |reversed: Option<(usize, usize, i128)>| {
        forger.answer(&asked.question, &plan, published, |execution, _| {
            if let Some((larger, smaller, gap)) = reversed {
                execution.cells[smaller] = execution.cells[larger] - gap + 1;
            }
        })
    };
    let honest = forge(None).unwrap();
    assert_eq!(
        hospital.verify(&asked.question, &honest).unwrap(),
        asked.answer
    );
    for order in orders {
        match forge(Some(order)).unwrap_err() {
            CircuitError::Unsatisfied(what) => assert_eq!(what, "an inequality over hidden cells"),
            other => panic!("{other}"),
        }
    }

    // In the place of a cell that was hidden for its line another one of the line, its number published instead.
    let mut tried = 0;
    for pick in margins {
        for other in 0..published.len() {
            let State::Shown(n) = published[other][0] else {
                continue;
            };
            let mut bundle = asked.bundle.clone();
            bundle.cells[other][0] = published[pick][0];
            bundle.cells[pick][0] = State::Shown(n);
            match hospital.verify(&asked.question, &bundle).unwrap_err() {
                VerifyError::CellRule { .. } => {}
                e => {
                    assert_circuit(&e);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 0, "some exchange keeps to the rule");
}
