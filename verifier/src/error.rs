use galen_circuits::{batch::Check, gates::Gate};
use galen_params::ParamsError;

use crate::{analysis::AnalysisError, plan::PlanError, query::QueryError};

/// Why an answer, or a document beside it, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A document's format line is another one.
    #[error("{what}: not of format {expected}; it was made by another version of galen")]
    Format {
        /// Which document.
        what: &'static str,
        /// The format that is understood.
        expected: &'static str,
    },
    /// A document is not JSON of its form.
    #[error("{what}: {why}")]
    Json {
        /// Which document.
        what: &'static str,
        /// serde's reason with line and column.
        why: String,
    },
    /// A document is larger than any honest one.
    #[error("{what}: {bytes} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Which document.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A document names another registry than the one at hand.
    #[error("{what}: made for another registry (its digest differs from the one given)")]
    Registry {
        /// Which document.
        what: &'static str,
    },
    /// The query's purpose is not in the registry.
    #[error("purpose {purpose} is not in the registry; it lists {}", known.join(", "))]
    Purpose {
        /// The purpose asked for.
        purpose: String,
        /// The registry's purposes.
        known: Vec<String>,
    },
    /// The query cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The query has no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The manifest is malformed.
    #[error("manifest: {0}")]
    Manifest(String),
    /// The manifest's signature does not verify under the hospital's key.
    #[error(
        "manifest: the hospital's signature does not verify; the manifest was changed or signed by someone else"
    )]
    ManifestSignature,
    /// The parameter set at hand is not the one that a document was made with.
    #[error("{what}: made with parameter set {got}, but the one given is {expected}")]
    ParameterSet {
        /// Which document.
        what: &'static str,
        /// The id at hand, hex.
        expected: String,
        /// The document's id, hex.
        got: String,
    },
    /// The parameter set lacks a gate, or its files are damaged.
    #[error(transparent)]
    Parameters(#[from] ParamsError),
    /// A document is about another dataset or epoch.
    #[error(
        "{what}: made over another dataset or epoch (manifest {got}, but the one given is {expected})"
    )]
    AnotherDataset {
        /// Which document.
        what: &'static str,
        /// Digest of the manifest at hand, hex.
        expected: String,
        /// The document's, hex.
        got: String,
    },
    /// The bundle answers another query.
    #[error("bundle: answers another query ({got}, but the one given is {expected})")]
    AnotherQuery {
        /// Digest of the query at hand, hex.
        expected: String,
        /// The bundle's, hex.
        got: String,
    },
    /// The warning about development parameters is missing or out of place.
    #[error("{what}: its warning about development parameters does not match the parameter set")]
    Warning {
        /// Which document.
        what: &'static str,
    },
    /// A proof that the plan needs is not there.
    #[error("{what}: the proof of `{key}` is missing (step {index})")]
    MissingStep {
        /// Which document.
        what: &'static str,
        /// The step's key.
        key: String,
        /// Its place.
        index: usize,
    },
    /// A proof stands where the plan has none or another one.
    #[error("{what}: step {index} is `{got}`, but the plan needs {expected}")]
    UnexpectedStep {
        /// Which document.
        what: &'static str,
        /// Its place.
        index: usize,
        /// The key that stands there.
        got: String,
        /// The key that belongs there, or "no more steps".
        expected: String,
    },
    /// A step has too few or too many chunks.
    #[error("{what}: `{key}` has proofs of {got} chunks, but the dataset has {expected}")]
    Chunks {
        /// Which document.
        what: &'static str,
        /// The step's key.
        key: String,
        /// The dataset's chunks.
        expected: usize,
        /// The chunks there.
        got: usize,
    },
    /// A commitment is missing where a step makes a column, or present where it makes none.
    #[error("{what}: `{key}`, chunk {chunk}: {why}")]
    Commitment {
        /// Which document.
        what: &'static str,
        /// The step's key.
        key: String,
        /// The chunk, from 0.
        chunk: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// Another number of groups or states than the plan has.
    #[error("bundle: {what}: expected {expected}, got {got}")]
    Cells {
        /// What was counted.
        what: String,
        /// The plan's number.
        expected: usize,
        /// The bundle's.
        got: usize,
    },
    /// A cell is hidden or shown against the release rule.
    #[error("bundle: group {group}, statistic {statistic}: {why}")]
    CellRule {
        /// The group, from 0.
        group: usize,
        /// The statistic among the plan's, from 0.
        statistic: usize,
        /// Which rule.
        why: String,
    },
    /// An analysis that does not fit its query.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// A percentile is published against the release rule.
    #[error("bundle: percentile {index}: {why}")]
    Percentile {
        /// Which, from 0.
        index: usize,
        /// Which rule.
        why: &'static str,
    },
    /// A point or proof is not canonical, valid and in its group.
    #[error("{place}, chunk {chunk}: {why}")]
    Encoding {
        /// Where it stands.
        place: String,
        /// The chunk, from 0.
        chunk: usize,
        /// What is wrong.
        why: String,
    },
    /// A claim that does not fit its gate; a plan never makes one.
    #[error("malformed claim: {0}")]
    Malformed(String),
    /// A proof does not hold.
    #[error("`{key}`{}: the {gate} proof does not hold: {}", place(*chunk), reason(*check))]
    Proof {
        /// The step's key, or `release i`.
        key: String,
        /// The gate.
        gate: Gate,
        /// The chunk, from 0; `None` for a release.
        chunk: Option<usize>,
        /// Which equation failed.
        check: Check,
    },
    /// The same query was answered over the same epoch before.
    #[error("a second answer to query {query} over epoch {epoch} of {dataset}: {}", if *same { "its values are those of the first one" } else { "its values differ from the first one" })]
    SecondAnswer {
        /// Query digest, hex.
        query: String,
        /// Dataset name.
        dataset: String,
        /// Epoch.
        epoch: u32,
        /// Whether the published values are the same.
        same: bool,
    },
}

fn place(chunk: Option<usize>) -> String {
    chunk.map_or(String::new(), |c| format!(", chunk {c}"))
}

fn reason(check: Check) -> &'static str {
    match check {
        Check::Groth16 => {
            "the statement is false, or was proven for another hospital, dataset, query or parameter set"
        }
        Check::Link => "the proof is about other columns than those committed",
    }
}
