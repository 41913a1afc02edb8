//! A service in this process, and raw requests to it.

use std::{net::SocketAddr, time::Duration};

use galen_server::{
    run::{Config, Place, Running, start},
    service::Limits,
};
use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::common::{ORIGIN, log_key, people::beginning};

/// Longer than anything here takes, and shorter than an idle connection lives.
const PATIENCE: Duration = Duration::from_secs(8);

pub struct World {
    running: Running,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    /// A service on a new ledger with its consortium.
    pub async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            place: Place {
                data: folder.path().into(),
                origin: ORIGIN.into(),
                ..Place::default()
            },
            key: log_key(),
            consortium: Some(beginning()[0].entry().bytes().to_vec()),
            seen: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            limits,
        };
        let running = start(config).await.unwrap();
        assert!(running.service.published_beyond(0).await);
        Self { running, folder }
    }

    /// All that is answered until the connection is closed.
    pub async fn answers(&self, requests: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.running.address).await.unwrap();
        let (mut from, mut to) = stream.split();
        let mut answers = Vec::new();
        let reading = async {
            // A service that refuses what it has not read ends the connection roughly.
            let _ = from.read_to_end(&mut answers).await;
        };
        let writing = async {
            let _ = to.write_all(requests.as_ref()).await;
        };
        let both = async { tokio::join!(reading, writing) };
        timeout(PATIENCE, both).await.expect("it is closed");
        String::from_utf8_lossy(&answers).into_owned()
    }

    /// The one answer to a GET.
    pub async fn get(&self, path: &str) -> String {
        let head = "host: x\r\nconnection: close";
        self.answers(format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n"))
            .await
    }

    /// Runs SQL behind the service's back.
    pub async fn tamper(&self, sql: &'static str) {
        let url = self.folder.path().join("ledger.db");
        sqlx::any::install_default_drivers();
        let url = format!("sqlite:{}", url.display());
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

/// The answers with this status, each of which begins with its line.
pub fn count(answers: &str, status: u16) -> usize {
    answers.matches(&format!("HTTP/1.1 {status} ")).count()
}

/// An answer's header, if it is there once.
pub fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut found = head.lines().filter_map(|line| {
        let (key, value) = line.split_once(": ")?;
        (key == name).then_some(value)
    });
    let value = found.next();
    assert_eq!(found.next(), None, "{name} twice");
    value
}
