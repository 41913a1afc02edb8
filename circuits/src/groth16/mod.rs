//! Groth16 (Groth, eprint 2016/260) over [`Matrices`](crate::r1cs::Matrices).
//!
//! Keys, equations and proofs are those of stock ark-groth16 under circom's reduction to a QAP;
//! what is ours is the order in which a proof's parts are computed, a satisfaction check before
//! every proof, strict decoding, and a verifier that counts its public inputs.

mod keys;
mod proof;
mod prover;
mod reduction;
mod snarkjs;
mod verifier;

pub use keys::{ProvingKey, VerifyingKey, generate, generate_verifying};
pub use proof::Proof;
pub use prover::prove;
pub use reduction::CircomReduction;
pub use snarkjs::publics_json;
pub use verifier::{Prepared, verify};

#[cfg(test)]
mod tests;
