//! Values that the registry does not allow, committed by a hospital that skips its own checks.

use std::fs;

use galen_circuits::{CircuitError, batch::Check};
use galen_params::Silent;
use galen_prover::{ProverError, dataset::CommittedDataset, execute::answer};
use galen_query::{question::Question, registry::Registry};
use galen_tests::{Hospital, PURPOSE, Setup, hospital::signing_key, keys};
use galen_verifier::{
    VerifyError,
    manifest::{Draft, Manifest},
    plan::registration_equations,
    registration::verify_registration,
};

use super::{
    HOSPITAL, REGISTRY, SECRETS, assert_proof, csv, digest,
    forge::{Forger, Secrets},
};

/// What `hospital` committed, under a manifest of this registry.
fn passed_off(hospital: &Hospital, registry: &Registry) -> Manifest {
    let dataset = hospital.dataset.dataset();
    Manifest::sign(
        &Draft {
            hospital: &dataset.manifest.hospital,
            dataset: &dataset.manifest.dataset,
            epoch: 1,
            registry,
            parameter_set: dataset.parameter_set,
            shape: dataset.shape,
            rows: dataset.manifest.rows,
            release: dataset.manifest.release.clone(),
            provenance: dataset.manifest.provenance.clone(),
            commitments: &dataset.commitments,
        },
        &signing_key(1),
    )
}

/// The table was committed where n goes to 1000, its manifest says 600.
#[test]
fn a_value_beyond_the_declared_range_cannot_be_registered() {
    let loose = REGISTRY.replace("max = 600", "max = 1000");
    let table = csv().replace(",498,", ",1000,");
    assert!(loose != REGISTRY && table != csv());
    let hospital = Setup::new(&table, &loose).commit();
    let folder = hospital.dataset.folder();
    let registry = Registry::from_toml(REGISTRY).unwrap();
    let manifest = passed_off(&hospital, &registry);
    let json = serde_json::to_vec(&manifest).unwrap();
    fs::write(folder.join("manifest.json"), json).unwrap();
    fs::write(folder.join("registry.toml"), REGISTRY).unwrap();
    let dataset = CommittedDataset::open(folder, keys()).unwrap();

    // The registration is that of the loose registry.
    let question =
        Question::new(&registry, PURPOSE, "SELECT count(*) FROM t WHERE b", None).unwrap();
    match answer(&dataset, &question, keys(), &Silent).unwrap_err() {
        ProverError::Verify(VerifyError::AnotherDataset {
            what: "registration",
            ..
        }) => {}
        other => panic!("{other}"),
    }
    let mut registration = dataset.registration().unwrap();
    registration.manifest = digest(&manifest);
    let d = dataset.dataset();
    let set = keys().verifying();
    let e = verify_registration(&registration, d.clone(), &registry, &set).unwrap_err();
    assert_proof(&e, "registration", Check::Circuit);

    // Nor is there one of its own.
    let secrets = Secrets::of(&hospital);
    let equations = registration_equations(&registry, d.rows()).unwrap();
    let forger = Forger::new(&secrets, d);
    match forger.register(&equations, equations.len()).unwrap_err() {
        CircuitError::Malformed(why) => assert!(why.contains("no entry of its table"), "{why}"),
        other => panic!("{other}"),
    }
}

/// Our prover finds no entry for such values, or another one than they are.
#[test]
fn columns_that_are_not_well_formed_cannot_be_registered() {
    let dataset = HOSPITAL.dataset.dataset();
    let registry = HOSPITAL.dataset.registry();
    let equations = registration_equations(registry, dataset.rows()).unwrap();
    let names = registry.base_columns();
    let at = |name: &str| names.iter().position(|b| b.name == name).unwrap();
    let null = |known: &str| {
        let known = &SECRETS.values[at(known)];
        known.iter().position(|k| *k == 0).unwrap()
    };
    let consent = "consent:DUO:0000042";
    for (column, row, value, has_entry) in [
        ("n", 1, 602, false),
        ("arm", 0, 4, false),
        (consent, 0, 4, false),
        // A NULL that is not 0, and bits that are 2.
        ("n", null("n.known"), 7, true),
        ("b", null("b.known"), 1, true),
        ("b.known", 0, 2, true),
        (consent, 0, 2, true),
    ] {
        let secrets = SECRETS.with(|values| values[at(column)][row] = value);
        let forger = Forger::new(&secrets, dataset);
        match (
            forger.register(&equations, equations.len()).unwrap_err(),
            has_entry,
        ) {
            (CircuitError::Malformed(why), false) => {
                assert!(why.contains("no entry of its table"), "{column}: {why}");
            }
            (CircuitError::Unsatisfied(_), true) => {}
            (other, _) => panic!("{column} = {value}: {other}"),
        }
    }
}
