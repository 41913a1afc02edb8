//! The one row of state: how large the log is, what is published, and whether it has halted.

use sqlx::{AnyConnection, Connection as _};

use super::{Dialect, Store, column, ended, number};
use crate::ledger::LedgerStoreError;

/// The last signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its size, entries.
    pub size: u64,
    /// The signed note.
    pub text: String,
}

/// A halt that an operator has cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unhalted {
    /// Why the log had halted.
    pub halted: String,
    /// Why it went on.
    pub because: String,
    /// When, UTC.
    pub at: String,
}

async fn clear(
    connection: &mut AnyConnection,
    dialect: Dialect,
    halt: &str,
    because: &str,
) -> Result<bool, LedgerStoreError> {
    let mut tx = connection.begin_with(dialect.begin()).await?;
    let (_, halted): (i64, Option<String>) =
        sqlx::query_as(dialect.lock()).fetch_one(&mut *tx).await?;
    if halted.as_deref() != Some(halt) {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO unhalted (n, halted, because, at) \
         VALUES ((SELECT count(*) FROM unhalted), $1, $2, CAST(CURRENT_TIMESTAMP AS TEXT))",
    )
    .bind(halt.to_owned())
    .bind(because.to_owned())
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE log_state SET halted = NULL WHERE id = 1")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

impl Store {
    /// Entries committed.
    ///
    /// # Errors
    /// The database's.
    pub async fn size(&self) -> Result<u64, LedgerStoreError> {
        let size = sqlx::query_scalar("SELECT size FROM log_state WHERE id = 1")
            .fetch_one(&self.readers)
            .await?;
        number(size)
    }

    /// The last signed checkpoint, if there is one. With several replicas only this, and no copy kept in
    /// memory, never goes backwards from one replica's answer to another's.
    ///
    /// # Errors
    /// The database's; [`LedgerStoreError::Moved`].
    pub async fn published(&self) -> Result<Option<Published>, LedgerStoreError> {
        self.check_in_place()?;
        let (size, text): (Option<i64>, Option<String>) =
            sqlx::query_as("SELECT published_size, checkpoint FROM log_state WHERE id = 1")
                .fetch_one(&self.readers)
                .await?;
        let published = |(size, text)| {
            Ok(Published {
                size: number(size)?,
                text,
            })
        };
        size.zip(text).map(published).transpose()
    }

    /// Replaces the checkpoint of size `old` by a greater one: a compare-and-swap that only ever grows, and
    /// never beyond the entries. Durable when it returns; after an error it may or may not have happened.
    ///
    /// # Errors
    /// [`LedgerStoreError::Overtaken`] if the stored one is not of size `old`, or the log has halted;
    /// [`LedgerStoreError::Moved`].
    pub async fn advance(&self, old: Option<u64>, new: &Published) -> Result<(), LedgerStoreError> {
        let swapped = sqlx::query(
            "UPDATE log_state SET published_size = $1, checkpoint = $2 WHERE id = 1 AND halted IS NULL \
             AND published_size IS NOT DISTINCT FROM $3 AND coalesce(published_size, -1) < $1 AND $1 <= size",
        )
        .bind(column(new.size)?)
        .bind(new.text.clone())
        .bind(old.map(column).transpose()?)
        .execute(&self.writer)
        .await?;
        if swapped.rows_affected() == 1 {
            self.check_in_place()
        } else {
            Err(LedgerStoreError::Overtaken)
        }
    }

    /// Whether the database can be written to: changes a row that nobody reads, durably. (SQLite does not write a row
    /// that stays as it was.)
    ///
    /// # Errors
    /// The database's: no room, a file system that only reads, no server.
    pub async fn try_writing(&self) -> Result<(), LedgerStoreError> {
        sqlx::query("UPDATE trial SET n = 1 - n WHERE id = 1")
            .execute(&self.writer)
            .await?;
        self.check_in_place()
    }

    /// Lets publication go on after this halt, and keeps why it was halted and why it may go on. Whether it was: not if
    /// the log has not halted, or for another reason.
    ///
    /// # Errors
    /// The database's.
    pub async fn unhalt(&self, halt: &str, because: &str) -> Result<bool, LedgerStoreError> {
        let mut connection = self.writer.acquire().await?;
        let cleared = clear(&mut connection, self.place.dialect, halt, because).await;
        ended(connection, cleared)
    }

    /// The halts that were cleared, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn unhalted(&self) -> Result<Vec<Unhalted>, LedgerStoreError> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT halted, because, at FROM unhalted ORDER BY n")
                .fetch_all(&self.readers)
                .await?;
        let one = |(halted, because, at)| Unhalted {
            halted,
            because,
            at,
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// Stops publication for good; a reason that is there already stays.
    ///
    /// # Errors
    /// The database's.
    pub async fn halt(&self, why: &str) -> Result<(), LedgerStoreError> {
        sqlx::query("UPDATE log_state SET halted = coalesce(halted, $1) WHERE id = 1")
            .bind(why.to_owned())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Why publication was stopped, if it was.
    ///
    /// # Errors
    /// The database's.
    pub async fn halted(&self) -> Result<Option<String>, LedgerStoreError> {
        let halted = sqlx::query_scalar("SELECT halted FROM log_state WHERE id = 1");
        Ok(halted.fetch_one(&self.readers).await?)
    }
}
