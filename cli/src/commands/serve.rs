use std::{
    io::{self, IsTerminal as _},
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Error, Result};
use galen_ledger::tiles::LogKey;
use galen_server::{
    run::{Config, Place, RunError, Running, served, start},
    service::Limits,
};
use serde_json::json;
use tokio::{runtime::Runtime, signal};

use crate::{
    failure::{kind, refusal},
    files, keys,
    kind::Kind,
    output::Output,
};

const EXAMPLE: &str = "\
Example: a consortium begins a ledger, and starts the service again later
  galen key --new steward.key
  galen key --new log.key
  galen publish consortium --name 'Heart network' --steward steward.key \\
      --log-key log.key --origin ledger.example/heart --key steward.key --out consortium.json
  galen serve --data /var/lib/galen --origin ledger.example/heart --log-key log.key \\
      --consortium consortium.json
  galen serve --data /var/lib/galen --origin ledger.example/heart --log-key log.key

Put a reverse proxy with TLS in front of it. Several replicas may serve one ledger: give each the
same --database-url, --origin and --log-key, and the same --files (or a --data that is shared):
  export AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…
  galen serve --database-url postgres://galen@db/galen --files s3://galen-ledger/heart \\
      --origin ledger.example/heart --log-key log.key
AWS_ENDPOINT_URL names another store than Amazon's, with AWS_ALLOW_HTTP=true one without TLS.";

/// Where a ledger is
#[derive(Debug, Clone, clap::Args)]
pub struct Ledger {
    /// The service's folder; not needed with both --database-url and --files
    #[arg(
        long,
        value_name = "DIR",
        env = "GALEN_DATA",
        required_unless_present_all = ["database_url", "files"]
    )]
    data: Option<PathBuf>,
    /// The log's name in its checkpoints, for good: a host's name and a path, without a scheme
    #[arg(long, value_name = "NAME", env = "GALEN_ORIGIN", value_parser = keys::parse_origin)]
    origin: String,
    /// A PostgreSQL database instead of a file in the folder: postgres://user@host/name
    #[arg(
        long,
        value_name = "URL",
        env = "GALEN_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// Object storage for tiles, bundles and files instead of the folder, with a lock that keeps two copies of a database
    /// from signing two histories: s3://bucket/prefix
    #[arg(long, value_name = "URL", env = "GALEN_FILES")]
    files: Option<String>,
    /// Object storage for the lock, if files are in the folder or the lock is to be elsewhere: s3://bucket/prefix
    #[arg(long, value_name = "URL", env = "GALEN_LOCK")]
    lock: Option<String>,
    /// Make the lock where there is none, for a ledger that has a checkpoint already: once, when it had no lock before, or the
    /// lock was moved or lost. No other copy of the ledger may run
    #[arg(long)]
    new_lock: bool,
    /// The log's signing key, made by `galen key --new`
    #[arg(long, value_name = "FILE", env = "GALEN_LOG_KEY")]
    log_key: PathBuf,
}

impl Ledger {
    /// Where it is.
    pub fn place(&self) -> Place {
        Place {
            data: self.data.clone().unwrap_or_default(),
            database: self.database_url.clone(),
            files: self.files.clone(),
            lock: self.lock.clone(),
            new_lock: self.new_lock,
            origin: self.origin.clone(),
        }
    }

    /// The log's key under its name.
    pub fn key(&self) -> Result<LogKey> {
        let key = keys::load(&self.log_key)?;
        LogKey::new(&self.origin, key).with_context(|| format!("--origin {}", self.origin))
    }

    /// The log's key, if what was published is of it: another key or name is no damage.
    pub fn key_of_this(&self, runtime: &Runtime) -> Result<LogKey> {
        let key = self.key()?;
        let place = self.place();
        if let Some(text) = runtime.block_on(served(&place))? {
            let data = || place.data.display().to_string();
            let whose = format!(
                "the checkpoint in {}",
                self.files.clone().unwrap_or_else(data)
            );
            // What else is wrong with it, the audit and the service tell.
            let opened = keys::open_checkpoint(key.verifier(), &text, &whose);
            if let Some(refused) = opened.err().filter(|e| kind(e) == "ledger.AnotherLog") {
                return Err(refused);
            }
        }
        Ok(key)
    }

