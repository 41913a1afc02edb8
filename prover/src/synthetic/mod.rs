//! A made-up hospital, for tests, demonstrations and benchmarks. No patient in it exists.
//!
//! A general hospital with a cardiometabolic bent: 20 columns with plausible distributions and
//! dependences (age raises blood pressure, a statin lowers LDL, diabetes raises HbA1c), missing
//! values, and a region so small that a threshold of 11 suppresses it at 5,000 patients.
//!
//! The same seed gives the same patients on every machine: randomness is ChaCha8, and the model
//! computes with +, −, × and ÷ alone, which IEEE 754 fixes to the bit. The first n patients of a
//! seed do not depend on how many are written.

mod codes;
mod dice;
mod patient;
#[cfg(test)]
mod tests;
mod write;

pub use write::{SyntheticError, write_hospital};

/// The registry that the made-up hospital's table fits.
pub const REGISTRY_TOML: &str = include_str!("hospital.toml");
