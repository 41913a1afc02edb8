//! Where documents and proofs are checked: threads of their own behind a bounded queue, so that requests that
//! need no arithmetic are never held up by it.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use galen_ledger::{
    documents::{AnswerDocuments, DocumentError, check_answers},
    statement::AnswerStatement,
};
use galen_query::question::Question;
use galen_verifier::answer::Answer;
use tokio::sync::oneshot;

use super::{
    Limits, ServiceError,
    context::DatasetContext,
    turns::{Full, Turns, Who, is_key},
};
use crate::{failures::failed, metrics::Metrics};

/// Jobs taken from the queue at once, at most.
const BATCH: usize = 64;

/// Bytes of bundles that are read at once, before the one that exceeds them: a hostile bundle takes several times
/// its length when it is read.
const BATCH_BYTES: usize = 8 << 20;

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

type Waiting = (Who, Box<AnswerJob>, oneshot::Sender<Verdict>);

enum Work {
    Run(Box<dyn FnOnce() + Send>),
    Answer(Box<AnswerJob>, oneshot::Sender<Verdict>),
}

/// What waits, and whether anyone can still send.
struct Queue {
    turns: Turns<Work>,
    closed: bool,
}

/// The queue between those who ask and the thread that hands out.
struct Desk {
    queue: Mutex<Queue>,
    came: Condvar,
}

impl Desk {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work and takes a batch; none when there is no more and nobody who could send any.
    fn batch(&self) -> Option<Vec<(Who, Work)>> {
        let idle = |queue: &mut Queue| queue.turns.is_empty() && !queue.closed;
        let queue = self.came.wait_while(self.queue(), idle);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let (mut count, mut bytes) = (0, 0);
        let batch = queue.turns.take(|work| {
            count += 1;
            bytes += work.bytes();
            count < BATCH && bytes <= BATCH_BYTES
        });
        (!batch.is_empty()).then_some(batch)
    }
}

/// The pool. Clones share it.
#[derive(Clone)]
pub(super) struct Pool(Arc<Senders>);

/// Closes the desk when the last one has gone.
struct Senders(Arc<Desk>);

impl Drop for Senders {
    fn drop(&mut self) {
        self.0.queue().closed = true;
        self.0.came.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

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
        let desk = Arc::new(Desk {
            queue: Mutex::new(Queue {
                turns: Turns::new(limits.queue),
                closed: false,
            }),
            came: Condvar::new(),
        });
        let pool = Self(Arc::new(Senders(Arc::clone(&desk))));
        thread::Builder::new()
            .name("verify".into())
            .spawn(move || dispatch(&desk, &rayon, &metrics))
            .map_err(|e| ServiceError::Internal(e.to_string()))?;
        Ok(pool)
    }

    async fn send<T>(
        &self,
        who: &Who,
        work: impl FnOnce(oneshot::Sender<T>) -> Work,
    ) -> Result<T, ServiceError> {
        let (done, result) = oneshot::channel();
        let pushed = self.0.0.queue().turns.push(who, work(done));
        pushed.map_err(|full| match full {
            Full::Own { waiting } if is_key(who) => ServiceError::Quota { waiting },
            Full::Own { .. } | Full::All => ServiceError::Busy,
        })?;
        self.0.0.came.notify_one();
        let died = |_| ServiceError::Internal("a check did not finish".into());
        result.await.map_err(died)
    }

    /// Runs a check on someone's behalf.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] if the queue is full, [`ServiceError::Quota`] if it is for this one.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        who: &Who,
        check: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        self.send(who, |done| {
            Work::Run(Box::new(move || {
                // Whoever asked may have gone.
                let _ = done.send(check());
            }))
        })
        .await
    }

    /// Verifies an answer, together with others that wait.
    ///
    /// # Errors
    /// As [`run`](Self::run), or the document that is refused.
    pub(super) async fn answer(&self, who: &Who, job: AnswerJob) -> Result<Answer, ServiceError> {
        Ok(self
            .send(who, |done| Work::Answer(Box::new(job), done))
            .await??)
    }
}

fn dispatch(desk: &Desk, rayon: &rayon::ThreadPool, metrics: &Metrics) {
    while let Some(batch) = desk.batch() {
        let judged = rayon.install(|| work(batch, metrics));
        let turns = &mut desk.queue().turns;
        for (who, refused) in judged {
            turns.judged(&who, refused);
        }
    }
}

/// A panic ends the check that it comes from: whoever waits for that one hears of it.
fn guarded<T>(check: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(check)).ok();
    if done.is_none() {
        failed(
            "a check failed",
            &"it panicked; what of is on standard error",
        );
    }
    done
}

/// Checks these together; if that panics, each by itself, and nothing comes of those that do.
fn each<T, V>(all: &[T], check: impl Fn(&[T]) -> Vec<V>) -> Vec<Option<V>> {
    match guarded(|| check(all)) {
        Some(verdicts) => verdicts.into_iter().map(Some).collect(),
        None => all
            .iter()
            .map(|one| guarded(|| check(std::slice::from_ref(one)))?.pop())
            .collect(),
    }
}

/// Does a batch; who sent the answers among it, and whether each was refused.
fn work(batch: Vec<(Who, Work)>, metrics: &Metrics) -> Vec<(Who, bool)> {
    let mut answers = Vec::new();
    for (who, work) in batch {
        match work {
            Work::Run(check) => {
                guarded(check);
            }
            Work::Answer(job, done) => answers.push((who, job, done)),
        }
    }
    let mut judged = Vec::new();
    if answers.is_empty() {
        return judged;
    }
    let (started, count) = (Instant::now(), answers.len());
    // Proofs of one parameter set are checked together.
    let mut by_set: BTreeMap<[u8; 32], Vec<Waiting>> = BTreeMap::new();
    for waiting in answers {
        by_set
            .entry(*waiting.1.context.keys.id())
            .or_default()
            .push(waiting);
    }
    for waiting in by_set.into_values() {
        verify(waiting, &mut judged);
    }
    metrics.verified(count, started.elapsed());
    judged
}

fn verify(waiting: Vec<Waiting>, judged: &mut Vec<(Who, bool)>) {
    let documents: Vec<AnswerDocuments<'_>> = waiting
        .iter()
        .map(|(_, job, _)| AnswerDocuments {
            statement: &job.statement,
            bundle: &job.bundle,
            registered: &job.context.registered,
            registry: &job.context.registry,
            question: &job.question,
        })
        .collect();
    let keys = &waiting[0].1.context.keys;
    let verdicts = each(&documents, |documents| check_answers(documents, keys));
    for ((who, _, done), verdict) in waiting.into_iter().zip(verdicts) {
        judged.push((who, !matches!(verdict, Some(Ok(_)))));
        if let Some(verdict) = verdict {
            // Whoever asked may have gone.
            let _ = done.send(verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_fault_of_one_alone() {
        let check = |all: &[u32]| -> Vec<u32> {
            assert!(!all.contains(&3), "of this one");
            all.iter().map(|n| n * 10).collect()
        };
        assert_eq!(each(&[1, 2], check), [Some(10), Some(20)]);
        assert_eq!(each(&[1, 3, 2], check), [Some(10), None, Some(20)]);
    }
}
