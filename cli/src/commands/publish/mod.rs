//! Signing statements and recording them on a ledger.

mod about;

use std::path::PathBuf;

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use galen_server::http::Collection;
use galen_verifier::ledger::{
    entry::{Entry, Envelope, MAX_SIGNATURES},
    statement::Statement,
};
use serde_json::json;

use super::key;
use crate::{client::Client, failure::refusal, files, output::Output};

const EXAMPLE: &str = "\
Example: the consortium's steward admits a hospital, which then registers its dataset and an answer
  galen publish member --name 'St. Bartholomew' --role hospital --member-key 3b6a…29 \\
      --key steward.key --to https://ledger.example
  galen publish dataset --dataset heart-epoch1 --key hospital.key --to https://ledger.example
  galen publish answer --dataset heart-epoch1 --bundle bundle.json \\
      --key hospital.key --to https://ledger.example

Where several stewards must sign, each adds a signature to a file, and the last one sends it
  galen publish registry --registry registry.toml --key steward-1.key --out signed.json
  galen publish registry --registry registry.toml --key steward-2.key --add-to signed.json \\
      --to https://ledger.example";

/// Signs a statement and records it on a ledger
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    about: about::About,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, clap::Args)]
struct Signing {
    /// The key to sign with; stewards may give several
    #[arg(long = "key", value_name = "FILE", global = true)]
    keys: Vec<PathBuf>,
    /// The service to record it at
    #[arg(long, value_name = "URL", env = "GALEN_SERVICE", global = true)]
    to: Option<String>,
    /// Write the signed statement to this file, which must not exist, and do not send it unless --to is given
    #[arg(long, value_name = "FILE", global = true)]
    out: Option<PathBuf>,
    /// Add the signatures to this signed statement, which must say the same
    #[arg(long, value_name = "FILE", global = true)]
    add_to: Option<PathBuf>,
}

/// A statement with the files that it names.
pub struct Stated {
    pub statement: Statement,
    pub files: Vec<Vec<u8>>,
}

impl Stated {
    fn alone(statement: Statement) -> Self {
        Self {
            statement,
            files: Vec::new(),
        }
    }
}

/// Records a statement with its files; the service's receipt.
pub fn record(client: &Client, stated: &Stated, entry: &Envelope) -> Result<serde_json::Value> {
    let collection = Collection::of(&stated.statement).expect("every kind has a collection");
    client.submit(collection.path(), entry.bytes(), &stated.files)
}

fn sign(stated: &Stated, signing: &Signing) -> Result<Envelope> {
    let keys = signing
        .keys
        .iter()
        .map(|path| key::load(path))
        .collect::<Result<Vec<_>>>()?;
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let entry = Entry::state(&stated.statement, &keys)?;
    let Some(path) = &signing.add_to else {
        return Ok(entry.envelope().clone());
    };
    let bytes = files::read_limited(path, "signed statement", 65_535)?;
    let earlier = Envelope::parse(&bytes).with_context(|| path.display().to_string())?;
    let joined = entry.joined(&earlier);
    joined.with_context(|| {
        format!(
            "{} with at most {MAX_SIGNATURES} signatures",
            path.display()
        )
    })
}

/// Signs and records.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let signing = &args.signing;
    if signing.keys.is_empty() {
        return Err(refusal(
            "usage.Key",
            "a statement is signed: give the key's file with --key",
        ));
    }
    if signing.to.is_none() && signing.out.is_none() {
        let why = "say where it goes: --to URL records it, --out FILE keeps it for others to sign";
        return Err(refusal("usage.To", why));
    }
    if let Some(out) = &signing.out {
        files::check_place(out)?;
        if out.exists() {
            let why = format!("{} exists; choose another --out", out.display());
            return Err(refusal("io.AlreadyExists", why));
        }
    }
    let client = signing.to.as_deref().map(Client::new).transpose()?;
    let stated = args.about.state(output)?;
    let entry = sign(&stated, signing)?;
    if let Some(out) = &signing.out {
        files::write_atomic(out, entry.bytes())?;
    }
    let receipt = client
        .as_ref()
        .map(|c| record(c, &stated, &entry))
        .transpose()?;
    output.document(&json!({
        "kind": stated.statement.kind(),
        "signatures": entry.signers().collect::<Vec<_>>(),
        "out": signing.out,
        "receipt": receipt,
    }))?;
    if let Some(out) = &signing.out {
        output.line(format!("signed statement  {}", out.display()))?;
    }
    if let (Some(receipt), Some(client)) = (receipt, client) {
        let again = receipt["duplicate"] == true;
        output.line(format!(
            "{}  entry {}: {}",
            if again { "recorded before" } else { "recorded" },
            receipt["index"],
            client.url(receipt["entry"].as_str().unwrap_or_default()),
        ))?;
        output.line(format!(
            "known by  {}",
            receipt["digest"].as_str().unwrap_or_default()
        ))?;
        if receipt["inclusion"].is_null() {
            output.line(
                "durable, but no checkpoint covers it yet: its inclusion proof can be fetched later",
            )?;
        }
    }
    Ok(())
}
