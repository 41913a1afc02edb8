//! Registrations of another dataset, and ones that prove something else. What can be done to the document and its
//! bytes is tried beside the prover.

use galen_circuits::{
    batch::Check,
    equation::{Equation, Run, Table},
};
use galen_query::text::{base64, from_base64};
use galen_tests::keys;
use galen_verifier::{
    VerifyError, check_dataset,
    manifest::{Dataset, Manifest},
    plan::registration_equations,
    registration::{MAX_REGISTRATION_BYTES, Registration, verify_registration},
};

use super::{HOSPITAL, SECRETS, assert_proof, digest, forge::Forger, replays::NEXT_EPOCH, sign};

fn honest() -> Registration {
    HOSPITAL.dataset.registration().unwrap()
}

#[track_caller]
fn refused(registration: &Registration, dataset: &Dataset) -> VerifyError {
    let registry = HOSPITAL.dataset.registry();
    let set = keys().verifying();
    verify_registration(registration, dataset.clone(), registry, &set).unwrap_err()
}

/// A registration of the hospital's by other equations.
#[track_caller]
fn forged(change: impl FnOnce(&mut Vec<Equation>)) -> VerifyError {
    let dataset = HOSPITAL.dataset.dataset();
    let registry = HOSPITAL.dataset.registry();
    let mut equations = registration_equations(registry, dataset.rows()).unwrap();
    let honest = equations.clone();
    change(&mut equations);
    assert_ne!(equations, honest, "nothing was changed");
    let forger = Forger::new(&SECRETS, dataset);
    let registration = forger.register(&equations, honest.len()).unwrap();
    refused(&registration, dataset)
}

/// The registration under a manifest that it was not made for: as it is, and with the manifest's digest written over
/// the old one's.
#[track_caller]
fn assert_bound(registration: &Registration, manifest: &Manifest) {
    let set = keys().verifying();
    let dataset = check_dataset(manifest, HOSPITAL.dataset.registry(), &set).unwrap();
    match refused(registration, &dataset) {
        VerifyError::AnotherDataset {
            what: "registration",
            ..
        } => {}
        other => panic!("{other:?}"),
    }
    let mut renamed = registration.clone();
    renamed.manifest = digest(manifest);
    assert_proof(&refused(&renamed, &dataset), "registration", Check::Circuit);
}

#[test]
fn a_registration_is_of_one_manifest() {
    assert_bound(&honest(), &sign(1, |d, _| d.epoch = 2));
    assert_bound(&honest(), &sign(1, |d, _| d.dataset = "other"));
    assert_bound(&honest(), &sign(1, |d, _| d.hospital = "St. Else"));
    // More rows in as many chunks: more padding would count as patients.
    assert_bound(&honest(), &sign(1, |d, _| d.rows += 100));
    assert_bound(&honest(), &sign(1, |d, _| d.rows -= 1));
    assert_bound(&honest(), &sign(1, |d, _| d.release.k = 1));
    let hide_zero = sign(1, |d, _| d.release.zero_releasable = false);
    assert_bound(&honest(), &hide_zero);
    // Another hospital that takes commitments and proofs for its own, and for nothing else.
    assert_bound(&honest(), &sign(9, |d, _| d.hospital = "St. Copy"));
    assert_bound(&honest(), &sign(9, |_, _| {}));
}

#[test]
fn commitments_are_swapped_in_the_manifest() {
    assert_bound(&honest(), &sign(1, |_, c| c.swap(1, 2)));
    assert_bound(&honest(), &sign(1, |_, c| c[1].swap(0, 1)));
    assert_bound(&honest(), &sign(1, |_, c| c[0][1] = c[0][0]));
}

#[test]
fn a_registration_is_of_another_dataset() {
    let (hospital, _) = &*NEXT_EPOCH;
    assert_bound(
        &hospital.dataset.registration().unwrap(),
        HOSPITAL.manifest(),
    );
    assert_bound(&honest(), hospital.manifest());
}

