//! A service from start to end: open the ledger behind its fence, serve, and go down without losing what was
//! acknowledged.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::{Handle, accept::NoDelayAcceptor};
use galen_verifier::ledger::{
    LedgerError, Proposal,
    entry::Envelope,
    facts::{Facts, Proposed},
    statement::Statement,
    tiles::{LogKey, LogVerifier},
};
use hyper_util::rt::TokioTimer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    http,
    ledger::{
        LedgerStoreError,
        blobs::{Blobs, Staging},
        fsck::{Report, fsck},
        objects::Objects,
        publish::Publisher,
        sequencer::{Batching, Sequencer},
        store::Store,
    },
    service::{Limits, Parts, Service, ServiceError},
};

/// How long a client may take for a request's headers.
const HEADERS: Duration = Duration::from_secs(10);

/// How long requests may take that are under way when the service goes down.
const DRAIN: Duration = Duration::from_secs(30);

/// Checkpoints are signed at most so often.
const CHECKPOINTS: Duration = Duration::from_millis(100);

/// Where a ledger is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The service's folder: `ledger.db` unless there is another database, and `files/` with tiles and blobs.
    pub data: PathBuf,
    /// Another database: `postgres://…`.
    pub database: Option<String>,
    /// The log's name, as it stands in its checkpoints: a host's name and a path, without a scheme.
    pub origin: String,
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
    /// The consortium's statement is not one to begin with.
    #[error("the consortium's statement cannot begin a ledger: {why}")]
    Consortium {
        /// Why not.
        why: String,
    },
}

fn at(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    let what = what.into();
    |source| RunError::Io { what, source }
}

impl Place {
    fn database(&self) -> String {
        let file = || self.data.join("ledger.db").display().to_string();
        self.database.clone().unwrap_or_else(file)
    }

    fn files(&self) -> PathBuf {
        self.data.join("files")
    }

    /// Opens the database; with `begin`, makes a new one where there is none.
    async fn open(&self, begin: bool) -> Result<Store, RunError> {
        match Store::open(&self.database(), &self.origin).await {
            Err(LedgerStoreError::NoLedger) if begin => {
                Ok(Store::create(&self.database(), &self.origin).await?)
            }
            Err(LedgerStoreError::NoLedger) => Err(RunError::NoLedger {
                data: self.data.clone(),
            }),
            opened => Ok(opened?),
        }
    }
}

/// Audits a ledger that nobody works on, or at.
///
/// # Errors
/// What keeps it from looking; all else is in the report.
pub async fn audit(place: &Place, log: &LogVerifier) -> Result<Report, RunError> {
    let store = place.open(false).await?;
    let objects = Objects::local(&place.files())?;
    let report = fsck(&store, &objects, log).await?;
    store.close().await;
    Ok(report)
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
    store: Store,
}

/// Starts a service.
///
/// # Errors
/// A ledger that is not there, damaged or behind its fence; an address that is taken.
pub async fn start(config: Config) -> Result<Running, RunError> {
    let Config {
        place,
        key,
        consortium,
        seen,
        listen,
        limits,
    } = config;
    std::fs::create_dir_all(place.files()).map_err(at(place.files().display().to_string()))?;
    let store = place.open(consortium.is_some()).await?;
    let objects = Objects::local(&place.files())?;
    let log = key.verifier().clone();
    let publisher = Publisher::open(store.clone(), objects.clone(), key, &seen).await?;
    let published = publisher.published();
    let sequencer = Sequencer::start(store.clone(), Batching::default()).await?;
    if store.size().await? == 0 {
        begin(&sequencer, consortium.as_deref(), &place.data).await?;
    }
    let publisher = tokio::spawn(publisher.run(sequencer.committed(), CHECKPOINTS, |e| {
        tracing::warn!(error = %e, "publication will be tried again");
    }));
    let stopping = CancellationToken::new();
    let parts = Parts {
        blobs: Blobs::local(&place.files(), Staging::default())?,
        objects,
        submitter: sequencer.submitter(),
        published,
        log,
        store: store.clone(),
    };
    let service = Arc::new(Service::new(parts, limits, stopping.clone())?);
    let (handle, http, address) = listen_at(listen, Arc::clone(&service)).await?;
    Ok(Running {
        address,
        service,
        stopping,
        handle,
        http,
        sequencer,
        publisher,
        store,
    })
}

/// The first entry of a ledger.
async fn begin(
    sequencer: &Sequencer,
    consortium: Option<&[u8]>,
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
    if !matches!(proposal.statement(), Statement::Consortium(_)) {
        return Err(refused(&format!(
            "it is of kind {}",
            proposal.statement().kind()
        )));
    }
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
        .acceptor(NoDelayAcceptor::new());
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS);
    let router = http::router(service);
    let http = tokio::spawn(server.serve(router.into_make_service()));
    Ok((handle, http, address))
}

impl Running {
    /// Whether the publisher still runs: it ends by itself only if the log has halted.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.publisher.is_finished()
    }

    /// Goes down: takes no new requests, lets those under way finish, commits and publishes what the sequencer
    /// took, and closes the database. What was acknowledged is durable.
    ///
    /// # Errors
    /// A publisher that failed at the last; its entries are published at the next start.
    pub async fn stop(self) -> Result<(), RunError> {
        self.stopping.cancel();
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
