//! The crate's tests from outside: one binary, since each links the SQL engine.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod building;
mod common;
mod database;
mod exact;
mod fixtures;
mod population;
mod quality;
mod sources;
mod start;
