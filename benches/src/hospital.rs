//! The made-up hospital that whole queries run over, with only the columns that the query needs.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use galen_params::{ParameterStore, Shape, Silent};
use galen_prover::{
    dataset::{self, CommitReport, CommitRequest, CommittedDataset},
    execute, synthetic,
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{manifest::ReleaseProfile, plan::gates_for, proven::Proven, verify_beyond};

use crate::{median, timed};

/// Consent, three columns of predicates and the one that is averaged.
pub const REGISTRY_TOML: &str = r#"
[registry]
name = "bench"
version = 1
title = "The columns of one query"
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
label = "general research use"
column = "consent_research"

[[column]]
name = "age"
type = "number"
title = "age at the first visit"
min = 18
max = 100
decimals = 0

[[column]]
name = "bmi"
type = "number"
title = "body mass index"
min = 12.0
max = 70.0
decimals = 1
nullable = true

[[column]]
name = "sbp"
type = "number"
title = "systolic blood pressure"
min = 70
max = 250
decimals = 0
nullable = true

[[column]]
name = "hba1c"
type = "number"
title = "haemoglobin A1c"
min = 3.0
max = 18.0
decimals = 1
nullable = true
"#;

/// Count and average under three range predicates.
pub const SQL: &str = "SELECT count(*), avg(hba1c) FROM bench \
     WHERE age BETWEEN 40 AND 75 AND sbp > 120 AND bmi < 35";

/// The registry, parsed.
///
/// # Errors
/// None: the text is fixed.
pub fn registry() -> Result<Registry> {
    Ok(Registry::from_toml(REGISTRY_TOML)?)
}

/// The query.
///
/// # Errors
/// None: the text is fixed.
pub fn question() -> Result<Question> {
    Ok(Question::new(&registry()?, "DUO:0000042", SQL, None)?)
}

/// The parameter set of `shape` below `cache` with the gates of the registry, made if need be.
///
/// # Errors
/// A cache that cannot be read or written.
pub fn params(cache: &Path, shape: Shape) -> Result<ParameterStore> {
    let gates = gates_for(&registry()?);
    Ok(ParameterStore::open_development(
        cache, shape, &gates, &Silent,
    )?)
}

/// Writes `patients` made-up patients below `folder` and commits them as `out`, with registration.
///
/// # Errors
/// A folder that cannot be written.
pub fn commit(
    folder: &Path,
    patients: u64,
    params: &ParameterStore,
    out: &Path,
) -> Result<CommitReport> {
    commit_as(REGISTRY_TOML, folder, patients, params, out)
}

/// The same under another registry.
///
/// # Errors
/// As [`commit`].
pub fn commit_as(
    registry_toml: &str,
    folder: &Path,
    patients: u64,
    params: &ParameterStore,
    out: &Path,
) -> Result<CommitReport> {
    let table = folder.join(format!("{patients}.parquet"));
    synthetic::write_hospital(&table, patients, 1)?;
    let registry = Registry::from_toml(registry_toml)?;
    let request = CommitRequest {
        table: &table,
        registry_toml,
        registry: &registry,
        hospital: "Bench",
        dataset: "bench",
        epoch: 1,
        release: ReleaseProfile::default(),
        key: &dataset::load_or_create_key(&folder.join("key"))?,
        out,
    };
    Ok(dataset::commit(&request, params, &Silent)?.1)
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Reading chunks, committing, proving; without loading keys.
    pub proving: Duration,
    /// Proofs made.
    pub proven: usize,
    /// Proofs taken from the index.
    pub reused: usize,
    /// Verifying the bundle with keys and manifest in memory; the median of `verifications` runs.
    pub verifying: Duration,
    /// The same by a verifier that has seen the dataset's other proofs before, as part of another answer.
    pub verifying_known: Duration,
    /// The bundle as JSON.
    pub bundle_bytes: usize,
}

/// Asks the query of the dataset in `folder` and verifies the bundle `verifications` more times, with what
/// `proven` knew before and without it; then adds the bundle's proofs to it.
///
/// # Errors
/// A damaged folder, or an answer that does not verify.
pub fn ask(
    folder: &Path,
    params: &ParameterStore,
    verifications: usize,
    proven: &mut Proven,
) -> Result<Asked> {
    ask_as(&question()?, folder, params, verifications, proven)
}

/// The same with another question.
///
/// # Errors
/// As [`ask`].
pub fn ask_as(
    question: &Question,
    folder: &Path,
    params: &ParameterStore,
    verifications: usize,
    proven: &mut Proven,
) -> Result<Asked> {
    let dataset = CommittedDataset::open(folder, params)?;
    let (bundle, _, report) = execute::answer(&dataset, question, params, &Silent)?;
    let manifest = &dataset.dataset().manifest;
    let keys = params.verifying();
    let registry = dataset.registry();
    let check = |known: &mut Proven| -> Result<Duration> {
        let verify = || verify_beyond(known, &bundle, manifest, registry, question, &keys);
        let (result, time) = timed(verify);
        result?;
        Ok(time)
    };
    let (mut verifying, mut verifying_known) = (Vec::new(), Vec::new());
    for _ in 0..=verifications {
        verifying.push(check(&mut Proven::default())?);
        verifying_known.push(check(&mut proven.clone())?);
    }
    check(proven)?;
    Ok(Asked {
        proving: report.proving_time,
        proven: report.proven,
        reused: report.reused,
        verifying: median(verifying),
        verifying_known: median(verifying_known),
        bundle_bytes: serde_json::to_vec(&bundle)?.len(),
    })
}

/// Copies a dataset folder, to keep its index as it is right after registration.
///
/// # Errors
/// A folder that cannot be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
