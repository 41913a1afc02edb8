//! Reading documents under their size limits, and writing files whole or not at all.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

use anyhow::{Context, Result};
use galen_params::{MAX_VERIFYING_BYTES, VerifyingSet};
use galen_query::{
    question::Question,
    registry::{MAX_BYTES as MAX_REGISTRY_BYTES, Registry},
};
use galen_verifier::{
    bundle::{Bundle, MAX_BUNDLE_BYTES},
    manifest::{self, Manifest},
    registration::{MAX_REGISTRATION_BYTES, Registration},
};

use crate::failure::refusal;

/// A manifest larger than this is refused unread.
pub const MAX_MANIFEST_BYTES: u64 = manifest::MAX_MANIFEST_BYTES as u64;
/// A query document larger than this is refused unread.
pub const MAX_QUERY_BYTES: u64 = 1 << 20;

/// Reads a file of at most `limit` bytes.
pub fn read_limited(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>> {
    let named = || format!("{what} {}", path.display());
    let file = File::open(path).with_context(named)?;
    let meta = file.metadata().with_context(named)?;
    if meta.is_dir() {
        return Err(refusal("io.IsADirectory", "it is a folder")).with_context(named);
    }
    let mut bytes = Vec::new();
    if meta.len() <= limit {
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .with_context(named)?;
    }
    if meta.len() > limit || bytes.len() as u64 > limit {
        let why = format!("more than {limit} bytes, the most that is read of a {what}");
        return Err(refusal("TooLarge", why)).with_context(named);
    }
    Ok(bytes)
}

/// Reads a registry with its text.
pub fn registry(path: &Path) -> Result<(String, Registry)> {
    let bytes = read_limited(path, "registry", MAX_REGISTRY_BYTES as u64)?;
    let named = || format!("registry {}", path.display());
    let text = String::from_utf8(bytes)
        .map_err(|_| refusal("registry.Syntax", "not UTF-8"))
        .with_context(named)?;
    let registry = Registry::from_toml(&text).with_context(named)?;
    Ok((text, registry))
}

/// Reads a query document.
pub fn question(path: &Path) -> Result<Question> {
    let bytes = read_limited(path, "query", MAX_QUERY_BYTES)?;
    let named = || format!("query {}", path.display());
    Question::from_json(&bytes).with_context(named)
}

/// Reads a manifest, unchecked.
pub fn manifest(path: &Path) -> Result<Manifest> {
    let bytes = read_limited(path, "manifest", MAX_MANIFEST_BYTES)?;
    let named = || format!("manifest {}", path.display());
    Manifest::from_json(&bytes).with_context(named)
}

/// Reads a registration, unchecked.
pub fn registration(path: &Path) -> Result<Registration> {
    let bytes = read_limited(path, "registration", MAX_REGISTRATION_BYTES as u64)?;
    let named = || format!("registration {}", path.display());
    Registration::from_json(&bytes).with_context(named)
}

/// Reads a bundle, unchecked; with its size in bytes.
pub fn bundle(path: &Path) -> Result<(Bundle, usize)> {
    let bytes = read_limited(path, "bundle", MAX_BUNDLE_BYTES as u64)?;
    let named = || format!("bundle {}", path.display());
    Ok((Bundle::from_json(&bytes).with_context(named)?, bytes.len()))
}

/// Reads a parameter set's verifying part.
pub fn parameters(path: &Path) -> Result<VerifyingSet> {
    let bytes = read_limited(path, "parameters", MAX_VERIFYING_BYTES)?;
    VerifyingSet::from_bytes(&bytes).with_context(|| format!("parameters {}", path.display()))
}

/// The folder that a file stands in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Refuses a place where no file can be written, before any long work.
pub fn check_place(path: &Path) -> Result<()> {
    let named = || format!("--out {}", path.display());
    if path.is_dir() {
        return Err(refusal("io.IsADirectory", "it is a folder")).with_context(named);
    }
    check_folder(path).with_context(named)
}

/// Refuses a file in a folder that is not there.
pub fn check_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    if folder.is_dir() {
        return Ok(());
    }
    let why = format!("there is no folder {}; make it first", folder.display());
    Err(refusal("io.NotFound", why))
}

/// As [`check_place`], and refuses to replace anything but an older file of the same kind.
pub fn check_replaces(path: &Path, what: &str, same: impl Fn(&[u8]) -> bool) -> Result<()> {
    check_place(path)?;
    if !path.exists() {
        return Ok(());
    }
    let named = || format!("--out {}", path.display());
    if path.is_file() && fs::read(path).is_ok_and(|bytes| same(&bytes)) {
        return Ok(());
    }
    let why = format!("it exists and is no {what}: nothing else is replaced; choose another name");
    Err(refusal("io.AlreadyExists", why)).with_context(named)
}

/// Writes a public file beside its place, syncs and renames it; an older one is replaced.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    let write = || -> std::io::Result<()> {
        let mut file = builder().tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

/// Temporary files with the permissions of ordinary ones: what is written here is public.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".galen.partial-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

/// A document as JSON text, ending in a line break.
pub fn pretty(document: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Creates the folder that `path` will stand in.
pub fn create_parent(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))
}
