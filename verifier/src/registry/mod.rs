//! The registry: schema, bounds and consent purposes of a study.

mod testing;
mod types;

pub use types::{BaseColumn, Code, Column, ColumnKind, Purpose, Registry, Role};
