//! The hospital's side of Galen: reading the patient table, committing it, proving answers.
//!
//! - [`table`] streams a Parquet or CSV file as stored values, checked against the registry.
//! - [`dataset`] commits a table: one epoch in a folder, with its registration proofs.
//! - [`execute`] proves the answer to a query over a committed dataset, chunk by chunk.
//! - [`synthetic`] writes a made-up hospital to try things on.

pub mod dataset;
mod error;
pub mod execute;
pub mod synthetic;
pub mod table;

pub use error::ProverError;

#[cfg(test)]
mod testing;
