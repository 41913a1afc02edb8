//! What entries state. The payload type of a statement's envelope is `application/vnd.galen.<kind>.v1+json`,
//! the payload its JSON. Digests and keys are lower-case hex.

mod make;

use galen_query::{
    question::Question,
    text::{from_hex, is_invisible, parse_exact},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{LedgerError, entry::Envelope, tiles::LogVerifier};

/// The most bytes of a name.
pub const MAX_NAME: usize = 256;

/// The most bytes of a reason.
pub const MAX_REASON: usize = 2_000;

/// The most bytes of a file beside the log.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most stewards of a consortium.
pub const MAX_STEWARDS: usize = 16;

/// A file beside the log, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its length, bytes.
    pub bytes: u64,
}

/// The stewards who admit members and publish registries and parameter sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consortium {
    /// The public key of the one log that they govern, `<origin>+<id>+<key>`: whoever keeps another log cannot begin
    /// it with their statement.
    pub log: String,
    /// 1 for the first, one more for each that replaces it.
    pub version: u32,
    /// The consortium's name.
    pub name: String,
    /// How many stewards must sign.
    pub threshold: u32,
    /// Their ed25519 public keys.
    pub stewards: Vec<String>,
}

impl Consortium {
    /// Whether they govern this log.
    ///
    /// # Errors
    /// Names both logs.
    pub fn check_log(&self, log: &LogVerifier) -> Result<(), LedgerError> {
        let expected = log.encoded();
        if self.log == expected {
            return Ok(());
        }
        Err(refused(format!(
            "the consortium's statement is for the log {}, and this is {expected}",
            self.log
        )))
    }
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Registers datasets, answers and refuses queries.
    Hospital,
    /// Announces and registers queries.
    Researcher,
}

impl Role {
    /// Its name in statements.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Researcher => "researcher",
        }
    }
}

/// A member is admitted, or has one more key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The member's name; a hospital's is the one in its manifests.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Its ed25519 public key.
    pub key: String,
}

/// A member's key is no longer valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The key.
    pub key: String,
    /// Why, for people.
    pub reason: String,
}

/// A study's registry is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryStatement {
    /// Its name and version, as `cardio v1`.
    pub registry: String,
    /// SHA-256 of its canonical form.
    pub digest: String,
    /// The TOML text.
    pub toml: Blob,
}

/// A parameter set is published; its id is the digest of its verifying part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterSetStatement {
    /// Its shape.
    pub shape: String,
    /// Whether one party made it, for development.
    pub insecure: bool,
    /// The verifying part.
    pub verifying: Blob,
}

/// An epoch of a dataset is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetStatement {
    /// The hospital's name.
    pub hospital: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its epoch.
    pub epoch: u32,
    /// The registry's digest.
    pub registry: String,
    /// The parameter set's id.
    pub parameter_set: String,
    /// The manifest's digest.
    pub digest: String,
    /// The manifest.
    pub manifest: Blob,
    /// The proofs that its columns are well-formed.
    pub registration: Blob,
}

/// A query is registered. It stands in the log in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryStatement {
    /// The query.
    pub query: Question,
}

/// A query is announced by a digest that tells nothing of it. Who announces a question before it is sent anywhere can
/// show, whoever registers it first, that it was theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementStatement {
    /// The researcher's name.
    pub researcher: String,
    /// A commitment to the query and to who announces it, SHA-256 in hex ([`DisclosureStatement::commitment`]).
    pub commitment: String,
}

/// What was announced: a registered query, by the member who signs this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureStatement {
    /// The researcher's name.
    pub researcher: String,
    /// The query's digest.
    pub query: String,
    /// The announcement's salt, 32 bytes.
    pub salt: String,
}

/// A hospital's answer to a query over one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerStatement {
    /// The query's digest.
    pub query: String,
    /// The hospital's name.
    pub hospital: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its epoch.
    pub epoch: u32,
    /// The manifest's digest.
    pub manifest: String,
    /// The bundle.
    pub bundle: Blob,
}

/// A hospital does not answer a query over an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalStatement {
    /// The query's digest.
    pub query: String,
    /// The hospital's name.
    pub hospital: String,
    /// The dataset's name.
    pub dataset: String,
    /// Its epoch.
    pub epoch: u32,
    /// The manifest's digest.
    pub manifest: String,
    /// Why, for people.
    pub reason: String,
}

