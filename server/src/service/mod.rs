//! What the service does, without HTTP: it checks statements, hands them to the ledger, and reads them back.

mod accept;
mod context;
pub(crate) mod error;
mod limits;
mod pool;
pub mod results;
mod turns;

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use galen_ledger::tiles::{Hash, LogVerifier, MAX_SIZE, TilePath, leaf_hash};
use galen_verifier::answer::Answer;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

pub use error::ServiceError;
pub use limits::{Limits, Room, Rooms};

use self::{
    accept::Refused,
    context::{Contexts, Kept, Signers},
    limits::place,
    pool::Pool,
};
use crate::{
    failures::tell_left_out,
    ledger::{
        Blobs, LedgerStoreError, Objects, Submitter,
        store::{Filter, Line, Published, Store},
    },
    metrics::Metrics,
};

/// The parts of a running ledger.
#[derive(Debug)]
pub struct Parts {
    /// Its database.
    pub store: Store,
    /// Its public files.
    pub objects: Objects,
    /// The files beside it.
    pub blobs: Blobs,
    /// Where entries are submitted.
    pub submitter: Submitter,
    /// The last checkpoint, as it grows.
    pub published: watch::Receiver<Option<Published>>,
    /// Its public key.
    pub log: LogVerifier,
}

/// The service.
#[derive(Debug)]
pub struct Service {
    store: Store,
    objects: Objects,
    blobs: Blobs,
    submitter: Submitter,
    published: watch::Receiver<Option<Published>>,
    log: LogVerifier,
    limits: Limits,
    rooms: Rooms,
    streams: Arc<Semaphore>,
    /// Queries that are read at a time.
    reading: Semaphore,
    pool: Pool,
    contexts: Contexts,
    answers: Kept<Answer>,
    refused: Kept<Refused>,
    signers: Signers,
    metrics: Arc<Metrics>,
    stopping: CancellationToken,
    /// Since when entries below this size wait for a checkpoint.
    behind: Mutex<Option<(Instant, u64)>>,
    /// When writing to the database was last tried, and whether it went.
    written: tokio::sync::Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

/// How long entries may wait for a checkpoint before the service is not ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the last trial of the database's writing counts.
const TRIED: Duration = Duration::from_secs(1);

/// Why the service is not ready while such a trial lasts, or after one that was given up.
const SLOW: &str = "the database is slow to take a write";

/// How long such a trial may take.
const UNANSWERED: Duration = Duration::from_secs(5);

/// Seconds between two looks for old uploads.
const SWEEP: u64 = 60;

impl Service {
    /// A service over a running ledger. `stopping` ends its event streams.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(
        parts: Parts,
        limits: Limits,
        stopping: CancellationToken,
    ) -> Result<Self, ServiceError> {
        let metrics = Arc::new(Metrics::default());
        Ok(Self {
            store: parts.store,
            objects: parts.objects,
            blobs: parts.blobs,
            submitter: parts.submitter,
            published: parts.published,
            log: parts.log,
            rooms: Rooms::new(&limits),
            streams: Arc::new(Semaphore::new(limits.streams)),
            reading: Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get)),
            pool: Pool::start(&limits, Arc::clone(&metrics))?,
            limits,
            contexts: Contexts::default(),
            answers: Kept::default(),
            refused: Kept::default(),
            signers: Signers::default(),
            metrics,
            stopping,
            behind: Mutex::default(),
            written: tokio::sync::Mutex::default(),
        })
    }

    /// What it takes at most.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Room for bodies.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// A place for an event stream.
    ///
    /// # Errors
    /// [`ServiceError::Busy`].
    pub fn stream_permit(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        place(&self.streams)
    }

    /// Its measurements.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Cancelled when the service goes down.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// The log's public key.
    #[must_use]
    pub fn log(&self) -> &LogVerifier {
        &self.log
    }

    /// The last signed checkpoint in the database: of all replicas', so that none shows an older one after another
    /// has shown it.
    ///
    /// # Errors
    /// The database's.
    pub async fn checkpoint(&self) -> Result<Option<Published>, ServiceError> {
        Ok(self.store.published().await?)
    }

    /// The last signed checkpoint that this replica has heard of.
    #[must_use]
    pub fn published(&self) -> Option<Published> {
        self.published.borrow().clone()
    }

    /// Waits until a checkpoint covers the entry at `index`; false if the publisher has stopped.
    pub async fn published_beyond(&self, index: u64) -> bool {
        let covered = |p: &Option<Published>| p.as_ref().is_some_and(|p| index < p.size);
        self.published.clone().wait_for(covered).await.is_ok()
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// The database's.
    pub async fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, ServiceError> {
        if index > MAX_SIZE {
            return Ok(None);
        }
        Ok(self.store.entry(index).await?)
    }

    /// Lines of the catalogue that meet the filter, after an index, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<Line>, ServiceError> {
        // Nothing recorded has a NUL in it, and PostgreSQL takes none in a text.
        let texts = [
            &filter.kind,
            &filter.digest,
            &filter.member,
            &filter.registry,
            &filter.dataset,
            &filter.query,
        ];
        let unheard_of = texts.into_iter().flatten().any(|t| t.contains('\0'));
        if unheard_of || after.is_some_and(|index| index > MAX_SIZE) {
            return Ok(Vec::new());
        }
        Ok(self.store.list(filter, after, limit).await?)
    }

    /// A published tile or bundle.
    ///
    /// # Errors
    /// The store's.
    pub async fn tile(&self, path: &TilePath) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.objects.published_tile(path).await?)
    }

    /// The checkpoint and the proof that it covers an entry; `None` if it does not.
    ///
    /// # Errors
    /// A damaged store.
    pub async fn prove(&self, index: u64) -> Result<Option<(String, Vec<Hash>)>, ServiceError> {
        let Some(published) = self.published().filter(|p| index < p.size) else {
            return Ok(None);
        };
        let broken = |e: &dyn std::fmt::Display| ServiceError::Internal(e.to_string());
        let head = self
            .log
            .open(published.text.as_bytes())
            .map_err(|e| broken(&e))?;
        let bytes = self
            .entry(index)
            .await?
            .ok_or_else(|| broken(&"an entry is missing"))?;
        let proof = self
            .objects
            .prove_inclusion(&head, index, &leaf_hash(&bytes))
            .await?;
        Ok(Some((published.text, proof)))
    }

    /// A file that a recorded statement names.
    ///
    /// # Errors
    /// The store's.
    pub async fn blob(&self, digest: &Hash) -> Result<Option<Bytes>, ServiceError> {
        Ok(self.blobs.get(digest).await?)
    }

    /// Keeps a file until its statement comes.
    ///
    /// # Errors
    /// Another digest than named, or no room.
    pub async fn stage(&self, digest: &Hash, bytes: Bytes) -> Result<(), ServiceError> {
        Ok(self.blobs.stage(digest, bytes).await?)
    }

    /// Whether requests will be served; if not, why.
    ///
    /// # Errors
    /// [`ServiceError::NotReady`] with the reason, for operators; [`ServiceError::Halted`].
    pub async fn ready(&self) -> Result<(), ServiceError> {
        let not = |why| ServiceError::NotReady { why };
        let unanswered = "the database does not answer";
        if self.stopping.is_cancelled() {
            return Err(not("the service is shutting down"));
        }
        if self.store.damaged() {
            return Err(not(
                "a part of the database cannot be read; restore the newest backup",
            ));
        }
        if self.observe().await.map_err(|_| not(unanswered))? {
            return Err(ServiceError::Halted);
        }
        self.writes().await.map_err(not)?;
        match *self.behind.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((since, _)) if since.elapsed() > PATIENCE => {
                Err(not("entries have waited too long for a checkpoint"))
            }
            _ => Ok(()),
        }
    }

    /// From now on nothing is taken: a part of the database could not be read.
    pub(crate) fn note_damage(&self) {
        self.store.note_damage();
    }

    /// Whether the database takes a write, and if not, why; tried at most once a second whoever asks.
    async fn writes(&self) -> Result<(), &'static str> {
        let mut last = self.written.lock().await;
        if let Some((at, tried)) = &*last
            && at.elapsed() < TRIED
        {
            return *tried;
        }
        // Before the trial: whoever asked may go meanwhile, and the next one shall not try again at once.
        *last = Some((Instant::now(), Err(SLOW)));
        let tried = match timeout(UNANSWERED, self.store.try_writing()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "the database cannot be written to");
                Err(match e {
                    LedgerStoreError::Moved => "the database's file is not in its place any more",
                    _ => "the database cannot be written to; is there room on its disk?",
                })
            }
            Err(_) => {
                tracing::warn!("the database takes longer than {UNANSWERED:?} for a write");
                Err(SLOW)
            }
        };
        *last = Some((Instant::now(), tried));
        tried
    }

    /// Looks how far the checkpoint is behind the entries, and since when, and whether the log has halted.
    async fn observe(&self) -> Result<bool, ServiceError> {
        let committed = self.store.size().await?;
        let published = self.published().map_or(0, |p| p.size);
        let halted = self.store.halted().await?.is_some();
        self.metrics.log(committed, published, halted);
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        if published >= committed {
            *behind = None;
        } else if behind.is_none_or(|(_, size)| size <= published) {
            *behind = Some((Instant::now(), committed));
        }
        Ok(halted)
    }

    /// Measures the log every second and drops uploads that nobody named, until the service goes down.
    pub async fn upkeep(self: Arc<Self>) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        for second in 1_u64.. {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = seconds.tick() => {}
            }
            tell_left_out();
            if let Err(error) = self.observe().await {
                tracing::warn!(%error, "the log's size is not known");
            }
            if second % SWEEP == 0
                && let Err(error) = self.blobs.sweep().await
            {
                tracing::warn!(%error, "old uploads were not dropped");
            }
        }
    }
}
