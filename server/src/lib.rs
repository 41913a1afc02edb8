//! Galen's public verifier service and its append-only ledger.
//!
//! [`ledger`] keeps the log: entries get their index in one durable transaction, tiles and checkpoints follow
//! from them. [`service`] checks statements before they become entries, with the same code that a reviewer
//! runs offline. [`http`] is the interface, [`run`] a service from start to end.

mod connections;
mod failures;
pub mod http;
pub mod ledger;
mod metrics;
pub mod run;
pub mod service;
