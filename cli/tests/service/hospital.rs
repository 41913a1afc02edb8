//! Small hospitals of one chunk of the tiny shape.

use std::{fmt::Write as _, fs, path::Path, sync::LazyLock};

use ed25519_dalek::SigningKey;
use galen_ledger::statement::{AnswerStatement, DatasetStatement, RefusalStatement, Statement};
use galen_params::{ParameterStore, Shape, Silent};
use galen_prover::{
    dataset::{CommitRequest, CommittedDataset, commit},
    execute::answer,
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    bundle::Bundle,
    manifest::{Manifest, ReleaseProfile},
    plan::gates_for,
};
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

pub const SQL: &str =
    "SELECT b, count(*) AS patients, sum(n) AS total, avg(n) AS mean FROM t GROUP BY b";

pub fn registry() -> Registry {
    Registry::from_toml(REGISTRY).unwrap()
}

pub fn question(sql: &str) -> Question {
    Question::new(&registry(), "DUO:0000042", sql, None).unwrap()
}

pub static PARAMS: LazyLock<ParameterStore> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let gates = gates_for(&registry());
    ParameterStore::open_development(&cache, Shape::Tiny, &gates, &Silent).unwrap()
});

/// A hospital's committed epoch, and what it publishes of it.
pub struct Hospital {
    _home: TempDir,
    pub key: SigningKey,
    pub dataset: CommittedDataset,
    pub manifest: Vec<u8>,
    pub registration: Vec<u8>,
}

impl Hospital {
    /// `seed` is of the signing key; rows depend on it and on the epoch.
    fn new(name: &str, seed: u8, epoch: u32, rows: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        let table = home.path().join("table.csv");
        let mut csv = String::from("pid,consent,b,n\n");
        for i in 0..rows {
            let b = ["true", "false", ""][i % 3];
            let n = (i * usize::from(seed) + epoch as usize) % 601;
            writeln!(csv, "p{i},{},{b},{n}", i % 10 != 0).unwrap();
        }
        fs::write(&table, csv).unwrap();
        let key = SigningKey::from_bytes(&[seed; 32]);
        let request = CommitRequest {
            table: &table,
            registry_toml: REGISTRY,
            registry: &registry(),
            hospital: name,
            dataset: "main",
            epoch,
            release: ReleaseProfile::exact("threshold-11", 11, false),
            key: &key,
            out: &home.path().join("dataset"),
        };
        let (dataset, _) = commit(&request, &PARAMS, &Silent).unwrap();
        let registration = dataset.registration(&PARAMS, &Silent).unwrap();
        Self {
            _home: home,
            key,
            manifest: serde_json::to_vec(&dataset.dataset().manifest).unwrap(),
            registration: serde_json::to_vec(&registration).unwrap(),
            dataset,
        }
    }

    pub fn document(&self) -> &Manifest {
        &self.dataset.dataset().manifest
    }

    pub fn statement(&self) -> Statement {
        let statement = DatasetStatement::of(self.document(), &self.manifest, &self.registration);
        Statement::Dataset(statement)
    }

    /// A fresh bundle.
    pub fn bundle(&self, sql: &str) -> Vec<u8> {
        let (bundle, _, _) = answer(&self.dataset, &question(sql), &PARAMS, &Silent).unwrap();
        serde_json::to_vec(&bundle).unwrap()
    }

    pub fn answer(&self, bundle: &[u8]) -> Statement {
        let parsed = Bundle::from_json(bundle).unwrap();
        Statement::Answer(AnswerStatement::of(&parsed, bundle, self.document()))
    }

    pub fn refusal(&self, sql: &str) -> Statement {
        let (question, why) = (question(sql), "not this quarter");
        Statement::Refusal(RefusalStatement::of(&question, self.document(), why))
    }
}

pub static FIRST: LazyLock<Hospital> = LazyLock::new(|| Hospital::new("St. Test", 1, 1, 400));
pub static NEXT: LazyLock<Hospital> = LazyLock::new(|| Hospital::new("St. Test", 1, 2, 410));
pub static OTHER: LazyLock<Hospital> = LazyLock::new(|| Hospital::new("St. Other", 2, 1, 300));
pub static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| FIRST.bundle(SQL));
