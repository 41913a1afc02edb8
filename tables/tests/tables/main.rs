//! The crate's tests from outside: one binary, since each links the SQL engine.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod building;
mod common;
mod concepts;
mod database;
mod exact;
mod expected;
mod fixtures;
mod population;
mod proposed;
mod quality;
mod record;
mod server;
mod sources;
mod start;
