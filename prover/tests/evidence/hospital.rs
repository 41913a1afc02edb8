//! A small hospital: two chunks of the smallest shape, a registration of two parts, one answer.

use std::{fmt::Write as _, fs, path::Path, sync::LazyLock};

use ed25519_dalek::SigningKey;
use galen_params::{ParameterStore, Shape, Silent, VerifyingSet};
use galen_prover::{
    dataset::{CommitRequest, CommittedDataset, commit},
    execute::answer,
};
use galen_query::{
    question::Question,
    registry::Registry,
    text::{base64, from_base64},
};
use galen_verifier::{
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    manifest::ReleaseProfile,
    registration::{Registered, Registration},
};
use tempfile::TempDir;

/// Four tables of nearly 2^16 values, beside the small ones, are more than the circuit for registration holds: `z` is
/// proven in a second part.
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

[[column]]
name = "w"
type = "number"
min = 0
max = 65531

[[column]]
name = "x"
type = "number"
min = 0
max = 65532

[[column]]
name = "y"
type = "number"
min = 0
max = 65533

[[column]]
name = "z"
type = "number"
min = 0
max = 65534
"#;

pub const SQL: &str = "SELECT count(*) FROM t WHERE b AND n >= 100";
pub const OTHER_SQL: &str = "SELECT count(*) FROM t WHERE b";

/// Rows: two chunks of 4,096, the second one not full.
pub const ROWS: usize = 5_000;

pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The sign of a compressed point, in its last byte.
pub const SIGN: u8 = 0x80;
/// The mark of the point at infinity, there too.
pub const INFINITY: u8 = 0x40;

/// The parameter set.
pub static KEYS: LazyLock<ParameterStore> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    ParameterStore::open_development(&cache, Shape::ALL[0], &Silent).unwrap()
});

/// The verifying part of another one: the sign of a point is another.
pub static OTHER_SET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = KEYS.verifying_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= SIGN;
    bytes
});

pub fn other_keys() -> VerifyingSet {
    VerifyingSet::from_bytes(&OTHER_SET).unwrap()
}

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
        let mut csv = String::from("pid,consent,b,n,w,x,y,z\n");
        for i in 0..ROWS {
            let b = ["true", "false", ""][i % 3];
            let (consent, n) = (i % 10 != 0, (i * usize::from(seed)) % 601);
            let large = i * usize::from(seed) * 7_919 % 65_531;
            let [w, x, y, z] = [0, 1, 2, 3].map(|more| large + more);
            writeln!(csv, "p{i},{consent},{b},{n},{w},{x},{y},{z}").unwrap();
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
        let registration = dataset.registration().unwrap();
        Self {
            _home: home,
            dataset,
            registration,
        }
    }

    pub fn manifest(&self) -> Vec<u8> {
        serde_json::to_vec(&self.dataset.dataset().manifest).unwrap()
    }

    pub fn registered(&self) -> Registered {
        self.dataset.registered(&KEYS).unwrap()
    }

    pub fn answer(&self, sql: &str) -> Bundle {
        let (bundle, _, _) = answer(&self.dataset, &question(sql), &KEYS, &Silent).unwrap();
        bundle
    }

    fn bundle(&self, sql: &str) -> Vec<u8> {
        serde_json::to_vec(&self.answer(sql)).unwrap()
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
/// The other hospital's answer to the first query.
pub static OTHERS_BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| OTHER.bundle(SQL));

/// A proof of a document with its bytes changed.
pub fn edited(proof: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = from_base64(proof, MAX_BUNDLE_BYTES).unwrap();
    change(&mut bytes);
    base64(&bytes)
}
