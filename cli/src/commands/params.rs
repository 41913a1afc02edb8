use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use galen_circuits::gates::Gate;
use galen_params::Shape;
use galen_query::text::hex;
use galen_verifier::plan::gates_for;
use serde_json::json;

use crate::{
    files,
    output::Output,
    params::{Cache, INSECURE, parse_gate, parse_shape},
    show,
};

const EXAMPLE: &str = "\
Example: the hospital makes the parameters of a study and publishes their verifying part
  galen params --registry registry.toml --out parameters.bin
The set is a development set: INSECURE, for trying things out.";

/// Makes or opens a development parameter set, and shows it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Rows of a chunk: tiny, clinic or hospital
    #[arg(long, default_value = "clinic", value_parser = parse_shape)]
    shape: Shape,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    cache: Cache,
    /// Write the verifying part here; an older file is replaced
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Wanted {
    /// Make the gates that this registry needs
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// Make these gates, e.g. select,multiply,release
    #[arg(long, value_delimiter = ',', value_parser = parse_gate)]
    gates: Vec<Gate>,
}

/// Opens the set, loads every key once, and shows sizes and times.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    if let Some(out) = &args.out {
        files::check_replaces(out, "verifying part", |b| b.starts_with(b"GALENVP"))?;
    }
    let gates = match &args.wanted.registry {
        Some(path) => gates_for(&files::registry(path)?.1),
        None => args.wanted.gates.clone(),
    };
    let started = Instant::now();
    let store = args.cache.open(args.shape, &gates, output)?;
    let opening = started.elapsed();
    let set = store.verifying();
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for gate in set.gates() {
        let started = Instant::now();
        store.proving_key(gate)?;
        let loading = started.elapsed();
        let (proving, verifying) = store.key_bytes(gate)?;
        rows.push(vec![
            gate.name(),
            show::bytes(proving),
            show::bytes(verifying),
            show::time(loading),
        ]);
        documents.push(json!({
            "gate": gate.name(),
            "proving_key_bytes": proving,
            "verifying_key_bytes": verifying,
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
        "rows_per_chunk": set.shape().rows(),
        "insecure": set.is_insecure(),
        "gates": documents,
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
                "{}, {} rows a chunk",
                set.shape(),
                show::thousands(set.shape().rows())
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
    let header = ["gate", "proving key", "verifying key", "loaded in"];
    output.line(format!("\n{}\n", show::table(&header, &[1, 2, 3], rows)))?;
    output.line(INSECURE)
}
