//! Provers who say what is not so. The library's own prover refuses to make a proof; the second prover
//! (`common/reference`) commits to false columns, and either the circuit is not satisfied, or it claims evaluations
//! that satisfy the circuit, and the verifier refuses the opening.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use ark_ff::Field;
use common::{
    Statement, World,
    cohort::{self, CONSENT, GROUP, IN_X, IN_Y, ROOT, X, Y, Y_KNOWN},
    reference::{Reference, Strategy},
};
use galen_circuits::{
    CircuitError, Fr,
    batch::{BatchError, Check},
    equation::{Committed, Rows},
    execute::Execution,
};

/// Asserts that the library's prover makes no proof of a changed execution.
fn no_proof(statement: &Statement<'_>, change: impl FnOnce(&mut Execution)) {
    let mut execution = statement.execution();
    change(&mut execution);
    let result = statement.prove_with(&execution);
    assert!(
        matches!(result, Err(CircuitError::Unsatisfied(_))),
        "{result:?}"
    );
}

/// Asserts that columns that the second prover commits to are refused: by the circuit at `label`, and by the verifier
/// where the circuit was given other evaluations.
fn refused(statement: &Statement<'_>, change: impl Fn(&mut Reference<'_>), label: &str) {
    let execution = statement.execution();
    let make = || {
        let mut reference = Reference::new(statement, &execution);
        change(&mut reference);
        reference
    };
    match make().prove(Strategy::Honest) {
        Err(CircuitError::Unsatisfied(why)) => assert!(why.starts_with(label), "{why}"),
        other => panic!("{:?}", other.map(|p| p.proof)),
    }
    let forged = make().prove(Strategy::ForgeEvaluations).unwrap().proof;
    match statement.verify(&forged) {
        Err(BatchError::Refused { index: 0, check }) => assert_eq!(check, Check::Opening),
        other => panic!("{other:?}"),
    }
}

/// The first row for which something holds of the base columns.
fn row(world: &World, holds: impl Fn(&dyn Fn(usize) -> u16) -> bool) -> usize {
    let rows = 0..world.rows.present;
    let mut rows = rows.filter(|row| holds(&|column| world.values[column][*row]));
    rows.next().expect("the dataset has such a row")
}

fn in_cohort(at: &dyn Fn(usize) -> u16) -> bool {
    at(CONSENT) == 1 && (3..12).contains(&at(X)) && at(Y_KNOWN) == 1
}

fn set(reference: &mut Reference<'_>, column: Committed, row: usize, value: u64) {
    reference.columns.get_mut(&column).unwrap()[row] = Fr::from(value);
}

#[test]
fn a_flipped_bit_of_a_lookups_output() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let outside = row(&world, |at| at(X) < 3);
    no_proof(&statement, |e| e.derived[IN_X][outside] = 1);
    // With everything else as if the bit were right: the root and the multiplicities.
    let cheat = |r: &mut Reference<'_>| {
        set(r, Committed::Derived(IN_X), outside, 1);
        r.recount();
    };
    refused(&statement, cheat, "C8");
}

#[test]
fn a_flipped_bit_of_the_root() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let counted = row(&world, in_cohort);
    no_proof(&statement, |e| e.derived[ROOT][counted] = 0);
    let cheat = |r: &mut Reference<'_>| set(r, Committed::Derived(ROOT), counted, 0);
    refused(&statement, cheat, "C7");
}

/// A patient left out of root, cells and all: only s = Πφ says otherwise.
#[test]
fn a_patient_left_out_with_the_cells_to_match() {
    let world = cohort::world(1);
    let counted = row(&world, in_cohort);
    let mut statement = cohort::statement(&world);
    let group = usize::from(world.values[GROUP][counted]) * cohort::MEASURES;
    let square = i128::from(world.values[X][counted]).pow(2);
    for (measure, value) in [1, i128::from(world.values[Y][counted]), square]
        .into_iter()
        .enumerate()
    {
        *statement.cells.published[group + measure].as_mut().unwrap() -= value;
    }
    let cheat = |r: &mut Reference<'_>| set(r, Committed::Derived(ROOT), counted, 0);
    refused(&statement, cheat, "C7");
}

