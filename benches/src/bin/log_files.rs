//! Writes a log's public files, those of a service or a mirror, without one: `log_files FOLDER --entries N`. Entries are
//! signed queries, after the members and the registry that they need. Prints the log's key, for `galen mirror FOLDER
//! --data COPY --log-key KEY`; `FOLDER` may be served by `deploy/nginx-files.conf`. See `docs/performance.md`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use galen_benches::{
    hospital::REGISTRY_TOML,
    load::{
        ledger::{self, Signers},
        service,
    },
};
use galen_ledger::{
    statement::Blob,
    tiles::{Edge, Tile},
};

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::create_dir_all(path.parent().context("a path within the folder")?)?;
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

fn write_all(folder: &Path, tiles: &mut Vec<Tile>) -> Result<()> {
    tiles
        .drain(..)
        .try_for_each(|tile| write(&folder.join(tile.path.to_string()), &tile.bytes))
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, option, entries] = words.as_slice() else {
        bail!("log_files FOLDER --entries N");
    };
    if option != "--entries" {
        bail!("{option} is no argument");
    }
    let (folder, entries): (PathBuf, usize) = (folder.into(), entries.parse()?);
    fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
    let keys = tempfile::tempdir()?;
    let signers = Signers::new(keys.path())?;
    let toml = REGISTRY_TOML.as_bytes();
    let name = Blob::of(toml).sha256;
    write(&folder.join("blobs").join(&name[..2]).join(&name), toml)?;
    let (mut edge, mut full) = (Edge::new(), Vec::new());
    let mut first = vec![service::consortium(&signers.steward)?];
    first.extend(ledger::first(&signers)?);
    for entry in &first {
        edge.push(entry.bytes(), &mut full)?;
    }
    for number in 0..entries.saturating_sub(first.len()) {
        edge.push(ledger::query(&signers, number)?.bytes(), &mut full)?;
        write_all(&folder, &mut full)?;
    }
    write_all(&folder, &mut edge.partials()?)?;
    let log = service::log_key()?;
    let checkpoint = log.sign(edge.size(), &edge.root())?;
    write(&folder.join("checkpoint"), checkpoint.as_bytes())?;
    println!("{}", log.verifier().encoded());
    Ok(())
}
