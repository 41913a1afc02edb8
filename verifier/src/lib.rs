//! See the crate description.

pub mod query;
pub mod registry;