#[test]
fn a_wrong_multiplicity() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let at = world.values[X][0];
    no_proof(&statement, |e| e.keys[0][0] = u32::from(at ^ 1));
    let cheat = |r: &mut Reference<'_>| {
        let m = r.columns.get_mut(&Committed::Multiplicity(0)).unwrap();
        m[usize::from(at)] += Fr::ONE;
    };
    refused(&statement, cheat, "C8");
}

/// Beyond its end a table repeats its last entry: what is counted there counts for that one.
#[test]
fn a_multiplicity_beyond_the_table() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let cheat = |r: &mut Reference<'_>| set(r, Committed::Multiplicity(0), 200, 1);
    refused(&statement, cheat, "C8");
}

#[test]
fn a_padding_row_counted() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let padding = world.rows.present;
    no_proof(&statement, |e| e.derived[ROOT].push(1));
    // Everything is said of the padding row but that it consents: that column is the dataset's.
    let cheat = |r: &mut Reference<'_>| {
        set(r, Committed::Derived(ROOT), padding, 1);
    };
    refused(&statement, cheat, "C7");
}

#[test]
fn a_row_without_consent_counted() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let refusing = row(&world, |at| {
        at(CONSENT) == 0 && (3..12).contains(&at(X)) && at(Y_KNOWN) == 1
    });
    no_proof(&statement, |e| e.derived[ROOT][refusing] = 1);
    let cheat = |r: &mut Reference<'_>| set(r, Committed::Derived(ROOT), refusing, 1);
    refused(&statement, cheat, "C7");
}

/// A NULL is (0, 0), the value 0 is (0, 1): who takes one for the other needs (0, 0, 1), which no table has.
#[test]
fn null_taken_for_0() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let unknown = row(&world, |at| {
        at(CONSENT) == 1 && (3..12).contains(&at(X)) && at(Y_KNOWN) == 0
    });
    no_proof(&statement, |e| {
        e.keys[1][unknown] = 1;
        e.derived[IN_Y][unknown] = 1;
        e.derived[ROOT][unknown] = 1;
    });
    let cheat = |r: &mut Reference<'_>| {
        set(r, Committed::Derived(IN_Y), unknown, 1);
        set(r, Committed::Derived(ROOT), unknown, 1);
        r.recount();
    };
    refused(&statement, cheat, "C8");
}

#[test]
fn a_false_published_cell() {
    let world = cohort::world(1);
    let mut statement = cohort::statement(&world);
    *statement.cells.published[0].as_mut().unwrap() += 1;
    let result = statement.prove();
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    refused(&statement, |_| {}, "C8");
}

/// T_0 one more than it is, with the limbs of both of its inequalities to match: they hold, the sum does not.
#[test]
fn a_false_hidden_cell_with_inequalities_to_match() {
    let world = cohort::world(1);
    let statement = cohort::hidden(&world);
    no_proof(&statement, |e| e.cells[0] += 1);
    let cheat = |r: &mut Reference<'_>| {
        r.columns.get_mut(&Committed::Cells).unwrap()[0] += Fr::ONE;
        let limbs = r.columns.get_mut(&Committed::Limbs).unwrap();
        limbs[0] += Fr::ONE;
        limbs[statement.limb(1)] -= Fr::ONE;
        r.recount();
    };
    refused(&statement, cheat, "C8");
}

/// One hidden cell too large and another too small: each stands at a pole of its own.
#[test]
fn false_hidden_cells_that_cancel() {
    let world = cohort::world(1);
    let statement = cohort::hidden(&world);
    no_proof(&statement, |e| {
        e.cells[0] += 1;
        e.cells[4] -= 1;
    });
    let cheat = |r: &mut Reference<'_>| {
        let cells = r.columns.get_mut(&Committed::Cells).unwrap();
        cells[0] += Fr::ONE;
        cells[1] -= Fr::ONE;
        let limbs = r.columns.get_mut(&Committed::Limbs).unwrap();
        for (inequality, by) in [(0, 1), (1, -1), (2, -1), (3, 1)] {
            limbs[statement.limb(inequality)] += Fr::from(by);
        }
        r.recount();
    };
    refused(&statement, cheat, "C8");
}

