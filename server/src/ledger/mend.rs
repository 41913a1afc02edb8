//! The public files written anew from the entries, where they are not what these give.
//!
//! Nothing is written unless the entries are those of the tree that the database's checkpoint signs, and none of it
//! halts the log: a file that a disk has torn contradicts nobody.

use std::time::Duration;

use galen_ledger::tiles::{Checkpoint, Edge, Hash, LogVerifier, Tile, TilePath};
use tokio::time::sleep;

use super::{
    LedgerStoreError,
    edge::grow,
    fence::{Head, all_empty, entries_stand_for, not_ahead, read_own, unrooted},
    objects::Objects,
    store::Store,
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
    not_ahead(store, objects).await?;
    let served = match objects.checkpoint().await? {
        // One that does not open tells nothing.
        Some(text) => log.open(&text).ok().map(|head| ("the served", head)),
        None => None,
    };
    let served: Vec<Head> = served.into_iter().collect();
    let Some(published) = store.published().await? else {
        all_empty(&served)?;
        return Ok(Mended::default());
    };
    let own = read_own(log, &published)?;
    let checkpoint = served.iter().all(|(_, head)| head.size < own.1.size);
    entries_stand_for(store, own.clone(), served).await?;
    let tiles = compare(store, objects, &own.1, Then::Write).await?.1;
    if checkpoint {
        objects.put_checkpoint(&published.text).await?;
    }
    Ok(Mended { tiles, checkpoint })
}

/// As [`mend`], for a service at work, and tiles alone; `pause` lies between two pages of entries. Tiles that are as they
/// are to be, which is the rule, take one pass over the entries.
///
/// # Errors
/// As [`mend`].
pub(crate) async fn mend_published(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
    pause: Duration,
) -> Result<Vec<TilePath>, LedgerStoreError> {
    let Some(published) = store.published().await? else {
        return Ok(Vec::new());
    };
    let own = read_own(log, &published)?;
    let (root, others) = compare(store, objects, &own.1, Then::Pause(pause)).await?;
    if root != own.1.root {
        return Err(unrooted(&own));
    }
    if others.is_empty() {
        return Ok(others);
    }
    Ok(compare(store, objects, &own.1, Then::Write).await?.1)
}

/// What follows a comparison.
#[derive(Clone, Copy)]
enum Then {
    /// Nothing; so long a pause after each page.
    Pause(Duration),
    /// What differs is written.
    Write,
}

/// Compares the tiles of a tree with what the entries give: the root of these, and what differs.
async fn compare(
    store: &Store,
    objects: &Objects,
    head: &Checkpoint,
    then: Then,
) -> Result<(Hash, Vec<TilePath>), LedgerStoreError> {
    let (mut edge, mut others) = (Edge::new(), Vec::new());
    while edge.size() < head.size {
        for tile in grow(store, &mut edge, head.size).await? {
            compare_place(objects, tile, then, &mut others).await?;
        }
        if let Then::Pause(pause) = then {
            sleep(pause).await;
        }
    }
    for tile in edge.partials()? {
        compare_place(objects, tile, then, &mut others).await?;
    }
    Ok((edge.root(), others))
}

/// A tile, and the narrower ones of its place that are there.
async fn compare_place(
    objects: &Objects,
    tile: Tile,
    then: Then,
    others: &mut Vec<TilePath>,
) -> Result<(), LedgerStoreError> {
    for tile in objects.narrower(&tile).await?.into_iter().chain([tile]) {
        let found = objects.tile(&tile.path).await?;
        if found.as_deref() != Some(tile.bytes.as_slice()) {
            others.push(tile.path);
            if let Then::Write = then {
                objects.replace_tile(tile, found).await?;
            }
        }
    }
    Ok(())
}
