use galen_core::batch::Check;
use galen_params::ParamsError;
use galen_query::ReadError;

use crate::plan::PlanError;

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
    /// A document names another registry than the one at hand.
    #[error("{what}: made for another registry (its digest differs from the one given)")]
    Registry {
        /// Which document.
        what: &'static str,
    },
    /// A document was not read, or the query cannot be asked of the registry.
    #[error(transparent)]
    Read(#[from] ReadError),
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
    #[error("{place}: {}", reason(*check))]
    Proof {
        /// Which proof of which document.
        place: String,
        /// The equation that does not hold.
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
        Check::Circuit => {
            "the proof does not hold: it does not show that this is what the query makes of the committed table"
        }
        Check::Opening => "the proof is about other columns than those committed",
    }
}
