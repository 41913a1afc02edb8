//! The circuits' test suite: relations against circuits, pinned identities, and proofs under attack.
//! One binary, so that the keys of the small shape are generated once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batch;
mod compare_corruption;
mod corruption;
mod identity;
mod necessity;
mod proofs;
mod rank;
mod recode_attacks;
mod refusal;
mod relation;
mod release_corruption;
mod tampering;
mod twins;
mod world;
