//! A log in a temporary database, on SQLite and on PostgreSQL.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    missing_docs,
    clippy::unwrap_used
)]

mod faulty;
pub mod people;
mod plain;

use std::{
    io::Write as _,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use ed25519_dalek::SigningKey;
pub use faulty::{Fault, Faulty};
use galen_ledger::{
    facts::Proposed,
    tiles::{Checkpoint, LogKey},
};
use galen_server::ledger::{
    LedgerStoreError, Objects, Publisher, Store,
    fsck::{Report, fsck_with},
    store::{Outcome, Receipt},
};
pub use plain::{Plain, claim, entry, plain, proposed, read_plain};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

pub const ORIGIN: &str = "galen.example/ledger";

/// The variable that holds the URL of a PostgreSQL server where databases may be created.
const POSTGRES: &str = "GALEN_TEST_POSTGRES";

pub fn log_key() -> LogKey {
    LogKey::new(ORIGIN, SigningKey::from_bytes(&[9; 32])).unwrap()
}

/// Each test once on SQLite and once, if there is a server, on PostgreSQL.
macro_rules! on_both {
    ($flavor:literal: $($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = $flavor)]
            async fn $name() {
                super::$name(crate::common::Db::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = $flavor)]
            async fn $name() {
                if let Some(db) = crate::common::Db::postgres() {
                    super::$name(db).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

/// Where a test's databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    /// The server's URL, up to the database's name, and what follows the name.
    Postgres(String, String),
}

impl Db {
    /// The server, if the environment names one. If not, says so past the test harness's capture.
    pub fn postgres() -> Option<Self> {
        let Ok(url) = std::env::var(POSTGRES) else {
            let test = thread::current().name().unwrap_or_default().to_owned();
            let told = format!("SKIPPED {test}: {POSTGRES} is not set; .ci/postgres runs it\n");
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return None;
        };
        let (base, query) = url.split_once('?').unwrap_or((&url, ""));
        let (server, _) = base.rsplit_once('/').unwrap();
        Some(Self::Postgres(server.into(), format!("?{query}")))
    }

    /// An empty database.
    pub async fn place(&self) -> Place {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = tempfile::tempdir().unwrap();
        let Self::Postgres(server, query) = self else {
            let url = folder.path().join("ledger.db").display().to_string();
            let admin = None;
            return Place { url, folder, admin };
        };
        let n = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("galen_test_{}_{n}", std::process::id());
        let url = format!("{server}/{name}{query}");
        let admin = (format!("{server}/postgres{query}"), name);
        run(&admin.0, &[&format!("CREATE DATABASE {}", admin.1)]).await;
        let admin = Some(admin);
        Place { url, folder, admin }
    }

    /// An empty log.
    pub async fn log(&self) -> Log {
        Log::at(self.place().await).await
    }
}

/// Runs statements, one by one.
async fn run(url: &str, statements: &[&str]) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.unwrap();
    for sql in statements {
        let sql = AssertSqlSafe((*sql).to_owned());
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// A database that goes when this does.
#[derive(Debug)]
pub struct Place {
    pub url: String,
    pub folder: tempfile::TempDir,
    /// PostgreSQL: the server's URL, and the database's name.
    admin: Option<(String, String)>,
}

impl Place {
    pub fn is_postgres(&self) -> bool {
        self.admin.is_some()
    }

    /// A connection past the ledger.
    pub async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = if self.is_postgres() {
            self.url.clone()
        } else {
            format!("sqlite:{}", self.url)
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    /// A connection that the database's triggers do not hinder.
    pub async fn tampering(&self) -> AnyConnection {
        let mut connection = self.connect().await;
        let statements = if self.is_postgres() {
            "ALTER TABLE entries DISABLE TRIGGER USER; ALTER TABLE log_state DISABLE TRIGGER USER"
        } else {
            "DROP TRIGGER IF EXISTS entries_are_not_changed; \
             DROP TRIGGER IF EXISTS entries_are_not_deleted; \
             DROP TRIGGER IF EXISTS log_state_is_not_deleted; \
             DROP TRIGGER IF EXISTS log_state_only_grows"
        };
        let done = sqlx::raw_sql(statements).execute(&mut connection).await;
        done.unwrap();
        connection
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((server, name)) = self.admin.take() else {
            return;
        };
        // A runtime cannot be entered from within another: a thread has its own.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            runtime.block_on(run(&server, &[&sql]));
        });
        let _ = dropping.join();
    }
}

/// A log: its database, and its public files in memory.
pub struct Log {
    pub place: Place,
    pub store: Store,
    pub faults: Arc<Faulty>,
    pub objects: Objects,
}

impl Log {
    pub async fn at(place: Place) -> Self {
        let store = Store::create(&place.url, ORIGIN).await.unwrap();
        let faults = Arc::new(Faulty::default());
        let objects = Objects::new(faults.clone());
        Self {
            place,
            store,
            faults,
            objects,
        }
    }

    /// Another service on the same database.
    pub async fn replica(&self) -> Store {
        Store::open(&self.place.url, ORIGIN).await.unwrap()
    }

    /// Closes the database and opens it again, as a restart does.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        self.store = self.replica().await;
    }

    /// Appends plain entries, all of which are accepted.
    pub async fn append(&self, entries: Range<u64>) -> Vec<Receipt> {
        let batch: Vec<_> = entries.map(plain).collect();
        let (outcomes, _) = self.store.append(&batch).await.unwrap();
        outcomes.into_iter().map(Outcome::unwrap).collect()
    }

    pub async fn publisher(&self) -> Publisher {
        self.try_publisher(&[]).await.unwrap()
    }

    pub async fn try_publisher(&self, seen: &[Vec<u8>]) -> Result<Publisher, LedgerStoreError> {
        Publisher::open(self.store.clone(), self.objects.clone(), log_key(), seen).await
    }

    /// The audit of a log of plain entries.
    pub async fn fsck(&self) -> Report {
        fsck_with(&self.store, &self.objects, log_key().verifier(), read_plain)
            .await
            .unwrap()
    }

    pub async fn clean(&self) {
        assert_eq!(self.fsck().await.findings, []);
    }

    pub async fn served(&self) -> Option<Checkpoint> {
        let text = self.objects.checkpoint().await.unwrap()?;
        Some(log_key().verifier().open(&text).unwrap())
    }

    /// Runs SQL behind the ledger's back, its triggers gone.
    pub async fn tamper(&self, sql: &'static str) {
        let mut connection = self.place.tampering().await;
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Replaces a stored entry's bytes or key.
    pub async fn tamper_bytes(&self, sql: &'static str, bytes: &[u8]) {
        let mut connection = self.place.tampering().await;
        let query = sqlx::query(sql).bind(bytes.to_vec());
        query.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Replaces an entry by another of the same length.
    pub async fn change_entry(&self, sql: &'static str, index: u64) {
        let body = self.store.entry(index).await.unwrap().unwrap();
        let text = String::from_utf8(body).unwrap();
        let other = text.replace("plain", "plein");
        assert_ne!(other, text);
        self.tamper_bytes(sql, other.as_bytes()).await;
    }
}
