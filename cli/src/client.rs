//! Talking to a Galen service.

use std::{io::Read as _, thread, time::Duration};

use anyhow::{Context, Error, Result};
use galen_ledger::statement::Blob;
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{
        Response,
        header::{ACCEPT_ENCODING, RETRY_AFTER},
    },
};

use crate::failure::refusal;

/// A request that is not done by then has failed.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How long a connection is kept for another request: less than the service keeps it.
const IDLE: Duration = Duration::from_secs(5);

/// Connections that are kept: a mirror fetches as many bundles at the same time.
const KEPT: usize = 4;

/// How often a service that is busy is asked again.
const TRIES: u32 = 8;

/// The largest JSON document that is read.
const MAX_JSON: u64 = 64 << 20;

/// The largest problem that is read.
const MAX_PROBLEM: u64 = 1 << 20;

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
            .max_idle_age(IDLE)
            .max_idle_connections_per_host(KEPT)
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

    /// Sends a request, and takes nothing but success.
    fn send(&self, path: &str, request: impl Fn(&str) -> Answered) -> Result<Response<Body>> {
        self.succeeded(self.ask(path, request)?, &self.url(path))
    }

    /// Sends a request until the service is not busy, with others or with this key's own. Requests may be repeated: an
    /// entry that was recorded keeps its index, and a file its name.
    fn ask(&self, path: &str, request: impl Fn(&str) -> Answered) -> Result<Response<Body>> {
        let url = self.url(path);
        let mut tries = 0;
        loop {
            tries += 1;
            let response = request(&url).map_err(|e| self.unreached(e))?;
            let passes = [503, 429].contains(&response.status().as_u16());
            if !passes || tries == TRIES {
                return Ok(response);
            }
            let after = response.headers().get(RETRY_AFTER);
            let seconds = after
                .and_then(|v| v.to_str().ok())
                .and_then(|v| v.parse().ok());
            thread::sleep(Duration::from_secs(seconds.unwrap_or(1).min(30)));
        }
    }

    /// Why no answer came, and what to look at.
    fn unreached(&self, error: ureq::Error) -> Error {
        let tls = error.to_string().contains("corrupt message");
        let hint = if tls && self.base.starts_with("https://") {
            "what answers there speaks no TLS: is its URL http://?"
        } else {
            "does a Galen service run there? Look at host, port and http or https"
        };
        let context = format!("asking {}: {hint}", self.base);
        Error::new(error).context(context)
    }

    fn has_path(&self) -> bool {
        let rest = self.base.split_once("://").map_or("", |(_, rest)| rest);
        rest.contains('/')
    }

    /// What to say where something answers that does not seem to be a service.
    fn no_service(&self) -> String {
        let base = &self.base;
        format!("is {base} a Galen service? Give the URL of its front page, without a path")
    }

    /// A JSON document.
    pub fn json(&self, path: &str) -> Result<Value> {
        let response = self.send(path, |url| self.agent.get(url).call())?;
        let bytes = self.body(response, path, MAX_JSON)?;
        let why = || format!("{} is no JSON: {}", self.url(path), self.no_service());
        serde_json::from_slice(&bytes).with_context(why)
    }

    /// A file of at most `limit` bytes. It is asked for as it is: most are proofs and keys, which no
    /// compression makes shorter.
    pub fn bytes(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        let response = self.send(path, |url| self.get(url))?;
        self.body(response, path, limit)
    }

    /// As `bytes`, but a file that the service has not (404) is none.
    pub fn bytes_if_there(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let response = self.ask(path, |url| self.get(url))?;
        if response.status() == 404 {
            return Ok(None);
        }
        let response = self.succeeded(response, &self.url(path))?;
        self.body(response, path, limit).map(Some)
    }

    fn get(&self, url: &str) -> Answered {
        let request = self.agent.get(url);
        request.header(ACCEPT_ENCODING, "identity").call()
    }

    /// A body of at most `limit` bytes after decompression. The library's own limit counts the bytes on the
    /// wire: of a compressed body it would refuse good ones, and take bad ones of any length.
    fn body(&self, response: Response<Body>, path: &str, limit: u64) -> Result<Vec<u8>> {
        let named = || format!("reading {}", self.url(path));
        let mut bytes = Vec::new();
        let reader = response.into_body().into_reader();
        let read = reader
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .with_context(named)?;
        if read as u64 > limit {
            let why = format!("more than the {limit} bytes that it may have");
            return Err(refusal("TooLarge", why)).with_context(named);
        }
        Ok(bytes)
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
        let response = self.send(&path, send)?;
        let text = self.body(response, &path, MAX_JSON)?;
        let why = || format!("the receipt is no JSON: {}", self.no_service());
        serde_json::from_slice(&text).with_context(why)
    }

    /// The response, or the problem that the service tells.
    fn succeeded(&self, response: Response<Body>, url: &str) -> Result<Response<Body>> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        let _ = reader.take(MAX_PROBLEM).read_to_end(&mut body);
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("it says no more");
        let code = problem["type"].as_str().and_then(|t| t.rsplit('/').next());
        let why = match code {
            Some(_) if status == 404 && self.has_path() => {
                format!("{url} is not there; {}", self.no_service())
            }
            Some(code) => format!("the service refused it ({code}): {detail}"),
            None => format!("{url} answered {status}; {}", self.no_service()),
        };
        Err(refusal("service.Refused", why))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        thread::JoinHandle,
    };

    /// A service for one request: what it was asked, and it answers these bytes behind these header lines.
    fn answering(head: &str, body: Vec<u8>) -> (Client, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let head = format!(
            "HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n",
            body.len()
        );
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let lines = lines.map(Result::unwrap).take_while(|l| !l.is_empty());
            let asked: Vec<String> = lines.collect();
            // The client may have read enough before all is written.
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            asked.join("\n")
        });
        (Client::new(&url).unwrap(), asked)
    }

    /// gzip (RFC 1952) of one stored block: 23 bytes longer than what is in it.
    fn stored(bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).unwrap();
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                let low = crc & 1;
                crc = (crc >> 1) ^ (0xedb8_8320 * low);
            }
        }
        [
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1][..],
            &length.to_le_bytes(),
            &(!length).to_le_bytes(),
            bytes,
            &(!crc).to_le_bytes(),
            &u32::from(length).to_le_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_file_is_asked_for_as_it_is() {
        let (client, asked) = answering("", b"12345".to_vec());
        assert_eq!(client.bytes("/v1/blobs/x", 5).unwrap(), b"12345");
        let asked = asked.join().unwrap().to_lowercase();
        assert!(asked.contains("accept-encoding: identity"), "{asked}");
    }

    #[test]
    fn a_file_that_compression_has_made_longer_is_read_and_no_byte_more() {
        let plain: Vec<u8> = (0..=255).collect();
        for (limit, good) in [(256, true), (255, false)] {
            let (client, _) = answering("content-encoding: gzip\r\n", stored(&plain));
            let read = client.bytes("/v1/blobs/x", limit);
            match read {
                Ok(bytes) => assert!(good && bytes == plain),
                Err(e) => assert!(!good, "{e:#}"),
            }
        }
    }
}
