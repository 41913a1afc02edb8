use galen_circuits::{
    CircuitError,
    batch::{BatchError, Check},
};
use galen_params::ParamsError;
use galen_query::ReadError;

use crate::plan::PlanError;

/// Why an answer, or a document beside it, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A document's format line is another one.
    #[error(
        "{what}: not of format {expected}; it is another document, or was made by another version of galen"
    )]
    Format {
        /// Which document.
        what: &'static str,
        /// The format that is understood.
        expected: &'static str,
    },
    /// A document in an older format, which this version does not read.
    #[error("{what}: made by an older Galen, whose documents are no longer read; {cure}")]
    Old {
        /// Which document.
        what: &'static str,
        /// What to do.
        cure: &'static str,
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
    #[error(
        "{what}: made with parameter set {got}, but the one given is {expected}; sets of other shapes (16k, 32k, …) or other makers do not fit: give the one that the dataset was committed with, which its manifest names"
    )]
    ParameterSet {
        /// Which document.
        what: &'static str,
        /// The id at hand, hex.
        expected: String,
        /// The document's id, hex.
        got: String,
    },
    /// The parameter set is damaged.
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
    /// A registration with another number of parts than the registry's.
    #[error("registration: {got} proofs, but the registry's columns need {expected}")]
    Parts {
        /// The parts that the registry needs.
        expected: usize,
        /// The proofs there.
        got: usize,
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
    #[error("bundle: {name}: {why}")]
    CellRule {
        /// What it is called, with its group's keys.
        name: String,
        /// The group, from 0.
        group: usize,
        /// The statistic among the plan's, from 0.
        statistic: usize,
        /// Which rule.
        why: String,
    },
    /// The counts tell together what none of them may.
    #[error(
        "all counts of the answer together would tell how few patients there are {who}, and hiding more of them does not help; ask for {instead} (queries of their own can tell the same together)"
    )]
    Told {
        /// Which patients.
        who: String,
        /// What to ask for.
        instead: String,
    },
    /// A percentile is published against the release rule.
    #[error("bundle: {name}: {why}")]
    Percentile {
        /// What it is called, with its group's keys.
        name: String,
        /// Which, from 0.
        index: usize,
        /// Which rule.
        why: &'static str,
    },
    /// A point or proof is not canonical, valid and in its group.
    #[error("{place}: {why}")]
    Encoding {
        /// Where it stands.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A claim that does not fit its plan; no honest document makes one.
    #[error("malformed claim: {0}")]
    Malformed(String),
    /// A proof does not hold.
    #[error("{place}: {}", reason(what, *check))]
    Proof {
        /// Which document.
        what: &'static str,
        /// Which proof of it.
        place: String,
        /// The equation that does not hold.
        check: Check,
    },
    /// Of several answers these, by their places, cannot be.
    #[error("{why}")]
    OfAnswers {
        /// Which.
        places: Vec<usize>,
        /// Why.
        why: Box<VerifyError>,
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

impl VerifyError {
    /// Published numbers that no table has together.
    pub(crate) fn contradiction(which: &str) -> Self {
        Self::Malformed(format!("published numbers contradict one another: {which}"))
    }

    /// A proof that was not decoded.
    pub(crate) fn encoding(place: String, why: &CircuitError) -> Self {
        let why = why.to_string();
        Self::Encoding { place, why }
    }

    /// A proof of a document `what` that a batch refused; `place` names it.
    pub(crate) fn refused(
        error: BatchError,
        what: &'static str,
        place: impl Fn(usize) -> String,
    ) -> Self {
        match error {
            BatchError::Refused { index, check } => Self::Proof {
                what,
                place: place(index),
                check,
            },
            BatchError::Malformed { index, source } => Self::encoding(place(index), &source),
            other => Self::Malformed(other.to_string()),
        }
    }
}

fn reason(what: &str, check: Check) -> &'static str {
    match (what, check) {
        ("registration", Check::Circuit) => {
            "a column does not hold what the registry declares, or the proof was made for something else"
        }
        (_, Check::Circuit) => {
            "the answer is not what the query makes of the committed table, or the proof was made for something else"
        }
        (_, Check::Opening) => "what was proven is not about the columns that are committed",
    }
}
