//! How an error reaches people and programs: a chain of causes, and the name of its kind.

use std::{
    ffi::OsStr,
    fmt::{Debug, Write as _},
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Error;
use galen_ledger::{
    LedgerError,
    documents::DocumentError,
    evidence::{EvidenceError, PooledError},
};
use galen_params::ParamsError;
use galen_prover::{ProverError, synthetic::SyntheticError};
use galen_query::{ReadError, query::QueryError, registry::RegistryError};
use galen_verifier::VerifyError;
use serde_json::json;

use crate::{
    output::{Closed, Output},
    show::plain,
};

/// What a shell reports of a program that wrote into a closed pipe (128 + SIGPIPE).
const CLOSED_PIPE: u8 = 141;

/// A refusal of the command line itself, with the name of its kind.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    kind: &'static str,
    message: String,
}

/// An error of the command line itself.
pub fn refusal(kind: &'static str, message: impl Into<String>) -> Error {
    let message = message.into();
    Refusal { kind, message }.into()
}

/// An error after everything was shown: the document on standard output tells it already.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Shown {
    why: String,
    status: u8,
}

/// The exit status of what holds and was shown, but not in full: told apart from what does not hold.
const NOT_WHOLE: u8 = 3;
/// The exit status of an audit that has found something: told apart from one that could not look.
const FOUND: u8 = 4;

fn shown(why: String, status: u8) -> Error {
    Shown { why, status }.into()
}

/// A failure that was shown.
pub fn told(error: Error) -> Error {
    shown(chain(&error), 1)
}

/// Not all that was asked for could be looked at.
pub fn not_whole(error: Error) -> Error {
    shown(chain(&error), NOT_WHOLE)
}

/// The answer holds and has been shown; only a file that was asked for beside it is missing.
pub fn not_written(error: &Error) -> Error {
    shown(format!("verified, but {}", chain(error)), NOT_WHOLE)
}

/// What was looked for was found.
pub fn found(error: Error) -> Error {
    shown(chain(&error), FOUND)
}

/// The exit status of an error.
pub fn status(error: &Error) -> u8 {
    error.downcast_ref().map_or(1, |shown: &Shown| shown.status)
}

/// Writes the error and gives the exit status.
pub fn report(error: &Error, output: &Output) -> ExitCode {
    if error.is::<Closed>() {
        return ExitCode::from(CLOSED_PIPE);
    }
    // Files may come from anyone, and so may what an error repeats of them.
    let text = plain(&chain(error));
    let _ = writeln!(io::stderr(), "error: {text}");
    if error.is::<Shown>() {
        return ExitCode::from(status(error));
    }
    let document = json!({ "error": text, "kind": kind(error) });
    match output.document(&document) {
        Err(e) if e.is::<Closed>() => ExitCode::from(CLOSED_PIPE),
        _ => ExitCode::FAILURE,
    }
}

/// A command line that cannot be read, or a request for help. With `--json` an error is a document.
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let json = std::env::args_os().any(|a| a == "--json");
    if error.use_stderr() && json {
        let text = error.to_string();
        let text = text.trim_start_matches("error: ").trim();
        let _ = Output::new(true).document(&json!({ "error": text, "kind": "usage" }));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// A word of the command line that no JSON document could repeat.
pub fn not_text(word: &OsStr) -> ExitCode {
    let word = word.to_string_lossy();
    let why = format!("{word}: not UTF-8; names of files must be, rename it first\n");
    usage(&clap::Error::raw(clap::error::ErrorKind::InvalidUtf8, why))
}

/// The causes, outermost first, without those that the one before already spells out.
pub fn chain(error: &Error) -> String {
    let mut last = String::new();
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if last.contains(&cause) {
            continue;
        }
        let separator = if text.is_empty() { "" } else { "\n  because: " };
        let _ = write!(text, "{separator}{cause}");
        last = cause;
    }
    text
}

