//! Which replica publishes.
//!
//! On one SQLite file there is one service, and it leads. Replicas on one PostgreSQL database agree by an
//! advisory lock: it is held by a session of its own, so it ends with the replica, and another takes over. The
//! lock saves work, and keeps replicas from writing the served checkpoint over each other; that no two of them
//! ever sign different trees, or take the checkpoint back, does not hang on it, but on the compare-and-swap in
//! the database.

use std::{fmt, time::Duration};

use futures::future::BoxFuture;
use sqlx::{AnyConnection, Connection};
use tokio::time::timeout;

use super::LedgerStoreError;

/// The advisory lock's number: `galen` and 1, in ASCII.
const LOCK: i64 = 0x6761_6c65_6e01;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

type Connect =
    Box<dyn Fn() -> BoxFuture<'static, Result<AnyConnection, LedgerStoreError>> + Send + Sync>;

/// A replica's claim to publish.
pub(crate) enum Lead {
    /// There are no others.
    Alone,
    /// It is shared with others.
    Shared {
        connect: Connect,
        /// The session that holds or will hold the lock.
        session: Option<AnyConnection>,
        held: bool,
    },
}

async fn in_time<T, E: Into<LedgerStoreError>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, LedgerStoreError> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
    }
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone => f.write_str("Alone"),
            Self::Shared { held, .. } => f.debug_struct("Shared").field("held", held).finish(),
        }
    }
}

impl Lead {
    pub(super) fn shared(connect: Connect) -> Self {
        Self::Shared {
            connect,
            session: None,
            held: false,
        }
    }

    /// Takes the lead if it is free, or makes sure that it is still held. Whether it is.
    ///
    /// # Errors
    /// The database's; the lead is lost then.
    pub(crate) async fn take(&mut self) -> Result<bool, LedgerStoreError> {
        let Self::Shared {
            connect,
            session,
            held,
        } = self
        else {
            return Ok(true);
        };
        let mut live = match session.take() {
            Some(live) => live,
            None => in_time(connect()).await?,
        };
        // Without its session in place the lead is gone, also if this future is dropped.
        let leads = std::mem::take(held);
        let asked = if leads {
            timeout(PATIENCE, live.ping())
                .await
                .map(|r| r.map(|()| true))
        } else {
            let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
            timeout(PATIENCE, lock.fetch_one(&mut live)).await
        };
        *held = asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
        *session = Some(live);
        Ok(*held)
    }

    /// Gives the lead up, so that another need not wait for the session's end.
    pub(crate) async fn yield_to_others(&mut self) {
        if let Self::Shared { session, held, .. } = self {
            *held = false;
            if let Some(session) = session.take() {
                // The lock ends with the session, however that ends.
                let _ = timeout(PATIENCE, session.close()).await;
            }
        }
    }
}
