//! The log as C2SP has it: `/checkpoint`, `/tile/…`. Read-only, the same bytes for everyone.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use galen_ledger::tiles::TilePath;

use super::{Problem, extract::PathOf};
use crate::{
    ledger::objects::{FOREVER, FRESH},
    service::Service,
};

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// Bytes with their type, and how long they may be kept.
pub(super) fn file(kind: &'static str, caching: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    (headers, bytes).into_response()
}

/// The last signed checkpoint
///
/// A signed note (c2sp.org/tlog-checkpoint): origin, size, root.
#[utoipa::path(get, path = "/checkpoint", tag = "log", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 404, body = super::problem::ProblemBody, content_type = "application/problem+json"),
))]
pub async fn checkpoint(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let published = service.checkpoint().await?;
    let text = published.ok_or_else(|| Problem::not_found("no checkpoint has been signed yet"))?;
    Ok(file(TEXT, FRESH, text.text.into_bytes()))
}

/// A tile of hashes, or a bundle of entries: `/tile/<L>/<N>[.p/<W>]` and `/tile/entries/<N>[.p/<W>]`, as
/// c2sp.org/tlog-tiles has it. Not in the API's description, whose paths have no wildcards.
pub async fn tile(
    State(service): State<Arc<Service>>,
    PathOf(path): PathOf<String>,
) -> Result<Response, Problem> {
    let path =
        TilePath::parse(&format!("tile/{path}")).map_err(|e| Problem::not_found(e.to_string()))?;
    let bytes = service.tile(&path).await?;
    let missing = || Problem::not_found(format!("{path} is not part of the published log"));
    Ok(file(BYTES, FOREVER, bytes.ok_or_else(missing)?))
}