/// A statement of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// The stewards.
    Consortium(Consortium),
    /// A member's key.
    Member(Member),
    /// A key's end.
    Revocation(Revocation),
    /// A registry.
    Registry(RegistryStatement),
    /// A parameter set.
    ParameterSet(ParameterSetStatement),
    /// A dataset epoch.
    Dataset(DatasetStatement),
    /// A query that is to come.
    Announcement(AnnouncementStatement),
    /// A query.
    Query(QueryStatement),
    /// Which query was announced.
    Disclosure(DisclosureStatement),
    /// An answer.
    Answer(AnswerStatement),
    /// A refusal.
    Refusal(RefusalStatement),
}

fn refused(why: impl Into<String>) -> LedgerError {
    LedgerError::Entry { why: why.into() }
}

impl Statement {
    /// The kind's name in payload types and lists.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Consortium(_) => "consortium",
            Self::Member(_) => "member",
            Self::Revocation(_) => "revocation",
            Self::Registry(_) => "registry",
            Self::ParameterSet(_) => "parameter-set",
            Self::Dataset(_) => "dataset",
            Self::Announcement(_) => "announcement",
            Self::Query(_) => "query",
            Self::Disclosure(_) => "disclosure",
            Self::Answer(_) => "answer",
            Self::Refusal(_) => "refusal",
        }
    }

    /// The payload type of a kind's envelopes.
    #[must_use]
    pub fn payload_type(&self) -> String {
        format!("application/vnd.galen.{}.v1+json", self.kind())
    }

    /// The statement as it is signed: compact JSON.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        match self {
            Self::Consortium(s) => serde_json::to_vec(s),
            Self::Member(s) => serde_json::to_vec(s),
            Self::Revocation(s) => serde_json::to_vec(s),
            Self::Registry(s) => serde_json::to_vec(s),
            Self::ParameterSet(s) => serde_json::to_vec(s),
            Self::Dataset(s) => serde_json::to_vec(s),
            Self::Announcement(s) => serde_json::to_vec(s),
            Self::Query(s) => serde_json::to_vec(s),
            Self::Disclosure(s) => serde_json::to_vec(s),
            Self::Answer(s) => serde_json::to_vec(s),
            Self::Refusal(s) => serde_json::to_vec(s),
        }
        .expect("statements are plain data")
    }

    /// Reads an envelope's statement and checks its form.
    ///
    /// # Errors
    /// An unknown payload type, JSON of another form, or a text, key or digest that is none.
    pub fn read(envelope: &Envelope) -> Result<Self, LedgerError> {
        let kind = envelope
            .payload_type()
            .strip_prefix("application/vnd.galen.")
            .and_then(|rest| rest.strip_suffix(".v1+json"));
        let payload = envelope.payload();
        let statement = match kind {
            Some("consortium") => Self::Consortium(parse(payload)?),
            Some("member") => Self::Member(parse(payload)?),
            Some("revocation") => Self::Revocation(parse(payload)?),
            Some("registry") => Self::Registry(parse(payload)?),
            Some("parameter-set") => Self::ParameterSet(parse(payload)?),
            Some("dataset") => Self::Dataset(parse(payload)?),
            Some("announcement") => Self::Announcement(parse(payload)?),
            Some("query") => Self::Query(parse(payload)?),
            Some("disclosure") => Self::Disclosure(parse(payload)?),
            Some("answer") => Self::Answer(parse(payload)?),
            Some("refusal") => Self::Refusal(parse(payload)?),
            _ => {
                return Err(refused(format!(
                    "{:?} is no payload type of this ledger; they are application/vnd.galen.<kind>.v1+json",
                    envelope.payload_type()
                )));
            }
        };
        statement.check_form()?;
        Ok(statement)
    }

    /// The files that it refers to, with what each is.
    #[must_use]
    pub fn blobs(&self) -> Vec<(&'static str, &Blob)> {
        match self {
            Self::Registry(s) => vec![("toml", &s.toml)],
            Self::ParameterSet(s) => vec![("verifying", &s.verifying)],
            Self::Dataset(s) => vec![("manifest", &s.manifest), ("registration", &s.registration)],
            Self::Answer(s) => vec![("bundle", &s.bundle)],
            Self::Consortium(_)
            | Self::Member(_)
            | Self::Revocation(_)
            | Self::Announcement(_)
            | Self::Query(_)
            | Self::Disclosure(_)
            | Self::Refusal(_) => Vec::new(),
        }
    }

    fn check_form(&self) -> Result<(), LedgerError> {
        for (what, blob) in self.blobs() {
            digest(what, &blob.sha256)?;
            if blob.bytes > MAX_FILE_BYTES {
                return Err(refused(format!(
                    "{what}: longer than {MAX_FILE_BYTES} bytes"
                )));
            }
        }
        match self {
            Self::Consortium(s) => {
                LogVerifier::parse(&s.log).map_err(|e| refused(format!("log: {e}")))?;
                check_name("name", &s.name)?;
                if !(1..=MAX_STEWARDS).contains(&s.stewards.len()) {
                    return Err(refused("a consortium has 1 to 16 stewards"));
                }
                s.stewards.iter().try_for_each(|k| digest("stewards", k))
            }
            Self::Member(s) => {
                check_name("name", &s.name)?;
                digest("key", &s.key)
            }
            Self::Revocation(s) => {
                text("reason", &s.reason, MAX_REASON)?;
                digest("key", &s.key)
            }
            Self::Registry(s) => {
                bounded_name("registry", &s.registry, MAX_NAME + 16)?;
                digest("digest", &s.digest)
            }
            Self::ParameterSet(s) => check_name("shape", &s.shape),
            Self::Dataset(s) => {
                check_name("hospital", &s.hospital)?;
                check_name("dataset", &s.dataset)?;
                digest("registry", &s.registry)?;
                digest("parameter_set", &s.parameter_set)?;
                digest("digest", &s.digest)
            }
            Self::Announcement(s) => {
                check_name("researcher", &s.researcher)?;
                digest("commitment", &s.commitment)
            }
            Self::Query(_) => Ok(()),
            Self::Disclosure(s) => {
                check_name("researcher", &s.researcher)?;
                digest("query", &s.query)?;
                digest("salt", &s.salt)
            }
            Self::Answer(s) => over(&s.query, &s.hospital, &s.dataset, &s.manifest),
            Self::Refusal(s) => {
                text("reason", &s.reason, MAX_REASON)?;
                over(&s.query, &s.hospital, &s.dataset, &s.manifest)
            }
        }
    }
}