/// The kind's name: a `VerifyError`'s or `ReadError`'s variant, or module and variant.
pub fn kind(error: &Error) -> String {
    error
        .chain()
        .find_map(|cause| {
            if let Some(e) = cause.downcast_ref::<VerifyError>() {
                Some(of_verify(e))
            } else if let Some(e) = cause.downcast_ref::<ReadError>() {
                Some(of_read(e))
            } else if let Some(e) = cause.downcast_ref::<EvidenceError>() {
                Some(of_evidence(e))
            } else if let Some(e) = cause.downcast_ref::<PooledError>() {
                Some(of_pooled(e))
            } else if let Some(e) = cause.downcast_ref::<DocumentError>() {
                Some(of_document(e))
            } else if let Some(e) = cause.downcast_ref::<LedgerError>() {
                Some(named("ledger", e))
            } else if let Some(e) = cause.downcast_ref::<ProverError>() {
                Some(of_prover(e))
            } else if let Some(e) = cause.downcast_ref::<ParamsError>() {
                Some(named("params", e))
            } else if let Some(e) = cause.downcast_ref::<RegistryError>() {
                Some(named("registry", e))
            } else if let Some(e) = cause.downcast_ref::<QueryError>() {
                Some(named("query", e))
            } else if let Some(e) = cause.downcast_ref::<SyntheticError>() {
                Some(named("synthetic", e))
            } else if let Some(e) = cause.downcast_ref::<Refusal>() {
                Some(e.kind.to_owned())
            } else {
                let e = cause.downcast_ref::<io::Error>()?;
                Some(format!("io.{:?}", e.kind()))
            }
        })
        .unwrap_or_else(|| "other".into())
}

fn of_verify(error: &VerifyError) -> String {
    match error {
        VerifyError::Read(e) => of_read(e),
        VerifyError::Plan(e) => named("plan", e),
        VerifyError::Parameters(e) => named("params", e),
        other => variant(other),
    }
}

fn of_read(error: &ReadError) -> String {
    match error {
        ReadError::Query(e) => named("query", e),
        other => variant(other),
    }
}

fn of_evidence(error: &EvidenceError) -> String {
    match error {
        EvidenceError::File(e) => of_read(e),
        EvidenceError::Document { source, .. } => of_document(source),
        other => named("evidence", other),
    }
}

fn of_pooled(error: &PooledError) -> String {
    match error {
        PooledError::Pool(e) => named("pooled", e),
        other => named("pooled", other),
    }
}

fn of_document(error: &DocumentError) -> String {
    match error {
        DocumentError::Registry(e) => named("registry", e),
        DocumentError::ParameterSet(e) => named("params", e),
        DocumentError::Refused { source, .. } => of_verify(source),
        other => named("document", other),
    }
}

fn of_prover(error: &ProverError) -> String {
    match error {
        ProverError::Read(e) => of_read(e),
        ProverError::Verify(e) => of_verify(e),
        ProverError::Params(e) => named("params", e),
        ProverError::Table(e) => named("table", e),
        ProverError::Circuit(e) => named("circuit", e),
        other => named("dataset", other),
    }
}

fn named(module: &str, error: &impl Debug) -> String {
    format!("{module}.{}", variant(error))
}

/// The variant's name, which a derived Debug starts with.
fn variant(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn kinds_are_names_of_variants() {
        let e = Error::from(VerifyError::ManifestSignature).context("manifest.json");
        assert_eq!(kind(&e), "ManifestSignature");
        let e = Error::from(ProverError::Verify(VerifyError::Warning { what: "bundle" }));
        assert_eq!(kind(&e), "Warning");
        let e = Error::from(VerifyError::Parameters(ParamsError::NoCache));
        assert_eq!(kind(&e), "params.NoCache");
        assert_eq!(kind(&refusal("pairs", "no")), "pairs");
        assert_eq!(kind(&anyhow!("what")), "other");
    }

    #[test]
    fn a_cause_that_is_spelled_out_is_not_repeated() {
        let source = io::Error::other("disk on fire");
        let path = "a/b".into();
        let e = Error::from(ProverError::Io { path, source }).context("committing");
        assert_eq!(chain(&e), "committing\n  because: a/b: disk on fire");
    }
}
