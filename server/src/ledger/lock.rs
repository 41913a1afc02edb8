//! The lock beside the database: an object that holds the last checkpoint that was signed, replaced by compare-and-swap
//! *before* tiles are written, the database has the new one, and anyone sees it.
//!
//! Two copies of one database, on two machines or one of them brought back from a backup, would each find themselves in
//! order and sign two histories. They share the lock: it lets one of two checkpoints pass, and who finds another there
//! than its own entries give refuses to sign (as Sunlight does, <https://sunlight.dev>, where the lock is the
//! database's own). After a crash between the lock and the database the lock is ahead, and its checkpoint, which is of
//! these entries, is taken into the database.

use std::sync::Arc;

use galen_ledger::tiles::{Edge, LogVerifier};
use object_store::{Error, ObjectStore, PutMode, UpdateVersion, path::Path};

use super::{
    LedgerStoreError,
    edge::{extends, grown, roots},
    fence::{Head, fenced, larger, read_own, unrooted},
    objects::Objects,
    store::{Published, Store},
};

/// The lock's name.
const LOCK: &str = "lock";

/// How a checkpoint is called that the lock holds; what halts for it begins so.
pub(super) const WHOSE: &str = "the lock's";

/// The longest checkpoint that is read from it.
const LONGEST: usize = 1 << 16;

/// A log's lock.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    store: Arc<dyn ObjectStore>,
    /// Whether it may be made beside a database that has published already: an address that is mistyped, or a lock that was
    /// deleted, would otherwise hold off nobody, without a word.
    make: bool,
}

/// What the lock holds.
#[derive(Debug)]
pub(super) struct Held {
    text: String,
    version: UpdateVersion,
}

/// What follows from the lock, and from the database's checkpoint.
pub(super) enum Follows {
    /// They are one: on with it.
    Level(Option<UpdateVersion>),
    /// The lock is behind, or there is none yet: it is to have the database's.
    Lift(Option<UpdateVersion>),
    /// The lock is ahead, of a tree that the entries give: the database is to have its checkpoint.
    Adopt(UpdateVersion, Published),
}

impl Lock {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, make: false }
    }

    /// It may be made where there is none.
    pub(super) fn may_be_made(self) -> Self {
        Self { make: true, ..self }
    }

    pub(super) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// What it holds, unverified.
    ///
    /// # Errors
    /// The store's; no text.
    pub(super) async fn held(&self) -> Result<Option<Held>, LedgerStoreError> {
        let path = Path::from(LOCK);
        let found = match self.store.get_opts(&path, Default::default()).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(LedgerStoreError::object(&path)(e)),
        };
        let version = UpdateVersion {
            e_tag: found.meta.e_tag.clone(),
            version: found.meta.version.clone(),
        };
        if found.meta.size > LONGEST as u64 {
            return Err(unreadable("it is too long to hold a checkpoint"));
        }
        let bytes = found.bytes().await;
        let bytes = bytes.map_err(LedgerStoreError::object(&path))?;
        let text = String::from_utf8(bytes.into());
        let text = text.map_err(|_| unreadable("it holds no text"))?;
        Ok(Some(Held { text, version }))
    }

    /// Puts a checkpoint in the place of the version that was read, or where none was. Durable when it returns; after an
    /// error it may or may not have happened.
    ///
    /// # Errors
    /// [`LedgerStoreError::Overtaken`]: there is another version by now. The store's.
    pub(super) async fn swap(
        &self,
        old: Option<UpdateVersion>,
        text: &str,
    ) -> Result<UpdateVersion, LedgerStoreError> {
        let path = Path::from(LOCK);
        let mode = old.map_or(PutMode::Create, PutMode::Update);
        let put = self
            .store
            .put_opts(&path, text.to_owned().into(), mode.into());
        match put.await {
            Ok(put) => Ok(put.into()),
            Err(Error::Precondition { .. } | Error::AlreadyExists { .. }) => {
                Err(LedgerStoreError::Overtaken)
            }
            Err(e) => Err(LedgerStoreError::object(&path)(e)),
        }
    }
}

impl Held {
    /// Its checkpoint.
    ///
    /// # Errors
    /// [`LedgerStoreError::Lock`]: it does not open.
    pub(super) fn head(&self, log: &LogVerifier) -> Result<Head, LedgerStoreError> {
        let head = log.open(self.text.as_bytes());
        let head =
            head.map_err(|e| unreadable(&format!("it holds no checkpoint of this log: {e}")))?;
        Ok((WHOSE, head))
    }
}

/// What follows for a publisher whose tree is at `edge`, no further than its database's checkpoint. Writes nothing.
///
/// # Errors
/// [`LedgerStoreError::Fenced`]: the lock's checkpoint is not of these entries: this is another copy of the log, or an
/// older one. [`LedgerStoreError::Lock`]: it tells nothing. The store's or the database's.
pub(super) async fn follows(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
    own: Option<&Published>,
    edge: &Edge,
) -> Result<Follows, LedgerStoreError> {
    let Some(lock) = objects.lock() else {
        return Ok(Follows::Level(None));
    };
    let held = match (lock.held().await?, own) {
        (None, None) => return Ok(Follows::Level(None)),
        (None, Some(_)) if lock.make => return Ok(Follows::Lift(None)),
        (None, Some(_)) => {
            return Err(unreadable(
                "there is none there, though this ledger has a checkpoint: is its address right? A ledger that had no \
                 lock, or whose lock was moved or lost, is started once with --new-lock",
            ));
        }
        (Some(held), Some(own)) if held.text == own.text => {
            return Ok(Follows::Level(Some(held.version)));
        }
        (Some(held), _) => held,
    };
    let head = held.head(log)?;
    let Some(own) = own.filter(|own| own.size >= head.1.size) else {
        return adopt(store, held, head, edge).await;
    };
    let own = read_own(log, own)?;
    if extends(objects, &head.1, &own.1).await.is_err() {
        // Tiles may be torn or away: the entries tell.
        let (_, roots) = roots(store, [head.1.size]).await?;
        if roots.get(&head.1.size) != Some(&head.1.root) {
            return Err(another_copy(&unrooted(&head)));
        }
    }
    Ok(Follows::Lift(Some(held.version)))
}

async fn adopt(
    store: &Store,
    held: Held,
    head: Head,
    edge: &Edge,
) -> Result<Follows, LedgerStoreError> {
    if head.1.size > store.size().await? {
        return Err(another_copy(&larger(&head)));
    }
    // By the entries, never by tiles: those may be the other copy's.
    if grown(store, edge, head.1.size).await?.root() != head.1.root {
        return Err(another_copy(&unrooted(&head)));
    }
    let published = Published {
        size: head.1.size,
        text: held.text,
    };
    Ok(Follows::Adopt(held.version, published))
}

/// Refuses a database that has not the entries of the lock's checkpoint. Reads all of them.
///
/// # Errors
/// As [`follows`].
pub(super) async fn not_another_copy(
    store: &Store,
    objects: &Objects,
    log: &LogVerifier,
) -> Result<(), LedgerStoreError> {
    let held = match objects.lock() {
        None => None,
        Some(lock) => lock.held().await?,
    };
    let Some(held) = held else {
        return Ok(());
    };
    let head = held.head(log)?;
    adopt(store, held, head, &Edge::new()).await.map(|_| ())
}

fn unreadable(why: &str) -> LedgerStoreError {
    LedgerStoreError::Lock { why: why.into() }
}

fn another_copy(why: &str) -> LedgerStoreError {
    fenced(format!(
        "{why}. Another copy of this database has signed it, or this one is from an older backup: stop the other \
         copies, and go on with the newest one"
    ))
}
