//! The refusals that the documentation names as limits: a query may be too large, and nothing else.

use galen_prover::ProverError;
use galen_verifier::{VerifyError, plan::PlanError};

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
