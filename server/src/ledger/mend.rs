//! The public files written anew from the entries, where they are not what these give.
//!
//! Nothing is written unless the entries are those of the tree that the database's checkpoint signs, and none of it
//! halts the log: a file that a disk has torn contradicts nobody.

use std::time::Duration;

use galen_ledger::tiles::{Checkpoint, Edge, LogVerifier, Tile, TilePath};
use tokio::time::sleep;

use super::{
    LedgerStoreError,
    edge::{ahead, grow, roots},
    objects::Objects,
    publish::{beyond, fenced},
    store::{Published, Store},
};

/// What was written anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// Tiles and bundles that were missing or held other bytes.
    pub tiles: Vec<TilePath>,
    /// Whether the checkpoint was missing, did not open, or was of an earlier tree.
    pub checkpoint: bool,
}

/// Compares every tile, every bundle and the checkpoint of the published tree with what the entries give, and writes
/// those that differ. No service may run.
///
/// # Errors
/// [`LedgerStoreError::Fenced`]: the database is not the one that the files are of, and nothing was written. A
/// failing database or store.
pub async fn mend(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
) -> Result<Mended, LedgerStoreError> {
    if let Some(path) = ahead(store, objects).await? {
        return Err(beyond(&path));
    }
    let served = match objects.checkpoint().await? {
        // One that does not open tells nothing.
        Some(text) => log.open(&text).ok(),
        None => None,
    };
    let Some((published, head)) = head(store, log).await? else {
        return match served {
            Some(head) if head.size > 0 => Err(fenced("the database has no checkpoint")),
            _ => Ok(Mended::default()),
        };
    };
    let checkpoint = is_behind(served.as_ref(), &head)?;
    let tiles = mend_tiles(store, objects, &head, Duration::ZERO).await?;
    if checkpoint {
        objects.put_checkpoint(&published.text).await?;
    }
    Ok(Mended { tiles, checkpoint })
}

/// The database's checkpoint.
async fn head(
    store: &Store,
    log: &LogVerifier,
) -> Result<Option<(Published, Checkpoint)>, LedgerStoreError> {
    let Some(published) = store.published().await? else {
        return Ok(None);
    };
    let head = log
        .open(published.text.as_bytes())
        .map_err(|e| fenced(format!("the database's checkpoint does not open: {e}")))?;
    Ok(Some((published, head)))
}

/// Whether the served checkpoint is to be replaced by the database's.
fn is_behind(served: Option<&Checkpoint>, head: &Checkpoint) -> Result<bool, LedgerStoreError> {
    match served {
        Some(served) if served.size > head.size => Err(fenced(format!(
            "the served checkpoint of size {} is ahead of the database's of size {}",
            served.size, head.size
        ))),
        Some(served) if served.size == head.size && served.root != head.root => Err(fenced(
            "the served checkpoint has another root than the database's",
        )),
        Some(served) => Ok(served.size < head.size),
        None => Ok(true),
    }
}

/// As [`mend`], for a service at work, and tiles alone; `pause` lies between two pages of entries.
///
/// # Errors
/// As [`mend`].
pub(crate) async fn mend_published(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
    pause: Duration,
) -> Result<Vec<TilePath>, LedgerStoreError> {
    match head(store, log).await? {
        Some((_, head)) => mend_tiles(store, objects, &head, pause).await,
        None => Ok(Vec::new()),
    }
}

async fn mend_tiles(
    store: &Store,
    objects: &Objects,
    head: &Checkpoint,
    pause: Duration,
) -> Result<Vec<TilePath>, LedgerStoreError> {
    let (_, roots) = roots(store, [head.size], pause).await?;
    if roots.get(&head.size) != Some(&head.root) {
        return Err(fenced(format!(
            "the entries do not have the root of the database's checkpoint of size {}: the database is damaged, \
             not the files",
            head.size
        )));
    }
    let (mut edge, mut mended) = (Edge::new(), Vec::new());
    while edge.size() < head.size {
        for tile in grow(store, &mut edge, head.size).await? {
            mend_place(objects, &tile, &mut mended).await?;
        }
        sleep(pause).await;
    }
    for tile in edge.partials()? {
        mend_place(objects, &tile, &mut mended).await?;
    }
    Ok(mended)
}

/// Writes a tile if it is not there as it is to be, and the narrower ones of its place that are there and other.
async fn mend_place(
    objects: &Objects,
    tile: &Tile,
    mended: &mut Vec<TilePath>,
) -> Result<(), LedgerStoreError> {
    let narrower = objects.partials(&tile.path).await?;
    let narrower = narrower
        .into_iter()
        .filter(|path| path.width() < tile.path.width());
    for path in narrower.chain([tile.path]) {
        let bytes = tile.narrowed(path.width())?;
        let found = objects.tile(&path).await?;
        if found.as_deref() != Some(bytes.as_slice()) {
            objects.replace_tile(&path, found, bytes).await?;
            mended.push(path);
        }
    }
    Ok(())
}
