//! The one place that owns domain separators, and the hashing of statements.

use ark_ff::PrimeField;
use ark_serialize::CanonicalSerialize;
use sha2::{Digest, Sha512};

use crate::{Fr, G1};

/// Domain separators: every hash of the protocol starts with one of them.
pub mod separator {
    /// The context that binds a proof to its owner.
    pub const CTX: &str = "galen/v1/ctx";
    /// The lookup challenge of `recode`.
    pub const RECODE: &str = "galen/v1/recode";
    /// A set S of stored values.
    pub const SET: &str = "galen/v1/set";
    /// The weights of batch verification.
    pub const BATCH: &str = "galen/v1/batch";
    /// One weight of batch verification.
    pub const WEIGHT: &str = "galen/v1/batch/weight";
    /// A circuit's matrices.
    pub const CIRCUIT: &str = "galen/v1/circuit";
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

/// ctx = H(separator, parameter-set id, hospital key, manifest digest) (`docs/spec/committed-groth16.md`).
#[must_use]
pub fn context(parameter_set: &[u8; 32], hospital_key: &[u8; 32], manifest: &[u8; 32]) -> Fr {
    Transcript::new(separator::CTX)
        .bytes(parameter_set)
        .bytes(hospital_key)
        .bytes(manifest)
        .field()
}

/// The digest of a set S, given as ascending, disjoint, non-adjacent closed intervals.
#[must_use]
pub fn set_digest(set: &[(u64, u64)]) -> [u8; 64] {
    let mut t = Transcript::new(separator::SET);
    t.number(set.len() as u64);
    for (first, last) in set {
        t.number(*first).number(*last);
    }
    t.digest()
}

/// What the lookup challenge of one `recode` proof is made of, but for D.
#[derive(Debug, Clone, Copy)]
pub struct ChallengeInput<'a> {
    /// Parameter-set id.
    pub parameter_set: &'a [u8; 32],
    /// Gate name, e.g. `recode10`.
    pub gate: &'a str,
    /// The dataset's context.
    pub ctx: Fr,
    /// Chunk index.
    pub chunk: u64,
    /// S as canonical intervals.
    pub set: &'a [(u64, u64)],
    /// Commitment to the looked-up column.
    pub x: G1,
    /// Commitment to the result bits.
    pub z: G1,
}

impl ChallengeInput<'_> {
    /// X: drawn after D, so that the multiplicities in D are fixed before it.
    #[must_use]
    pub fn challenge(&self, d: &G1) -> Fr {
        Transcript::new(separator::RECODE)
            .bytes(self.parameter_set)
            .bytes(self.gate.as_bytes())
            .canonical(&self.ctx)
            .number(self.chunk)
            .bytes(&set_digest(self.set))
            .canonical(&self.x)
            .canonical(&self.z)
            .canonical(d)
            .field()
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

    #[test]
    fn every_part_of_ctx_matters() {
        let base = context(&[1; 32], &[2; 32], &[3; 32]);
        assert_ne!(base, context(&[9; 32], &[2; 32], &[3; 32]));
        assert_ne!(base, context(&[1; 32], &[9; 32], &[3; 32]));
        assert_ne!(base, context(&[1; 32], &[2; 32], &[9; 32]));
    }
}
