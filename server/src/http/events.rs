//! New entries as they are published.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{
    Problem,
    extract::{QueryOf, within},
    problem::ProblemBody,
};
use crate::{
    ledger::store::{Filter, Line},
    service::Service,
};

/// Entries read at once.
const PAGE: u64 = 100;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Begin with the entry after this index; with new ones if not said.
    after: Option<u64>,
}

/// New entries as server-sent events
///
/// An event `entry` for each entry once a checkpoint covers it, in order, its index as the event's id. A client that
/// comes back with `Last-Event-ID` misses none.
#[utoipa::path(get, path = "/v1/events", tag = "log", params(From),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn events(
    State(service): State<Arc<Service>>,
    QueryOf(from): QueryOf<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    within(from.after)?;
    let permit = service.stream_permit()?;
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let after = last.and_then(|v| v.parse::<u64>().ok()).or(from.after);
    let next = match after {
        Some(index) => index.saturating_add(1),
        None => service.published().map_or(0, |p| p.size),
    };
    let stop = service.stopping();
    let pages = stream::unfold(
        (service, next, permit),
        |(service, next, permit)| async move {
            let lines = next_page(&service, next).await?;
            let next = lines.last().map_or(next, |l| l.index + 1);
            Some((lines, (service, next, permit)))
        },
    );
    let events = pages
        .flat_map(|lines| stream::iter(lines.into_iter().map(|l| Ok(event(&l)))))
        .take_until(async move { stop.cancelled().await });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Waits for published entries from `next` on. `None` ends the stream: the store failed, and the client may
/// come back.
async fn next_page(service: &Service, next: u64) -> Option<Vec<Line>> {
    loop {
        if !service.published_beyond(next).await {
            return None;
        }
        let size = service.published()?.size;
        let after = next.checked_sub(1);
        let lines = service.list(&Filter::default(), after, PAGE).await.ok()?;
        let lines: Vec<Line> = lines.into_iter().filter(|l| l.index < size).collect();
        if !lines.is_empty() {
            return Some(lines);
        }
    }
}

fn event(line: &Line) -> Event {
    let data = json!({
        "index": line.index,
        "kind": line.kind,
        "digest": line.digest,
        "member": line.member,
        "entry": format!("/v1/entries/{}", line.index),
    });
    Event::default()
        .event("entry")
        .id(line.index.to_string())
        .data(data.to_string())
}
