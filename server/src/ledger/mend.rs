//! The public files written anew from the entries, where they are not what these give.
//!
//! Nothing is written unless the entries are those of the tree that the database's checkpoint signs, and none of it
//! halts the log: a file that a disk has torn contradicts nobody.

use std::time::Duration;

use galen_ledger::{
    entry::Envelope,
    tiles::{Edge, Hash, Level, LogVerifier, TILE_WIDTH, Tile, TilePath, parse_bundle},
};
use tokio::time::sleep;

use super::{
    LedgerStoreError,
    edge::{Place, Places, grow},
    fence::{
        Head, Look, ahead, all_empty, entries_stand_for, not_ahead, older, read_own, unrooted,
    },
    lock::not_another_copy,
    objects::Objects,
    store::Store,
};

/// What was written anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mended {
    /// Tiles and bundles that were missing or held other bytes.
    pub tiles: Vec<TilePath>,
    /// Bundles among them that held other entries, all well-formed: perhaps of another history.
    pub foreign: Vec<TilePath>,
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
    not_ahead(store, objects, Look::Everywhere).await?;
    not_another_copy(store, objects, log).await?;
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
    let places = Places::new(size, store.size().await?);
    let others = compare(store, objects, places, Then::Write).await?.1;
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
    let foreign = others
        .iter()
        .filter(|o| o.foreign)
        .map(|o| o.path)
        .collect();
    Ok(Mended {
        tiles: others.into_iter().map(|o| o.path).collect(),
        foreign,
        checkpoint,
    })
}

/// As [`mend`], for a service at work, and published tiles alone; `pause` lies between two pages of entries. Tiles that are
/// as they are to be, which is the rule, take one pass over the entries. Partial ones that full ones have replaced, which an
/// earlier run has left, are deleted.
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
    if let Some(path) = ahead(store, objects, Look::Everywhere).await? {
        return halt(store, older(path)).await;
    }
    let own = read_own(log, &published)?;
    let places = || Places::new(own.1.size, own.1.size);
    let (root, others) = match compare(store, objects, places(), Then::Pause(pause)).await {
        // Entries under the checkpoint that are not there.
        Err(LedgerStoreError::Ledger(e)) => return halt(store, e.to_string()).await,
        compared => compared?,
    };
    if root != own.1.root {
        return halt(store, unrooted(&own)).await;
    }
    if let Some(other) = others.iter().find(|o| o.foreign) {
        return halt(store, foreign(other.path)).await;
    }
    let written = if others.is_empty() {
        others
    } else {
        compare(store, objects, places(), Then::Write).await?.1
    };
    objects.collect_all(own.1.size).await?;
    Ok(written.into_iter().map(|o| o.path).collect())
}

/// As [`mend_published`], of the newest tiles alone: those at the edge of the published tree, and the full ones before
/// them. Some look-ups, however large the log is.
///
/// # Errors
/// As [`mend_published`].
pub(super) async fn mend_newest(
    store: &Store,
    objects: &Objects,
    edge: &Edge,
) -> Result<Vec<TilePath>, LedgerStoreError> {
    let mut tiles = edge.partials()?;
    let above = tiles.iter().find(|t| t.path.level() == Level::Hashes(1));
    if let Some(above) = above {
        let full = full_below(store, above).await?;
        tiles.extend(full);
    }
    let mut written = Vec::new();
    for tile in tiles {
        let look = |then| {
            let tile = tile.clone();
            compare_place(objects, Place { tile, due: true }, then)
        };
        match look(Then::Pause(Duration::ZERO)).await? {
            None => {}
            Some(other) if other.foreign => return halt(store, foreign(other.path)).await,
            Some(other) => {
                look(Then::Write).await?;
                written.push(other.path);
            }
        }
    }
    Ok(written)
}

/// The last full bundle and the hashes of its entries, whose tree's root is the last hash of the tile above. The edge that
/// this tile is of was checked against the checkpoint, these entries were not.
async fn full_below(store: &Store, above: &Tile) -> Result<Vec<Tile>, LedgerStoreError> {
    let last = above.path.number() * TILE_WIDTH + u64::from(above.path.width()) - 1;
    let (mut alone, mut tiles) = (Edge::new(), Vec::new());
    for entry in store.entries(last * TILE_WIDTH, TILE_WIDTH).await? {
        alone.push(&entry.body, &mut tiles)?;
    }
    if !above.bytes.ends_with(&alone.root()) {
        let why = format!("the entries of bundle {last} are not those of the checkpoint");
        return halt(store, why).await;
    }
    // A tree of so many entries has the same tiles wherever it stands, but for their numbers.
    let there = |tile: Tile| {
        let path = TilePath::new(tile.path.level(), last, tile.path.width())?;
        Ok(Tile { path, ..tile })
    };
    tiles.into_iter().map(there).collect()
}

fn foreign(path: TilePath) -> String {
    format!("{path} holds other entries: perhaps of another history")
}

async fn halt<T>(store: &Store, why: String) -> Result<T, LedgerStoreError> {
    store.halt(&why).await?;
    Err(LedgerStoreError::Halted { why })
}

/// A tile that is not what the entries give.
struct Other {
    path: TilePath,
    /// Whether it is a bundle of other entries, every one of them well-formed: no disk tears so.
    foreign: bool,
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
    mut places: Places,
    then: Then,
) -> Result<(Hash, Vec<Other>), LedgerStoreError> {
    let (mut edge, mut others) = (Edge::new(), Vec::new());
    for to in [places.published(), places.size()] {
        while edge.size() < to {
            let filled = grow(store, &mut edge, to).await?;
            for place in places.at(objects, &edge, filled).await? {
                others.extend(compare_place(objects, place, then).await?);
            }
            if let Then::Pause(pause) = then {
                sleep(pause).await;
            }
        }
    }
    Ok((edge.root(), others))
}

/// What is not as it is to be in a place; written anew if that is what follows.
async fn compare_place(
    objects: &Objects,
    place: Place,
    then: Then,
) -> Result<Option<Other>, LedgerStoreError> {
    let Place { tile, due } = place;
    let found = objects.tile(&tile.path).await?;
    let same = match &found {
        Some(found) => *found == tile.bytes,
        // The leader has deleted a partial one for which the full one stands.
        None if !tile.path.is_full() => !due || objects.tile(&tile.path.full()).await?.is_some(),
        None => !due,
    };
    if same {
        return Ok(None);
    }
    let other = Other {
        path: tile.path,
        foreign: found.as_deref().is_some_and(|f| is_foreign(&tile, f)),
    };
    if let Then::Write = then {
        objects.replace_tile(tile, found).await?;
    }
    Ok(Some(other))
}

/// Whether a bundle holds other entries, all of them well-formed.
fn is_foreign(tile: &Tile, found: &[u8]) -> bool {
    let is_envelope = |entry: &&[u8]| Envelope::parse(entry).is_ok();
    tile.path.level() == Level::Entries
        && !tile.bytes.starts_with(found)
        && !found.is_empty()
        && parse_bundle(found).is_ok_and(|entries| entries.iter().all(is_envelope))
}
