//! The tree's right edge at a size, from the published tiles or from the entries.

use std::collections::BTreeMap;

use galen_ledger::tiles::{
    Checkpoint, Edge, Hash, TILE_WIDTH, Tile, TilePath, tiles_for_edge, verify_consistency,
};

use super::{LedgerStoreError, objects::Objects, store::Store};

/// So many entries are rather read than the tiles of a whole edge: sixteen bundles.
const NEAR: u64 = 4_096;

/// The public files to compare with a log's entries while a tree of these grows, each once.
#[derive(Debug)]
pub(super) struct Places {
    /// Entries under the checkpoint: their files are there.
    published: u64,
    /// Entries: files of the others may be there, from a publication that did not come to its end.
    size: u64,
    /// The checkpoint's partial tiles, which wider ones may follow.
    partials: Vec<TilePath>,
}

/// A tile or bundle as the entries give it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) tile: Tile,
    /// Whether it has to be there.
    pub(super) due: bool,
}

impl Places {
    pub(super) fn new(published: u64, size: u64) -> Self {
        Self {
            published,
            size,
            partials: Vec::new(),
        }
    }

    /// Entries under the checkpoint.
    pub(super) fn published(&self) -> u64 {
        self.published
    }

    /// Entries.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Those at an edge that has just grown, to one of the two sizes at most, by filling these tiles; and the narrower ones
    /// of their places that are there, which earlier checkpoints' readers take.
    ///
    /// # Errors
    /// A failing store.
    pub(super) async fn at(
        &mut self,
        objects: &Objects,
        edge: &Edge,
        filled: Vec<Tile>,
    ) -> Result<Vec<Place>, LedgerStoreError> {
        let (due, last) = (edge.size() <= self.published, edge.size() == self.size);
        let mut tiles = filled;
        if last {
            tiles.extend(edge.partials()?);
        }
        let mut places = Vec::new();
        for tile in tiles {
            let narrower = objects.narrower(&tile).await?.into_iter();
            places.extend(narrower.map(|tile| Place { tile, due: true }));
            places.push(Place { tile, due });
        }
        places.retain(|p| !self.partials.contains(&p.tile.path));
        if edge.size() == self.published && !last {
            let partials = edge.partials()?;
            self.partials = partials.iter().map(|t| t.path).collect();
            places.extend(partials.into_iter().map(|tile| Place { tile, due }));
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

/// The tree of a checkpoint's size, from a smaller one: by the tiles if it is far, by the entries else.
///
/// # Errors
/// A gap in the indices, or the database's.
pub(super) async fn reach(
    store: &Store,
    objects: &Objects,
    from: &Edge,
    head: &Checkpoint,
) -> Result<Edge, LedgerStoreError> {
    if head.size.saturating_sub(from.size()) > NEAR
        && let Ok(edge) = restore(store, objects, head).await
    {
        return Ok(edge);
    }
    grown(store, from, head.size).await
}

/// The tree of so many entries, from a smaller one, by the entries alone.
///
/// # Errors
/// A gap in the indices, or the database's.
pub(super) async fn grown(store: &Store, from: &Edge, to: u64) -> Result<Edge, LedgerStoreError> {
    let mut edge = from.clone();
    while edge.size() < to {
        grow(store, &mut edge, to).await?;
    }
    Ok(edge)
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
        edge = grown(store, &edge, *size).await?;
        *root = edge.root();
    }
    Ok((edge, roots))
}
