//! Tiles that hash to a root.
//!
//! `tlog_tiles::TileHashReader` would be for this, but version 0.2 lets tiles through unchecked: it starts
//! comparing with parents after as many tiles as the root has subtrees, though several of those may lie in
//! one tile (at size 259, the three subtrees lie in two tiles, and the third tile is believed).

use std::collections::{BTreeMap, BTreeSet};

use tlog_tiles::{Error, HashReader, tlog};

use super::{
    Hash, Level, TILE_WIDTH, TilePath, TileSet,
    root::{fold, perfect_root},
};
use crate::LedgerError;

/// The `n`-th tile of a level in the tree of this size, as wide as it is there.
fn tile_at(size: u64, level: u8, n: u64) -> Option<TilePath> {
    let hashes = size.checked_shr(8 * u32::from(level))?;
    let width = hashes
        .checked_sub(n.checked_mul(TILE_WIDTH)?)?
        .min(TILE_WIDTH);
    TilePath::new(Level::Hashes(level), n, u16::try_from(width).ok()?).ok()
}

/// The partial tiles, at most one a level: the root follows from them alone.
pub(super) fn edge_tiles(size: u64) -> impl Iterator<Item = TilePath> {
    (0..=TilePath::TOP).filter_map(move |level| {
        let n = size >> (8 * (u32::from(level) + 1));
        tile_at(size, level, n)
    })
}

/// The tile that holds the node of a stored hash index, and the node's hashes in it: first and count.
fn locate(size: u64, index: u64) -> Option<(TilePath, usize, usize)> {
    let (height, n) = tlog::split_stored_hash_index(index);
    let (level, within) = (height / 8, height % 8);
    let first = n.checked_mul(1 << within)?;
    let tile = tile_at(size, level, first / TILE_WIDTH)?;
    let first = usize::try_from(first % TILE_WIDTH).ok()?;
    Some((tile, first, 1 << within))
}

/// The tiles with these stored hashes, all tiles above them, and those at the right edge.
pub(super) fn needed(size: u64, indexes: &[u64]) -> Vec<TilePath> {
    let mut tiles: BTreeSet<TilePath> = edge_tiles(size).collect();
    for index in indexes {
        let mut tile = locate(size, *index).map(|(tile, ..)| tile);
        while let Some(path) = tile.filter(|t| tiles.insert(*t)) {
            tile = parent(size, &path);
        }
    }
    tiles.into_iter().collect()
}

fn parent(size: u64, path: &TilePath) -> Option<TilePath> {
    match path.level() {
        Level::Hashes(level) if path.is_full() => {
            tile_at(size, level + 1, path.number() / TILE_WIDTH)
        }
        _ => None,
    }
}

/// Tiles of a tree, each of which is vouched for by the root.
pub(super) struct AuthenticTiles<'a> {
    size: u64,
    tiles: BTreeMap<&'a TilePath, Vec<Hash>>,
}

impl<'a> AuthenticTiles<'a> {
    /// Checks a set of tiles: those at the right edge give the root, every full one is a hash of its parent.
    ///
    /// # Errors
    /// A tile of the right edge or above another that is missing, one of another length or another tree, or
    /// another root.
    pub(super) fn new(size: u64, root: &Hash, set: &'a TileSet) -> Result<Self, LedgerError> {
        let refused = |path: &TilePath, why: &str| LedgerError::Proof {
            why: format!("{path} {why}"),
        };
        let mut tiles = BTreeMap::new();
        for (path, bytes) in set {
            let (hashes, rest) = bytes.as_chunks::<32>();
            if !rest.is_empty() || hashes.len() != usize::from(path.width()) {
                return Err(refused(path, "is of another length"));
            }
            tiles.insert(path, hashes.to_vec());
        }
        let edge: BTreeSet<TilePath> = edge_tiles(size).collect();
        let mut levels = Vec::new();
        for path in &edge {
            let hashes = tiles.get(path).ok_or_else(|| refused(path, "is missing"))?;
            levels.push(hashes.clone());
        }
        if fold(&levels) != *root {
            return Err(LedgerError::Proof {
                why: "the tiles are of another root".into(),
            });
        }
        for (path, hashes) in tiles.iter().filter(|(path, _)| !edge.contains(path)) {
            let above = parent(size, path).ok_or_else(|| refused(path, "is not of this tree"))?;
            let place = usize::try_from(path.number() % TILE_WIDTH).expect("below 256");
            let parent = tiles
                .get(&above)
                .ok_or_else(|| refused(&above, "is missing"))?;
            if parent.get(place) != Some(&perfect_root(hashes)) {
                return Err(refused(path, "does not hash to the root"));
            }
        }
        Ok(Self { size, tiles })
    }

    /// The hashes of a tile.
    ///
    /// # Errors
    /// One that is not among them.
    pub(super) fn hashes(&self, path: &TilePath) -> Result<&[Hash], LedgerError> {
        let hashes = self.tiles.get(path).map(Vec::as_slice);
        hashes.ok_or_else(|| LedgerError::Proof {
            why: format!("{path} is missing"),
        })
    }
}

impl HashReader for AuthenticTiles<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        let read = |index: &u64| {
            let (path, first, count) = locate(self.size, *index)?;
            let subtree = self.tiles.get(&path)?.get(first..first + count)?;
            Some(tlog_tiles::Hash(perfect_root(subtree)))
        };
        let one = |index| read(index).ok_or(Error::IndexesNotInTree);
        indexes.iter().map(one).collect()
    }
}
