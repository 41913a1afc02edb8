//! The hospital's side of Galen: reading and encoding the patient table.
//!
//! - [`table`] streams a Parquet or CSV file as stored values, checked against the registry.
//! - [`synthetic`] writes a made-up hospital to try things on.

pub mod synthetic;
pub mod table;

#[cfg(test)]
mod testing;
