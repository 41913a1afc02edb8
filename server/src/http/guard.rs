//! What stands around every request: a deadline, measurements, and an answer even after a panic.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Problem;
use crate::service::Service;

/// Ends a request that takes longer. A statement that was handed to the sequencer is recorded all the same;
/// submitting it again gives its index.
pub(super) async fn deadline(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            format!(
                "not done within {} seconds; the same request can be repeated safely",
                limit.as_secs()
            ),
        )
        .retry_after(1)
        .into_response(),
    }
}

/// Counts and times requests by route.
pub(super) async fn measure(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    // Axum's pattern, not the path: paths are as many as clients like.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let started = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    service
        .metrics()
        .request(&method, route, response.status(), started.elapsed());
    response
}

/// Whatever is logged during a request names it.
pub(super) fn span(request: &Request) -> tracing::Span {
    let id = request
        .headers()
        .get("x-request-id")
        .and_then(|v| v.to_str().ok());
    let (method, path) = (request.method(), request.uri().path());
    tracing::error_span!("request", id, %method, path)
}

/// A panic is a fault of ours: it is logged, and the client gets a problem.
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "of unknown kind".into());
    Problem::internal(&format!("panic: {text}")).into_response()
}
