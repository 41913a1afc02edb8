//! The answers over each epoch of a dataset, as a ledger has them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use galen_ledger::{
    documents::{check_blob, check_registry},
    statement::{AnswerStatement, DatasetStatement, QueryStatement, RegistryStatement},
};
use galen_query::{question::Question, registry::Registry, text::hex};
use galen_verifier::{
    bundle::Bundle,
    manifest::{Dataset, Manifest},
    plan_for,
};
use serde::de::DeserializeOwned;

use super::{
    super::queries::read,
    Failed,
    epoch::{Answered, Epoch},
};
use crate::{failure::refusal, show, source::Source};

/// What of a ledger is looked at.
pub(super) struct Ledger<'a> {
    source: &'a dyn Source,
    queries: BTreeMap<String, Question>,
    registries: Vec<RegistryStatement>,
    datasets: Vec<DatasetStatement>,
    answers: Vec<(u64, AnswerStatement)>,
}

/// The statements of a kind, with their entries.
fn statements<T: DeserializeOwned>(source: &dyn Source, kind: &str) -> Result<Vec<(u64, T)>> {
    let listed = source.list(kind)?;
    listed.iter().map(|l| Ok((l.index, read(l)?))).collect()
}

/// The same without their entries.
fn bare<T: DeserializeOwned>(source: &dyn Source, kind: &str) -> Result<Vec<T>> {
    let all = statements(source, kind)?.into_iter();
    Ok(all.map(|(_, statement)| statement).collect())
}

impl<'a> Ledger<'a> {
    pub(super) fn read(source: &'a dyn Source) -> Result<Self> {
        let queries = bare::<QueryStatement>(source, "query")?.into_iter();
        Ok(Self {
            source,
            queries: queries.map(|s| (hex(&s.query.digest()), s.query)).collect(),
            registries: bare(source, "registry")?,
            datasets: bare(source, "dataset")?,
            answers: statements(source, "answer")?,
        })
    }

    /// The epochs with answers, of this dataset if one is named; `more` is looked at with those of its epoch.
    ///
    /// # Errors
    /// If there are none of the dataset that is named, or `more` is over none of them or is there already.
    pub(super) fn datasets(
        &self,
        only: Option<&str>,
        more: Option<&(Question, Bundle)>,
    ) -> Result<Vec<&DatasetStatement>> {
        let is_over = |d: &DatasetStatement| more.is_some_and(|(_, b)| b.manifest == d.digest);
        let is_looked_at = |d: &&DatasetStatement| {
            only.is_none_or(|name| name == d.dataset)
                && (is_over(d) || self.answers_over(d).next().is_some())
        };
        let datasets: Vec<_> = self.datasets.iter().filter(is_looked_at).collect();
        if let Some((_, bundle)) = more {
            let Some(own) = datasets.iter().find(|d| is_over(d)) else {
                return Err(of_another(bundle));
            };
            let mut answers = self.answers_over(own);
            if let Some((index, _)) = answers.find(|(_, a)| a.query == bundle.query) {
                let why = format!(
                    "the query of the bundle given is answered over this epoch already, in entry {index}: look without --bundle"
                );
                return Err(refusal("audit.Answered", why));
            }
        }
        if let (Some(name), true) = (only, datasets.is_empty()) {
            let why = format!("no answers over a dataset {name} are on this ledger");
            return Err(refusal("ledger.NotFound", why));
        }
        Ok(datasets)
    }

    fn answers_over(
        &self,
        dataset: &DatasetStatement,
    ) -> impl Iterator<Item = &(u64, AnswerStatement)> {
        let manifest = dataset.digest.clone();
        let answers = self.answers.iter();
        answers.filter(move |(_, a)| a.manifest == manifest)
    }

    /// The answers over an epoch, `more` among them if it is over this one. Those that cannot be read are `failed`.
    pub(super) fn epoch(
        &self,
        statement: &DatasetStatement,
        more: Option<&(Question, Bundle)>,
        failed: &mut Vec<Failed>,
    ) -> Result<Epoch> {
        let registry = self.registry(&statement.registry)?;
        let bytes = self.source.blob(&statement.manifest)?;
        check_blob("manifest", &statement.manifest, &bytes)?;
        let dataset = Manifest::from_json(&bytes)?.check(&registry)?;
        let over = (&registry, &dataset);
        let own = self.answers_over(statement).map(|(index, answer)| {
            let read = self.answer(*index, answer, over);
            (format!("the answer in entry {index}"), read)
        });
        let given = more.filter(|(_, b)| b.manifest == statement.digest);
        let given = given.map(|(question, bundle)| {
            let read = answered(None, bundle.clone(), question, over);
            ("the bundle given".to_owned(), read)
        });
        let mut answers = Vec::new();
        for (what, read) in own.chain(given) {
            match read {
                Ok(answer) => answers.push(answer),
                Err(error) => failed.push(Failed { what, error }),
            }
        }
        Ok(Epoch {
            answers,
            registry,
            dataset,
        })
    }

    fn answer(
        &self,
        index: u64,
        answer: &AnswerStatement,
        over: (&Registry, &Dataset),
    ) -> Result<Answered> {
        let question = self.queries.get(&answer.query);
        let question = question.context("its query is not on the ledger")?;
        let bytes = self.source.blob(&answer.bundle)?;
        check_blob("bundle", &answer.bundle, &bytes)?;
        answered(Some(index), Bundle::from_json(&bytes)?, question, over)
    }

    fn registry(&self, digest: &str) -> Result<Registry> {
        let registry = self.registries.iter().find(|r| r.digest == digest);
        let registry = registry.with_context(|| format!("the registry {digest}"))?;
        Ok(check_registry(
            registry,
            &self.source.blob(&registry.toml)?,
        )?)
    }
}

fn of_another(bundle: &Bundle) -> anyhow::Error {
    let why = format!(
        "the bundle given is over no dataset that was looked at on this ledger (manifest {}): is it another ledger's, or --dataset \
         another one, or is the dataset to be published first?",
        show::plain_line(&bundle.manifest)
    );
    refusal("ledger.NotFound", why)
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
