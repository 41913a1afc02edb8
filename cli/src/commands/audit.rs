use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use galen_ledger::{
    documents::{check_blob, check_registry},
    statement::{AnswerStatement, DatasetStatement, QueryStatement, RegistryStatement},
};
use galen_params::Progress;
use galen_query::{
    query::OutputValue,
    question::{Question, Resolved},
    registry::Registry,
    text::hex,
};
use galen_verifier::{
    answer::key_cell,
    audit::{Audit, Counted, Given, Told, audit},
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    manifest::{Dataset, Manifest},
    plan::{Field, FieldKind, Plan, fields_of},
    plan_for,
    rules::Published,
};
use serde_json::{Value, json};

use super::queries::{read, told_size};
use crate::{
    failure::{refusal, told as already},
    files,
    output::Output,
    progress::Bars,
    show,
    source::{self, Source},
};

const EXAMPLE: &str = "\
Example: a reviewer, or a hospital before it answers, looks at what all answers so far tell together
  galen audit answers --from https://ledger.example
  galen audit answers --from /srv/ledger --dataset heart
  galen audit answers --from https://ledger.example --query query.json --bundle bundle.json
Every answer hides what its own counts would tell. Those of several answers over the same epoch of a dataset
are put together here: filters, groups and missing values of all of them, the bounds of hidden counts, and the
number of patients. What is told is a kind of patients of whom it follows that there are some, and fewer than
the release rule's k. Kinds are those that a count, two counts, or a count and what others within it leave can
name: that nothing is told of them does not mean that nothing follows. Proofs are not verified again, nor is
the bundle that is given: `galen mirror` and `galen verify` do that. It ends with 1 if something is told, or
could not be looked at.";

/// Audits what is on a ledger
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Answers(AnswersArgs),
}

/// What the answers over each epoch of a dataset tell together
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
struct AnswersArgs {
    /// The service's URL, or the folder of a mirror
    #[arg(long, value_name = "URL|DIR", env = "GALEN_SERVICE")]
    from: String,
    /// Only this dataset
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// An answer that is not there yet, to look at with the others over its epoch
    #[arg(long, value_name = "FILE", requires = "query")]
    bundle: Option<PathBuf>,
    /// The query that it answers
    #[arg(long, value_name = "FILE", requires = "bundle")]
    query: Option<PathBuf>,
}

/// Counts that are named of one kind of patients.
const OTHERS: usize = 6;

/// Kinds of patients that are listed for people; JSON has all.
const SHOWN: usize = 20;

/// Looks, and fails if something is told.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let What::Answers(args) = &args.what;
    let mut source = source::open(&args.from)?;
    source.read_until(told_size(&source.checkpoint()?))?;
    let more = more(args)?;
    let mut looked = Vec::new();
    for epoch in epochs(source.as_ref(), args.dataset.as_deref(), more.as_ref())? {
        let found = epoch.audit(&Bars::new(output))?;
        looked.push((epoch, found));
    }
    let documents = looked.iter().map(|(epoch, found)| epoch.to_json(found));
    output.document(&json!({ "epochs": documents.collect::<Vec<_>>() }))?;
    if looked.is_empty() {
        return output.line("there are no answers to look at");
    }
    for (epoch, found) in &looked {
        epoch.print(found, output)?;
    }
    let told: usize = looked.iter().map(|(_, found)| found.told.len()).sum();
    if told > 0 {
        let kinds = show::plural(told, "kind");
        let why = format!("few patients are told of: {kinds} of them, above");
        return Err(already(refusal("audit.Told", why)));
    }
    Ok(())
}

/// An answer that is on no ledger yet.
fn more(args: &AnswersArgs) -> Result<Option<(Question, Bundle)>> {
    let (Some(bundle), Some(query)) = (&args.bundle, &args.query) else {
        return Ok(None);
    };
    let limit = MAX_BUNDLE_BYTES as u64;
    let bytes = files::read_limited(bundle, "bundle", limit)?;
    let named = || show::plain_line(&bundle.display().to_string());
    let bundle = Bundle::from_json(&bytes).with_context(named)?;
    let question = files::question(query)?;
    let (digest, of) = (hex(&question.digest()), &bundle.query);
    if digest != *of {
        let why = format!("the bundle answers the query {of}, and the one given is {digest}");
        return Err(refusal("audit.Query", why));
    }
    Ok(Some((question, bundle)))
}

/// The answers over one epoch of a dataset.
struct Epoch {
    registry: Registry,
    dataset: Dataset,
    answers: Vec<Answered>,
}

struct Answered {
    /// Its entry; none where it is not on the ledger.
    index: Option<u64>,
    resolved: Resolved,
    plan: Plan,
    published: Published,
}

