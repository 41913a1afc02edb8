//! An object store in memory whose writes fail when told.

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures::stream::BoxStream;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory,
    path::Path,
};

/// How a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error, and nothing is written.
    Before,
    /// An error, though it is written.
    After,
    /// An error, and it is written when [`Faulty::deliver`] is called.
    Late,
}

impl Fault {
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Late];
}

type Write = (Path, PutPayload, PutOptions);

#[derive(Debug, Default)]
pub struct Faulty {
    pub inner: InMemory,
    /// The write to fail, counted from 0, and how.
    plan: Mutex<Option<(u64, Fault)>>,
    late: Mutex<Vec<Write>>,
    full: AtomicBool,
    pub writes: AtomicU64,
}

impl Faulty {
    /// The `n`-th write from now fails so.
    pub fn fail(&self, n: u64, fault: Fault) {
        *self.plan.lock().unwrap() = Some((self.writes.load(Ordering::SeqCst) + n, fault));
    }

    /// Whether the planned fault has happened.
    pub fn failed(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }

    /// From now on there is no room for another write, or there is again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// The late writes arrive.
    pub async fn deliver(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (to, bytes, how) in late {
            // A file that is there is not created anew.
            let _ = self.inner.put_opts(&to, bytes, how).await;
        }
    }

    fn due(&self, n: u64) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let due = plan.filter(|(at, _)| *at == n);
        if due.is_some() {
            *plan = None;
        }
        due.map(|(_, fault)| fault)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

fn error(why: &'static str) -> Error {
    Error::Generic {
        store: "faulty",
        source: why.into(),
    }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, to: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        let n = self.writes.fetch_add(1, Ordering::SeqCst);
        if self.full.load(Ordering::SeqCst) {
            return Err(error("no space left"));
        }
        match self.due(n) {
            Some(Fault::Before) => Err(error("injected")),
            Some(Fault::After) => {
                self.inner.put_opts(to, bytes, how).await?;
                Err(error("injected"))
            }
            Some(Fault::Late) => {
                self.late.lock().unwrap().push((to.clone(), bytes, how));
                Err(error("injected"))
            }
            None => self.inner.put_opts(to, bytes, how).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        to: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(to, how).await
    }

    async fn get_opts(&self, from: &Path, how: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(from, how).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}
