//! The made-up hospital that whole queries run over, with only the columns that the query needs.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use galen_params::{ParameterStore, Shape, Silent};
use galen_prover::{
    dataset::{self, CommitReport, CommitRequest, CommittedDataset},
    execute, synthetic,
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{manifest::ReleaseProfile, verify};

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

/// Eight columns, most of them of about ten bits, for tables of any size.
pub const WIDE_REGISTRY_TOML: &str = r#"
[registry]
name = "bench"
version = 1
title = "Eight columns of about ten bits"
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
label = "general research use"
column = "consent_research"

[[column]]
name = "sex"
type = "category"
title = "administrative sex"
codes = ["F", "M", "O"]

[[column]]
name = "age"
type = "number"
title = "age at the first visit"
min = 0
max = 1023
decimals = 0

[[column]]
name = "bmi"
type = "number"
title = "body mass index"
min = 0.0
max = 102.3
decimals = 1
nullable = true

[[column]]
name = "sbp"
type = "number"
title = "systolic blood pressure"
min = 0
max = 1023
decimals = 0
nullable = true

[[column]]
name = "ldl"
type = "number"
title = "LDL cholesterol"
min = 0.00
max = 12.00
decimals = 2
nullable = true

[[column]]
name = "hba1c"
type = "number"
title = "haemoglobin A1c"
min = 0.0
max = 102.3
decimals = 1
nullable = true

[[column]]
name = "diabetes"
type = "boolean"
title = "diabetes mellitus"

[[column]]
name = "statin"
type = "boolean"
title = "takes a statin"
"#;

/// Count and sum under a range, an equality and a one-sided range.
pub const Q2: &str = "SELECT count(*), sum(ldl) FROM bench \
     WHERE age BETWEEN 40 AND 65 AND sex = 'F' AND hba1c >= 6.5";

/// Three cells (count, contributors, sum) in each of 20 groups.
pub const GROUPS: &str = "SELECT width_bucket(age, 20, 100, 8) AS band, statin, count(*), avg(ldl) FROM bench \
     GROUP BY band, statin";

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

/// The shape of a table of so many patients.
///
/// # Errors
/// More patients than any has.
pub fn shape(patients: u64) -> Result<Shape> {
    Shape::for_patients(usize::try_from(patients)?).context("too many patients")
}

/// The parameter set of `shape` below `cache`, made if need be.
///
/// # Errors
/// A cache that cannot be read or written.
pub fn params(cache: &Path, shape: Shape) -> Result<ParameterStore> {
    Ok(ParameterStore::open_development(cache, shape, &Silent)?)
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
    /// Reading chunks, executing, committing, proving; without loading keys.
    pub proving: Duration,
    /// Verifying the bundle with keys and the registered dataset in memory; the median of the runs.
    pub verifying: Duration,
    /// The bundle as JSON.
    pub bundle_bytes: usize,
    /// What of it is proof.
    pub proof_bytes: usize,
}

/// Asks the query of the dataset in `folder` and verifies the bundle `verifications` more times.
///
/// # Errors
/// A damaged folder, or an answer that does not verify.
pub fn ask(folder: &Path, params: &ParameterStore, verifications: usize) -> Result<Asked> {
    ask_as(&question()?, folder, params, verifications)
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
) -> Result<Asked> {
    let dataset = CommittedDataset::open(folder, params)?;
    let (bundle, _, report) = execute::answer(&dataset, question, params, &Silent)?;
    let registered = dataset.registered(params)?;
    let (keys, registry) = (params.verifying(), dataset.registry());
    let mut verifying = vec![report.verifying_time];
    for _ in 0..verifications {
        let (result, time) = timed(|| verify(&bundle, &registered, registry, question, &keys));
        result?;
        verifying.push(time);
    }
    Ok(Asked {
        proving: report.proving_time,
        verifying: median(verifying),
        bundle_bytes: serde_json::to_vec(&bundle)?.len(),
        proof_bytes: bundle.proof_bytes(),
    })
}

/// Forgets the sums by value of a dataset, which its next query makes anew.
///
/// # Errors
/// A folder that cannot be written.
pub fn forget_sums(folder: &Path) -> Result<()> {
    let sums = folder.join("secret/sums");
    fs::remove_dir_all(&sums)?;
    Ok(fs::create_dir(sums)?)
}

/// Copies a dataset folder, to keep it as it is right after registration.
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
