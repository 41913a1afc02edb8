use std::sync::Arc;

use axum::http::StatusCode;
use galen_ledger::{LedgerError, RuleError, documents::DocumentError};
use galen_verifier::VerifyError;

use crate::{failures::failed, http::Problem, ledger::LedgerStoreError};

/// Why the service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// An entry that is malformed.
    #[error(transparent)]
    Entry(LedgerError),
    /// A signature by a key that the ledger does not know.
    #[error("the key {key} is no member's or steward's; the stewards must admit it first")]
    UnknownKey {
        /// Its id.
        key: String,
    },
    /// A signature that does not hold.
    #[error(transparent)]
    Signature(LedgerError),
    /// A rule of the ledger that the entry breaks.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A document that does not support its statement.
    #[error(transparent)]
    Document(Arc<DocumentError>),
    /// Files that the statement names and nobody has uploaded.
    #[error("the files {} are not here; send them with the statement, or PUT them to /v1/blobs/<sha256> first", missing.join(", "))]
    MissingBlobs {
        /// Their SHA-256, hex.
        missing: Vec<String>,
    },
    /// A file with another digest than its name, or that the statement does not name.
    #[error("{why}")]
    Blob {
        /// What is wrong.
        why: String,
    },
    /// A file that no room is made for.
    #[error(
        "the file is of {bytes} bytes; at most {most} can wait for their statement, send it with the statement"
    )]
    TooLarge {
        /// Its length, bytes.
        bytes: u64,
        /// The room, bytes.
        most: u64,
    },
    /// A consortium that only the operator can set up.
    #[error(
        "a ledger's first consortium is set up by its operator, when the service is first started"
    )]
    FirstConsortium,
    /// No room at the moment.
    #[error("the service has too much to do; try again in a second")]
    Busy,
    /// No room for this key at the moment.
    #[error(
        "{waiting} statements of this key wait for verification already, and others have their turn too; try again in a \
         second"
    )]
    Quota {
        /// How many of its wait.
        waiting: usize,
    },
    /// The service is going down.
    #[error("the service is shutting down; nothing was recorded, try again in some seconds")]
    Closed,
    /// The log contradicts itself, and takes nothing more.
    #[error(
        "the log has halted because something in it contradicts itself; it takes nothing more until its operator has looked"
    )]
    Halted,
    /// Requests would not be served as they should.
    #[error("{why}")]
    NotReady {
        /// Why not.
        why: &'static str,
    },
    /// Nobody knows whether the entry was stored.
    #[error(
        "it is not known whether the entry was recorded; submit the same bytes again to learn its index"
    )]
    Unacknowledged,
    /// The database or the files are away, full or busy.
    #[error(
        "the service cannot get at its database or files at the moment; the same request can be repeated"
    )]
    Unavailable {
        /// Why, for the log.
        cause: String,
    },
    /// A part of the database's file cannot be read.
    #[error(
        "a part of the service's database cannot be read; it takes nothing more until its operator has restored it"
    )]
    Damaged {
        /// What the database says, for the log.
        cause: String,
    },
    /// A failure of the service's own.
    #[error("{0}")]
    Internal(String),
}

impl From<DocumentError> for ServiceError {
    fn from(e: DocumentError) -> Self {
        Self::Document(Arc::new(e))
    }
}

