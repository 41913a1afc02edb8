//! What documents hash: the separators of those that use [`galen_query::hash::Fields`], and what binds each proof to
//! whoever's it is (`docs/spec/transcript.md`).

use galen_query::hash::Fields;

use crate::{
    manifest::Dataset,
    plan::Quantile,
    rules::{Published, State},
};

/// Domain separators of documents; the query's is in `galen_query::hash`, those of the proof core in
/// `galen_circuits::hash`.
pub mod separator {
    /// A dataset manifest.
    pub const MANIFEST: &str = "galen/v3/manifest";
    /// A hospital's signature over a manifest digest.
    pub const MANIFEST_SIGNATURE: &str = "galen/v3/manifest-signature";
    /// An answer's identity.
    pub const ANSWER: &str = "galen/v2/answer";
    /// The context of an answer's proof.
    pub const ANSWER_CONTEXT: &str = "galen/v2/answer-context";
    /// The context of one part of a registration.
    pub const REGISTRATION_CONTEXT: &str = "galen/v2/registration-context";
}

/// Parameter set (and so every key), hospital, dataset and epoch.
fn of_dataset(separator: &str, dataset: &Dataset) -> Fields {
    Fields::new(separator)
        .bytes(&dataset.parameter_set)
        .bytes(&dataset.hospital_key)
        .bytes(&dataset.digest)
}

/// What binds one part of a registration: the dataset, whose manifest holds name, epoch, rows and all commitments,
/// and which part it is of how many.
#[must_use]
pub(crate) fn registration_context(dataset: &Dataset, part: usize, parts: usize) -> [u8; 32] {
    of_dataset(separator::REGISTRATION_CONTEXT, dataset)
        .number(part as u64)
        .number(parts as u64)
        .digest()
}

/// What binds an answer's proof: the dataset, whose manifest holds the release rule, the query, and everything that
/// is published: percentiles and the state of each number.
#[must_use]
pub(crate) fn answer_context(
    dataset: &Dataset,
    query: &[u8; 32],
    quantiles: &[Quantile],
    published: &Published,
) -> [u8; 32] {
    let mut fields = of_dataset(separator::ANSWER_CONTEXT, dataset)
        .bytes(query)
        .number(quantiles.len() as u64);
    for quantile in quantiles {
        fields = fields
            .number(u64::from(quantile.is_some()))
            .number(quantile.unwrap_or(0));
    }
    fields = fields.number(published.len() as u64);
    for group in published {
        fields = fields.number(group.len() as u64);
        for state in group {
            let (kind, line, number) = match state {
                State::Shown(n) => (0, 0, *n),
                State::Small => (1, 0, 0),
                State::Difference => (2, 0, 0),
                State::Margin(line) => (3, u64::from(*line), 0),
                State::Guarded => (4, 0, 0),
                State::Tied(region) => (5, u64::from(*region), 0),
                State::Whole(turn) => (6, u64::from(*turn), 0),
            };
            fields = fields
                .number(kind)
                .number(line)
                .bytes(&number.to_le_bytes());
        }
    }
    fields.digest()
}
