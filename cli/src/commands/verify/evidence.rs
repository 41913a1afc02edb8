//! Verifying evidence: one file for one answer.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use galen_ledger::{
    evidence::{Evidence, MAX_EVIDENCE_BYTES, Report, ReportedKey},
    statement::{Blob, Consortium},
    tiles::LogVerifier,
};
use serde_json::{Value, json};

use super::{super::query::purpose, heading};
use crate::{
    caption::Caption,
    export::Exports,
    failure::{chain, not_written as unwritten},
    files, keys,
    kind::Kind,
    output::Output,
    params::INSECURE,
    show,
    shown::Shown,
};

/// A file of evidence that holds.
pub(super) struct File {
    /// On one line, whatever it is.
    pub name: String,
    size: usize,
    time: Duration,
    digest: String,
}

/// Reads the file and verifies it.
pub(super) fn read(path: &Path, trusted: Option<&LogVerifier>) -> Result<(File, Report)> {
    let name = show::plain_line(&path.display().to_string());
    let bytes = files::read(path, Kind::Evidence, MAX_EVIDENCE_BYTES as u64)?;
    let started = Instant::now();
    let evidence = Evidence::from_json(&bytes).with_context(|| {
        format!("{name} is no evidence file (.galen), or is cut off; `galen evidence` writes one")
    })?;
    let report = evidence
        .verify(trusted)
        .with_context(|| format!("{name} was REFUSED"))?;
    let file = File {
        name,
        size: bytes.len(),
        time: started.elapsed(),
        digest: Blob::of(&bytes).sha256,
    };
    Ok((file, report))
}

impl File {
    /// The file, for people.
    pub fn facts(&self) -> [(&'static str, String); 3] {
        let (path, size) = (&self.name, show::bytes(self.size as u64));
        let (time, version) = (show::time(self.time), env!("CARGO_PKG_VERSION"));
        [
            ("evidence", format!("{path}, {size}")),
            ("SHA-256", self.digest.clone()),
            ("verified in", format!("{time} by galen {version}")),
        ]
    }

    /// The file and its report, for programs.
    pub fn to_json(&self, report: &Report) -> Value {
        json!({
            "evidence": self.name,
            "evidence_bytes": self.size,
            "evidence_sha256": self.digest,
            "verifying_seconds": self.time.as_secs_f64(),
            "report": report.to_json(),
        })
    }
}

/// Verifies the evidence and prints the report.
pub fn run(path: &Path, key: Option<&str>, exports: &Exports, output: &Output) -> Result<()> {
    exports.check()?;
    let trusted = key.map(keys::log).transpose()?;
    let (file, report) = read(path, trusted.as_ref())?;
    let shown = Shown::from(&report.answer);
    // Before anything is printed, so that they are there if nobody reads on.
    let not_written = exports
        .write(&shown, &Caption::of(&report.question, &report.registry))
        .err();
    print(&report, &file.facts(), output)?;
    let mut document = file.to_json(&report);
    document["verified"] = true.into();
    document["not_written"] = not_written.as_ref().map(chain).into();
    output.document(&document)?;
    // The answer holds, and has been shown: only its files are missing.
    not_written.map_or(Ok(()), |e| Err(unwritten(&e)))
}

fn print(report: &Report, file: &[(&'static str, String)], output: &Output) -> Result<()> {
    // Codes and names are the study's: nothing of them may pass for a line of ours.
    let say = |text: String| output.line(show::plain(&text));
    let (answer, question) = (&report.answer, &report.question);
    let shown = Shown::from(answer);
    say(format!("VERIFIED  {}\n", heading(question)))?;
    say(show::indent(&question.sql))?;
    say(format!("\n{}\n", show::answer(&shown)))?;
    let mut facts = vec![("purpose", purpose(question, &report.registry))];
    facts.extend(show::source(answer));
    facts.push(("release rule", answer.source.profile.in_words()));
    facts.extend(log_facts(report));
    facts.extend_from_slice(file);
    say(show::facts(&facts))?;
    if let Some(note) = show::suppression(answer, &answer.source.profile) {
        say(format!("\n{note}"))?;
    }
    say(format!("\n{}", show::derived(&shown)))?;
    say(format!("\nWho signed\n{}", people(&report.keys)))?;
    say(format!("\nWhat was checked\n{}", list(&report.checked())))?;
    say(format!("\nEntries of the log\n{}", entries(report)))?;
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
    vec![
        ("asked by", asked_by(report)),
        (
            "answered by",
            format!(
                "{}, entry {}, after the query",
                report.answer.source.hospital, report.answer_index
            ),
        ),
        ("stewards", stewards(&report.consortium)),
        (
            "log",
            format!(
                "{}, {} entries, root {}",
                log.origin,
                show::thousands(log.size),
                log.root_text()
            ),
        ),
        ("log key", log_key(report)),
    ]
}

/// Who governs the log.
pub(super) fn stewards(c: &Consortium) -> String {
    let (name, version, threshold) = (&c.name, c.version, c.threshold);
    format!(
        "{name} (version {version}, {threshold} of {} sign)",
        c.stewards.len()
    )
}

/// The researcher, and where the query stands.
pub(super) fn asked_by(report: &Report) -> String {
    format!("{}, entry {}", report.researcher, report.query_index)
}

/// The log's key, and whether it is trusted.
pub(super) fn log_key(report: &Report) -> String {
    let compared = if report.log.compared {
        "the one given"
    } else {
        "compared with NOTHING: it came with the evidence"
    };
    format!("{} ({compared})", report.log.key)
}

/// The keys that signed, for a reader to compare with what their owners publish.
pub(super) fn people<'a>(keys: impl IntoIterator<Item = &'a ReportedKey>) -> String {
    let lines = keys.into_iter().map(|key| {
        let who = match key.role {
            "steward" => format!("steward of {}", key.whose),
            role => format!("{role}  {}", key.whose),
        };
        let (public, id) = (&key.key, &key.id);
        format!("{who}\n    public key  {public}\n    key id      {id}")
    });
    show::indent(&lines.collect::<Vec<_>>().join("\n"))
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
    let header = ["entry", "kind", "who", "digest", "signed, by key id"];
    show::indent(&show::table(&header, &[0], rows))
}

/// Sentences one below the other, each with a dash.
pub(super) fn list(sentences: &[String]) -> String {
    let items: Vec<String> = sentences.iter().map(|s| show::item(s)).collect();
    items.join("\n")
}
