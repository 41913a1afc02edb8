//! The public files, `/checkpoint` and `/tile/…`, in an object store, and proofs made from them alone.
//!
//! Replicas share one object store. The checkpoint here is for the fence at the next start and for whoever
//! mirrors the files; a service answers `/checkpoint` from the database ([`Store::published`]), because a
//! write that was given up for lost may still arrive here late, and be put right only by the next one.
//!
//! [`Store::published`]: super::store::Store::published

use std::sync::Arc;

use bytes::Bytes;
use galen_ledger::tiles::{
    Checkpoint, Hash, Level, Tile, TilePath, TileSet, parse_bundle, prove_consistency,
    prove_inclusion, push_entry, tiles_for_consistency, tiles_for_inclusion,
};
use object_store::{ObjectStore, ObjectStoreExt, PutMode, local::LocalFileSystem, path::Path};

use super::LedgerStoreError;

/// The name of the checkpoint's object.
const CHECKPOINT: &str = "checkpoint";

/// How the writing of a tile ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// The store holds these bytes under this name.
    Stored,
    /// It holds others.
    Different,
}

/// The public files of a log.
#[derive(Debug, Clone)]
pub struct Objects(Arc<dyn ObjectStore>);

impl Objects {
    /// Files in any object store that reads its own writes and can create without overwriting.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }

    /// Files below a folder that exists. Every write is synced, and its folder too, before it returns.
    ///
    /// # Errors
    /// A folder that is not there.
    pub fn local(folder: &std::path::Path) -> Result<Self, LedgerStoreError> {
        let path = Path::from(CHECKPOINT);
        let store =
            LocalFileSystem::new_with_prefix(folder).map_err(LedgerStoreError::object(&path))?;
        Ok(Self(Arc::new(store.with_fsync(true))))
    }

    pub(super) fn inner(&self) -> &Arc<dyn ObjectStore> {
        &self.0
    }

    pub(super) async fn get(&self, path: &Path) -> Result<Option<Bytes>, LedgerStoreError> {
        let found = match self.0.get(path).await {
            Ok(found) => found.bytes().await,
            Err(e) => Err(e),
        };
        match found {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(LedgerStoreError::object(path)(e)),
        }
    }

    /// The served checkpoint, unverified.
    ///
    /// # Errors
    /// The store's.
    pub async fn checkpoint(&self) -> Result<Option<Bytes>, LedgerStoreError> {
        self.get(&Path::from(CHECKPOINT)).await
    }

    /// Replaces the served checkpoint. Durable when it returns.
    pub(super) async fn put_checkpoint(&self, text: &str) -> Result<(), LedgerStoreError> {
        let path = Path::from(CHECKPOINT);
        let put = self.0.put(&path, text.as_bytes().to_vec().into()).await;
        put.map(|_| ()).map_err(LedgerStoreError::object(&path))
    }

    /// A tile or bundle, exactly as stored and unverified.
    ///
    /// # Errors
    /// The store's.
    pub async fn tile(&self, path: &TilePath) -> Result<Option<Bytes>, LedgerStoreError> {
        self.get(&Path::from(path.to_string())).await
    }

    /// A tile or bundle, unverified; a partial one that is gone is cut from the full one (c2sp.org/tlog-tiles
    /// allows to delete it then).
    ///
    /// # Errors
    /// The store's; a full one that is torn.
    pub async fn published_tile(
        &self,
        path: &TilePath,
    ) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        if let Some(bytes) = self.tile(path).await? {
            return Ok(Some(bytes.to_vec()));
        }
        let Some(full) = self.tile(&path.full()).await? else {
            return Ok(None);
        };
        let width = usize::from(path.width());
        match path.level() {
            Level::Hashes(_) => {
                let torn = || LedgerStoreError::damaged(format!("{} is torn", path.full()));
                Ok(Some(full.get(..32 * width).ok_or_else(torn)?.to_vec()))
            }
            Level::Entries => {
                let mut bundle = Vec::new();
                for entry in parse_bundle(&full)?.iter().take(width) {
                    push_entry(&mut bundle, entry)?;
                }
                Ok(Some(bundle))
            }
        }
    }

    /// Creates a tile, never changing one that is there. Durable when it returns [`Put::Stored`].
    pub(super) async fn put_tile(&self, tile: &Tile) -> Result<Put, LedgerStoreError> {
        let path = Path::from(tile.path.to_string());
        let payload = || tile.bytes.clone().into();
        let created = self.0.put_opts(&path, payload(), PutMode::Create.into());
        match created.await {
            Ok(_) => return Ok(Put::Stored),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(e) => return Err(LedgerStoreError::object(&path)(e)),
        }
        if self.get(&path).await?.as_deref() != Some(tile.bytes.as_slice()) {
            return Ok(Put::Different);
        }
        // The same bytes, from a run that may have died before its folder was synced: writing them once more
        // makes them durable and changes nothing.
        let put = self.0.put(&path, payload()).await;
        put.map_err(LedgerStoreError::object(&path))?;
        Ok(Put::Stored)
    }

    pub(super) async fn fetch(&self, paths: Vec<TilePath>) -> Result<TileSet, LedgerStoreError> {
        let mut tiles = TileSet::new();
        for path in paths {
            let missing = || LedgerStoreError::damaged(format!("{path} is missing"));
            let tile = self.published_tile(&path).await?.ok_or_else(missing)?;
            tiles.insert(path, tile);
        }
        Ok(tiles)
    }

    /// The inclusion proof of `leaf` at `index` under a checkpoint, verified before it is handed out.
    ///
    /// # Errors
    /// An index that the checkpoint does not cover, another leaf, tiles missing or damaged.
    pub async fn prove_inclusion(
        &self,
        head: &Checkpoint,
        index: u64,
        leaf: &Hash,
    ) -> Result<Vec<Hash>, LedgerStoreError> {
        let tiles = self.fetch(tiles_for_inclusion(head.size, index)?).await?;
        Ok(prove_inclusion(head.size, &head.root, index, leaf, &tiles)?)
    }

    /// The proof that a checkpoint's tree begins with that of size `old`.
    ///
    /// # Errors
    /// Sizes out of order, tiles missing or damaged.
    pub async fn prove_consistency(
        &self,
        old: u64,
        head: &Checkpoint,
    ) -> Result<Vec<Hash>, LedgerStoreError> {
        let tiles = self.fetch(tiles_for_consistency(old, head.size)?).await?;
        Ok(prove_consistency(old, head.size, &head.root, &tiles)?)
    }
}
