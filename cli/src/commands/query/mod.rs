mod asks;
mod hidden;

use std::path::PathBuf;

use anyhow::{Context, Result};
use galen_params::Shape;
use galen_query::{
    query::{MAX_BYTES, Predicate},
    question::Question,
    registry::Registry,
    text::hex,
};
use galen_verifier::{
    VerifyError,
    plan::{Plan, assumed_quantiles, check_percentiles},
};
use serde_json::json;

use crate::{failure::refusal, files, kind::Kind, output::Output, show};
use hidden::Expectation;

const EXAMPLE: &str = "\
Example: the researcher registers a question before any hospital answers it
  galen query --registry registry.toml --purpose DUO:0000042 --out query.json \\
      --title 'LDL in diabetes' \\
      --sql 'SELECT count(*), avg(ldl) FROM cardio WHERE diabetes AND age > 60'";

/// Writes the document of a query, which answers are bound to; `galen publish query` registers it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The study's registry
    #[arg(long, value_name = "FILE")]
    registry: PathBuf,
    /// Purpose of use: a DUO code that the registry lists
    #[arg(long, value_name = "CODE")]
    purpose: String,
    #[command(flatten)]
    text: Text,
    /// A line for people
    #[arg(long)]
    title: Option<String>,
    /// What to derive from the answer, e.g. 'two-by-two exposure=arm cases=deaths total=n'; may be
    /// repeated. An unknown one lists them all
    #[arg(long = "analysis", value_name = "TEXT")]
    analyses: Vec<String>,
    /// Say what is read, looked up and summed, and which circuit proves it
    #[arg(long)]
    explain: bool,
    /// The document to write; it must not exist. With --explain it may be left out: the query is only checked then
    #[arg(long, value_name = "FILE", required_unless_present = "explain")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Text {
    /// The query
    #[arg(long)]
    sql: Option<String>,
    /// A file that holds the query
    #[arg(long, value_name = "FILE")]
    sql_file: Option<PathBuf>,
}

/// Checks that the query can be asked, and writes it.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    args.out.as_deref().map_or(Ok(()), files::check_place)?;
    let (_, registry) = files::registry(&args.registry)?;
    let sql = args.text.read()?;
    let question = Question::with_analyses(
        &registry,
        &args.purpose,
        &sql,
        args.title.clone(),
        args.analyses.clone(),
    )?;
    let plan = plan_for_many(&question, &registry)?;
    if let Some(out) = &args.out {
        if out.exists() {
            let why = format!(
                "{} exists; a registered query is never overwritten. Choose another --out",
                out.display()
            );
            return Err(refusal("io.AlreadyExists", why));
        }
        files::write_atomic(out, &files::pretty(&question)?)?;
    }
    let explained = plan.explain(&registry);
    let asked = question.resolve(&registry)?.query;
    let can_be_met = asked.filter != Predicate::Never;
    let asks = asks::lines(&asked, &registry);
    let hidden = hidden::expected(&asked, &registry, &plan);
    output.document(&json!({
        "out": args.out,
        "digest": hex(&question.digest()),
        "registry": question.registry,
        "purpose": question.purpose,
        "sql": question.sql,
        "title": question.title,
        "analyses": question.analyses,
        "lookups": plan.equation.lookups.len(),
        "groups": plan.layout.groups.len(),
        "cells": plan.equation.cells(),
        "plan": explained,
        "can_be_met": can_be_met,
        "asks": asks.iter().map(|(what, text)| json!({ "what": what, "text": text })).collect::<Vec<_>>(),
        "may_be_hidden": hidden.iter().map(Expectation::to_json).collect::<Vec<_>>(),
    }))?;
    if !can_be_met {
        output.line(
            "note: no patient can meet the WHERE clause (is a value compared with NULL, or out of its column's range?)\n",
        )?;
    }
    print(&question, &registry, &plan, args, output)?;
    let rows: Vec<_> = asks
        .iter()
        .map(|(what, text)| (what.as_str(), text.clone()))
        .collect();
    output.line(format!("\nasks\n{}", show::indent(&show::facts(&rows))))?;
    if !hidden.is_empty() {
        output.line("\nmay be hidden in the answer")?;
    }
    for expectation in &hidden {
        output.line(show::item(&show::plain(&expectation.to_string())))?;
    }
    if !args.explain {
        return Ok(());
    }
    output.line("\nplan")?;
    output.line(show::indent(&plan.explain(&registry).join("\n")))
}

impl Text {
    fn read(&self) -> Result<String> {
        let limit = MAX_BYTES as u64;
        match (&self.sql, &self.sql_file) {
            (Some(sql), _) => Ok(sql.clone()),
            (None, Some(path)) => {
                let bytes = files::read(path, Kind::Sql, limit)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| refusal("query.Syntax", "not UTF-8"))
                    .with_context(|| format!("SQL file {}", path.display()))?;
                Ok(text.trim().to_owned())
            }
            (None, None) => Err(refusal("usage.Query", "give --sql or --sql-file")),
        }
    }
}

/// The plan over a table of the smallest shape: over a larger one it differs in the number of rows only.
pub fn plan_for_many(question: &Question, registry: &Registry) -> Result<Plan> {
    let resolved = question.resolve(registry)?;
    let shape = Shape::ALL[0];
    let quantiles = assumed_quantiles(&resolved.query, registry);
    let rows = shape.rows(shape.capacity());
    check_percentiles(&resolved.query, resolved.purpose, registry, rows)
        .map_err(VerifyError::from)?;
    let plan = Plan::new(
        &resolved.query,
        resolved.purpose,
        registry,
        rows,
        &quantiles,
    );
    Ok(plan.map_err(VerifyError::from)?)
}

/// The purpose with its label.
pub fn purpose(question: &Question, registry: &Registry) -> String {
    let known = registry
        .purposes
        .iter()
        .find(|p| p.code == question.purpose);
    match known.and_then(|p| p.label.as_ref()) {
        Some(label) => format!("{} ({label})", question.purpose),
        None => question.purpose.clone(),
    }
}

fn print(
    question: &Question,
    registry: &Registry,
    plan: &Plan,
    args: &Args,
    output: &Output,
) -> Result<()> {
    let mut facts = Vec::new();
    facts.extend(question.title.iter().map(|t| ("title", t.clone())));
    facts.extend(question.analyses.iter().map(|a| ("analysis", a.clone())));
    facts.extend([
        ("digest", hex(&question.digest())),
        ("registry", question.registry.clone()),
        ("purpose", purpose(question, registry)),
    ]);
    let out = args.out.as_ref();
    facts.extend(out.map(|o| ("written to", o.display().to_string())));
    facts.push((
        "proof",
        format!(
            "one, with {} and {}",
            show::plural(plan.equation.lookups.len(), "lookup"),
            show::plural(plan.equation.cells(), "number")
        ),
    ));
    output.line(show::facts(&facts))
}
