//! What a paper's tables cost over 15,000 patients: each query on a registered dataset.

use std::path::Path;

use anyhow::Result;
use galen_benches::{
    arguments,
    hospital::{Asked, ask_as, commit_as, shape},
    load, measuring, median, ms,
};
use galen_params::{ParameterStore, Silent};
use galen_prover::synthetic;
use galen_query::{question::Question, registry::Registry};

const PATIENTS: u64 = 15_000;
const RUNS: usize = 3;

const QUERIES: [(&str, &str); 6] = [
    (
        "two-way table with means, 10 × 2 groups",
        "SELECT width_bucket(age, 20, 100, 8) AS band, statin, count(*), avg(ldl) FROM cardio \
         GROUP BY band, statin",
    ),
    (
        "histogram of 20 bins",
        "SELECT width_bucket(bmi, 12, 70, 20) AS bin, count(*) FROM cardio GROUP BY bin",
    ),
    (
        "table 1 by arm: age, sex, 6 comorbidities, 4 measurements with mean and SD",
        "SELECT statin, count(*), avg(age), stddev_samp(age), count(*) FILTER (WHERE sex = 'F'), \
         sum(diabetes), sum(hypertension), sum(heart_failure), sum(atrial_fibrillation), \
         sum(kidney_disease), sum(copd), avg(bmi), stddev_samp(bmi), avg(sbp), stddev_samp(sbp), \
         avg(ldl), stddev_samp(ldl), avg(hba1c), stddev_samp(hba1c) FROM cardio GROUP BY statin",
    ),
    (
        "survival by arm, 21 years",
        "SELECT statin, width_bucket(follow_up_months, 0, 252, 21) AS year, count(*) AS leaving, \
         sum(death) AS deaths FROM cardio GROUP BY statin, year",
    ),
    (
        "median and quartiles by arm",
        "SELECT statin, percentile_disc(0.25) WITHIN GROUP (ORDER BY ldl), \
         percentile_disc(0.5) WITHIN GROUP (ORDER BY ldl), \
         percentile_disc(0.75) WITHIN GROUP (ORDER BY ldl) FROM cardio GROUP BY statin",
    ),
    (
        "attrition over 5 criteria",
        "EXPLAIN COHORT SELECT count(*) FROM cardio WHERE age >= 40 AND diabetes AND ldl IS NOT NULL \
         AND NOT heart_failure AND bmi < 40",
    ),
];

fn main() -> Result<()> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("parameters");
    if !measuring() {
        return measure(&cache, 600, 1);
    }
    let patients = arguments().first().and_then(|n| n.parse().ok());
    measure(&cache, patients.unwrap_or(PATIENTS), RUNS)
}

/// The made-up hospital's registry without the columns that no query here reads.
fn registry_toml() -> String {
    let unused = [
        "region",
        "main_diagnosis",
        "first_visit",
        "days_in_hospital",
        "cost_eur",
        "dbp",
        "smoker",
    ];
    let mut parts = synthetic::REGISTRY_TOML.split("\n[[column]]\n");
    let head = parts.next().unwrap_or_default().to_owned();
    let named = |part: &str, name: &str| part.starts_with(&format!("name = \"{name}\"\n"));
    let kept = parts.filter(|p| !unused.iter().any(|name| named(p, name)));
    kept.fold(head, |text, part| text + "\n[[column]]\n" + part)
}

fn measure(cache: &Path, patients: u64, runs: usize) -> Result<()> {
    let toml = registry_toml();
    let registry = Registry::from_toml(&toml)?;
    let shape = shape(patients)?;
    let params = ParameterStore::open_development(cache, shape, &Silent)?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let committed = folder.path().join("committed");
    let report = commit_as(&toml, folder.path(), patients, &params, &committed)?;
    println!(
        "{patients} patients, parameters for {shape}, {} columns: committed in {:.0} ms, {} registration proofs in {:.0} ms; {}",
        report.columns,
        ms(report.commit_time),
        report.proofs,
        ms(report.registration_time),
        load()
    );
    println!(
        "| query | proven, ms | proof, bytes | bundle, bytes | verified, ms |\n|---|---|---|---|---|"
    );
    for (name, sql) in QUERIES {
        let question = Question::new(&registry, "DUO:0000042", sql, None)?;
        let mut asked = Vec::new();
        // The first run loads keys and is not counted.
        for run in 0..=runs {
            let one = ask_as(&question, &committed, &params, 10)?;
            if run > 0 {
                asked.push(one);
            }
        }
        row(name, &asked);
    }
    println!("{}", load());
    Ok(())
}

fn row(name: &str, runs: &[Asked]) {
    let Some(one) = runs.first() else { return };
    println!(
        "| {name} | {:.0} | {} | {} | {:.1} |",
        ms(median(runs.iter().map(|r| r.proving).collect())),
        one.proof_bytes,
        one.bundle_bytes,
        ms(median(runs.iter().map(|r| r.verifying).collect())),
    );
}
