//! The bytes of a proof: encodings that are not the one canonical encoding of a valid element, in every position, and
//! valid elements that are not the prover's.

use std::ops::Range;

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField, UniformRand};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{Fr, batch::Check, encoding};
use galen_query::text::{base64, from_base64, hex};
use galen_tests::hospital::signing_key;
use galen_verifier::{
    VerifyError, bundle::MAX_BUNDLE_BYTES, check_dataset, hash::separator, manifest::Manifest,
};

use super::{
    HONEST_GROUPS, HONEST_SUMS, HOSPITAL, altered, assert_circuit, assert_encoding, assert_length,
    assert_proof, refused, sign,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    G1,
    G2,
    Scalar,
}

/// An element of a proof.
#[derive(Debug, Clone)]
struct Element {
    name: &'static str,
    kind: Kind,
    at: Range<usize>,
}

impl Element {
    /// The check that fails where it is another one.
    fn check(&self) -> Check {
        match self.name.starts_with("opening") {
            true => Check::Opening,
            false => Check::Circuit,
        }
    }
}

/// The elements of `HONEST_GROUPS`'s proof: it has hidden cells.
fn elements() -> Vec<Element> {
    let mut list = Vec::new();
    altered(&HONEST_GROUPS, |proof, _| {
        let count = |columns: &[Vec<_>]| columns.iter().map(Vec::len).sum();
        let (first, second): (usize, usize) = (count(&proof.first), count(&proof.second));
        list.extend(vec![("commitment", Kind::G1); first + 1 + second]);
        list.extend(vec![("scalar", Kind::Scalar); 5 + proof.r.len()]);
    });
    list.extend([
        ("A of a proof", Kind::G1),
        ("B of a proof", Kind::G2),
        ("C of a proof", Kind::G1),
        ("opening: S", Kind::G1),
        ("opening: W", Kind::G1),
        ("opening: f(z)", Kind::Scalar),
        ("opening: f(1/z)", Kind::Scalar),
        ("opening: S(z)", Kind::Scalar),
    ]);
    let mut start = 0;
    let placed = list.into_iter().map(|(name, kind)| {
        let from = start;
        start += if kind == Kind::G2 { 64 } else { 32 };
        Element {
            name,
            kind,
            at: from..start,
        }
    });
    placed.collect()
}

fn bytes() -> Vec<u8> {
    from_base64(&HONEST_GROUPS.bundle.proof, MAX_BUNDLE_BYTES).unwrap()
}

/// What is said of the honest proof with one element exchanged.
#[track_caller]
fn exchanged(element: &Element, by: &[u8]) -> VerifyError {
    let mut proof = bytes();
    proof[element.at.clone()].copy_from_slice(by);
    refused(&HONEST_GROUPS, |b| b.proof = base64(&proof))
}

const OFF: &str = "not a point of the curve and subgroup";

/// Invalid encodings in place of a valid point, each with a word of the refusal.
fn invalid(valid: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    let g2 = valid.len() == encoding::G2_BYTES;
    let last = valid.len() - 1;
    let mut infinity = vec![0; valid.len()];
    infinity[last] = 0x40;
    // Under the flag ark-ec reads the identity whatever x is.
    let mut disguised = valid.to_vec();
    disguised[last] = disguised[last] & 0x3f | 0x40;
    let mut both_flags = valid.to_vec();
    both_flags[last] |= 0xc0;
    let mut list = vec![
        (infinity, "infinity"),
        (disguised, "canonical"),
        (both_flags, OFF),
        (if g2 { off_curve_g2() } else { off_curve_g1() }, OFF),
        (unreduced(valid), OFF),
    ];
    if g2 {
        list.push((outside_subgroup(), OFF));
    }
    list
}

fn off_curve_g1() -> Vec<u8> {
    let x = std::iter::repeat_with(|| Fq::rand(&mut OsRng))
        .find(|x| G1Affine::get_point_from_x_unchecked(*x, false).is_none())
        .unwrap();
    x.into_bigint().to_bytes_le()
}

fn off_curve_g2() -> Vec<u8> {
    let x = std::iter::repeat_with(|| Fq2::rand(&mut OsRng))
        .find(|x| G2Affine::get_point_from_x_unchecked(*x, false).is_none())
        .unwrap();
    [x.c0, x.c1]
        .iter()
        .flat_map(|c| c.into_bigint().to_bytes_le())
        .collect()
}

