//! A service from start to end: open the ledger behind its fence, serve, and go down without losing what was
//! acknowledged.

mod place;

use std::{
    fs::File,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::Handle;
use bytes::Bytes;
use futures::future::BoxFuture;
use galen_ledger::{
    LedgerError, Proposal,
    entry::Envelope,
    facts::{Facts, Proposed},
    statement::Statement,
    tiles::{LogKey, LogVerifier, TilePath},
};
use hyper_util::rt::TokioTimer;
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

pub use self::place::Place;
use crate::{
    connections::Bounded,
    failures::failed,
    http,
    ledger::{
        LedgerStoreError,
        blobs::{Blobs, Staging},
        fsck::{Finding, Report, fsck},
        mend::{Mended, mend, mend_published},
        objects::Objects,
        publish::Publisher,
        sequencer::{Batching, Sequencer},
        store::Store,
    },
    service::{Limits, Parts, Service, ServiceError},
};

/// How long a client may take for a request's headers, and between two requests on one connection.
const HEADERS: Duration = Duration::from_secs(10);

/// How long requests may take that are under way when the service goes down.
const DRAIN: Duration = Duration::from_secs(30);

/// Checkpoints are signed at most so often.
const CHECKPOINTS: Duration = Duration::from_millis(100);

/// The pause between two pages of entries while a service looks after its tiles: requests come first.
const BETWEEN_PAGES: Duration = Duration::from_millis(5);

/// The pause after the database could not be brought up to its WAL.
const FOLLOW_AGAIN: Duration = Duration::from_secs(10);

/// Bytes of stack of a service's threads: what reading a query may take at most, and as much again as other threads
/// have. Only what is used takes memory; with less, each query would be read on a stack of its own.
const STACK: usize = 34 << 20;

/// What a service runs on.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
}

/// What a service is started with.
#[derive(Debug)]
pub struct Config {
    /// Where the ledger is.
    pub place: Place,
    /// The log's signing key.
    pub key: LogKey,
    /// The first consortium's signed statement, to begin a new ledger with. Ignored where there is one.
    pub consortium: Option<Vec<u8>>,
    /// Checkpoints of this log that others have seen: the service refuses to fall behind them.
    pub seen: Vec<Vec<u8>>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What is taken at most.
    pub limits: Limits,
}

/// Why a service did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerStoreError),
    /// The service.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A folder or address.
    #[error("{what}: {source}")]
    Io {
        /// Which one.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no ledger, and nothing to begin one with.
    #[error("there is no ledger in {}; begin one with the consortium's first statement", data.display())]
    NoLedger {
        /// The folder.
        data: PathBuf,
    },
    /// Another service works on the same file.
    #[error("another service serves the ledger in {}; replicas need PostgreSQL", data.display())]
    InUse {
        /// The folder.
        data: PathBuf,
    },
    /// The folder of the public files is not there.
    #[error("there is no {}; `galen ledger restore` makes what can be made anew from the database", files.display())]
    NoFiles {
        /// The folder.
        files: PathBuf,
    },
    /// A service publishes it.
    #[error("a service is at work on this ledger; stop every one of its services first")]
    AtWork,
    /// The consortium's statement is not one to begin with.
    #[error("the consortium's statement cannot begin a ledger: {why}")]
    Consortium {
        /// Why not.
        why: String,
    },
}

/// What the service does for a caller who waits for it. Boxed: a caller that polled the bare future would compile
/// the whole service a second time, and the command line is the last crate that everyone waits for.
type Work<'a, T> = BoxFuture<'a, Result<T, RunError>>;

fn at(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    let what = what.into();
    |source| RunError::Io { what, source }
}

/// Audits a ledger that nobody works on, or at, and writes nothing.
///
/// # Errors
/// What keeps it from looking; all else is in the report.
pub fn audit<'a>(place: &'a Place, log: &'a LogVerifier) -> Work<'a, Report> {
    Box::pin(async {
        let store = Store::open_to_read(&place.database(), &place.origin).await;
        let store = place.opened(store)?;
        let objects = place.objects()?;
        let report = fsck(&store, &objects, log).await?;
        store.close().await;
        Ok(report)
    })
}

/// The checkpoint that is served, unverified.
///
/// # Errors
/// A store that fails; files that are not there have none.
pub fn served(place: &Place) -> Work<'_, Option<Bytes>> {
    Box::pin(async {
        match place.objects() {
            Err(RunError::NoFiles { .. }) => Ok(None),
            objects => Ok(objects?.checkpoint().await?),
        }
    })
}

/// The work of a ledger's keeper while no service works on it.
async fn alone<'a, T>(
    place: &'a Place,
    objects: &'a Objects,
    work: impl AsyncFnOnce(&Store, &Objects) -> Result<T, LedgerStoreError>,
) -> Result<T, RunError> {
    let at_work = |e| match e {
        RunError::InUse { .. } => RunError::AtWork,
        e => e,
    };
    let _held = place.hold().map_err(at_work)?;
    let store = place.open().await?;
    let mut lead = store.lead();
    if !lead.take().await? {
        return Err(RunError::AtWork);
    }
    let done = work(&store, objects).await;
    lead.yield_to_others().await;
    store.close().await;
    Ok(done?)
}

