//! Two queries over tables of any size: `cargo bench -p galen-benches --bench scale -- 262144 1000000 4000000`.
//! Committing and each query run in processes of their own, so that a peak of memory is that work's alone.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail, ensure};
use galen_benches::{
    arguments, cpu_timed,
    hospital::{
        Asked, GROUPS, Q2, WIDE_REGISTRY_TOML, ask_as, commit_as, forget_sums, params, shape,
    },
    load, measuring, median, memory, ms,
};
use galen_query::{question::Question, registry::Registry};

const RUNS: usize = 3;
const VERIFICATIONS: usize = 5;
const QUERIES: [(&str, &str); 2] = [
    ("count and sum under three predicates", Q2),
    ("20 groups of 3 cells", GROUPS),
];

fn main() -> Result<()> {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["commit", patients, folder] => commit(patients.parse()?, Path::new(folder)),
        ["prove", patients, folder, query] => {
            prove(patients.parse()?, Path::new(folder), query.parse()?)
        }
        _ if !measuring() => measure(600),
        [] => bail!("give numbers of patients: -- 262144 1000000"),
        sizes => sizes.iter().try_for_each(|n| measure(n.parse()?)),
    }
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters")
}

fn measure(patients: u64) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    // The string is made beforehand; each process makes or reads the keys that it needs, outside of the clock.
    params(&cache(), shape(patients)?)?.srs()?;
    println!(
        "{patients} patients, parameters for {}; {}",
        shape(patients)?,
        load()
    );
    child(&["commit", &patients.to_string()], folder.path(), &[])?;
    for query in 0..QUERIES.len() {
        child(
            &["prove", &patients.to_string()],
            folder.path(),
            &[&query.to_string()],
        )?;
    }
    Ok(())
}

fn child(before: &[&str], folder: &Path, after: &[&str]) -> Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    if measuring() {
        command.arg("--bench");
    }
    let status = command.args(before).arg(folder).args(after).status()?;
    ensure!(status.success(), "{before:?} failed: {status}");
    Ok(())
}

/// Makes the table, commits and registers it.
fn commit(patients: u64, folder: &Path) -> Result<()> {
    let params = params(&cache(), shape(patients)?)?;
    let out = folder.join("committed");
    let report = commit_as(WIDE_REGISTRY_TOML, folder, patients, &params, &out)?;
    println!(
        "  committed {} columns in {} chunks: {:.0} ms; {} registration proofs: {:.0} ms; peak {} MiB; {}",
        report.columns,
        report.chunks,
        ms(report.commit_time),
        report.proofs,
        ms(report.registration_time),
        peak(),
        load()
    );
    Ok(())
}

/// Proves without sums by value and with them, in turns. The first round loads keys and is not counted.
fn prove(patients: u64, folder: &Path, query: usize) -> Result<()> {
    let (name, sql) = QUERIES[query];
    let params = params(&cache(), shape(patients)?)?;
    let question = Question::new(
        &Registry::from_toml(WIDE_REGISTRY_TOML)?,
        "DUO:0000042",
        sql,
        None,
    )?;
    let folder = folder.join("committed");
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for run in 0..=if measuring() { RUNS } else { 0 } {
        forget_sums(&folder)?;
        let ask = || ask_as(&question, &folder, &params, VERIFICATIONS);
        let (cold, warm) = (cpu_timed(ask), cpu_timed(ask));
        if run > 0 || !measuring() {
            first.push((cold.0?, cold.1));
            later.push((warm.0?, warm.1));
        }
    }
    println!("  {name}; peak {} MiB; {}", peak(), load());
    show("first", &first);
    show("later", &later);
    Ok(())
}

fn show(when: &str, runs: &[(Asked, std::time::Duration)]) {
    let Some((one, _)) = runs.first() else { return };
    let of = |f: fn(&(Asked, std::time::Duration)) -> std::time::Duration| {
        ms(median(runs.iter().map(f).collect()))
    };
    println!(
        "    {when}: proving {:.0} ms; all with {VERIFICATIONS} verifications {:.0} ms of CPU; proof {} bytes, \
         bundle {}; verification {:.1} ms",
        of(|r| r.0.proving),
        of(|r| r.1),
        one.proof_bytes,
        one.bundle_bytes,
        of(|r| r.0.verifying),
    );
}

fn peak() -> u64 {
    memory("VmHWM").unwrap_or(0) >> 20
}
