//! axum's extractors, with refusals as problems.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header, request::Parts},
};
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

/// The whole body, as long as its route allows.
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Problem::bad_request(format!("the body did not arrive whole: {}", e.body_text())),
        })
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
