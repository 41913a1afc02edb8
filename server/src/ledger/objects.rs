//! The public files, `/checkpoint` and `/tile/…`, in an object store, and proofs made from them alone.
//!
//! Replicas share one object store. The checkpoint here is for the fence at the next start and for whoever
//! mirrors the files; a service answers `/checkpoint` from the database ([`Store::published`]), because a
//! write that was given up for lost may still arrive here late, and be put right only by the next one.
//!
//! [`Store::published`]: super::store::Store::published

use std::{future::ready, pin::pin, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use galen_ledger::{
    LedgerError,
    tiles::{
        Checkpoint, Hash, Level, TILE_WIDTH, Tile, TilePath, TileSet, narrowed, prove_consistency,
        prove_inclusion, tiles_for_consistency, tiles_for_inclusion,
    },
};
use galen_query::text::hex;
use object_store::{
    Attribute, Attributes, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    local::LocalFileSystem, path::Path,
};
use sha2::{Digest, Sha256};

use super::{
    LedgerStoreError, bucket,
    lock::{Lock, WHOSE},
    near::Near,
};

/// The name of the checkpoint's object.
const CHECKPOINT: &str = "checkpoint";

/// Where tiles and checkpoints are kept that others have taken the place of.
const REPLACED: &str = "replaced";

/// How the writing of a tile ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Put {
    /// The store holds these bytes under this name.
    Stored,
    /// It holds others.
    Different,
}

/// How long whoever reads a file may keep it that is what it is for good.
pub(crate) const FOREVER: &str = "public, max-age=31536000, immutable";

/// The same of the checkpoint.
pub(crate) const FRESH: &str = "no-cache";

/// So many tiles are read or written at the same time.
const AT_ONCE: usize = 8;

/// The public files of a log.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    lock: Option<Lock>,
    /// Of another machine's store, tiles that were read. Its objects say how long they may be kept: a bucket is read without
    /// a service in front of it.
    near: Option<Arc<Near>>,
}

