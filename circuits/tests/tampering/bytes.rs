//! Decoding: one encoding a proof, and nothing else is read.

use ark_ff::{BigInteger, PrimeField};
use galen_circuits::{Fr, proof::EquationProof};

use super::{proof, statement};

const POINT: usize = 32;
/// A, B, C and the opening's S, W, f(z), f(1/z), S(z).
const TAIL: usize = 128 + 160;

fn refused(bytes: &[u8]) -> String {
    let statement = statement();
    let layout = statement.layout();
    EquationProof::from_bytes(bytes, &layout)
        .unwrap_err()
        .to_string()
}

/// Where points of G1 and scalars stand, and B.
fn places() -> (Vec<usize>, Vec<usize>, usize) {
    let proof = proof();
    let commitments = proof.first.iter().chain(&proof.second).flatten().count() + 1;
    let scalars = 5 + proof.r.len();
    let groth16 = (commitments + scalars) * POINT;
    let opening = groth16 + 128;
    let mut points: Vec<usize> = (0..commitments).map(|i| i * POINT).collect();
    points.extend([groth16, groth16 + 96, opening, opening + 32]);
    let mut all: Vec<usize> = (commitments..commitments + scalars)
        .map(|i| i * POINT)
        .collect();
    all.extend([opening + 64, opening + 96, opening + 128]);
    assert_eq!(opening + 160, proof.to_bytes().len());
    assert_eq!(proof.to_bytes().len(), groth16 + TAIL);
    (points, all, groth16 + 32)
}

#[test]
fn bytes_of_another_length() {
    let bytes = proof().to_bytes();
    let length = bytes.len();
    for other in [0, 1, length - 1, length - 32, length / 2] {
        assert!(refused(&bytes[..other]).starts_with("bytes of a proof"));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(refused(&longer).starts_with("bytes of a proof"));
}

#[test]
fn a_scalar_that_is_not_below_the_modulus() {
    let (_, scalars, _) = places();
    for at in scalars {
        let mut bytes = proof().to_bytes();
        let own = &mut bytes[at..at + 32];
        let mut value = <Fr as PrimeField>::BigInt::default();
        let limbs = own
            .chunks(8)
            .map(|c| u64::from_le_bytes(c.try_into().unwrap()));
        value.0.iter_mut().zip(limbs).for_each(|(v, l)| *v = l);
        let carry = value.add_with_carry(&Fr::MODULUS);
        assert!(!carry, "2p is below 2^256");
        own.copy_from_slice(&value.to_bytes_le());
        let why = refused(&bytes);
        assert!(why.contains("not below the modulus"), "{at}: {why}");
    }
}

#[test]
fn the_identity_in_the_place_of_a_point() {
    let (points, _, b) = places();
    for at in points.into_iter().chain([b]) {
        let mut bytes = proof().to_bytes();
        let length = if at == b { 64 } else { 32 };
        bytes[at..at + length].fill(0);
        bytes[at + length - 1] = 0x40;
        let why = refused(&bytes);
        assert!(why.contains("infinity"), "{at}: {why}");
    }
}

#[test]
fn a_point_that_is_not_canonical() {
    let (points, _, b) = places();
    for at in points.into_iter().chain([b]) {
        let mut bytes = proof().to_bytes();
        let length = if at == b { 64 } else { 32 };
        // The flag of infinity with a coordinate beside it.
        bytes[at + length - 1] |= 0x40;
        let why = refused(&bytes);
        assert!(
            why.contains("canonical") || why.contains("curve"),
            "{at}: {why}"
        );
    }
}

#[test]
fn coordinates_beyond_the_base_field() {
    let (points, _, b) = places();
    for at in points.into_iter().chain([b]) {
        let mut bytes = proof().to_bytes();
        bytes[at..at + 32].fill(0xff);
        bytes[at + 31] = 0x3f;
        let why = refused(&bytes);
        assert!(why.contains("not a point"), "{at}: {why}");
    }
}

/// Every single bit of the bytes counts: a changed one is not decoded, or is refused.
#[test]
fn a_changed_bit_anywhere() {
    let statement = statement();
    let layout = statement.layout();
    let bytes = proof().to_bytes();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        if let Ok(decoded) = EquationProof::from_bytes(&changed, &layout) {
            assert_eq!(decoded.to_bytes(), changed);
            statement.verify(&decoded).unwrap_err();
        }
    }
}
