//! The refusals that the documentation names as limits: a query may be too large, and nothing else.

use galen_prover::ProverError;
use galen_query::question::Question;
use galen_tests::{Hospital, PURPOSE};
use galen_verifier::{VerifyError, plan::PlanError};

use crate::query::Query;

/// Which limit a refusal names; `None` for one that no query of these should meet.
pub fn limit(error: &ProverError) -> Option<&'static str> {
    let ProverError::Verify(VerifyError::Plan(error)) = error else {
        return None;
    };
    match error {
        PlanError::TooLarge { what, .. } => Some(what),
        PlanError::TooManyHidden { .. } => Some("statements about hidden counts"),
        PlanError::TooManyCells { .. } => Some("numbers"),
        _ => None,
    }
}

/// Whether a random condition happens to look at the column of time, or at the one that tells the groups apart, so that the
/// analysis makes no sense.
pub fn of_inputs(hospital: &Hospital, query: &Query) -> bool {
    let registry = hospital.dataset.registry();
    let question = Question::with_analyses(registry, PURPOSE, &query.sql(), None, query.analyses());
    let message = question.err().map(|e| e.to_string()).unwrap_or_default();
    ["is decided by", "chooses patients by"]
        .iter()
        .any(|why| message.contains(why))
}
