//! HTTP/1.1 over one connection, as little of it as a load needs.

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request, ready to be written.
#[derive(Debug, Clone)]
pub struct Request(Vec<u8>);

impl Request {
    /// A request with a body.
    #[must_use]
    pub fn new(method: &str, path: &str, content_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: load\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self([head.as_bytes(), body].concat())
    }

    /// A statement with its file, in one request.
    #[must_use]
    pub fn upload(path: &str, statement: &[u8], file: &[u8]) -> Self {
        const BOUNDARY: &str = "galen-load-boundary-7f3c";
        let mut body = Vec::new();
        for (name, bytes) in [("statement", statement), ("blob", file)] {
            let head = format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        Self::new("POST", path, &content_type, &body)
    }
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Status and body, for people.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request and reads its response, which must have a length.
    ///
    /// # Errors
    /// A connection that breaks, or a response of another form.
    pub async fn send(&mut self, request: &Request) -> Result<Response> {
        self.stream.write_all(&request.0).await?;
        let head = loop {
            let end = self.buffer.windows(4).position(|w| w == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            self.read().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .context("no status")?;
        let length = text
            .lines()
            .find_map(|l| l.strip_prefix("content-length: "));
        let length: usize = length
            .and_then(|l| l.trim().parse().ok())
            .context("no length")?;
        while self.buffer.len() < head + length {
            self.read().await?;
        }
        let body = self.buffer[head..head + length].to_vec();
        self.buffer.drain(..head + length);
        Ok(Response { status, body })
    }

    async fn read(&mut self) -> Result<()> {
        let mut chunk = [0; 16_384];
        let n = self.stream.read(&mut chunk).await?;
        ensure!(n > 0, "the service closed the connection");
        self.buffer.extend_from_slice(&chunk[..n]);
        Ok(())
    }
}