/// True cells beyond their bounds. −1 has no limbs; p − 1 has, and they are not below 2^8.
#[test]
fn an_inequality_that_does_not_hold() {
    let world = cohort::world(1);
    let mut statement = cohort::hidden(&world);
    let true_value = statement.execution().cells[0];
    statement.cells.inequalities[0].bound = i64::try_from(true_value).unwrap() + 1;
    let result = statement.prove();
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    let cheat = |r: &mut Reference<'_>| {
        let limbs = r.columns.get_mut(&Committed::Limbs).unwrap();
        limbs[..statement.limb(1)].fill(Fr::from(0u64));
        limbs[0] = -Fr::ONE;
        r.recount();
    };
    refused(&statement, cheat, "C8");
    // Limbs that are in range say another value.
    let cheat = |r: &mut Reference<'_>| {
        let limbs = r.columns.get_mut(&Committed::Limbs).unwrap();
        limbs[..statement.limb(1)].fill(Fr::from(0u64));
        r.recount();
    };
    refused(&statement, cheat, "C8");
}

/// A value of 256 where one limb is derived: none is below 2^8 and says it.
#[test]
fn a_value_beyond_its_limbs() {
    let world = cohort::world(1);
    let mut statement = cohort::hidden(&world);
    let value = i64::try_from(statement.execution().cells[0]).unwrap();
    statement.cells.inequalities[0].bound = value - 256;
    statement.verify(&statement.prove().unwrap()).unwrap();
    statement.cells.inequalities[0].limbs = 1;
    let result = statement.prove();
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    for limb in [256u64, 255, 0] {
        let cheat = |r: &mut Reference<'_>| {
            set(r, Committed::Limbs, 0, limb);
            r.recount();
        };
        refused(&statement, cheat, "C8");
    }
}

/// What holds of limbs in the dataset's rows holds beyond them.
#[test]
fn limbs_beyond_the_datasets_chunks() {
    let rows = Rows {
        present: 200,
        ..common::ROWS
    };
    let world = cohort::world_of(rows, 1);
    let statement = cohort::hidden(&world).repeating(800);
    let last = statement.cells.inequalities.len() - 1;
    let row = statement.limb(last);
    assert!(row > rows.committed());
    // A limb that is not in range, one that says another value, and one that nobody counts.
    for (value, recounted) in [(300, true), (9, true), (9, false)] {
        let cheat = |r: &mut Reference<'_>| {
            set(r, Committed::Limbs, row, value);
            if recounted {
                r.recount();
            }
        };
        refused(&statement, cheat, "C8");
    }
    let slot = statement.equation.lookups.len();
    let cheat = |r: &mut Reference<'_>| {
        r.second = Box::new(move |columns| {
            let e = columns.get_mut(&Committed::Reciprocal(slot)).unwrap();
            e[row] = e[row + 1];
        });
    };
    refused(&statement, cheat, "C7");
}

/// T_0 one less than it is, so that the inequality does not hold but the error of one sum is that of the other: ζ is
/// drawn after both.
#[test]
fn errors_of_the_sum_and_of_an_inequality_that_would_cancel() {
    let world = cohort::world(1);
    let statement = cohort::hidden(&world);
    let cheat = |r: &mut Reference<'_>| {
        r.columns.get_mut(&Committed::Cells).unwrap()[0] -= Fr::ONE;
    };
    refused(&statement, cheat, "C8");
}

#[test]
fn a_false_group() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let counted = row(&world, in_cohort);
    no_proof(&statement, |e| e.groups[0][counted] ^= 1);
    // e of another group in one row: e·q = 1 fails there, and the sum is that of the false groups.
    let mut moved = cohort::statement(&world);
    let group = usize::from(world.values[GROUP][counted]);
    for (group, by) in [(group, -1), (group ^ 1, 1)] {
        *moved.cells.published[group * cohort::MEASURES]
            .as_mut()
            .unwrap() += by;
    }
    let other = row(&world, |at| usize::from(at(GROUP)) == group ^ 1);
    let cheat = |r: &mut Reference<'_>| {
        r.second = Box::new(move |columns| {
            let e = columns.get_mut(&Committed::Reciprocal(2)).unwrap();
            e[counted] = e[other];
        });
    };
    refused(&moved, cheat, "C7");
}

