//! The files that entries name by their SHA-256: registries, parameter sets, manifests, proofs.
//!
//! `blobs/<first two hex digits>/<sha256>` holds those of accepted statements, for good; `staging/<sha256>`
//! those that were sent before their statement, for a while and in bounded space. A file is promoted from the
//! one to the other, durably, **before** the statement that names it gets its index: so an entry never names a
//! file that is not there. If the statement is refused after all, the file stays; nothing refers to it.
//!
//! What is read is hashed: bytes that are not those of their name are never handed out.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::TryStreamExt;
use galen_ledger::tiles::Hash;
use galen_query::text::{from_hex, hex};
use object_store::{ObjectStoreExt, PutMode, path::Path};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{MappedMutexGuard, Mutex, MutexGuard},
    task::spawn_blocking,
};

use super::{LedgerStoreError, objects::Objects};

const STAGING: &str = "staging";

/// What a staged file counts for at least, bytes: a disk's block. So many small files are bounded too.
const LEAST: u64 = 4_096;

/// The bounds of the staging area.
#[derive(Debug, Clone, Copy)]
pub struct Staging {
    /// Bytes of all files together, each counted as at least 4,096.
    pub bytes: u64,
    /// The age at which a file is dropped.
    pub age: Duration,
}

impl Default for Staging {
    /// 256 MiB, 15 minutes.
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            age: Duration::from_secs(15 * 60),
        }
    }
}

/// Files beside the log; cheap to clone. The bounds of the staging area are each replica's own.
#[derive(Debug, Clone)]
pub struct Blobs {
    objects: Objects,
    bounds: Staging,
    /// Listed when it is first needed.
    shelf: Arc<Mutex<Option<Shelf>>>,
}

/// What is staged: when, and what it counts for.
type Shelf = BTreeMap<Hash, (SystemTime, u64)>;

/// Takes from the shelf what is to be dropped, so that `more` bytes fit: the old, and then the oldest.
fn make_room(shelf: &mut Shelf, more: u64, bounds: &Staging, now: SystemTime) -> Vec<Hash> {
    let mut by_age: Vec<_> = shelf.iter().map(|(h, (at, n))| (*at, *h, *n)).collect();
    by_age.sort_unstable();
    let mut total: u64 = by_age.iter().map(|(_, _, n)| n).sum();
    let mut dropped = Vec::new();
    for (at, sha256, n) in by_age {
        let expired = now.duration_since(at).is_ok_and(|age| age >= bounds.age);
        if !expired && total.saturating_add(more) <= bounds.bytes {
            break;
        }
        total -= n;
        shelf.remove(&sha256);
        dropped.push(sha256);
    }
    dropped
}

fn final_path(sha256: &Hash) -> Path {
    let name = hex(sha256);
    Path::from(format!("blobs/{}/{name}", &name[..2]))
}

fn staged_path(sha256: &Hash) -> Path {
    Path::from(format!("{STAGING}/{}", hex(sha256)))
}

/// Hashing 256 MiB takes a good part of a second: not on a thread that serves others.
async fn digest(bytes: &Bytes) -> Hash {
    let bytes = bytes.clone();
    let hashed = spawn_blocking(move || Sha256::digest(&bytes).into()).await;
    hashed.expect("hashing does not panic")
}

async fn check(bytes: &Bytes, named: &Hash) -> Result<(), LedgerStoreError> {
    let got = digest(bytes).await;
    if got == *named {
        Ok(())
    } else {
        Err(LedgerStoreError::Digest {
            named: hex(named),
            got: hex(&got),
        })
    }
}

impl Objects {
    /// An accepted file, checked.
    ///
    /// # Errors
    /// The store's; a file with other bytes than its name says.
    pub(super) async fn blob(&self, sha256: &Hash) -> Result<Option<Bytes>, LedgerStoreError> {
        self.checked(&final_path(sha256), sha256).await
    }

    async fn checked(&self, path: &Path, sha256: &Hash) -> Result<Option<Bytes>, LedgerStoreError> {
        let Some(bytes) = self.get(path).await? else {
            return Ok(None);
        };
        if digest(&bytes).await != *sha256 {
            let why = format!("{path} holds other bytes than its name says");
            return Err(LedgerStoreError::damaged(why));
        }
        Ok(Some(bytes))
    }
}

impl Blobs {
    /// The files beside a log's public ones.
    #[must_use]
    pub fn new(objects: &Objects, bounds: Staging) -> Self {
        Self {
            objects: objects.clone(),
            bounds,
            shelf: Arc::default(),
        }
    }

