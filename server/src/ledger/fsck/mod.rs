//! The audit: rebuilds everything from the entries alone and compares it with what is stored and served.

mod replay;

use std::{collections::BTreeMap, fmt};

use galen_ledger::{
    LedgerError,
    entry::Envelope,
    statement::Statement,
    tiles::{Checkpoint, Edge, LogVerifier, TILE_WIDTH, TilePath},
};
use sha2::{Digest, Sha256};

use replay::Replay;
pub use replay::{Reader, read_proposal};

use super::{
    LedgerStoreError,
    edge::{Place, Places},
    fence::{Look, ahead},
    lock::Held,
    objects::Objects,
    store::{Filter, Line, Store, StoredEntry, Unhalted},
};

/// One thing that is not as the entries say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// There is no entry at an index below the log's size, or one beyond it.
    Index(u64),
    /// The entry's dedup key is not the SHA-256 of its bytes.
    Dedup(u64),
    /// The entry is no well-formed envelope.
    Envelope(u64),
    /// The entry may not stand where it does: a signature or a rule says so.
    Refused {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The fact of this name is not what the entries say.
    Fact(String),
    /// The line of the catalogue at this index is not what the entry says.
    Catalogue(u64),
    /// A file is missing or not the one named.
    Blob {
        /// The first entry that names it.
        index: u64,
        /// Its name, hex.
        sha256: String,
    },
    /// A tile or bundle is missing.
    Missing(TilePath),
    /// A tile or bundle holds other bytes.
    Different(TilePath),
    /// A tile or bundle of entries that the database does not have.
    Ahead(TilePath),
    /// A checkpoint that does not open, is ahead, or whose root the entries do not have.
    Checkpoint {
        /// Where it is: `database`, `served` or `lock's`.
        place: &'static str,
        /// What is wrong with it.
        why: String,
        /// Whether it opens: it contradicts the database then, and was not only lost or torn.
        opens: bool,
    },
    /// The log has halted.
    Halted(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(i) => write!(f, "entry {i} is missing or beyond the log's size"),
            Self::Dedup(i) => write!(f, "entry {i}: its key is not the digest of its bytes"),
            Self::Envelope(i) => write!(f, "entry {i} is no well-formed envelope"),
            Self::Refused { index, why } => write!(f, "entry {index} may not stand: {why}"),
            Self::Fact(name) => write!(f, "the fact {name} is not what the entries say"),
            Self::Catalogue(i) => write!(f, "line {i} of the catalogue is not what the entry says"),
            Self::Blob { index, sha256 } => {
                write!(
                    f,
                    "the file {sha256} of entry {index} is missing or another"
                )
            }
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::Different(path) => write!(f, "{path} differs from the entries"),
            Self::Ahead(path) => write!(f, "{path} is of entries that the database does not have"),
            Self::Checkpoint { place, why, .. } => write!(f, "the {place} checkpoint: {why}"),
            Self::Halted(why) => write!(f, "the log has halted: {why}"),
        }
    }
}

/// What an audit saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries in the log.
    pub size: u64,
    /// Of these, under the database's checkpoint.
    pub published: u64,
    /// Tiles and bundles compared.
    pub tiles: u64,
    /// Halts that an operator has cleared.
    pub unhalted: Vec<Unhalted>,
    /// What is wrong; empty if all is as it should be.
    pub findings: Vec<Finding>,
}

/// Audits a log: rebuilds tree, facts and catalogue from the entries, checks their signatures and the rules,
/// and looks for the files that they name. Keeps all facts in memory meanwhile.
///
/// Meant for a log at rest. On one at work, entries committed meanwhile are left for the next audit.
///
/// # Errors
/// Only what keeps it from looking: a failing database or store. All else is a [`Finding`].
pub async fn fsck(
    store: &Store,
    objects: &Objects,
    key: &LogVerifier,
) -> Result<Report, LedgerStoreError> {
    fsck_with(store, objects, key, read_proposal).await
}

