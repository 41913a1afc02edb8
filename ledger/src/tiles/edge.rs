//! The right edge of a growing tree: what is needed to append, and the tiles that appending makes.

use super::{
    Hash, Level, MAX_SIZE, TILE_WIDTH, TilePath, TileSet,
    authentic::{AuthenticTiles, edge_tiles},
    leaf_hash, parse_bundle, push_entry,
    root::{fold, perfect_root},
};
use crate::LedgerError;

/// A tile or bundle with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its name.
    pub path: TilePath,
    /// Hashes (32 bytes each) or entries (each behind its length).
    pub bytes: Vec<u8>,
}

impl Tile {
    /// The bytes of the tile or bundle in this one's place that is only so wide.
    ///
    /// # Errors
    /// A width beyond its own; bytes that are no tile's.
    pub fn narrowed(&self, width: u16) -> Result<Vec<u8>, LedgerError> {
        narrowed(self.path.level(), &self.bytes, width)
    }
}

/// The first `width` hashes or entries of a tile or bundle.
///
/// # Errors
/// Fewer of them; bytes that are no tile's.
pub fn narrowed(level: Level, bytes: &[u8], width: u16) -> Result<Vec<u8>, LedgerError> {
    let torn = || LedgerError::damaged("a tile or bundle is torn");
    let width = usize::from(width);
    match level {
        Level::Hashes(_) => Ok(bytes.get(..32 * width).ok_or_else(torn)?.to_vec()),
        Level::Entries => {
            let entries = parse_bundle(bytes)?;
            let mut narrow = Vec::new();
            for entry in entries.get(..width).ok_or_else(torn)? {
                push_entry(&mut narrow, entry)?;
            }
            Ok(narrow)
        }
    }
}

/// A tree's incomplete tiles, one a level, and its incomplete bundle.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    size: u64,
    /// `levels[L]`: fewer than 256 hashes of level L, those right of its last full tile.
    levels: Vec<Vec<Hash>>,
    /// The entries since the last full bundle.
    bundle: Vec<u8>,
}

impl Edge {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a tree of this size and root where another has left off: from its incomplete tiles
    /// ([`tiles_for_edge`]) and the entries since its last full bundle. What is taken is checked against the
    /// root; the entries before those are not looked at.
    ///
    /// # Errors
    /// A tile that is missing or does not hash to the root, other entries, or a size out of range.
    pub fn restore<E: AsRef<[u8]>>(
        size: u64,
        root: &Hash,
        tiles: &TileSet,
        entries: &[E],
    ) -> Result<Self, LedgerError> {
        if size > MAX_SIZE {
            return Err(LedgerError::range("the log's size"));
        }
        let tiles = AuthenticTiles::new(size, root, tiles)?;
        let mut edge = Self {
            size,
            ..Self::default()
        };
        for path in edge_tiles(size) {
            let Level::Hashes(level) = path.level() else {
                continue;
            };
            edge.levels.resize(usize::from(level), Vec::new());
            edge.levels.push(tiles.hashes(&path)?.to_vec());
        }
        let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e.as_ref())).collect();
        let within = usize::try_from(size % TILE_WIDTH).expect("below 256");
        let lowest = edge.levels.first().map_or(&[][..], Vec::as_slice);
        if leaves.len() != within || leaves != lowest {
            return Err(LedgerError::Proof {
                why: "the entries at the right edge are of another tree".into(),
            });
        }
        for entry in entries {
            push_entry(&mut edge.bundle, entry.as_ref())?;
        }
        Ok(edge)
    }

    /// Entries in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry. Tiles and the bundle that it completes are pushed to `full`.
    ///
    /// # Errors
    /// An entry longer than 65,535 bytes, or a log of [`MAX_SIZE`] entries.
    pub fn push(&mut self, entry: &[u8], full: &mut Vec<Tile>) -> Result<(), LedgerError> {
        if self.size >= MAX_SIZE {
            return Err(LedgerError::range("the log's size"));
        }
        push_entry(&mut self.bundle, entry)?;
        let mut hash = leaf_hash(entry);
        self.size += 1;
        if self.size.is_multiple_of(TILE_WIDTH) {
            let path = TilePath::new(Level::Entries, self.size / TILE_WIDTH - 1, 256)?;
            let bytes = std::mem::take(&mut self.bundle);
            full.push(Tile { path, bytes });
        }
        for level in 0u8.. {
            let l = usize::from(level);
            if self.levels.len() == l {
                self.levels.push(Vec::new());
            }
            self.levels[l].push(hash);
            if self.levels[l].len() < 256 {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[l]);
            let n = (self.size >> (8 * (u32::from(level) + 1))) - 1;
            hash = perfect_root(&hashes);
            full.push(Tile {
                path: TilePath::new(Level::Hashes(level), n, 256)?,
                bytes: hashes.concat(),
            });
        }
        Ok(())
    }

    /// The partial tiles and the partial bundle of the tree at its present size.
    ///
    /// # Errors
    /// None, for an edge within [`MAX_SIZE`].
    pub fn partials(&self) -> Result<Vec<Tile>, LedgerError> {
        let mut tiles = Vec::new();
        for (level, hashes) in (0u8..).zip(&self.levels) {
            let n = self.size >> (8 * (u32::from(level) + 1));
            let width = u16::try_from(hashes.len()).expect("fewer than 256 hashes");
            if width > 0 {
                tiles.push(Tile {
                    path: TilePath::new(Level::Hashes(level), n, width)?,
                    bytes: hashes.concat(),
                });
                if level == 0 {
                    tiles.push(Tile {
                        path: TilePath::new(Level::Entries, n, width)?,
                        bytes: self.bundle.clone(),
                    });
                }
            }
        }
        Ok(tiles)
    }

    /// The tree's root (RFC 6962, section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.levels)
    }
}

/// Tiles to fetch for [`Edge::restore`]: at most one a level.
///
/// # Errors
/// A size beyond [`MAX_SIZE`].
pub fn tiles_for_edge(size: u64) -> Result<Vec<TilePath>, LedgerError> {
    if size > MAX_SIZE {
        return Err(LedgerError::range("the log's size"));
    }
    Ok(edge_tiles(size).collect())
}