    /// Refuses a folder that is not there: nothing is made where something is to be looked at.
    pub fn check_there(&self) -> Result<()> {
        match &self.data {
            Some(data) if self.database_url.is_none() && !data.is_dir() => {
                let why = format!("there is no folder {}: is --data right?", data.display());
                Err(refusal("io.NotFound", why))
            }
            _ => Ok(()),
        }
    }

    /// Says where no ledger is, and what then.
    pub fn explain(&self, error: RunError, then: &str) -> Error {
        if !matches!(error, RunError::NoLedger { .. }) {
            return error.into();
        }
        let (place, option) = match (&self.database_url, &self.data) {
            (None, Some(data)) => (data.display().to_string(), "--data"),
            _ => ("the database".to_owned(), "--database-url"),
        };
        let why = format!(
            "there is no ledger in {place}: is {option} right? If its database was lost, restore a backup{then}"
        );
        refusal("ledger.NoLedger", why)
    }
}

/// Runs the public verifier service and its ledger
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    ledger: Ledger,
    /// Address or host, and port, to listen at
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "GALEN_LISTEN",
        value_parser = parse_listen
    )]
    listen: SocketAddr,
    /// The consortium's first signed statement, to begin a new ledger with; of one that is there, it must be entry 0
    #[arg(long, value_name = "FILE")]
    consortium: Option<PathBuf>,
    /// A checkpoint that a mirror or cosigner has seen; the service refuses to start behind it
    #[arg(long = "seen", value_name = "FILE")]
    seen: Vec<PathBuf>,
    /// After SIGTERM, seconds for which the service is not ready but serves: as long as a load balancer takes to notice
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 3,
        env = "GALEN_LAME_DUCK"
    )]
    lame_duck: u64,
    /// The largest file that is taken, MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 64,
        env = "GALEN_MAX_FILE",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_file: u32,
}

/// What ended a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The log contradicts itself.
    Halted,
}

/// The signals that end a service. From their making on they end nothing by themselves, and one that comes before
/// it is awaited is not lost.
#[cfg(unix)]
pub struct Signals {
    interrupt: signal::unix::Signal,
    terminate: signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Within a runtime.
    pub fn new() -> Result<Self> {
        use signal::unix::{SignalKind, signal};
        let handled = |kind| signal(kind).context("handling signals");
        Ok(Self {
            interrupt: handled(SignalKind::interrupt())?,
            terminate: handled(SignalKind::terminate())?,
        })
    }

    /// Waits for one.
    pub async fn ended(&mut self) -> Ended {
        tokio::select! {
            _ = self.interrupt.recv() => Ended::Interrupted,
            _ = self.terminate.recv() => Ended::Terminated,
        }
    }
}

/// Ctrl-C, which ends a service.
#[cfg(windows)]
pub struct Signals(signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Within a runtime.
    pub fn new() -> Result<Self> {
        Ok(Self(signal::windows::ctrl_c().context("handling signals")?))
    }

    /// Waits for it.
    pub async fn ended(&mut self) -> Ended {
        self.0.recv().await;
        Ended::Interrupted
    }
}

/// Log lines on standard error: `GALEN_LOG` chooses which, by level and module.
pub fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("GALEN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        // What cannot be logged is told on standard error otherwise, which panics when that is what cannot be written to.
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter);
    // A second call, in tests, changes nothing.
    let _ = subscriber.try_init();
}

/// Reads `--listen`: an address, or a host's name, of which an IPv4 address is preferred.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let found = text
        .to_socket_addrs()
        .map_err(|e| format!("{e}; give an address and a port, as 127.0.0.1:8080"))?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
    first
        .copied()
        .ok_or_else(|| "the host has no address".into())
}

/// Refuses an address that cannot be listened at, before any long work.
pub fn check_free(listen: SocketAddr) -> Result<()> {
    TcpListener::bind(listen).map(drop).map_err(|e| {
        let hint = match e.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; choose another --listen, as 127.0.0.1:8081"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 are the system's; choose another --listen"
            }
            _ => "is it an address of this machine? Choose another --listen",
        };
        Error::new(e).context(format!("--listen {listen}: {hint}"))
    })
}

