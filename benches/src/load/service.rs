//! A service under load: the `galen` program in a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Entry,
    statement::{Consortium, Statement},
    tiles::LogKey,
};
use galen_query::text::hex;

/// The log's name.
const ORIGIN: &str = "localhost/load";

/// The seed of the log's key.
const LOG_SEED: [u8; 32] = [7; 32];

/// A running service with a ledger of its own.
#[derive(Debug)]
pub struct Service {
    process: Child,
    /// Where it listens, `host:port`.
    pub address: String,
}

/// A public key as it stands in statements.
#[must_use]
pub fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

/// The log's key.
///
/// # Errors
/// None: it is fixed.
pub fn log_key() -> Result<LogKey> {
    Ok(LogKey::new(ORIGIN, SigningKey::from_bytes(&LOG_SEED))?)
}

/// The log's first entry, of one steward.
///
/// # Errors
/// None: all of it is fixed.
pub fn consortium(steward: &SigningKey) -> Result<Entry> {
    let statement = Statement::Consortium(Consortium {
        log: log_key()?.verifier().encoded(),
        version: 1,
        name: "Load".into(),
        threshold: 1,
        stewards: vec![public(steward)],
    });
    Ok(Entry::state(&statement, &[steward])?)
}

impl Service {
    /// Starts `galen` on a new ledger in `folder`, whose one steward has this key.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start(
        galen: &Path,
        folder: &Path,
        database: Option<&str>,
        steward: &SigningKey,
    ) -> Result<Self> {
        let key = folder.join("log.key");
        fs::write(&key, hex(&LOG_SEED) + "\n")?;
        let begun = folder.join("consortium.json");
        fs::write(&begun, consortium(steward)?.bytes())?;
        let mut command = Command::new(galen);
        command
            .args([
                "serve",
                "--origin",
                ORIGIN,
                "--listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(folder.join("data"))
            .arg("--log-key")
            .arg(&key)
            .arg("--consortium")
            .arg(&begun)
            .stdout(Stdio::piped());
        if let Some(url) = database {
            command.args(["--database-url", url]);
        }
        let mut process = command
            .spawn()
            .with_context(|| galen.display().to_string())?;
        let stdout = process.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .trim()
            .rsplit("http://")
            .next()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { process, address })
    }

    /// Its resident memory, bytes.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|l| l.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .trim()
            .parse()?;
        Ok(kib << 10)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
