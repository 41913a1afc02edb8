//! Talking to a Galen service.

use std::{thread, time::Duration};

use anyhow::{Context, Result};
use galen_verifier::ledger::statement::Blob;
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Response, header::RETRY_AFTER},
};

use crate::failure::refusal;

/// A request that is not done by then has failed.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How often a service that is busy is asked again.
const TRIES: u32 = 8;

/// The largest JSON document that is read.
const MAX_JSON: u64 = 64 << 20;

/// A service, by the URL of its front page.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    agent: Agent,
}

type Answered = Result<Response<Body>, ureq::Error>;

impl Client {
    /// A service at `http://` or `https://`.
    pub fn new(url: &str) -> Result<Self> {
        let known = url.starts_with("http://") || url.starts_with("https://");
        if !known {
            let why = format!("{url} is no URL of a service; it begins with http:// or https://");
            return Err(refusal("usage.Url", why));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(Self {
            base: url.trim_end_matches('/').to_owned(),
            agent: config.into(),
        })
    }

    /// The URL of a path of the service.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a request until the service is not busy. Requests may be repeated: an entry that was recorded keeps
    /// its index, and a file its name.
    fn send(&self, path: &str, request: impl Fn(&str) -> Answered) -> Result<Response<Body>> {
        let url = self.url(path);
        let mut tries = 0;
        loop {
            tries += 1;
            let response = request(&url).with_context(|| format!("asking {url}"))?;
            if response.status() != 503 || tries == TRIES {
                return succeeded(response, &url);
            }
            let after = response.headers().get(RETRY_AFTER);
            let seconds = after
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.parse().ok());
            thread::sleep(Duration::from_secs(seconds.unwrap_or(1).min(30)));
        }
    }

    /// A JSON document.
    pub fn json(&self, path: &str) -> Result<Value> {
        let bytes = self.bytes(path, MAX_JSON)?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", self.url(path)))
    }

    /// A file of at most `limit` bytes.
    pub fn bytes(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let mut response = self.send(path, |url| self.agent.get(url).call())?;
        // The library refuses a body that is exactly as long as its limit.
        let body = response
            .body_mut()
            .with_config()
            .limit(limit.saturating_add(1))
            .read_to_vec();
        body.with_context(|| format!("reading {}", self.url(path)))
    }

    /// Submits an envelope with the files that it names; the receipt, once a checkpoint covers the entry.
    pub fn submit(&self, collection: &str, envelope: &[u8], files: &[Vec<u8>]) -> Result<Value> {
        let path = format!("/v1/{collection}?wait=published");
        let (kind, body) = if files.is_empty() {
            ("application/json".to_owned(), envelope.to_vec())
        } else {
            multipart(envelope, files)
        };
        let send = |url: &str| self.agent.post(url).content_type(&kind).send(&body[..]);
        let mut response = self.send(&path, send)?;
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_JSON)
            .read_to_vec()?;
        serde_json::from_slice(&text).context("the service's receipt is no JSON")
    }
}

/// Statement and files as `multipart/form-data`: its type and bytes. Sent so, the service checks the signatures
/// before it reads a file.
fn multipart(envelope: &[u8], files: &[Vec<u8>]) -> (String, Vec<u8>) {
    // No file holds its own digest.
    let boundary = Blob::of(&files.concat()).sha256;
    let statement = std::iter::once(("statement", envelope));
    let mut body = Vec::new();
    for (name, bytes) in statement.chain(files.iter().map(|f| ("blob", f.as_slice()))) {
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// The response, or the problem that the service tells.
fn succeeded(mut response: Response<Body>, url: &str) -> Result<Response<Body>> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response
        .body_mut()
        .with_config()
        .limit(1 << 20)
        .read_to_vec();
    let problem: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("it says no more");
    let code = problem["type"].as_str().and_then(|t| t.rsplit('/').next());
    let why = match code {
        Some(code) => format!("the service refused it ({code}): {detail}"),
        None => format!("{url} answered {status}: {detail}"),
    };
    Err(refusal("service.Refused", why))
}
