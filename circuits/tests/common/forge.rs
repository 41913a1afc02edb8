//! Evaluations that satisfy the circuit whatever the columns are: the circuit cannot know, only the opening can.

use ark_ff::{Field, One, Zero};
use galen_circuits::{
    Fr,
    class::{Class, Size},
    equation::FACTORS,
    sumcheck::Claims,
};

/// Where the first table slot's evaluation stands.
pub fn first_table(size: Size) -> usize {
    2 * size.slots()
}

/// Where what is linear of the sum stands.
pub fn linear_sum(size: Size) -> usize {
    first_table(size) + size.tables()
}

/// G(r) and U(r), written from `docs/spec/circuit.md`.
pub fn at_r(size: Size, evaluations: &[Fr], chi: Fr) -> Claims {
    let mut powers = std::iter::successors(Some(Fr::one()), |p| Some(*p * chi));
    let mut next = || powers.next().unwrap();
    let mut claims = Claims {
        constraints: Fr::zero(),
        sum: evaluations[linear_sum(size)],
    };
    for slot in 0..size.slots() {
        let [e, q] = [evaluations[2 * slot], evaluations[2 * slot + 1]];
        claims.constraints += next() * (e * q - Fr::one());
    }
    for table in 0..size.tables() {
        claims.constraints += next() * evaluations[first_table(size) + table];
    }
    let mut rest = &evaluations[linear_sum(size) + 1..];
    for _ in 0..size.blocks() {
        let (block, after) = rest.split_at(3 + FACTORS + 2 * size.pairs());
        let (factors, w) = block[2..].split_at(FACTORS);
        claims.constraints += next() * (block[1] - factors.iter().product::<Fr>());
        let pairs: Fr = w[1..].chunks(2).map(|pair| pair[0] * pair[1]).sum();
        claims.sum += block[0] * block[1] * (w[0] + pairs);
        rest = after;
    }
    assert!(rest.is_empty());
    claims
}

/// Changes two evaluations so that C7 and C8 hold for `claims`.
pub fn satisfy(class: Class, evaluations: &mut [Fr], chi: Fr, claims: Claims) {
    let now = at_r(class.size, evaluations, chi);
    let power = chi.pow([class.size.slots() as u64]);
    let missing = claims.constraints - now.constraints;
    evaluations[first_table(class.size)] += missing * power.inverse().unwrap();
    evaluations[linear_sum(class.size)] += claims.sum - now.sum;
}
