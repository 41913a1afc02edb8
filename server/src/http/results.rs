//! The answers to a query, site by site and pooled.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Problem, extract::PathOf, problem::ProblemBody, results_page};
use crate::service::{Service, results::Results};

/// The answers to a query.
#[derive(Serialize, ToSchema)]
pub struct ResultsView {
    /// The query's digest.
    pub(super) query: String,
    /// The query.
    #[schema(value_type = Object)]
    pub(super) question: Value,
    /// Its entry: it was recorded before every answer.
    pub(super) index: u64,
    /// Who had announced this query, the first one first, and by which entry: `before_registration` if that is before the
    /// query's own.
    #[schema(value_type = Vec<Object>)]
    pub(super) announced: Vec<Value>,
    /// Current answers, one for each hospital's dataset, in the order of the log.
    #[schema(value_type = Vec<Object>)]
    pub(super) sites: Vec<Value>,
    /// Answers over epochs that have been replaced since.
    #[schema(value_type = Vec<Object>)]
    pub(super) earlier: Vec<Value>,
    /// Refusals, with their reasons.
    #[schema(value_type = Vec<Object>)]
    pub(super) refusals: Vec<Value>,
    /// The current answers added up, where there are two or more: a number is there if every site shows what it is
    /// made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub(super) pooled: Option<Value>,
}

/// Results of a query, per site and pooled; as a page for browsers, which ask for `text/html`
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
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found(format!("no query {digest} is recorded"));
    let Results {
        index,
        question,
        announced,
        sites,
        earlier,
        refusals,
        pooled,
    } = service.results(&digest).await?.ok_or_else(unknown)?;
    let view = ResultsView {
        query: digest,
        question: serde_json::to_value(question).map_err(|e| Problem::internal(&e))?,
        index,
        announced,
        sites,
        earlier,
        refusals,
        pooled,
    };
    let mut response = match results_page::is_wanted(&headers) {
        true => results_page::response(&view),
        false => Json(view).into_response(),
    };
    let accept = HeaderValue::from_static("accept");
    response.headers_mut().append(header::VARY, accept);
    Ok(response)
}
