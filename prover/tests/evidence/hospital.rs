//! A small hospital: two chunks of the tiny shape, one answer.

use std::{fmt::Write as _, fs, path::Path, sync::LazyLock};

use ed25519_dalek::SigningKey;
use galen_circuits::gates::Gate;
use galen_params::{ParameterStore, Shape, Silent};
use galen_prover::{
    dataset::{CommitRequest, CommittedDataset, commit},
    execute::answer,
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{manifest::ReleaseProfile, plan::gates_for, registration::Registration};
use tempfile::TempDir;

pub const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "b"
type = "boolean"
nullable = true

[[column]]
name = "n"
type = "number"
min = 0
max = 600
"#;

pub const SQL: &str = "SELECT count(*) FROM t WHERE b AND n >= 100";
pub const OTHER_SQL: &str = "SELECT count(*) FROM t WHERE b";

/// Rows: two chunks of the tiny shape, the second one not full.
pub const ROWS: usize = 500;

pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn open(gates: &[Gate]) -> ParameterStore {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    ParameterStore::open_development(&cache, Shape::Tiny, gates, &Silent).unwrap()
}

/// The parameter set of the registry.
pub static KEYS: LazyLock<ParameterStore> = LazyLock::new(|| open(&gates_for(&registry())));

/// Another one: the same keys, but fewer of them.
pub static OTHER_KEYS: LazyLock<ParameterStore> = LazyLock::new(|| {
    let gates = gates_for(&registry());
    open(&gates[..gates.len() - 1])
});

pub fn registry() -> Registry {
    Registry::from_toml(REGISTRY).unwrap()
}

pub fn question(sql: &str) -> Question {
    Question::new(&registry(), "DUO:0000042", sql, None).unwrap()
}

/// What a hospital publishes, and its store.
pub struct Hospital {
    _home: TempDir,
    pub dataset: CommittedDataset,
    pub registration: Registration,
}

impl Hospital {
    /// `seed` is of the signing key; rows depend on it too.
    fn new(name: &str, seed: u8, epoch: u32) -> Self {
        let home = tempfile::tempdir().unwrap();
        let table = home.path().join("table.csv");
        let mut csv = String::from("pid,consent,b,n\n");
        for i in 0..ROWS {
            let b = ["true", "false", ""][i % 3];
            let (consent, n) = (i % 10 != 0, (i * usize::from(seed)) % 601);
            writeln!(csv, "p{i},{consent},{b},{n}").unwrap();
        }
        fs::write(&table, csv).unwrap();
        let request = CommitRequest {
            table: &table,
            registry_toml: REGISTRY,
            registry: &registry(),
            hospital: name,
            dataset: "main",
            epoch,
            release: ReleaseProfile::exact("threshold-11", 11, false),
            key: &signing_key(seed),
            out: &home.path().join("dataset"),
        };
        let (dataset, _) = commit(&request, &KEYS, &Silent).unwrap();
        let registration = dataset.registration(&KEYS, &Silent).unwrap();
        Self {
            _home: home,
            dataset,
            registration,
        }
    }

    pub fn manifest(&self) -> Vec<u8> {
        serde_json::to_vec(&self.dataset.dataset().manifest).unwrap()
    }

    pub fn bundle(&self, sql: &str) -> Vec<u8> {
        let (bundle, _, _) = answer(&self.dataset, &question(sql), &KEYS, &Silent).unwrap();
        serde_json::to_vec(&bundle).unwrap()
    }

    pub fn digest(&self) -> String {
        galen_query::text::hex(&self.dataset.dataset().digest)
    }
}

/// The seed of the hospital's key.
pub const HOSPITAL: u8 = 1;
/// Another hospital's.
pub const OTHER_HOSPITAL: u8 = 2;

pub static FIRST: LazyLock<Hospital> = LazyLock::new(|| Hospital::new("St. Test", HOSPITAL, 1));
/// Another hospital, with another table.
pub static OTHER: LazyLock<Hospital> =
    LazyLock::new(|| Hospital::new("St. Other", OTHER_HOSPITAL, 1));
/// The first one's name, but another key.
pub static IMPOSTOR: LazyLock<Hospital> =
    LazyLock::new(|| Hospital::new("St. Test", OTHER_HOSPITAL, 1));
/// The first one's next epoch.
pub static NEXT: LazyLock<Hospital> = LazyLock::new(|| Hospital::new("St. Test", HOSPITAL, 2));

pub static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| FIRST.bundle(SQL));
pub static OTHER_BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| FIRST.bundle(OTHER_SQL));
