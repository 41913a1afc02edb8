//! Keys on the command line: as they are written, or in a file.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ark_std::rand::{RngCore as _, rngs::OsRng};
use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    public_key,
    tiles::{Checkpoint, LogKey, LogVerifier},
};
use galen_prover::dataset::load_or_create_key;
use galen_query::text::{from_hex, hex};

use crate::{failure::refusal, files, kind::Kind};

/// A key is a line or three.
const MAX_KEY_BYTES: u64 = 4_096;

/// 32 bytes by chance.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// Reads a signing key that is there.
pub fn load(path: &Path) -> Result<SigningKey> {
    let shown = path.display();
    if !path.exists() {
        let why = format!("there is no key {shown}; `galen key --new {shown}` makes one");
        return Err(refusal("io.NotFound", why));
    }
    let text = read(path)?;
    if !is_seed(&text) {
        let why = format!(
            "{shown} is no signing key: such a file holds 64 hex digits on one line, as `galen key --new` writes it"
        );
        return Err(refusal("dataset.Key", why));
    }
    load_or_create_key(path).with_context(|| format!("key {shown}"))
}

/// Whether a file holds a signing key, or digits that look like one.
pub fn is_seed(text: &str) -> bool {
    from_hex::<32>(text.trim_end()).is_some()
}

