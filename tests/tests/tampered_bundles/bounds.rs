//! Values that the registry does not allow, committed by a hospital that skips its own checks.

use std::fs;

use galen_circuits::{CircuitError, gates::Gate};
use galen_params::Silent;
use galen_prover::{ProverError, dataset::CommittedDataset, execute::answer};
use galen_query::{question::Question, registry::Registry};
use galen_tests::{Setup, hospital::signing_key, keys};
use galen_verifier::manifest::{Draft, Manifest};

use super::{REGISTRY, csv};

/// The table was committed where n goes to 1000, its manifest says 600. All values are below 2^10.
#[test]
fn a_value_beyond_the_declared_range_has_no_proof() {
    let loose = REGISTRY.replace("max = 600", "max = 1000");
    let table = csv().replace(",498,", ",1000,");
    assert!(loose != REGISTRY && table != csv());
    let hospital = Setup::new(&table, &loose).commit();
    let (folder, dataset) = (hospital.dataset.folder(), hospital.dataset.dataset());
    let registry = Registry::from_toml(REGISTRY).unwrap();
    let manifest = Manifest::sign(
        &Draft {
            hospital: &dataset.manifest.hospital,
            dataset: &dataset.manifest.dataset,
            epoch: 1,
            registry: &registry,
            parameter_set: dataset.parameter_set,
            shape: dataset.shape,
            rows: dataset.manifest.rows,
            release: dataset.manifest.release.clone(),
            commitments: &dataset.commitments,
        },
        &signing_key(1),
    );
    let json = serde_json::to_vec(&manifest).unwrap();
    fs::write(folder.join("manifest.json"), json).unwrap();
    fs::write(folder.join("registry.toml"), REGISTRY).unwrap();
    fs::remove_dir_all(folder.join("index")).unwrap();
    let dataset = CommittedDataset::open(folder, keys()).unwrap();
    let ask = |sql: &str| {
        let question = Question::new(&registry, galen_tests::PURPOSE, sql, None).unwrap();
        answer(&dataset, &question, keys(), &Silent)
    };
    match ask("SELECT count(*) FROM t WHERE n < 100").unwrap_err() {
        ProverError::Circuit(CircuitError::Unsatisfied { gate, detail }) => {
            assert_eq!(gate, Gate::Recode { bits: 10 });
            assert!(detail.contains("outside the table"), "{detail}");
        }
        other => panic!("{other}"),
    }
    // What does not touch the column is not held up by it.
    ask("SELECT count(*) FROM t WHERE b").unwrap();
}
