//! What kind of document a file is, by how it begins: one that is given in another's place is refused for that.

use anyhow::{Error, Result};
use galen_ledger::tiles::LogVerifier;

use crate::{failure::refusal, keys::is_seed};

/// The format line stands within so many bytes of every document that Galen writes.
pub const HEAD: usize = 4_096;

/// A kind of document that commands read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bundle,
    Manifest,
    Query,
    Registration,
    Provenance,
    Evidence,
    Statement,
    Checkpoint,
    Parameters,
    Registry,
    /// Or a public one: both are 64 digits.
    SigningKey,
    LogKey,
    /// Any key, or what `galen key` prints of one.
    Key,
    Sql,
}

/// What parameters begin with.
const PARAMETERS: &[u8] = b"GALENVP";

impl Kind {
    /// With its article.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bundle => "a bundle",
            Kind::Manifest => "a manifest",
            Kind::Query => "a query",
            Kind::Registration => "a registration",
            Kind::Provenance => "a provenance",
            Kind::Evidence => "evidence",
            Kind::Statement => "a signed statement",
            Kind::Checkpoint => "a checkpoint",
            Kind::Parameters => "parameters",
            Kind::Registry => "a registry",
            Kind::SigningKey | Kind::LogKey | Kind::Key => "a key",
            Kind::Sql => "SQL text",
        }
    }

    /// The same without, for the file's name.
    pub fn bare(self) -> &'static str {
        let name = self.name();
        name.strip_prefix("a ").unwrap_or(name)
    }

    /// What a file is that begins so, where that can be seen.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes[..bytes.len().min(HEAD)].trim_ascii_start();
        if bytes.starts_with(PARAMETERS) {
            return Some(Kind::Parameters);
        }
        let text = String::from_utf8_lossy(bytes);
        if bytes.starts_with(b"{") {
            return of_json(&text);
        }
        let has_header = |header: &str| text.lines().any(|line| line.trim().starts_with(header));
        match &*text {
            text if is_seed(text) => Some(Kind::SigningKey),
            text if text.contains("\n\n— ") => Some(Kind::Checkpoint),
            _ if has_header("[registry]") => Some(Kind::Registry),
            text if LogVerifier::parse(text.trim()).is_ok() => Some(Kind::LogKey),
            _ => None,
        }
    }

    /// Refuses what is seen to be of another kind.
    pub fn check(self, bytes: &[u8]) -> Result<()> {
        match Self::of(bytes) {
            Some(other) if !self.takes(other) => Err(self.instead_of(other)),
            _ => Ok(()),
        }
    }

    fn takes(self, other: Self) -> bool {
        let is_key = matches!(other, Kind::SigningKey | Kind::LogKey);
        self == other || (self == Kind::Key && is_key)
    }

    fn instead_of(self, other: Self) -> Error {
        let why = format!(
            "it is {}, and {} is expected here: was one file given in another's place?",
            other.name(),
            self.name()
        );
        refusal("Format", why)
    }
}

/// By its format line, whatever its version. Within a text its quotes would be escaped.
fn of_json(text: &str) -> Option<Kind> {
    if text.contains("\"payloadType\"") {
        return Some(Kind::Statement);
    }
    let (_, rest) = text.split_once("\"format\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let (name, _) = rest.strip_prefix("\"galen/")?.split_once('/')?;
    match name {
        "bundle" => Some(Kind::Bundle),
        "dataset" => Some(Kind::Manifest),
        "query" => Some(Kind::Query),
        "registration" => Some(Kind::Registration),
        "provenance" => Some(Kind::Provenance),
        "evidence" => Some(Kind::Evidence),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_seen_at_the_beginning() {
        let bundle = b"{\n  \"format\" : \"galen/bundle/v7\",\n  \"cells\": [";
        // What a text quotes is no format line.
        let query = br#"{"title":"\"format\":\"galen/bundle/v1\"","format":"galen/query/v1"}"#;
        let seed = "ab".repeat(32);
        for (bytes, kind) in [
            (&bundle[..], Some(Kind::Bundle)),
            (query, Some(Kind::Query)),
            (b"{\"format\":\"galen/dataset/v1\"}", Some(Kind::Manifest)),
            (
                b"{\"format\":\"galen/provenance/v1\"}",
                Some(Kind::Provenance),
            ),
            (
                b"{\"payload\":\"\",\"payloadType\":\"x\"}",
                Some(Kind::Statement),
            ),
            (b"GALENVP\0\xff", Some(Kind::Parameters)),
            (
                b"# the study's\n[registry]\nname = \"t\"",
                Some(Kind::Registry),
            ),
            (seed.as_bytes(), Some(Kind::SigningKey)),
            (
                "log\n1\nhash\n\n— log AAAA\n".as_bytes(),
                Some(Kind::Checkpoint),
            ),
            (b"SELECT count(*) FROM t", None),
            (b"{\"format\":\"other/bundle/v1\"}", None),
            (b"\xff", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(bytes), kind, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn another_kind_is_refused_and_what_is_not_known_is_not() {
        let refused = |kind: Kind, bytes: &[u8]| kind.check(bytes).err().map(|e| e.to_string());
        let query = b"{\"format\":\"galen/query/v1\"}";
        let why =
            "it is a query, and a bundle is expected here: was one file given in another's place?";
        assert_eq!(refused(Kind::Bundle, query), Some(why.to_owned()));
        assert_eq!(refused(Kind::Query, query), None);
        assert_eq!(refused(Kind::Query, b"{}"), None);
        let seed = "0f".repeat(32);
        assert_eq!(refused(Kind::Key, seed.as_bytes()), None);
        assert!(refused(Kind::Registry, seed.as_bytes()).is_some_and(|e| !e.contains("0f")));
    }
}
