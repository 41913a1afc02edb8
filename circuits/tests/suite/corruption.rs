//! For each constraint of `select`, `multiply` and `recode`, a corruption that violates it and nothing
//! else, refused by the native twin, by the circuit and by the reduction that proves.
//!
//! C0 (var·0 = 0) holds for every assignment: it exists for the QAP columns and is tested in `rank`.

use ark_ff::{One, Zero};
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::GeneralEvaluationDomain;
use ark_relations::gr1cs::SynthesisError;
use galen_circuits::{
    Fr,
    gates::{Assignment, Circuit, Gate, Matrices, multiply, recode, select},
    qap::CommittedReduction,
};

use crate::relation::{Place, failing, families, native, values};

/// A satisfied assignment to corrupt.
pub struct Subject {
    pub gate: Gate,
    pub n: usize,
    pub values: Vec<Fr>,
    matrices: Matrices,
    places: Vec<Place>,
}

impl Subject {
    pub fn new(gate: Gate, n: usize, assignment: Assignment<'_>) -> Self {
        let out = Self {
            gate,
            n,
            values: values(Circuit {
                gate,
                n,
                assignment: Some(assignment),
            }),
            matrices: Matrices::of(gate, n).unwrap(),
            places: families(gate, n),
        };
        assert_eq!(out.failing(&out.values), []);
        assert_eq!(native(gate, n, &out.values), None);
        assert!(out.reduce(&out.values).is_ok());
        out
    }

    pub fn failing(&self, v: &[Fr]) -> Vec<Place> {
        failing(&self.matrices, &self.places, v)
    }

    fn reduce(&self, v: &[Fr]) -> Result<Vec<Fr>, SynthesisError> {
        CommittedReduction::witness_map_from_matrices::<Fr, GeneralEvaluationDomain<Fr>>(
            &self.matrices.abc,
            self.matrices.instance,
            self.matrices.constraints,
            v,
        )
    }

    /// Where a slot's entry stands in the assignment.
    pub fn slot(&self, index: usize, entry: usize) -> usize {
        self.gate.layout(self.n).range(index).start + entry
    }

    /// Where a witness variable stands.
    pub fn witness(&self, index: usize) -> usize {
        self.matrices.instance + index
    }

    /// Corrupts a copy and expects exactly these places to fail, everywhere.
    pub fn refused(&self, expected: &[Place], corrupt: impl FnOnce(&mut Vec<Fr>)) {
        let mut v = self.values.clone();
        corrupt(&mut v);
        assert_eq!(self.failing(&v), expected, "the circuit");
        assert_eq!(
            native(self.gate, self.n, &v).as_ref(),
            expected.first(),
            "the twin"
        );
        assert!(matches!(
            self.reduce(&v),
            Err(SynthesisError::Unsatisfiable)
        ));
    }
}

fn fr(values: &[u64]) -> Vec<Fr> {
    values.iter().map(|v| Fr::from(*v)).collect()
}

#[test]
fn select_c1_a_matching_row_keeps_its_payload_and_c2_the_others_are_zero() {
    let (x, y, z) = (fr(&[2, 1, 2, 0]), fr(&[7, 8, 9, 10]), fr(&[7, 0, 9, 0]));
    let s = Subject::new(
        Gate::Select,
        4,
        Assignment::Select(select::Assignment {
            ctx: Fr::from(5u64),
            k: Fr::from(2u64),
            rho: Fr::from(6u64),
            x: &x,
            y: &y,
            z: &z,
        }),
    );
    // A row of the cohort dropped, or its payload exaggerated: no hint w can repair it.
    s.refused(&[("C1", 0)], |v| v[s.slot(2, 0)] = Fr::zero());
    s.refused(&[("C1", 2)], |v| v[s.slot(2, 2)] += Fr::one());
    // A row outside the cohort counted; its hint is made to fit, so that C1 holds.
    s.refused(&[("C2", 1)], |v| {
        v[s.slot(2, 1)] = y[1];
        v[s.witness(1)] = Fr::zero();
    });
    // A wrong hint alone fails the circuit; the relation says "there is a w", so the twin has no view.
    let mut v = s.values.clone();
    v[s.witness(3)] += Fr::one();
    assert_eq!(s.failing(&v), [("C1", 3)]);
}

