use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use galen_prover::dataset::load_or_create_key;
use galen_verifier::{ledger::entry::key_id, text::hex};
use serde_json::json;

use crate::{failure::refusal, files, output::Output};

const EXAMPLE: &str = "\
Example: a researcher makes a key and sends the public half to the consortium's stewards
  galen key --new researcher.key
  galen key researcher.key";

/// Makes a signing key, or shows the public half of one
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The key's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Make a new key; the file must not exist
    #[arg(long)]
    new: bool,
}

/// Reads a key that is there.
pub fn load(path: &Path) -> Result<SigningKey> {
    if !path.exists() {
        let why = format!(
            "there is no key {0}; `galen key --new {0}` makes one",
            path.display()
        );
        return Err(refusal("io.NotFound", why));
    }
    load_or_create_key(path).with_context(|| format!("key {}", path.display()))
}

/// Makes or shows a key.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let key = if args.new {
        files::check_place(&args.file)?;
        if args.file.exists() {
            let why = format!("{} exists; a key is never overwritten", args.file.display());
            return Err(refusal("io.AlreadyExists", why));
        }
        load_or_create_key(&args.file)?
    } else {
        load(&args.file)?
    };
    let public = hex(key.verifying_key().as_bytes());
    let id = key_id(&key.verifying_key());
    output.document(&json!({ "file": args.file, "public_key": public, "key_id": id }))?;
    output.line(format!("public key  {public}\nkey id      {id}"))?;
    if args.new {
        output.line(format!(
            "\nKeep {} secret and keep a backup: whoever has it signs in your name.",
            args.file.display()
        ))?;
    }
    Ok(())
}
