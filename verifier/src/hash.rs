//! SHA-256 over length-prefixed fields, and the separators of the documents hashed with it.

use sha2::{Digest, Sha256};

/// Domain separators of documents; those of the proofs are in `galen_circuits::hash`.
pub mod separator {
    /// A dataset manifest.
    pub const MANIFEST: &str = "galen/v1/manifest";
    /// A hospital's signature over a manifest digest.
    pub const MANIFEST_SIGNATURE: &str = "galen/v1/manifest-signature";
    /// A pre-registered query.
    pub const QUERY: &str = "galen/v1/query";
    /// A proof that one verifier has seen to hold.
    pub const PROVEN: &str = "galen/v1/proven";
    /// An answer's identity.
    pub const ANSWER: &str = "galen/v1/answer";
}

/// An injective hash: every field is preceded by its length in bytes (64-bit little-endian).
pub struct Fields(Sha256);

impl Fields {
    /// Starts under a separator.
    #[must_use]
    pub fn new(separator: &str) -> Self {
        Self(Sha256::new()).bytes(separator.as_bytes())
    }

    /// A byte string.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// A text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// A number, 8 bytes little-endian.
    #[must_use]
    pub fn number(self, n: u64) -> Self {
        self.bytes(&n.to_le_bytes())
    }

    /// The digest.
    #[must_use]
    pub fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
