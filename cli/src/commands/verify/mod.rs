mod evidence;
mod pooled;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    answer::Answer, check_dataset, register::AnswerRegister, registration::verify_registration,
    verify,
};
use serde_json::json;

use super::query::purpose;
use crate::{
    caption::Caption,
    export::Exports,
    failure::{chain, not_written as unwritten, refusal},
    files,
    output::Output,
    params::INSECURE,
    show,
    shown::Shown,
};

const EXAMPLE: &str = "\
Example: a reviewer checks the evidence of an answer, offline and against the log's key
  galen verify answer.galen --log-key log.example/galen+1a2b3c4d+AaBbCc…
Or that of several sites' answers to one query, which are then added up
  galen verify north.galen south.galen --log-key log.example/galen+1a2b3c4d+AaBbCc… --csv pooled.csv
Or two answers of a hospital, from their public files
  galen verify --manifest manifest.json --registration registration.json \\
      --registry registry.toml --parameters parameters.bin \\
      --query query-1.json --bundle bundle-1.json \\
      --query query-2.json --bundle bundle-2.json
Take the log's key, or the parameters, from whom you trust: all else may come from anyone.

Exit status
  0  every answer holds, and what was asked for beside it is written
  1  an answer does not hold, or could not be checked: the error says which document and check
  2  the command line cannot be read
  3  every answer holds and was shown, but --csv or --plot could not be written in full
  141  standard output was closed before everything was shown";

const USAGE: &str = "\
galen verify [OPTIONS] <EVIDENCE>...
       galen verify [OPTIONS] --manifest <FILE> --registration <FILE> --registry <FILE> \
--parameters <FILE> --bundle <FILE> --query <FILE>";

/// Verifies answers from evidence or from public files, and shows them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE, override_usage = USAGE)]
pub struct Args {
    /// The evidence of an answer: a file that holds all of it, as `galen evidence` writes them. That of several
    /// sites' answers to one query: these are verified and added up
    #[arg(
        value_name = "EVIDENCE",
        conflicts_with = "Documents",
        required_unless_present = "Documents"
    )]
    evidence: Vec<PathBuf>,
    /// The key of the log that you trust, or a file with it; without it the evidence's own is believed
    #[arg(long, value_name = "KEY|FILE", conflicts_with = "Documents")]
    log_key: Option<String>,
    #[command(flatten)]
    documents: Option<Documents>,
    #[command(flatten)]
    exports: Exports,
}

/// Without evidence: an answer's documents one by one.
#[derive(Debug, clap::Args)]
#[group(id = "Documents")]
struct Documents {
    /// An answer's bundle; may be repeated, with a --query for each
    #[arg(
        long = "bundle",
        value_name = "FILE",
        required_unless_present = "evidence"
    )]
    bundles: Vec<PathBuf>,
    /// The query that it answers; the first goes with the first bundle, and so on
    #[arg(
        long = "query",
        value_name = "FILE",
        required_unless_present = "evidence"
    )]
    queries: Vec<PathBuf>,
    /// The dataset's manifest
    #[arg(long, value_name = "FILE", required_unless_present = "evidence")]
    manifest: PathBuf,
    /// The proofs that the dataset's columns are well-formed, as they stand beside the manifest
    #[arg(long, value_name = "FILE", required_unless_present = "evidence")]
    registration: PathBuf,
    /// The study's registry
    #[arg(long, value_name = "FILE", required_unless_present = "evidence")]
    registry: PathBuf,
    /// The parameter set's verifying part
    #[arg(long, value_name = "FILE", required_unless_present = "evidence")]
    parameters: PathBuf,
}

/// Verifies the evidence or the documents given.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let log_key = args.log_key.as_deref();
    match (args.evidence.as_slice(), &args.documents) {
        ([], Some(documents)) => verify_documents(documents, &args.exports, output),
        ([], None) => Err(refusal("usage", "give evidence, or an answer's documents")),
        ([one], _) => evidence::run(one, log_key, &args.exports, output),
        (several, _) => pooled::run(several, log_key, &args.exports, output),
    }
}

