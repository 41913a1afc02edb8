//! Publication: the signed checkpoint in the lock, where there is one, then tiles, then the checkpoint in the database, then
//! the served one.
//!
//! The order is what makes a crash harmless: tiles without a checkpoint are found and found equal by the next
//! run; a checkpoint that is in the database but not yet served is served by the next run; none is served that
//! the database does not hold. Nothing is signed that another checkpoint contradicts: see [`Publisher::open`].
//!
//! Any number of publishers may run on one log. One leads (see the module `lead`) and the others follow what it
//! puts into the database; when it is gone, another takes over from there. Should two lead for a moment, tiles
//! are the same bytes whoever writes them, the same tree gives the same checkpoint, and the compare-and-swap in
//! the database lets one of two pass: the other is told [`LedgerStoreError::Overtaken`] and goes on.

use std::time::Duration;

use galen_ledger::tiles::{Edge, LogKey, Tile, TilePath};
use object_store::UpdateVersion;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    LedgerStoreError,
    edge::{extends, grow, grown, reach, roots},
    fence::{Head, Look, all_empty, not_ahead, read_head, read_own, read_served, stand_for},
    lead::Lead,
    lock::{Follows, follows},
    mend::mend_newest,
    objects::Objects,
    store::{Published, Store},
};

/// How often a follower looks for a new checkpoint in the database, and for a lead that is free.
const FOLLOW: Duration = Duration::from_millis(200);

/// How often the leader of a log that does not grow looks after the served checkpoint.
const REFRESH: Duration = Duration::from_secs(10);

/// The longest pause after failures one after the other; it doubles with each until then.
const LONGEST: Duration = Duration::from_secs(10);

/// Attempts at the last publication, after the sequencer's end.
const LAST_ATTEMPTS: u32 = 3;

/// A log's publisher.
#[derive(Debug)]
pub struct Publisher {
    store: Store,
    objects: Objects,
    key: LogKey,
    /// The tree at the size of `at`.
    edge: Edge,
    /// The checkpoint in the database when it was last looked at by a leader.
    at: Option<Published>,
    published: watch::Sender<Option<Published>>,
}

impl Publisher {
    /// The fence: opens publication only if the database can stand for every checkpoint known to be out: its
    /// own, the served one, and `seen`, those of cosigners and mirrors. Each must be signed by this log's key,
    /// be no larger than the database's, and be of a tree that the database's begins with; and no tile may be of
    /// entries that the database does not have. Open it before a sequencer is started, so that a log that has lost
    /// entries takes no new ones.
    ///
    /// This takes a few tiles and the entries since the last full bundle, all checked against the signed
    /// checkpoint: the time does not grow with the log. Only if the tiles do not do is every published entry
    /// read. That the entries before the last bundle are still those of the tree is for [`fsck`] to say.
    ///
    /// [`fsck`]: super::fsck::fsck
    ///
    /// # Errors
    /// [`LedgerStoreError::Fenced`] (a restored or deleted database, another key, changed entries),
    /// [`LedgerStoreError::Halted`], or a failing store.
    pub async fn open(
        store: Store,
        objects: Objects,
        key: LogKey,
        seen: &[Vec<u8>],
    ) -> Result<Self, LedgerStoreError> {
        if let Some(why) = store.halted().await? {
            return Err(LedgerStoreError::Halted { why });
        }
        not_ahead(&store, &objects, Look::Next).await?;
        let mut heads: Vec<Head> = Vec::new();
        for text in seen {
            heads.push(read_head(key.verifier(), "a cosigner's", text)?);
        }
        if let Some(served) = objects.checkpoint().await? {
            heads.push(read_served(key.verifier(), &served)?);
        }
        // After the served one: another replica may be publishing, and a checkpoint is here first.
        let at = store.published().await?;
        let edge = match &at {
            Some(p) => {
                let own = read_own(key.verifier(), p)?;
                stand_for(&store, &objects, own, heads).await?
            }
            None => {
                all_empty(&heads)?;
                Edge::new()
            }
        };
        // What it says is done with the first publication: another replica may lead.
        follows(&store, &objects, key.verifier(), at.as_ref(), &edge).await?;
        Ok(Self {
            store,
            objects,
            key,
            edge,
            published: watch::channel(at.clone()).0,
            at,
        })
    }

