//! Which statistics a researcher registers with a query (`docs/spec/analyses.md`): a line of text, checked
//! against the query whose outputs it names. How they are computed is the verifier's.

mod inputs;
mod read;
mod selection;
mod spec;
mod words;

pub use read::{AnalysisError, MAX_ANALYSES};
pub use spec::{
    Analysis, Contingency, Means, Outcome, Rates, Shares, Standardised, Survival, TwoByTwo, Welch,
};
