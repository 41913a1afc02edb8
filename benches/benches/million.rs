//! The query over a million patients, by hand: `cargo bench -p galen-benches --bench million -- 1000000`.
//! Each proof runs in a process of its own, so that its peak memory is the prover's alone.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use galen_benches::{
    arguments,
    hospital::{ask, commit, params},
    load, measuring, memory, ms, us_each,
};
use galen_params::Shape;

const VERIFICATIONS: usize = 5;

fn main() -> Result<()> {
    let arguments = arguments();
    match &arguments[..] {
        _ if !measuring() => Ok(()),
        [mode, shape, folder, patients] if mode == "prove" => {
            prove(shape_of(shape)?, Path::new(folder), patients.parse()?)
        }
        [patients] => {
            let shape = Shape::for_patients(patients.parse()?);
            measure(patients.parse()?, shape.context("too many patients")?)
        }
        _ => {
            println!("million: give the number of patients: -- 1000000");
            Ok(())
        }
    }
}

fn shape_of(name: &str) -> Result<Shape> {
    Shape::from_name(name).with_context(|| format!("{name} is no shape"))
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters")
}

fn measure(patients: u64, shape: Shape) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let committed = folder.path().join("committed");
    let params = params(&cache(), shape)?;
    println!("{patients} patients, shape {shape}; {}", load());
    let report = commit(folder.path(), patients, &params, &committed)?;
    println!(
        "  committed {} columns in {} chunks: {:.1} s; {} registration proofs: {:.1} s; peak {} MiB",
        report.columns,
        report.chunks,
        report.commit_time.as_secs_f64(),
        report.proofs,
        report.registration_time.as_secs_f64(),
        peak()
    );
    for _ in 0..3 {
        let status = Command::new(std::env::current_exe()?)
            .args(["--bench", "prove", shape.name()])
            .arg(&committed)
            .arg(patients.to_string())
            .status()?;
        ensure!(status.success(), "the proving process failed: {status}");
    }
    Ok(())
}

/// The child: opens, proves, verifies, and says what it took.
fn prove(shape: Shape, folder: &Path, patients: u64) -> Result<()> {
    let params = params(&cache(), shape)?;
    let asked = ask(folder, &params, VERIFICATIONS)?;
    println!(
        "  proving {:.2} s ({:.2} µs a patient); peak {} MiB; \
         proof {} bytes; verification {:.1} ms; {}",
        asked.proving.as_secs_f64(),
        us_each(asked.proving, patients),
        peak(),
        asked.proof_bytes,
        ms(asked.verifying),
        load()
    );
    Ok(())
}

fn peak() -> u64 {
    memory("VmHWM").unwrap_or(0) >> 20
}
