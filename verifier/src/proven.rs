//! What a verifier has checked already.

use std::collections::HashSet;

/// Proofs that held, each named by everything that its equations depend on: parameter set, gate, public
/// inputs, column commitments and the proof itself. It lives in memory and belongs to one verifier:
/// nobody can trust another's.
#[derive(Clone, Default)]
pub struct Proven(HashSet<[u8; 64]>);

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proven({} proofs)", self.0.len())
    }
}

impl Proven {
    /// How many proofs it knows; each takes 64 bytes and some.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets everything, for callers that bound their memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn contains(&self, digest: &[u8; 64]) -> bool {
        self.0.contains(digest)
    }

    pub(crate) fn extend(&mut self, digests: impl Iterator<Item = [u8; 64]>) {
        self.0.extend(digests);
    }
}
