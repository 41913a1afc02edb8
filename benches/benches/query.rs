//! One query over 15,000 patients: the first time, with no predicate proven before, and again.

use std::path::Path;

use anyhow::Result;
use galen_benches::{
    arguments,
    hospital::{Asked, ask, commit, copy_folder, params},
    load, measuring, median, ms, us_each,
};
use galen_params::{ParameterStore, Shape};
use galen_verifier::proven::Proven;

const PATIENTS: u64 = 15_000;
const RUNS: usize = 5;
const VERIFICATIONS: usize = 20;

fn main() -> Result<()> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters");
    if !measuring() {
        return measure(&cache, Shape::Tiny, 600, 1);
    }
    let shapes = match arguments().first() {
        Some(name) => vec![Shape::from_name(name).unwrap_or(Shape::Clinic)],
        None => vec![Shape::Clinic],
    };
    for shape in shapes {
        measure(&cache, shape, PATIENTS, RUNS)?;
    }
    Ok(())
}

fn measure(cache: &Path, shape: Shape, patients: u64, runs: usize) -> Result<()> {
    let params = params(cache, shape)?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let committed = folder.path().join("committed");
    println!("{patients} patients, shape {shape}; {}", load());
    let report = commit(folder.path(), patients, &params, &committed)?;
    println!(
        "  committed {} columns in {} chunks: {:.1} ms; {} registration proofs: {:.1} ms",
        report.columns,
        report.chunks,
        ms(report.commit_time),
        report.proofs,
        ms(report.registration_time)
    );
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    // The first run loads keys and warms the caches of the system; it is not counted.
    for run in 0..=runs {
        let copy = folder.path().join(format!("copy-{run}"));
        copy_folder(&committed, &copy)?;
        let mut proven = Proven::default();
        let first = ask(&copy, &params, 0, &mut proven)?;
        let again = ask(&copy, &params, VERIFICATIONS, &mut proven)?;
        if run > 0 {
            cold.push(first);
            warm.push(again);
        }
        std::fs::remove_dir_all(copy)?;
    }
    show("cold", &cold, patients);
    show("warm", &warm, patients);
    batch(&committed, &params)
}

fn show(name: &str, runs: &[Asked], patients: u64) {
    let Some(one) = runs.first() else { return };
    let proving = median(runs.iter().map(|r| r.proving).collect());
    let verifying = median(runs.iter().map(|r| r.verifying).collect());
    let known = median(runs.iter().map(|r| r.verifying_known).collect());
    println!(
        "  {name}: proving {:.1} ms ({:.2} µs a patient), {} proofs made, {} reused; \
         bundle {} bytes; verification {:.2} ms, {:.2} ms beside known proofs; {} runs, {}",
        ms(proving),
        us_each(proving, patients),
        one.proven,
        one.reused,
        one.bundle_bytes,
        ms(verifying),
        ms(known),
        runs.len(),
        load()
    );
}

/// Verifying right after opening: manifest, points and keys are checked too.
fn batch(committed: &Path, params: &ParameterStore) -> Result<()> {
    let bytes = params.verifying_bytes();
    let (set, time) = galen_benches::timed(|| galen_params::VerifyingSet::from_bytes(bytes));
    set?;
    let (opened, open) =
        galen_benches::timed(|| galen_prover::dataset::CommittedDataset::open(committed, params));
    opened?;
    println!(
        "  verifying set of {} bytes read in {:.1} ms; dataset opened in {:.1} ms",
        bytes.len(),
        ms(time),
        ms(open)
    );
    Ok(())
}
