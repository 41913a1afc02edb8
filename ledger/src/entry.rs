//! Entries: DSSE envelopes (github.com/secure-systems-lab/dsse), signed with Ed25519.
//!
//! ```json
//! {"payloadType":"application/vnd.galen.query.v1+json","payload":"e30=","signatures":[{"keyid":"<hex>","sig":"<base64>"}]}
//! ```
//! A profile of DSSE: base64 is the standard alphabet, padded; no member is left out or added; a key id is
//! the SHA-256 of the 32-byte public key in lower-case hex; 1 to 16 signatures by different keys, **all** of
//! which must verify: a signature that nobody can check has no place in the ledger.
//!
//! The leaf is the bytes as they were submitted; nothing is written anew. Two submissions are the same entry
//! if their bytes are the same: the dedup key is SHA-256 of those bytes, signatures included. Ed25519 is
//! deterministic, so an honest client's retry has the same bytes. Another spelling of the same statement (other
//! whitespace, one more signature) is another entry; [`Entry::statement`] tells that both say the same.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use galen_query::text::parse_exact;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    LedgerError,
    tiles::{Hash, MAX_ENTRY_BYTES},
};

/// The most signatures of an envelope.
pub const MAX_SIGNATURES: usize = 16;

/// The most bytes of a payload type.
pub const MAX_PAYLOAD_TYPE: usize = 256;

/// What is signed, DSSE's pre-authentication encoding: `DSSEv1`, the type and the payload, each behind its
/// length in bytes (decimal), joined by single spaces.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (l, n) = (payload_type.len(), payload.len());
    let mut out = format!("DSSEv1 {l} {payload_type} {n} ").into_bytes();
    out.extend_from_slice(payload);
    out
}

/// A key's id: SHA-256 of its 32 bytes, lower-case hex.
#[must_use]
pub fn key_id(key: &VerifyingKey) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// The keys whose signatures count.
#[derive(Debug, Clone, Default)]
pub struct KeySet(BTreeMap<String, VerifyingKey>);

impl KeySet {
    /// The key with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&VerifyingKey> {
        self.0.get(id)
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        Self(keys.into_iter().map(|k| (key_id(&k), k)).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: String,
    sig: String,
}

/// A well-formed envelope whose signatures have not been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Vec<u8>,
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<(String, Signature)>,
}

/// An envelope whose every signature is valid and by a known key: what the ledger takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry(Envelope);

fn refused(why: impl Into<String>) -> LedgerError {
    LedgerError::Entry { why: why.into() }
}

fn decode(what: &str, text: &str) -> Result<Vec<u8>, LedgerError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|e| refused(format!("{what} is not padded standard base64: {e}")))
}

impl Envelope {
    /// Reads an envelope of at most 65,535 bytes.
    ///
    /// # Errors
    /// [`LedgerError::EntryTooLarge`], or [`LedgerError::Entry`] with the member at fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(LedgerError::EntryTooLarge { bytes: bytes.len() });
        }
        let wire: Wire = parse_exact(bytes).map_err(refused)?;
        if !(1..=MAX_PAYLOAD_TYPE).contains(&wire.payload_type.len()) {
            return Err(refused("payloadType is of 1 to 256 bytes"));
        }
        if !(1..=MAX_SIGNATURES).contains(&wire.signatures.len()) {
            return Err(refused("an entry has 1 to 16 signatures"));
        }
        let mut keys = BTreeSet::new();
        let mut signatures = Vec::with_capacity(wire.signatures.len());
        for s in wire.signatures {
            let sig = Signature::from_slice(&decode("sig", &s.sig)?)
                .map_err(|_| refused("an Ed25519 signature is of 64 bytes"))?;
            if !keys.insert(s.keyid.clone()) {
                return Err(refused("a key has signed twice"));
            }
            signatures.push((s.keyid, sig));
        }
        Ok(Self {
            bytes: bytes.to_owned(),
            payload: decode("payload", &wire.payload)?,
            payload_type: wire.payload_type,
            signatures,
        })
    }

    /// Checks every signature (`verify_strict`: no small-order keys, one encoding of each signature).
    ///
    /// # Errors
    /// [`LedgerError::UnknownKey`] or [`LedgerError::Signature`], of the first that is not known or did not sign.
    pub fn verify(self, keys: &KeySet) -> Result<Entry, LedgerError> {
        let message = pae(&self.payload_type, &self.payload);
        for (id, signature) in &self.signatures {
            let key = || id.clone();
            let known = keys.get(id);
            known
                .ok_or_else(|| LedgerError::UnknownKey { key: key() })?
                .verify_strict(&message, signature)
                .map_err(|_| LedgerError::Signature { key: key() })?;
        }
        Ok(Entry(self))
    }

    /// The statement's media type.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The statement's bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes as submitted.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Ids of the keys that claim to have signed it; not verified.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|(id, _)| id.as_str())
    }
}

impl Entry {
    /// Reads an envelope and checks its signatures.
    ///
    /// # Errors
    /// As [`Envelope::parse`] and [`Envelope::verify`].
    pub fn read(bytes: &[u8], keys: &KeySet) -> Result<Self, LedgerError> {
        Envelope::parse(bytes)?.verify(keys)
    }

    /// A statement signed by these keys, in compact JSON.
    ///
    /// # Errors
    /// A statement too long, no key, or more than 16.
    pub fn sign(
        payload_type: &str,
        payload: &[u8],
        keys: &[&SigningKey],
    ) -> Result<Self, LedgerError> {
        let message = pae(payload_type, payload);
        let signature = |key: &&SigningKey| WireSignature {
            keyid: key_id(&key.verifying_key()),
            sig: BASE64_STANDARD.encode(key.sign(&message).to_bytes()),
        };
        let wire = Wire {
            payload_type: payload_type.to_owned(),
            payload: BASE64_STANDARD.encode(payload),
            signatures: keys.iter().map(signature).collect(),
        };
        let bytes = serde_json::to_vec(&wire).expect("an envelope is plain data");
        Envelope::parse(&bytes).map(Self)
    }

    /// The same statement with the signatures of another envelope too, which have not been checked.
    ///
    /// # Errors
    /// An envelope of another statement, a key that signed both, or more than 16 signatures.
    pub fn joined(&self, other: &Envelope) -> Result<Envelope, LedgerError> {
        let own = &self.0;
        if (&own.payload_type, &own.payload) != (&other.payload_type, &other.payload) {
            return Err(refused("the two envelopes state different things"));
        }
        let signatures = other.signatures.iter().chain(&own.signatures);
        let wire = Wire {
            payload_type: own.payload_type.clone(),
            payload: BASE64_STANDARD.encode(&own.payload),
            signatures: signatures
                .map(|(keyid, sig)| WireSignature {
                    keyid: keyid.clone(),
                    sig: BASE64_STANDARD.encode(sig.to_bytes()),
                })
                .collect(),
        };
        let bytes = serde_json::to_vec(&wire).expect("an envelope is plain data");
        Envelope::parse(&bytes)
    }

    /// The bytes as submitted: the leaf.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of the bytes: what a retry is known by.
    #[must_use]
    pub fn dedup(&self) -> Hash {
        Sha256::digest(&self.0.bytes).into()
    }

    /// SHA-256 of what is signed ([`pae`]): the same for every envelope of the same statement.
    #[must_use]
    pub fn statement(&self) -> Hash {
        Sha256::digest(pae(&self.0.payload_type, &self.0.payload)).into()
    }

    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.0
    }

    /// Ids of the keys that signed it; all of them verified.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.0.signatures.iter().map(|(id, _)| id.as_str())
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
