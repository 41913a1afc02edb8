//! Proofs of another plan than the query's: the prover is our own, its plan was tampered with. Commitments and
//! challenges are as many as they should be, so that nothing but the statement differs.

use galen_circuits::{
    CircuitError,
    equation::{Column, Equation, Linear, Measure, Run, Table},
};
use galen_params::Silent;
use galen_prover::{ProverError, execute::prove_plan};
use galen_tests::keys;
use galen_verifier::{VerifyError, bundle::Bundle, plan::Plan};

use super::{GROUPS, HOSPITAL, SUMS, assert_circuit, assert_length, base, planned};

/// Proves `sql` by its plan after `change`.
fn prove(sql: &str, change: impl FnOnce(&mut Plan)) -> Result<Bundle, ProverError> {
    let honest = planned(sql, &[]).unwrap();
    let mut plan = honest.clone();
    change(&mut plan);
    assert_ne!(plan, honest, "nothing was changed");
    let question = HOSPITAL.question(sql);
    let (bundle, _) = prove_plan(&HOSPITAL.dataset, &question, &plan, keys(), &Silent)?;
    Ok(bundle)
}

#[track_caller]
fn doctored(sql: &str, change: impl FnOnce(&mut Plan)) -> VerifyError {
    let bundle = prove(sql, change).unwrap();
    let question = HOSPITAL.question(sql);
    HOSPITAL.verify(&question, &bundle).unwrap_err()
}

#[track_caller]
fn assert_equation(sql: &str, change: impl FnOnce(&mut Equation)) {
    assert_circuit(&doctored(sql, |plan| change(&mut plan.equation)));
}

fn runs(table: &mut Table, change: impl FnOnce(&mut Vec<Run>)) {
    let mut runs = table.runs().to_vec();
    change(&mut runs);
    *table = Table::new(runs);
}

fn consent() -> Linear {
    base("consent:DUO:0000042")
}

#[test]
fn the_honest_plan_is_accepted() {
    for sql in [SUMS, GROUPS] {
        let plan = planned(sql, &[]).unwrap();
        let question = HOSPITAL.question(sql);
        let (bundle, _) = prove_plan(&HOSPITAL.dataset, &question, &plan, keys(), &Silent).unwrap();
        HOSPITAL.verify(&question, &bundle).unwrap();
        assert_eq!(plan.equation.blocks.len(), 1);
        assert_eq!(plan.equation.lookups.len(), 1);
        assert_eq!(plan.equation.blocks[0].factors.len(), 2);
        assert_eq!(plan.equation.blocks[0].factors[0], consent());
    }
}

#[test]
fn consent_is_left_out_of_the_root() {
    for sql in [SUMS, GROUPS] {
        assert_equation(sql, |e| drop(e.blocks[0].factors.remove(0)));
        // With something in its place that is 1 in every row that holds a patient.
        assert_equation(sql, |e| e.blocks[0].factors[0] = Linear::constant(1));
    }
}

#[test]
fn a_predicate_is_left_out_of_the_root() {
    for sql in [SUMS, GROUPS] {
        assert_equation(sql, |e| drop(e.blocks[0].factors.remove(1)));
    }
    assert_equation(SUMS, |e| {
        let bit = e.blocks[0].factors[1].clone();
        e.blocks[0].factors[1] = bit.complement();
    });
    assert_equation(SUMS, |e| e.blocks[0].factors[1] = base("b"));
}

#[test]
fn the_set_of_a_predicate_is_changed() {
    for sql in [SUMS, GROUPS] {
        // One value less meets it.
        assert_equation(sql, |e| {
            runs(&mut e.tables[0], |runs| {
                let at = runs.iter().position(|r| r.second == 1).unwrap();
                runs[at - 1].length += 1;
                runs[at].length -= 1;
                runs[at].first += 1;
            });
        });
    }
    // Everything but the entry of padding meets it.
    assert_equation(SUMS, |e| {
        let length = e.tables[0].len() - 1;
        let run = |length, first, second| Run {
            length,
            first,
            second,
            third: 0,
        };
        e.tables[0] = Table::new([run(1, 0, 0), run(length, 1, 1)]);
    });
}

