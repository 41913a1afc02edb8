//! A development set from nothing: the commitment string, and the keys of registration and of one query.

use anyhow::Result;
use galen_benches::{
    arguments, cpu_timed,
    hospital::{ask, commit, params, shape},
    load, measuring, ms, timed,
};

const PATIENTS: u64 = 15_000;

fn main() -> Result<()> {
    if !measuring() {
        return measure(600);
    }
    let patients = arguments().first().and_then(|n| n.parse().ok());
    measure(patients.unwrap_or(PATIENTS))
}

fn measure(patients: u64) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let shape = shape(patients)?;
    let ((set, cpu), opening) = timed(|| cpu_timed(|| params(&folder.path().join("cache"), shape)));
    let set = set?;
    println!(
        "{patients} patients, parameters for {shape}: {:.0} ms ({:.0} ms of CPU) until a set is open; {}",
        ms(opening),
        ms(cpu),
        load()
    );
    let committed = folder.path().join("committed");
    let (report, all) = timed(|| commit(folder.path(), patients, &set, &committed));
    let report = report?;
    println!(
        "  writing, committing, registering: {:.0} ms, of which committing {:.0} ms and registration {:.0} ms; \
         the rest is mostly its key",
        ms(all),
        ms(report.commit_time),
        ms(report.registration_time)
    );
    let (first, all) = timed(|| ask(&committed, &set, 0));
    first?;
    let again = ask(&committed, &set, 0)?;
    println!(
        "  the first query: {:.0} ms with its key; {:.0} ms with it at hand",
        ms(all),
        ms(again.proving)
    );
    Ok(())
}