fn over(query: &str, hospital: &str, dataset: &str, manifest: &str) -> Result<(), LedgerError> {
    digest("query", query)?;
    check_name("hospital", hospital)?;
    check_name("dataset", dataset)?;
    digest("manifest", manifest)
}

fn parse<T: DeserializeOwned + Serialize>(payload: &[u8]) -> Result<T, LedgerError> {
    parse_exact(payload).map_err(|e| refused(format!("payload: {e}")))
}

fn digest(what: &str, hex: &str) -> Result<(), LedgerError> {
    match from_hex::<32>(hex) {
        Some(_) => Ok(()),
        None => Err(refused(format!("{what}: not 64 lower-case hex digits"))),
    }
}

fn text(what: &str, text: &str, limit: usize) -> Result<(), LedgerError> {
    if text.is_empty() || text.len() > limit {
        return Err(refused(format!(
            "{what}: empty, or longer than {limit} bytes"
        )));
    }
    if text.trim() != text || text.chars().any(is_invisible) {
        return Err(refused(format!(
            "{what}: begins or ends with a space, or has characters that are not seen"
        )));
    }
    Ok(())
}

/// Whether `name` can be a member's, a dataset's, a consortium's: two names that look alike are to be one, as far as
/// Unicode's forms go. `what` names it in the error.
///
/// # Errors
/// Empty, longer than [`MAX_NAME`] bytes, with characters that are not seen or spaces that are easily overlooked, or not in
/// normalization form KC.
pub fn check_name(what: &str, name: &str) -> Result<(), LedgerError> {
    bounded_name(what, name, MAX_NAME)
}

fn bounded_name(what: &str, name: &str, limit: usize) -> Result<(), LedgerError> {
    text(what, name, limit)?;
    let plain: String = name.nfkc().collect();
    if plain != name {
        return Err(refused(format!(
            "{what}: write it in Unicode's normalization form KC: {plain}"
        )));
    }
    let space = |c: char| c.is_whitespace() && c != ' ';
    if name.chars().any(space) || name.contains("  ") || name.starts_with(is_combining_mark) {
        return Err(refused(format!(
            "{what}: words are one space apart, and it begins with no accent"
        )));
    }
    Ok(())
}
