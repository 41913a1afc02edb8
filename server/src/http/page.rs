//! Pages for people who follow a link: the front page, and what a problem means.

use std::sync::{Arc, LazyLock};

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, extract::PathOf, policy};
use crate::service::{Service, error::meaning};

/// The log, for whoever wants to check it.
#[derive(Serialize, ToSchema)]
pub struct LogView {
    /// The log's name, as it stands in checkpoints.
    origin: String,
    /// Its public key as `<origin>+<id>+<key>`, the form that C2SP tools take.
    verifier_key: String,
    /// Entries that a checkpoint covers.
    size: u64,
}

/// The log's name, key and size
#[utoipa::path(get, path = "/v1/log", tag = "log", responses((status = 200, body = LogView)))]
pub async fn log(State(service): State<Arc<Service>>) -> Result<Json<LogView>, Problem> {
    Ok(Json(view(&service).await?))
}

async fn view(service: &Service) -> Result<LogView, Problem> {
    Ok(LogView {
        origin: service.log().origin().into(),
        verifier_key: service.log().encoded(),
        size: service.checkpoint().await?.map_or(0, |p| p.size),
    })
}

/// The text for HTML, within elements and within attributes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    code{overflow-wrap:anywhere}";

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy::with_style(STYLE));

/// The front page.
pub async fn front(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let view = view(&service).await?;
    let (origin, key) = (escaped(&view.origin), escaped(&view.verifier_key));
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Galen: {origin}</title>\
         <style>{STYLE}</style>\
         <h1>{origin}</h1>\
         <p>A public verifier of cohort queries over patient tables that never leave their hospital, and its \
         append-only ledger of {size} entries.</p>\
         <ul><li><a href=\"/docs/\">The interface, to try out</a> (<a href=\"/openapi.json\">OpenAPI</a>)</li>\
         <li><a href=\"/v1/queries\">Queries</a>, <a href=\"/v1/answers\">answers</a>, \
         <a href=\"/v1/datasets\">datasets</a>, <a href=\"/v1/registries\">registries</a>, \
         <a href=\"/v1/parameter-sets\">parameter sets</a>, <a href=\"/v1/members\">members</a>, \
         <a href=\"/v1/refusals\">refusals</a>, <a href=\"/v1/revocations\">revocations</a>, \
         <a href=\"/v1/consortia\">consortia</a></li>\
         <li><a href=\"/checkpoint\">The signed checkpoint</a></li></ul>\
         <p>The log's key: <code>{key}</code></p></html>\n",
        size = view.size
    );
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY.clone())];
    Ok((headers, Html(page)).into_response())
}

/// What a problem's type means.
pub async fn problem(PathOf(code): PathOf<String>) -> Result<Response, Problem> {
    let text = meaning(&code).ok_or_else(|| Problem::not_found("no such problem"))?;
    Ok((
        [("content-type", "text/plain; charset=utf-8")],
        format!("{code}: {text}\n"),
    )
        .into_response())
}
