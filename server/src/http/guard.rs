//! What stands around every request: a deadline, measurements, and an answer even after a panic.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, stream};

use super::{Problem, problem::Code};
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

/// Counts and times requests by route, and has the service know where its database could not be read.
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
    let code = response.extensions().get::<Code>();
    if code.is_some_and(|Code(code)| code == Problem::DAMAGED) {
        service.note_damage();
    }
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    service
        .metrics()
        .request(&method, route, response.status(), started.elapsed());
    response
}

/// Asks the client to open another connection when this one ends: with the service, or because the rest of a body
/// that was not read stands in the way of the next request.
pub(super) async fn parting(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let whole = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        let whole = Arc::clone(&whole);
        let end = stream::poll_fn(move |_| {
            whole.store(true, Ordering::Relaxed);
            Poll::Ready(None)
        });
        Body::from_stream(body.into_data_stream().chain(end))
    });
    let mut response = next.run(request).await;
    if service.stopping().is_cancelled() || !whole.load(Ordering::Relaxed) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// A panic is a fault of ours: it is logged, and the client gets a problem.
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "of unknown kind".into());
    Problem::internal(&format!("panic: {text}")).into_response()
}
