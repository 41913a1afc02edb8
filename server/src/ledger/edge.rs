//! The tree's right edge at a size, from the published tiles or from the entries.

use std::collections::BTreeMap;

use galen_ledger::tiles::{
    Checkpoint, Edge, Hash, TILE_WIDTH, Tile, tiles_for_edge, verify_consistency,
};

use super::{LedgerStoreError, objects::Objects, store::Store};

/// How far a log's public files go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Entries under the checkpoint: their files are there.
    pub(super) published: u64,
    /// Entries: files of the others may be there, from a publication that did not come to its end.
    pub(super) size: u64,
}

/// A tile or bundle as the entries give it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) tile: Tile,
    /// Whether the checkpoint's tree has it; if not, it may be missing.
    pub(super) due: bool,
    /// Whether a wider one of the same place follows.
    pub(super) passing: bool,
}

impl Extent {
    /// The places at an edge that has just grown, to one of the two sizes at most, by filling these tiles.
    ///
    /// # Errors
    /// A size that no log has.
    pub(super) fn places(
        self,
        edge: &Edge,
        filled: Vec<Tile>,
    ) -> Result<Vec<Place>, LedgerStoreError> {
        let due = edge.size() <= self.published;
        let place = |passing| move |tile| Place { tile, due, passing };
        let mut places: Vec<Place> = filled.into_iter().map(place(false)).collect();
        if edge.size() == self.published || edge.size() == self.size {
            let passing = edge.size() < self.size;
            places.extend(edge.partials()?.into_iter().map(place(passing)));
        }
        Ok(places)
    }
}

/// Appends the next entries below `to` from the database, at most 256, and returns the tiles that they fill.
///
/// # Errors
/// A gap in the indices, or the database's.
pub(super) async fn grow(
    store: &Store,
    edge: &mut Edge,
    to: u64,
) -> Result<Vec<Tile>, LedgerStoreError> {
    let from = edge.size();
    let page = TILE_WIDTH.min(to.saturating_sub(from));
    let mut tiles = Vec::new();
    for entry in store.entries(from, page).await? {
        if entry.index != edge.size() {
            break;
        }
        edge.push(&entry.body, &mut tiles)?;
    }
    if edge.size() == from + page {
        Ok(tiles)
    } else {
        let gap = edge.size();
        Err(LedgerStoreError::damaged(format!("entry {gap} is missing")))
    }
}

/// The edge under a checkpoint from at most one tile a level and the entries since the last full bundle. They
/// are checked against the checkpoint.
///
/// # Errors
/// A tile that is missing or of another tree, other entries, a failing store.
pub(super) async fn restore(
    store: &Store,
    objects: &Objects,
    head: &Checkpoint,
) -> Result<Edge, LedgerStoreError> {
    let tiles = objects.fetch(tiles_for_edge(head.size)?).await?;
    let within = head.size % TILE_WIDTH;
    let entries = store.entries(head.size - within, within).await?;
    let bodies: Vec<Vec<u8>> = entries.into_iter().map(|e| e.body).collect();
    Ok(Edge::restore(head.size, &head.root, &tiles, &bodies)?)
}

/// Whether the tree under `head` begins with that under `old`, as the published tiles have it.
///
/// # Errors
/// It does not, or tiles are missing or of another tree, or a failing store.
pub(super) async fn extends(
    objects: &Objects,
    old: &Checkpoint,
    head: &Checkpoint,
) -> Result<(), LedgerStoreError> {
    let proof = objects.prove_consistency(old.size, head).await?;
    let (old, new) = ((old.size, &old.root), (head.size, &head.root));
    Ok(verify_consistency(old, new, &proof)?)
}

/// The trees of the entries at these sizes, in one pass over all of them. Sizes are at most the log's.
///
/// # Errors
/// A gap in the indices, or the database's.
pub(super) async fn roots(
    store: &Store,
    sizes: impl IntoIterator<Item = u64>,
) -> Result<(Edge, BTreeMap<u64, Hash>), LedgerStoreError> {
    let mut roots: BTreeMap<u64, Hash> = sizes.into_iter().map(|s| (s, Hash::default())).collect();
    let mut edge = Edge::new();
    for (size, root) in &mut roots {
        while edge.size() < *size {
            grow(store, &mut edge, *size).await?;
        }
        *root = edge.root();
    }
    Ok((edge, roots))
}