fn outside_subgroup() -> Vec<u8> {
    let point = std::iter::repeat_with(|| Fq2::rand(&mut OsRng))
        .find_map(|x| G2Affine::get_point_from_x_unchecked(x, false))
        .unwrap();
    assert!(!point.is_in_correct_subgroup_assuming_on_curve());
    encoding::g2_bytes(&point).to_vec()
}

/// x + q in place of x, where that still fits beside the flags; else all bits of x set.
fn unreduced(valid: &[u8]) -> Vec<u8> {
    let at = valid.len() - 32;
    let last = valid.len() - 1;
    let flags = valid[last] & 0xc0;
    let mut bytes = valid.to_vec();
    let carry = add(&mut bytes[at..], &Fq::MODULUS.to_bytes_le());
    if carry || bytes[last] & 0xc0 != flags {
        bytes[at..last].fill(0xff);
        bytes[last] = flags | 0x3f;
    }
    bytes
}

/// Adds little-endian numbers; whether it is more than there is room for.
fn add(to: &mut [u8], number: &[u8]) -> bool {
    let mut carry = 0u16;
    for (byte, more) in to.iter_mut().zip(number) {
        let sum = u16::from(*byte) + u16::from(*more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    carry > 0
}

#[test]
fn an_element_is_no_canonical_encoding() {
    for element in elements() {
        let valid = &bytes()[element.at.clone()];
        if element.kind == Kind::Scalar {
            let mut once_around = valid.to_vec();
            assert!(!add(&mut once_around, &Fr::MODULUS.to_bytes_le()));
            for bad in [once_around, Fr::MODULUS.to_bytes_le(), vec![0xff; 32]] {
                let e = exchanged(&element, &bad);
                assert_encoding(&e, &format!("{}: ", element.name));
                assert_encoding(&e, "not below the modulus");
            }
            continue;
        }
        for (bad, word) in invalid(valid) {
            let e = exchanged(&element, &bad);
            assert_encoding(&e, &format!("{}: ", element.name));
            assert_encoding(&e, word);
        }
    }
}

/// A point's negative, or a scalar that is off by one.
#[test]
fn an_element_is_another_valid_one() {
    for element in elements() {
        let mut other = bytes()[element.at.clone()].to_vec();
        match element.kind {
            Kind::Scalar => other[0] ^= 1,
            Kind::G1 | Kind::G2 => *other.last_mut().unwrap() ^= 0x80,
        }
        let e = exchanged(&element, &other);
        assert_proof(&e, "bundle", element.check());
    }
}

#[test]
fn elements_of_two_places_are_exchanged() {
    let all = elements();
    for pair in all.windows(2).filter(|p| p[0].kind == p[1].kind) {
        let mut proof = bytes();
        let (one, two) = (pair[0].at.clone(), pair[1].at.clone());
        let moved = proof[one.clone()].to_vec();
        proof.copy_within(two.clone(), one.start);
        proof[two].copy_from_slice(&moved);
        let e = refused(&HONEST_GROUPS, |b| b.proof = base64(&proof));
        // Of the circuit's proof and the opening one spoils what the other leaves.
        assert_proof(&e, "bundle", pair[0].check());
    }
}

/// Elements of another proof of the same statement: each is right in its own place.
#[test]
fn two_proofs_of_one_answer_are_mixed() {
    let again = galen_tests::ask(&HOSPITAL, &HONEST_GROUPS.question.sql).bundle;
    assert_ne!(again.proof, HONEST_GROUPS.bundle.proof);
    let other = from_base64(&again.proof, MAX_BUNDLE_BYTES).unwrap();
    for element in elements() {
        let e = exchanged(&element, &other[element.at.clone()]);
        assert_proof(&e, "bundle", element.check());
    }
}

#[test]
fn a_bit_is_flipped() {
    let honest = bytes();
    for at in (0..honest.len()).step_by(5) {
        let mut proof = honest.clone();
        proof[at] ^= 1 << (at % 8);
        match refused(&HONEST_GROUPS, |b| b.proof = base64(&proof)) {
            VerifyError::Encoding { place, .. } => assert_eq!(place, "bundle"),
            VerifyError::Proof { what, .. } => assert_eq!(what, "bundle"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn a_proof_is_of_another_length() {
    let honest = bytes();
    let last = honest.len() - 1;
    for end in [0, 1, 32, honest.len() / 2, honest.len() - 32, last] {
        let e = refused(&HONEST_GROUPS, |b| b.proof = base64(&honest[..end]));
        assert_length(&e);
    }
    for more in [1, 32, 64, honest.len()] {
        let mut longer = honest.clone();
        longer.resize(honest.len() + more, 0);
        let e = refused(&HONEST_GROUPS, |b| b.proof = base64(&longer));
        assert_length(&e);
    }
    // Whole elements taken out at one place.
    let mut shorter = honest;
    shorter.drain(32..64);
    assert_length(&refused(&HONEST_GROUPS, |b| b.proof = base64(&shorter)));
}

#[test]
fn text_that_is_not_base64url() {
    let changes: [fn(&mut String); 6] = [
        |t| t.push('='),
        |t| t.push('\n'),
        |t| t.replace_range(0..1, "+"),
        |t| t.replace_range(0..1, " "),
        |t| t.replace_range(0..1, "ä"),
        // Of four characters one says nothing.
        |t| t.truncate(t.len() / 4 * 4 - 3),
    ];
    for change in changes {
        let e = refused(&HONEST_SUMS, |b| change(&mut b.proof));
        assert_encoding(&e, "not base64url");
    }
    // Bits of the last character that belong to no byte.
    let mut bytes = bytes();
    bytes.truncate(bytes.len() / 3 * 3 - 1);
    let text = base64(&bytes);
    let (head, last) = text.split_at(text.len() - 1);
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = digits.find(last).unwrap() + 1;
    let other = format!("{head}{}", &digits[next..=next]);
    let e = refused(&HONEST_GROUPS, |b| b.proof = other);
    assert_encoding(&e, "not base64url");
    // A list of nothing.
    assert_length(&refused(&HONEST_SUMS, |b| b.proof.clear()));
}

/// A Groth16 proof can be made of nothing where A, B and C are free; here the inputs are not.
#[test]
fn a_circuits_proof_is_taken_from_another_answer() {
    let mut other = None;
    altered(&HONEST_SUMS, |proof, _| other = Some(proof.proof.clone()));
    let bundle = altered(&HONEST_GROUPS, |proof, _| proof.proof = other.unwrap());
    let e = HOSPITAL.verify(&HONEST_GROUPS.question, &bundle);
    assert_circuit(&e.unwrap_err());
    let mut other = None;
    altered(&HONEST_SUMS, |proof, _| other = Some(proof.opening));
    let bundle = altered(&HONEST_GROUPS, |proof, _| proof.opening = other.unwrap());
    let e = HOSPITAL.verify(&HONEST_GROUPS.question, &bundle);
    assert_proof(&e.unwrap_err(), "bundle", Check::Opening);
}

/// A manifest with a bad point, signed by the hospital itself.
#[test]
fn a_column_commitment_in_the_manifest() {
    let valid = from_base64(&HOSPITAL.manifest().columns[3].chunks[1], 32).unwrap();
    let check = |chunk: String| {
        let mut json = serde_json::to_value(HOSPITAL.manifest()).unwrap();
        json["columns"][3]["chunks"][1] = chunk.into();
        let mut manifest: Manifest = serde_json::from_value(json).unwrap();
        manifest.signature = signature(&manifest);
        let set = galen_tests::keys().verifying();
        match check_dataset(&manifest, HOSPITAL.dataset.registry(), &set).unwrap_err() {
            VerifyError::Encoding { place, why } => {
                assert_eq!(place, "commitment to column n, chunk 1");
                why
            }
            other => panic!("{other:?}"),
        }
    };
    for (bytes, word) in invalid(&valid) {
        let why = check(base64(&bytes));
        assert!(why.contains(word), "{why}");
    }
    for (text, word) in [
        (base64(&valid[..31]), "wrong length"),
        (base64(&valid) + "A", "wrong length"),
        (base64(&valid) + "AA", "not base64url"),
        (base64(&valid) + "=", "not base64url"),
        (String::new(), "wrong length"),
    ] {
        let why = check(text);
        assert!(why.contains(word), "{why}");
    }
    // The helper signs as the library does.
    let again = sign(1, |_, _| {});
    assert_eq!(again.signature, signature(&again));
}

fn signature(manifest: &Manifest) -> String {
    use ed25519_dalek::Signer as _;
    let separator = separator::MANIFEST_SIGNATURE.as_bytes();
    let message = [separator, &[0], &manifest.digest()].concat();
    hex(&signing_key(1).sign(&message).to_bytes())
}
