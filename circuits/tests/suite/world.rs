//! Real keys over 8 rows, honest proofs of each gate, and a prover that skips every check of ours.

use std::sync::LazyLock;

use ark_ec::CurveGroup;
use ark_ff::{One, UniformRand, Zero};
use ark_groth16::Groth16;
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    CircuitError, E, Fr, G1,
    batch::{self, Check, Claim, VerifyError},
    column::Column,
    gates::{Assignment, Circuit, Gate, compare, release},
    hash::{ChallengeInput, context},
    keys::{PreparedKey, ProvingKey},
    msm::msm,
    prove::{self, Proof},
    qap::CommittedReduction,
    setup,
    srs::{Srs, Tau},
};

use crate::relation::values;

pub const N: usize = 8;
pub const RECODE: Gate = Gate::Recode { bits: 4 };
pub const SET_ID: [u8; 32] = [7; 32];
pub const S: &[(u64, u64)] = &[(2, 5), (9, 9)];

pub struct Keys {
    pub pk: ProvingKey,
    pub vk: PreparedKey,
}

impl Keys {
    pub fn generate(gate: Gate, srs: &Srs, tau: Option<&Tau>) -> Self {
        let (pk, vk) = setup::generate(gate, srs, tau, &mut OsRng).unwrap();
        Self {
            pk,
            vk: PreparedKey::new(gate, srs.rows(), vk).unwrap(),
        }
    }
}

pub struct World {
    pub srs: Srs,
    pub select: Keys,
    pub multiply: Keys,
    pub recode: Keys,
    pub release: Keys,
    pub compare: Keys,
}

pub static WORLD: LazyLock<World> = LazyLock::new(|| {
    let tau = Tau::draw(N, &mut OsRng);
    let srs = Srs::generate(N, &tau);
    let keys = |gate| Keys::generate(gate, &srs, Some(&tau));
    World {
        select: keys(Gate::Select),
        multiply: keys(Gate::Multiply),
        recode: keys(RECODE),
        release: keys(Gate::Release),
        compare: keys(Gate::Compare),
        srs,
    }
});

pub fn ctx() -> Fr {
    context(&SET_ID, &[1; 32], &[2; 32])
}

pub fn commit(values: &[u64]) -> Column {
    commit_fr(values.iter().map(|v| Fr::from(*v)).collect())
}

pub fn commit_fr(values: Vec<Fr>) -> Column {
    Column::commit(&WORLD.srs, values).unwrap()
}

/// A claim with the columns that it is about.
pub struct Case {
    pub keys: &'static Keys,
    pub columns: Vec<Column>,
    pub claim: Claim<'static>,
}

fn case(keys: &'static Keys, publics: Vec<Fr>, columns: Vec<Column>, proof: Proof) -> Case {
    let set: &'static [(u64, u64)] = if keys.vk.gate == RECODE { S } else { &[] };
    let claim = Claim {
        key: &keys.vk,
        publics,
        set,
        columns: columns.iter().map(Column::commitment).collect(),
        proof,
    };
    Case {
        keys,
        columns,
        claim,
    }
}

pub fn select_case() -> Case {
    let keys = &WORLD.select;
    let x = commit(&[2, 1, 2, 0, 3, 2, 0, 0]);
    let y = commit(&[10, 11, 12, 13, 14, 15, 16, 17]);
    let z = commit(&[10, 0, 12, 0, 0, 15, 0, 0]);
    let proof = prove::select(&keys.pk, ctx(), 2, [&x, &y, &z]).unwrap();
    case(keys, vec![ctx(), Fr::from(2u64)], vec![x, y, z], proof)
}

pub fn multiply_case() -> Case {
    let keys = &WORLD.multiply;
    let x = commit(&[2, 1, 2, 0, 3, 2, 0, 1]);
    let y = commit(&[10, 11, 12, 13, 14, 15, 16, 17]);
    let z = commit(&[20, 11, 24, 0, 42, 30, 0, 17]);
    let proof = prove::multiply(&keys.pk, ctx(), [&x, &y, &z]).unwrap();
    case(keys, vec![ctx()], vec![x, y, z], proof)
}

pub fn challenge_input(x: G1, z: G1) -> ChallengeInput<'static> {
    ChallengeInput {
        parameter_set: &SET_ID,
        gate: "recode4",
        ctx: ctx(),
        chunk: 3,
        set: S,
        x,
        z,
    }
}

/// x of 16 codes and whether each lies in [`S`].
pub fn recode_columns() -> (Column, Column) {
    let codes = [0u64, 2, 3, 5, 6, 9, 15, 9];
    let z = codes.map(|c| u64::from((2..=5).contains(&c) || c == 9));
    (commit(&codes), commit(&z))
}

pub fn recode_case() -> Case {
    let keys = &WORLD.recode;
    let (x, z) = recode_columns();
    let input = challenge_input(x.commitment(), z.commitment());
    let proof = prove::recode(&keys.pk, &input, [&x, &z]).unwrap();
    let publics = vec![ctx(), input.challenge(&proof.d)];
    case(keys, publics, vec![x, z], proof)
}

pub fn release_statement() -> release::Statement {
    let mut limbs = [0; release::LIMBS];
    limbs[..2].copy_from_slice(&[40, 900]);
    limbs[6..8].copy_from_slice(&[5, 70]);
    let mut bounds = limbs.map(|a| (a, a));
    bounds[6] = (1, 10);
    bounds[7] = (0, release::MAX_LIMB);
    release::Statement { bounds }
}

