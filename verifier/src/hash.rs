//! The separators of the documents that are hashed with [`galen_query::hash::Fields`].

/// Domain separators of documents; the query's is in `galen_query::hash`, those of the proofs are in
/// `galen_circuits::hash`.
pub mod separator {
    /// A dataset manifest.
    pub const MANIFEST: &str = "galen/v1/manifest";
    /// A hospital's signature over a manifest digest.
    pub const MANIFEST_SIGNATURE: &str = "galen/v1/manifest-signature";
    /// A proof that one verifier has seen to hold.
    pub const PROVEN: &str = "galen/v1/proven";
    /// An answer's identity.
    pub const ANSWER: &str = "galen/v1/answer";
}
