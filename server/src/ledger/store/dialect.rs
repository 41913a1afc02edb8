//! Where SQLite and PostgreSQL differ: opening, locking, placeholders. All other SQL is one text for both.

use std::{borrow::Cow, fmt::Write as _, path::PathBuf, time::Duration};

use sqlx::{
    AnyConnection, AnyPool, ConnectOptions, Connection, SqlSafeStr,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};

use crate::ledger::LedgerStoreError;

/// Connections that only read.
const READERS: u32 = 8;

/// A connection that has been idle for so long is tried before it is used.
const FRESH: Duration = Duration::from_secs(1);

/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most parameters of a statement: SQLite takes 32,766, PostgreSQL 65,535.
pub(super) const MOST_BINDS: usize = 30_000;

/// Every SQLite connection. WAL with `synchronous=FULL`: a commit that returns is on disk. The keys of entries
/// are digests, so a batch touches pages all over the indexes: the cache (64 MiB) holds them, and the file is
/// brought up to the WAL once in many batches and by a connection beside it (see `Store::follow_wal`); by the writer only
/// when the WAL has 160 MB.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA busy_timeout = 10000; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 40000";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 10000";
const SQLITE_BESIDE: &str =
    "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 20; PRAGMA wal_autocheckpoint = 0";

/// Every PostgreSQL session. A replica that hangs or is cut off in a transaction, or while it leads, loses its
/// session in under a minute, so that the others go on.
const POSTGRES_SESSION: &str = "SET synchronous_commit = on; \
    SET default_transaction_isolation = 'read committed'; \
    SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '30s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Which file it is, whatever its name: a file system's number and the file's in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn at(path: &std::path::Path) -> std::io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path)?;
        Ok(Self(found.dev(), found.ino()))
    }

    /// Elsewhere a file that is open can be neither deleted nor replaced.
    #[cfg(not(unix))]
    fn at(path: &std::path::Path) -> std::io::Result<Self> {
        std::fs::metadata(path).map(|_| Self(0, 0))
    }
}

/// A database's place.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) dialect: Dialect,
    /// SQLite's.
    file: Option<PathBuf>,
    writing: AnyConnectOptions,
    reading: AnyConnectOptions,
}

impl Place {
    /// `postgres://…` or `postgresql://…`, or an SQLite file's path.
    pub(super) fn new(text: &str, create: bool) -> Result<Self, LedgerStoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let options: AnyConnectOptions = text.parse()?;
            return Ok(Self {
                dialect: Dialect::Postgres,
                file: None,
                writing: options.clone(),
                reading: options,
            });
        }
        let path = std::path::absolute(text).map_err(sqlx::Error::Io)?;
        let options = |options: SqliteConnectOptions| {
            AnyConnectOptions::from_url(&options.filename(&path).to_url_lossy())
        };
        Ok(Self {
            dialect: Dialect::Sqlite,
            writing: options(SqliteConnectOptions::new().create_if_missing(create))?,
            reading: options(SqliteConnectOptions::new().read_only(true))?,
            file: Some(path),
        })
    }

    /// Whether there is a database at all. A server is asked when it is connected to.
    pub(super) fn exists(&self) -> Result<bool, LedgerStoreError> {
        match &self.file {
            Some(file) => Ok(file.try_exists().map_err(sqlx::Error::Io)?),
            None => Ok(true),
        }
    }

    /// Whether an SQLite file is one: a pool would try again and again, and tell of its time alone.
    pub(super) async fn check_readable(&self) -> Result<(), LedgerStoreError> {
        if self.dialect == Dialect::Sqlite {
            sqlx::any::install_default_drivers();
            let mut connection = self.reading.connect().await?;
            let schema = sqlx::query("SELECT count(*) FROM sqlite_schema");
            schema.execute(&mut connection).await?;
            connection.close().await?;
        }
        Ok(())
    }

    /// The one connection that writes: writers queue here rather than at the database's lock.
    pub(super) async fn writer(&self) -> Result<AnyPool, LedgerStoreError> {
        let setup = match self.dialect {
            Dialect::Sqlite => SQLITE_WRITER,
            Dialect::Postgres => POSTGRES_SESSION,
        };
        Ok(pool(1, setup).connect_with(self.writing.clone()).await?)
    }

    pub(super) async fn readers(&self) -> Result<AnyPool, LedgerStoreError> {
        let setup = match self.dialect {
            Dialect::Sqlite => SQLITE_READER,
            Dialect::Postgres => POSTGRES_SESSION,
        };
        Ok(pool(READERS, setup)
            .connect_with(self.reading.clone())
            .await?)
    }

    /// The file that lies in an SQLite database's place now.
    pub(super) fn file_id(&self) -> Result<Option<FileId>, LedgerStoreError> {
        let id = |file: &PathBuf| FileId::at(file).map_err(sqlx::Error::Io);
        Ok(self.file.as_ref().map(id).transpose()?)
    }

    /// A connection of its own to an SQLite file, outside the pools; none to a server.
    pub(super) async fn beside(&self) -> Result<Option<AnyConnection>, LedgerStoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(None);
        }
        let mut connection = self.writing.connect().await?;
        sqlx::raw_sql(SQLITE_BESIDE)
            .execute(&mut connection)
            .await?;
        Ok(Some(connection))
    }

    /// A session of its own, outside the pools; PostgreSQL only.
    pub(super) async fn session(&self) -> Result<AnyConnection, LedgerStoreError> {
        let mut connection = self.writing.connect().await?;
        sqlx::raw_sql(POSTGRES_SESSION)
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }
}

fn pool(connections: u32, setup: &'static str) -> AnyPoolOptions {
    sqlx::any::install_default_drivers();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(setup).execute(connection).await?;
                Ok(())
            })
        })
}

impl Dialect {
    /// Begins a transaction that will write. SQLite: a deferred transaction that turns to writing fails with
    /// BUSY in a way that no timeout covers.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Reads the log's size and why it was halted, in a transaction begun so, and keeps every other writer out
    /// until its end. In PostgreSQL what is read after it is as the last holder of the lock has left it: each
    /// statement has a snapshot of its own.
    pub(super) fn lock(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT size, halted FROM log_state WHERE id = 1",
            Self::Postgres => "SELECT size, halted FROM log_state WHERE id = 1 FOR UPDATE",
        }
    }

    /// `($1,$2),($3,$4)`: placeholders of so many rows and columns.
    pub(super) fn rows(self, rows: usize, columns: usize) -> String {
        let mut text = String::new();
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ",(" });
            for column in 0..columns {
                text.push_str(if column == 0 { "" } else { "," });
                match self {
                    // SQLite takes `$1` too, but as a name, which it looks for among all names before it.
                    Self::Sqlite => text.push('?'),
                    Self::Postgres => {
                        let _ = write!(text, "${}", row * columns + column + 1);
                    }
                }
            }
            text.push(')');
        }
        text
    }

    pub(super) fn migrations(self) -> Migrator {
        let ledger = match self {
            Self::Sqlite => include_str!("../../../migrations/sqlite/0001_ledger.sql"),
            Self::Postgres => include_str!("../../../migrations/postgres/0001_ledger.sql"),
        };
        // The same text for both.
        let keeping = include_str!("../../../migrations/0002_keeping.sql");
        let one = |(version, name, sql): (i64, &'static str, &'static str)| {
            let (name, sql) = (Cow::Borrowed(name), sql.into_sql_str());
            Migration::new(version, name, MigrationType::Simple, sql, false)
        };
        let all = [(1, "ledger", ledger), (2, "keeping", keeping)];
        Migrator::with_migrations(all.into_iter().map(one).collect())
    }
}
