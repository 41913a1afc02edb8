use std::{
    fs,
    io::IsTerminal as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use galen_server::{
    run::{Config, Place, Running, start},
    service::Limits,
};
use galen_verifier::ledger::tiles::LogKey;
use serde_json::json;
use tokio::signal;

use super::key;
use crate::{failure::refusal, files, output::Output};

const EXAMPLE: &str = "\
Example: a consortium begins a ledger, and starts the service again later
  galen key --new steward.key
  galen key --new log.key
  galen publish consortium --name 'Heart network' --steward <its public key> \\
      --key steward.key --out consortium.json
  galen serve --data /var/lib/galen --origin ledger.example/heart --log-key log.key \\
      --consortium consortium.json
  galen serve --data /var/lib/galen --origin ledger.example/heart --log-key log.key

Put a reverse proxy with TLS in front of it. Several replicas may serve one ledger: give each the
same --database-url, --origin and --log-key, and a --data that is shared.";

/// Where a ledger is
#[derive(Debug, Clone, clap::Args)]
pub struct Ledger {
    /// The service's folder
    #[arg(long, value_name = "DIR", env = "GALEN_DATA")]
    data: PathBuf,
    /// The log's name in its checkpoints, for good: a host's name and a path, without a scheme
    #[arg(long, value_name = "NAME", env = "GALEN_ORIGIN")]
    origin: String,
    /// A PostgreSQL database instead of a file in the folder: postgres://user@host/name
    #[arg(
        long,
        value_name = "URL",
        env = "GALEN_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// The log's signing key, made by `galen key --new`
    #[arg(long, value_name = "FILE", env = "GALEN_LOG_KEY")]
    log_key: PathBuf,
}

impl Ledger {
    /// Where it is.
    pub fn place(&self) -> Place {
        Place {
            data: self.data.clone(),
            database: self.database_url.clone(),
            origin: self.origin.clone(),
        }
    }

    /// The log's key under its name.
    pub fn key(&self) -> Result<LogKey> {
        let key = key::load(&self.log_key)?;
        LogKey::new(&self.origin, key).with_context(|| format!("--origin {}", self.origin))
    }
}

/// Runs the public verifier service and its ledger
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    ledger: Ledger,
    /// Address and port to listen at
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "GALEN_LISTEN"
    )]
    listen: SocketAddr,
    /// The consortium's first signed statement, to begin a new ledger with
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
    #[arg(long, value_name = "MIB", default_value_t = 64, env = "GALEN_MAX_FILE")]
    max_file: usize,
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

/// The signals that end a service, awaited.
pub async fn ended() -> std::io::Result<Ended> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = signal::ctrl_c() => result.map(|()| Ended::Interrupted),
            _ = terminate.recv() => Ok(Ended::Terminated),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await.map(|()| Ended::Interrupted)
}

/// Log lines on standard error: `GALEN_LOG` chooses which, by level and module.
pub fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("GALEN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter);
    // A second call, in tests, changes nothing.
    let _ = subscriber.try_init();
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>> {
    files::read_limited(path, what, 65_536)
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

/// Serves until a signal comes.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    log_to_stderr();
    let data = &args.ledger.data;
    fs::create_dir_all(data).with_context(|| format!("creating {}", data.display()))?;
    let config = Config {
        place: args.ledger.place(),
        key: args.ledger.key()?,
        consortium: args
            .consortium
            .as_deref()
            .map(|p| read(p, "statement"))
            .transpose()?,
        seen: args
            .seen
            .iter()
            .map(|p| read(p, "checkpoint"))
            .collect::<Result<_>>()?,
        listen: args.listen,
        limits: Limits {
            blob: args.max_file.saturating_mul(1 << 20),
            connections: connections(),
            ..Limits::default()
        },
    };
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let running = start(config).await?;
        tell(&running, output)?;
        let why = tokio::select! {
            signal = ended() => signal?,
            () = running.halted() => Ended::Halted,
        };
        output.line("going down: requests under way are finished first")?;
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

fn tell(running: &Running, output: &Output) -> Result<()> {
    let url = format!("http://{}", running.address);
    let key = running.service.log().encoded();
    output.document(&json!({ "url": url, "log_key": key }))?;
    output.line(format!(
        "listening at {url}\nthe log's key  {key}\nits interface  {url}/docs"
    ))
}
