//! Entries by index, with inclusion proofs.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use galen_ledger::{entry::Envelope, statement::Statement, tiles::leaf_hash};
use galen_query::text::hex;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Collection, Problem, extract::PathOf, problem::ProblemBody};
use crate::service::Service;

/// A proof that a checkpoint covers an entry (RFC 6962, section 2.1.1).
#[derive(Serialize, ToSchema)]
pub struct Inclusion {
    /// The signed checkpoint.
    checkpoint: String,
    /// Hashes from the leaf upward, 32 bytes each, padded standard base64.
    hashes: Vec<String>,
}

/// An entry.
#[derive(Serialize, ToSchema)]
pub struct EntryView {
    /// Its index, from 0.
    index: u64,
    /// The statement's kind.
    kind: String,
    /// The envelope, exactly as it was submitted: the leaf's bytes.
    envelope: String,
    /// The statement in it.
    #[schema(value_type = Object)]
    statement: Value,
    /// The ids of the keys that signed it.
    signers: Vec<String>,
    /// SHA-256(0x00 ‖ envelope), lower-case hex.
    leaf_hash: String,
    /// Missing as long as no checkpoint covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion: Option<Inclusion>,
    /// Where its files are.
    blobs: Vec<String>,
    /// Where its collection is.
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
}

/// The proof of an entry that the published checkpoint covers.
pub(super) async fn inclusion(service: &Service, index: u64) -> Result<Inclusion, Problem> {
    let unknown = || Problem::not_found(format!("no checkpoint covers an entry {index} yet"));
    let (checkpoint, hashes) = service.prove(index).await?.ok_or_else(unknown)?;
    Ok(Inclusion {
        checkpoint,
        hashes: hashes.iter().map(|h| BASE64_STANDARD.encode(h)).collect(),
    })
}

async fn bytes_of(service: &Service, index: u64) -> Result<Vec<u8>, Problem> {
    let unknown = || Problem::not_found(format!("the log has no entry {index} yet"));
    service.entry(index).await?.ok_or_else(unknown)
}

/// One entry, with its inclusion proof
#[utoipa::path(get, path = "/v1/entries/{index}", tag = "log",
    params(("index" = u64, Path, description = "from 0")),
    responses(
        (status = 200, body = EntryView),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn entry(
    State(service): State<Arc<Service>>,
    PathOf(index): PathOf<u64>,
) -> Result<Json<EntryView>, Problem> {
    let bytes = bytes_of(&service, index).await?;
    let covered = service.published().is_some_and(|p| index < p.size);
    let inclusion = if covered {
        Some(inclusion(&service, index).await?)
    } else {
        None
    };
    let damaged = |e| Problem::internal(&e);
    let envelope = Envelope::parse(&bytes).map_err(damaged)?;
    let statement = Statement::read(&envelope).map_err(damaged)?;
    Ok(Json(EntryView {
        index,
        kind: statement.kind().into(),
        statement: serde_json::from_slice(envelope.payload()).map_err(|e| Problem::internal(&e))?,
        signers: envelope.signers().map(Into::into).collect(),
        leaf_hash: hex(&leaf_hash(&bytes)),
        inclusion,
        blobs: statement
            .blobs()
            .iter()
            .map(|(_, b)| format!("/v1/blobs/{}", b.sha256))
            .collect(),
        collection: Collection::of(&statement).map(|c| format!("/v1/{}", c.path())),
        envelope: String::from_utf8(bytes).map_err(|e| Problem::internal(&e))?,
    }))
}

/// The inclusion proof of an entry as one file
///
/// As c2sp.org/tlog-proof has it; other people's tools read it.
#[utoipa::path(get, path = "/v1/entries/{index}/proof", tag = "log",
    params(("index" = u64, Path, description = "from 0")),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn proof(
    State(service): State<Arc<Service>>,
    PathOf(index): PathOf<u64>,
) -> Result<Response, Problem> {
    let inclusion = inclusion(&service, index).await?;
    let mut text = format!("c2sp.org/tlog-proof@v1\nindex {index}\n");
    for hash in &inclusion.hashes {
        text += hash;
        text.push('\n');
    }
    text.push('\n');
    text += &inclusion.checkpoint;
    Ok(([("content-type", "text/plain; charset=utf-8")], text).into_response())
}