    /// Keeps a file for good. Durable when it returns.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, bytes: Bytes) -> Result<Hash, LedgerStoreError> {
        let sha256 = digest(&bytes).await;
        self.write(&sha256, bytes).await?;
        Ok(sha256)
    }

    /// Keeps the file of this name for good; it need not be staged any longer. Durable when it returns.
    ///
    /// # Errors
    /// [`LedgerStoreError::Digest`], or the store's.
    pub async fn keep(&self, sha256: &Hash, bytes: Bytes) -> Result<(), LedgerStoreError> {
        check(&bytes, sha256).await?;
        self.write(sha256, bytes).await?;
        self.unstage(sha256).await
    }

    /// Moves a staged file to those that stay; one that stays already is written once more. Durable when it
    /// returns `true`; `false`: there is no such file, it must be sent again.
    ///
    /// # Errors
    /// The store's; a file with other bytes than its name says.
    pub async fn promote(&self, sha256: &Hash) -> Result<bool, LedgerStoreError> {
        let Some(bytes) = self.find(sha256).await? else {
            return Ok(false);
        };
        self.write(sha256, bytes).await?;
        self.unstage(sha256).await?;
        Ok(true)
    }

    async fn write(&self, sha256: &Hash, bytes: Bytes) -> Result<(), LedgerStoreError> {
        let (path, store) = (final_path(sha256), self.objects.inner());
        let how = |mode| self.objects.for_good(mode);
        let create = store.put_opts(&path, bytes.clone().into(), how(PutMode::Create));
        let put = match create.await {
            // What is there may be from a run that died before its folder was synced, or be damaged. These are
            // the right bytes: writing them once more repairs either, and else changes nothing.
            Err(object_store::Error::AlreadyExists { .. }) => {
                let again = store.put_opts(&path, bytes.into(), how(PutMode::Overwrite));
                again.await
            }
            put => put,
        };
        put.map(|_| ()).map_err(LedgerStoreError::object(&path))
    }

    /// Keeps the file of this name for a while, until a statement names it. Others may be dropped for it, the
    /// oldest first.
    ///
    /// # Errors
    /// [`LedgerStoreError::Digest`], [`LedgerStoreError::TooLarge`], or the store's.
    pub async fn stage(&self, sha256: &Hash, bytes: Bytes) -> Result<(), LedgerStoreError> {
        let length = bytes.len() as u64;
        if length > self.bounds.bytes {
            return Err(LedgerStoreError::TooLarge {
                bytes: length,
                most: self.bounds.bytes,
            });
        }
        check(&bytes, sha256).await?;
        let (now, counted) = (SystemTime::now(), length.max(LEAST));
        {
            let mut shelf = self.shelf().await?;
            shelf.remove(sha256);
            let dropped = make_room(&mut shelf, counted, &self.bounds, now);
            // Counted before it is written, so that uploads at the same time do not exceed the bound together;
            // and under the lock, so that none of those dropped is staged anew meanwhile.
            shelf.insert(*sha256, (now, counted));
            self.delete_staged(&dropped).await?;
        }
        let path = staged_path(sha256);
        let put = self.objects.inner().put(&path, bytes.into()).await;
        put.map(|_| ()).map_err(LedgerStoreError::object(&path))
    }

    /// Drops staged files that are too old. To be called now and then; [`stage`](Self::stage) does so too.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<(), LedgerStoreError> {
        let mut shelf = self.shelf().await?;
        let dropped = make_room(&mut shelf, 0, &self.bounds, SystemTime::now());
        self.delete_staged(&dropped).await
    }

    /// A file that stays, checked.
    ///
    /// # Errors
    /// The store's; a file with other bytes than its name says.
    pub async fn get(&self, sha256: &Hash) -> Result<Option<Bytes>, LedgerStoreError> {
        self.objects.blob(sha256).await
    }

    /// A file that is staged or stays, checked.
    ///
    /// # Errors
    /// The store's; a file with other bytes than its name says.
    pub async fn find(&self, sha256: &Hash) -> Result<Option<Bytes>, LedgerStoreError> {
        let staged = self.objects.checked(&staged_path(sha256), sha256).await?;
        match staged {
            Some(bytes) => Ok(Some(bytes)),
            None => self.get(sha256).await,
        }
    }

    /// Whether a file stays. It is not read.
    ///
    /// # Errors
    /// The store's.
    pub async fn contains(&self, sha256: &Hash) -> Result<bool, LedgerStoreError> {
        let path = final_path(sha256);
        match self.objects.inner().head(&path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(LedgerStoreError::object(&path)(e)),
        }
    }

    /// What is staged, with what is left from before this process.
    async fn shelf(&self) -> Result<MappedMutexGuard<'_, Shelf>, LedgerStoreError> {
        let mut shelf = self.shelf.lock().await;
        if shelf.is_none() {
            *shelf = Some(self.list_staged().await?);
        }
        Ok(MutexGuard::map(shelf, Option::get_or_insert_default))
    }

    async fn list_staged(&self) -> Result<Shelf, LedgerStoreError> {
        let prefix = Path::from(STAGING);
        let store = self.objects.inner();
        let found: Result<Vec<_>, _> = store.list(Some(&prefix)).try_collect().await;
        let mut shelf = Shelf::new();
        for meta in found.map_err(LedgerStoreError::object(&prefix))? {
            if let Some(sha256) = meta.location.filename().and_then(from_hex) {
                let at = SystemTime::from(meta.last_modified);
                shelf.insert(sha256, (at, meta.size.max(LEAST)));
            }
        }
        Ok(shelf)
    }

    async fn unstage(&self, sha256: &Hash) -> Result<(), LedgerStoreError> {
        self.shelf().await?.remove(sha256);
        self.delete_staged(&[*sha256]).await
    }

    async fn delete_staged(&self, dropped: &[Hash]) -> Result<(), LedgerStoreError> {
        for sha256 in dropped {
            let path = staged_path(sha256);
            match self.objects.inner().delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(LedgerStoreError::object(&path)(e)),
            }
        }
        Ok(())
    }
}
