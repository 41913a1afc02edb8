//! Where a ledger's parts are, and how they are opened.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use super::{RunError, at};
use crate::ledger::{LedgerStoreError, fence::nothing_there, objects::Objects, store::Store};

/// Where a ledger is.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The service's folder: `ledger.db` unless there is another database, and `files/` with tiles and blobs unless they
    /// are elsewhere. Not looked at where both are.
    pub data: PathBuf,
    /// Another database: `postgres://…`.
    pub database: Option<String>,
    /// Object storage for the files: `s3://bucket/prefix`. The lock is there too.
    pub files: Option<String>,
    /// Object storage for the lock: `s3://bucket/prefix`.
    pub lock: Option<String>,
    /// Whether the lock may be made where there is none, though the database has published: where there was none before, or it
    /// was moved or lost.
    pub new_lock: bool,
    /// The log's name, as it stands in its checkpoints: a host's name and a path, without a scheme.
    pub origin: String,
}

impl Place {
    pub(super) fn database(&self) -> String {
        let file = || self.data.join("ledger.db").display().to_string();
        self.database.clone().unwrap_or_else(file)
    }

    fn folder(&self) -> PathBuf {
        self.data.join("files")
    }

    /// The files, wherever they are.
    pub(super) fn objects(&self) -> Result<Objects, RunError> {
        let objects = match &self.files {
            Some(url) => Objects::bucket(url)?,
            None if self.folder().is_dir() => Objects::local(&self.folder())?,
            None => {
                return Err(RunError::NoFiles {
                    files: self.folder(),
                });
            }
        };
        let objects = match &self.lock {
            Some(url) => objects.locked_in_bucket(url)?,
            None => objects,
        };
        Ok(match self.new_lock {
            true => objects.with_new_lock(),
            false => objects,
        })
    }

    /// As [`objects`](Self::objects), to be written to: the folder is made where there is none, object storage is tried.
    pub(super) async fn objects_to_write(&self) -> Result<Objects, RunError> {
        let folder = match (&self.files, &self.database) {
            (None, _) => Some(self.folder()),
            (Some(_), None) => Some(self.data.clone()),
            (Some(_), Some(_)) => None,
        };
        if let Some(folder) = folder {
            fs::create_dir_all(&folder).map_err(at(folder.display().to_string()))?;
        }
        let objects = self.objects()?;
        objects.try_conditions().await?;
        Ok(objects)
    }

    /// Holds the folder for one service: a file database has one writer.
    pub(super) fn hold(&self) -> Result<Option<File>, RunError> {
        if self.database.is_some() {
            return Ok(None);
        }
        let path = self.data.join("lock");
        let file = File::create(&path).map_err(at(path.display().to_string()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(_) => Err(RunError::InUse {
                data: self.data.clone(),
            }),
        }
    }

    /// Opens the database; with `begin`, makes a new one where there is none and no file of a log.
    pub(super) async fn open_or_begin(
        &self,
        begin: bool,
        objects: &Objects,
    ) -> Result<Store, RunError> {
        match self.open().await {
            Err(RunError::NoLedger { .. }) if begin => {
                nothing_there(objects).await?;
                Ok(Store::create(&self.database(), &self.origin).await?)
            }
            opened => opened,
        }
    }

    /// Refuses a place without a database, where nothing is to be made.
    pub(super) fn check_there(&self) -> Result<(), RunError> {
        if Store::is_there(&self.database())? {
            return Ok(());
        }
        Err(RunError::NoLedger {
            data: self.data.clone(),
        })
    }

    pub(super) async fn open(&self) -> Result<Store, RunError> {
        self.opened(Store::open(&self.database(), &self.origin).await)
    }

    pub(super) fn opened(
        &self,
        opened: Result<Store, LedgerStoreError>,
    ) -> Result<Store, RunError> {
        match opened {
            Err(LedgerStoreError::NoLedger) => Err(RunError::NoLedger {
                data: self.data.clone(),
            }),
            opened => Ok(opened?),
        }
    }
}
