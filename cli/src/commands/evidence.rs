use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use galen_ledger::{
    entry::Envelope,
    evidence::{Evidence, Gathering, ProvenEntry},
    statement::Statement,
    tiles::{Checkpoint, LogVerifier, TileSet, leaf_hash, prove_inclusion, tiles_for_inclusion},
};
use serde_json::json;

use crate::{
    failure::refusal,
    files, keys,
    output::Output,
    show,
    source::{Source, open},
};

const EXAMPLE: &str = "\
Example: a reviewer takes an answer out of the ledger, and checks it offline
  galen evidence 5d1c…e8 --from https://ledger.example --out answer.galen
  galen verify answer.galen --log-key 'ledger.example/heart+3ba40a5f+AaX…'
The answer is named by its entry's index or its bundle's SHA-256, as lists and receipts show them.
A mirror's folder does as well as the service.";

/// Gathers everything that an offline check of an answer needs into one file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The answer: its entry's index, or its bundle's SHA-256
    #[arg(value_name = "ANSWER")]
    answer: String,
    /// The service's URL, or the folder of a mirror's files
    #[arg(long, value_name = "URL|DIR", env = "GALEN_SERVICE")]
    from: String,
    /// The log's public key, or a file with it, as its operator publishes it; a mirror's folder does not tell it
    #[arg(long, value_name = "KEY|FILE")]
    log_key: Option<String>,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Gathers, verifies and writes.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    files::check_place(&args.out)?;
    if args.out.exists() {
        let why = format!("{} exists; choose another --out", args.out.display());
        return Err(refusal("io.AlreadyExists", why));
    }
    let mut source = open(&args.from)?;
    let log = log_key(args, source.as_ref())?;
    let evidence = gather(source.as_mut(), &args.answer, &log)?;
    let report = evidence
        .verify(Some(&log))
        .context("what was gathered does not hold")?;
    let bytes = evidence.to_json();
    files::write_atomic(&args.out, &bytes)?;
    output.document(&json!({
        "out": args.out,
        "bytes": bytes.len(),
        "log_key": log.encoded(),
        "answer": report.answer.to_json(),
    }))?;
    output.line(format!(
        "evidence  {}, {}: verified as it was written\ncheck it anywhere, without a network\n  galen verify {} --log-key '{}'",
        args.out.display(),
        show::bytes(bytes.len() as u64),
        args.out.display(),
        log.encoded()
    ))
}

fn log_key(args: &Args, source: &dyn Source) -> Result<LogVerifier> {
    let key = match &args.log_key {
        Some(key) => key.clone(),
        None => source.log_key()?.ok_or_else(|| {
            refusal(
                "usage.LogKey",
                "a folder does not tell the log's key: give it with --log-key",
            )
        })?,
    };
    keys::log(&key)
}

/// Everything under one checkpoint, so that all proofs are of one tree.
fn gather(source: &mut dyn Source, answer: &str, log: &LogVerifier) -> Result<Evidence> {
    let checkpoint = source.checkpoint()?;
    let head = keys::open_checkpoint(log, checkpoint.as_bytes(), "the ledger's checkpoint")?;
    source.read_until(head.size)?;
    let index = match answer.parse::<u64>() {
        Ok(index) => index,
        Err(_) => need(source.find("answer", answer)?, "answer", answer)?,
    };
    let envelope = entry(source, index)?;
    if !matches!(Statement::read(&envelope)?, Statement::Answer(_)) {
        let why = format!("entry {index} is no answer; `{answer}` must name one");
        return Err(refusal("usage.Answer", why));
    }
    let mut gathering = Gathering::new(index, &envelope)?;
    for consortium in source.all("consortium")? {
        if consortium < index {
            gathering.add(consortium, &entry(source, consortium)?)?;
        }
    }
    while let Some(wanted) = gathering.wanted() {
        let found = source.find(wanted.kind, &wanted.digest)?;
        let found = need(found, wanted.kind, &wanted.digest)?;
        gathering.add(found, &entry(source, found)?)?;
    }
    let mut entries = Vec::new();
    for (index, bytes) in gathering.entries() {
        entries.push(proven(source, &head, *index, bytes)?);
    }
    let mut blobs = BTreeMap::new();
    for (what, blob) in gathering.blobs() {
        let bytes = source
            .blob(blob)
            .with_context(|| format!("the {} {}", file_name(what), blob.sha256))?;
        blobs.insert(blob.sha256.clone(), bytes);
    }
    let blobs: Vec<Vec<u8>> = blobs.into_values().collect();
    Ok(Evidence::new(log, checkpoint, entries, &blobs)?)
}

/// What a file is, as people call it.
fn file_name(what: &str) -> &str {
    match what {
        "toml" => "registry",
        "verifying" => "parameter set",
        other => other,
    }
}

fn need(found: Option<u64>, kind: &str, digest: &str) -> Result<u64> {
    found.ok_or_else(|| {
        let why = format!("no {kind} {digest} is on this ledger");
        refusal("ledger.NotFound", why)
    })
}

fn entry(source: &mut dyn Source, index: u64) -> Result<Envelope> {
    let bytes = source.entry(index)?;
    Envelope::parse(&bytes).with_context(|| format!("entry {index}"))
}

fn proven(
    source: &mut dyn Source,
    head: &Checkpoint,
    index: u64,
    envelope: &[u8],
) -> Result<ProvenEntry> {
    let mut tiles = TileSet::new();
    for path in tiles_for_inclusion(head.size, index)? {
        tiles.insert(path, source.tile(&path)?);
    }
    let proof = prove_inclusion(head.size, &head.root, index, &leaf_hash(envelope), &tiles)
        .with_context(|| format!("the inclusion of entry {index}"))?;
    Ok(ProvenEntry {
        index,
        envelope: envelope.to_vec(),
        proof,
    })
}
