//! Statements made from the documents that they are about, and entries made from statements.

use ed25519_dalek::SigningKey;
use galen_params::VerifyingSet;
use galen_query::{hash::Fields, question::Question, registry::Registry, text::hex};
use galen_verifier::{bundle::Bundle, manifest::Manifest};
use sha2::{Digest, Sha256};

use super::{
    AnnouncementStatement, AnswerStatement, Blob, DatasetStatement, DisclosureStatement,
    ParameterSetStatement, RefusalStatement, RegistryStatement, Statement,
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

/// The separator of [`commitment`].
const ANNOUNCEMENT: &str = "galen/v1/announcement";

/// A hiding and binding commitment to a query and to the researcher who announces it, hex: SHA-256 over length-prefixed
/// fields, a separator, the name, the salt and the query's digest, as they stand in statements. With the name in it, who
/// copies a commitment cannot disclose it as their own. `salt`: 32 bytes by chance, hex.
fn commitment(researcher: &str, salt: &str, query: &str) -> String {
    let fields = Fields::new(ANNOUNCEMENT).text(researcher);
    hex(&fields.text(salt).text(query).digest())
}

impl AnnouncementStatement {
    /// That a researcher will register a query, of which the announcement tells nothing; and what discloses it.
    #[must_use]
    pub fn of(
        question: &Question,
        researcher: &str,
        salt: &[u8; 32],
    ) -> (Self, DisclosureStatement) {
        let disclosure = DisclosureStatement {
            researcher: researcher.into(),
            query: hex(&question.digest()),
            salt: hex(salt),
        };
        let announcement = Self {
            researcher: researcher.into(),
            commitment: disclosure.commitment(),
        };
        (announcement, disclosure)
    }
}

impl DisclosureStatement {
    /// The commitment that was announced, hex.
    #[must_use]
    pub fn commitment(&self) -> String {
        commitment(&self.researcher, &self.salt, &self.query)
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
