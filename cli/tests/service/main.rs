//! The public service over HTTP, with hospitals that commit and prove.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod answers;
mod hospital;
mod interface;
mod members;
mod mirror;
mod reading;
mod world;
