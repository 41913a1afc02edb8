//! The answers to a query, site by site and pooled.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Problem, extract::PathOf, problem::ProblemBody};
use crate::service::{Service, results::Results};

/// The answers to a query.
#[derive(Serialize, ToSchema)]
pub struct ResultsView {
    /// The query's digest.
    query: String,
    /// The query.
    #[schema(value_type = Object)]
    question: Value,
    /// Its entry: it was recorded before every answer.
    index: u64,
    /// Current answers, one for each hospital's dataset, in the order of the log.
    #[schema(value_type = Vec<Object>)]
    sites: Vec<Value>,
    /// Answers over epochs that have been replaced since.
    #[schema(value_type = Vec<Object>)]
    earlier: Vec<Value>,
    /// Refusals, with their reasons.
    #[schema(value_type = Vec<Object>)]
    refusals: Vec<Value>,
    /// The current answers added up, where there are two or more: a number is there if every site shows what it is
    /// made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pooled: Option<Value>,
}

/// Results of a query, per site and pooled
#[utoipa::path(get, path = "/v1/queries/{digest}/results", tag = "statements",
    params(("digest" = String, Path, description = "the query's digest")),
    responses(
        (status = 200, body = ResultsView),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn results(
    State(service): State<Arc<Service>>,
    PathOf(digest): PathOf<String>,
) -> Result<Json<ResultsView>, Problem> {
    let unknown = || Problem::not_found(format!("no query {digest} is recorded"));
    let Results {
        index,
        question,
        sites,
        earlier,
        refusals,
        pooled,
    } = service.results(&digest).await?.ok_or_else(unknown)?;
    Ok(Json(ResultsView {
        query: digest,
        question: serde_json::to_value(question).map_err(|e| Problem::internal(&e))?,
        index,
        sites,
        earlier,
        refusals,
        pooled,
    }))
}
