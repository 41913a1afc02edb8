//! `galen-tables`: makes a hospital's patient table from its source files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use galen_tables::{Options, Stop, build_with, check};

const EXAMPLE: &str = "\
Worked example. Two files of an OMOP export lie in /srv/export: person.csv and
condition_occurrence.csv. Write mapping.toml:

  [mapping]
  title = \"Cardiology registry from OMOP\"
  patient_id = \"patient_id\"
  sql = \"\"\"
  WITH mi AS (
    SELECT person_id, min(condition_start_date) AS first_day
    FROM condition_occurrence WHERE condition_concept_id = 4329847 GROUP BY person_id
  )
  SELECT p.person_id AS patient_id,
         true AS consent_research,
         CAST(p.gender_concept_id AS VARCHAR) AS gender,
         mi.person_id IS NOT NULL AS infarction,
         CAST(date_part('year', mi.first_day) AS INT) - p.year_of_birth AS age_at_infarction
  FROM person p LEFT JOIN mi ON mi.person_id = p.person_id
  ORDER BY patient_id
  \"\"\"

  [[source]]
  name = \"person\"
  path = \"person.csv\"
  format = \"csv\"

  [[source]]
  name = \"condition_occurrence\"
  path = \"condition_occurrence.csv\"
  format = \"csv\"

Then:

  galen-tables check mapping.toml --source /srv/export
  galen-tables build mapping.toml --source /srv/export --out patients.parquet

Columns are named as in the registry: booleans as booleans, categories as text,
one row per patient. No message or report holds a patient's value.";

/// Makes a patient table (Parquet, one row per patient) from source files by one SQL query
#[derive(Parser)]
#[command(version, after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the mapping's SQL and write the table, whole or not at all
    #[command(after_long_help = EXAMPLE)]
    Build {
        /// The mapping file
        #[arg(value_name = "MAPPING.toml")]
        mapping: PathBuf,
        /// The Parquet file to write; an older one is replaced
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the sources lie [default: beside the mapping]
        #[arg(long, value_name = "DIR")]
        source: Option<PathBuf>,
        /// Memory the query may use before it spills beside the output
        #[arg(long, value_name = "MIB", default_value_t = Options::default().memory_mib)]
        memory: usize,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Plan the mapping's SQL without running it, and show the columns
    Check {
        /// The mapping file
        #[arg(value_name = "MAPPING.toml")]
        mapping: PathBuf,
        /// Where the sources lie [default: beside the mapping]
        #[arg(long, value_name = "DIR")]
        source: Option<PathBuf>,
        /// Print the plan as JSON
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(text) => print(&text),
        Err(error) => {
            // The library's messages already say their cause.
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what was found. A reader that has gone, as `head` does, is no error to shout about: 141, as a shell has it.
fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(141),
        Err(error) => {
            // Nobody may be there to read this either.
            let _ = writeln!(io::stderr(), "error: writing the result: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<String> {
    match command {
        Command::Build {
            mapping,
            out,
            source,
            memory,
            json,
        } => build(&mapping, source.as_deref(), &out, memory, json),
        Command::Check {
            mapping,
            source,
            json,
        } => {
            let plan = check(&mapping, source.as_deref())?;
            if json {
                return Ok(serde_json::to_string_pretty(&plan)?);
            }
            Ok(plan.to_string())
        }
    }
}

fn build(
    mapping: &Path,
    source: Option<&Path>,
    out: &Path,
    memory: usize,
    json: bool,
) -> Result<String> {
    let mut options = Options::default();
    options.memory_mib = memory;
    stop_on_signal(options.stop.clone())?;
    let report = build_with(mapping, source, out, &options)?;
    if json {
        return Ok(serde_json::to_string_pretty(&report)?);
    }
    Ok(report.to_string())
}

/// An interrupt or termination ends the build through its own way out, which removes
/// the temporary files.
#[cfg(unix)]
fn stop_on_signal(stop: Stop) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .context("setting the interrupt handler")?;
    std::thread::spawn(move || signals.forever().for_each(|_| stop.stop()));
    Ok(())
}

/// Elsewhere an interrupt may leave a `.partial-` file.
#[cfg(not(unix))]
fn stop_on_signal(_: Stop) -> Result<()> {
    Ok(())
}
