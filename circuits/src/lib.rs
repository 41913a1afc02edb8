//! Galen's circuits: what a hospital proves and what anyone can check, over BN254.
//!
//! - [`srs`] and [`column`]: hiding KZG commitments to columns, with single-row openings;
//! - [`gates`]: the four statements, each with its native twin;
//! - [`keys`], [`prove`] and [`batch`]: committed Groth16 with the link to the columns.
//!
//! The mathematics is in `docs/spec/`. Nothing here does I/O.

pub mod batch;
pub mod column;
pub mod encoding;
mod error;
pub mod gates;
pub mod hash;
pub mod keys;
pub mod msm;
pub mod prove;
pub mod qap;
pub mod setup;
pub mod srs;

pub use error::CircuitError;

/// The pairing of every proof and commitment.
pub type E = ark_bn254::Bn254;
/// The scalar field of BN254.
pub type Fr = ark_bn254::Fr;
/// A point of G1 (32 bytes compressed).
pub type G1 = ark_bn254::G1Affine;
/// A point of G2 (64 bytes compressed).
pub type G2 = ark_bn254::G2Affine;
