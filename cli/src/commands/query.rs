use std::path::{Path, PathBuf};

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
    plan::{Plan, Purpose, assumed_quantiles},
};
use serde_json::json;

use crate::{failure::refusal, files, output::Output, show};

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
    /// The document to write; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
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
    files::check_place(&args.out)?;
    let (_, registry) = files::registry(&args.registry)?;
    let sql = args.text.read()?;
    let question = Question::with_analyses(
        &registry,
        &args.purpose,
        &sql,
        args.title.clone(),
        args.analyses.clone(),
    )?;
    let plan = one_chunk_plan(&question, &registry)?;
    if args.out.exists() {
        let why = format!(
            "{} exists; a registered query is never overwritten. Choose another --out",
            args.out.display()
        );
        return Err(refusal("io.AlreadyExists", why));
    }
    files::write_atomic(&args.out, &files::pretty(&question)?)?;
    let summary = Summary::of(&plan);
    let can_be_met = question.resolve(&registry)?.query.filter != Predicate::Never;
    output.document(&json!({
        "out": args.out,
        "digest": hex(&question.digest()),
        "registry": question.registry,
        "purpose": question.purpose,
        "sql": question.sql,
        "title": question.title,
        "analyses": question.analyses,
        "proofs_per_chunk": plan.steps.len(),
        "registration_steps": summary.registration,
        "derived_columns": summary.derived,
        "roots": summary.roots,
        "releases": plan.releases.len(),
        "can_be_met": can_be_met,
    }))?;
    if !can_be_met {
        output.line(
            "note: no patient can meet the WHERE clause (is a value compared with NULL, or out of its column's range?)\n",
        )?;
    }
    print(&question, &registry, &plan, &summary, &args.out, output)
}

impl Text {
    fn read(&self) -> Result<String> {
        let limit = MAX_BYTES as u64;
        match (&self.sql, &self.sql_file) {
            (Some(sql), _) => Ok(sql.clone()),
            (None, Some(path)) => {
                let bytes = files::read_limited(path, "SQL file", limit)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| refusal("query.Syntax", "not UTF-8"))
                    .with_context(|| format!("SQL file {}", path.display()))?;
                Ok(text.trim().to_owned())
            }
            (None, None) => Err(refusal("usage.Query", "give --sql or --sql-file")),
        }
    }
}

/// The plan over one chunk: its steps are those of every chunk.
pub fn one_chunk_plan(question: &Question, registry: &Registry) -> Result<Plan> {
    let resolved = question.resolve(registry)?;
    let rows = Shape::Clinic.rows();
    let quantiles = assumed_quantiles(&resolved.query, registry);
    let plan = Plan::new(
        &resolved.query,
        resolved.purpose,
        registry,
        (rows, 1),
        &quantiles,
    );
    Ok(plan.map_err(VerifyError::from)?)
}

/// What a plan's steps are for.
pub struct Summary {
    /// Registration steps, proven when the dataset was committed.
    pub registration: usize,
    /// Keys of derived columns, kept for later queries.
    pub derived: Vec<String>,
    /// Steps of this query alone.
    pub roots: usize,
}

impl Summary {
    /// Counts a plan's steps.
    pub fn of(plan: &Plan) -> Self {
        let count = |purpose| plan.steps.iter().filter(|s| s.purpose == purpose).count();
        let derived = plan.steps.iter().filter(|s| s.purpose == Purpose::Derived);
        Self {
            registration: count(Purpose::Registration),
            derived: derived.map(|s| s.key.clone()).collect(),
            roots: count(Purpose::Root),
        }
    }
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
    summary: &Summary,
    out: &Path,
    output: &Output,
) -> Result<()> {
    let mut facts = Vec::new();
    facts.extend(question.title.iter().map(|t| ("title", t.clone())));
    facts.extend(question.analyses.iter().map(|a| ("analysis", a.clone())));
    facts.extend([
        ("digest", hex(&question.digest())),
        ("registry", question.registry.clone()),
        ("purpose", purpose(question, registry)),
        ("written to", out.display().to_string()),
        (
            "proofs",
            format!(
                "{} for each chunk of patients, and {}",
                plan.steps.len(),
                show::plural(plan.releases.len(), "release")
            ),
        ),
        (
            "  made once",
            format!("{} when the dataset is committed", summary.registration),
        ),
        (
            "  kept",
            format!(
                "{}, which later queries use again",
                show::plural(summary.derived.len(), "derived column")
            ),
        ),
        ("  its own", show::plural(summary.roots, "root")),
    ]);
    output.line(show::facts(&facts))?;
    if summary.derived.is_empty() {
        return Ok(());
    }
    output.line("\nderived columns")?;
    output.line(show::indent(&summary.derived.join("\n")))
}
