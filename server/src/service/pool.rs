//! Where documents and proofs are checked: threads of their own behind a bounded queue, so that requests that
//! need no arithmetic are never held up by it.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use galen_ledger::{
    documents::{AnswerDocuments, DocumentError, check_answers},
    statement::AnswerStatement,
};
use galen_query::question::Question;
use galen_verifier::{answer::Answer, proven::Proven};
use tokio::sync::{mpsc, oneshot};

use super::{Limits, ServiceError, context::DatasetContext};
use crate::metrics::Metrics;

/// Jobs taken from the queue at once, at most.
const BATCH: usize = 64;

/// Bytes of bundles that are read at once, before the one that exceeds them: a hostile bundle takes several times
/// its length when it is read.
const BATCH_BYTES: usize = 8 << 20;

/// Proofs remembered, 64 bytes and some each. Predicates and registration come back with every answer over a
/// dataset, and are not verified again.
const REMEMBERED: usize = 1 << 20;

/// Stacks of its threads: one that waits for a part of its work takes up another meanwhile, on top of it.
const STACK: usize = 16 << 20;

/// An answer to verify, with everything that it is verified against.
pub(super) struct AnswerJob {
    pub(super) statement: AnswerStatement,
    pub(super) bundle: bytes::Bytes,
    pub(super) context: Arc<DatasetContext>,
    pub(super) question: Arc<Question>,
}

impl Work {
    /// What it reads, as far as that can be large.
    fn bytes(&self) -> usize {
        match self {
            Self::Run(_) => 0,
            Self::Answer(job, _) => job.bundle.len(),
        }
    }
}

type Verdict = Result<Answer, DocumentError>;

type Waiting = (Box<AnswerJob>, oneshot::Sender<Verdict>);

enum Work {
    Run(Box<dyn FnOnce(&mut Proven) + Send>),
    Answer(Box<AnswerJob>, oneshot::Sender<Verdict>),
}

/// The pool. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Pool(mpsc::Sender<Work>);

impl Pool {
    /// Starts its threads; they end when the last clone is gone.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(super) fn start(limits: &Limits, metrics: Arc<Metrics>) -> Result<Self, ServiceError> {
        let rayon = rayon::ThreadPoolBuilder::new()
            .thread_name(|i| format!("verify-{i}"))
            .stack_size(STACK)
            .build()
            .map_err(|e| ServiceError::Internal(e.to_string()))?;
        let (queue, jobs) = mpsc::channel(limits.queue);
        thread::Builder::new()
            .name("verify".into())
            .spawn(move || dispatch(jobs, &rayon, &metrics))
            .map_err(|e| ServiceError::Internal(e.to_string()))?;
        Ok(Self(queue))
    }

    async fn send<T>(
        &self,
        work: impl FnOnce(oneshot::Sender<T>) -> Work,
    ) -> Result<T, ServiceError> {
        let (done, result) = oneshot::channel();
        self.0
            .try_send(work(done))
            .map_err(|_| ServiceError::Busy)?;
        let died = |_| ServiceError::Internal("a check did not finish".into());
        result.await.map_err(died)
    }

    /// Runs a check that may look at, and add to, what was proven before.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] if the queue is full.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        check: impl FnOnce(&mut Proven) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.send(|done| {
            Work::Run(Box::new(move |proven| {
                // Whoever asked may have gone.
                let _ = done.send(check(proven));
            }))
        })
        .await
    }

    /// Verifies an answer, together with others that wait.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] if the queue is full, or the document that is refused.
    pub(super) async fn answer(&self, job: AnswerJob) -> Result<Answer, ServiceError> {
        Ok(self
            .send(|done| Work::Answer(Box::new(job), done))
            .await??)
    }
}

fn dispatch(mut jobs: mpsc::Receiver<Work>, rayon: &rayon::ThreadPool, metrics: &Metrics) {
    let mut proven = Proven::default();
    while let Some(first) = jobs.blocking_recv() {
        let mut bytes = first.bytes();
        let mut batch = vec![first];
        while batch.len() < BATCH
            && bytes <= BATCH_BYTES
            && let Ok(next) = jobs.try_recv()
        {
            bytes += next.bytes();
            batch.push(next);
        }
        if proven.len() > REMEMBERED {
            proven.clear();
        }
        rayon.install(|| work(batch, &mut proven, metrics));
    }
}

/// A panic ends the check that it comes from: whoever waits for that one hears of it.
fn guarded(proven: &mut Proven, check: impl FnOnce(&mut Proven)) {
    if catch_unwind(AssertUnwindSafe(|| check(proven))).is_err() {
        tracing::error!("a check has panicked");
        // What was proven when it came about is not known for certain.
        *proven = Proven::default();
    }
}

fn work(batch: Vec<Work>, proven: &mut Proven, metrics: &Metrics) {
    let mut answers = Vec::new();
    for work in batch {
        match work {
            Work::Run(check) => guarded(proven, |proven| check(proven)),
            Work::Answer(job, done) => answers.push((job, done)),
        }
    }
    if answers.is_empty() {
        return;
    }
    let (started, count) = (Instant::now(), answers.len());
    // Proofs of one parameter set are checked together.
    let mut by_set: BTreeMap<[u8; 32], Vec<Waiting>> = BTreeMap::new();
    for waiting in answers {
        by_set
            .entry(*waiting.0.context.keys.id())
            .or_default()
            .push(waiting);
    }
    for waiting in by_set.into_values() {
        guarded(proven, |proven| verify(waiting, proven));
    }
    metrics.verified(count, started.elapsed());
}

fn verify(waiting: Vec<Waiting>, proven: &mut Proven) {
    let documents: Vec<AnswerDocuments<'_>> = waiting
        .iter()
        .map(|(job, _)| AnswerDocuments {
            statement: &job.statement,
            bundle: &job.bundle,
            dataset: &job.context.dataset,
            registry: &job.context.registry,
            question: &job.question,
        })
        .collect();
    let verdicts = check_answers(&documents, &waiting[0].0.context.keys, proven);
    for ((_, done), verdict) in waiting.into_iter().zip(verdicts) {
        // Whoever asked may have gone.
        let _ = done.send(verdict);
    }
}
