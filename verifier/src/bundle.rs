//! The answer bundle: an answer's proofs with all the evidence they rest on. Format:
//! `docs/spec/bundle.md`.

use galen_circuits::{
    G1, encoding,
    prove::{PROOF_BYTES, Proof},
};
use galen_query::{
    bounded::list,
    text::{base64, from_base64, parse_json},
};
use serde::{Deserialize, Serialize};

use crate::{VerifyError, rules::State};

pub(crate) const FORMAT: &str = "galen/bundle/v1";

/// A bundle larger than this is refused unread.
pub const MAX_BUNDLE_BYTES: usize = 256 << 20;

/// Items of a list that take many times their length in the file, at most: far more than any plan has.
const MANY: usize = 1 << 16;

/// The warning in every bundle and registration made with a development set.
pub const INSECURE: &str =
    "INSECURE: made with development parameters, whose maker could forge any answer";

/// An answer's proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    pub(crate) format: String,
    /// Present exactly when the parameter set is a development set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    /// Parameter-set id, hex.
    pub parameter_set: String,
    /// Manifest digest, hex.
    pub manifest: String,
    /// Query digest, hex.
    pub query: String,
    /// The published percentiles as stored values, group by group; null where hidden.
    #[serde(
        default,
        deserialize_with = "list::<_, _, MANY>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub quantiles: Vec<Option<u64>>,
    /// What is published and its proofs, one for each release of the plan.
    pub releases: Vec<ReleaseProof>,
    /// Proofs of what is compared, in order: percentiles, then hidden cells. 192 bytes each, base64url.
    #[serde(
        default,
        deserialize_with = "list::<_, _, MANY>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub comparisons: Vec<String>,
    /// The evidence: one for each step of the plan, in order.
    pub steps: Vec<StepProof>,
}

/// Published cells and their proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseProof {
    /// How each used limb is published, in order: a number, or why it is hidden.
    #[serde(deserialize_with = "list::<_, _, MANY>")]
    pub cells: Vec<State>,
    /// 192 bytes, base64url.
    pub proof: String,
}

/// The proofs of one step, one a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepProof {
    /// The step's canonical key.
    pub key: String,
    /// One a chunk, in order.
    pub chunks: Vec<ChunkProof>,
}

/// One proof, with the commitment to the step's new column where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkProof {
    /// 32 bytes, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// 192 bytes, base64url.
    pub proof: String,
}

impl Bundle {
    /// An empty bundle for the given identities (hex).
    #[must_use]
    pub fn new(parameter_set: String, insecure: bool, manifest: String, query: String) -> Self {
        Self {
            format: FORMAT.into(),
            warning: insecure.then(|| INSECURE.into()),
            parameter_set,
            manifest,
            query,
            quantiles: Vec::new(),
            releases: Vec::new(),
            comparisons: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Parses a bundle.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        Ok(parse_json(bytes, "bundle", MAX_BUNDLE_BYTES)?)
    }
}

impl ChunkProof {
    /// Encodes a proof.
    #[must_use]
    pub fn new(commitment: Option<G1>, proof: &Proof) -> Self {
        Self {
            commitment: commitment.map(|c| base64(&encoding::g1_bytes(&c))),
            proof: base64(&proof.to_bytes()),
        }
    }
}

/// The bytes of a proof at a named place.
pub(crate) fn proof_bytes(
    text: &str,
    place: &str,
    chunk: usize,
) -> Result<[u8; PROOF_BYTES], VerifyError> {
    from_base64(text, PROOF_BYTES)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| VerifyError::Encoding {
            place: place.into(),
            chunk,
            why: "proof is not base64url of 192 bytes".into(),
        })
}

/// Decodes a received commitment at a named place.
pub(crate) fn decode_commitment(text: &str, place: &str, chunk: usize) -> Result<G1, VerifyError> {
    let refuse = |why: String| VerifyError::Encoding {
        place: place.into(),
        chunk,
        why,
    };
    let bytes = from_base64(text, encoding::G1_BYTES)
        .ok_or_else(|| refuse("commitment is not base64url of 32 bytes".into()))?;
    encoding::g1(&bytes, "commitment").map_err(|e| refuse(e.to_string()))
}
