//! Galen's parameter sets: shapes, the development setup, and key files named by digest.
//!
//! A parameter set is a shape's commitment string and the Groth16 keys of its five circuits; its id is the
//! SHA-256 of its verifying part. See `docs/spec/parameters.md`.

mod error;
mod files;
mod pinned;
mod progress;
mod shape;
mod store;
mod verifying;

pub use error::ParamsError;
pub use progress::{Progress, Silent};
pub use shape::Shape;
pub use store::{ParameterStore, default_cache, development_folder};
pub use verifying::{MAX_VERIFYING_BYTES, VerifyingSet};
