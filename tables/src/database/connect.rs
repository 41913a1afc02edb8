//! Connections to a database, each within the one snapshot of a build.

use std::env;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Executor, Row};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Snapshot;
use crate::error::TablesError;
use crate::mapping::DatabaseSource;

/// For a server that does not answer.
const CONNECT: Duration = Duration::from_secs(30);

/// A database of which all is read as it was at one moment.
#[derive(Clone)]
pub(crate) struct Database(Arc<Inner>);

struct Inner {
    name: String,
    /// The schema whose tables are read.
    schema: String,
    options: PgConnectOptions,
    /// What other connections join the snapshot by.
    exported: String,
    seen: Snapshot,
    /// Keeps the snapshot until the build ends.
    keeper: Mutex<PgConnection>,
}

/// Without the connection's options, which hold the password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Connects, and takes the snapshot.
    ///
    /// # Errors
    /// [`TablesError::Database`]; it never holds the URL, in which the password is.
    pub(crate) async fn connect(source: &DatabaseSource) -> Result<Self, TablesError> {
        let error = |message: String| TablesError::Database {
            name: source.name.clone(),
            message,
        };
        let variable = &source.url_env;
        let url = env::var(variable).map_err(|_| {
            error(format!(
                "the environment variable {variable} is not set: give it the database's URL, as in \
                 {variable}='postgres://reader:…@db.hospital.example/omop?sslmode=verify-full'"
            ))
        })?;
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(&url)
            .ok()
            .filter(|_| is_postgres);
        let options = options
            .ok_or_else(|| {
                error(format!(
                    "{variable} holds no URL of a PostgreSQL database (it is not shown, for a password may stand \
                     in it): write postgres://user:password@host:5432/database?sslmode=verify-full, and letters \
                     such as @ or / in a password as %40 or %2F"
                ))
            })?
            .application_name("galen-tables")
            .disable_statement_logging();
        let begun = timeout(CONNECT, begin(&options)).await;
        let mut keeper = begun
            .map_err(|_| {
                error(format!(
                    "the server has not answered for {} s",
                    CONNECT.as_secs()
                ))
            })?
            .map_err(|e| error(message(&e)))?;
        let (exported, seen) = snapshot(&mut keeper, &source.name)
            .await
            .map_err(|e| error(message(&e)))?;
        Ok(Self(Arc::new(Inner {
            name: source.name.clone(),
            schema: source.schema.clone().unwrap_or_else(|| "public".to_owned()),
            options,
            exported,
            seen,
            keeper: Mutex::new(keeper),
        })))
    }

    pub(super) fn schema(&self) -> &str {
        &self.0.schema
    }

    /// The moment of the snapshot.
    pub(crate) fn seen(&self) -> &Snapshot {
        &self.0.seen
    }

    /// The connection that keeps the snapshot, for what is short.
    pub(super) async fn keeper(&self) -> tokio::sync::MutexGuard<'_, PgConnection> {
        self.0.keeper.lock().await
    }

    /// A connection of its own in the same snapshot.
    pub(super) async fn join(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = begin(&self.0.options).await?;
        // The name is the server's own, and letters, digits and dashes alone.
        let join = format!("SET TRANSACTION SNAPSHOT '{}'", self.0.exported);
        connection.execute(sqlx::AssertSqlSafe(join)).await?;
        Ok(connection)
    }

    /// Ends the snapshot, once all is read.
    pub(crate) async fn end(&self) {
        // A server that is gone has ended it already.
        let _ = self.keeper().await.execute("ROLLBACK").await;
    }

    pub(super) fn error(&self, message: String) -> TablesError {
        TablesError::Database {
            name: self.0.name.clone(),
            message,
        }
    }
}

/// A connection in a transaction that only reads and sees one moment; dates and numbers are written as the reader
/// takes them.
async fn begin(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    for statement in [
        "SET datestyle = 'ISO, YMD'",
        "SET timezone = 'UTC'",
        "SET extra_float_digits = 1",
        "SET standard_conforming_strings = on",
        "SET client_encoding = 'UTF8'",
        "SET idle_in_transaction_session_timeout = 0",
        "SET statement_timeout = 0",
        // Rows that a policy hides would be missing without a word: the server refuses instead.
        "SET row_security = off",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    ] {
        connection.execute(statement).await?;
    }
    Ok(connection)
}

async fn snapshot(
    connection: &mut PgConnection,
    source: &str,
) -> Result<(String, Snapshot), sqlx::Error> {
    let row = connection
        .fetch_one(
            "SELECT pg_export_snapshot(), current_setting('server_version'), \
             to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        )
        .await?;
    let seen = Snapshot {
        source: source.to_owned(),
        server: row.try_get(1)?,
        taken: row.try_get(2)?,
    };
    Ok((row.try_get(0)?, seen))
}

/// What is said while rows are read: a server's text about one of them holds its value, so only those about the
/// connection, rights, resources and the SQL itself are shown.
pub(super) fn row_message(error: &sqlx::Error) -> String {
    const ABOUT_NO_ROW: [&str; 9] = ["08", "25", "28", "40", "42", "53", "55", "57", "58"];
    let sqlx::Error::Database(e) = error else {
        return message(error);
    };
    let code = e.code().unwrap_or_default();
    if ABOUT_NO_ROW.iter().any(|class| code.starts_with(class)) {
        return message(error);
    }
    format!(
        "the server fails on a value (SQLSTATE {code}; its text is not shown, for it may hold that value): see what it \
         says to the same SELECT, and mend the view"
    )
}

/// What the driver or the server says, without a detail, which may hold a value.
pub(super) fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(e) => format!("the server says: {}", e.message()),
        sqlx::Error::Io(e) => format!("the connection was lost or could not be made: {e}"),
        sqlx::Error::Tls(e) => format!("TLS, as sslmode asks for it, could not be had: {e}"),
        sqlx::Error::Configuration(_) => "the URL's options are not understood".to_owned(),
        sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            "the connection was lost, or the server is none of PostgreSQL".to_owned()
        }
        other => {
            let kind = format!("{other:?}");
            let kind = kind.split(|c: char| !c.is_ascii_alphanumeric()).next();
            format!("the driver failed ({})", kind.unwrap_or_default())
        }
    }
}