/// The statements of a kind, with their entries.
fn statements<T: serde::de::DeserializeOwned>(
    source: &dyn Source,
    kind: &str,
) -> Result<Vec<(u64, T)>> {
    let listed = source.list(kind)?;
    listed.iter().map(|l| Ok((l.index, read(l)?))).collect()
}

fn epochs(
    source: &dyn Source,
    only: Option<&str>,
    more: Option<&(Question, Bundle)>,
) -> Result<Vec<Epoch>> {
    let queries = statements::<QueryStatement>(source, "query")?.into_iter();
    let queries: BTreeMap<String, Question> = queries
        .map(|(_, s)| (hex(&s.query.digest()), s.query))
        .collect();
    let registries = statements::<RegistryStatement>(source, "registry")?;
    let answers = statements::<AnswerStatement>(source, "answer")?;
    let mut epochs = Vec::new();
    for (index, statement) in statements::<DatasetStatement>(source, "dataset")? {
        if only.is_some_and(|name| name != statement.dataset) {
            continue;
        }
        let own = answers
            .iter()
            .filter(|(_, a)| a.manifest == statement.digest);
        let own: Vec<&(u64, AnswerStatement)> = own.collect();
        let more = more.filter(|(_, bundle)| bundle.manifest == statement.digest);
        if own.is_empty() && more.is_none() {
            continue;
        }
        let registry = registries
            .iter()
            .find(|(_, r)| r.digest == statement.registry);
        let (_, registry) = registry.with_context(|| format!("the registry of entry {index}"))?;
        let registry = check_registry(registry, &source.blob(&registry.toml)?)?;
        let bytes = source.blob(&statement.manifest)?;
        check_blob("manifest", &statement.manifest, &bytes)?;
        let dataset = Manifest::from_json(&bytes)?.check(&registry)?;
        let read = own.iter().map(|(index, answer)| {
            let named = || format!("the answer in entry {index}");
            let question = queries.get(&answer.query).with_context(named)?;
            let bytes = source.blob(&answer.bundle)?;
            check_blob("bundle", &answer.bundle, &bytes)?;
            let bundle = Bundle::from_json(&bytes).with_context(named)?;
            answered(Some(*index), bundle, question, (&registry, &dataset)).with_context(named)
        });
        let mut answers = read.collect::<Result<Vec<Answered>>>()?;
        if let Some((question, bundle)) = more {
            if let Some((index, _)) = own.iter().find(|(_, a)| a.query == bundle.query) {
                let why = format!(
                    "the query of the bundle given is answered over this epoch already, in entry {index}: look without --bundle"
                );
                return Err(refusal("audit.Answered", why));
            }
            let given = answered(None, bundle.clone(), question, (&registry, &dataset));
            answers.push(given.context("the bundle given")?);
        }
        epochs.push(Epoch {
            answers,
            registry,
            dataset,
        });
    }
    let is_over = |epoch: &Epoch, bundle: &Bundle| hex(&epoch.dataset.digest) == bundle.manifest;
    if let Some((_, bundle)) = more
        && !epochs.iter().any(|e| is_over(e, bundle))
    {
        let why = format!(
            "the bundle given is over no dataset that was looked at on this ledger (manifest {}): is it another ledger's, or --dataset \
             another one, or is the dataset to be published first?",
            show::plain_line(&bundle.manifest)
        );
        return Err(refusal("ledger.NotFound", why));
    }
    if let (Some(name), true) = (only, epochs.is_empty()) {
        let why = format!("no answers over a dataset {name} are on this ledger");
        return Err(refusal("ledger.NotFound", why));
    }
    Ok(epochs)
}

fn answered(
    index: Option<u64>,
    bundle: Bundle,
    question: &Question,
    (registry, dataset): (&Registry, &Dataset),
) -> Result<Answered> {
    let resolved = question.resolve(registry)?;
    Ok(Answered {
        index,
        plan: plan_for(&resolved, registry, dataset, &bundle.quantiles)?,
        published: bundle.cells,
        resolved,
    })
}

/// An answer, by its entry.
fn named(index: Option<u64>) -> String {
    index.map_or_else(|| "the bundle given".to_owned(), |i| format!("entry {i}"))
}

impl Epoch {
    fn audit(&self, progress: &dyn Progress) -> Result<Audit> {
        let given = self.answers.iter().map(|a| Given {
            resolved: &a.resolved,
            plan: &a.plan,
            published: &a.published,
        });
        let given: Vec<Given<'_>> = given.collect();
        Ok(audit(
            &self.registry,
            &self.dataset.manifest.release,
            &given,
            progress,
        )?)
    }

