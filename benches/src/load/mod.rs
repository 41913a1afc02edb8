//! Load on a running service: pre-made requests over many connections, at a rate or as fast as they go.

pub mod client;
pub mod ledger;
pub mod service;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use client::{Connection, Request};

/// How a load went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Requests that were answered with 200, 201 or 202.
    pub done: usize,
    /// Those answered otherwise, with the first of them.
    pub refused: usize,
    /// The first other answer.
    pub first_refusal: Option<String>,
    /// From the first request to the last answer.
    pub took: Duration,
    /// Latencies in ascending order, from when a request was due.
    pub latencies: Vec<Duration>,
}

impl Outcome {
    /// Requests done in a second.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }

    /// The latency that a share (in thousandths) of the requests did not exceed.
    #[must_use]
    pub fn quantile(&self, thousandths: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * thousandths / 1_000).min(last);
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// What the connections share.
struct Shared {
    requests: Vec<Request>,
    next: AtomicUsize,
    started: Instant,
    /// Between two requests of all connections together; zero: as fast as they go.
    interval: Duration,
}

/// Sends all requests over so many connections; `rate`: requests a second in all, each timed from when it was
/// due, so that a service that falls behind shows it.
///
/// # Errors
/// A connection that breaks.
pub async fn send(
    address: &str,
    requests: Vec<Request>,
    connections: usize,
    rate: Option<f64>,
) -> Result<Outcome> {
    let shared = Arc::new(Shared {
        requests,
        next: AtomicUsize::new(0),
        started: Instant::now(),
        interval: rate.map_or(Duration::ZERO, |r| Duration::from_secs_f64(1.0 / r)),
    });
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(one(address.to_owned(), Arc::clone(&shared))))
        .collect();
    let mut outcome = Outcome {
        done: 0,
        refused: 0,
        first_refusal: None,
        took: Duration::ZERO,
        latencies: Vec::new(),
    };
    for task in tasks {
        let part = task.await.context("a connection's task")??;
        outcome.done += part.done;
        outcome.refused += part.refused;
        outcome.first_refusal = outcome.first_refusal.or(part.first_refusal);
        outcome.latencies.extend(part.latencies);
    }
    outcome.took = shared.started.elapsed();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

struct Part {
    done: usize,
    refused: usize,
    first_refusal: Option<String>,
    latencies: Vec<Duration>,
}

async fn one(address: String, shared: Arc<Shared>) -> Result<Part> {
    let mut connection = Connection::open(&address).await?;
    let mut part = Part {
        done: 0,
        refused: 0,
        first_refusal: None,
        latencies: Vec::new(),
    };
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = shared.requests.get(index) else {
            return Ok(part);
        };
        let due = if shared.interval.is_zero() {
            Instant::now()
        } else {
            let nth = u32::try_from(index).context("more than 2^32 requests")?;
            let due = shared.started + shared.interval * nth;
            tokio::time::sleep_until(due.into()).await;
            due
        };
        let response = connection.send(request).await?;
        part.latencies.push(due.elapsed());
        if (200..300).contains(&response.status) {
            part.done += 1;
        } else {
            part.refused += 1;
            part.first_refusal.get_or_insert(response.text());
        }
    }
}