/// Writes the tiles, bundles and the checkpoint of a ledger that nobody serves anew, where they are not what its entries
/// give, whether it has halted or not.
///
/// # Errors
/// A service that runs, no ledger, a database that is not the one that the files are of.
pub fn restore<'a>(place: &'a Place, log: &'a LogVerifier) -> Work<'a, Mended> {
    Box::pin(async {
        place.check_there()?;
        let objects = place.objects_to_write().await?;
        alone(place, &objects, async |store, objects| {
            mend(store, objects, log).await
        })
        .await
    })
}

/// Lets a halted ledger go on, if the halt is all that its audit finds. Its report, and why it had halted: none if it had
/// not, or if there is more to find.
///
/// # Errors
/// As [`restore`].
pub fn unhalt<'a>(
    place: &'a Place,
    log: &'a LogVerifier,
    because: &'a str,
) -> Work<'a, (Report, Option<String>)> {
    Box::pin(async move {
        let objects = place.objects()?;
        alone(place, &objects, async |store, objects| {
            let report = fsck(store, objects, log).await?;
            // What was audited, and nothing that has come since.
            if let [Finding::Halted(halt)] = &report.findings[..]
                && objects.found_by_lock(halt)
            {
                return Err(LedgerStoreError::Lock {
                    why: "this halt was found by it, and cannot be judged without it: give --files or --lock as the service \
                          had it"
                        .to_owned(),
                });
            }
            let cleared = match &report.findings[..] {
                [Finding::Halted(halt)] if store.unhalt(halt, because).await? => Some(halt.clone()),
                _ => None,
            };
            Ok((report, cleared))
        })
        .await
    })
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub service: Arc<Service>,
    stopping: CancellationToken,
    handle: Handle<SocketAddr>,
    http: JoinHandle<io::Result<()>>,
    sequencer: Sequencer,
    publisher: JoinHandle<Result<(), LedgerStoreError>>,
    halted: CancellationToken,
    store: Store,
    _held: Option<File>,
}

/// Starts a service.
///
/// # Errors
/// A ledger that is not there, damaged or behind its fence; an address that is taken.
pub fn start(config: Config) -> Work<'static, Running> {
    Box::pin(run(config))
}

async fn run(config: Config) -> Result<Running, RunError> {
    let Config {
        place,
        key,
        consortium,
        seen,
        listen,
        limits,
    } = config;
    if consortium.is_none() {
        place.check_there()?;
    }
    let objects = place.objects_to_write().await?;
    let held = place.hold()?;
    let store = place.open_or_begin(consortium.is_some(), &objects).await?;
    let log = key.verifier().clone();
    let begun = async {
        let publisher = Publisher::open(store.clone(), objects.clone(), key, &seen).await?;
        mend_newest(&publisher).await?;
        let sequencer = Sequencer::start(store.clone(), Batching::default()).await?;
        if store.size().await? == 0 {
            begin(&sequencer, consortium.as_deref(), &log, &place.data).await?;
        }
        Ok::<_, RunError>((publisher, sequencer))
    };
    let (publisher, sequencer) = match begun.await {
        Ok(begun) => begun,
        Err(e) => {
            // Its WAL goes with that: one that stays would be taken for another database's.
            store.close().await;
            return Err(e);
        }
    };
    let published = publisher.published();
    let halted = CancellationToken::new();
    let publisher = tokio::spawn(publish(publisher, sequencer.committed(), halted.clone()));
    let stopping = CancellationToken::new();
    let parts = Parts {
        blobs: Blobs::new(&objects, Staging::default()),
        objects,
        submitter: sequencer.submitter(),
        published,
        log,
        store: store.clone(),
    };
    let looking = look_after(store.clone(), parts.objects.clone(), parts.log.clone());
    tokio::spawn(stopping.clone().run_until_cancelled_owned(looking));
    let following = follow_wal(store.clone());
    tokio::spawn(stopping.clone().run_until_cancelled_owned(following));
    let service = Arc::new(Service::new(parts, limits, stopping.clone())?);
    tokio::spawn(Arc::clone(&service).upkeep());
    let (handle, http, address) = listen_at(listen, Arc::clone(&service)).await?;
    Ok(Running {
        address,
        service,
        stopping,
        handle,
        http,
        sequencer,
        publisher,
        halted,
        store,
        _held: held,
    })
}

async fn publish(
    publisher: Publisher,
    committed: watch::Receiver<u64>,
    halted: CancellationToken,
) -> Result<(), LedgerStoreError> {
    let warn = |e: &LedgerStoreError| tracing::warn!(error = %e, "publication will be tried again");
    let ended = publisher.run(committed, CHECKPOINTS, warn).await;
    if let Err(e) = &ended {
        tracing::error!(error = %e, "publication has ended");
        halted.cancel();
    }
    ended
}