/// [`fsck`] of a log of other statements.
///
/// # Errors
/// As [`fsck`].
pub async fn fsck_with(
    store: &Store,
    objects: &Objects,
    key: &LogVerifier,
    read: Reader,
) -> Result<Report, LedgerStoreError> {
    // Before the database's: a service at work serves a checkpoint after the database has it.
    let served = objects.checkpoint().await?;
    let published = store.published().await?;
    let limit = published.as_ref().map_or(0, |p| p.size);
    let size = store.size().await?;
    let mut audit = Audit {
        key,
        store,
        objects,
        places: Places::new(limit, size),
        report: Report {
            size,
            published: limit,
            unhalted: store.unhalted().await?,
            ..Report::default()
        },
        heads: Vec::new(),
        replay: Replay::new(read),
    };
    let halted = store.halted().await?.map(Finding::Halted);
    audit.report.findings.extend(halted);
    let ahead = ahead(store, objects, Look::Everywhere)
        .await?
        .map(Finding::Ahead);
    audit.report.findings.extend(ahead);
    if let Some(p) = &published {
        audit.head("database", key.open(p.text.as_bytes()));
        if !audit.heads.iter().all(|(_, h)| h.size == limit) {
            audit.checkpoint(
                "database",
                "it is not of the size that the state says",
                true,
            );
        }
    }
    match served {
        Some(served) => audit.head("served", key.open(&served)),
        None if published.is_some() => audit.checkpoint("served", "it is missing", false),
        None => {}
    }
    if let Some(lock) = objects.lock() {
        audit.lock(lock.held().await)?;
    }
    audit.entries().await?;
    let Audit {
        mut report, replay, ..
    } = audit;
    let size = report.size;
    replay
        .compare_facts(store, size, &mut report.findings)
        .await?;
    Ok(report)
}

struct Audit<'a> {
    key: &'a LogVerifier,
    store: &'a Store,
    objects: &'a Objects,
    /// Up to the database's checkpoint the files are to be there, up to the last entry they are compared.
    places: Places,
    report: Report,
    /// Checkpoints whose root is still to be compared.
    heads: Vec<(&'static str, Checkpoint)>,
    replay: Replay,
}

