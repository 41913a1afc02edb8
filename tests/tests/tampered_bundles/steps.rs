//! Evidence that is missing, doubled, reordered, or taken from another place of the same bundle.

use galen_circuits::{Fr, batch::Check, column::Column, encoding, gates::Gate};
use galen_query::text::base64;
use galen_tests::{keys, keys::N};
use galen_verifier::VerifyError;

use super::{HONEST_GROUPS, HONEST_SUMS, alter, assert_proof, decode, refused, step};

const RECODE: Gate = Gate::Recode { bits: 10 };

#[test]
fn a_chunk_is_missing_or_doubled() {
    for start in ["root", "in(n;22-", "bit(b)", "range10(n)"] {
        let at = step(&HONEST_SUMS.bundle, start);
        let missing = refused(&HONEST_SUMS, |b| b.steps[at].chunks.truncate(1));
        let doubled = refused(&HONEST_SUMS, |b| {
            let first = b.steps[at].chunks[0].clone();
            b.steps[at].chunks.push(first);
        });
        for (e, n) in [(missing, 1), (doubled, 3)] {
            match e {
                VerifyError::Chunks {
                    key,
                    expected: 2,
                    got,
                    ..
                } => {
                    assert_eq!(
                        (key.as_str(), got),
                        (HONEST_SUMS.bundle.steps[at].key.as_str(), n)
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn chunks_are_reordered() {
    // recode's challenge names its chunk; the others meet the base columns' commitments in the link.
    let cases = [
        ("in(n;22-", RECODE, Check::Groth16),
        ("range10(n)", RECODE, Check::Groth16),
        ("most10(n;601)", RECODE, Check::Groth16),
        ("bit(b)", Gate::Multiply, Check::Link),
        ("null(b)", Gate::Multiply, Check::Link),
        ("product", Gate::Multiply, Check::Link),
        ("root", Gate::Select, Check::Link),
    ];
    for (start, gate, check) in cases {
        let at = step(&HONEST_SUMS.bundle, start);
        let e = refused(&HONEST_SUMS, |b| b.steps[at].chunks.swap(0, 1));
        assert_proof(&e, start, gate, Some(0), check);
    }
}

#[test]
fn one_chunk_stands_for_both() {
    let at = step(&HONEST_SUMS.bundle, "root");
    let e = refused(&HONEST_SUMS, |b| {
        b.steps[at].chunks[1] = b.steps[at].chunks[0].clone();
    });
    assert_proof(&e, "root", Gate::Select, Some(1), Check::Link);
}

#[test]
fn a_step_is_missing() {
    let last = HONEST_SUMS.bundle.steps.len() - 1;
    match refused(&HONEST_SUMS, |b| drop(b.steps.pop())) {
        VerifyError::MissingStep { key, index, .. } => {
            assert_eq!(
                (key, index),
                (HONEST_SUMS.bundle.steps[last].key.clone(), last)
            );
        }
        other => panic!("{other:?}"),
    }
    match refused(&HONEST_SUMS, |b| drop(b.steps.remove(0))) {
        VerifyError::UnexpectedStep {
            index: 0,
            got,
            expected,
            ..
        } => {
            assert_eq!(got, HONEST_SUMS.bundle.steps[1].key);
            assert_eq!(expected, format!("`{}`", HONEST_SUMS.bundle.steps[0].key));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_is_added() {
    let len = HONEST_SUMS.bundle.steps.len();
    match refused(&HONEST_SUMS, |b| b.steps.push(b.steps[0].clone())) {
        VerifyError::UnexpectedStep {
            index, expected, ..
        } => {
            assert_eq!((index, expected.as_str()), (len, "no more steps"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_is_renamed_or_moved() {
    for change in ["x", " bit(b)", ""] {
        let at = step(&HONEST_SUMS.bundle, "bit(b)");
        match refused(&HONEST_SUMS, |b| b.steps[at].key = change.into()) {
            VerifyError::UnexpectedStep { index, got, .. } => {
                assert_eq!((index, got.as_str()), (at, change));
            }
            other => panic!("{other:?}"),
        }
    }
    match refused(&HONEST_SUMS, |b| b.steps.swap(0, 1)) {
        VerifyError::UnexpectedStep { index: 0, .. } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_is_taken_from_another_gate() {
    let from = step(&HONEST_SUMS.bundle, "bit(b)");
    let link = decode(&HONEST_SUMS.bundle.steps[from].chunks[1].proof).link;
    for (start, gate) in [
        ("root", Gate::Select),
        ("in(n;22-", RECODE),
        ("product", Gate::Multiply),
    ] {
        let at = step(&HONEST_SUMS.bundle, start);
        let e = refused(&HONEST_SUMS, |b| {
            alter(&mut b.steps[at].chunks[1].proof, |p| p.link = link);
        });
        assert_proof(&e, start, gate, Some(1), Check::Link);
    }
    let e = refused(&HONEST_SUMS, |b| {
        alter(&mut b.releases[0].proof, |p| p.link = link)
    });
    super::assert_release(&e, Check::Link);
}

#[test]
fn each_element_of_a_proof_matters() {
    let at = step(&HONEST_SUMS.bundle, "root");
    let other = decode(&HONEST_SUMS.bundle.steps[at].chunks[1].proof);
    for element in ["a", "b", "c", "d", "link"] {
        let e = refused(&HONEST_SUMS, |b| {
            alter(&mut b.steps[at].chunks[0].proof, |p| match element {
                "a" => p.a = other.a,
                "b" => p.b = other.b,
                "c" => p.c = other.c,
                "d" => p.d = other.d,
                _ => p.link = other.link,
            });
        });
        let check = if element == "link" {
            Check::Link
        } else {
            Check::Groth16
        };
        assert_proof(&e, "root", Gate::Select, Some(0), check);
    }
}

/// A derived column that says what the hospital likes, under the proof of the honest one.
#[test]
fn a_derived_column_is_claimed_but_never_proven() {
    let fresh = Column::commit(&keys().srs(), vec![Fr::from(1u64); N]).unwrap();
    let fresh = base64(&encoding::g1_bytes(&fresh.commitment()));
    let cases = [
        (&HONEST_SUMS, "in(n;22-", RECODE, Check::Groth16), // z stands in the challenge
        (&HONEST_SUMS, "product", Gate::Multiply, Check::Link),
        (&HONEST_SUMS, "root", Gate::Select, Check::Link),
        (&HONEST_GROUPS, "root", Gate::Select, Check::Link),
    ];
    for (asked, start, gate, check) in cases {
        let at = step(&asked.bundle, start);
        let e = refused(asked, |b| {
            b.steps[at].chunks[1].commitment = Some(fresh.clone())
        });
        // A later step that uses the column fails too, but the first one in order is named; in the
        // first chunk all holds.
        assert_proof(&e, start, gate, Some(1), check);
    }
}

#[test]
fn a_commitment_is_missing_or_too_many() {
    let at = step(&HONEST_SUMS.bundle, "root");
    let commitment = HONEST_SUMS.bundle.steps[at].chunks[0].commitment.clone();
    let e = refused(&HONEST_SUMS, |b| b.steps[at].chunks[1].commitment = None);
    let bit = step(&HONEST_SUMS.bundle, "bit(b)");
    let extra = refused(&HONEST_SUMS, |b| {
        b.steps[bit].chunks[1].commitment = commitment
    });
    for (e, at, word) in [(e, at, "missing"), (extra, bit, "makes no column")] {
        match e {
            VerifyError::Commitment {
                key, chunk: 1, why, ..
            } if why.contains(word) => {
                assert_eq!(key, HONEST_SUMS.bundle.steps[at].key);
            }
            other => panic!("{other:?}"),
        }
    }
}
