//! Registrations: lookups without blocks. Ranges, NULL, and consent that is a bit, and 0 where nobody stands.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use ark_ff::Field;
use common::{
    Statement, World, base, cohort,
    reference::{Reference, Strategy},
    table,
};
use galen_circuits::{
    CircuitError, Fr,
    batch::{BatchError, Check},
    equation::{Cells, Column, Committed, Equation, Linear, Lookup, Rows, Table},
    execute::Execution,
};

fn equation(rows: Rows, lookups: Vec<([Linear; 2], Table, Linear)>) -> Equation {
    let mut it = Equation {
        rows,
        tables: Vec::new(),
        lookups: Vec::new(),
        derived: Vec::new(),
        groupings: Vec::new(),
        blocks: Vec::new(),
    };
    for ([first, second], table, key) in lookups {
        it.tables.push(table);
        it.lookups.push(Lookup {
            tuple: [first, second, Linear::zero()],
            table: it.tables.len() - 1,
            key,
        });
    }
    it
}

fn absent() -> Linear {
    Linear::column(Column::Present).complement()
}

/// (c, 1 − present) ∈ {(0, 0), (1, 0), (0, 1)}.
fn consent() -> ([Linear; 2], Table, Linear) {
    let c = base(cohort::CONSENT);
    let key = c.clone().plus(2, &absent());
    ([c, absent()], table(&[(2, 0, 0, 0), (1, 0, 1, 0)]), key)
}

/// (c + 2(1 − present)) ∈ {0, 1, 2}: not enough.
fn consent_as_a_sum() -> ([Linear; 2], Table, Linear) {
    let sum = base(cohort::CONSENT).plus(2, &absent());
    ([sum.clone(), Linear::zero()], Table::range(3), sum)
}

#[test]
fn a_registration_is_proven() {
    let world = cohort::world(1);
    let [x, y, known] = [cohort::X, cohort::Y, cohort::Y_KNOWN].map(base);
    let nullable = table(&[(1, 0, 0, 0), (8, 0, 1, 0)]);
    let key = y.clone().plus(1, &known);
    let equation = equation(
        world.rows,
        vec![
            consent(),
            ([x.clone(), Linear::zero()], Table::range(16), x),
            ([y, known], nullable, key),
        ],
    );
    let statement = Statement::new(&world, equation);
    assert_eq!(statement.cells, Cells::default());
    let class = statement.layout().class;
    assert_eq!(class.to_string(), "registration-10");
    statement.verify(&statement.prove().unwrap()).unwrap();
}

/// A patient who would be counted twice: the sum of consent and absence alone lets it pass, so the pair is proven.
#[test]
fn a_consent_of_2_needs_both_components_to_be_refused() {
    let honest = cohort::world(1);
    let mut values = honest.values.clone();
    values[cohort::CONSENT][7] = 2;
    let world = World::of(honest.rows, values);
    let weak = Statement::new(&world, equation(world.rows, vec![consent_as_a_sum()]));
    weak.verify(&weak.prove().unwrap()).unwrap();

    let bases = (0..5).map(|i| (i, world.values[i].as_slice())).collect();
    let strong = equation(world.rows, vec![consent()]);
    let execution = Execution::new(&strong, &bases).unwrap();
    let statement = Statement {
        world: &world,
        equation: strong,
        cells: Cells::default(),
        context: Vec::new(),
    };
    // 2 has the key of (0, 1), which is another tuple.
    let result = statement.prove_with(&execution);
    assert!(matches!(result, Err(CircuitError::Unsatisfied(_))));
    let forged = Reference::new(&statement, &execution).prove(Strategy::ForgeEvaluations);
    opening_is_refused(&statement, &forged.unwrap().proof);
}

#[test]
fn a_consent_where_nobody_stands() {
    let world = cohort::world(1);
    let statement = Statement::new(&world, equation(world.rows, vec![consent()]));
    for strategy in [Strategy::Honest, Strategy::ForgeEvaluations] {
        let mut reference = Reference::new(&statement, &statement.execution());
        let column = reference.columns.get_mut(&Committed::Base(cohort::CONSENT));
        column.unwrap()[world.rows.present] = Fr::ONE;
        reference.recount();
        match reference.prove(strategy) {
            Err(CircuitError::Unsatisfied(why)) => assert!(why.starts_with("C8"), "{why}"),
            Ok(forged) => opening_is_refused(&statement, &forged.proof),
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn opening_is_refused(statement: &Statement<'_>, proof: &galen_circuits::proof::EquationProof) {
    match statement.verify(proof) {
        Err(BatchError::Refused { index: 0, check }) => assert_eq!(check, Check::Opening),
        other => panic!("{other:?}"),
    }
}
