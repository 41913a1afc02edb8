//! Signing statements and recording them on a ledger.

mod about;
mod announcement;
mod check;
mod receipt;

use std::path::PathBuf;

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::{Entry, Envelope, MAX_SIGNATURES},
    statement::Statement,
};
use galen_server::http::Collection;
use serde_json::json;

use crate::{client::Client, failure::refusal, files, keys, kind::Kind, output::Output, show};

const EXAMPLE: &str = "\
Example: a steward sets up the consortium of a log that is yet to begin; `galen serve --consortium` begins it
  galen key --new steward.key
  galen key --new log.key
  galen publish consortium --name 'Heart network' --steward steward.key \\
      --log-key log.key --origin ledger.example/heart --key steward.key --out consortium.json

The steward admits a hospital, which then registers its dataset and an answer
  galen publish member --name 'St. Bartholomew' --role hospital --member-key hospital.pub \\
      --key steward.key --to https://ledger.example
  galen publish dataset --dataset heart-epoch1 --key hospital.key --to https://ledger.example
  galen publish answer --dataset heart-epoch1 --bundle bundle.json \\
      --key hospital.key --to https://ledger.example

A researcher announces a query before anyone sees it, registers it, and shows that it was theirs
  galen publish announcement --query query.json --researcher Ada --keep announced.json \\
      --key ada.key --to https://ledger.example
  galen publish query --query query.json --key ada.key --to https://ledger.example
  galen publish disclosure --announced announced.json --key ada.key --to https://ledger.example

Where several stewards must sign, each adds a signature to a file, and the last one sends it
  galen publish registry --registry registry.toml --key steward-1.key --out signed.json
  galen publish registry --registry registry.toml --key steward-2.key --add-to signed.json \\
      --to https://ledger.example";

/// The usual service's URL.
const SERVICE: &str = "GALEN_SERVICE";

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
    #[arg(long = "key", value_name = "FILE", env = "GALEN_KEY", global = true)]
    keys: Vec<PathBuf>,
    /// The service to record it at [env: GALEN_SERVICE, unless --out or --add-to is given]
    #[arg(long, value_name = "URL", global = true)]
    to: Option<String>,
    /// Write the signed statement to this file, which must not exist, and do not send it unless --to is given
    #[arg(long, value_name = "FILE", global = true)]
    out: Option<PathBuf>,
    /// Add the signatures to this signed statement, which must say the same; the file is replaced unless --out or
    /// --to is given
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

fn sign(stated: &Stated, signing: &Signing, keys: &[SigningKey]) -> Result<Envelope> {
    check::before_signing(&stated.statement, keys)?;
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let entry = Entry::state(&stated.statement, &keys)?;
    // Its form: names and reasons that are empty, too long or no text.
    Statement::read(entry.envelope())?;
    let Some(path) = &signing.add_to else {
        return Ok(entry.envelope().clone());
    };
    let named = || path.display().to_string();
    let bytes = files::read(path, Kind::Statement, 65_535)?;
    let earlier = Envelope::parse(&bytes).with_context(named)?;
    check::same(&stated.statement, &earlier, path)?;
    let joined = entry.joined(&earlier);
    joined.with_context(|| format!("{} with at most {MAX_SIGNATURES} signatures", named()))
}

impl Signing {
    /// Where it is sent. The environment's service is for those who say nothing else: what others are yet to sign
    /// is not sent by chance.
    fn service(&self) -> Option<String> {
        let usual = || std::env::var(SERVICE).ok().filter(|url| !url.is_empty());
        let kept = self.out.is_some() || self.add_to.is_some();
        self.to.clone().or_else(|| (!kept).then(usual).flatten())
    }

    /// Refuses what cannot be written or sent, before any work.
    fn check(&self) -> Result<()> {
        if self.keys.is_empty() {
            let why = "a statement is signed: give the key's file with --key";
            return Err(refusal("usage.Key", why));
        }
        if self.service().is_none() && self.kept().is_none() {
            let why =
                "say where it goes: --to URL records it, --out FILE keeps it for others to sign";
            return Err(refusal("usage.To", why));
        }
        if let Some(out) = &self.out {
            files::check_place(out)?;
            if out.exists() {
                let why = format!("{} exists; choose another --out", out.display());
                return Err(refusal("io.AlreadyExists", why));
            }
        }
        Ok(())
    }

    /// The file that the signed statement is written to.
    fn kept(&self) -> Option<&PathBuf> {
        let alone = self.to.is_none().then_some(self.add_to.as_ref()).flatten();
        self.out.as_ref().or(alone)
    }
}

/// Signs and records.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let signing = &args.signing;
    signing.check()?;
    let client = signing.service().as_deref().map(Client::new).transpose()?;
    // Before anything is written.
    let keys = signing.keys.iter().map(|path| keys::load(path));
    let keys = keys.collect::<Result<Vec<SigningKey>>>()?;
    let stated = args.about.state(output)?;
    let entry = sign(&stated, signing, &keys)?;
    if let Some(out) = signing.kept() {
        files::write_atomic(out, entry.bytes())?;
    }
    let receipt = client
        .as_ref()
        .map(|c| record(c, &stated, &entry))
        .transpose()?;
    let sent = client.as_ref().zip(receipt.as_ref());
    output.document(&json!({
        "kind": stated.statement.kind(),
        "signatures": entry.signers().collect::<Vec<_>>(),
        "out": signing.kept(),
        "receipt": receipt,
        "results": sent.and_then(|(c, r)| receipt::results(&stated, r, c)),
    }))?;
    if let Some(out) = signing.kept() {
        let signatures = show::plural(entry.signers().count(), "signature");
        output.line(format!("signed statement  {}, {signatures}", out.display()))?;
        if let Some(more) = check::still_to_sign(&stated.statement, entry.signers().count()) {
            let stewards = show::plural(more, "steward");
            let out = out.display();
            output.line(format!(
                "{stewards} more must sign: the same command with another --key and --add-to {out}"
            ))?;
        }
    }
    if let Some((client, receipt)) = sent {
        receipt::show(&stated, receipt, client, output)?;
        receipt::check_not_revoked(&stated, receipt, client)?;
    }
    Ok(())
}
