//! Galen's verifier: everything that a reviewer recomputes. No I/O, no async.
//!
//! [`plan`] is what a query of `galen_query` means as one equation,
//! `manifest` a hospital's committed dataset, `registration` the proofs that it is well-formed,
//! `bundle` an answer's proofs, and `verify` checks them: it derives the plan, every public input and
//! commitment itself, and turns released cells into an [`answer::Answer`].

pub mod analysis;
pub mod answer;
mod attack;
pub mod bundle;
mod document;
mod error;
pub mod hash;
pub mod manifest;
pub mod plan;
pub mod register;
pub mod registration;
pub mod rules;
mod verify;
mod verify_all;

pub use attack::across as audit;
pub use error::VerifyError;
pub use verify::{check_dataset, plan_for, verify};
pub use verify_all::{Job, verify_all};
