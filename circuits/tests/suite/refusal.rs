//! The provers' wrappers refuse a false statement in release builds too, where arkworks would prove it.

use ark_ff::{One, UniformRand};
use ark_groth16::{Groth16, r1cs_to_qap::R1CSToQAP};
use ark_poly::GeneralEvaluationDomain;
use ark_relations::gr1cs::SynthesisError;
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    CircuitError, E, Fr,
    column::Column,
    gates::{Assignment, Circuit, Gate, release, select},
    prove,
    qap::CommittedReduction,
};

use crate::{relation::values, world::*};

fn moved(column: &Column, row: usize) -> Column {
    let mut values = column.values().to_vec();
    values[row] += Fr::one();
    commit_fr(values)
}

#[test]
fn each_wrapper_refuses_a_false_statement() {
    let c = select_case().columns;
    let z = moved(&c[2], 1);
    let pk = &WORLD.select.pk;
    assert!(is_unsatisfied(
        prove::select(pk, ctx(), 2, [&c[0], &c[1], &z]),
        "C2 at row 1"
    ));
    let z = moved(&c[2], 0);
    assert!(is_unsatisfied(
        prove::select(pk, ctx(), 2, [&c[0], &c[1], &z]),
        "C1 at row 0"
    ));
    let c = multiply_case().columns;
    let z = moved(&c[2], 5);
    assert!(is_unsatisfied(
        prove::multiply(&WORLD.multiply.pk, ctx(), [&c[0], &c[1], &z]),
        "C1 at row 5"
    ));
    let (x, z) = recode_columns();
    let pk = &WORLD.recode.pk;
    let input = challenge_input(x.commitment(), z.commitment());
    let wrong = moved(&z, 0);
    assert!(is_unsatisfied(
        prove::recode(pk, &input, [&x, &wrong]),
        "C1 at row 0"
    ));
    let outside = commit(&[0, 2, 3, 5, 6, 9, 16, 9]);
    assert!(is_unsatisfied(
        prove::recode(pk, &input, [&outside, &z]),
        "row 6 is outside the table"
    ));
}

#[test]
fn release_refuses_each_false_cell() {
    let columns = release_columns();
    let refused = |change: fn(&mut release::Statement), says: &str| {
        let mut statement = release_statement();
        change(&mut statement);
        let result = prove::release(&WORLD.release.pk, ctx(), &statement, columns.each_ref());
        assert!(is_unsatisfied(result, says), "{says}");
    };
    refused(|s| s.bounds[0] = (41, 41), "C3 at row 0");
    refused(|s| s.bounds[6] = (6, 10), "C3 at row 6");
    refused(|s| s.bounds[6] = (1, 4), "C3 at row 6");
    refused(|s| s.bounds[6] = (10, 1), "bounds at row 0");
    refused(|s| s.bounds[7].1 = release::MAX_LIMB + 1, "bounds at row 0");
}

#[test]
fn keys_rows_and_sets_that_do_not_fit_are_refused() {
    let c = multiply_case().columns;
    let columns = [&c[0], &c[1], &c[2]];
    assert!(matches!(
        prove::select(&WORLD.multiply.pk, ctx(), 2, columns),
        Err(CircuitError::WrongKey {
            expected: Gate::Select,
            got: Gate::Multiply,
            ..
        })
    ));
    assert!(prove::multiply(&WORLD.select.pk, ctx(), columns).is_err());
    let short = Column::from_parts(vec![Fr::one(); N - 1], Fr::one(), c[0].commitment());
    assert!(matches!(
        prove::multiply(&WORLD.multiply.pk, ctx(), [&c[0], &short, &c[2]]),
        Err(CircuitError::Length { .. })
    ));
    let (x, z) = recode_columns();
    for set in [&[(3u64, 2u64)][..], &[(3, 16)]] {
        let input = galen_circuits::hash::ChallengeInput {
            set,
            ..challenge_input(x.commitment(), z.commitment())
        };
        assert!(prove::recode(&WORLD.recode.pk, &input, [&x, &z]).is_err());
    }
}

#[test]
fn the_reduction_itself_refuses_and_so_does_arkworks_prover_over_it() {
    let c = select_case().columns;
    let pk = &WORLD.select.pk;
    let m = &pk.matrices;
    let assignment = Assignment::Select(select::Assignment {
        ctx: ctx(),
        k: Fr::from(2u64),
        rho: Fr::from(9u64),
        x: c[0].values(),
        y: c[1].values(),
        z: c[2].values(),
    });
    let mut v = values(Circuit {
        gate: Gate::Select,
        n: N,
        assignment: Some(assignment),
    });
    let reduce = |v: &[Fr]| {
        CommittedReduction::witness_map_from_matrices::<Fr, GeneralEvaluationDomain<Fr>>(
            &m.abc,
            m.instance,
            m.constraints,
            v,
        )
    };
    assert!(reduce(&v).is_ok());
    v[pk.gate.layout(N).range(2).start] += Fr::one();
    assert!(matches!(reduce(&v), Err(SynthesisError::Unsatisfiable)));
    let proof = Groth16::<E, CommittedReduction>::create_proof_with_reduction_and_matrices(
        &pk.groth16,
        Fr::rand(&mut OsRng),
        Fr::rand(&mut OsRng),
        &m.abc,
        m.instance,
        m.constraints,
        &v,
    );
    assert!(matches!(proof, Err(SynthesisError::Unsatisfiable)));
}
