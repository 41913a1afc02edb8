//! What belongs to a ledger: signed statements, registrations, evidence, keys.

use std::path::Path;

use anyhow::Result;
use galen_ledger::{
    entry::Envelope, evidence::Evidence, known_by, statement::Statement, tiles::LogVerifier,
};
use galen_verifier::registration::Registration;
use serde_json::{Value, json};

use super::Shown;
use crate::{commands::key::Public, keys, show};

/// A signed statement: whose signatures it says it has, and what is signed.
pub fn envelope(bytes: &[u8]) -> Result<Shown> {
    let envelope = Envelope::parse(bytes)?;
    let statement = Statement::read(&envelope).ok();
    let payload: Value = serde_json::from_slice(envelope.payload()).unwrap_or_default();
    let signers: Vec<&str> = envelope.signers().collect();
    let digest = statement.as_ref().and_then(known_by);
    let document = json!({
        "kind": "statement",
        "states": statement.as_ref().map(Statement::kind),
        "payload_type": envelope.payload_type(),
        "known_by": digest,
        "signers": signers,
        "payload": payload,
    });
    let what = statement
        .as_ref()
        .map_or("of no known kind", Statement::kind);
    let mut facts = vec![("signed statement", show::plain_line(what))];
    facts.extend(digest.map(|d| ("known by", d)));
    let signed = |id: &&str| ("signed by key id", show::plain_line(id));
    facts.extend(signers.iter().map(signed));
    facts.push(("signatures", "not verified here".into()));
    let text = show::plain(&format!("{payload:#}"));
    let text = format!("{}\n\n{}", show::plain_facts(&facts), show::indent(&text));
    Ok(Shown(document, text))
}

/// A dataset's registration proofs.
pub fn registration(bytes: &[u8]) -> Result<Shown> {
    let registration = Registration::from_json(bytes)?;
    let proofs: Vec<usize> = registration
        .proofs
        .iter()
        .map(|p| p.len() * 3 / 4)
        .collect();
    let all: usize = proofs.iter().sum();
    let document = json!({
        "kind": "registration",
        "warning": registration.warning,
        "manifest": registration.manifest,
        "parameter_set": registration.parameter_set,
        "proofs": proofs.len(),
        "proof_bytes": all,
    });
    let mut facts = vec![
        ("registration", show::bytes(bytes.len() as u64)),
        ("manifest", registration.manifest.clone()),
        ("parameters", registration.parameter_set.clone()),
        (
            "proofs",
            format!("{} of {} in all", proofs.len(), show::bytes(all as u64)),
        ),
    ];
    facts.extend(registration.warning.iter().map(|w| ("warning", w.clone())));
    Ok(Shown(document, show::plain_facts(&facts)))
}

/// The evidence of an answer: whose log, which entries, which files.
pub fn evidence(bytes: &[u8]) -> Result<Shown> {
    // Its form, with lists of bounded length.
    Evidence::from_json(bytes)?;
    let file: Value = serde_json::from_slice(bytes)?;
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| file[name].as_array().cloned().unwrap_or_default();
    let checkpoint = text(&file["checkpoint"]);
    let size = checkpoint.lines().nth(1).unwrap_or_default();
    let entries: Vec<[String; 3]> = list("entries").iter().map(entry).collect();
    let blobs: Vec<String> = list("blobs").iter().map(|b| text(&b["sha256"])).collect();
    let document = json!({
        "kind": "evidence",
        "log_key": file["log"],
        "checkpoint": checkpoint,
        "entries": entries.iter().map(|[index, kind, digest]| json!({
            "index": index.parse::<u64>().ok(), "kind": kind, "digest": digest,
        })).collect::<Vec<_>>(),
        "files": blobs,
    });
    let facts = show::plain_facts(&[
        ("evidence", show::bytes(bytes.len() as u64)),
        ("log key", text(&file["log"])),
        ("checkpoint", format!("of {size} entries")),
        ("files", blobs.len().to_string()),
        ("verified", "not here: `galen verify` does".into()),
    ]);
    let rows = entries.into_iter().map(Vec::from);
    let entries = show::table(&["entry", "kind", "digest"], &[0], rows);
    Ok(Shown(
        document,
        show::plain(&format!("{facts}\n\n{entries}")),
    ))
}

/// An entry's index, kind and digest.
fn entry(entry: &Value) -> [String; 3] {
    let bytes = entry["envelope"].as_str().unwrap_or_default().as_bytes();
    let statement = Envelope::parse(bytes)
        .and_then(|e| Statement::read(&e))
        .ok();
    let kind = statement.as_ref().map_or("unreadable", Statement::kind);
    let digest = statement.as_ref().and_then(known_by);
    [
        entry["index"].to_string(),
        kind.to_owned(),
        digest.unwrap_or_default(),
    ]
}

/// A signing key: its public half, and nothing else.
pub fn signing_key(path: &Path) -> Result<Shown> {
    let public = Public::of(&keys::load(path)?);
    let document = json!({
        "kind": "signing key", "public_key": public.key, "key_id": public.id,
    });
    let mut facts = vec![(
        "signing key",
        "secret: who has this file signs with it".into(),
    )];
    facts.extend(public.facts());
    Ok(Shown(document, show::plain_facts(&facts)))
}

/// A log's public key.
pub fn log_key(text: &str) -> Option<Shown> {
    let log = LogVerifier::parse(text.trim()).ok()?;
    let document = json!({
        "kind": "log key", "origin": log.origin(), "log_key": log.encoded(),
    });
    let facts = [
        ("log key", log.encoded()),
        ("origin", log.origin().to_owned()),
    ];
    Some(Shown(document, show::plain_facts(&facts)))
}
