//! Statements made from the documents that they are about, and entries made from statements.

use ed25519_dalek::SigningKey;
use galen_params::VerifyingSet;
use galen_query::{question::Question, registry::Registry, text::hex};
use galen_verifier::{bundle::Bundle, manifest::Manifest};
use sha2::{Digest, Sha256};

use super::{
    AnswerStatement, Blob, DatasetStatement, ParameterSetStatement, RefusalStatement,
    RegistryStatement, Statement,
};
use crate::{LedgerError, entry::Entry};

impl Blob {
    /// The name and length of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: hex(&Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        }
    }
}

impl RegistryStatement {
    /// About a registry, `toml` being its text.
    #[must_use]
    pub fn of(registry: &Registry, toml: &[u8]) -> Self {
        Self {
            registry: registry.label(),
            digest: hex(&registry.digest),
            toml: Blob::of(toml),
        }
    }
}

impl ParameterSetStatement {
    /// About a parameter set, `verifying` being its verifying part.
    #[must_use]
    pub fn of(keys: &VerifyingSet, verifying: &[u8]) -> Self {
        Self {
            shape: keys.shape().name().into(),
            insecure: keys.is_insecure(),
            verifying: Blob::of(verifying),
        }
    }
}

impl DatasetStatement {
    /// About a manifest, with the bytes of its file and of its registration's.
    #[must_use]
    pub fn of(manifest: &Manifest, manifest_bytes: &[u8], registration: &[u8]) -> Self {
        Self {
            hospital: manifest.hospital.clone(),
            dataset: manifest.dataset.clone(),
            epoch: manifest.epoch,
            registry: manifest.registry_digest.clone(),
            parameter_set: manifest.parameter_set.clone(),
            digest: hex(&manifest.digest()),
            manifest: Blob::of(manifest_bytes),
            registration: Blob::of(registration),
        }
    }
}

impl AnswerStatement {
    /// About the answer of a bundle, with the bytes of its file, over the dataset of a manifest.
    #[must_use]
    pub fn of(bundle: &Bundle, bundle_bytes: &[u8], manifest: &Manifest) -> Self {
        Self {
            query: bundle.query.clone(),
            hospital: manifest.hospital.clone(),
            dataset: manifest.dataset.clone(),
            epoch: manifest.epoch,
            manifest: hex(&manifest.digest()),
            bundle: Blob::of(bundle_bytes),
        }
    }
}

impl RefusalStatement {
    /// That a query is not answered over the dataset of a manifest.
    #[must_use]
    pub fn of(question: &Question, manifest: &Manifest, reason: &str) -> Self {
        Self {
            query: hex(&question.digest()),
            hospital: manifest.hospital.clone(),
            dataset: manifest.dataset.clone(),
            epoch: manifest.epoch,
            manifest: hex(&manifest.digest()),
            reason: reason.into(),
        }
    }
}

impl Entry {
    /// A statement signed by these keys.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn state(statement: &Statement, keys: &[&SigningKey]) -> Result<Self, LedgerError> {
        Self::sign(&statement.payload_type(), &statement.payload(), keys)
    }
}
