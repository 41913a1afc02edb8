//! The answers to a query.

use std::sync::Arc;

use galen_ledger::{
    entry::Envelope,
    fact_name,
    statement::{AnswerStatement, Statement},
};
use galen_query::question::Question;
use galen_verifier::answer::{Answer, pool};
use serde_json::{Value, json};

use super::{Service, ServiceError, pool::AnswerJob, turns::READERS};
use crate::ledger::store::{Filter, Line};

/// Answers of one query that are shown at most: as many sites as a network has, and some epochs.
const MOST: u64 = 1_000;

/// The answers to a query.
pub struct Results {
    /// The query's entry.
    pub index: u64,
    /// The query.
    pub question: Arc<Question>,
    /// Who had announced the query, and where.
    pub announced: Vec<Value>,
    /// Current answers.
    pub sites: Vec<Value>,
    /// Answers over epochs that have been replaced.
    pub earlier: Vec<Value>,
    /// Refusals.
    pub refusals: Vec<Value>,
    /// The current answers, added up.
    pub pooled: Option<Value>,
}

impl Service {
    /// The results of the query with this digest, if it is recorded.
    ///
    /// # Errors
    /// A failing store, or a full queue: answers that are not at hand are verified again.
    pub async fn results(&self, digest: &str) -> Result<Option<Results>, ServiceError> {
        let name = fact_name(&["query", digest]);
        let facts = self.store.facts(std::slice::from_ref(&name)).await?;
        let Some(fact) = facts.get(&name) else {
            return Ok(None);
        };
        let question = self.question(digest).await?;
        let mut results = Results {
            index: fact.index,
            question,
            announced: Vec::new(),
            sites: Vec::new(),
            earlier: Vec::new(),
            refusals: Vec::new(),
            pooled: None,
        };
        let mut current = Vec::new();
        let about = |kind: &str| Filter {
            kind: Some(kind.into()),
            query: Some(digest.into()),
            ..Filter::default()
        };
        for line in self.store.list(&about("answer"), None, MOST).await? {
            let (statement, answer) = self.answer(&line).await?;
            let epoch = fact_name(&["epoch", &statement.hospital, &statement.dataset]);
            let facts = self.store.facts(std::slice::from_ref(&epoch)).await?;
            let is_current = facts
                .get(&epoch)
                .is_some_and(|f| f.value.contains(&statement.manifest));
            let shown = json!({
                "index": line.index,
                "entry": format!("/v1/entries/{}", line.index),
                "bundle": format!("/v1/blobs/{}", statement.bundle.sha256),
                "verified": true,
                "answer": answer.to_json(),
            });
            if is_current {
                results.sites.push(shown);
                current.push(answer);
            } else {
                results.earlier.push(shown);
            }
        }
        for line in self.store.list(&about("disclosure"), None, MOST).await? {
            let announced = self.announced(&line, fact.index).await?;
            results.announced.push(announced);
        }
        results.announced.sort_by_key(|a| a["index"].as_u64());
        for line in self.store.list(&about("refusal"), None, MOST).await? {
            let shown = json!({
                "index": line.index,
                "entry": format!("/v1/entries/{}", line.index),
                "refusal": self.statement(&line).await?.1,
            });
            results.refusals.push(shown);
        }
        if let [first, _, ..] = current.as_slice() {
            let context = self
                .dataset(&galen_query::text::hex(&first.source.manifest))
                .await?;
            let pooled = pool(&current, &results.question, &context.registry);
            results.pooled = pooled.ok().map(|p| p.to_json());
        }
        Ok(Some(results))
    }

    /// The announcement that a disclosure is of.
    async fn announced(&self, line: &Line, registered: u64) -> Result<Value, ServiceError> {
        let (Statement::Disclosure(disclosed), _) = self.statement(line).await? else {
            let why = format!("entry {} is no disclosure", line.index);
            return Err(ServiceError::Internal(why));
        };
        let name = fact_name(&["disclosure", &disclosed.researcher, &disclosed.commitment()]);
        let facts = self.store.facts(std::slice::from_ref(&name)).await?;
        let index = facts.get(&name).and_then(|f| f.value.parse::<u64>().ok());
        let missing = || ServiceError::Internal(format!("the fact {name} is missing"));
        let index = index.ok_or_else(missing)?;
        Ok(json!({
            "researcher": disclosed.researcher,
            "index": index,
            "entry": format!("/v1/entries/{index}"),
            "before_registration": index < registered,
            "disclosed": format!("/v1/entries/{}", line.index),
        }))
    }

    async fn statement(&self, line: &Line) -> Result<(Statement, Value), ServiceError> {
        let missing = || ServiceError::Internal(format!("entry {} is missing", line.index));
        let bytes = self.store.entry(line.index).await?.ok_or_else(missing)?;
        let broken = |e: &dyn std::fmt::Display| ServiceError::Internal(e.to_string());
        let envelope = Envelope::parse(&bytes).map_err(|e| broken(&e))?;
        let statement = Statement::read(&envelope).map_err(|e| broken(&e))?;
        let value = serde_json::from_slice(envelope.payload()).map_err(|e| broken(&e))?;
        Ok((statement, value))
    }

    /// A recorded answer: the one at hand, or verified once more.
    async fn answer(&self, line: &Line) -> Result<(AnswerStatement, Arc<Answer>), ServiceError> {
        let (Statement::Answer(statement), _) = self.statement(line).await? else {
            let why = format!("entry {} is no answer", line.index);
            return Err(ServiceError::Internal(why));
        };
        let key = statement.bundle.sha256.clone();
        if let Some(answer) = self.answers.get(&key) {
            return Ok((statement, answer));
        }
        let job = AnswerJob {
            bundle: self.file(&statement.bundle).await?,
            context: self.dataset(&statement.manifest).await?,
            question: self.question(&statement.query).await?,
            statement: statement.clone(),
        };
        let answer = self.pool.answer(&READERS.into(), job).await?;
        Ok((statement, self.answers.put(&key, answer)))
    }
}