impl Objects {
    /// Files in any object store that reads its own writes and can create without overwriting, without a lock.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            lock: None,
            near: None,
        }
    }

    /// Files in another machine's store: with the lock beside them, and tiles that are read again and again kept at hand. The
    /// store must replace by compare-and-swap, too.
    #[must_use]
    pub fn remote(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            lock: Some(Lock::new(store.clone())),
            store,
            near: Some(Arc::default()),
        }
    }

    /// Files in object storage, `s3://bucket/prefix`, as [`remote`](Self::remote).
    ///
    /// # Errors
    /// [`LedgerStoreError::Bucket`].
    pub fn bucket(url: &str) -> Result<Self, LedgerStoreError> {
        Ok(Self::remote(bucket::open(url)?))
    }

    /// These files, with the lock in another store: one that replaces by compare-and-swap.
    #[must_use]
    pub fn locked_in(self, store: Arc<dyn ObjectStore>) -> Self {
        let lock = Some(Lock::new(store));
        Self { lock, ..self }
    }

    /// These files, with the lock in other object storage, `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`LedgerStoreError::Bucket`].
    pub fn locked_in_bucket(self, url: &str) -> Result<Self, LedgerStoreError> {
        Ok(self.locked_in(bucket::open(url)?))
    }

    /// Whether a halt was found by a lock, and these files have none.
    #[must_use]
    pub fn found_by_lock(&self, halt: &str) -> bool {
        self.lock.is_none() && halt.contains(WHOSE)
    }

    /// The lock may be made where there is none, though the database has published.
    #[must_use]
    pub fn with_new_lock(self) -> Self {
        let lock = self.lock.map(Lock::may_be_made);
        Self { lock, ..self }
    }

    /// The lock beside the database, if there is to be one.
    pub(super) fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// Makes sure that the stores can be written to and keep what is there, where that is not the file system's to do.
    ///
    /// # Errors
    /// [`LedgerStoreError::Unconditional`]; a store that is not there or cannot be written to.
    pub async fn try_conditions(&self) -> Result<(), LedgerStoreError> {
        let files = self.near.is_some().then_some(&self.store);
        let lock = self.lock.as_ref().map(Lock::store);
        // Most often one store has both.
        let lock = lock.filter(|lock| files.is_none_or(|files| !Arc::ptr_eq(files, lock)));
        for store in files.into_iter().chain(lock) {
            bucket::try_conditions(&**store).await?;
        }
        Ok(())
    }

    /// Files below a folder that exists. Every write is synced, and its folder too, before it returns.
    ///
    /// # Errors
    /// A folder that is not there.
    pub fn local(folder: &std::path::Path) -> Result<Self, LedgerStoreError> {
        let path = Path::from(CHECKPOINT);
        let store =
            LocalFileSystem::new_with_prefix(folder).map_err(LedgerStoreError::object(&path))?;
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self::new(Arc::new(store)))
    }

    pub(super) fn inner(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// How something is written, and how long readers may keep it.
    fn options(&self, mode: PutMode, keep: &'static str) -> PutOptions {
        let mut options = PutOptions::from(mode);
        if self.near.is_some() {
            options.attributes = Attributes::from_iter([(Attribute::CacheControl, keep)]);
        }
        options
    }

    /// How something is written that is what it is for good.
    pub(super) fn for_good(&self, mode: PutMode) -> PutOptions {
        self.options(mode, FOREVER)
    }

    pub(super) async fn get(&self, path: &Path) -> Result<Option<Bytes>, LedgerStoreError> {
        let found = match self.store.get(path).await {
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
        self.put(CHECKPOINT.into(), text.as_bytes().to_vec().into())
            .await
    }

    /// As [`put_checkpoint`](Self::put_checkpoint), and keeps what was served: it may be another key's, or bear
    /// cosignatures.
    pub(super) async fn replace_checkpoint(&self, text: &str) -> Result<(), LedgerStoreError> {
        if let Some(other) = self.checkpoint().await? {
            self.keep(CHECKPOINT, other).await?;
        }
        self.put_checkpoint(text).await
    }

    /// Serves no checkpoint any more, and keeps the one that was.
    pub(super) async fn drop_checkpoint(&self) -> Result<(), LedgerStoreError> {
        let Some(other) = self.checkpoint().await? else {
            return Ok(());
        };
        self.keep(CHECKPOINT, other).await?;
        let path = Path::from(CHECKPOINT);
        let deleted = self.store.delete(&path).await;
        deleted.map_err(LedgerStoreError::object(&path))
    }

    /// Keeps what was at a path, by its digest: a later one does not take its place.
    async fn keep(&self, path: &str, bytes: Bytes) -> Result<(), LedgerStoreError> {
        let digest = hex(&Sha256::digest(&bytes)[..8]);
        self.put(format!("{REPLACED}/{path}.{digest}"), bytes).await
    }

    /// A tile or bundle, exactly as stored and unverified.
    ///
    /// # Errors
    /// The store's.
    pub async fn tile(&self, path: &TilePath) -> Result<Option<Bytes>, LedgerStoreError> {
        self.get(&Path::from(path.to_string())).await
    }

    /// A tile or bundle of the length that its name says, otherwise unverified; a partial one that is gone is cut from
    /// the full one (c2sp.org/tlog-tiles allows to delete it then).
    ///
    /// # Errors
    /// The store's; one that is torn.
    pub async fn published_tile(
        &self,
        path: &TilePath,
    ) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        let found = match self.tile(path).await? {
            Some(bytes) => Some((*path, bytes)),
            None => self.tile(&path.full()).await?.map(|b| (path.full(), b)),
        };
        let Some((found, bytes)) = found else {
            return Ok(None);
        };
        let torn = |_| LedgerStoreError::damaged(format!("{found} is torn"));
        let whole = narrowed(found.level(), &bytes, found.width()).map_err(torn)?;
        if whole.len() != bytes.len() {
            return Err(torn(LedgerError::damaged("longer than it is wide")));
        }
        if found == *path {
            return Ok(Some(whole));
        }
        Ok(Some(narrowed(path.level(), &whole, path.width())?))
    }

    /// The partial tiles or bundles that are stored in a tile's place.
    async fn partials(&self, path: &TilePath) -> Result<Vec<TilePath>, LedgerStoreError> {
        let folder = Path::from(format!("{}.p", path.full()));
        let listed = self.store.list_with_delimiter(Some(&folder)).await;
        let listed = listed.map_err(LedgerStoreError::object(&folder))?;
        let names = listed.objects.iter().map(|o| o.location.as_ref());
        Ok(names.filter_map(|n| TilePath::parse(n).ok()).collect())
    }

    /// The narrower tiles or bundles that are stored in this one's place, as they are to be.
    pub(super) async fn narrower(&self, tile: &Tile) -> Result<Vec<Tile>, LedgerStoreError> {
        let stored = self.partials(&tile.path).await?.into_iter();
        let narrower = stored.filter(|path| path.width() < tile.path.width());
        let one = |path: TilePath| {
            let bytes = tile.narrowed(path.width())?;
            Ok(Tile { path, bytes })
        };
        narrower.map(one).collect()
    }

    /// Deletes the partial tiles and bundles that full ones have taken the place of, of these full ones. A published
    /// checkpoint must cover them: c2sp.org/tlog-tiles lets readers of earlier ones take the full one.
    pub(super) async fn collect(
        &self,
        full: impl IntoIterator<Item = TilePath>,
    ) -> Result<(), LedgerStoreError> {
        let partials = stream::iter(full).map(|path| async move { self.partials(&path).await });
        let partials: Vec<_> = partials.buffered(AT_ONCE).try_collect().await?;
        self.delete(partials.into_iter().flatten()).await
    }

    /// [`collect`](Self::collect) of all tiles of a tree of this size, which is published: what earlier runs have left.
    pub(super) async fn collect_all(&self, size: u64) -> Result<(), LedgerStoreError> {
        let folder = Path::from("tile");
        let names = self.store.list(Some(&folder)).map_ok(|o| o.location);
        let replaced = names.try_filter_map(|name| {
            let path = TilePath::parse(name.as_ref()).ok();
            let replaced = path.filter(|p| !p.is_full() && p.full().least_size() <= size);
            ready(Ok(replaced))
        });
        let replaced: Vec<_> = replaced
            .try_collect()
            .await
            .map_err(LedgerStoreError::object(&folder))?;
        self.delete(replaced).await
    }

    async fn delete(
        &self,
        tiles: impl IntoIterator<Item = TilePath>,
    ) -> Result<(), LedgerStoreError> {
        let paths = tiles.into_iter().map(|p| Path::from(p.to_string()));
        let paths: Vec<_> = paths.map(Ok).collect();
        let mut deleted = self.store.delete_stream(stream::iter(paths).boxed());
        while let Some(deleted) = deleted.next().await {
            match deleted {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(LedgerStoreError::object(&Path::from("tile"))(e)),
            }
        }
        Ok(())
    }

    /// A tile or bundle of a log of more entries than these where such a log goes on at one of its levels, if there is
    /// one. Some look-ups, however large the log is: a larger one has a full tile there, or a wider partial one.
    pub(super) async fn beyond(&self, size: u64) -> Result<Option<TilePath>, LedgerStoreError> {
        let hashes = (0..=TilePath::TOP).map(|l| (Level::Hashes(l), size >> (8 * l)));
        for (level, full) in hashes.chain([(Level::Entries, size)]) {
            let next = TilePath::new(level, full / TILE_WIDTH, 256)?;
            if self.tile(&next).await?.is_some() {
                return Ok(Some(next));
            }
            let mut partials = self.partials(&next).await?.into_iter();
            let wider = partials.find(|p| p.least_size() > size);
            if wider.is_some() {
                return Ok(wider);
            }
        }
        Ok(None)
    }

    /// Of all tiles and bundles one of the largest log, by their names.
    pub(super) async fn farthest(&self) -> Result<Option<TilePath>, LedgerStoreError> {
        let folder = Path::from("tile");
        let mut names = self.store.list(Some(&folder));
        let mut farthest: Option<TilePath> = None;
        while let Some(object) = names.next().await {
            let object = object.map_err(LedgerStoreError::object(&folder))?;
            let path = TilePath::parse(object.location.as_ref()).ok();
            farthest = farthest
                .into_iter()
                .chain(path)
                .max_by_key(TilePath::least_size);
        }
        Ok(farthest)
    }

    /// Writes a tile in the place of `other`, which is kept: should it be no torn tile but one of another history, it is
    /// the proof of that. Durable when it returns.
    pub(super) async fn replace_tile(
        &self,
        tile: Tile,
        other: Option<Bytes>,
    ) -> Result<(), LedgerStoreError> {
        let path = tile.path.to_string();
        if let Some(other) = other {
            self.keep(&path, other).await?;
        }
        self.put(path, tile.bytes.into()).await
    }

    /// Writes an object whatever is there. Durable when it returns.
    async fn put(&self, path: String, bytes: Bytes) -> Result<(), LedgerStoreError> {
        let keep = if path == CHECKPOINT { FRESH } else { FOREVER };
        let path = Path::from(path);
        let options = self.options(PutMode::Overwrite, keep);
        let put = self.store.put_opts(&path, bytes.into(), options).await;
        put.map(|_| ()).map_err(LedgerStoreError::object(&path))
    }

    /// [`put_tile`](Self::put_tile) of several, in any order. The first that is there with other contents, if one is.
    pub(super) async fn put_tiles(
        &self,
        tiles: Vec<Tile>,
    ) -> Result<Option<TilePath>, LedgerStoreError> {
        let one = |tile: Tile| async move {
            let put = self.put_tile(&tile).await?;
            Ok((put == Put::Different).then_some(tile.path))
        };
        let puts = stream::iter(tiles).map(one).buffered(AT_ONCE);
        let different = puts.try_filter_map(|path| ready(Ok(path)));
        pin!(different).try_next().await
    }

    /// Creates a tile, never changing one that is there. Durable when it returns [`Put::Stored`].
    async fn put_tile(&self, tile: &Tile) -> Result<Put, LedgerStoreError> {
        let path = Path::from(tile.path.to_string());
        let payload = || tile.bytes.clone().into();
        let create = self.for_good(PutMode::Create);
        let created = self.store.put_opts(&path, payload(), create);
        let there = match created.await {
            Ok(_) => return Ok(Put::Stored),
            Err(e) => e,
        };
        let found = match &there {
            object_store::Error::AlreadyExists { .. } => self.get(&path).await?,
            _ => None,
        };
        match found {
            Some(found) if found == tile.bytes => {}
            Some(_) => return Ok(Put::Different),
            // A store that fails; or what is there cannot be read, as a link to nothing, and contradicts nobody.
            None => return Err(LedgerStoreError::object(&path)(there)),
        }
        // The same bytes, from a run that may have died before its folder was synced: writing them once more
        // makes them durable and changes nothing.
        let again = self.for_good(PutMode::Overwrite);
        let put = self.store.put_opts(&path, payload(), again).await;
        put.map_err(LedgerStoreError::object(&path))?;
        Ok(Put::Stored)
    }

    pub(super) async fn fetch(&self, paths: Vec<TilePath>) -> Result<TileSet, LedgerStoreError> {
        let one = |path: TilePath| async move {
            let missing = || LedgerStoreError::damaged(format!("{path} is missing"));
            let tile = self.published_tile(&path).await?.ok_or_else(missing)?;
            Ok::<_, LedgerStoreError>((path, tile))
        };
        let mut found = pin!(stream::iter(paths).map(one).buffered(AT_ONCE));
        let mut tiles = TileSet::new();
        while let Some((path, tile)) = found.try_next().await? {
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
        let paths = tiles_for_inclusion(head.size, index)?;
        let prove = |tiles: &TileSet| prove_inclusion(head.size, &head.root, index, leaf, tiles);
        self.prove(paths, prove).await
    }

    /// A proof from tiles, those at hand first.
    async fn prove(
        &self,
        paths: Vec<TilePath>,
        prove: impl Fn(&TileSet) -> Result<Vec<Hash>, LedgerError>,
    ) -> Result<Vec<Hash>, LedgerStoreError> {
        let Some(store) = &self.near else {
            return Ok(prove(&self.fetch(paths).await?)?);
        };
        let (mut near, far) = store.split(&paths);
        if !near.is_empty() {
            near.extend(self.fetch(far).await?);
            if let Ok(proof) = prove(&near) {
                store.keep(near);
                return Ok(proof);
            }
            store.forget(&paths);
        }
        let tiles = self.fetch(paths).await?;
        let proof = prove(&tiles)?;
        store.keep(tiles);
        Ok(proof)
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
        let paths = tiles_for_consistency(old, head.size)?;
        let prove = |tiles: &TileSet| prove_consistency(old, head.size, &head.root, tiles);
        self.prove(paths, prove).await
    }
}
