//! What is measured, for Prometheus. No label holds anything that a client chose, nor a patient's value.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Statement {
    kind: &'static str,
    outcome: &'static str,
}

/// The service's measurements.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Histogram,
    statements: Family<Statement, Counter>,
    /// Answers verified together.
    batch: Histogram,
    /// Verification of one batch of answers, seconds.
    verifying: Histogram,
    committed: Gauge,
    published: Gauge,
    halted: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("galen");
        let requests = Family::default();
        let seconds = Histogram::new(exponential_buckets(0.000_5, 2.0, 16));
        let statements = Family::default();
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 7));
        let verifying = Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let [committed, published, halted] = [(); 3].map(|()| Gauge::default());
        registry.register("requests", "Requests", requests.clone());
        registry.register(
            "request_seconds",
            "Time of a request, seconds",
            seconds.clone(),
        );
        registry.register("statements", "Statements by outcome", statements.clone());
        registry.register(
            "verification_batch",
            "Answers verified together",
            batch.clone(),
        );
        registry.register(
            "verification_seconds",
            "Time of a batch, seconds",
            verifying.clone(),
        );
        registry.register("log_committed", "Durable entries", committed.clone());
        registry.register(
            "log_published",
            "Entries under the checkpoint",
            published.clone(),
        );
        registry.register(
            "log_halted",
            "Whether the log has halted, 0 or 1",
            halted.clone(),
        );
        Self {
            registry,
            requests,
            seconds,
            statements,
            batch,
            verifying,
            committed,
            published,
            halted,
        }
    }
}

impl Metrics {
    /// A request that was answered.
    pub fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // Methods can be made up; only the usual ones are told apart.
        let usual = matches!(
            *method,
            Method::GET | Method::HEAD | Method::POST | Method::PUT
        );
        let method = if usual { method.as_str() } else { "other" };
        let label = Request {
            method: method.into(),
            route: route.into(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&label).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// A statement whose signatures hold: `recorded`, `duplicate`, `refused`, `busy`, `quota`, `failed`.
    pub fn statement(&self, kind: &'static str, outcome: &'static str) {
        self.statements
            .get_or_create(&Statement { kind, outcome })
            .inc();
    }

    /// A batch of answers that was verified.
    pub fn verified(&self, answers: usize, took: Duration) {
        self.batch
            .observe(f64::from(u32::try_from(answers).unwrap_or(u32::MAX)));
        self.verifying.observe(took.as_secs_f64());
    }

    /// The log's state now.
    pub fn log(&self, committed: u64, published: u64, halted: bool) {
        self.halted.set(halted.into());
        self.committed
            .set(i64::try_from(committed).unwrap_or(i64::MAX));
        self.published
            .set(i64::try_from(published).unwrap_or(i64::MAX));
    }

    /// Everything in `OpenMetrics`' text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}