impl From<LedgerStoreError> for ServiceError {
    fn from(e: LedgerStoreError) -> Self {
        match e {
            LedgerStoreError::Busy => Self::Busy,
            LedgerStoreError::Closed => Self::Closed,
            LedgerStoreError::Halted { .. } => Self::Halted,
            LedgerStoreError::Unacknowledged { why } => {
                failed("an entry was not acknowledged", &why);
                Self::Unacknowledged
            }
            LedgerStoreError::Refused(rule) => Self::Rule(rule),
            LedgerStoreError::Digest { .. } => Self::Blob { why: e.to_string() },
            LedgerStoreError::TooLarge { bytes, most } => Self::TooLarge { bytes, most },
            LedgerStoreError::Broken { why } => Self::Damaged { cause: why },
            other if other.may_pass() => Self::Unavailable {
                cause: other.to_string(),
            },
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(e: ServiceError) -> Self {
        let told = e.to_string();
        match e {
            ServiceError::Entry(LedgerError::EntryTooLarge { .. }) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", told)
            }
            ServiceError::Entry(_) => Self::new(StatusCode::BAD_REQUEST, "malformed-entry", told),
            ServiceError::UnknownKey { .. } => {
                Self::new(StatusCode::FORBIDDEN, "unknown-key", told)
            }
            ServiceError::Signature(_) => Self::new(StatusCode::FORBIDDEN, "bad-signature", told),
            ServiceError::Rule(rule) => broken(&rule),
            ServiceError::Document(e) => unsupported(&e),
            ServiceError::MissingBlobs { missing } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "missing-files", told)
                    .with("missing", missing)
            }
            ServiceError::Blob { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-file", told)
            }
            ServiceError::TooLarge { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", told)
            }
            ServiceError::FirstConsortium => {
                Self::new(StatusCode::FORBIDDEN, "first-consortium", told)
            }
            ServiceError::Busy => unavailable("busy", told, 1),
            ServiceError::Quota { waiting } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "quota", told)
                    .with("waiting", waiting)
                    .retry_after(1)
            }
            ServiceError::Closed => unavailable("shutting-down", told, 5),
            ServiceError::Halted => unavailable("halted", told, 300),
            ServiceError::NotReady { .. } => unavailable("not-ready", told, 1),
            ServiceError::Unacknowledged => unavailable("unacknowledged", told, 1),
            ServiceError::Unavailable { cause } => {
                failed("the database or the files are away", &cause);
                unavailable("unavailable", told, 2)
            }
            ServiceError::Damaged { cause } => {
                failed("the database's file is damaged", &cause);
                unavailable(Problem::DAMAGED, told, 300)
            }
            ServiceError::Internal(cause) => Self::internal(&cause),
        }
    }
}

fn unavailable(code: &'static str, told: String, seconds: u64) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, told).retry_after(seconds)
}

