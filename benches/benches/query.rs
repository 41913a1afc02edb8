//! One query over 15,000 patients: the first time, before any sums by value are kept, and again.

use std::{fs, path::Path};

use anyhow::Result;
use galen_benches::{
    arguments,
    hospital::{Asked, ask, commit, copy_folder, forget_sums, params, shape},
    load, measuring, median, ms, us_each,
};
use galen_params::ParameterStore;

const PATIENTS: u64 = 15_000;
const RUNS: usize = 5;
const VERIFICATIONS: usize = 20;

fn main() -> Result<()> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters");
    if !measuring() {
        return measure(&cache, 600, 1);
    }
    let patients = arguments().first().and_then(|n| n.parse().ok());
    measure(&cache, patients.unwrap_or(PATIENTS), RUNS)
}

fn measure(cache: &Path, patients: u64, runs: usize) -> Result<()> {
    let shape = shape(patients)?;
    let params = params(cache, shape)?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let committed = folder.path().join("committed");
    println!("{patients} patients, parameters for {shape}; {}", load());
    let report = commit(folder.path(), patients, &params, &committed)?;
    println!(
        "  committed {} columns in {} chunks: {:.1} ms; {} registration proofs: {:.1} ms",
        report.columns,
        report.chunks,
        ms(report.commit_time),
        report.proofs,
        ms(report.registration_time)
    );
    let (mut first, mut later) = (Vec::new(), Vec::new());
    // The first run loads keys and warms the caches of the system; it is not counted.
    for run in 0..=runs {
        let copy = folder.path().join(format!("copy-{run}"));
        copy_folder(&committed, &copy)?;
        forget_sums(&copy)?;
        let (one, two) = (ask(&copy, &params, 0)?, ask(&copy, &params, VERIFICATIONS)?);
        if run > 0 {
            first.push(one);
            later.push(two);
        }
        fs::remove_dir_all(copy)?;
    }
    show("without sums by value", &first, patients);
    show("with them", &later, patients);
    opening(&committed, &params)
}

fn show(name: &str, runs: &[Asked], patients: u64) {
    let Some(one) = runs.first() else { return };
    let proving = median(runs.iter().map(|r| r.proving).collect());
    let verifying = median(runs.iter().map(|r| r.verifying).collect());
    println!(
        "  {name}: proving {:.1} ms ({:.2} µs a patient); proof {} bytes, bundle {}; \
         verification {:.2} ms; {} runs, {}",
        ms(proving),
        us_each(proving, patients),
        one.proof_bytes,
        one.bundle_bytes,
        ms(verifying),
        runs.len(),
        load()
    );
}

/// What a verifier does before its first answer: keys, manifest and registration are checked.
fn opening(committed: &Path, params: &ParameterStore) -> Result<()> {
    let bytes = params.verifying_bytes();
    let (set, time) = galen_benches::timed(|| galen_params::VerifyingSet::from_bytes(bytes));
    set?;
    let (registered, registering) = galen_benches::timed(|| {
        galen_prover::dataset::CommittedDataset::open(committed, params)?.registered(params)
    });
    registered?;
    println!(
        "  verifying part of {} bytes read in {:.1} ms; manifest and registration checked in {:.1} ms",
        bytes.len(),
        ms(time),
        ms(registering)
    );
    Ok(())
}
