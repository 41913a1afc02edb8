use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use galen_ledger::statement::check_name;
use galen_params::Shape;
use galen_prover::{
    ProverError,
    dataset::{CommitReport, CommitRequest, CommittedDataset, commit, load_or_create_key},
    table::TableReader,
};
use galen_query::{registry::Registry, text::hex};
use galen_verifier::rules::{ReleaseProfile, Ties};
use serde_json::{Value, json};

use crate::{
    failure::refusal,
    files,
    output::Output,
    params::{Cache, INSECURE, parse_shape},
    progress::Bars,
    show,
};

const EXAMPLE: &str = "\
Example: the hospital data team commits the table of this quarter
  galen commit --table patients.parquet --registry registry.toml --out heart-epoch1 \\
      --hospital 'St. Bartholomew' --dataset heart
Publish heart-epoch1/manifest.json and the registry. heart-epoch1/secret and the
key (hospital.key, beside the folder) never leave the hospital: keep a backup of the key.

Without --shape, the smallest parameter set that holds the table is taken.";

/// Commits a patient table as a dataset epoch, and proves its columns well-formed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The patient table, .parquet or .csv, one row a patient
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// The study's registry
    #[arg(long, value_name = "FILE")]
    registry: PathBuf,
    /// The dataset folder to make; it must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The hospital's name
    #[arg(long, value_name = "NAME")]
    hospital: String,
    /// The dataset's name
    #[arg(long, value_name = "NAME")]
    dataset: String,
    /// The dataset's epoch, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    epoch: u32,
    /// Parameters for so many patients at most: 16k, 32k, … 1m, … 16m [default: by the table's size]
    #[arg(long, value_parser = parse_shape)]
    shape: Option<Shape>,
    /// The hospital's signing key; made where there is none [default: hospital.key beside --out]
    #[arg(long, value_name = "FILE", env = "GALEN_KEY")]
    key: Option<PathBuf>,
    #[command(flatten)]
    rule: Rule,
    #[command(flatten)]
    cache: Cache,
}

/// The release rule, on record before any query
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Release rule")]
struct Rule {
    /// cms-11 (counts below 11 are hidden, and what they could be computed from), opensafely (up to 7
    /// hidden, others rounded to 5) or ohdsi-5 (below 5 hidden)
    #[arg(long, value_name = "PROFILE", default_value = "cms-11", value_parser = ReleaseProfile::NAMES)]
    release: String,
    /// Hide counts below this [default: the profile's]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    k: Option<u64>,
    /// Hide counts of zero too
    #[arg(long)]
    no_zero: bool,
    /// Round counts to multiples of 1, 5 or 10 [default: the profile's]
    #[arg(long, value_name = "BASE", value_parser = ["1", "5", "10"])]
    round: Option<String>,
    /// Which way a count halfway between two multiples goes: up, down or even [default: the profile's]
    #[arg(long, value_name = "WAY", value_parser = ["up", "down", "even"])]
    ties: Option<String>,
    /// Whether to hide what a hidden count could be computed from: on or off [default: the profile's]
    #[arg(long, value_name = "ON|OFF", value_parser = ["on", "off"])]
    complementary: Option<String>,
}

impl Rule {
    /// The named profile, or a custom one where an option departs from it.
    fn profile(&self) -> Result<ReleaseProfile> {
        let named = ReleaseProfile::named(&self.release).unwrap_or_default();
        let ties = match self.ties.as_deref() {
            Some("down") => Ties::Down,
            Some("even") => Ties::Even,
            Some(_) => Ties::Up,
            None => named.ties,
        };
        let rounding = self.round.as_deref().and_then(|r| r.parse().ok());
        let complementary = self.complementary.as_deref().map(|c| c == "on");
        let mut profile = ReleaseProfile {
            k: self.k.unwrap_or(named.k),
            zero_releasable: named.zero_releasable && !self.no_zero,
            rounding: rounding.unwrap_or(named.rounding),
            ties,
            complementary: complementary.unwrap_or(named.complementary),
            ..named.clone()
        };
        if profile != named {
            profile.name = "custom".into();
        }
        match profile.problem() {
            Some(problem) => Err(refusal("usage.Release", problem.to_owned())),
            None => Ok(profile),
        }
    }
}

/// Commits.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let (registry_toml, registry) = files::registry(&args.registry)?;
    if args.out.exists() {
        let path = args.out.clone();
        return Err(ProverError::Exists { path }.into());
    }
    check_option("--hospital", &args.hospital)?;
    check_option("--dataset", &args.dataset)?;
    let shape = shape_for(args, &registry)?;
    let params = args.cache.open(shape, output)?;
    let key_path = args
        .key
        .clone()
        .unwrap_or_else(|| args.out.with_file_name("hospital.key"));
    let new_key = !key_path.exists();
    files::create_parent(&key_path)?;
    let key = load_or_create_key(&key_path)?;
    let request = CommitRequest {
        table: &args.table,
        registry_toml: &registry_toml,
        registry: &registry,
        hospital: &args.hospital,
        dataset: &args.dataset,
        epoch: args.epoch,
        release: args.rule.profile()?,
        key: &key,
        out: &args.out,
    };
    let (dataset, report) = commit(&request, &params, &Bars::new(output))?;
    output.document(&document(&dataset, &report, &key_path, new_key))?;
    print(&dataset, &report, &key_path, new_key, output)
}

