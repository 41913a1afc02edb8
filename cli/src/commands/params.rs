use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use galen_circuits::class::Size;
use galen_params::Shape;
use galen_query::text::hex;
use serde_json::json;

use crate::{
    files,
    output::Output,
    params::{Cache, INSECURE, parse_shape},
    show,
};

const EXAMPLE: &str = "\
Example: the hospital makes the parameters for its table and publishes their verifying part
  galen params --shape 16k --out parameters.bin
A set is for tables of up to so many patients, whatever the registry and the queries. The set is a development set: INSECURE, for trying things out.";

/// Makes or opens a development parameter set, and shows it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The most patients of a table: 16k, 32k, 64k, 128k, 256k, 512k, 1m, 2m, 4m, 8m or 16m
    #[arg(long, default_value = "16k", value_parser = parse_shape)]
    shape: Shape,
    #[command(flatten)]
    cache: Cache,
    /// Write the verifying part here; an older file is replaced
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Opens the set, loads every key once, and shows sizes and times.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    if let Some(out) = &args.out {
        files::check_replaces(out, "verifying part", |b| b.starts_with(b"GALENVP"))?;
    }
    let started = Instant::now();
    let store = args.cache.open(args.shape, output)?;
    let opening = started.elapsed();
    let set = store.verifying();
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for size in Size::ALL {
        let started = Instant::now();
        let key = store.proving_key(size)?;
        let loading = started.elapsed();
        let (bytes, constraints) = (store.key_bytes(size), key.matrices().constraints());
        rows.push(vec![
            size.name().to_owned(),
            show::thousands(constraints),
            show::bytes(bytes),
            show::time(loading),
        ]);
        documents.push(json!({
            "circuit": size.name(),
            "constraints": constraints,
            "proving_key_bytes": bytes,
            "load_seconds": loading.as_secs_f64(),
        }));
    }
    if let Some(path) = &args.out {
        files::write_atomic(path, store.verifying_bytes())?;
    }
    let bytes = store.verifying_bytes().len() as u64;
    output.document(&json!({
        "id": hex(set.id()),
        "shape": set.shape().name(),
        "patients": set.shape().capacity(),
        "rows_per_chunk": 1 << set.shape().chunk_bits(),
        "insecure": set.is_insecure(),
        "circuits": documents,
        "verifying_bytes": bytes,
        "folder": store.folder(),
        "open_seconds": opening.as_secs_f64(),
        "out": args.out,
    }))?;
    let mut facts = vec![
        ("id", hex(set.id())),
        (
            "shape",
            format!(
                "{}: up to {} patients",
                set.shape(),
                show::thousands(set.shape().capacity())
            ),
        ),
        ("verifying part", show::bytes(bytes)),
        ("folder", store.folder().display().to_string()),
        ("opened in", show::time(opening)),
    ];
    facts.extend(
        args.out
            .iter()
            .map(|p| ("written to", p.display().to_string())),
    );
    output.line(show::facts(&facts))?;
    let header = ["circuit", "constraints", "proving key", "loaded in"];
    output.line(format!("\n{}\n", show::table(&header, &[1, 2, 3], rows)))?;
    output.line(INSECURE)
}
