//! `galen --version`: which program this is, and what it computes with.

use anyhow::Result;
use serde_json::json;

use crate::{output::Output, show};

/// Prints the version; with `verbose` also what it computes with.
pub fn run(verbose: bool, output: &Output) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let arithmetic = galen_field::path().to_string();
    let platform = format!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    let threads = rayon::current_num_threads();
    output.document(&json!({
        "version": version,
        "arithmetic": arithmetic,
        "platform": platform,
        "threads": threads,
    }))?;
    output.line(format!("galen {version}"))?;
    if !verbose {
        return Ok(());
    }
    let why = match galen_field::path() {
        galen_field::Path::Vector => "eight at once; GALEN_SIMD=off: one after another",
        galen_field::Path::Scalar if galen_field::is_off() => "GALEN_SIMD is off",
        galen_field::Path::Scalar => "this machine has no AVX-512 IFMA",
    };
    let facts = [
        ("arithmetic", format!("{arithmetic} ({why})")),
        ("platform", platform),
        ("threads", threads.to_string()),
    ];
    output.line(show::facts(&facts))
}
