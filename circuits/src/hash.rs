//! The one place that owns the proof core's domain separators, and its hashing.

use ark_ff::PrimeField;
use ark_serialize::CanonicalSerialize;
use sha2::{Digest, Sha512};

use crate::Fr;

/// Domain separators: every hash of the proof core starts with one of them.
pub mod separator {
    /// α₀: everything that is fixed before the first challenges.
    pub const ALPHA_0: &str = "galen/v2/alpha0";
    /// α₁: the same with the columns of reciprocals.
    pub const ALPHA_1: &str = "galen/v2/alpha1";
    /// The weights of what is said about hidden cells.
    pub const THETA: &str = "galen/v2/theta";
    /// The challenges of the opening.
    pub const OPENING: &str = "galen/v2/opening";
    /// The opening of one row of one column.
    pub const ROW: &str = "galen/v2/row";
    /// An equation: its tables, lookups, blocks and linear forms.
    pub const EQUATION: &str = "galen/v2/equation";
    /// The weights of batch verification.
    pub const BATCH: &str = "galen/v2/batch";
    /// The weight with which powers of tau are checked.
    pub const SRS: &str = "galen/v2/srs";
    /// A circuit's matrices.
    pub const CIRCUIT: &str = "galen/v2/circuit";
}

/// An injective hash input: every part is length-prefixed (64-bit little-endian, in bytes).
#[derive(Clone)]
pub struct Transcript(Sha512);

impl Transcript {
    /// Starts a hash under `separator`.
    #[must_use]
    pub fn new(separator: &str) -> Self {
        let mut t = Self(Sha512::new());
        t.bytes(separator.as_bytes());
        t
    }

    /// Absorbs a byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Absorbs an integer as 8 bytes little-endian.
    pub fn number(&mut self, n: u64) -> &mut Self {
        self.bytes(&n.to_le_bytes())
    }

    /// Absorbs the canonical compressed encoding of a point or field element.
    pub fn canonical(&mut self, element: &impl CanonicalSerialize) -> &mut Self {
        let mut bytes = Vec::with_capacity(64);
        element
            .serialize_compressed(&mut bytes)
            .expect("writing to a Vec cannot fail");
        self.bytes(&bytes)
    }

    /// 64 bytes of digest.
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        self.0.clone().finalize().into()
    }

    /// A field element, 512 bits reduced: the bias is below 2^-250.
    #[must_use]
    pub fn field(&self) -> Fr {
        Fr::from_le_bytes_mod_order(&self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted_between_fields() {
        let a = Transcript::new("t").bytes(b"ab").bytes(b"c").digest();
        let b = Transcript::new("t").bytes(b"a").bytes(b"bc").digest();
        assert_ne!(a, b);
    }
}
