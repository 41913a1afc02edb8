//! The ledger's database: entries, what follows from them, and the last signed checkpoint, in SQLite or
//! PostgreSQL.
//!
//! Durability: a call that returns has its commit on disk: in SQLite by WAL with `synchronous=FULL`, in
//! PostgreSQL by `synchronous_commit`, and a server with `fsync` off is refused. Writers take turns at one row
//! (SQLite: at the file). Triggers refuse changes to entries and a state that goes backwards.

mod append;
mod dialect;
mod list;
mod state;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use galen_ledger::{
    facts::{Fact, Facts, Proposed},
    tiles::Hash,
};
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, any::AnyRow, pool::PoolConnection, query::Query,
};
use tokio::time::sleep;

pub(super) use append::select;
pub use append::{Outcome, Receipt};
use dialect::{Dialect, FileId, MOST_BINDS, Place};
use list::Order;
pub use list::{Filter, Line};
pub use state::{Published, Unhalted};

use super::{LedgerStoreError, lead::Lead};

/// The pause between two rounds of bringing SQLite's file up to its WAL.
const WAL_PAUSE: Duration = Duration::from_millis(20);

/// The same while nothing is written.
const WAL_IDLE: Duration = Duration::from_millis(500);

/// Pages of a WAL that is begun anew: 20 MB.
const LONG_WAL: i64 = 5_000;

/// A statement with at most so many rows of parameters is kept prepared: lone entries and look-ups.
const PREPARED: usize = 4;

/// A stored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its index.
    pub index: u64,
    /// SHA-256 of its bytes, as stored.
    pub dedup: Vec<u8>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    place: Place,
    /// SQLite's file when it was opened.
    file: Option<FileId>,
    writer: AnyPool,
    readers: AnyPool,
    /// Whether a part of it could not be read since it was opened: no page of SQLite's file mends itself.
    damaged: Arc<AtomicBool>,
}

fn number(n: i64) -> Result<u64, LedgerStoreError> {
    u64::try_from(n).map_err(|_| LedgerStoreError::damaged("a negative index or size"))
}

fn column(n: u64) -> Result<i64, LedgerStoreError> {
    i64::try_from(n).map_err(|_| LedgerStoreError::range("an index or size"))
}

/// Whether a database holds a ledger.
///
/// # Errors
/// [`LedgerStoreError::NoLedger`], or the database's.
async fn has_state(pool: &AnyPool) -> Result<(), LedgerStoreError> {
    let state = sqlx::query("SELECT origin FROM log_state WHERE id = 1");
    match state.fetch_optional(pool).await.map_err(Into::into) {
        Ok(Some(_)) => Ok(()),
        Ok(None) | Err(LedgerStoreError::Database(sqlx::Error::Database(_))) => {
            Err(LedgerStoreError::NoLedger)
        }
        Err(e) => Err(e),
    }
}

/// Gives a connection back after a transaction. One whose transaction ended in an error is closed: SQLite takes some
/// failing transactions back by itself, and what counts them in the connection is not told.
fn ended<T>(
    mut connection: PoolConnection<Any>,
    result: Result<T, LedgerStoreError>,
) -> Result<T, LedgerStoreError> {
    if result.is_err() {
        connection.close_on_drop();
    }
    result
}

/// A statement with so many rows of parameters. Its text is made of constants and placeholders.
fn prepare(sql: &str, rows: usize) -> Query<'static, Any, sqlx::any::AnyArguments> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(rows <= PREPARED)
}

/// Brings an SQLite file up to its WAL; how many pages that had.
async fn wal_checkpoint(
    connection: &mut AnyConnection,
    mode: &'static str,
) -> Result<i64, LedgerStoreError> {
    let sql = AssertSqlSafe(format!("PRAGMA wal_checkpoint({mode})"));
    let (_busy, pages, _done): (i64, i64, i64) = sqlx::query_as(sql).fetch_one(connection).await?;
    Ok(pages)
}

