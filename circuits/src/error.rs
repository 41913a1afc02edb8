/// Everything that can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// A vector does not have the length that is needed.
    #[error("{what}: expected {expected} entries, got {got}")]
    Length {
        /// What was measured.
        what: &'static str,
        /// The length that is right.
        expected: usize,
        /// The length that was given.
        got: usize,
    },
    /// Bytes that are not the canonical encoding of a valid value.
    #[error("{what}: {why}")]
    Encoding {
        /// Which element.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something larger than what there is room for.
    #[error("{what}: {needed} where at most {most} are possible")]
    Capacity {
        /// Of what there is too much.
        what: &'static str,
        /// How much is needed.
        needed: usize,
        /// How much there may be.
        most: usize,
    },
    /// A description that contradicts itself.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Challenges that meet what they must not; the prover starts again with another salt.
    #[error("degenerate challenges: {0}")]
    Degenerate(&'static str),
    /// The witness does not satisfy the statement; no proof is made of it.
    #[error("the witness does not satisfy the statement ({0})")]
    Unsatisfied(String),
    /// A proof that does not prove its statement.
    #[error("the proof is refused: {0}")]
    Proof(&'static str),
    /// arkworks refused to make keys or a proof.
    #[error("the proof system refused: {0}")]
    Synthesis(#[from] ark_relations::gr1cs::SynthesisError),
    /// A reference string that is not powers of one secret.
    #[error("the commitment string is not made of powers of one secret ({0})")]
    Srs(&'static str),
    /// An opening that does not prove what it should.
    #[error("the opening is refused: {0}")]
    Opening(&'static str),
}