/// As a ledger takes it: a name that could not be published is refused before hours of work.
fn check_option(option: &str, name: &str) -> Result<()> {
    check_name(option, name).map_err(|e| refusal("usage.Name", e.to_string()))
}

/// Opens the table, so that a wrong one is refused before any long work, and chooses the shape.
fn shape_for(args: &Args, registry: &Registry) -> Result<Shape> {
    let reader = TableReader::open(&args.table, registry).map_err(ProverError::from)?;
    if let Some(shape) = args.shape {
        return Ok(shape);
    }
    let rows = match reader.size_hint() {
        Some(rows) => rows,
        None => count_rows(&args.table)?,
    };
    let most = Shape::ALL[Shape::ALL.len() - 1];
    let patients = usize::try_from(rows.max(1)).ok();
    patients.and_then(Shape::for_patients).ok_or_else(|| {
        let why = format!(
            "the table has {} rows, and at most {} patients make a dataset",
            show::thousands(rows),
            show::thousands(most.capacity())
        );
        refusal("usage.Shape", why)
    })
}

/// Lines of a CSV after its heading: its rows, or some more where lines are blank.
fn count_rows(path: &Path) -> Result<u64> {
    let named = || format!("counting the lines of {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(named)?);
    let mut buffer = vec![0; 1 << 16];
    let (mut ends, mut last) = (0u64, b'\n');
    loop {
        let read = file.read(&mut buffer).with_context(named)?;
        if read == 0 {
            let lines = ends + u64::from(last != b'\n');
            return Ok(lines.saturating_sub(1));
        }
        ends += buffer[..read].iter().filter(|b| **b == b'\n').count() as u64;
        last = buffer[read - 1];
    }
}

fn document(dataset: &CommittedDataset, report: &CommitReport, key: &Path, new_key: bool) -> Value {
    let d = dataset.dataset();
    json!({
        "folder": dataset.folder(),
        "manifest": hex(&d.digest),
        "hospital": d.manifest.hospital,
        "hospital_key": hex(&d.hospital_key),
        "dataset": d.manifest.dataset,
        "epoch": d.manifest.epoch,
        "registry": d.manifest.registry,
        "shape": d.shape.name(),
        "parameter_set": hex(&d.parameter_set),
        "insecure_parameters": true,
        "release": d.manifest.release,
        "provenance": d.manifest.provenance,
        "rows": report.rows,
        "chunks": report.chunks,
        "columns": report.columns,
        "ignored_columns": report.ignored_columns,
        "warnings": report.warnings,
        "registration_proofs": report.proofs,
        "commit_seconds": report.commit_time.as_secs_f64(),
        "registration_seconds": report.registration_time.as_secs_f64(),
        "arithmetic": galen_field::path().to_string(),
        "key_file": key,
        "key_is_new": new_key,
    })
}

fn print(
    dataset: &CommittedDataset,
    report: &CommitReport,
    key: &Path,
    new_key: bool,
    output: &Output,
) -> Result<()> {
    let d = dataset.dataset();
    let made = if new_key {
        " (new: keep a backup of it)"
    } else {
        ""
    };
    let mut facts = vec![
        ("folder", dataset.folder().display().to_string()),
        ("manifest", hex(&d.digest)),
        (
            "hospital",
            format!(
                "{} (public key {})",
                d.manifest.hospital,
                show::short(&d.hospital_key)
            ),
        ),
        ("signing key", format!("{}{made}", key.display())),
        (
            "dataset",
            format!("{}, epoch {}", d.manifest.dataset, d.manifest.epoch),
        ),
        (
            "patients",
            format!(
                "{} in {} of {} rows (parameters for {})",
                show::thousands(report.rows),
                show::plural(report.chunks, "chunk"),
                show::thousands(d.rows().chunk()),
                d.shape
            ),
        ),
        ("release rule", d.manifest.release.in_words()),
        (
            "committed",
            format!(
                "{} in {}",
                show::plural(report.columns, "column"),
                show::time(report.commit_time)
            ),
        ),
        (
            "registered",
            format!(
                "{} in {} ({} a patient)",
                show::plural(report.proofs, "proof"),
                show::time(report.registration_time),
                show::per_patient(report.registration_time, report.rows)
            ),
        ),
    ];
    match &d.manifest.provenance {
        None => facts.push((
            "provenance",
            "none on record: `galen table build` notes it beside the table".into(),
        )),
        Some(provenance) => facts.extend(provenance.in_words()),
    }
    if !report.ignored_columns.is_empty() {
        facts.push(("not read", report.ignored_columns.join(", ")));
    }
    facts.extend(report.warnings.iter().map(|w| ("warning", w.clone())));
    output.line(show::facts(&facts))?;
    output.line(format!("\n{INSECURE}"))
}

#[cfg(test)]
mod tests {
    use super::count_rows;

    #[test]
    fn the_heading_of_a_csv_is_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        for (text, rows) in [("", 0), ("id\n", 0), ("id\na\nb\n", 2), ("id\na\nb", 2)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(count_rows(&path).unwrap(), rows, "{text:?}");
        }
    }
}
