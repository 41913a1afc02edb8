//! Verifying evidence: one file for one answer.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};
use galen_verifier::ledger::{
    evidence::{Evidence, MAX_EVIDENCE_BYTES, Report},
    statement::Blob,
    tiles::LogVerifier,
};
use serde_json::json;

use super::{super::query::purpose, title};
use crate::{
    export::Exports,
    failure::{chain, refusal, told},
    files,
    output::Output,
    params::INSECURE,
    show,
};

/// A log's key is a line.
const MAX_KEY_BYTES: u64 = 4_096;

/// Verifies the evidence and prints the report.
pub fn run(path: &Path, log_key: Option<&str>, exports: &Exports, output: &Output) -> Result<()> {
    exports.check()?;
    let trusted = log_key.map(read_key).transpose()?;
    let bytes = files::read_limited(path, "evidence", MAX_EVIDENCE_BYTES as u64)?;
    let started = Instant::now();
    let report = Evidence::from_json(&bytes)
        .and_then(|e| e.verify(trusted.as_ref()))
        .with_context(|| format!("{} was REFUSED", path.display()))?;
    let time = started.elapsed();
    let digest = Blob::of(&bytes).sha256;
    let file = [
        (
            "evidence",
            format!("{}, {}", path.display(), show::bytes(bytes.len() as u64)),
        ),
        ("SHA-256", digest.clone()),
        (
            "verified in",
            format!(
                "{} by galen {}",
                show::time(time),
                env!("CARGO_PKG_VERSION")
            ),
        ),
    ];
    print(&report, &file, output)?;
    let not_written = exports
        .write(&report.answer, &title(&report.question))
        .err();
    let why = not_written.as_ref().map(chain);
    output.document(&json!({
        "verified": true,
        "evidence": path,
        "evidence_bytes": bytes.len(),
        "evidence_sha256": digest,
        "verifying_seconds": time.as_secs_f64(),
        "report": report.to_json(),
        "not_written": why,
    }))?;
    // The answer holds, and has been shown: only its files are missing.
    not_written.map_or(Ok(()), |e| Err(told(e)))
}

/// The key itself, or a file with it.
pub fn read_key(text: &str) -> Result<LogVerifier> {
    let path = Path::new(text);
    if !path.is_file() {
        let named = || format!("--log-key {text}: neither a log's key nor a file with one");
        return LogVerifier::parse(text.trim()).with_context(named);
    }
    let bytes = files::read_limited(path, "log key", MAX_KEY_BYTES)?;
    let named = || format!("log key {text}");
    let key = std::str::from_utf8(&bytes)
        .map_err(|_| refusal("ledger.Checkpoint", "not UTF-8"))
        .with_context(named)?;
    LogVerifier::parse(key.trim()).with_context(named)
}

fn print(report: &Report, file: &[(&'static str, String)], output: &Output) -> Result<()> {
    // Codes and names are the study's: nothing of them may pass for a line of ours.
    let say = |text: String| output.line(show::plain(&text));
    let (answer, question) = (&report.answer, &report.question);
    say(format!("VERIFIED  {}\n", title(question)))?;
    say(show::indent(&question.sql))?;
    say(format!("\n{}\n", show::answer(answer)))?;
    let mut facts = vec![("purpose", purpose(question, &report.registry))];
    facts.extend(show::source(answer));
    facts.extend(log_facts(report));
    facts.extend_from_slice(file);
    say(show::facts(&facts))?;
    if let Some(note) = show::suppression(answer, &answer.source.profile) {
        say(format!("\n{note}"))?;
    }
    say(format!("\n{}", show::derived(answer)))?;
    say(format!("\nEntries of the log\n{}", entries(report)))?;
    say(format!("\nWhat was checked\n{}", list(&report.checked())))?;
    say(format!(
        "\nWhat was not checked\n{}",
        list(&report.unchecked())
    ))?;
    if report.parameter_set.insecure {
        say(format!("\n{INSECURE}"))?;
    }
    Ok(())
}

/// Who asked and who answered, and in which log.
fn log_facts(report: &Report) -> Vec<(&'static str, String)> {
    let log = &report.log;
    let c = &report.consortium;
    let compared = if log.compared {
        "the one given"
    } else {
        "compared with NOTHING: it came with the evidence"
    };
    vec![
        (
            "asked by",
            format!("{}, entry {}", report.researcher, report.query_index),
        ),
        (
            "answered by",
            format!(
                "{}, entry {}, after the query",
                report.answer.source.hospital, report.answer_index
            ),
        ),
        (
            "stewards",
            format!(
                "{} (version {}, {} of {} sign)",
                c.name,
                c.version,
                c.threshold,
                c.stewards.len()
            ),
        ),
        (
            "log",
            format!(
                "{}, {} entries, root {}",
                log.origin,
                show::thousands(log.size),
                log.root_text()
            ),
        ),
        ("log key", format!("{} ({compared})", log.key)),
    ]
}

fn entries(report: &Report) -> String {
    let cut = |hex: &str| hex.chars().take(16).collect::<String>();
    let rows = report.entries.iter().map(|e| {
        let signers: Vec<String> = e.signers.iter().map(|s| cut(s)).collect();
        vec![
            e.index.to_string(),
            e.kind.to_owned(),
            e.member.clone().unwrap_or_default(),
            cut(&e.digest),
            signers.join(" "),
        ]
    });
    let header = ["entry", "kind", "who", "digest", "signed with keys"];
    show::indent(&show::table(&header, &[0], rows))
}

/// Sentences one below the other, each with a dash.
fn list(sentences: &[String]) -> String {
    let items: Vec<String> = sentences.iter().map(|s| show::item(s)).collect();
    items.join("\n")
}