/// Payloads whose totals are (40, 900) and (5, 70), and two columns of zeros.
pub fn release_columns() -> [Column; release::TOTALS] {
    let packed = |count: [u64; N], sum: [u64; N]| {
        let limb = Fr::from(1u64 << release::LIMB_BITS);
        let row = |i: usize| Fr::from(count[i]) + Fr::from(sum[i]) * limb;
        commit_fr((0..N).map(row).collect())
    };
    [
        packed([5; N], [112, 112, 112, 112, 113, 113, 113, 113]),
        packed([1, 1, 1, 1, 1, 0, 0, 0], [14, 14, 14, 14, 14, 0, 0, 0]),
        commit(&[0; N]),
        commit(&[0; N]),
    ]
}

pub fn release_case() -> Case {
    let keys = &WORLD.release;
    let columns = release_columns();
    let statement = release_statement();
    let proof = prove::release(&keys.pk, ctx(), &statement, columns.each_ref()).unwrap();
    let publics = [vec![ctx()], statement.publics()].concat();
    case(keys, publics, columns.into(), proof)
}

/// 2·5 ≤ 40 + 1 and 900 − 70 ≥ 830, over the columns of a release.
pub fn compare_statement() -> compare::Statement {
    let mut statement = compare::Statement::default();
    let [first, second] = &mut statement.comparisons;
    (first.constant, first.weights[0], first.weights[6]) = (1, 1, -2);
    (second.constant, second.weights[1], second.weights[7]) = (-830, 1, -1);
    statement
}

pub fn compare_case() -> Case {
    let keys = &WORLD.compare;
    let columns = release_columns();
    let statement = compare_statement();
    let proof = prove::compare(&keys.pk, ctx(), &statement, columns.each_ref()).unwrap();
    let publics = [vec![ctx()], statement.publics()].concat();
    case(keys, publics, columns.into(), proof)
}

pub fn all_cases() -> [Case; 5] {
    [
        select_case(),
        multiply_case(),
        recode_case(),
        release_case(),
        compare_case(),
    ]
}

/// The verdict on well-formed claims: the first bad one and its check.
pub fn verdict(claims: &[Claim<'_>]) -> Result<(), (usize, Check)> {
    match batch::verify(&SET_ID, claims) {
        Ok(()) => Ok(()),
        Err(VerifyError::Refused(e)) => {
            assert_eq!(e.gate, claims[e.index].key.gate);
            Err((e.index, e.check))
        }
        Err(e) => panic!("{e}"),
    }
}

pub fn verdict_of(claim: &Claim<'_>) -> Result<(), Check> {
    verdict(std::slice::from_ref(claim)).map_err(|(_, check)| check)
}

/// D for an assignment, as any prover with the key can make it.
pub fn commit_slots(pk: &ProvingKey, instance: &[Fr]) -> G1 {
    let committed = pk.gate.layout(pk.n).committed();
    msm(pk.committed_bases(), &instance[committed]).into_affine()
}

/// A prover that asks nothing: Groth16 over an assignment's values, and π for its D and the columns.
pub fn forge(pk: &ProvingKey, assignment: Assignment<'_>, columns: &[&Column]) -> Proof {
    let circuit = Circuit {
        gate: pk.gate,
        n: pk.n,
        assignment: Some(assignment),
    };
    let values = values(circuit);
    let m = &pk.matrices;
    let groth16 = Groth16::<E, CommittedReduction>::create_proof_with_reduction_and_matrices(
        &pk.groth16,
        Fr::rand(&mut OsRng),
        Fr::rand(&mut OsRng),
        &m.abc,
        m.instance,
        m.constraints,
        &values,
    )
    .unwrap();
    Proof {
        a: groth16.a,
        b: groth16.b,
        c: groth16.c,
        d: commit_slots(pk, &values),
        link: link(pk, &values, columns),
    }
}

/// π from ρ and the free slot of an instance and the columns themselves.
pub fn link(pk: &ProvingKey, instance: &[Fr], columns: &[&Column]) -> G1 {
    let layout = pk.gate.layout(pk.n);
    let free = layout.committed().end - pk.link.free.len()..layout.committed().end;
    let mut sum = msm(&pk.link.free, &instance[free]) + pk.link.rho * instance[layout.rho()];
    for (s, column) in columns.iter().enumerate() {
        sum += msm(&pk.link.rows[s], column.values());
        sum += pk.link.blinding[s] * column.blinding();
    }
    sum.into_affine()
}

/// What a lookup needs beside its columns.
pub struct Lookup {
    pub challenge: Fr,
    pub rho: Fr,
    pub multiplicities: Vec<Fr>,
    pub set: Vec<Fr>,
    pub iota: Vec<Fr>,
    pub g: Vec<Fr>,
}

impl Lookup {
    pub fn assignment<'a>(&'a self, x: &'a Column, z: &'a Column) -> Assignment<'a> {
        Assignment::Recode(galen_circuits::gates::recode::Assignment {
            ctx: ctx(),
            challenge: self.challenge,
            rho: self.rho,
            x: x.values(),
            z: z.values(),
            multiplicities: &self.multiplicities,
            set: &self.set,
            iota: &self.iota,
            g: &self.g,
        })
    }
}

/// S as the verifier's 0/1 slot.
pub fn indicator() -> Vec<Fr> {
    let member = |t: u64| S.iter().any(|(a, b)| (*a..=*b).contains(&t));
    (0..16)
        .map(|t| if member(t) { Fr::one() } else { Fr::zero() })
        .collect()
}

pub fn is_unsatisfied<T>(result: Result<T, CircuitError>, says: &str) -> bool {
    matches!(result, Err(CircuitError::Unsatisfied { detail, .. }) if detail.contains(says))
}
