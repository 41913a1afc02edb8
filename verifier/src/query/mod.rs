//! The query language: a SQL subset, resolved against a registry.

mod ast;
mod interval;

pub use ast::{Aggregate, CohortQuery, Output, OutputValue, Predicate};
pub use interval::IntervalSet;