/// Verifies every pair; the first that fails ends it.
fn verify_documents(args: &Documents, exports: &Exports, output: &Output) -> Result<()> {
    if args.bundles.len() != args.queries.len() {
        let why = format!(
            "{} and {}: each --bundle needs its --query, in the same order",
            show::plural(args.bundles.len(), "bundle"),
            if args.queries.len() == 1 {
                "1 query".into()
            } else {
                format!("{} queries", args.queries.len())
            }
        );
        return Err(refusal("usage.Pairs", why));
    }
    if exports.any() && args.bundles.len() > 1 {
        let why = "--csv and --plot are for one answer: give one --bundle with its --query";
        return Err(refusal("usage.Exports", why));
    }
    exports.check()?;
    let (_, registry) = files::registry(&args.registry)?;
    let manifest = files::manifest(&args.manifest)?;
    let keys = files::parameters(&args.parameters)?;
    let dataset = check_dataset(&manifest, &registry, &keys)
        .with_context(|| format!("{} was refused", args.manifest.display()))?;
    let registration = files::registration(&args.registration)?;
    let registered = verify_registration(&registration, dataset, &registry, &keys)
        .with_context(|| format!("{} was REFUSED", args.registration.display()))?;
    let dataset = registered.dataset();
    let rule = dataset.manifest.release.in_words();
    let mut register = AnswerRegister::default();
    let mut documents = Vec::new();
    let mut not_written = None;
    for (path, query) in args.bundles.iter().zip(&args.queries) {
        let question = files::question(query)?;
        let (bundle, bytes) = files::bundle(path)?;
        let started = Instant::now();
        let refused = || format!("{} was REFUSED", path.display());
        let answer = verify(&bundle, &registered, &registry, &question, &keys)
            .and_then(|answer| register.admit(&answer).map(|()| answer))
            .with_context(refused)?;
        let time = started.elapsed();
        documents.push(json!({
            "bundle": path,
            "query": query,
            "verified": true,
            "bundle_bytes": bytes,
            "verifying_seconds": time.as_secs_f64(),
            "answer": answer.to_json(),
        }));
        let facts = [
            (
                "bundle",
                format!("{}, {}", path.display(), show::bytes(bytes as u64)),
            ),
            ("verified in", show::time(time)),
        ];
        let shown = Shown::from(&answer);
        // Before anything is printed, so that they are there if nobody reads on.
        not_written = exports
            .write(&shown, &Caption::of(&question, &registry))
            .err();
        print(path, &question, &registry, &answer, &facts, output)?;
        if let Some(note) = show::suppression(&answer, &dataset.manifest.release) {
            output.line(format!("\n{note}"))?;
        }
        output.line(format!("\n{}\n", show::derived(&shown)))?;
    }
    let why = not_written.as_ref().map(chain);
    output.document(&json!({ "verified": true, "answers": documents, "not_written": why }))?;
    output.line(meaning(&dataset.manifest.hospital, &rule))?;
    if keys.is_insecure() {
        output.line(format!("\n{INSECURE}"))?;
    }
    // The answer holds, and has been shown: only its files are missing.
    not_written.map_or(Ok(()), |e| Err(unwritten(&e)))
}

/// What a terminal shows of a title or query in one line, characters.
const TITLE: usize = 90;

/// The question's title, or the start of its text.
fn title(question: &Question) -> String {
    match &question.title {
        Some(title) => show::plain_line(title),
        None => show::cut(&question.sql, TITLE),
    }
}

/// The title for a terminal.
fn heading(question: &Question) -> String {
    show::cut(&title(question), TITLE)
}

fn print(
    path: &Path,
    question: &Question,
    registry: &Registry,
    answer: &Answer,
    more: &[(&'static str, String)],
    output: &Output,
) -> Result<()> {
    let title = question.title.clone();
    let title = title.unwrap_or_else(|| path.display().to_string());
    output.line(format!("VERIFIED  {}\n", show::cut(&title, TITLE)))?;
    output.line(show::indent(&show::plain(&question.sql)))?;
    output.line(format!("\n{}\n", show::answer(&Shown::from(answer))))?;
    let mut facts = vec![("purpose", purpose(question, registry))];
    facts.extend(show::source(answer));
    facts.extend_from_slice(more);
    output.line(show::facts(&facts))
}

/// What a verified answer says, and what it does not.
pub fn meaning(hospital: &str, rule: &str) -> String {
    format!(
        "\
What was proven
  Each cell above is the exact value of its query over the table that this hospital committed
  in this epoch: all its patients who consented to the query's purpose and nobody else, with
  NULL as in SQL. Hidden cells are hidden by the rule that was on record before the query.
  The hospital could neither change a value, nor leave patients out, nor hide a cell for
  another reason than the rule's. A cell hidden as < and a number is about fewer patients than
  that; one hidden as * can be large: a small count could be computed from it.
    hospital  {hospital}
    rule      {rule}

What was not proven
  That the committed table is true and complete, its rows distinct people, and its consent bits
  what patients said: that rests on the hospital's signature and on audits. And exact answers
  to many queries can, put together, tell more than each alone."
    )
}
