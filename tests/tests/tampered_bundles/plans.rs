//! Proofs of another plan than the query's: the prover is our own, its plan was tampered with. Commitments and
//! challenges are as many as they should be, so that nothing but the statement differs.

use galen_circuits::{
    CircuitError,
    equation::{Column, Equation, Linear, Measure, Run, Table},
};
use galen_verifier::{VerifyError, bundle::Bundle, plan::Plan, rules};

use super::{GROUPS, HOSPITAL, SECRETS, SUMS, assert_circuit, base, forge::Forger, planned};

/// Proves `sql` by its plan after `change`, and publishes what comes of it.
fn prove(sql: &str, change: impl FnOnce(&mut Plan)) -> Result<Bundle, CircuitError> {
    let honest = planned(sql, &[]).unwrap();
    let mut plan = honest.clone();
    change(&mut plan);
    assert_ne!(plan, honest, "nothing was changed");
    let execution = SECRETS.execute(&plan.equation)?;
    let release = &HOSPITAL.manifest().release;
    let (published, _) = rules::publish(&plan, release, &execution.cells).unwrap();
    let forger = Forger::new(&SECRETS, HOSPITAL.dataset.dataset());
    forger.answer(&HOSPITAL.question(sql), &plan, &published, |_, _| ())
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

/// What the tamperings take for granted.
#[test]
fn the_honest_plans() {
    for (sql, factors) in [(SUMS, 3), (GROUPS, 2)] {
        let equation = planned(sql, &[]).unwrap().equation;
        assert_eq!(equation.blocks.len(), 1);
        assert_eq!(equation.lookups.len(), 1);
        assert_eq!(equation.blocks[0].factors.len(), factors);
        assert_eq!(equation.blocks[0].factors[0], consent());
    }
    let sums = planned(SUMS, &[]).unwrap().equation;
    assert_eq!(sums.blocks[0].factors[1], base("b"));
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
    for (sql, factor) in [(SUMS, 1), (SUMS, 2), (GROUPS, 1)] {
        assert_equation(sql, |e| drop(e.blocks[0].factors.remove(factor)));
        assert_equation(sql, |e| {
            let bit = e.blocks[0].factors[factor].clone();
            e.blocks[0].factors[factor] = bit.complement();
        });
    }
    assert_equation(SUMS, |e| e.blocks[0].factors[1] = base("b.known"));
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

/// Where n is NULL, what was looked up is 0 like where it is at most 20.
#[test]
fn a_null_is_taken_for_a_value() {
    assert_equation("SELECT count(*) FROM t WHERE n <= 20", |e| {
        let more = Linear::column(Column::Derived(0));
        assert_eq!(e.blocks[0].factors[1], base("n.known").plus(-1, &more));
        e.blocks[0].factors[1] = more.complement();
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
    // By another column, of which two groups stay empty.
    assert_equation(GROUPS, |e| {
        e.groupings[0].tuple[0] = base("b");
        e.groupings[0].key = base("b");
    });
}

#[test]
fn a_group_is_left_out() {
    let shorter = |plan: &mut Plan| {
        runs(&mut plan.equation.groupings[0].groups, |runs| {
            runs[0].length -= 1;
        });
    };
    match prove(GROUPS, shorter).unwrap_err() {
        CircuitError::Malformed(why) => assert!(why.contains("no entry of its table"), "{why}"),
        other => panic!("{other}"),
    }
    // The rows of all arms in one group.
    assert_equation(GROUPS, |e| {
        e.groupings[0].tuple[0] = Linear::zero();
        e.groupings[0].key = Linear::zero();
    });
}

#[test]
fn a_number_stands_in_another_cell() {
    // The counts of two groups exchanged, then those of two outputs.
    assert_circuit(&doctored(GROUPS, |plan| {
        let (one, two) = plan.layout.groups.split_at_mut(1);
        std::mem::swap(&mut one[0].1, &mut two[0].1);
    }));
    let sql = "SELECT count(*), count(b) FROM t WHERE n > 20";
    assert_circuit(&doctored(sql, |plan| {
        let cells = &mut plan.layout.groups[0].1;
        let places: Vec<usize> = cells.values().rev().copied().collect();
        for (cell, place) in cells.values_mut().zip(places) {
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
