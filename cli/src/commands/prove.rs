use std::path::PathBuf;

use anyhow::{Context, Result};
use galen_params::Shape;
use galen_prover::{
    ProverError,
    dataset::{CommittedDataset, read_public},
    execute::{ProveReport, answer},
};
use galen_verifier::{VerifyError, bundle::Bundle};
use serde_json::{Value, json};

use crate::{
    failure::refusal, files, output::Output, params::Cache, params::INSECURE, progress::Bars, show,
    shown::Shown,
};

const EXAMPLE: &str = "\
Example: the hospital answers a registered query over its committed table
  galen prove --dataset heart-epoch1 --query query.json --out bundle.json
The bundle holds released cells and proofs, no patient's values: hand it to anyone.";

/// Answers a query over a committed dataset and proves the answer
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The dataset folder that `galen commit` made
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// The registered query
    #[arg(long, value_name = "FILE")]
    query: PathBuf,
    /// The bundle to write; an older one is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    cache: Cache,
}

/// Proves, verifies, writes.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    files::check_replaces(&args.out, "bundle", |b| Bundle::from_json(b).is_ok())?;
    let question = files::question(&args.query)?;
    let dataset = open(args, output)?;
    let (dataset, params) = (&dataset.0, &dataset.1);
    let (bundle, answer, report) = answer(dataset, &question, params, &Bars::new(output))?;
    let bytes = serde_json::to_vec(&bundle)?;
    files::write_atomic(&args.out, &bytes)?;
    let size = bytes.len() as u64;
    let rows = answer.source.rows;
    output.document(&json!({
        "out": args.out,
        "bundle_bytes": size,
        "answer": answer.to_json(),
        "report": report_json(&report, rows),
    }))?;
    let shown = Shown::from(&answer);
    output.line(show::answer(&shown))?;
    let rule = &dataset.dataset().manifest.release;
    if let Some(note) = show::suppression(&answer, rule) {
        output.line(format!("\n{note}"))?;
    }
    output.line(format!("\n{}", show::derived(&shown)))?;
    let mut facts = show::source(&answer);
    facts.extend([
        (
            "proving",
            format!(
                "{} ({} a patient, {} arithmetic)",
                show::time(report.proving_time),
                show::per_patient(report.proving_time, rows),
                galen_field::path()
            ),
        ),
        ("verifying", show::time(report.verifying_time)),
        (
            "bundle",
            format!("{}, {}", args.out.display(), show::bytes(size)),
        ),
    ]);
    output.line(format!("\n{}", show::facts(&facts)))?;
    if answer.insecure {
        output.line(format!("\n{INSECURE}"))?;
    }
    Ok(())
}

/// A proving report as JSON.
pub fn report_json(report: &ProveReport, rows: u64) -> Value {
    let seconds = report.proving_time.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = seconds * 1e6 / rows.max(1) as f64;
    json!({
        "proving_seconds": seconds,
        "microseconds_per_patient": each,
        "verifying_seconds": report.verifying_time.as_secs_f64(),
        "arithmetic": galen_field::path().to_string(),
    })
}

fn open(args: &Args, output: &Output) -> Result<(CommittedDataset, galen_params::ParameterStore)> {
    let (manifest, _) = read_public(&args.dataset)?;
    let shape = Shape::from_name(&manifest.shape).ok_or_else(|| {
        let why = format!("manifest: unknown shape `{}`", manifest.shape);
        VerifyError::Manifest(why)
    })?;
    let cache = args.cache.folder()?;
    let other = || {
        format!(
            "{} was committed with other parameters than those in {}; give the --cache that `galen commit` used. Proofs over a dataset need the very parameters that it was committed with: where they are lost, commit the table again",
            args.dataset.display(),
            cache.display()
        )
    };
    // New parameters would not be the dataset's: do not spend time on making them.
    if !galen_params::development_folder(&cache, shape).is_dir() {
        return Err(refusal("ParameterSet", other()));
    }
    let params = args.cache.open(shape, output)?;
    match CommittedDataset::open(&args.dataset, &params) {
        Ok(dataset) => Ok((dataset, params)),
        Err(e @ ProverError::Verify(VerifyError::ParameterSet { .. })) => {
            Err(e).with_context(other)
        }
        Err(e) => Err(e.into()),
    }
}
