//! The demonstration: hospital, researcher and reviewer on one made-up table.

mod folder;
mod questions;
mod report;
mod run;
mod serve;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use galen_params::Shape;
use galen_prover::synthetic::{REGISTRY_TOML, write_hospital};
use serde_json::json;

use super::serve::{check_free as check_port, parse_listen};
use crate::{
    failure::refusal,
    files,
    output::Output,
    params::{Cache, parse_shape},
    show,
};

const EXAMPLE: &str = "\
Example: see everything once, and keep what a reviewer would be handed
  galen demo --out galen-demo
It prints the `galen verify` command that checks the files in galen-demo.
Example: the public service and its ledger, with the made-up hospital registered and answered
  galen demo --serve
The same, with everybody's keys: to publish a query, answer it, and join a second hospital
  galen demo --serve --out galen-demo
galen-demo/README.txt has the commands.
Example: a made-up table to try the other commands on
  galen demo --table --patients 15000 --out study";

/// Shows everything once: commits a made-up hospital, answers three queries, verifies them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Keep every public file in this folder, which must be new or empty; with --serve the keys and the hospital's
    /// dataset too, with a README.txt that says what to do with them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only write the made-up table and a registry for all of its columns into --out: something to try
    /// `galen commit` on
    #[arg(long, requires = "out")]
    table: bool,
    /// Then run the public service with everything registered and answered, until Ctrl-C
    #[arg(long, conflicts_with = "table")]
    serve: bool,
    /// Address or host, and port, of --serve
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        requires = "serve",
        value_parser = parse_listen
    )]
    listen: SocketAddr,
    /// Made-up patients
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    patients: u64,
    /// The same seed makes the same patients
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Parameters for so many patients at most [default: by --patients]
    #[arg(long, value_parser = parse_shape)]
    shape: Option<Shape>,
    #[command(flatten)]
    cache: Cache,
}

/// Runs it in a temporary folder; only public files leave that, but with --serve and --out.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    if let Some(out) = &args.out {
        check_free(out)?;
    }
    if let (true, Some(out)) = (args.table, &args.out) {
        return write_table(args, out, output);
    }
    if args.serve {
        check_port(args.listen)?;
    }
    let work = tempfile::Builder::new()
        .prefix("galen-demo-")
        .tempdir()
        .context("making a temporary folder")?;
    // Where everybody can act on, what a member keeps secret stays too.
    let kept = args.out.as_deref().filter(|_| args.serve);
    if let Some(out) = kept {
        fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    }
    let place = kept.unwrap_or(work.path());
    let (demo, params) = run::all(args, place, output)?;
    if let Some(out) = &args.out {
        report::keep(&demo, out)?;
    }
    if args.serve {
        let folder = kept.map(|out| folder::Folder::new(out, args.cache.given()));
        return serve::run(&demo, place, args.listen, (&params, folder), output);
    }
    report::finish(&demo, args.out.as_deref(), output)
}

fn write_table(args: &Args, out: &Path, output: &Output) -> Result<()> {
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let (table, registry) = (out.join("patients.parquet"), out.join("registry.toml"));
    write_hospital(&table, args.patients, args.seed)?;
    files::write_atomic(&registry, REGISTRY_TOML.as_bytes())?;
    output.document(&json!({
        "table": table, "registry": registry, "patients": args.patients, "seed": args.seed,
    }))?;
    output.line(format!(
        "{} made-up patients (seed {}); none of them exists\n{}",
        show::thousands(args.patients),
        args.seed,
        show::facts(&[
            ("table", table.display().to_string()),
            ("registry", registry.display().to_string()),
        ])
    ))
}

fn check_free(out: &Path) -> Result<()> {
    let named = || format!("--out {}", out.display());
    if !out.exists() {
        return Ok(());
    }
    if !out.is_dir() {
        return Err(refusal("io.AlreadyExists", "it is a file, not a folder")).with_context(named);
    }
    let mut entries = fs::read_dir(out).with_context(named)?;
    if entries.next().is_some() {
        let why = "the folder is not empty; choose another, or remove it first";
        return Err(refusal("io.DirectoryNotEmpty", why)).with_context(named);
    }
    Ok(())
}
