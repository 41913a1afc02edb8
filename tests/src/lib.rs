//! What the end-to-end, fault and tampering tests share: development keys made once, hospitals made
//! of a small table, questions asked through the bytes of a bundle, and an independent SQL engine.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod dice;
pub mod generated;
pub mod hospital;
pub mod keys;
pub mod oracle;
pub mod plain;

pub use hospital::{Asked, Hospital, Setup, analysed, ask, check_bytes};
pub use keys::keys;

/// The purpose that every test registry lists.
pub const PURPOSE: &str = "DUO:0000042";

/// The manifest folder of this crate.
#[must_use]
pub fn crate_folder() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shared open data sets, or `None` with a line that says so where they are absent.
#[must_use]
pub fn shared_data(what: &str) -> Option<std::path::PathBuf> {
    let folder = crate_folder().join("../../shared/data");
    if folder.join(what).exists() {
        Some(folder)
    } else {
        eprintln!("skipped: the shared data set {what} is absent");
        None
    }
}
