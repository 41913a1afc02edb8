use crate::LedgerError;

/// The rule that an entry breaks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The facts do not parse.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No consortium has been set up.
    #[error("this ledger has no consortium yet; its operator sets it up before anything else")]
    NoConsortium,
    /// A consortium's version is not the next.
    #[error("version {got} of the consortium, but the next one is {expected}")]
    Version {
        /// The next version.
        expected: u32,
        /// The statement's.
        got: u32,
    },
    /// A consortium of another log.
    #[error("the statement is for the log {got}, but this consortium governs {expected}")]
    AnotherLog {
        /// The log's public key in the statement before.
        expected: String,
        /// The statement's.
        got: String,
    },
    /// Stewards that make no consortium.
    #[error("stewards are different ed25519 keys, and the threshold is from 1 to their number")]
    Stewards,
    /// A signature that does not belong there.
    #[error("the key {key} is not a steward's; only stewards sign this kind of statement")]
    NotASteward {
        /// Its id.
        key: String,
    },
    /// Too few stewards signed.
    #[error("signed by {got} stewards, but {needed} must sign")]
    Threshold {
        /// How many must.
        needed: usize,
        /// How many did.
        got: usize,
    },
    /// More than one signature on a member's statement.
    #[error("this kind of statement is signed by one member")]
    OneSigner,
    /// The signer is no member.
    #[error("the key {key} is no member's; the stewards must admit it first")]
    UnknownKey {
        /// Its id.
        key: String,
    },
    /// The signer's key is no longer valid.
    #[error("the key {key} was revoked by entry {index}")]
    Revoked {
        /// Its id.
        key: String,
        /// The revocation.
        index: u64,
    },
    /// The signer may not do this.
    #[error("{name} is a {role}; this needs a {needed}")]
    Role {
        /// The signer.
        name: String,
        /// Its role.
        role: &'static str,
        /// The role that may.
        needed: &'static str,
    },
    /// The signer speaks for someone else.
    #[error("signed by {signer}, but it is about {hospital}")]
    AnotherHospital {
        /// The signer.
        signer: String,
        /// The hospital in the statement.
        hospital: String,
    },
    /// The signer speaks for another researcher.
    #[error("signed by {signer}, but it is {researcher}'s")]
    AnotherResearcher {
        /// The signer.
        signer: String,
        /// The researcher in the statement.
        researcher: String,
    },
    /// A key that is none.
    #[error("{key} is not an ed25519 public key in hex")]
    NotAKey {
        /// The text.
        key: String,
    },
    /// It is there already.
    #[error("{what} is on the ledger already, as entry {index}")]
    Exists {
        /// What is there.
        what: &'static str,
        /// Where.
        index: u64,
    },
    /// Something referred to is not on the ledger.
    #[error("there is no {what} {digest} on the ledger; register it first")]
    Unknown {
        /// What is missing.
        what: &'static str,
        /// Its digest, hex.
        digest: String,
    },
    /// An announcement to disclose that is not on the ledger.
    #[error(
        "{researcher} has announced nothing with this salt and query on this ledger; an announcement comes first"
    )]
    NotAnnounced {
        /// The researcher.
        researcher: String,
    },
    /// An epoch that is not after the current one.
    #[error("epoch {epoch} of {dataset}: the current one is {current}, and epochs only grow")]
    Epoch {
        /// The dataset.
        dataset: String,
        /// The statement's epoch.
        epoch: u32,
        /// The current one.
        current: u32,
    },
    /// The epoch has been replaced.
    #[error("epoch {epoch} of {dataset} is no longer current; answer over epoch {current}")]
    NotCurrent {
        /// The dataset.
        dataset: String,
        /// The statement's epoch.
        epoch: u32,
        /// The current one.
        current: u32,
    },
    /// The dataset named is not the one of the manifest.
    #[error(
        "the manifest {manifest} is of another hospital, dataset or epoch than the statement says"
    )]
    AnotherDataset {
        /// The manifest's digest, hex.
        manifest: String,
    },
    /// Query and dataset do not belong together.
    #[error("the query and the dataset are of different registries")]
    AnotherRegistry,
    /// The query has its answer.
    #[error(
        "this query was answered over this epoch by entry {index}; there is one answer, and it stays"
    )]
    SecondAnswer {
        /// The answer.
        index: u64,
    },
}

impl RuleError {
    /// A short name that stays the same from version to version.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ledger(_) => "damaged-ledger",
            Self::NoConsortium => "no-consortium",
            Self::Version { .. } => "consortium-version",
            Self::AnotherLog { .. } => "another-log",
            Self::Stewards => "consortium-stewards",
            Self::NotASteward { .. } => "not-a-steward",
            Self::Threshold { .. } => "too-few-signatures",
            Self::OneSigner => "one-signer",
            Self::UnknownKey { .. } => "unknown-key",
            Self::Revoked { .. } => "revoked-key",
            Self::Role { .. } => "wrong-role",
            Self::AnotherHospital { .. } => "another-hospital",
            Self::AnotherResearcher { .. } => "another-researcher",
            Self::NotAnnounced { .. } => "not-announced",
            Self::NotAKey { .. } => "not-a-key",
            Self::Exists { .. } => "already-registered",
            Self::Unknown { .. } => "not-registered",
            Self::Epoch { .. } => "epoch-not-new",
            Self::NotCurrent { .. } => "epoch-not-current",
            Self::AnotherDataset { .. } => "another-dataset",
            Self::AnotherRegistry => "another-registry",
            Self::SecondAnswer { .. } => "second-answer",
        }
    }
}