impl Audit<'_> {
    fn checkpoint(&mut self, place: &'static str, why: impl Into<String>, opens: bool) {
        let why = why.into();
        self.find(Finding::Checkpoint { place, why, opens });
    }

    fn head(&mut self, place: &'static str, head: Result<Checkpoint, LedgerError>) {
        match head {
            Err(e) => self.checkpoint(place, e.to_string(), false),
            Ok(h) if h.size > self.places.published() => {
                self.checkpoint(place, "it is ahead of the database", true);
            }
            Ok(h) => self.heads.push((place, h)),
        }
    }

    /// The lock's may be ahead of the database's, after a crash, but not of the entries.
    fn lock(
        &mut self,
        held: Result<Option<Held>, LedgerStoreError>,
    ) -> Result<(), LedgerStoreError> {
        const PLACE: &str = "lock's";
        let head = held.and_then(|held| held.map(|h| h.head(self.key)).transpose());
        match head {
            Ok(None) => {}
            Ok(Some((_, h))) if h.size > self.report.size => {
                self.checkpoint(PLACE, "it is ahead of the database", true);
            }
            Ok(Some((_, h))) => self.heads.push((PLACE, h)),
            Err(LedgerStoreError::Lock { why }) => self.checkpoint(PLACE, why, false),
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn find(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    /// Goes over all entries: their form, the rules, and the tree against the public files.
    async fn entries(&mut self) -> Result<(), LedgerStoreError> {
        let mut edge = Edge::new();
        let mut next = 0;
        // Of a log with a gap there is no tree: what follows the gap is only looked at by itself.
        let mut whole = true;
        self.compare_roots(&edge);
        loop {
            let page = self.store.entries(next, TILE_WIDTH).await?;
            let Some(last) = page.last().map(|e| e.index) else {
                break;
            };
            let mut lines = self.lines(next, last).await?;
            for entry in page {
                let line = lines.remove(&entry.index);
                if entry.index >= self.report.size {
                    // A new one, or one that the state does not count.
                    if entry.index >= self.store.size().await? {
                        self.find(Finding::Index(entry.index));
                    }
                    continue;
                }
                if entry.index != next {
                    self.find(Finding::Index(next));
                    whole = false;
                }
                next = entry.index + 1;
                self.entry(&entry, line.as_ref()).await?;
                if whole {
                    self.grow(&mut edge, &entry).await?;
                }
            }
            // Lines of entries that are not there.
            let surplus = lines.into_keys().map(Finding::Catalogue);
            self.report.findings.extend(surplus);
            next = last + 1;
        }
        if next < self.report.size {
            self.find(Finding::Index(next));
        }
        let beyond = self.lines(next, u64::MAX).await?;
        let size = self.store.size().await?;
        let surplus = beyond.into_keys().filter(|i| *i >= size);
        self.report.findings.extend(surplus.map(Finding::Catalogue));
        for (place, head) in std::mem::take(&mut self.heads) {
            let last = head.size.saturating_sub(1);
            self.checkpoint(place, format!("there are no entries 0 to {last}"), true);
        }
        Ok(())
    }

    /// The lines of the catalogue from one index to another; at most a page and as many again.
    async fn lines(&self, from: u64, to: u64) -> Result<BTreeMap<u64, Line>, LedgerStoreError> {
        let (all, after) = (Filter::default(), from.checked_sub(1));
        let lines = self.store.list(&all, after, 2 * TILE_WIDTH);
        let within = lines.await?.into_iter().filter(|l| l.index <= to);
        Ok(within.map(|l| (l.index, l)).collect())
    }

    async fn entry(
        &mut self,
        entry: &StoredEntry,
        line: Option<&Line>,
    ) -> Result<(), LedgerStoreError> {
        let index = entry.index;
        if entry.dedup != Sha256::digest(&entry.body).as_slice() {
            self.find(Finding::Dedup(index));
        }
        let Ok(envelope) = Envelope::parse(&entry.body) else {
            self.find(Finding::Envelope(index));
            return Ok(());
        };
        if let Ok(statement) = Statement::read(&envelope) {
            self.statement(index, &statement).await?;
        }
        match self.replay.entry(index, envelope) {
            Ok(expected) if line == Some(&expected) => {}
            Ok(_) => self.find(Finding::Catalogue(index)),
            Err(e) => {
                let why = e.to_string();
                self.find(Finding::Refused { index, why });
            }
        }
        Ok(())
    }

    /// What a statement refers to: its log, and the files that it names.
    async fn statement(
        &mut self,
        index: u64,
        statement: &Statement,
    ) -> Result<(), LedgerStoreError> {
        if let Statement::Consortium(consortium) = statement
            && let Err(e) = consortium.check_log(self.key)
        {
            let why = e.to_string();
            self.find(Finding::Refused { index, why });
        }
        let findings = &mut self.report.findings;
        self.replay
            .files(index, statement, self.objects, findings)
            .await
    }

    async fn grow(&mut self, edge: &mut Edge, entry: &StoredEntry) -> Result<(), LedgerStoreError> {
        let mut tiles = Vec::new();
        edge.push(&entry.body, &mut tiles)?;
        self.compare_roots(edge);
        for place in self.places.at(self.objects, edge, tiles).await? {
            self.compare(place).await?;
        }
        Ok(())
    }

    fn compare_roots(&mut self, edge: &Edge) {
        if self.heads.iter().all(|(_, h)| h.size != edge.size()) {
            return;
        }
        let root = edge.root();
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.heads)
            .into_iter()
            .partition(|(_, h)| h.size == edge.size());
        self.heads = later;
        for (place, head) in now {
            if head.root != root {
                self.checkpoint(place, "the entries have another root", true);
            }
        }
    }

    async fn compare(&mut self, place: Place) -> Result<(), LedgerStoreError> {
        let Place { tile, due } = place;
        match self.objects.published_tile(&tile.path).await {
            Ok(Some(found)) if found == tile.bytes => {}
            Ok(Some(_)) | Err(LedgerStoreError::Ledger(_)) => {
                self.find(Finding::Different(tile.path));
            }
            Ok(None) if due => self.find(Finding::Missing(tile.path)),
            Ok(None) => return Ok(()),
            Err(e) => return Err(e),
        }
        self.report.tiles += 1;
        Ok(())
    }
}
