//! The answer bundle: what is published of an answer, and its proof. Format: `docs/spec/bundle.md`.

use galen_params::VerifyingSet;
use galen_query::{
    bounded::list,
    question::Question,
    text::{base64, from_base64, hex},
};
use serde::{Deserialize, Serialize};

pub use crate::document::INSECURE;
use crate::{
    VerifyError,
    document::Kind,
    hash::answer_context,
    manifest::Dataset,
    plan::{Plan, Quantile},
    rules::Published,
};

/// A bundle larger than this is refused unread: 4,096 numbers and a proof over 16 million patients are far smaller.
pub const MAX_BUNDLE_BYTES: usize = 4 << 20;

pub(crate) const KIND: Kind = Kind {
    what: "bundle",
    format: "galen/bundle/v2",
    old: (
        &["galen/bundle/v1"],
        "answer the query again, over an epoch that this version has committed",
    ),
    limit: MAX_BUNDLE_BYTES,
};

/// Items of a list, at most: as many as an answer has numbers.
const MANY: usize = 1 << 13;

/// An answer with its proof.
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
    pub quantiles: Vec<Quantile>,
    /// Group by group how each number is published, in the plan's order.
    #[serde(deserialize_with = "list::<_, _, MANY>")]
    pub cells: Published,
    /// The proof, base64url.
    pub proof: String,
}

impl Bundle {
    /// What is published of the answer to `question` over `dataset`, without its proof.
    #[must_use]
    pub fn new(
        keys: &VerifyingSet,
        dataset: &Dataset,
        question: &Question,
        plan: &Plan,
        cells: Published,
    ) -> Self {
        Self {
            format: KIND.format.into(),
            warning: keys.is_insecure().then(|| INSECURE.into()),
            parameter_set: hex(keys.id()),
            manifest: hex(&dataset.digest),
            query: hex(&question.digest()),
            quantiles: plan.quantiles.clone(),
            cells,
            proof: String::new(),
        }
    }

    /// The same with its proof.
    #[must_use]
    pub fn with_proof(self, proof: &[u8]) -> Self {
        Self {
            proof: base64(proof),
            ..self
        }
    }

    /// What the proof is bound to.
    #[must_use]
    pub fn context(&self, dataset: &Dataset, question: &Question) -> [u8; 32] {
        answer_context(dataset, &question.digest(), &self.quantiles, &self.cells)
    }

    /// The length of the proof, in bytes.
    #[must_use]
    pub fn proof_bytes(&self) -> usize {
        self.proof.len() * 3 / 4
    }

    /// Parses a bundle.
    ///
    /// # Errors
    /// Too large, or not JSON of this form (with line and column).
    pub fn from_json(bytes: &[u8]) -> Result<Self, VerifyError> {
        KIND.read(bytes)
    }
}

/// The bytes of a proof that someone else sent.
pub(crate) fn decode_proof(text: &str, place: &str) -> Result<Vec<u8>, VerifyError> {
    from_base64(text, MAX_BUNDLE_BYTES).ok_or_else(|| VerifyError::Encoding {
        place: place.into(),
        why: "the proof is not base64url".into(),
    })
}
