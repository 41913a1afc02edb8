//! The public service over HTTP, with hospitals that commit and prove.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod answers;
mod asked;
mod hospital;
mod interface;
mod keeping;
mod members;
mod mirror;
mod reading;
mod world;