#[test]
fn multiply_c1_each_row_is_the_product() {
    let (x, y, z) = (fr(&[2, 1, 0, 3]), fr(&[7, 8, 9, 10]), fr(&[14, 8, 0, 30]));
    let s = Subject::new(
        Gate::Multiply,
        4,
        Assignment::Multiply(multiply::Assignment {
            ctx: Fr::from(5u64),
            rho: Fr::from(6u64),
            x: &x,
            y: &y,
            z: &z,
        }),
    );
    for slot in 0..3 {
        s.refused(&[("C1", 3)], |v| v[s.slot(slot, 3)] += Fr::one());
    }
}

/// recode over 4 rows and 3 bits with S = {1, 2, 6}.
fn recode_subject() -> Subject {
    let bits = 3;
    let (x, z) = (fr(&[1, 3, 6, 3]), fr(&[1, 0, 1, 0]));
    let set = fr(&[0, 1, 1, 0, 0, 0, 1, 0]);
    let challenge = Fr::from(1_000_003u64);
    let m = recode::multiplicities(bits, &x).unwrap();
    let (iota, g) = recode::fractions(bits, challenge, &x, &z, &m, &set).unwrap();
    Subject::new(
        Gate::Recode { bits },
        4,
        Assignment::Recode(recode::Assignment {
            ctx: Fr::from(5u64),
            challenge,
            rho: Fr::from(6u64),
            x: &x,
            z: &z,
            multiplicities: &m,
            set: &set,
            iota: &iota,
            g: &g,
        }),
    )
}

#[test]
fn recode_c1_the_fraction_of_each_row() {
    let s = recode_subject();
    // Two rows' errors cancel in C4: only C1 sees them.
    s.refused(&[("C1", 0), ("C1", 2)], |v| {
        v[s.witness(0)] += Fr::one();
        v[s.witness(2)] -= Fr::one();
    });
    // One row's error, made good in the table, so that C3 and C4 hold.
    s.refused(&[("C1", 1)], |v| {
        v[s.witness(1)] += Fr::one();
        v[s.witness(4)] += Fr::one();
        let challenge = v[2];
        v[s.slot(2, 0)] += challenge;
    });
}

#[test]
fn recode_c2_the_result_is_a_bit() {
    let s = recode_subject();
    // z₀ = 3, its fraction recomputed and the change of the sum made good by m₀, g₀: the lookup alone
    // is satisfied for the given challenge.
    s.refused(&[("C2", 0)], |v| {
        let (challenge, shift) = (v[2], Fr::from(8u64));
        v[s.slot(1, 0)] = Fr::from(3u64);
        let iota = Fr::one() / (challenge - v[s.slot(0, 0)] - shift * Fr::from(3u64));
        let by = iota - v[s.witness(0)];
        v[s.witness(0)] = iota;
        v[s.witness(4)] += by;
        v[s.slot(2, 0)] += by * challenge;
    });
}

#[test]
fn recode_c3_each_table_fraction_and_c4_the_sums() {
    let s = recode_subject();
    s.refused(&[("C3", 4)], |v| v[s.slot(2, 4)] += Fr::one());
    // A public S that names another value: two table rows change, and C3 sees the one that is used.
    s.refused(&[("C3", 3)], |v| v[s.slot(3, 3)] = Fr::one());
    // A multiplicity too many, with its fraction.
    s.refused(&[("C4", 0)], |v| {
        v[s.slot(2, 0)] += Fr::one();
        let fraction = Fr::one() / v[2];
        v[s.witness(4)] += fraction;
    });
    // The challenge moved: every fraction with a numerator is off.
    s.refused(
        &[
            ("C1", 0),
            ("C1", 1),
            ("C1", 2),
            ("C1", 3),
            ("C3", 1),
            ("C3", 3),
            ("C3", 6),
        ],
        |v| v[2] += Fr::one(),
    );
}

#[test]
fn no_assignment_violates_c0() {
    let s = recode_subject();
    let mut v = s.values.clone();
    for value in &mut v[1..=3] {
        *value += Fr::one();
    }
    assert!(s.failing(&v).iter().all(|(c, _)| *c != "C0"));
    // ctx and ρ stand in C0 only: the relation holds for every value of them. Binding a proof to its
    // ctx is the business of the proof system, hence of the rank test.
    let mut v = s.values.clone();
    v[1] += Fr::one();
    v[3] += Fr::one();
    assert_eq!(s.failing(&v), []);
}
