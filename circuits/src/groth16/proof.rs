//! A proof and its 128 bytes.

use crate::encoding::{self, G1_BYTES, G2_BYTES};
use crate::{CircuitError, G1, G2};

/// A Groth16 proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// A in G1.
    pub a: G1,
    /// B in G2.
    pub b: G2,
    /// C in G1.
    pub c: G1,
}

impl Proof {
    /// Bytes of an encoded proof: A, B, C, compressed.
    pub const BYTES: usize = 2 * G1_BYTES + G2_BYTES;

    /// The canonical encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..G1_BYTES].copy_from_slice(&encoding::g1_bytes(&self.a));
        bytes[G1_BYTES..G1_BYTES + G2_BYTES].copy_from_slice(&encoding::g2_bytes(&self.b));
        bytes[G1_BYTES + G2_BYTES..].copy_from_slice(&encoding::g1_bytes(&self.c));
        bytes
    }

    /// Decodes a proof that someone else sent.
    ///
    /// # Errors
    /// [`CircuitError::Encoding`] unless the bytes are exactly the canonical encoding of three
    /// points of the curve and subgroup, none of them the identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CircuitError> {
        if bytes.len() != Self::BYTES {
            return Err(CircuitError::Encoding {
                what: "proof",
                why: "wrong length",
            });
        }
        let (a, rest) = bytes.split_at(G1_BYTES);
        let (b, c) = rest.split_at(G2_BYTES);
        Ok(Self {
            a: encoding::g1(a, "A of a proof")?,
            b: encoding::g2(b, "B of a proof")?,
            c: encoding::g1(c, "C of a proof")?,
        })
    }
}
