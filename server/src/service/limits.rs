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
    /// Bytes of files that are held at a time, of members and of others apart.
    pub uploads: usize,
    /// Bytes of statements that are held at a time.
    pub statements: usize,
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
            uploads: 256 << 20,
            statements: 64 << 20,
            streams: 1_000,
            queue: 128,
            connections: 4_096,
        }
    }
}

/// Room for bodies. It is counted in bytes that are held and not in connections: who sends slowly takes little of
/// it, and a member's statement never waits for a stranger's file.
#[derive(Debug)]
pub struct Rooms {
    statements: Arc<Semaphore>,
    signed: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

impl Rooms {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            statements: Arc::new(Semaphore::new(limits.statements)),
            signed: Arc::new(Semaphore::new(limits.uploads)),
            anonymous: Arc::new(Semaphore::new(limits.uploads)),
        }
    }

    /// For a statement.
    #[must_use]
    pub fn statement(&self) -> Room {
        Room::of(&self.statements)
    }

    /// For the files of a statement whose signatures hold.
    #[must_use]
    pub fn signed(&self) -> Room {
        Room::of(&self.signed)
    }

    /// For a file of which nothing is known.
    #[must_use]
    pub fn anonymous(&self) -> Room {
        Room::of(&self.anonymous)
    }
}

/// What one request holds of a room, until it is dropped.
#[derive(Debug)]
pub struct Room {
    space: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Room {
    fn of(space: &Arc<Semaphore>) -> Self {
        Self {
            space: Arc::clone(space),
            held: None,
        }
    }

    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`ServiceError::Busy`].
    pub fn take(&mut self, bytes: usize) -> Result<(), ServiceError> {
        let bytes = u32::try_from(bytes).map_err(|_| ServiceError::Busy)?;
        let more = Arc::clone(&self.space).try_acquire_many_owned(bytes);
        let more = more.map_err(|_| ServiceError::Busy)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

/// A place, if there is one.
pub(super) fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ServiceError> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| ServiceError::Busy)
}