fn read(path: &Path) -> Result<String> {
    let bytes = files::read(path, Kind::Key, MAX_KEY_BYTES)?;
    // What is no text is no key: whoever reads it says so.
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// What stands behind a label in what `galen key` prints, as text or as JSON.
fn labelled(text: &str, label: &str) -> Option<String> {
    if let Ok(document) = serde_json::from_str::<serde_json::Value>(text) {
        return Some(document[label.replace(' ', "_")].as_str()?.to_owned());
    }
    let line = text.lines().find_map(|l| l.strip_prefix(label))?;
    line.split_whitespace().next().map(str::to_owned)
}

/// An ed25519 public key in hex: written out, or of a file that `galen key` has made or printed.
pub fn public(option: &str, text: &str) -> Result<String> {
    let named = || format!("{option} {text}");
    let path = Path::new(text);
    if !path.is_file() {
        return check_public(text).with_context(named);
    }
    let content = read(path)?;
    if let Some(key) = labelled(&content, "public key") {
        return check_public(&key).with_context(named);
    }
    // Both are 64 digits. To take a public key for a secret one would admit a key that nobody has.
    if is_seed(&content) && is_open(path) {
        let why = "a signing key that other users of this machine may read, or a public key? Make it private (chmod 600), \
                   or give the public key's digits instead of the file";
        return Err(refusal("usage.Key", why)).with_context(named);
    }
    Ok(hex(load(path)
        .with_context(named)?
        .verifying_key()
        .as_bytes()))
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(path: &Path) -> bool {
    // There is no telling: a file is what `galen key --new` makes.
    fs::metadata(path).is_err()
}

fn check_public(text: &str) -> Result<String> {
    // The ledger's own check: what it would refuse is not signed first.
    if public_key(text).is_some() {
        return Ok(text.to_owned());
    }
    let why = "neither an ed25519 public key (64 lower-case hex digits, as `galen key` shows it) nor a key's file";
    Err(refusal("usage.Key", why))
}

/// A log's public key: written out, or in a file.
pub fn log(text: &str) -> Result<LogVerifier> {
    let path = Path::new(text);
    if !path.is_file() {
        let written = text.trim();
        if !written.contains('+') {
            let why = format!(
                "--log-key {text}: there is no such file, and a log's key itself is written <origin>+<id>+<key>"
            );
            return Err(refusal("io.NotFound", why));
        }
        return LogVerifier::parse(written).with_context(|| format!("--log-key {text}"));
    }
    let content = read(path)?;
    if is_seed(&content) {
        let why = format!(
            "{text} is a signing key; here goes the log's public key: `galen key {text} --origin NAME` shows it"
        );
        return Err(refusal("usage.LogKey", why));
    }
    let key = labelled(&content, "log key").unwrap_or(content);
    LogVerifier::parse(key.trim()).with_context(|| format!("log key {text}"))
}

/// The public key of a log that is yet to begin: also from its signing key's file, with the log's name.
pub fn log_or_own(text: &str, origin: Option<&str>) -> Result<LogVerifier> {
    let Some(origin) = origin else {
        return log(text);
    };
    let path = Path::new(text);
    let key = if path.is_file() && is_seed(&read(path)?) {
        LogKey::new(origin, load(path)?)?.verifier().clone()
    } else {
        log(text)?
    };
    if key.origin() != origin {
        let why = format!(
            "--log-key is of the log {}, and --origin says {origin}",
            key.origin()
        );
        return Err(refusal("usage.LogKey", why));
    }
    Ok(key)
}

/// Reads `--origin`.
pub fn parse_origin(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if text.contains("://") {
        return Err(
            "a log's name has no scheme: it is a host and a path, as ledger.example/heart".into(),
        );
    }
    if text.is_empty() || text.contains(odd) {
        return Err("a log's name is a host and a path without spaces, pluses and control characters, as ledger.example/heart".into());
    }
    Ok(text.to_owned())
}

/// The beginning of a log's public key, by which checkpoints name their signers: `<origin>+<id>`.
fn name(log: &LogVerifier) -> String {
    let key = log.encoded();
    let end = key
        .match_indices('+')
        .nth(1)
        .map_or(key.len(), |(at, _)| at);
    key[..end].to_owned()
}

/// Who signed a checkpoint, by what it says itself.
fn signers(checkpoint: &str) -> Vec<String> {
    let signature = |line: &str| {
        let (name, signature) = line.strip_prefix("— ")?.rsplit_once(' ')?;
        let bytes = BASE64_STANDARD.decode(signature).ok()?;
        Some(format!("{name}+{}", hex(bytes.get(..4)?)))
    };
    checkpoint.lines().filter_map(signature).collect()
}

/// Opens a signed checkpoint, and says so where it is another log's.
pub fn open_checkpoint(log: &LogVerifier, text: &[u8], whose: &str) -> Result<Checkpoint> {
    let (text_of, own) = (String::from_utf8_lossy(text), name(log));
    let signers = signers(&text_of);
    if !signers.is_empty() && !signers.contains(&own) {
        let why = format!(
            "{whose} is signed by {}; the log's key given here is {own}: another key, or another log's name",
            signers.join(" and ")
        );
        return Err(refusal("ledger.AnotherLog", why));
    }
    log.open(text).with_context(|| whose.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn origins_are_names() {
        assert!(parse_origin("ledger.example/heart").is_ok());
        for bad in ["", "https://ledger.example/heart", "a b", "a+b", "a\tb"] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_galen_key_prints_is_read_again() {
        let text = "public key  aa\nkey id      bb\nlog key     a.b/c+1+2\n";
        assert_eq!(labelled(text, "public key").unwrap(), "aa");
        assert_eq!(labelled(text, "log key").unwrap(), "a.b/c+1+2");
        let json = r#"{ "public_key": "aa", "log_key": null }"#;
        assert_eq!(labelled(json, "public key").unwrap(), "aa");
        assert_eq!(labelled(json, "log key"), None);
        assert_eq!(labelled("aa", "public key"), None);
    }

    #[test]
    fn a_public_key_is_one() {
        let good = hex(key(1).verifying_key().as_bytes());
        assert_eq!(public("--steward", &good).unwrap(), good);
        let long = format!("{good}00");
        let weak = format!("01{}", "0".repeat(62));
        let another_encoding = "ff".repeat(32);
        for bad in [
            "",
            "abc",
            &good.to_uppercase(),
            &long,
            &weak,
            &another_encoding,
        ] {
            assert!(public("--steward", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_key_or_name_is_told() {
        let (own, other) = (
            LogKey::new("a.b/c", key(1)).unwrap(),
            LogKey::new("a.b/c", key(2)).unwrap(),
        );
        let renamed = LogKey::new("a.b/d", key(1)).unwrap();
        let text = own.sign(0, &[0; 32]).unwrap();
        open_checkpoint(own.verifier(), text.as_bytes(), "it").unwrap();
        for log in [other, renamed] {
            let error = open_checkpoint(log.verifier(), text.as_bytes(), "it").unwrap_err();
            let error = error.to_string();
            assert!(error.contains(&name(own.verifier())), "{error}");
            assert!(error.contains(&name(log.verifier())), "{error}");
        }
    }
}
