use ark_relations::gr1cs::SynthesisError;

use crate::gates::Gate;

/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A vector does not have the length that the shape or the gate fixes.
    #[error("{what}: expected {expected} entries, got {got}")]
    Length {
        /// What was measured.
        what: &'static str,
        /// The length that is right.
        expected: usize,
        /// The length that was given.
        got: usize,
    },
    /// The witness does not satisfy the gate's constraints; no proof is made of it.
    #[error("{gate}: the witness does not satisfy the statement ({detail})")]
    Unsatisfied {
        /// The gate.
        gate: Gate,
        /// Which relation failed first.
        detail: String,
    },
    /// arkworks refused to synthesize or prove.
    #[error("{gate}: {source}")]
    Synthesis {
        /// The gate.
        gate: Gate,
        /// arkworks' reason.
        source: SynthesisError,
    },
    /// A key of one gate or shape was used for another.
    #[error(
        "key of {got} over {got_rows} rows used where {expected} over {expected_rows} rows is needed"
    )]
    WrongKey {
        /// The gate that was needed.
        expected: Gate,
        /// Its rows.
        expected_rows: usize,
        /// The key's gate.
        got: Gate,
        /// The key's rows.
        got_rows: usize,
    },
    /// The setup produced a degenerate element; run it again.
    #[error("{gate}: the setup drew a degenerate value; run it again")]
    DegenerateSetup {
        /// The gate.
        gate: Gate,
    },
    /// Bytes that are not the canonical encoding of a valid point.
    #[error("{what}: {why}")]
    Encoding {
        /// Which element.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}
