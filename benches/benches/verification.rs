//! Answers of one query shape verified together: `galen_verifier::verify_all`.

use std::path::Path;

use anyhow::{Result, ensure};
use galen_benches::{
    arguments,
    hospital::{REGISTRY_TOML, commit, params, shape},
    load, measuring, median, ms, timed,
};
use galen_params::Silent;
use galen_prover::{dataset::CommittedDataset, execute};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{Job, bundle::Bundle, verify_all};

const PATIENTS: u64 = 15_000;
const ANSWERS: u32 = 256;
const RUNS: usize = 5;

fn main() -> Result<()> {
    if !measuring() {
        return measure(600, 2, 1);
    }
    let answers = arguments().first().and_then(|n| n.parse().ok());
    measure(PATIENTS, answers.unwrap_or(ANSWERS), RUNS)
}

fn measure(patients: u64, answers: u32, runs: usize) -> Result<()> {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let shape = shape(patients)?;
    let params = params(&temporary.join("parameters"), shape)?;
    let folder = tempfile::tempdir_in(temporary)?;
    let committed = folder.path().join("committed");
    commit(folder.path(), patients, &params, &committed)?;
    let dataset = CommittedDataset::open(&committed, &params)?;
    let registry = Registry::from_toml(REGISTRY_TOML)?;
    // One shape, different questions: none of what is verified is the same statement as another.
    let asked: Vec<(Question, Bundle)> = (0..answers)
        .map(|i| {
            let sql = format!(
                "SELECT count(*), avg(hba1c) FROM bench \
                 WHERE age BETWEEN {} AND 75 AND sbp > {} AND bmi < 35",
                30 + i % 16,
                100 + i / 16
            );
            let question = Question::new(&registry, "DUO:0000042", &sql, None)?;
            let (bundle, ..) = execute::answer(&dataset, &question, &params, &Silent)?;
            Ok((question, bundle))
        })
        .collect::<Result<_>>()?;
    let registered = dataset.registered(&params)?;
    let jobs: Vec<Job<'_>> = asked
        .iter()
        .map(|(question, bundle)| Job {
            bundle,
            registered: &registered,
            registry: &registry,
            question,
        })
        .collect();
    let keys = params.verifying();
    for together in [1, 16, jobs.len()] {
        let mut times = Vec::new();
        for _ in 0..runs {
            let (verdicts, time) = timed(|| {
                jobs.chunks(together)
                    .flat_map(|jobs| verify_all(&keys, jobs))
                    .collect::<Vec<_>>()
            });
            ensure!(
                verdicts.iter().all(Result::is_ok),
                "an answer does not hold"
            );
            times.push(time);
        }
        let time = median(times);
        println!(
            "{answers} answers over {patients} patients, {together} together: {:.1} ms, {:.0} a second; {}",
            ms(time),
            f64::from(answers) / time.as_secs_f64(),
            load()
        );
    }
    Ok(())
}
