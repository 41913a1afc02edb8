//! Encodings that are not the one canonical encoding of a valid point, in every position.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField, UniformRand};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{encoding, prove::PROOF_BYTES};
use galen_query::text::{base64, from_base64};
use galen_tests::keys;
use galen_verifier::{VerifyError, bundle::Bundle, manifest::Manifest, verify};

use super::{HONEST_SUMS, HOSPITAL, refused, sign, step};

const ELEMENTS: [(&str, usize, usize); 5] = [
    ("A", 0, 32),
    ("B", 32, 64),
    ("C", 96, 32),
    ("D", 128, 32),
    ("link", 160, 32),
];

/// Invalid encodings in place of a valid one, each with a word of the refusal.
fn invalid(valid: &[u8]) -> Vec<(Vec<u8>, &'static str)> {
    const OFF: &str = "not a point of the curve and subgroup";
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
    let mut bytes = valid.to_vec();
    let at = bytes.len() - 32;
    let flags = bytes[bytes.len() - 1] & 0xc0;
    let mut carry = 0u16;
    for (byte, q) in bytes[at..].iter_mut().zip(Fq::MODULUS.to_bytes_le()) {
        let sum = u16::from(*byte) + u16::from(q) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let last = bytes.len() - 1;
    if carry > 0 || bytes[last] & 0xc0 != flags {
        bytes[at..last].fill(0xff);
        bytes[last] = flags | 0x3f;
    }
    bytes
}

#[track_caller]
fn assert_encoding(e: &VerifyError, at: &str, chunk_wanted: usize, words: [&str; 2]) {
    match e {
        VerifyError::Encoding { place, chunk, why } => {
            assert!(
                place.contains(at) && *chunk == chunk_wanted,
                "{place}, {chunk}"
            );
            assert!(words.iter().all(|w| why.contains(w)), "{why}: {words:?}");
        }
        other => panic!("{at}: {other:?}"),
    }
}

/// Where a proof stands in a bundle.
type Position = fn(&mut Bundle) -> &mut String;

fn root_proof(b: &mut Bundle) -> &mut String {
    let at = step(b, "root");
    &mut b.steps[at].chunks[1].proof
}

fn bit_proof(b: &mut Bundle) -> &mut String {
    let at = step(b, "bit(b)");
    &mut b.steps[at].chunks[0].proof
}

fn release_proof(b: &mut Bundle) -> &mut String {
    &mut b.releases[0].proof
}

fn root_commitment(b: &mut Bundle) -> &mut String {
    let at = step(b, "root");
    b.steps[at].chunks[1].commitment.as_mut().unwrap()
}

#[test]
fn every_element_of_a_proof() {
    let positions: [(Position, &str, usize); 3] = [
        (root_proof, "root", 1),
        (bit_proof, "bit(b)", 0),
        (release_proof, "release 0", 0),
    ];
    for (position, place, chunk) in positions {
        let proof = from_base64(position(&mut HONEST_SUMS.bundle.clone()), PROOF_BYTES).unwrap();
        for (name, at, len) in ELEMENTS {
            for (bytes, word) in invalid(&proof[at..at + len]) {
                let mut bad = proof.clone();
                bad[at..at + len].copy_from_slice(&bytes);
                let e = refused(&HONEST_SUMS, |b| *position(b) = base64(&bad));
                assert_encoding(&e, place, chunk, [&format!("{name}:"), word]);
            }
        }
    }
}

#[test]
fn a_received_commitment() {
    let valid = from_base64(root_commitment(&mut HONEST_SUMS.bundle.clone()), 32).unwrap();
    for (bytes, word) in invalid(&valid) {
        let e = refused(&HONEST_SUMS, |b| *root_commitment(b) = base64(&bytes));
        assert_encoding(&e, "root", 1, ["commitment", word]);
    }
}

#[test]
fn text_that_is_not_base64url_of_the_right_length() {
    for change in [
        (|t: &mut String| t.truncate(t.len() - 4)) as fn(&mut String),
        |t| t.push_str("AAAA"),
        |t| t.push('='),
        |t| t.replace_range(0..1, "+"),
        |t| t.replace_range(0..1, " "),
        String::clear,
    ] {
        let e = refused(&HONEST_SUMS, |b| change(root_proof(b)));
        assert_encoding(&e, "root", 1, ["", ""]);
        let e = refused(&HONEST_SUMS, |b| change(root_commitment(b)));
        assert_encoding(&e, "root", 1, ["commitment", ""]);
    }
}

/// A manifest with a bad point, signed by the hospital itself.
#[test]
fn a_column_commitment_in_the_manifest() {
    let valid = from_base64(&HOSPITAL.manifest().columns[3].chunks[1], 32).unwrap();
    for (bytes, word) in invalid(&valid) {
        let mut json = serde_json::to_value(HOSPITAL.manifest()).unwrap();
        json["columns"][3]["chunks"][1] = base64(&bytes).into();
        let mut manifest: Manifest = serde_json::from_value(json).unwrap();
        let key = galen_tests::hospital::signing_key(1);
        manifest.signature = signature(&manifest, &key);
        let set = keys().verifying();
        let asked = &HONEST_SUMS;
        let registry = HOSPITAL.dataset.registry();
        let e = verify(&asked.bundle, &manifest, registry, &asked.question, &set).unwrap_err();
        assert_encoding(&e, "column n", 1, ["commitment", word]);
    }
    // The helper signs as the library does.
    let again = sign(1, |_, _| {});
    let key = galen_tests::hospital::signing_key(1);
    assert_eq!(again.signature, signature(&again, &key));
}

fn signature(manifest: &Manifest, key: &ed25519_dalek::SigningKey) -> String {
    use ed25519_dalek::Signer as _;
    use galen_query::text::hex;
    use galen_verifier::hash::separator::MANIFEST_SIGNATURE;
    let message = [MANIFEST_SIGNATURE.as_bytes(), &[0], &manifest.digest()].concat();
    hex(&key.sign(&message).to_bytes())
}