/// A row whose group is not listed: nothing cancels its pole.
#[test]
fn a_group_that_is_not_listed() {
    let mut world = cohort::world(1);
    let counted = row(&world, in_cohort);
    let statement = cohort::statement(&world);
    let (equation, cells) = (statement.equation.clone(), statement.cells.clone());
    drop(statement);
    world.values[GROUP][counted] = 4;
    let world = World::of(world.rows, world.values);
    let bases = (0..5).map(|i| (i, world.values[i].as_slice())).collect();
    Execution::new(&equation, &bases).unwrap_err();
    // The execution of the table in which the row has a listed group, over the one in which it has not.
    let honest = cohort::world(1);
    let execution = cohort::statement(&honest).execution();
    let statement = Statement {
        world: &world,
        equation,
        cells,
        context: Vec::new(),
    };
    let result = statement.prove_with(&execution);
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    let reference = Reference::new(&statement, &execution);
    match reference.prove(Strategy::Honest) {
        Err(CircuitError::Unsatisfied(why)) => assert!(why.starts_with("C8"), "{why}"),
        other => panic!("{:?}", other.map(|p| p.proof)),
    }
}

#[test]
fn a_value_that_its_table_has_not() {
    let mut world = cohort::world(1);
    world.values[X][7] = 16;
    let world = World::of(world.rows, world.values);
    let equation = cohort::equation(world.rows);
    let bases = (0..5).map(|i| (i, world.values[i].as_slice())).collect();
    Execution::new(&equation, &bases).unwrap_err();
    let honest = cohort::world(1);
    let execution = cohort::statement(&honest).execution();
    let statement = Statement {
        world: &world,
        equation,
        cells: cohort::statement(&honest).cells,
        context: Vec::new(),
    };
    let result = statement.prove_with(&execution);
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    for strategy in [Strategy::Honest, Strategy::ForgeEvaluations] {
        match Reference::new(&statement, &execution).prove(strategy) {
            Err(CircuitError::Unsatisfied(why)) => assert!(why.starts_with("C8"), "{why}"),
            Ok(forged) => {
                let refused = statement.verify(&forged.proof);
                assert!(matches!(
                    refused,
                    Err(BatchError::Refused {
                        check: Check::Opening,
                        ..
                    })
                ));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// One reciprocal that makes a false sum right: then e·q = 1 fails in its row.
#[test]
fn a_reciprocal_that_makes_the_sum_right() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let cheat = |r: &mut Reference<'_>| {
        r.second = Box::new(|columns| {
            let e = columns.get_mut(&Committed::Reciprocal(0)).unwrap();
            e[5] += Fr::ONE;
            let entries = columns.get_mut(&Committed::Entries(0)).unwrap();
            entries[3] -= Fr::ONE;
        });
    };
    refused(&statement, cheat, "C7");
}

#[test]
fn a_base_column_other_than_the_committed_one() {
    let world = cohort::world(1);
    let statement = cohort::statement(&world);
    let counted = row(&world, in_cohort);
    // y one more, with the cell to match: only the opening knows the commitment.
    let mut other = cohort::statement(&world);
    let cell = usize::from(world.values[GROUP][counted]) * cohort::MEASURES + 1;
    *other.cells.published[cell].as_mut().unwrap() += 1;
    let known = world.values[Y][counted] < 7;
    assert!(known, "y has room");
    let mut reference = Reference::new(&other, &statement.execution());
    let column = reference.columns.get_mut(&Committed::Base(Y)).unwrap();
    column[counted] += Fr::ONE;
    reference.recount();
    let proof = reference.prove(Strategy::Honest).unwrap().proof;
    match other.verify(&proof) {
        Err(BatchError::Refused { index: 0, check }) => assert_eq!(check, Check::Opening),
        other => panic!("{other:?}"),
    }
}