fn read(path: &Path, kind: Kind) -> Result<Vec<u8>> {
    files::read(path, kind, 65_536)
}

/// Open files that are not connections: the database's, and tiles and blobs while they are read and written.
const OWN_FILES: u64 = 128;

/// How many connections to take: each is an open file, of which shells allow few unless asked.
fn connections() -> usize {
    let most = Limits::default().connections;
    let wanted = OWN_FILES + most as u64;
    let files = rlimit::increase_nofile_limit(wanted).unwrap_or(wanted);
    let left = files.saturating_sub(OWN_FILES).max(1);
    usize::try_from(left).unwrap_or(most).min(most)
}

fn config(args: &Args, runtime: &Runtime) -> Result<Config> {
    Ok(Config {
        place: args.ledger.place(),
        key: args.ledger.key_of_this(runtime)?,
        consortium: args
            .consortium
            .as_deref()
            .map(|p| read(p, Kind::Statement))
            .transpose()?,
        seen: args
            .seen
            .iter()
            .map(|p| read(p, Kind::Checkpoint))
            .collect::<Result<_>>()?,
        listen: args.listen,
        limits: Limits {
            blob: usize::try_from(args.max_file)?.saturating_mul(1 << 20),
            connections: connections(),
            ..Limits::default()
        },
    })
}

/// Serves until a signal comes.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    log_to_stderr();
    let runtime = galen_server::run::runtime().context("starting the runtime")?;
    // Before anything is opened: who has begun to open a ledger ends as one who serves it.
    let mut signals = runtime.block_on(async { Signals::new() })?;
    check_free(args.listen)?;
    let then = ". Only a new ledger begins with --consortium";
    if args.consortium.is_none() && args.ledger.check_there().is_err() {
        let data = args.ledger.place().data;
        return Err(args.ledger.explain(RunError::NoLedger { data }, then));
    }
    let config = config(args, &runtime)?;
    let consortium = config.consortium.clone();
    runtime.block_on(async {
        let running = tokio::select! {
            running = start(config) => running,
            // As after a crash: whatever was begun, the next start finds it whole or not there.
            _ = signals.ended() => return Ok(()),
        };
        let running = running.map_err(|e| args.ledger.explain(e, then))?;
        if let Some(refused) = not_its_first(&running, consortium.as_deref()).await? {
            running.stop(Duration::ZERO).await?;
            return Err(refused);
        }
        unheard(tell(&running, output));
        let why = tokio::select! {
            signal = signals.ended() => signal,
            () = running.halted() => Ended::Halted,
        };
        unheard(output.line("going down: requests under way are finished first"));
        // Whoever presses Ctrl-C waits for it.
        let lame_duck = if why == Ended::Terminated {
            args.lame_duck
        } else {
            0
        };
        let stopped = running.stop(Duration::from_secs(lame_duck)).await;
        if why == Ended::Halted {
            let why = "the log has halted: `galen ledger fsck` tells what contradicts what";
            return Err(refusal("ledger.Halted", why));
        }
        Ok(stopped?)
    })
}

/// A service does not end because nobody listens to what it says.
fn unheard(said: Result<()>) {
    if let Err(error) = said {
        tracing::debug!(%error, "standard output is not read");
    }
}

/// A consortium that was given, but that this ledger has not begun with.
async fn not_its_first(running: &Running, consortium: Option<&[u8]>) -> Result<Option<Error>> {
    let Some(given) = consortium else {
        return Ok(None);
    };
    let first = running.service.entry(0).await?;
    let why = "--consortium: this ledger began with another statement. A later consortium is published with \
               `galen publish consortium --version N --to URL`; start the service without --consortium";
    let other = first.as_deref() != Some(given);
    Ok(other.then(|| refusal("ledger.Begun", why)))
}

fn tell(running: &Running, output: &Output) -> Result<()> {
    let url = format!("http://{}", running.address);
    let key = running.service.log().encoded();
    output.document(&json!({ "url": url, "log_key": key }))?;
    output.line(format!(
        "listening at {url}\nthe log's key  {key}\nits interface  {url}/docs"
    ))
}
