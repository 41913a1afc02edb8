//! Tiles of hashes near at hand, where the store of files is another machine's: proofs of single entries ask for the same
//! few again and again. Only tiles are kept that a proof was made from, which checks them against the root; and a proof
//! that they do not give is made once more from the store.

use std::{
    num::NonZero,
    sync::{Mutex, PoisonError},
};

use galen_ledger::tiles::{TilePath, TileSet};
use lru::LruCache;

/// Tiles kept, of 8 KiB each: those of the last half million entries.
const KEPT: NonZero<usize> = NonZero::new(2_048).expect("not zero");

#[derive(Debug)]
pub(super) struct Near(Mutex<LruCache<String, Vec<u8>>>);

impl Default for Near {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT)))
    }
}

impl Near {
    /// Those of these tiles that are at hand, and the others.
    pub(super) fn split(&self, paths: &[TilePath]) -> (TileSet, Vec<TilePath>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut near, mut far) = (TileSet::new(), Vec::new());
        for path in paths {
            match kept.get(&path.to_string()) {
                Some(bytes) => {
                    near.insert(*path, bytes.clone());
                }
                None => far.push(*path),
            }
        }
        (near, far)
    }

    /// Keeps tiles that are of the tree.
    pub(super) fn keep(&self, tiles: TileSet) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, bytes) in tiles {
            kept.put(path.to_string(), bytes);
        }
    }

    /// Drops tiles that may not be.
    pub(super) fn forget(&self, paths: &[TilePath]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            kept.pop(&path.to_string());
        }
    }
}
