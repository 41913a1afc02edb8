//! axum's extractors, with refusals as problems.

use axum::{
    body::Bytes,
    extract::{FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
};
use futures::StreamExt as _;
use serde::de::DeserializeOwned;

use super::Problem;

/// Parameters of the path; one that does not parse names nothing.
pub struct PathOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value))
            .map_err(|e| Problem::not_found(format!("no such resource: {}", e.body_text())))
    }
}

/// Parameters of the query string; unknown ones are refused.
pub struct QueryOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|e| Problem::bad_request(e.body_text()))
    }
}

/// What is read of a body beyond its limit, so that a client that is still sending hears why it is refused.
const DRAINED: usize = 1 << 20;

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// A longer one, or one that breaks off.
pub async fn body(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let broken = |e| Problem::bad_request(format!("the body did not arrive whole: {e}"));
    let mut frames = request.into_body().into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(broken)?;
        length = length.saturating_add(frame.len());
        if length <= limit {
            bytes.extend_from_slice(&frame);
        } else if length > limit.saturating_add(DRAINED) {
            break;
        }
    }
    if length > limit {
        Err(too_large())
    } else {
        Ok(bytes.into())
    }
}

/// A body beyond its route's limit.
pub fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "the body is larger than this service takes; the limits are at /problems/too-large",
    )
}

/// The media type of a request's body, without its parameters, in lower case.
pub fn media_type(parts: &axum::http::HeaderMap) -> String {
    let text = parts
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    let essence = text.and_then(|t| t.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
