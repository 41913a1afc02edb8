use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use galen_verifier::{
    answer::Answer, check_dataset, proven::Proven, question::Question, register::AnswerRegister,
    registry::Registry, verify_beyond,
};
use serde_json::json;

use super::query::purpose;
use crate::{
    export::Exports,
    failure::{chain, refusal, told},
    files,
    output::Output,
    params::INSECURE,
    show,
};

const EXAMPLE: &str = "\
Example: a reviewer checks two answers of a hospital, offline and from public files alone
  galen verify --manifest manifest.json --registry registry.toml --parameters parameters.bin \\
      --query query-1.json --bundle bundle-1.json \\
      --query query-2.json --bundle bundle-2.json
Take the parameters from whom you trust: everything else may come from anyone.
The exit status is 0 only if every answer holds.";

/// Verifies answers from public files, and shows them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// An answer's bundle; may be repeated, with a --query for each
    #[arg(long = "bundle", value_name = "FILE", required = true)]
    bundles: Vec<PathBuf>,
    /// The query that it answers; the first goes with the first bundle, and so on
    #[arg(long = "query", value_name = "FILE", required = true)]
    queries: Vec<PathBuf>,
    /// The dataset's manifest
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The study's registry
    #[arg(long, value_name = "FILE")]
    registry: PathBuf,
    /// The parameter set's verifying part
    #[arg(long, value_name = "FILE")]
    parameters: PathBuf,
    #[command(flatten)]
    exports: Exports,
}

/// Verifies every pair; the first that fails ends it.
pub fn run(args: &Args, output: &Output) -> Result<()> {
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
    if args.exports.any() && args.bundles.len() > 1 {
        let why = "--csv and --plot are for one answer: give one --bundle with its --query";
        return Err(refusal("usage.Exports", why));
    }
    args.exports.check()?;
    let (_, registry) = files::registry(&args.registry)?;
    let manifest = files::manifest(&args.manifest)?;
    let keys = files::parameters(&args.parameters)?;
    let dataset = check_dataset(&manifest, &registry, &keys)
        .with_context(|| format!("{} was refused", args.manifest.display()))?;
    let rule = show::rule(&dataset.manifest.release);
    let mut register = AnswerRegister::default();
    // Bundles over one dataset share most of their proofs.
    let mut proven = Proven::default();
    let mut documents = Vec::new();
    let mut not_written = None;
    for (path, query) in args.bundles.iter().zip(&args.queries) {
        let question = files::question(query)?;
        let (bundle, bytes) = files::bundle(path)?;
        let started = Instant::now();
        let refused = || format!("{} was REFUSED", path.display());
        let answer = verify_beyond(&mut proven, &bundle, &manifest, &registry, &question, &keys)
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
        print(path, &question, &registry, &answer, &facts, output)?;
        if let Some(note) = show::suppression(&answer, &dataset.manifest.release) {
            output.line(format!("\n{note}"))?;
        }
        output.line(format!("\n{}\n", show::derived(&answer)))?;
        not_written = args.exports.write(&answer, &title(&question)).err();
    }
    let why = not_written.as_ref().map(chain);
    output.document(&json!({ "verified": true, "answers": documents, "not_written": why }))?;
    output.line(meaning(&dataset.manifest.hospital, &rule))?;
    if keys.is_insecure() {
        output.line(format!("\n{INSECURE}"))?;
    }
    // The answer holds, and has been shown: only its files are missing.
    not_written.map_or(Ok(()), |e| Err(told(e)))
}

/// The question's title, or the start of its text.
fn title(question: &Question) -> String {
    let sql = || {
        let text: Vec<&str> = question.sql.split_whitespace().collect();
        let text = text.join(" ");
        let cut: String = text.chars().take(90).collect();
        if cut.len() < text.len() {
            cut + "…"
        } else {
            cut
        }
    };
    question.title.clone().unwrap_or_else(sql)
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
    output.line(format!("VERIFIED  {title}\n"))?;
    output.line(show::indent(&question.sql))?;
    output.line(format!("\n{}\n", show::answer(answer)))?;
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
  The hospital could neither change a value, nor leave patients out, nor hide a large count.
    hospital  {hospital}
    rule      {rule}

What was not proven
  That the committed table is true and complete, its rows distinct people, and its consent bits
  what patients said: that rests on the hospital's signature and on audits. And exact answers
  to many queries can, put together, tell more than each alone."
    )
}
