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
    rules::State,
};
use serde::Deserialize;
use serde_json::Value;
use tempfile::{NamedTempFile, PersistError};

use crate::{
    failure::refusal,
    kind::{self, Kind},
    show,
};

/// A manifest larger than this is refused unread.
pub const MAX_MANIFEST_BYTES: u64 = manifest::MAX_MANIFEST_BYTES as u64;
/// A query document larger than this is refused unread.
pub const MAX_QUERY_BYTES: u64 = 1 << 20;

/// Reads a file of at most `limit` bytes.
pub fn read_limited(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>> {
    begin(path, what, limit)?.whole()
}

/// Reads a document of at most `limit` bytes. One that begins as another kind does is refused for that, too large or not.
pub fn read(path: &Path, kind: Kind, limit: u64) -> Result<Vec<u8>> {
    let file = begin(path, kind.bare(), limit)?;
    kind.check(&file.bytes).with_context(|| file.name.clone())?;
    file.whole()
}

/// A file that is read once, since it may be a pipe: whole, or its beginning if it is too large.
struct Begun {
    name: String,
    bytes: Vec<u8>,
    too_large: Option<String>,
}

fn begin(path: &Path, what: &str, limit: u64) -> Result<Begun> {
    let name = format!("{what} {}", path.display());
    let named = || name.clone();
    let file = File::open(path).with_context(named)?;
    let meta = file.metadata().with_context(named)?;
    if meta.is_dir() {
        return Err(refusal("io.IsADirectory", "it is a folder")).with_context(named);
    }
    let most = match meta.len() > limit {
        true => kind::HEAD as u64,
        false => limit + 1,
    };
    let mut bytes = Vec::new();
    file.take(most)
        .read_to_end(&mut bytes)
        .with_context(named)?;
    let is_too_large = meta.len() > limit || bytes.len() as u64 > limit;
    let why = || format!("more than {limit} bytes, the most that is read of a {what}");
    Ok(Begun {
        name,
        bytes,
        too_large: is_too_large.then(why),
    })
}

impl Begun {
    fn whole(self) -> Result<Vec<u8>> {
        match self.too_large {
            Some(why) => Err(refusal("TooLarge", why)).context(self.name),
            None => Ok(self.bytes),
        }
    }
}

/// Reads a registry with its text.
pub fn registry(path: &Path) -> Result<(String, Registry)> {
    let bytes = read(path, Kind::Registry, MAX_REGISTRY_BYTES as u64)?;
    let named = || format!("registry {}", path.display());
    let text = String::from_utf8(bytes)
        .map_err(|_| refusal("registry.Syntax", "not UTF-8"))
        .with_context(named)?;
    let registry = Registry::from_toml(&text).with_context(named)?;
    Ok((text, registry))
}

/// Reads a query document.
pub fn question(path: &Path) -> Result<Question> {
    let bytes = read(path, Kind::Query, MAX_QUERY_BYTES)?;
    let named = || format!("query {}", path.display());
    Question::from_json(&bytes).with_context(named)
}

/// Reads a manifest, unchecked.
pub fn manifest(path: &Path) -> Result<Manifest> {
    let bytes = read(path, Kind::Manifest, MAX_MANIFEST_BYTES)?;
    let named = || format!("manifest {}", path.display());
    Manifest::from_json(&bytes).with_context(named)
}

/// Reads a registration, unchecked.
pub fn registration(path: &Path) -> Result<Registration> {
    let bytes = read(path, Kind::Registration, MAX_REGISTRATION_BYTES as u64)?;
    let named = || format!("registration {}", path.display());
    Registration::from_json(&bytes).with_context(named)
}

/// Reads a bundle, unchecked; with its size in bytes.
pub fn bundle(path: &Path) -> Result<(Bundle, usize)> {
    let bytes = read(path, Kind::Bundle, MAX_BUNDLE_BYTES as u64)?;
    let named = || match misread(&bytes) {
        Some(place) => format!("bundle {} was REFUSED: {place}", path.display()),
        None => format!("bundle {}", path.display()),
    };
    Ok((Bundle::from_json(&bytes).with_context(named)?, bytes.len()))
}

/// The first state of a bundle's cells that is none.
fn misread(bytes: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let groups = document["cells"].as_array()?.iter();
    let states = groups.zip(1..).flat_map(|(states, group)| {
        let states = states.as_array().into_iter().flatten().zip(1..);
        states.map(move |(state, at)| (state, group, at))
    });
    let mut wrong = states.filter(|(state, ..)| State::deserialize(*state).is_err());
    wrong.next().map(|(state, group, at)| {
        let shown: String = state.to_string().chars().take(40).collect();
        format!(
            "in group {group} of its cells number {at} is {}, and no state",
            show::plain_line(&shown)
        )
    })
}

/// Reads a parameter set's verifying part.
pub fn parameters(path: &Path) -> Result<VerifyingSet> {
    let bytes = read(path, Kind::Parameters, MAX_VERIFYING_BYTES)?;
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
    write(path, bytes, PUBLIC, |file| file.persist(path))
}

/// Writes a file that only its owner may read, in the same way; one that is there is left, and refused.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, SECRET, |file| file.persist_noclobber(path))
}

/// Permissions of ordinary files.
const PUBLIC: u32 = 0o666;

/// Those of its owner alone.
const SECRET: u32 = 0o600;

fn write(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    persist: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> Result<()> {
    let folder = folder_of(path);
    let write = || -> std::io::Result<()> {
        let mut file = builder(mode).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        persist(file)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg_attr(
    not(unix),
    expect(unused_variables, reason = "files have no such permissions")
)]
fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".galen.partial-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode));
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
