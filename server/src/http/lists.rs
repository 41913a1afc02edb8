//! Statements by collection, with filters and pages.

use std::sync::Arc;

use axum::{Json, extract::State};
use galen_ledger::entry::Envelope;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    Collection, Problem,
    extract::{PathOf, QueryOf, within},
    problem::ProblemBody,
};
use crate::{
    ledger::store::{Filter, Line},
    service::Service,
};

const PAGE: u64 = 50;
const MAX_PAGE: u64 = 200;

/// Which statements, and how many. Filters are met all together.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only entries after this index.
    after: Option<u64>,
    /// At most so many, up to 200; 50 if not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// Of this member, by name.
    member: Option<String>,
    /// About this registry, by digest.
    registry: Option<String>,
    /// About this dataset epoch, by its manifest's digest.
    dataset: Option<String>,
    /// About this query, by digest.
    query: Option<String>,
}

/// A statement in a list.
#[derive(Serialize, ToSchema)]
pub struct Item {
    /// The entry's index.
    index: u64,
    /// The statement's kind.
    kind: String,
    /// What it is known by.
    digest: String,
    /// Who signed it, or who it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// The statement.
    #[schema(value_type = Object)]
    statement: Value,
    /// Where the entry and its proof are.
    entry: String,
    /// Where its answers are, of a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<String>,
}

/// A page of statements, oldest first.
#[derive(Serialize, ToSchema)]
pub struct Page {
    /// The statements.
    items: Vec<Item>,
    /// `after` for the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

async fn item(service: &Service, line: Line) -> Result<Item, Problem> {
    let gone = || Problem::internal(&format!("entry {} of the catalogue is missing", line.index));
    let bytes = service.entry(line.index).await?.ok_or_else(gone)?;
    let envelope = Envelope::parse(&bytes).map_err(|e| Problem::internal(&e))?;
    Ok(Item {
        statement: serde_json::from_slice(envelope.payload()).map_err(|e| Problem::internal(&e))?,
        entry: format!("/v1/entries/{}", line.index),
        results: (line.kind == "query").then(|| format!("/v1/queries/{}/results", line.digest)),
        index: line.index,
        kind: line.kind,
        digest: line.digest,
        member: line.member,
    })
}

/// Statements of a collection
#[utoipa::path(get, path = "/v1/{collection}", tag = "statements",
    params(("collection" = Collection, Path), Wanted),
    responses(
        (status = 200, body = Page),
        (status = 400, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn list(
    State(service): State<Arc<Service>>,
    PathOf(collection): PathOf<Collection>,
    QueryOf(wanted): QueryOf<Wanted>,
) -> Result<Json<Page>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Problem::bad_request(format!(
            "limit is from 1 to {MAX_PAGE}"
        )));
    }
    within(wanted.after)?;
    let filter = Filter {
        kind: Some(collection.kind().into()),
        member: wanted.member,
        registry: wanted.registry,
        dataset: wanted.dataset,
        query: wanted.query,
        ..Filter::default()
    };
    // One more than asked for tells whether there is another page.
    let mut lines = service.list(&filter, wanted.after, limit + 1).await?;
    let more = lines.len() as u64 > limit;
    lines.truncate(usize::try_from(limit).expect("at most 200"));
    let next = lines.last().filter(|_| more).map(|l| l.index);
    let mut items = Vec::with_capacity(lines.len());
    for line in lines {
        items.push(item(&service, line).await?);
    }
    Ok(Json(Page { items, next }))
}

/// One statement, by what it is known by
#[utoipa::path(get, path = "/v1/{collection}/{digest}", tag = "statements",
    params(
        ("collection" = Collection, Path),
        ("digest" = String, Path, description = "a query's, registry's or manifest's digest, a parameter set's id, an \
            answer's bundle's SHA-256, a key's id, a consortium's version"),
    ),
    responses(
        (status = 200, body = Item),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn one(
    State(service): State<Arc<Service>>,
    PathOf((collection, digest)): PathOf<(Collection, String)>,
) -> Result<Json<Item>, Problem> {
    let filter = Filter {
        kind: Some(collection.kind().into()),
        digest: Some(digest.clone()),
        ..Filter::default()
    };
    let line = service.list(&filter, None, 1).await?.pop();
    let unknown = || Problem::not_found(format!("no {} {digest} is recorded", collection.kind()));
    Ok(Json(item(&service, line.ok_or_else(unknown)?).await?))
}
