//! The public files written anew from the entries, where they are not what these give.
//!
//! Nothing is written unless the entries are those of the tree that the database's checkpoint signs, and none of it
//! halts the log: a file that a disk has torn contradicts nobody.

use std::time::Duration;

use galen_ledger::tiles::{Edge, Hash, LogVerifier, TilePath};
use tokio::time::sleep;

use super::{
    LedgerStoreError,
    edge::{Extent, Place, grow},
    fence::{Head, all_empty, entries_stand_for, not_ahead, read_own, unrooted},
    objects::Objects,
    store::Store,
};

/// What was written anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// Tiles and bundles that were missing or held other bytes.
    pub tiles: Vec<TilePath>,
    /// Whether the checkpoint was missing, did not open, or was of an earlier tree. One that did not open where the
    /// database has none yet is taken away.
    pub checkpoint: bool,
}

/// Compares every tile, every bundle and the checkpoint with what the entries give, and writes those that differ: also
/// those of entries that no checkpoint covers yet, where they are there. No service may run.
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
    let found = objects.checkpoint().await?;
    // One that does not open tells nothing.
    let served = found.as_deref().and_then(|text| log.open(text).ok());
    let heads: Vec<Head> = served.iter().map(|h| ("the served", h.clone())).collect();
    let published = store.published().await?;
    let size = match &published {
        Some(own) => {
            let own = read_own(log, own)?;
            entries_stand_for(store, own.clone(), heads).await?;
            own.1.size
        }
        None => {
            all_empty(&heads)?;
            0
        }
    };
    let extent = Extent {
        published: size,
        size: store.size().await?,
    };
    let tiles = compare(store, objects, extent, Then::Write).await?.1;
    let checkpoint = match (published, served) {
        (Some(own), served) if served.as_ref().is_none_or(|s| s.size < own.size) => {
            objects.replace_checkpoint(&own.text).await?;
            true
        }
        // The first one, torn before the database had it: the next start signs it anew.
        (None, None) if found.is_some() => {
            objects.drop_checkpoint().await?;
            true
        }
        _ => false,
    };
    Ok(Mended { tiles, checkpoint })
}

/// As [`mend`], for a service at work, and published tiles alone; `pause` lies between two pages of entries. Tiles that are
/// as they are to be, which is the rule, take one pass over the entries.
///
/// # Errors
/// [`LedgerStoreError::Halted`]: the entries are not those of the database's checkpoint, and the log has halted for it.
/// Else as [`mend`].
pub async fn mend_published(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
    pause: Duration,
) -> Result<Vec<TilePath>, LedgerStoreError> {
    let Some(published) = store.published().await? else {
        return Ok(Vec::new());
    };
    let own = read_own(log, &published)?;
    let extent = Extent {
        published: own.1.size,
        size: own.1.size,
    };
    let (root, others) = compare(store, objects, extent, Then::Pause(pause)).await?;
    if root != own.1.root {
        let why = unrooted(&own);
        store.halt(&why).await?;
        return Err(LedgerStoreError::Halted { why });
    }
    if others.is_empty() {
        return Ok(others);
    }
    Ok(compare(store, objects, extent, Then::Write).await?.1)
}

/// What follows a comparison.
#[derive(Clone, Copy)]
enum Then {
    /// Nothing; so long a pause after each page.
    Pause(Duration),
    /// What differs is written.
    Write,
}

/// Compares the tiles of a log with what the entries give: the root of these, and what differs.
async fn compare(
    store: &Store,
    objects: &Objects,
    extent: Extent,
    then: Then,
) -> Result<(Hash, Vec<TilePath>), LedgerStoreError> {
    let (mut edge, mut others) = (Edge::new(), Vec::new());
    for to in [extent.published, extent.size] {
        while edge.size() < to {
            let filled = grow(store, &mut edge, to).await?;
            for place in extent.places(&edge, filled)? {
                compare_place(objects, place, then, &mut others).await?;
            }
            if let Then::Pause(pause) = then {
                sleep(pause).await;
            }
        }
    }
    Ok((edge.root(), others))
}

/// A tile, and the narrower ones of its place that are there.
async fn compare_place(
    objects: &Objects,
    place: Place,
    then: Then,
    others: &mut Vec<TilePath>,
) -> Result<(), LedgerStoreError> {
    let Place { tile, due, passing } = place;
    let narrower = if passing {
        Vec::new()
    } else {
        objects.narrower(&tile).await?
    };
    let own = tile.path;
    for tile in narrower.into_iter().chain([tile]) {
        let found = objects.tile(&tile.path).await?;
        let may_be_missing = tile.path == own && !due;
        let same = match &found {
            Some(found) => *found == tile.bytes,
            None => may_be_missing,
        };
        // One that was looked at before is mended by now.
        if !same && !others.contains(&tile.path) {
            others.push(tile.path);
            if let Then::Write = then {
                objects.replace_tile(tile, found).await?;
            }
        }
    }
    Ok(())
}
