//! The service over HTTP as raw sockets see it: connections, heads, what the log says of requests, and what every
//! answer tells browsers.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod halted;
mod heads;
mod lines;
mod policy;
mod world;
