//! Galen's proof core over BN254: what a hospital proves and what anyone can check.
//!
//! The mathematics is in `docs/spec/`. Nothing here does I/O.

pub mod batch;
pub mod circuit;
pub mod class;
pub mod commitment;
pub mod encoding;
pub mod equation;
mod error;
pub mod execute;
pub mod groth16;
pub mod hash;
pub mod mask;
#[cfg(test)]
mod measure;
pub mod multilinear;
pub mod opening;
pub mod proof;
pub mod prove;
pub mod r1cs;
pub mod sponge;
pub mod srs;
pub mod sumcheck;
pub mod transcript;

pub use error::CircuitError;

/// The pairing of every proof and commitment.
pub type E = ark_bn254::Bn254;
/// The scalar field of BN254.
pub type Fr = ark_bn254::Fr;
/// A point of G1 (32 bytes compressed).
pub type G1 = ark_bn254::G1Affine;
/// A point of G2 (64 bytes compressed).
pub type G2 = ark_bn254::G2Affine;