/// The rows whose `key` is one of these, in one statement for all that fit.
async fn pick<'a, K>(
    connection: &mut AnyConnection,
    dialect: Dialect,
    select: &str,
    keys: &'a [K],
    bind: fn(&'a K) -> Key<'a>,
) -> Result<Vec<AnyRow>, LedgerStoreError> {
    let mut rows = Vec::new();
    for chunk in keys.chunks(MOST_BINDS) {
        let sql = format!("{select} IN {}", dialect.rows(1, chunk.len()));
        let mut query = prepare(&sql, chunk.len());
        for key in chunk {
            query = match bind(key) {
                Key::Text(text) => query.bind(text.to_owned()),
                Key::Bytes(bytes) => query.bind(bytes.to_vec()),
            };
        }
        rows.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

enum Key<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

async fn facts(
    connection: &mut AnyConnection,
    dialect: Dialect,
    names: &[String],
) -> Result<Facts, LedgerStoreError> {
    let select = "SELECT name, idx, value FROM facts WHERE name";
    let rows = pick(connection, dialect, select, names, |n| Key::Text(n)).await?;
    rows.iter().map(fact).collect()
}

fn fact(row: &AnyRow) -> Result<(String, Fact), LedgerStoreError> {
    use sqlx::Row;
    let index = number(row.try_get(1)?)?;
    let value = row.try_get(2)?;
    Ok((row.try_get(0)?, Fact { index, value }))
}

impl Store {
    /// Creates the database of a new log at `place`, or opens it if it is there. A place is the URL of a
    /// PostgreSQL database that exists (`postgres://…`) or the path of an SQLite file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn create(place: &str, origin: &str) -> Result<Self, LedgerStoreError> {
        let place = Place::new(place, true)?;
        let writer = place.writer().await?;
        place.dialect.migrations().run(&writer).await?;
        sqlx::query(
            "INSERT INTO log_state (id, origin, size) VALUES (1, $1, 0) ON CONFLICT (id) DO NOTHING",
        )
        .bind(origin)
        .execute(&writer)
        .await?;
        Self::with(place, writer, origin).await
    }

    /// Opens the database of a log and brings its schema up to date. One that is not there, or is empty, is an
    /// error: a log that has lost its database must not begin again under the same name.
    ///
    /// # Errors
    /// No database, or one without a ledger; another log's, a schema of a later version, entries that do not
    /// fit the state; a PostgreSQL server with `fsync` off.
    pub async fn open(place: &str, origin: &str) -> Result<Self, LedgerStoreError> {
        let place = Place::new(place, false)?;
        if !place.exists()? {
            return Err(LedgerStoreError::NoLedger);
        }
        place.check_readable().await?;
        let writer = place.writer().await?;
        has_state(&writer).await?;
        place.dialect.migrations().run(&writer).await?;
        Self::with(place, writer, origin).await
    }

    /// Whether there is a file at a place of SQLite's, or a server may have a ledger.
    ///
    /// # Errors
    /// No place.
    pub fn is_there(place: &str) -> Result<bool, LedgerStoreError> {
        Place::new(place, false)?.exists()
    }

    /// Opens the database of a log to read it. Of SQLite nothing is written, not even what its WAL holds into its file.
    ///
    /// # Errors
    /// As [`open`](Self::open); a schema of an earlier version.
    pub async fn open_to_read(place: &str, origin: &str) -> Result<Self, LedgerStoreError> {
        let place = Place::new(place, false)?;
        if !place.exists()? {
            return Err(LedgerStoreError::NoLedger);
        }
        place.check_readable().await?;
        let readers = place.readers().await?;
        has_state(&readers).await?;
        let keeping = sqlx::query("SELECT n FROM unhalted LIMIT 1");
        if let Err(sqlx::Error::Database(_)) = keeping.fetch_optional(&readers).await {
            return Err(LedgerStoreError::damaged(
                "the database is of an earlier version of Galen: start the service once, which brings it up to date",
            ));
        }
        Self::with(place, readers, origin).await
    }

    async fn with(place: Place, writer: AnyPool, origin: &str) -> Result<Self, LedgerStoreError> {
        let readers = place.readers().await?;
        let store = Self {
            file: place.file_id()?,
            place,
            writer,
            readers,
            damaged: Arc::default(),
        };
        store.check(origin).await?;
        Ok(store)
    }

    /// Notes that a part of the database could not be read.
    pub(crate) fn note_damage(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// Notes an error that says so.
    pub(super) fn note(&self, error: &LedgerStoreError) {
        if matches!(error, LedgerStoreError::Broken { .. }) {
            self.note_damage();
        }
    }

    /// Whether a part of the database could not be read since it was opened.
    pub(crate) fn damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    async fn check(&self, origin: &str) -> Result<(), LedgerStoreError> {
        if self.place.dialect == Dialect::Postgres {
            let fsync: String = sqlx::query_scalar("SELECT current_setting('fsync')")
                .fetch_one(&self.readers)
                .await?;
            if fsync != "on" {
                return Err(LedgerStoreError::NotDurable { setting: "fsync" });
            }
        }
        let (theirs, size, entries): (String, i64, i64) = sqlx::query_as(
            "SELECT origin, size, (SELECT coalesce(max(idx) + 1, 0) FROM entries) FROM log_state WHERE id = 1",
        )
        .fetch_one(&self.readers)
        .await?;
        if theirs != origin {
            return Err(LedgerStoreError::damaged(format!(
                "the database is of the log {theirs:?}, not of {origin:?}"
            )));
        }
        if size != entries {
            return Err(LedgerStoreError::damaged(format!(
                "the database says that it has {size} entries, and the last one there would make them {entries}: restore the newest one"
            )));
        }
        Ok(())
    }

    /// Appends a batch in one transaction, under a lock that all replicas share. An entry that is there
    /// already, or twice in the batch, keeps its index. Of the others each is judged by the facts that the
    /// entries before it have set, those of this batch too; one that is refused is passed over, and nothing
    /// of it is stored. Returns the outcomes in the batch's order and the log's size.
    ///
    /// Durable when it returns. After an error (or if the future is dropped) all of the batch's accepted
    /// entries are stored or none of them is; appending again is safe either way.
    ///
    /// # Errors
    /// [`LedgerStoreError::Halted`]: a halted log takes nothing more. The database's.
    pub async fn append(
        &self,
        batch: &[Arc<dyn Proposed>],
    ) -> Result<(Vec<Outcome>, u64), LedgerStoreError> {
        let appended = append::append(&self.writer, self.place.dialect, batch).await?;
        self.check_in_place()?;
        Ok(appended)
    }

    /// Refuses a file that is not in its place any more: what is written to it is lost with the next start.
    fn check_in_place(&self) -> Result<(), LedgerStoreError> {
        match self.place.file_id() {
            Ok(found) if found == self.file => Ok(()),
            _ => Err(LedgerStoreError::Moved),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn ping(&self) -> Result<(), LedgerStoreError> {
        self.size().await.map(|_| ())
    }

    /// At most `limit` entries from index `from` on, in order.
    ///
    /// # Errors
    /// The database's.
    pub async fn entries(
        &self,
        from: u64,
        limit: u64,
    ) -> Result<Vec<StoredEntry>, LedgerStoreError> {
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT idx, dedup, body FROM entries WHERE idx >= $1 ORDER BY idx LIMIT $2",
        )
        .bind(column(from)?)
        .bind(column(limit)?)
        .fetch_all(&self.readers)
        .await?;
        let entry = |(index, dedup, body)| {
            let index = number(index)?;
            Ok(StoredEntry { index, dedup, body })
        };
        rows.into_iter().map(entry).collect()
    }

    /// The bytes of the entry at an index.
    ///
    /// # Errors
    /// The database's.
    pub async fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        let body = sqlx::query_scalar("SELECT body FROM entries WHERE idx = $1")
            .bind(column(index)?)
            .fetch_optional(&self.readers)
            .await?;
        Ok(body)
    }

    /// The index of the entry with this SHA-256.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, dedup: &Hash) -> Result<Option<u64>, LedgerStoreError> {
        let index: Option<i64> = sqlx::query_scalar("SELECT idx FROM entries WHERE dedup = $1")
            .bind(dedup.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        index.map(number).transpose()
    }

    /// Those of the facts with these names that are known.
    ///
    /// # Errors
    /// The database's.
    pub async fn facts(&self, names: &[String]) -> Result<Facts, LedgerStoreError> {
        let mut connection = self.readers.acquire().await?;
        facts(&mut connection, self.place.dialect, names).await
    }

    /// At most `limit` lines of the catalogue that meet the filter, oldest first, from after an index on.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<u64>,
        limit: u64,
    ) -> Result<Vec<Line>, LedgerStoreError> {
        list::list(&self.readers, filter, Order::Oldest(after), limit).await
    }

    /// At most `limit` lines of the catalogue that meet the filter, newest first, from before an index on.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_newest(
        &self,
        filter: &Filter,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<Line>, LedgerStoreError> {
        list::list(&self.readers, filter, Order::Newest(before), limit).await
    }

    /// At most `limit` facts whose names sort after `after` (all, if `None`), sorted by their names' bytes.
    pub(super) async fn facts_after(
        &self,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<(String, Fact)>, LedgerStoreError> {
        let rows = sqlx::query(
            "SELECT name, idx, value FROM facts WHERE name > $1 ORDER BY name LIMIT $2",
        )
        // No fact has an empty name.
        .bind(after.unwrap_or_default().to_owned())
        .bind(column(limit)?)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(fact).collect()
    }

    /// Brings SQLite's file up to its WAL, little by little and while the writer goes on, for as long as the caller lets
    /// it. (The writer would do so too, but all at once, and who writes would wait: 30 ms twice a second at 2,400 entries
    /// a second.) Of a server nothing.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn follow_wal(&self) -> Result<(), LedgerStoreError> {
        let Some(mut connection) = self.place.beside().await? else {
            return Ok(());
        };
        let mut before = 0;
        loop {
            let pages = wal_checkpoint(&mut connection, "PASSIVE").await?;
            if pages > LONG_WAL {
                // What was added meanwhile is little: the writer waits for it, and begins the WAL anew.
                wal_checkpoint(&mut connection, "PASSIVE").await?;
                wal_checkpoint(&mut connection, "RESTART").await?;
            }
            let idle = pages == before;
            sleep(if idle { WAL_IDLE } else { WAL_PAUSE }).await;
            before = pages;
        }
    }

    /// What decides which replica publishes.
    pub(crate) fn lead(&self) -> Lead {
        match self.place.dialect {
            Dialect::Sqlite => Lead::Alone,
            Dialect::Postgres => {
                let place = self.place.clone();
                Lead::shared(Box::new(move || {
                    let place = place.clone();
                    Box::pin(async move { place.session().await })
                }))
            }
        }
    }

    /// Closes every connection, after those at work are done.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
