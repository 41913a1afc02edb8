use std::path::PathBuf;

use anyhow::Result;
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::key_id,
    tiles::{LogKey, LogVerifier},
};
use galen_prover::dataset::load_or_create_key;
use galen_query::text::hex;
use serde_json::json;

use crate::{
    failure::refusal,
    files,
    keys::{load, parse_origin},
    output::Output,
    show,
};

const EXAMPLE: &str = "\
Example: a researcher makes a key and sends its public half to the consortium's stewards
  galen key --new researcher.key
  galen key researcher.key > researcher.pub
Example: an operator publishes the log's public key, which readers give as --log-key
  galen key log.key --origin ledger.example/heart > log.pub
Wherever a command takes a public key, it takes such a file too. The key id is the public
key's SHA-256: signatures and messages name a key by it.";

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
    /// Show it as the public key of the log of this name, <origin>+<id>+<key>, too
    #[arg(long, value_name = "NAME", value_parser = parse_origin)]
    origin: Option<String>,
}

/// What is shown of a key.
pub struct Public {
    /// Hex.
    pub key: String,
    /// Its SHA-256, hex.
    pub id: String,
}

impl Public {
    /// The public half.
    pub fn of(key: &SigningKey) -> Self {
        let public = key.verifying_key();
        Self {
            key: hex(public.as_bytes()),
            id: key_id(&public),
        }
    }

    /// Both, each with its name.
    pub fn facts(self) -> Vec<(&'static str, String)> {
        vec![("public key", self.key), ("key id", self.id)]
    }
}

fn make(args: &Args) -> Result<SigningKey> {
    files::check_place(&args.file)?;
    if args.file.exists() {
        let why = format!("{} exists; a key is never overwritten", args.file.display());
        return Err(refusal("io.AlreadyExists", why));
    }
    Ok(load_or_create_key(&args.file)?)
}

/// Makes or shows a key.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let key = if args.new {
        make(args)?
    } else {
        load(&args.file)?
    };
    let public = Public::of(&key);
    let log = args
        .origin
        .as_deref()
        .map(|origin| LogKey::new(origin, key))
        .transpose()?;
    let log = log.as_ref().map(LogKey::verifier).map(LogVerifier::encoded);
    output.document(&json!({
        "file": args.file,
        "public_key": public.key,
        "key_id": public.id,
        "log_key": log,
    }))?;
    let mut facts = public.facts();
    facts.extend(log.map(|log| ("log key", log)));
    output.line(show::facts(&facts))?;
    if args.new {
        output.line(format!(
            "\nKeep {} secret and keep a backup: whoever has it signs in your name.",
            args.file.display()
        ))?;
    }
    Ok(())
}
