//! The service over HTTP as raw sockets see it.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod halted;
mod heads;
mod lines;
mod world;
