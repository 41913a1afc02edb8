//! Inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2), from tiles alone.
//!
//! Making one takes two steps, so that reading tiles may be asynchronous: ask which tiles it needs, fetch
//! them, then prove. Every tile is authenticated against the root before a hash of it is used, so a damaged
//! tile makes an error, never a false proof.

use std::cell::RefCell;

use tlog_tiles::{Error, HashReader, tlog};

use super::{
    EMPTY_ROOT, Hash, MAX_SIZE, TilePath, TileSet,
    authentic::{self, AuthenticTiles},
};
use crate::LedgerError;

/// The most hashes of a proof: two a level.
const MAX_PROOF: usize = 80;

fn refused(e: impl std::fmt::Display) -> LedgerError {
    LedgerError::Proof { why: e.to_string() }
}

/// 1 ≤ size ≤ [`MAX_SIZE`]: what `tlog_tiles` takes without panicking.
fn check_size(size: u64) -> Result<(), LedgerError> {
    if (1..=MAX_SIZE).contains(&size) {
        Ok(())
    } else {
        Err(LedgerError::range(format!("a tree of size {size}")))
    }
}

/// Where `tlog_tiles` counts the hash of a leaf.
fn own_leaf(index: u64) -> u64 {
    tlog::stored_hash_index(0, index)
}

fn check_index(size: u64, index: u64) -> Result<(), LedgerError> {
    check_size(size)?;
    if index < size {
        Ok(())
    } else {
        Err(LedgerError::range(format!(
            "index {index} in a tree of size {size}"
        )))
    }
}

/// Whether a consistency proof between these sizes has any hashes.
fn check_growth(old: u64, new: u64) -> Result<bool, LedgerError> {
    if old > new || new > MAX_SIZE {
        return Err(LedgerError::range(format!(
            "consistency between sizes {old} and {new}"
        )));
    }
    Ok(old != 0 && old != new)
}

/// Notes which hashes a computation asks for, and answers none.
#[derive(Default)]
struct Recorder(RefCell<Vec<u64>>);

impl HashReader for Recorder {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        self.0.borrow_mut().extend_from_slice(indexes);
        Err(Error::IndexesNotInTree)
    }
}

/// The tiles that a computation needs: those of the hashes that it asks for.
fn plan<T>(size: u64, run: impl Fn(&Recorder) -> Result<T, Error>) -> Vec<TilePath> {
    let recorder = Recorder::default();
    // It is meant to fail; the empty proof alone asks for nothing.
    let _ = run(&recorder);
    authentic::needed(size, &recorder.0.into_inner())
}

fn run(
    size: u64,
    root: &Hash,
    tiles: &TileSet,
    run: impl Fn(&AuthenticTiles<'_>) -> Result<Vec<tlog_tiles::Hash>, Error>,
) -> Result<Vec<Hash>, LedgerError> {
    let proof = run(&AuthenticTiles::new(size, root, tiles)?).map_err(refused)?;
    Ok(proof.into_iter().map(|h| h.0).collect())
}

/// Tiles to fetch for [`prove_inclusion`] in the tree of this size. A partial one that is gone may be cut
/// from the full one.
///
/// # Errors
/// An index outside the tree.
pub fn tiles_for_inclusion(size: u64, index: u64) -> Result<Vec<TilePath>, LedgerError> {
    check_index(size, index)?;
    let mut tiles = plan(size, |r| tlog::prove_record(size, index, r));
    // The entry's own leaf hash is compared too, as in `prove_inclusion`.
    tiles.extend(plan(size, |r| r.read_hashes(&[own_leaf(index)])));
    tiles.sort_unstable();
    tiles.dedup();
    Ok(tiles)
}

/// The proof that the tree with this size and root holds `leaf` at `index`: hashes from the leaf upward.
///
/// # Errors
/// An index outside the tree, a tile that is missing or does not hash to the root, another leaf.
pub fn prove_inclusion(
    size: u64,
    root: &Hash,
    index: u64,
    leaf: &Hash,
    tiles: &TileSet,
) -> Result<Vec<Hash>, LedgerError> {
    check_index(size, index)?;
    let proof = run(size, root, tiles, |r| {
        let own = r.read_hashes(&[own_leaf(index)])?;
        if own != [tlog_tiles::Hash(*leaf)] {
            return Err(Error::InconsistentTile);
        }
        tlog::prove_record(size, index, r)
    })?;
    verify_inclusion(size, root, index, leaf, &proof)?;
    Ok(proof)
}

/// Tiles to fetch for [`prove_consistency`], all of the new tree.
///
/// # Errors
/// Sizes out of order.
pub fn tiles_for_consistency(old: u64, new: u64) -> Result<Vec<TilePath>, LedgerError> {
    if !check_growth(old, new)? {
        return Ok(Vec::new());
    }
    Ok(plan(new, |r| tlog::prove_tree(new, old, r)))
}

/// The proof that the tree of size `new` with this root begins with that of size `old`; empty if `old` is 0
/// or `new`.
///
/// # Errors
/// Sizes out of order, a tile that is missing or does not hash to the root.
pub fn prove_consistency(
    old: u64,
    new: u64,
    root: &Hash,
    tiles: &TileSet,
) -> Result<Vec<Hash>, LedgerError> {
    if !check_growth(old, new)? {
        return Ok(Vec::new());
    }
    run(new, root, tiles, |r| tlog::prove_tree(new, old, r))
}

fn proof_of(hashes: &[Hash]) -> Result<Vec<tlog_tiles::Hash>, LedgerError> {
    if hashes.len() > MAX_PROOF {
        return Err(refused("it is too long"));
    }
    Ok(hashes.iter().map(|h| tlog_tiles::Hash(*h)).collect())
}

/// Checks that the tree with this size and root holds `leaf` at `index`.
///
/// # Errors
/// [`LedgerError::Proof`], or an index outside the tree.
pub fn verify_inclusion(
    size: u64,
    root: &Hash,
    index: u64,
    leaf: &Hash,
    proof: &[Hash],
) -> Result<(), LedgerError> {
    check_index(size, index)?;
    let (root, leaf) = (tlog_tiles::Hash(*root), tlog_tiles::Hash(*leaf));
    tlog::check_record(&proof_of(proof)?, size, root, index, leaf).map_err(refused)
}

/// Checks that the tree of `new` (size, root) begins with that of `old`.
///
/// # Errors
/// [`LedgerError::Proof`], or sizes out of order.
pub fn verify_consistency(
    old: (u64, &Hash),
    new: (u64, &Hash),
    proof: &[Hash],
) -> Result<(), LedgerError> {
    if !check_growth(old.0, new.0)? {
        let same = if old.0 == new.0 { old.1 == new.1 } else { true };
        let empty = old.0 != 0 || *old.1 == EMPTY_ROOT;
        return if proof.is_empty() && same && empty {
            Ok(())
        } else {
            Err(refused("the trees differ, or the proof is not empty"))
        };
    }
    let (old_root, new_root) = (tlog_tiles::Hash(*old.1), tlog_tiles::Hash(*new.1));
    tlog::check_tree(&proof_of(proof)?, new.0, new_root, old.0, old_root).map_err(refused)
}
