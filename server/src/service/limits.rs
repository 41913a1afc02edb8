use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ServiceError;

/// What the service takes at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest file, bytes.
    pub blob: usize,
    /// Time of a request without files.
    pub request: Duration,
    /// Time of a request with files.
    pub upload: Duration,
    /// Uploads at a time, of members and of others apart.
    pub uploads: usize,
    /// Event streams at a time.
    pub streams: usize,
    /// Answers and other documents that may wait for verification.
    pub queue: usize,
    /// Open connections.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            blob: 64 << 20,
            request: Duration::from_secs(30),
            upload: Duration::from_secs(300),
            uploads: 16,
            streams: 1_000,
            queue: 128,
            connections: 4_096,
        }
    }
}

/// Places for uploads: a member's statement never waits for a stranger's file.
#[derive(Debug)]
pub struct Uploads {
    signed: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

impl Uploads {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            signed: Arc::new(Semaphore::new(limits.uploads)),
            anonymous: Arc::new(Semaphore::new(limits.uploads)),
        }
    }

    /// For the files of a statement whose signatures hold.
    ///
    /// # Errors
    /// [`ServiceError::Busy`].
    pub fn signed(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        place(&self.signed)
    }

    /// For a file of which nothing is known.
    ///
    /// # Errors
    /// [`ServiceError::Busy`].
    pub fn anonymous(&self) -> Result<OwnedSemaphorePermit, ServiceError> {
        place(&self.anonymous)
    }
}

/// A place, if there is one.
pub(super) fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ServiceError> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| ServiceError::Busy)
}