    /// Compares the newest tiles with the entries, and writes anew what a disk has torn: those paths.
    ///
    /// # Errors
    /// [`LedgerStoreError::Halted`]: a bundle holds other entries. A failing store.
    pub async fn mend_newest(&self) -> Result<Vec<TilePath>, LedgerStoreError> {
        mend_newest(&self.store, &self.objects, &self.edge).await
    }

    /// The checkpoint in the database as it grows: what may be shown to anyone. Another replica's appear
    /// within about 200 ms.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<Option<Published>> {
        self.published.subscribe()
    }

    /// Publishes all entries committed so far, whoever leads; an empty log has a checkpoint too. When it
    /// returns, tiles, bundles and both checkpoints are durable. After an error it may be called again.
    ///
    /// # Errors
    /// [`LedgerStoreError::Halted`] is final: a tile or a checkpoint contradicts the entries.
    /// [`LedgerStoreError::Overtaken`] and a failing store pass.
    pub async fn publish(&mut self) -> Result<Published, LedgerStoreError> {
        self.check_halted().await?;
        let old = self.catch_up().await?;
        let (old, locked) = self.level(old).await?;
        let size = self.store.size().await?;
        let mut filled = Vec::new();
        let published = match old {
            Some(p) if p.size >= size => p,
            old => {
                match &old {
                    None => self.serve_empty().await?,
                    Some(old) => self.check_served(old).await?,
                }
                // First, and the tiles after it: a copy that loses leaves nothing in a store that both share.
                if let Some(lock) = self.objects.lock() {
                    let ahead = grown(&self.store, &self.edge, size).await?;
                    lock.swap(locked, &self.key.sign(size, &ahead.root())?)
                        .await?;
                }
                let mut edge = self.edge.clone();
                filled = self.integrate(&mut edge, size).await?;
                let text = self.key.sign(size, &edge.root())?;
                let new = Published { size, text };
                self.store.advance(old.map(|p| p.size), &new).await?;
                self.edge = edge;
                self.at = Some(new.clone());
                self.show(&new);
                new
            }
        };
        self.serve(&published).await?;
        if let Err(e) = self.objects.collect(filled).await {
            // The next start collects them.
            tracing::warn!(error = %e, "partial tiles were left that full ones have replaced");
        }
        Ok(published)
    }

    /// Brings lock and database to one checkpoint: theirs, and the lock's version.
    async fn level(
        &mut self,
        old: Option<Published>,
    ) -> Result<(Option<Published>, Option<UpdateVersion>), LedgerStoreError> {
        let (store, objects, log) = (&self.store, &self.objects, self.key.verifier());
        match follows(store, objects, log, old.as_ref(), &self.edge).await {
            Ok(Follows::Level(version)) => Ok((old, version)),
            Ok(Follows::Lift(version)) => {
                let lifted = match (objects.lock(), &old) {
                    (Some(lock), Some(own)) => Some(lock.swap(version, &own.text).await?),
                    _ => None,
                };
                Ok((old, lifted))
            }
            Ok(Follows::Adopt(version, new)) => {
                let mut edge = self.edge.clone();
                self.integrate(&mut edge, new.size).await?;
                self.store.advance(old.map(|p| p.size), &new).await?;
                self.edge = edge;
                self.at = Some(new.clone());
                self.show(&new);
                Ok((Some(new), Some(version)))
            }
            Err(LedgerStoreError::Fenced { why }) => self.halt(why).await,
            Err(e) => Err(e),
        }
    }

    /// Halts for a served checkpoint that the database's does not begin with: before another is signed.
    async fn check_served(&self, own: &Published) -> Result<(), LedgerStoreError> {
        let log = self.key.verifier();
        let Some(served) = self.objects.checkpoint().await? else {
            return Ok(());
        };
        if served == own.text {
            return Ok(());
        }
        let (Ok(served), Ok(own)) = (log.open(&served), log.open(own.text.as_bytes())) else {
            // One that does not open tells nothing.
            return Ok(());
        };
        if served.size > own.size {
            return self.behind(served.size).await;
        }
        match extends(&self.objects, &served, &own).await {
            // Tiles that are torn or away tell nothing of the checkpoint.
            Ok(()) | Err(LedgerStoreError::Object { .. }) => Ok(()),
            Err(_) => {
                let (_, roots) = roots(&self.store, [served.size]).await?;
                if roots.get(&served.size) == Some(&served.root) {
                    return Ok(());
                }
                self.halt("the served checkpoint is of another tree").await
            }
        }
    }

    /// The first checkpoint of a log is served before any is in the database, and is of the empty tree: from then on
    /// a served one that is missing was lost.
    async fn serve_empty(&self) -> Result<(), LedgerStoreError> {
        let text = self.key.sign(0, &Edge::new().root())?;
        self.serve(&Published { size: 0, text }).await
    }

    async fn check_halted(&self) -> Result<(), LedgerStoreError> {
        match self.store.halted().await? {
            Some(why) => Err(LedgerStoreError::Halted { why }),
            None => Ok(()),
        }
    }

    /// Lets the waiting know of a checkpoint in the database.
    fn show(&self, new: &Published) {
        self.published.send_if_modified(|held| {
            let grows = held.as_ref().is_none_or(|h| h.size < new.size);
            if grows {
                *held = Some(new.clone());
            }
            grows
        });
    }

    /// Takes over what the database holds: an advance whose answer was lost, or another publisher's.
    async fn catch_up(&mut self) -> Result<Option<Published>, LedgerStoreError> {
        let held = self.store.published().await?;
        if held == self.at {
            return Ok(held);
        }
        let Some(p) = held.filter(|p| p.size >= self.edge.size()) else {
            return self.halt("the database's checkpoint went backwards").await;
        };
        let head = match self.key.verifier().open(p.text.as_bytes()) {
            Ok(head) if head.size == p.size => head,
            _ => return self.halt("the database's checkpoint does not open").await,
        };
        self.edge = reach(&self.store, &self.objects, &self.edge, &head).await?;
        if self.edge.root() != head.root {
            let why = "the database's checkpoint does not fit the entries";
            return self.halt(why).await;
        }
        self.show(&p);
        self.at = Some(p.clone());
        Ok(Some(p))
    }

    /// Writes every tile and bundle between the edge and `to`, and the partial ones at `to`: the full ones' paths.
    async fn integrate(&self, edge: &mut Edge, to: u64) -> Result<Vec<TilePath>, LedgerStoreError> {
        let mut full = Vec::new();
        while edge.size() < to {
            let tiles = grow(&self.store, edge, to).await?;
            full.extend(tiles.iter().map(|t| t.path));
            self.put_all(tiles).await?;
        }
        self.put_all(edge.partials()?).await?;
        Ok(full)
    }

    async fn put_all(&self, tiles: Vec<Tile>) -> Result<(), LedgerStoreError> {
        match self.objects.put_tiles(tiles).await? {
            None => Ok(()),
            Some(other) => {
                let why = format!("{other} is there with other contents");
                self.halt(why).await
            }
        }
    }

    /// Serves the checkpoint; never in the place of a greater one, or of one of the same tree (which may bear
    /// cosignatures).
    async fn serve(&self, published: &Published) -> Result<(), LedgerStoreError> {
        if let Some(served) = self.objects.checkpoint().await? {
            // One that does not open is no checkpoint of this log: it is replaced, and kept.
            match self.key.verifier().open(&served) {
                Ok(head) if head.size > published.size => return self.behind(head.size).await,
                Ok(head) if head.size == published.size => {
                    return if head.root == self.edge.root() {
                        Ok(())
                    } else {
                        self.halt("the served checkpoint has another root").await
                    };
                }
                Ok(_) => {}
                Err(_) => return self.objects.replace_checkpoint(&published.text).await,
            }
        }
        self.objects.put_checkpoint(&published.text).await
    }

    /// A greater checkpoint is served: another publisher's, or one that the database has lost.
    async fn behind(&self, served: u64) -> Result<(), LedgerStoreError> {
        match self.store.published().await? {
            Some(held) if held.size >= served => Err(LedgerStoreError::Overtaken),
            _ => self.halt("the served checkpoint is ahead").await,
        }
    }

    async fn halt<T>(&self, why: impl Into<String>) -> Result<T, LedgerStoreError> {
        let why = why.into();
        self.store.halt(&why).await?;
        Err(LedgerStoreError::Halted { why })
    }

    /// Shows what the leader has published.
    async fn follow(&self) -> Result<(), LedgerStoreError> {
        self.check_halted().await?;
        if let Some(held) = self.store.published().await? {
            self.show(&held);
        }
        Ok(())
    }

    /// Publishes if it leads, or else follows. The size published, if it leads.
    async fn round(&mut self, lead: &mut Lead) -> Result<Option<u64>, LedgerStoreError> {
        if lead.take().await? {
            Ok(Some(self.publish().await?.size))
        } else {
            self.follow().await?;
            Ok(None)
        }
    }

    /// Publishes whenever the log has grown, at most every `interval`, which is also the pause after a
    /// failure, and doubles to ten seconds while it fails; `report` hears of failures. Of several replicas
    /// one does so, and the others stand by. Ends when the sequencer has stopped and its entries are
    /// published; a follower leaves those to the leader.
    ///
    /// # Errors
    /// [`LedgerStoreError::Halted`]; after the sequencer's end any error that lasts.
    pub async fn run(
        mut self,
        mut committed: watch::Receiver<u64>,
        interval: Duration,
        mut report: impl FnMut(&LedgerStoreError),
    ) -> Result<(), LedgerStoreError> {
        let mut lead = self.store.lead();
        let (mut last_attempts, mut failures) = (LAST_ATTEMPTS, 0);
        let ended = loop {
            let closed = committed.has_changed().is_err();
            let size = *committed.borrow_and_update();
            let round = self.round(&mut lead).await;
            failures = if round.is_err() { failures + 1 } else { 0 };
            let pause = match round {
                Ok(None) if closed => break Ok(()),
                Ok(Some(published)) if closed && published >= size => break Ok(()),
                Ok(None) => FOLLOW,
                Ok(Some(_)) => REFRESH,
                Err(e @ LedgerStoreError::Halted { .. }) => break Err(e),
                Err(e) if closed && last_attempts <= 1 => break Err(e),
                Err(e) => {
                    self.store.note(&e);
                    report(&e);
                    last_attempts -= u32::from(closed);
                    Duration::ZERO
                }
            };
            // Whoever waits for the end does not wait longer for what has failed before.
            sleep(if closed {
                interval
            } else {
                backed_off(interval, failures)
            })
            .await;
            // An error says that the sequencer has stopped: once more round, for the last.
            let _ = timeout(pause, committed.changed()).await;
        };
        lead.yield_to_others().await;
        ended
    }
}

/// The pause after so many failures one after the other.
fn backed_off(interval: Duration, failures: u32) -> Duration {
    let doubled = 1u32.checked_shl(failures.saturating_sub(1));
    interval
        .saturating_mul(doubled.unwrap_or(u32::MAX))
        .min(LONGEST.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_lengthen_the_pause() {
        let of = |failures| backed_off(Duration::from_millis(100), failures).as_millis();
        assert_eq!(
            [0, 1, 2, 3, 7, 8, 99].map(of),
            [100, 100, 200, 400, 6_400, 10_000, 10_000]
        );
    }
}
