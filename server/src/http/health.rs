//! For operators: is it alive, is it ready, how is it doing.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use super::Problem;
use crate::service::Service;

/// Whether the process runs
#[utoipa::path(get, path = "/livez", tag = "operation", responses((status = 200, body = String)))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Whether requests will be served
///
/// Looks at the database, at whether the log has halted, and at the time for which committed entries have
/// waited for a checkpoint.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, body = String),
    (status = 503, body = super::problem::ProblemBody, content_type = "application/problem+json"),
))]
pub async fn readyz(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    service.ready().await?;
    Ok("ok\n")
}

/// Measurements in Prometheus' text format
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
pub async fn metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([("content-type", OPEN_METRICS)], service.metrics().text())
}
