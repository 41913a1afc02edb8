use galen_ledger::{LedgerError, RuleError};

/// A refusal or failure of the ledger's keeper.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerStoreError {
    /// An entry, proof, checkpoint or stored thing that is not as it must be.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The entry breaks a rule: nothing of it was stored.
    #[error(transparent)]
    Refused(#[from] RuleError),
    /// The queue is full: nothing was stored; try again later (503).
    #[error("the ledger's queue is full; try again later")]
    Busy,
    /// The sequencer no longer takes entries: nothing was stored.
    #[error("the ledger is shutting down")]
    Closed,
    /// The batch failed, or the sequencer died before it could tell: the entry may or may not be stored.
    /// Submitting the same bytes again is safe and gives the index if it is.
    #[error("it is not known whether the entry was stored ({why}); submit the same bytes again")]
    Unacknowledged {
        /// What happened.
        why: String,
    },
    /// The database holds no ledger.
    #[error("there is no ledger in this database; create one, or point to the right database")]
    NoLedger,
    /// SQLite's file is not in its place any more.
    #[error(
        "the database's file was deleted or replaced while it was open; stop the service, and put the right one there"
    )]
    Moved,
    /// The database's server does not keep what it acknowledges.
    #[error("the database's setting {setting} may lose acknowledged entries; turn it on")]
    NotDurable {
        /// The setting that is off.
        setting: &'static str,
    },
    /// The database failed.
    #[error("the ledger's database: {0}")]
    Database(#[source] sqlx::Error),
    /// SQLite's file is not one, or not whole.
    #[error(
        "the database's file cannot be read ({why}): restore the newest one. Move this one away first, and its -wal and \
         -shm with it: they do not belong to another"
    )]
    Broken {
        /// SQLite's reason.
        why: String,
    },
    /// The schema could not be brought up to date.
    #[error("the ledger's schema: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The store of files failed.
    #[error("the file store, {path}: {source}")]
    Object {
        /// The object's path.
        path: String,
        /// The store's own error.
        source: object_store::Error,
    },
    /// An address that is no place for files.
    #[error("{url}: {why}")]
    Bucket {
        /// The address.
        url: String,
        /// What is wrong with it, or with what the environment says of it.
        why: String,
    },
    /// The lock cannot be gone by.
    #[error("the lock: {why}")]
    Lock {
        /// What is wrong with it.
        why: String,
    },
    /// The object storage would let one writer take the place of another.
    #[error(
        "the object storage overlooks {what}, and so a second or late writer would take the place of what others have \
         read: use one with conditional writes (Amazon S3, MinIO, Ceph and others have them)"
    )]
    Unconditional {
        /// The condition.
        what: &'static str,
    },
    /// A file is not the one that its name says.
    #[error("the file's SHA-256 is {got}, not {named}")]
    Digest {
        /// The digest that was named, hex.
        named: String,
        /// The bytes' own, hex.
        got: String,
    },
    /// A file that would not fit the staging area even alone.
    #[error("the file is of {bytes} bytes; at most {most} can wait for their statement")]
    TooLarge {
        /// Its length, bytes.
        bytes: u64,
        /// The staging area's, bytes.
        most: u64,
    },
    /// A published checkpoint that the database cannot stand for: signing on would fork the log.
    #[error("refusing to sign: {why}")]
    Fenced {
        /// The checkpoint and the contradiction.
        why: String,
    },
    /// Publication has stopped for good; an operator must look.
    #[error("the ledger has halted: {why}")]
    Halted {
        /// The reason it was halted for.
        why: String,
    },
    /// Another publisher advanced the checkpoint first.
    #[error("another publisher has advanced the checkpoint")]
    Overtaken,
}

impl From<sqlx::Error> for LedgerStoreError {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Database(d) if d.code().is_some_and(|code| is_broken(&code)) => {
                Self::Broken {
                    why: d.message().to_owned(),
                }
            }
            _ => Self::Database(e),
        }
    }
}

impl LedgerStoreError {
    /// Whether the database or the file store is away, full or busy: what was asked may work later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Object { .. } | Self::Lock { .. } | Self::Moved => true,
            Self::Database(e) => match e {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(e) => e.code().is_some_and(|code| is_passing(&code)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Wraps a file store's error with the object's path.
    pub(crate) fn object(
        path: &object_store::path::Path,
    ) -> impl FnOnce(object_store::Error) -> Self {
        let path = path.to_string();
        move |source| Self::Object { path, source }
    }

    pub(crate) fn damaged(why: impl Into<String>) -> Self {
        Self::Ledger(LedgerError::damaged(why))
    }

    pub(crate) fn range(what: impl Into<String>) -> Self {
        Self::Ledger(LedgerError::range(what))
    }
}

/// Whether the database says by this code that it is away, full or busy. PostgreSQL's have five characters and begin with
/// their class; SQLite's are numbers, whose lowest byte is the kind.
fn is_passing(code: &str) -> bool {
    const POSTGRES: [&str; 6] = ["08", "40", "53", "55", "57", "58"];
    /// Of a server that only reads: a standby, or one whose disk is nearly full.
    const READ_ONLY: &str = "25006";
    /// BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
    const SQLITE: [u32; 6] = [5, 6, 8, 10, 13, 14];
    if code.len() == 5 {
        return code == READ_ONLY || POSTGRES.iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>()
        .is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}

/// Whether SQLite says by this code that its file is malformed (CORRUPT, 11) or none (NOTADB, 26).
fn is_broken(code: &str) -> bool {
    code.len() < 5
        && code
            .parse::<u32>()
            .is_ok_and(|code| [11, 26].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::{is_broken, is_passing};

    #[test]
    fn codes_tell_what_may_pass() {
        // SQLite: full, an I/O error of a write, only readable; PostgreSQL: gone, no connection, disk full,
        // only readable.
        for code in ["13", "778", "8", "57P01", "08006", "53100", "25006"] {
            assert!(is_passing(code), "{code}");
        }
        // SQLite: corrupt, a constraint, no database; PostgreSQL: a constraint, corrupt.
        for code in ["11", "1555", "26", "23505", "XX001", ""] {
            assert!(!is_passing(code), "{code}");
        }
        for (code, broken) in [
            ("11", true),
            ("779", true),
            ("26", true),
            ("13", false),
            ("23505", false),
        ] {
            assert_eq!(is_broken(code), broken, "{code}");
        }
    }
}
