//! The fence: whether the database can stand for every checkpoint that is known to be out, and for the files beside it.

use galen_ledger::tiles::{Checkpoint, Edge, LogVerifier, TilePath};

use super::{
    LedgerStoreError,
    edge::{extends, restore, roots},
    objects::Objects,
    store::{Published, Store},
};

/// A checkpoint that is out, and whose it is.
pub(super) type Head = (&'static str, Checkpoint);

pub(super) fn fenced(why: impl Into<String>) -> LedgerStoreError {
    LedgerStoreError::Fenced { why: why.into() }
}

/// Of a checkpoint of entries that the database does not have.
pub(super) fn larger((whose, head): &Head) -> String {
    format!(
        "{whose} checkpoint of size {} is ahead of the database",
        head.size
    )
}

/// Of a checkpoint whose root the entries do not have.
pub(super) fn unrooted((whose, head): &Head) -> String {
    format!(
        "the entries do not have the root of {whose} checkpoint of size {}",
        head.size
    )
}

/// A checkpoint, by its text.
///
/// # Errors
/// It does not open.
pub(super) fn read_head(
    log: &LogVerifier,
    whose: &'static str,
    text: &[u8],
) -> Result<Head, LedgerStoreError> {
    match log.open(text) {
        Ok(head) => Ok((whose, head)),
        Err(e) => Err(fenced(format!("{whose} checkpoint does not open: {e}"))),
    }
}

/// The served checkpoint, which a disk may have torn: the database has it too.
///
/// # Errors
/// It does not open.
pub(super) fn read_served(log: &LogVerifier, text: &[u8]) -> Result<Head, LedgerStoreError> {
    match log.open(text) {
        Ok(head) => Ok(("the served", head)),
        Err(e) => Err(fenced(format!(
            "the served checkpoint does not open: {e}. If files/checkpoint was torn or emptied, `galen ledger restore` \
             writes it anew from the database"
        ))),
    }
}

/// The database's checkpoint.
///
/// # Errors
/// It does not open, or is of another size than the database says.
pub(super) fn read_own(log: &LogVerifier, own: &Published) -> Result<Head, LedgerStoreError> {
    let head = read_head(log, "the database's", own.text.as_bytes())?;
    if head.1.size == own.size {
        Ok(head)
    } else {
        let why = "the database's checkpoint is not of the size it says";
        Err(fenced(why))
    }
}

/// Where to look for tiles of entries that the database does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Where the log goes on: takes as long for a large log as for a small one.
    Next,
    /// At the names of all.
    Everywhere,
}

/// Refuses a database beside tiles of entries that it does not have.
///
/// # Errors
/// There are such; the database's or the store's.
pub(super) async fn not_ahead(
    store: &Store,
    objects: &Objects,
    look: Look,
) -> Result<(), LedgerStoreError> {
    match ahead(store, objects, look).await? {
        None => Ok(()),
        Some(path) => Err(fenced(older(path))),
    }
}

/// Refuses to begin a log beside files of one.
///
/// # Errors
/// There are such; the store's.
pub(crate) async fn nothing_there(objects: &Objects) -> Result<(), LedgerStoreError> {
    if objects.checkpoint().await?.is_some() {
        return Err(fenced(
            "there is no database, and beside it lies the checkpoint of a log. Restore its database",
        ));
    }
    if let Some(lock) = objects.lock()
        && lock.held().await?.is_some()
    {
        return Err(fenced(
            "there is no database, and the lock is that of a log. Restore its database, or give another place",
        ));
    }
    match objects.farthest().await? {
        None => Ok(()),
        Some(path) => Err(fenced(older(path))),
    }
}

/// Of files that are newer than the database.
pub(super) fn older(path: TilePath) -> String {
    format!(
        "{path} is of entries that the database does not have: an older database lies beside newer files. Restore the \
         newest one"
    )
}

/// A tile or bundle of entries that the database does not have, if there is one: the database is an older one than that
/// which the files were written from.
///
/// # Errors
/// The database's or the store's.
pub(super) async fn ahead(
    store: &Store,
    objects: &Objects,
    look: Look,
) -> Result<Option<TilePath>, LedgerStoreError> {
    let size = store.size().await?;
    let found = match look {
        Look::Next if size > 0 => objects.beyond(size).await?,
        _ => objects.farthest().await?,
    };
    // Another replica, or this service, may have committed and published meanwhile: entries come before their tiles.
    let size = store.size().await?;
    Ok(found.filter(|path| path.least_size() > size))
}

/// Refuses checkpoints of entries where the database has none published.
///
/// # Errors
/// There is such a checkpoint.
pub(super) fn all_empty(heads: &[Head]) -> Result<(), LedgerStoreError> {
    match heads.iter().find(|(_, head)| head.size > 0) {
        Some(head) => Err(fenced(larger(head))),
        None => Ok(()),
    }
}

/// The edge of the database's tree, if that begins with every one of the others, as the tiles say: or as the entries do,
/// where those may be at fault.
///
/// # Errors
/// It does not, or a failing store.
pub(super) async fn stand_for(
    store: &Store,
    objects: &Objects,
    own: Head,
    others: Vec<Head>,
) -> Result<Edge, LedgerStoreError> {
    none_larger(&own, &others)?;
    if let Ok(edge) = restore(store, objects, &own.1).await {
        let mut all = true;
        for (_, head) in &others {
            all = all && extends(objects, head, &own.1).await.is_ok();
        }
        if all {
            return Ok(edge);
        }
    }
    entries_stand_for(store, own, others).await
}

/// As [`stand_for`], by the entries alone.
///
/// # Errors
/// As [`stand_for`].
pub(super) async fn entries_stand_for(
    store: &Store,
    own: Head,
    others: Vec<Head>,
) -> Result<Edge, LedgerStoreError> {
    none_larger(&own, &others)?;
    let heads: Vec<Head> = [own].into_iter().chain(others).collect();
    let (edge, roots) = roots(store, heads.iter().map(|(_, h)| h.size)).await?;
    match heads
        .iter()
        .find(|(_, h)| roots.get(&h.size) != Some(&h.root))
    {
        Some(head) => Err(fenced(unrooted(head))),
        None => Ok(edge),
    }
}

fn none_larger((_, own): &Head, others: &[Head]) -> Result<(), LedgerStoreError> {
    match others.iter().find(|(_, head)| head.size > own.size) {
        Some(head) => Err(fenced(larger(head))),
        None => Ok(()),
    }
}