    fn entries(&self, places: &[usize]) -> Vec<Option<u64>> {
        places.iter().map(|at| self.answers[*at].index).collect()
    }

    fn to_json(&self, found: &Audit) -> Value {
        let manifest = &self.dataset.manifest;
        let all: Vec<usize> = (0..self.answers.len()).collect();
        let told = found.told.iter().map(
            |t| json!({ "who": self.who(t), "at_least": t.between.0, "at_most": t.between.1 }),
        );
        let left_out = found.left_out.iter().map(|set| self.entries(set));
        json!({
            "hospital": manifest.hospital,
            "dataset": manifest.dataset,
            "epoch": manifest.epoch,
            "k": manifest.release.k,
            "answers": self.entries(&all),
            "told": told.collect::<Vec<_>>(),
            "not_looked_at": {
                "answers": left_out.collect::<Vec<_>>(),
                "pairs_of_counts": found.pairs_left_out,
            },
        })
    }

    fn print(&self, found: &Audit, output: &Output) -> Result<()> {
        let manifest = &self.dataset.manifest;
        let answers = show::plural(self.answers.len(), "answer");
        output.line(show::plain(&format!(
            "{}, {} epoch {}: {answers}, k = {}",
            manifest.hospital, manifest.dataset, manifest.epoch, manifest.release.k
        )))?;
        if found.told.is_empty() {
            output.line(show::item(
                "nothing is told of few patients by what was looked at",
            ))?;
        }
        for told in found.told.iter().take(SHOWN) {
            let number = match told.between {
                (a, b) if a == b => show::plural(usize::try_from(a)?, "patient"),
                (a, b) => format!("{a} to {b} patients"),
            };
            output.line(show::item(&show::plain(&format!(
                "{number}: {}",
                self.who(told)
            ))))?;
        }
        if found.told.len() > SHOWN {
            let more = found.told.len() - SHOWN;
            output.line(show::item(&format!(
                "and {more} more, in the order of entries"
            )))?;
        }
        for set in &found.left_out {
            let entries = self.entries(set).into_iter().map(named);
            let text = format!(
                "not looked at together, being too large: the answers of {}",
                entries.collect::<Vec<_>>().join(" and ")
            );
            output.line(show::item(&text))?;
        }
        if found.pairs_left_out > 0 {
            let pairs = show::plural(found.pairs_left_out, "pair");
            output.line(show::item(&format!("not looked at: {pairs} of counts")))?;
        }
        Ok(())
    }

    /// Whom a finding is about.
    fn who(&self, told: &Told) -> String {
        let mut text = format!("those of {}", self.count(&told.of));
        for (is_in, words) in [
            (true, "who are among those of"),
            (false, "who are not among those of"),
        ] {
            let others = told.and.iter().filter(|(_, own)| *own == is_in);
            let others: Vec<String> = others.map(|(c, _)| self.count(c)).collect();
            let more = others.len().saturating_sub(OTHERS);
            if !others.is_empty() {
                let listed = others[..others.len() - more].join("; ");
                text += &format!(" {words} {listed}");
            }
            if more > 0 {
                text += &format!(" and {more} more");
            }
        }
        text
    }

    /// `entry 7, dead (arm = drug)`.
    fn count(&self, counted: &Counted) -> String {
        let answer = &self.answers[counted.answer];
        let query = &answer.resolved.query;
        let keys = query.group_by.iter().zip(&counted.keys).map(|(g, key)| {
            let name = &self.registry.columns[g.column].name;
            format!("{name} = {}", key_cell(&self.registry, g, *key))
        });
        let keys: Vec<String> = keys.collect();
        let group = match keys.is_empty() {
            true => String::new(),
            false => format!(" ({})", keys.join(", ")),
        };
        let label = self.label(counted.field, answer);
        format!("{}, {label}{group}", named(answer.index))
    }

    /// The first output that a count belongs to; for a count that no output shows, of which column's values it is.
    fn label(&self, field: Field, answer: &Answered) -> String {
        let query = &answer.resolved.query;
        let outputs = query.outputs.iter().zip(query.filter_indices());
        let mut of_field = outputs.filter(|(o, filter)| match &o.value {
            OutputValue::Aggregate(a) => fields_of(a, **filter, &self.registry).contains(&field),
            OutputValue::Key(_) => false,
        });
        let label = of_field
            .next()
            .map_or("count(*)", |(o, _)| o.label.as_str());
        match (field.kind, field.column) {
            (FieldKind::Count, Some(c)) => {
                format!("{label} (with a known {})", self.registry.columns[c].name)
            }
            _ => label.to_owned(),
        }
    }
}
