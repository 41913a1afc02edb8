//! SHA-256 over length-prefixed fields, and the separator of the query document.

use sha2::{Digest, Sha256};

/// Domain separators of this crate's documents; those of the verifier's are in `galen_verifier::hash`,
/// those of the proofs in `galen_circuits::hash`.
pub mod separator {
    /// A pre-registered query.
    pub const QUERY: &str = "galen/v1/query";
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
