//! Registration proofs and evidence, honest and tampered with. Each tampering is refused for its own reason:
//! the error's variant and place are asserted, so that a check that is lost does not hide behind another one.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod documents;
mod entries;
mod file;
mod gathering;
mod hospital;
mod log;
mod pooled;
mod registration;
mod story;
