//! The tree and its files, as c2sp.org/tlog-tiles has them: leaf hashes, tile paths, entry bundles,
//! checkpoints and proofs.
//!
//! The only module that knows `tlog_tiles` and `signed_note`. Those panic on sizes out of range and on an
//! empty tree, so every size is checked here before it reaches them.

mod authentic;
mod checkpoint;
mod edge;
mod nodes;
mod path;
mod proof;
mod root;

pub use checkpoint::{Checkpoint, LogKey, LogVerifier, MAX_CHECKPOINT_BYTES};
pub use edge::{Edge, Tile, narrowed, tiles_for_edge};
pub use nodes::{Span, proven_nodes};
pub use path::{Level, TilePath};
pub use proof::{
    prove_consistency, prove_inclusion, tiles_for_consistency, tiles_for_inclusion,
    verify_consistency, verify_inclusion,
};

use std::collections::BTreeMap;

use crate::LedgerError;

/// A node of the tree: SHA-256, 32 bytes.
pub type Hash = [u8; 32];

/// Fetched tiles: their bytes by name.
pub type TileSet = BTreeMap<TilePath, Vec<u8>>;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;

/// The most entries of a log: far more than will be, and small enough that no shift in `tlog_tiles` overflows.
pub const MAX_SIZE: u64 = 1 << 40;

/// The most bytes of an entry: a bundle's length prefix is a u16.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// The root of an empty tree: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = tlog_tiles::EMPTY_HASH.0;

/// A leaf's hash: SHA-256(0x00 ‖ entry) (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    tlog_tiles::record_hash(entry).0
}

/// An inner node's hash: SHA-256(0x01 ‖ left ‖ right) (RFC 6962, section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    tlog_tiles::node_hash(tlog_tiles::Hash(*left), tlog_tiles::Hash(*right)).0
}

/// Appends an entry to a bundle: its length (u16, big-endian), then its bytes.
///
/// # Errors
/// [`LedgerError::EntryTooLarge`].
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), LedgerError> {
    let length = u16::try_from(entry.len())
        .map_err(|_| LedgerError::EntryTooLarge { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in order.
///
/// # Errors
/// A bundle that ends within an entry, or holds more than 256.
pub fn parse_bundle(mut bundle: &[u8]) -> Result<Vec<&[u8]>, LedgerError> {
    let torn =
        || LedgerError::damaged("an entry bundle ends within an entry or holds more than 256");
    let mut entries = Vec::new();
    while let Some((prefix, rest)) = bundle.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*prefix));
        let (entry, rest) = rest.split_at_checked(length).ok_or_else(torn)?;
        entries.push(entry);
        bundle = rest;
    }
    if bundle.is_empty() && entries.len() <= 256 {
        Ok(entries)
    } else {
        Err(torn())
    }
}
