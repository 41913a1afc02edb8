//! The query language: a SQL subset, resolved against a registry.

mod aggregate;
mod ast;
mod attrition;
mod clauses;
mod constant;
mod error;
mod filters;
mod functions;
mod group;
mod grouping;
mod instead;
mod interval;
mod meant;
mod names;
mod normal;
mod parse;
mod percentile;
mod population;
mod refuse;
mod resolve;
mod rewrite;
mod scope;
mod suggest;
mod syntax;

pub use ast::{
    Aggregate, CohortQuery, Output, OutputValue, PairFunction, Percentile, Predicate, Share,
};
pub use error::{Position, QueryError};
pub use group::{Bin, BinName, Grouping};
pub use interval::IntervalSet;
pub use parse::parse_query;
pub use percentile::FOLDS;

/// The longest query, bytes of UTF-8.
pub const MAX_BYTES: usize = 1 << 16;
/// The most words and operators; commas, numbers and quoted texts do not count.
pub const MAX_TOKENS: usize = 4096;
/// The most values in one IN list.
pub const MAX_IN_LIST: usize = 1 << 16;
/// The most items of the SELECT list.
pub const MAX_OUTPUTS: usize = 64;
/// The most criteria of EXPLAIN COHORT.
pub const MAX_CRITERIA: usize = 128;
/// The most columns of GROUP BY.
pub const MAX_GROUP_COLUMNS: usize = 2;
/// The most groups of an answer: each has one cell at least, and an answer has as many at most.
pub const MAX_GROUPS: usize = 4096;
/// The most leaves of the filter's normal form.
pub const MAX_LEAVES: usize = 256;
