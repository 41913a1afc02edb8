//! Standard output: text for people or one JSON document, and no panic when the reader goes away.

use std::{
    fmt::Display,
    io::{self, Write},
};

use anyhow::Result;
use serde_json::Value;

/// The reader of standard output closed it, as `head` does.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub struct Closed;

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Text, or with `json` one document.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a JSON document was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of text; nothing where JSON was asked for.
    pub fn line(&self, text: impl Display) -> Result<()> {
        if self.json {
            return Ok(());
        }
        print(&text)
    }

    /// Prints the JSON document; nothing where text was asked for.
    pub fn document(&self, value: &Value) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        print(&format!("{value:#}"))
    }
}

fn print(text: &dyn Display) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        other => Ok(other?),
    }
}