/// Where b is NULL, what was looked up is 0 like where it is false.
#[test]
fn a_null_is_taken_for_a_value() {
    let sql = "SELECT count(*) FROM t WHERE NOT b";
    assert_equation(sql, |e| {
        let is_true = Linear::column(Column::Derived(0));
        assert_eq!(e.blocks[0].factors[1], base("b.known").plus(-1, &is_true));
        e.blocks[0].factors[1] = is_true.complement();
    });
}

#[test]
fn a_predicate_reads_another_column() {
    let sql = "SELECT count(*) FROM t WHERE n >= 500";
    let read = |e: &mut Equation, key: &Linear| {
        e.lookups[0].tuple[0] = key.clone();
        e.lookups[0].key = key.clone();
    };
    assert_equation(sql, |e| read(e, &base("n")));
    assert_equation(sql, |e| read(e, &base("arm")));
    assert_equation(sql, |e| read(e, &base("n.known").plus(500, &base("b"))));
}

#[test]
fn other_columns_are_summed() {
    let summed = |of: Measure, by: Measure| {
        assert_equation(SUMS, |e| {
            let measures = &mut e.blocks[0].measures;
            let at = measures.iter().position(|m| *m == of).unwrap();
            measures[at] = by;
        });
    };
    let n = || base("n");
    let square = Measure::Product(n(), n());
    summed(Measure::Linear(n()), Measure::Linear(base("arm")));
    summed(
        Measure::Linear(n()),
        Measure::Linear(n().plus(-1, &base("b"))),
    );
    summed(square.clone(), Measure::Product(n(), base("arm")));
    summed(square, Measure::Product(n(), Linear::constant(1)));
    summed(
        Measure::Linear(base("n.known")),
        Measure::Linear(base("b.known")),
    );
}

#[test]
fn groups_are_named_otherwise() {
    let arm = || base("arm");
    // From the last arm to the first.
    let backwards = Linear::constant(3).plus(-1, &arm());
    assert_equation(GROUPS, |e| {
        e.groupings[0].tuple[0] = backwards.clone();
        e.groupings[0].key = backwards.clone();
    });
    // Each by one more: the same groups under other names.
    let one_more = arm().plus(1, &Linear::constant(1));
    assert_equation(GROUPS, |e| {
        runs(&mut e.groupings[0].groups, |runs| runs[0].first = 1);
        e.groupings[0].tuple[0] = one_more.clone();
    });
    // By another column: two groups are empty, and no number is hidden any more.
    let e = doctored(GROUPS, |plan| {
        plan.equation.groupings[0].tuple[0] = base("b");
        plan.equation.groupings[0].key = base("b");
    });
    assert_length(&e);
}

#[test]
fn a_group_is_left_out() {
    let shorter = |plan: &mut Plan| {
        runs(&mut plan.equation.groupings[0].groups, |runs| {
            runs[0].length -= 1;
        });
    };
    match prove(GROUPS, shorter).unwrap_err() {
        ProverError::Circuit(CircuitError::Malformed(why)) => {
            assert!(why.contains("no entry of its table"), "{why}");
        }
        other => panic!("{other}"),
    }
    // The rows of all arms in one group: no number is small any more.
    let e = doctored(GROUPS, |plan| {
        let zero = Linear::zero();
        plan.equation.groupings[0].tuple[0] = zero.clone();
        plan.equation.groupings[0].key = zero;
    });
    assert_length(&e);
}

#[test]
fn a_number_stands_in_another_cell() {
    // The groups' counts exchanged, then a sum for the count.
    assert_circuit(&doctored(GROUPS, |plan| {
        let (one, two) = plan.layout.groups.split_at_mut(1);
        std::mem::swap(&mut one[0].1, &mut two[0].1);
    }));
    assert_circuit(&doctored(SUMS, |plan| {
        let cells = &mut plan.layout.groups[0].1;
        let places: Vec<usize> = cells.values().copied().collect();
        for (cell, place) in cells.values_mut().zip([places[1], places[0]]) {
            *cell = place;
        }
    }));
}

/// A doctored plan whose numbers are right says nothing false, and is still another statement.
#[test]
fn a_weaker_statement_of_the_same_numbers() {
    assert_equation(SUMS, |e| {
        let bit = e.blocks[0].factors[1].clone();
        e.blocks[0].factors.push(bit);
    });
    assert_equation(SUMS, |e| e.blocks[0].factors.push(Linear::constant(1)));
}