/// Says at once which of the newest tiles were torn. A store that only reads is no reason not to serve.
async fn mend_newest(publisher: &Publisher) -> Result<(), LedgerStoreError> {
    match publisher.mend_newest().await {
        Ok(mended) => tell_mended(mended),
        Err(e @ LedgerStoreError::Halted { .. }) => return Err(e),
        Err(e) => {
            tracing::error!(error = %e, "the newest tiles could not be compared with the entries")
        }
    }
    Ok(())
}

fn tell_mended(mended: Vec<TilePath>) {
    for path in mended {
        tracing::warn!(%path, "was not what the entries give, and was written anew");
    }
}

/// Compares all tiles and bundles with the entries while the service works, and writes anew what a disk has torn.
async fn look_after(store: Store, objects: Objects, log: LogVerifier) {
    match mend_published(&store, &objects, &log, BETWEEN_PAGES).await {
        Ok(mended) => tell_mended(mended),
        Err(e) => tracing::error!(error = %e, "tiles could not be compared with the entries"),
    }
}

/// Keeps the database's WAL short while the service works.
async fn follow_wal(store: Store) {
    while let Err(e) = store.follow_wal().await {
        failed("the database was not brought up to its WAL", &e);
        sleep(FOLLOW_AGAIN).await;
    }
}

/// The first entry of a ledger.
async fn begin(
    sequencer: &Sequencer,
    consortium: Option<&[u8]>,
    log: &LogVerifier,
    data: &Path,
) -> Result<(), RunError> {
    let bytes = consortium.ok_or_else(|| RunError::NoLedger { data: data.into() })?;
    let refused = |why: &dyn std::fmt::Display| RunError::Consortium {
        why: why.to_string(),
    };
    let read = |bytes| -> Result<Proposal, LedgerError> {
        Proposal::read(Envelope::parse(bytes)?, &Facts::new())
    };
    let proposal = read(bytes).map_err(|e| refused(&e))?;
    let Statement::Consortium(first) = proposal.statement() else {
        let kind = proposal.statement().kind();
        return Err(refused(&format!("it is of kind {kind}")));
    };
    first.check_log(log).map_err(|e| refused(&e))?;
    proposal.apply(&Facts::new()).map_err(|e| refused(&e))?;
    sequencer.submitter().submit(Arc::new(proposal)).await?;
    Ok(())
}

type Listening = (Handle<SocketAddr>, JoinHandle<io::Result<()>>, SocketAddr);

async fn listen_at(listen: SocketAddr, service: Arc<Service>) -> Result<Listening, RunError> {
    let what = listen.to_string();
    let listener = std::net::TcpListener::bind(listen).map_err(at(what.clone()))?;
    listener.set_nonblocking(true).map_err(at(what.clone()))?;
    let address = listener.local_addr().map_err(at(what.clone()))?;
    let handle = Handle::new();
    let mut server = axum_server::from_tcp(listener)
        .map_err(at(what))?
        .handle(handle.clone())
        .acceptor(Bounded::new(service.limits().connections))
        // HTTP/2 is for the proxy in front: a client that has not said which it speaks is not timed. After the
        // acceptor, which forgets it.
        .http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        // What is read at once can be more: `http` counts it again.
        .max_buf_size(http::HEAD_BYTES);
    let router = http::router(service);
    let http = tokio::spawn(server.serve(router.into_make_service()));
    Ok((handle, http, address))
}

impl Running {
    /// Waits until the log halts, which it does if something in it contradicts itself.
    pub async fn halted(&self) {
        self.halted.cancelled().await;
    }

    /// Goes down. For the time `lame_duck` it is not ready, ends event streams and asks clients to close their
    /// connections, but serves: load balancers and clients have time to go elsewhere. Then it takes no new requests,
    /// lets those under way finish, commits and publishes what the sequencer took, and closes the database. What
    /// was acknowledged is durable.
    ///
    /// # Errors
    /// A publisher that failed at the last; its entries are published at the next start.
    pub fn stop(self, lame_duck: Duration) -> Work<'static, ()> {
        Box::pin(self.go_down(lame_duck))
    }

    async fn go_down(self, lame_duck: Duration) -> Result<(), RunError> {
        self.stopping.cancel();
        sleep(lame_duck).await;
        self.handle.graceful_shutdown(Some(DRAIN));
        let served = self.http.await.unwrap_or_else(|e| Err(io::Error::other(e)));
        let sequenced = self.sequencer.shutdown().await;
        let published = self.publisher.await;
        self.store.close().await;
        served.map_err(at("the HTTP service"))?;
        sequenced?;
        match published {
            Ok(result) => Ok(result?),
            Err(e) => Err(RunError::Io {
                what: "the publisher".into(),
                source: io::Error::other(e),
            }),
        }
    }
}
