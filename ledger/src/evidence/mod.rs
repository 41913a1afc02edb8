//! Evidence: one file with which anyone can check one answer of a ledger offline. Format:
//! `docs/spec/evidence.md`.
//!
//! It holds a checkpoint of the log, the entries that the answer rests on, each with the proof that it stands
//! in the log at its index, and the files that these entries name. [`Evidence::verify`] takes nothing in it
//! for granted. A gatherer finds the entries with [`Gathering`] and puts the file together with
//! [`Evidence::new`].

mod chain;
mod error;
mod needs;
mod pooled;
mod report;
mod seen;
mod verify;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use error::EvidenceError;
pub use needs::{Gathering, Need, needs};
pub use pooled::{Hospital, PooledError, PooledReport};
pub use report::{LogReport, ParameterSetReport, Report, ReportedEntry, ReportedKey};

use galen_query::{
    bounded::list,
    text::{hex, parse_json},
};

use crate::{
    LedgerError,
    tiles::{Hash, LogVerifier},
};

const FORMAT: &str = "galen/evidence/v1";

/// Evidence larger than this is refused unread.
pub const MAX_EVIDENCE_BYTES: usize = 400 << 20;

/// The most entries in it.
pub const MAX_ENTRIES: usize = 1_024;

/// The most hashes of an entry's inclusion proof: a log has at most 2^40 entries.
pub const MAX_PROOF_HASHES: usize = 40;

/// The most files in it.
pub const MAX_BLOBS: usize = 16;

/// The evidence of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    format: String,
    /// The log's origin and public key, `<origin>+<id>+<key>`.
    log: String,
    /// A signed checkpoint of the log, as it is published.
    checkpoint: String,
    /// In ascending order of their indices.
    #[serde(deserialize_with = "list::<_, _, MAX_ENTRIES>")]
    entries: Vec<WireEntry>,
    #[serde(deserialize_with = "list::<_, _, MAX_BLOBS>")]
    blobs: Vec<WireBlob>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntry {
    index: u64,
    /// The envelope's bytes: those of the leaf.
    envelope: String,
    /// The inclusion proof's hashes from the leaf upward, hex.
    #[serde(deserialize_with = "list::<_, _, MAX_PROOF_HASHES>")]
    proof: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireBlob {
    /// Hex.
    sha256: String,
    /// The bytes, base64url.
    base64: String,
}

/// An entry of the log with the proof that it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenEntry {
    /// Its index.
    pub index: u64,
    /// The bytes of its envelope.
    pub envelope: Vec<u8>,
    /// Hashes from the leaf upward, in the tree of the checkpoint.
    pub proof: Vec<Hash>,
}

impl Evidence {
    /// Puts evidence together; nothing is verified.
    ///
    /// # Errors
    /// An envelope that is not UTF-8 and so none.
    pub fn new(
        log: &LogVerifier,
        checkpoint: String,
        mut entries: Vec<ProvenEntry>,
        blobs: &[Vec<u8>],
    ) -> Result<Self, EvidenceError> {
        entries.sort_by_key(|e| e.index);
        let entries = entries.into_iter().map(wire_entry);
        let blob = |bytes: &Vec<u8>| WireBlob {
            sha256: hex(&Sha256::digest(bytes)),
            base64: URL_SAFE_NO_PAD.encode(bytes),
        };
        Ok(Self {
            format: FORMAT.into(),
            log: log.encoded(),
            checkpoint,
            entries: entries.collect::<Result<_, _>>()?,
            blobs: blobs.iter().map(blob).collect(),
        })
    }

    /// Parses evidence.
    ///
    /// # Errors
    /// Too large, lists that are too long, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, EvidenceError> {
        Ok(parse_json(bytes, "evidence", MAX_EVIDENCE_BYTES)?)
    }

    /// The file, ending in a line break.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("evidence is plain data");
        bytes.push(b'\n');
        bytes
    }
}

fn wire_entry(entry: ProvenEntry) -> Result<WireEntry, EvidenceError> {
    let index = entry.index;
    let envelope = String::from_utf8(entry.envelope).map_err(|e| EvidenceError::Entry {
        index,
        source: LedgerError::Entry { why: e.to_string() },
    })?;
    Ok(WireEntry {
        index,
        envelope,
        proof: entry.proof.iter().map(|h| hex(h)).collect(),
    })
}