fn broken(rule: &RuleError) -> Problem {
    let told = rule.to_string();
    let status = match rule {
        RuleError::Ledger(e) => return Problem::internal(e),
        RuleError::NotASteward { .. }
        | RuleError::Threshold { .. }
        | RuleError::OneSigner
        | RuleError::UnknownKey { .. }
        | RuleError::Revoked { .. }
        | RuleError::Role { .. }
        | RuleError::AnotherHospital { .. }
        | RuleError::AnotherResearcher { .. } => StatusCode::FORBIDDEN,
        RuleError::Exists { .. }
        | RuleError::Epoch { .. }
        | RuleError::NotCurrent { .. }
        | RuleError::SecondAnswer { .. }
        | RuleError::Version { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let problem = Problem::new(status, rule.code(), told);
    match rule {
        RuleError::Exists { index, .. } | RuleError::SecondAnswer { index } => {
            problem.with("entry", format!("/v1/entries/{index}"))
        }
        RuleError::NotCurrent { current, .. } => problem.with("current_epoch", *current),
        _ => problem,
    }
}

fn unsupported(e: &DocumentError) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let (document, source) = match e {
        DocumentError::Refused { document, source } => (document, source),
        DocumentError::Mismatch { document, .. } | DocumentError::Blob { document, .. } => {
            return Problem::new(status, "document-mismatch", e.to_string())
                .with("document", *document);
        }
        _ => return Problem::new(status, "document-refused", e.to_string()),
    };
    let VerifyError::Proof { place, check, .. } = source else {
        return Problem::new(status, "document-refused", e.to_string()).with("document", *document);
    };
    Problem::new(status, "proof-refused", e.to_string())
        .with("document", *document)
        .with("proof", place.clone())
        .with("check", format!("{check:?}").to_lowercase())
}

/// What a problem's code means and what to do, for its page.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    let text = match code {
        "bad-request" => "the request cannot be read; the detail says where it goes wrong",
        "not-found" => "there is nothing under this path, or not yet",
        "method-not-allowed" => "the resource takes other methods",
        "unsupported-media-type" => "send application/json or multipart/form-data",
        "too-large" => {
            "an entry has at most 65,535 bytes, a JSON body 128 KiB, and a file as many as the operator allows \
             (64 MiB unless said otherwise)"
        }
        "headers-too-large" => "a request's line and headers have at most 64 KiB",
        "timeout" => "the request took too long; it can be repeated safely",
        "internal" => {
            "a fault of the service; its operator finds the cause in the log by the x-request-id"
        }
        "not-ready" => {
            "the service goes down, its database does not answer, or entries wait too long for a checkpoint"
        }
        "malformed-entry" => {
            "the envelope or its statement has another form than the ledger's specification says"
        }
        "unknown-key" => {
            "a key that signed is no member's; the stewards admit it by a statement of kind member"
        }
        "bad-signature" => "a signature does not hold over these bytes",
        "another-kind" => "the statement belongs into another collection",
        "missing-files" => "files that the statement names were not uploaded, or too long ago",
        "wrong-file" => {
            "a file has another SHA-256 than it was said to have, or the statement does not name it"
        }
        "document-mismatch" => {
            "the statement says one thing about a document, the document another"
        }
        "document-refused" => "a document does not hold; the detail says where",
        "proof-refused" => {
            "a proof does not hold: `proof` says which. Check `circuit`: the statement is false or was proven for \
             something else; `opening`: what was proven is not about the columns that are committed"
        }
        "first-consortium" => {
            "the operator starts the service with the consortium's first statement"
        }
        "busy" => "too much is waiting; repeat the request after the seconds in Retry-After",
        "quota" => {
            "as many statements of this key wait for verification as there are places left for all others; repeat the \
             request after the seconds in Retry-After, and send fewer at a time"
        }
        "shutting-down" => "the service is going down; nothing was recorded",
        "halted" => {
            "the log contradicts itself: it takes and signs nothing more until its operator has looked; what it \
             has recorded can be read"
        }
        "unavailable" => {
            "the service cannot get at its database or files, or has no room there; repeat the request after the seconds \
             in Retry-After"
        }
        Problem::DAMAGED => {
            "a part of the database's file cannot be read: nothing more is taken until its operator has restored the newest \
             backup; what can be read is served"
        }
        "unacknowledged" => {
            "it is not known whether the entry was recorded; submitting the same bytes again tells"
        }
        "no-consortium" => "the ledger has no stewards yet",
        "consortium-version" => "a consortium's versions go up by one",
        "another-log" => {
            "a consortium governs one log for good; its key stands in the first statement"
        }
        "consortium-stewards" => {
            "stewards are different keys, and the threshold is at most their number"
        }
        "not-a-steward" => "only stewards sign this kind of statement",
        "too-few-signatures" => "more stewards must sign",
        "one-signer" => "one member signs this kind of statement",
        "revoked-key" => "the key was revoked; sign with the member's current one",
        "wrong-role" => "hospitals register datasets and answers, researchers queries",
        "another-hospital" => "a hospital speaks for itself alone",
        "another-researcher" => "a researcher speaks for themselves alone",
        "not-announced" => {
            "no announcement of this researcher is of this salt and query: was it sent to another ledger, or never?"
        }
        "not-a-key" => "keys are ed25519 public keys of 32 bytes in hex",
        "already-registered" => "the ledger has it already; `entry` says where",
        "not-registered" => "something that the statement refers to is not on the ledger",
        "epoch-not-new" => "a dataset's epochs only grow",
        "epoch-not-current" => "the epoch was replaced; answer over `current_epoch`",
        "another-dataset" => "the manifest is of another hospital, dataset or epoch",
        "another-registry" => "the query and the dataset are of different registries",
        "second-answer" => {
            "there is one answer to a query over an epoch, and it stays; `entry` says where"
        }
        _ => return None,
    };
    Some(text)
}
