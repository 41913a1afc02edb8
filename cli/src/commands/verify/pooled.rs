//! Verifying the evidence of several sites, and adding their answers up.

use std::path::PathBuf;

use anyhow::{Error, Result};
use galen_ledger::evidence::{PooledError, PooledReport, Report};
use serde_json::{Value, json};

use super::{
    super::query::purpose,
    evidence::{File, asked_by, list, log_key, people, read, stewards},
    heading,
};
use crate::{
    caption::Caption,
    export::Exports,
    failure::{chain, not_written as unwritten},
    keys,
    output::Output,
    params::INSECURE,
    show,
    shown::Shown,
};

/// Verifies every file; the first that fails ends it. Prints each site's answer and the pooled one.
pub fn run(paths: &[PathBuf], key: Option<&str>, exports: &Exports, output: &Output) -> Result<()> {
    exports.check()?;
    let trusted = key.map(keys::log).transpose()?;
    let verified = paths.iter().map(|p| read(p, trusted.as_ref()));
    let verified: Vec<_> = verified.collect::<Result<_>>()?;
    let (files, reports): (Vec<File>, Vec<Report>) = verified.into_iter().unzip();
    let report = PooledReport::new(reports).map_err(|e| refused(e, &files, trusted.is_some()))?;
    let shown = Shown::from(&report);
    // Before anything is printed, so that they are there if nobody reads on.
    let first = report.sites.first();
    let caption = first.map(|s| Caption::of(&s.question, &s.registry));
    let not_written = exports.write(&shown, &caption.unwrap_or_default()).err();
    print(&report, &shown, &files, output)?;
    let sites = files.iter().zip(&report.sites);
    let sites: Vec<Value> = sites.map(|(f, site)| f.to_json(site)).collect();
    output.document(&json!({
        "verified": true,
        "sites": sites,
        "pooled": report.to_json(),
        "not_written": not_written.as_ref().map(chain),
    }))?;
    // The answers hold, and have been shown: only their files are missing.
    not_written.map_or(Ok(()), |e| Err(unwritten(&e)))
}

fn print(report: &PooledReport, shown: &Shown<'_>, files: &[File], output: &Output) -> Result<()> {
    let Some(first) = report.sites.first() else {
        return Ok(());
    };
    // Codes and names are the study's: nothing of them may pass for a line of ours.
    let say = |text: String| output.line(show::plain(&text));
    say(format!("VERIFIED  {}\n", heading(&first.question)))?;
    say(show::indent(&first.question.sql))?;
    for (file, report) in files.iter().zip(&report.sites) {
        say(site(file, report))?;
    }
    let hospitals = show::plural(report.hospitals().len(), "hospital");
    let count = format!("{} of {hospitals}", show::plural(files.len(), "dataset"));
    say(format!("\nPooled: {count}\n\n{}", show::answer(shown)))?;
    say(format!("\n{}\n", show::derived(shown)))?;
    say(show::facts(&[
        ("purpose", purpose(&first.question, &first.registry)),
        ("asked by", asked_by(first)),
        ("log", first.log.origin.clone()),
        ("log key", log_key(first)),
    ]))?;
    let keys = report.sites.iter().flat_map(|s| &s.keys);
    say(format!("\nWho signed\n{}", people(once(keys))))?;
    let own = |sentences: fn(&Report) -> Vec<String>| report.sites.iter().flat_map(sentences);
    let checked = once(own(Report::checked).chain(report.checked()));
    say(format!("\nWhat was checked\n{}", list(&checked)))?;
    let unchecked = once(own(Report::unchecked).chain(report.unchecked()));
    say(format!("\nWhat was not checked\n{}", list(&unchecked)))?;
    say("\nEach site's entries, and who signed which: `galen verify` of its file alone.".into())?;
    if report.pooled.insecure {
        say(format!("\n{INSECURE}"))?;
    }
    Ok(())
}

/// Which files do not go together, and why.
fn refused(error: PooledError, files: &[File], trusted: bool) -> Error {
    let which: Vec<&str> = match error.sites() {
        Some((a, b)) => [files.get(a), files.get(b)]
            .into_iter()
            .flatten()
            .map(|f| &*f.name)
            .collect(),
        None => files.iter().map(|f| &*f.name).collect(),
    };
    let which = which.join(" and ");
    let warning = if trusted {
        ""
    } else {
        ". The key was compared with NOTHING: whoever made the files may have made the log"
    };
    let told = match &error {
        PooledError::Forked { .. } | PooledError::Rules { .. } => {
            format!("{error}: {which}{warning}")
        }
        _ => format!(
            "{which} are not added up: {error}. Each file holds by itself; give one at a time to see it"
        ),
    };
    Error::new(error).context(told)
}

/// A site's own answer, and its file.
fn site(file: &File, report: &Report) -> String {
    let answer = &report.answer;
    let rule = &answer.source.profile;
    let shown = Shown::from(answer);
    let mut text = format!("\n{}\n\n{}", shown.of, show::answer(&shown));
    if let Some(note) = show::suppression(answer, rule) {
        text += &format!("\n\n{note}");
    }
    // A site's reading is not shown: what is proven is said of all sites at once.
    if let Some(why) = answer.why_hidden() {
        text += &format!("\n\n{}", show::wrapped(&why, ""));
    }
    let mut facts = vec![
        ("answer", format!("entry {}", report.answer_index)),
        ("release rule", rule.in_words()),
    ];
    let (set, insecure) = (&answer.source.parameter_set, answer.insecure);
    facts.push(("parameters", show::parameters(set, insecure)));
    facts.push(("stewards", stewards(&report.consortium)));
    facts.extend(file.facts());
    text + "\n\n" + &show::facts(&facts)
}

/// Each item once, in the order of their first.
fn once<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}
