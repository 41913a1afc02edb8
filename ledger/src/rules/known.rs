//! The facts that the rules keep: their names, and what stands under them.

use ed25519_dalek::VerifyingKey;
use galen_query::text::{from_hex, hex};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::RuleError;
use crate::{
    LedgerError,
    facts::Facts,
    statement::{Consortium, Role},
};

/// A fact's name: a JSON list of texts, so that no two lists share one.
pub fn name(parts: &[&str]) -> String {
    serde_json::to_string(parts).expect("texts are plain data")
}

/// A fact's value.
pub fn value(of: &impl Serialize) -> String {
    serde_json::to_string(of).expect("facts are plain data")
}

fn find<T: DeserializeOwned>(facts: &Facts, name: &str) -> Result<Option<(u64, T)>, LedgerError> {
    let Some(fact) = facts.get(name) else {
        return Ok(None);
    };
    let value = serde_json::from_str(&fact.value)
        .map_err(|e| LedgerError::damaged(format!("the fact {name}: {e}")))?;
    Ok(Some((fact.index, value)))
}

fn need<T: DeserializeOwned>(
    facts: &Facts,
    what: &'static str,
    digest: &str,
) -> Result<T, RuleError> {
    let unknown = || RuleError::Unknown {
        what,
        digest: digest.into(),
    };
    Ok(find(facts, &name(&[what, digest]))?.ok_or_else(unknown)?.1)
}

pub fn consortium(facts: &Facts) -> Result<Option<(u64, Consortium)>, LedgerError> {
    find(facts, &name(&["consortium"]))
}

/// A public key that can verify: a point on the curve, not of small order, in its one encoding, so that a key
/// has one id.
pub fn public_key(key: &str) -> Option<VerifyingKey> {
    let bytes = from_hex::<32>(key)?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    (!key.is_weak() && is_canonical(&bytes)).then_some(key)
}

/// Whether the y coordinate, little-endian under the sign bit, is below 2^255 - 19 (RFC 8032, 5.1.3).
fn is_canonical(key: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = key;
    high & 0x7f != 0x7f || *low < 0xed || middle.iter().any(|b| *b != 0xff)
}

/// The id of a key in hex. One that is no key has an id that no signature bears.
pub fn id_of(key: &str) -> String {
    let bytes = from_hex::<32>(key).unwrap_or_default();
    hex(&Sha256::digest(bytes))
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyFact {
    pub name: String,
    pub role: Role,
    pub key: String,
    pub revoked: bool,
}

impl KeyFact {
    pub fn find(facts: &Facts, id: &str) -> Result<Option<(u64, Self)>, LedgerError> {
        find(facts, &name(&["key", id]))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RegistryFact {
    pub registry: String,
}

impl RegistryFact {
    pub fn find(facts: &Facts, digest: &str) -> Result<Self, RuleError> {
        need(facts, "registry", digest)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ParameterSetFact {
    pub shape: String,
}

impl ParameterSetFact {
    pub fn find(facts: &Facts, id: &str) -> Result<Self, RuleError> {
        need(facts, "parameter-set", id)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DatasetFact {
    pub hospital: String,
    pub dataset: String,
    pub epoch: u32,
    pub registry: String,
    pub parameter_set: String,
}

impl DatasetFact {
    pub fn find(facts: &Facts, digest: &str) -> Result<Self, RuleError> {
        need(facts, "dataset", digest)
    }
}

/// The current epoch of a hospital's dataset.
#[derive(Debug, Serialize, Deserialize)]
pub struct EpochFact {
    pub epoch: u32,
    pub digest: String,
}

impl EpochFact {
    pub fn find(
        facts: &Facts,
        hospital: &str,
        dataset: &str,
    ) -> Result<Option<(u64, Self)>, LedgerError> {
        find(facts, &name(&["epoch", hospital, dataset]))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct QueryFact {
    pub registry: String,
    pub purpose: String,
}

impl QueryFact {
    pub fn find(facts: &Facts, digest: &str) -> Result<Self, RuleError> {
        need(facts, "query", digest)
    }
}