#[test]
fn a_part_is_missing_doubled_or_of_another_place() {
    let dataset = HOSPITAL.dataset.dataset();
    let parts = |change: fn(&mut Vec<String>)| {
        let mut registration = honest();
        change(&mut registration.proofs);
        match refused(&registration, dataset) {
            VerifyError::Parts { expected: 1, got } => got,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(parts(Vec::clear), 0);
    assert_eq!(parts(|p| p.push(p[0].clone())), 2);
    // The first of one part, proven as the first of two.
    let registry = HOSPITAL.dataset.registry();
    let equations = registration_equations(registry, dataset.rows()).unwrap();
    let forger = Forger::new(&SECRETS, dataset);
    let registration = forger.register(&equations, 2).unwrap();
    assert_proof(
        &refused(&registration, dataset),
        "registration",
        Check::Circuit,
    );
    let registration = forger.register(&equations, 1).unwrap();
    let set = keys().verifying();
    verify_registration(&registration, dataset.clone(), registry, &set).unwrap();
}

fn runs(table: &mut Table, change: impl FnOnce(&mut Vec<Run>)) {
    let mut runs = table.runs().to_vec();
    change(&mut runs);
    *table = Table::new(runs);
}

#[test]
fn a_registration_proves_something_weaker() {
    // Some value more is allowed: in arm's table, of four.
    let weaker = forged(|equations| {
        let tables = &mut equations[0].tables;
        let arm = tables.iter().position(|t| t.len() == 4).unwrap();
        runs(&mut tables[arm], |runs| runs[0].length += 1);
    });
    assert_proof(&weaker, "registration", Check::Circuit);
    // A column is looked up in another one's table.
    let weaker = forged(|equations| {
        let lookups = &mut equations[0].lookups;
        let last = lookups.len() - 1;
        lookups[last].tuple = lookups[0].tuple.clone();
        lookups[last].table = lookups[0].table;
        lookups[last].key = lookups[0].key.clone();
    });
    assert_proof(&weaker, "registration", Check::Circuit);
    // A lookup is left out, and with it a commitment.
    match forged(|equations| drop(equations[0].lookups.pop())) {
        VerifyError::Encoding { place, why } => {
            assert_eq!(place, "registration, part 1 of 1");
            assert!(why.contains("bytes of a proof"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

/// The circuit's proof holds for other values; the opening shows that they are not the committed ones.
#[test]
fn other_values_are_registered_than_are_committed() {
    let dataset = HOSPITAL.dataset.dataset();
    let registry = HOSPITAL.dataset.registry();
    let equations = registration_equations(registry, dataset.rows()).unwrap();
    for column in 0..SECRETS.values.len() {
        // In a row of the second chunk a value that the column has in an earlier one, its known bit with it.
        let secrets = SECRETS.with(|values| {
            let last = values[column].len() - 1;
            let differs = |row: &usize| values[column][*row] != values[column][last];
            let from = (0..last).find(differs).unwrap();
            for column in values {
                column[last] = column[from];
            }
        });
        let forger = Forger::new(&secrets, dataset);
        let registration = forger.register(&equations, equations.len()).unwrap();
        assert_proof(
            &refused(&registration, dataset),
            "registration",
            Check::Opening,
        );
    }
}

#[test]
fn a_registration_is_cut_or_changed() {
    let dataset = HOSPITAL.dataset.dataset();
    let bytes = from_base64(&honest().proofs[0], MAX_REGISTRATION_BYTES).unwrap();
    let with = |bytes: &[u8]| {
        let mut registration = honest();
        registration.proofs[0] = base64(bytes);
        refused(&registration, dataset)
    };
    match with(&bytes[..bytes.len() - 32]) {
        VerifyError::Encoding { place, .. } => assert_eq!(place, "registration, part 1 of 1"),
        other => panic!("{other:?}"),
    }
    let mut other = bytes.clone();
    // The sign of the first commitment, and the opening's last value by one.
    other[31] ^= 0x80;
    assert_proof(&with(&other), "registration", Check::Circuit);
    let mut other = bytes;
    let last = other.len() - 32;
    other[last] ^= 1;
    assert_proof(&with(&other), "registration", Check::Opening);
}
