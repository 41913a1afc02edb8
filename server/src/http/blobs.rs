//! Files beside the log, by digest.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use galen_query::text::from_hex;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, body, extract::PathOf, log::file, problem::ProblemBody};
use crate::{ledger::objects::FOREVER, service::Service};

/// A file that waits for its statement.
#[derive(Serialize, ToSchema)]
pub struct Staged {
    /// Its SHA-256, lower-case hex.
    sha256: String,
    /// Its length, bytes.
    bytes: usize,
}

fn digest(text: &str) -> Result<[u8; 32], Problem> {
    from_hex(text).ok_or_else(|| {
        Problem::not_found("a file is named by its SHA-256: 64 lower-case hex digits")
    })
}

/// A file that a recorded statement names
#[utoipa::path(get, path = "/v1/blobs/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "64 lower-case hex digits")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn get(
    State(service): State<Arc<Service>>,
    PathOf(sha256): PathOf<String>,
) -> Result<Response, Problem> {
    let bytes = service.blob(&digest(&sha256)?).await?;
    let missing = || Problem::not_found(format!("no recorded statement names a file {sha256}"));
    let bytes = bytes.ok_or_else(missing)?;
    Ok(file("application/octet-stream", FOREVER, bytes.to_vec()))
}

/// Upload a file before its statement
///
/// It is kept for some minutes, in a space that all uploads share, until a statement that names it is recorded.
#[utoipa::path(put, path = "/v1/blobs/{sha256}", tag = "files",
    params(("sha256" = String, Path, description = "64 lower-case hex digits")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 202, description = "kept until its statement comes", body = Staged),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(service): State<Arc<Service>>,
    PathOf(sha256): PathOf<String>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let named = digest(&sha256)?;
    let mut room = service.rooms().anonymous();
    let bytes = body::whole(request, service.limits().blob, &mut room).await?;
    let length = bytes.len();
    service.stage(&named, bytes).await?;
    let staged = Staged {
        sha256,
        bytes: length,
    };
    Ok((StatusCode::ACCEPTED, Json(staged)).into_response())
}
