//! `galen-tables`: makes a hospital's patient table from its source files.

mod bar;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand};
use galen_tables::{
    OmopPlace, Options, StartFrom, Stop, build_with, check_with, concept_sets, init,
    shipped_registries,
};
use serde::Serialize;

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
one row per patient. With

  registry = \"registry.toml\"

under [mapping], each value is judged as the prover will judge it, and --report DIR
shows the data against it: a page that stays in the hospital. Nothing else that is
written or printed holds a patient's value. `galen-tables init` writes a registry and
a mapping to start from.";

/// Makes a patient table (Parquet, one row per patient) from source files by one SQL query
#[derive(Parser)]
#[command(version, after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const INIT_EXAMPLE: &str = "\
Worked examples.

An OMOP CDM (5.3 or 5.4) as files, or in PostgreSQL, to a registry that is shipped:

  galen-tables init --from omop --registry cardiometabolic --source /srv/export --out site
  galen-tables init --from omop --registry demographics --database OMOP_URL --schema cdm --out site

A FHIR R4 bulk export (Patient.ndjson, Condition.000.ndjson, …):

  galen-tables init --from fhir --registry cardiometabolic --source /srv/export --out site

A registry and a mapping proposed from whatever files there are:

  galen-tables init --from /srv/export --registry stroke --out site

Then look at both files, edit them, and see what they make of the data:

  galen-tables check site/mapping.toml --source /srv/export --report site/report";

const CONCEPTS_EXAMPLE: &str = "\
Worked example: a study says once what its diseases are

  galen-tables concepts hypertension.json hypertension_codes.csv

prints what goes into the registry and into a mapping. A CSV has the column concept_id, or
system and code, and if need be include_descendants and is_excluded. The same concepts have
the same digest, whatever the form of the file.";

#[derive(Subcommand)]
enum Command {
    /// Write a registry and a mapping to start from: shipped ones for OMOP, or proposed from a folder of files
    #[command(after_long_help = INIT_EXAMPLE)]
    Init {
        /// `omop`, `fhir`, or a folder of CSV, Parquet or NDJSON files
        #[arg(long, value_name = "omop|fhir|FOLDER")]
        from: String,
        /// With omop and fhir, a registry that is shipped (cardiometabolic, demographics); with a folder, the new one's name
        #[arg(long, value_name = "NAME")]
        registry: Option<String>,
        /// With omop and fhir: the folder of its files, named as its tables or its resources
        #[arg(long, value_name = "DIR", conflicts_with = "database")]
        source: Option<PathBuf>,
        /// With omop: the environment variable that holds the database's URL
        #[arg(long, value_name = "VARIABLE")]
        database: Option<String>,
        /// With --database: the schema of its tables [default: public]
        #[arg(long, requires = "database")]
        schema: Option<String>,
        /// With a folder: the column that tells patients apart, where its name does not say so
        #[arg(long, value_name = "COLUMN")]
        patient_id: Option<String>,
        /// Where registry.toml and mapping.toml are written
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// Print what was written as JSON
        #[arg(long)]
        json: bool,
    },
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
        /// Write a report into this folder that shows values and stays in the hospital
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
        /// Print what was built as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what concept sets hold, with the digests that a registry has
    #[command(after_help = CONCEPTS_EXAMPLE)]
    Concepts {
        /// Concept sets as ATLAS exports them (JSON), FHIR value sets (JSON), or CSV
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Print what they hold as JSON
        #[arg(long)]
        json: bool,
    },
    /// Plan the mapping's SQL without running it, and show the columns; with --report, run it and show the data
    Check {
        /// The mapping file
        #[arg(value_name = "MAPPING.toml")]
        mapping: PathBuf,
        /// Where the sources lie [default: beside the mapping]
        #[arg(long, value_name = "DIR")]
        source: Option<PathBuf>,
        /// Run the SQL, write no table, and write a report into this folder that shows values and stays in the hospital
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
        /// Memory the query may use before it spills beside the report
        #[arg(long, value_name = "MIB", default_value_t = Options::default().memory_mib)]
        memory: usize,
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
        Command::Init {
            from,
            registry,
            source,
            database,
            schema,
            patient_id,
            out,
            json,
        } => {
            let place = (source, database, schema);
            shown(
                &init(&start_from(&from, registry, place, patient_id)?, &out)?,
                json,
            )
        }
        Command::Build {
            mapping,
            out,
            source,
            memory,
            report,
            json,
        } => {
            let built = build_with(
                &mapping,
                source.as_deref(),
                &out,
                &options(memory, report, json)?,
            )?;
            shown(&built, json)
        }
        Command::Concepts { files, json } => shown(&concept_sets(&files)?, json),
        Command::Check {
            mapping,
            source,
            memory,
            report,
            json,
        } => {
            let plan = check_with(&mapping, source.as_deref(), &options(memory, report, json)?)?;
            shown(&plan, json)
        }
    }
}

/// What --from and its companions say together.
fn start_from(
    from: &str,
    registry: Option<String>,
    place: (Option<PathBuf>, Option<String>, Option<String>),
    patient_id: Option<String>,
) -> Result<StartFrom> {
    let shipped = || {
        let names = shipped_registries().join(" or ");
        format!("--from {from} needs --registry: {names}")
    };
    ensure!(
        patient_id.is_none() || !matches!(from, "omop" | "fhir"),
        "--patient-id is for a folder of other files"
    );
    Ok(match (from, place) {
        ("omop", (Some(folder), ..)) => StartFrom::Omop {
            registry: registry.with_context(shipped)?,
            place: OmopPlace::Files(folder),
        },
        ("omop", (None, Some(url_env), schema)) => StartFrom::Omop {
            registry: registry.with_context(shipped)?,
            place: OmopPlace::Database { url_env, schema },
        },
        ("omop", (None, None, _)) => bail!("--from omop needs --source DIR or --database VARIABLE"),
        ("fhir", (Some(folder), None, _)) => StartFrom::Fhir {
            registry: registry.with_context(shipped)?,
            folder,
        },
        ("fhir", _) => bail!("--from fhir needs --source DIR, the folder of its NDJSON files"),
        (folder, (None, None, _)) => StartFrom::Folder {
            folder: PathBuf::from(folder),
            registry,
            patient_id,
        },
        (folder, _) => bail!(
            "--source and --database are for --from omop and fhir; a folder is given as --from {folder}"
        ),
    })
}

fn shown(what: &(impl Serialize + Display), json: bool) -> Result<String> {
    if json {
        return Ok(serde_json::to_string_pretty(what)?);
    }
    Ok(what.to_string())
}

fn options(memory_mib: usize, report: Option<PathBuf>, json: bool) -> Result<Options> {
    let mut options = Options::default();
    (options.memory_mib, options.report) = (memory_mib, report);
    if !json && io::stderr().is_terminal() {
        options.watch = bar::watch();
    }
    stop_on_signal(options.stop.clone())?;
    Ok(options)
}

/// An interrupt or termination ends the build through its own way out, which removes
/// the temporary files.
#[cfg(unix)]
fn stop_on_signal(stop: Stop) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])
        .context("setting the interrupt handler")?;
    std::thread::spawn(move || signals.forever().for_each(|_| stop.stop()));
    Ok(())
}

/// Elsewhere an interrupt may leave a `.partial-` file.
#[cfg(not(unix))]
fn stop_on_signal(_: Stop) -> Result<()> {
    Ok(())
}
