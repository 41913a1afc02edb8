//! Sequencing: contiguous, exactly once, durable before anyone is told.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{collections::BTreeSet, time::Duration};

use common::{Db, Log, ORIGIN, entry, on_both, plain};
use galen_server::ledger::{LedgerStoreError, Sequencer, Store, sequencer::Batching};
use sqlx::Connection as _;
use tokio::{task::JoinSet, time::sleep};

on_both!("current_thread": a_replayed_entry_has_the_same_index,
    a_full_queue_is_an_error_of_its_own_and_shutdown_drains,
    a_failing_transaction_is_told_to_its_batch_and_stores_none_of_it,
    a_database_is_one_logs_and_is_not_begun_anew,
    the_database_itself_refuses_to_change_the_past,
    a_lone_entry_does_not_wait_for_others);

mod threads {
    use super::*;
    on_both!("multi_thread": two_thousand_at_once_are_contiguous_and_none_is_lost,
        two_processes_on_one_database_share_one_order,
        what_was_acknowledged_survives_every_crash);
}

async fn start(log: &Log) -> Sequencer {
    let batching = Batching {
        queue: 4_096,
        ..Batching::default()
    };
    Sequencer::start(log.store.clone(), batching).await.unwrap()
}

async fn two_thousand_at_once_are_contiguous_and_none_is_lost(db: Db) {
    let log = db.log().await;
    let sequencer = start(&log).await;
    let mut tasks = JoinSet::new();
    for n in 0..2_000 {
        let submitter = sequencer.submitter();
        tasks.spawn(async move { (n, submitter.submit(plain(n)).await.unwrap()) });
    }
    let mut seen = BTreeSet::new();
    for (n, receipt) in tasks.join_all().await {
        assert!(!receipt.duplicate);
        assert!(seen.insert(receipt.index));
        let stored = log.store.entry(receipt.index).await.unwrap();
        assert_eq!(stored.unwrap(), entry(n).bytes());
    }
    assert!(seen.into_iter().eq(0..2_000));
    assert_eq!(*sequencer.committed().borrow(), 2_000);
    sequencer.shutdown().await.unwrap();
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
}

async fn a_replayed_entry_has_the_same_index(db: Db) {
    let mut log = db.log().await;
    let sequencer = start(&log).await;
    for n in [0, 1, 2] {
        let receipt = sequencer.submitter().submit(plain(n)).await.unwrap();
        assert_eq!((receipt.index, receipt.duplicate), (n, false));
    }
    let (a, b) = (sequencer.submitter(), sequencer.submitter());
    // In one batch with itself, across batches, and across a restart.
    let (first, second) = tokio::join!(a.submit(plain(3)), b.submit(plain(3)));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.index, second.index), (3, 3));
    assert_eq!((first.duplicate, second.duplicate), (false, true));
    let again = sequencer.submitter().submit(plain(1)).await.unwrap();
    assert_eq!((again.index, again.duplicate), (1, true));
    sequencer.shutdown().await.unwrap();
    log.reopen().await;
    let sequencer = start(&log).await;
    let again = sequencer.submitter().submit(plain(2)).await.unwrap();
    assert_eq!((again.index, again.duplicate), (2, true));
    assert_eq!(log.store.find(&entry(2).dedup()).await.unwrap(), Some(2));
    assert_eq!(log.store.size().await.unwrap(), 4);
}

async fn a_full_queue_is_an_error_of_its_own_and_shutdown_drains(db: Db) {
    let log = db.log().await;
    let batching = Batching {
        queue: 3,
        ..Batching::default()
    };
    let sequencer = Sequencer::start(log.store.clone(), batching).await.unwrap();
    let submitter = sequencer.submitter();
    // The task has not run yet: on this one thread nothing is taken from the queue between the submissions.
    let mut waiting = Vec::new();
    for n in 0..5 {
        let submit = submitter.submit(plain(n));
        let mut submit = Box::pin(submit);
        let now = futures::future::poll_immediate(submit.as_mut()).await;
        if n < 3 {
            assert!(now.is_none());
            waiting.push(submit);
        } else {
            assert!(matches!(now, Some(Err(LedgerStoreError::Busy))));
        }
    }
    sequencer.shutdown().await.unwrap();
    for (n, submit) in (0..).zip(waiting) {
        assert_eq!(submit.await.unwrap().index, n, "drained, not dropped");
    }
    let e = submitter.submit(plain(9)).await.unwrap_err();
    assert!(matches!(e, LedgerStoreError::Closed));
    assert_eq!(log.store.size().await.unwrap(), 3);
}

async fn two_processes_on_one_database_share_one_order(db: Db) {
    let log = db.log().await;
    let other = Store::open(&log.place.url, ORIGIN).await.unwrap();
    let a = start(&log).await;
    let b = Sequencer::start(other, Batching::default()).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..300 {
        // Each entry goes to both, some at the same time.
        for submitter in [a.submitter(), b.submitter()] {
            tasks.spawn(async move { (n, submitter.submit(plain(n)).await.unwrap()) });
        }
    }
    let answers: BTreeSet<_> = tasks
        .join_all()
        .await
        .into_iter()
        .map(|(n, r)| (n, r.index))
        .collect();
    assert_eq!(answers.len(), 300, "both give the same index");
    assert_eq!(log.store.size().await.unwrap(), 300);
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
}

/// Crashes: the sequencer and the publisher are aborted at arbitrary points, the database is opened anew.
async fn what_was_acknowledged_survives_every_crash(db: Db) {
    let mut log = db.log().await;
    let mut next = 0;
    let mut acknowledged = Vec::new();
    for round in 0..25u64 {
        let batching = Batching {
            entries: 8,
            wait: Duration::from_millis(1),
            ..Batching::default()
        };
        let sequencer = Sequencer::start(log.store.clone(), batching).await.unwrap();
        let publisher = log.publisher().await;
        let (committed, mut commits) = (sequencer.committed(), sequencer.committed());
        let publishing = tokio::spawn(publisher.run(committed, Duration::from_millis(2), |_| {}));
        let mut tasks = JoinSet::new();
        for n in next..next + 60 {
            let submitter = sequencer.submitter();
            tasks.spawn(async move { (n, submitter.submit(plain(n)).await) });
        }
        // Some of the last round's, whose fate may be unknown, again.
        for n in next.saturating_sub(30)..next {
            let submitter = sequencer.submitter();
            tasks.spawn(async move { (n, submitter.submit(plain(n)).await) });
        }
        next += 60;
        // The abort falls somewhere after the round's 0th to 4th commit.
        for _ in 0..round % 5 {
            commits.changed().await.unwrap();
        }
        sleep(Duration::from_micros(round * 977 % 7_000)).await;
        sequencer.abort();
        publishing.abort();
        let _ = publishing.await;
        for (n, answer) in tasks.join_all().await {
            match answer {
                Ok(receipt) => acknowledged.push((n, receipt.index)),
                Err(LedgerStoreError::Unacknowledged { .. } | LedgerStoreError::Closed) => {}
                Err(e) => panic!("{e}"),
            }
        }
        log.reopen().await;
    }
    assert!(
        acknowledged.len() > 100,
        "only {} were acknowledged",
        acknowledged.len()
    );
    let indices: BTreeSet<_> = acknowledged.iter().copied().collect();
    let entries: BTreeSet<_> = indices.iter().map(|(n, _)| n).collect();
    assert_eq!(indices.len(), entries.len(), "one entry, one index");
    for (n, index) in indices {
        let stored = log.store.entry(index).await.unwrap();
        assert_eq!(stored.unwrap(), entry(n).bytes());
    }
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
}

async fn a_failing_transaction_is_told_to_its_batch_and_stores_none_of_it(db: Db) {
    let log = db.log().await;
    let sequencer = start(&log).await;
    let mut connection = log.place.connect().await;
    // The batch's last table fails: what was written before it goes too.
    let fault = if log.place.is_postgres() {
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'disk'; END $$; \
         CREATE TRIGGER fault BEFORE INSERT ON catalogue FOR EACH ROW WHEN (NEW.idx = 2) EXECUTE FUNCTION fault()"
    } else {
        "CREATE TRIGGER fault BEFORE INSERT ON catalogue WHEN NEW.idx = 2 BEGIN SELECT RAISE(ABORT, 'disk'); END"
    };
    sqlx::raw_sql(fault).execute(&mut connection).await.unwrap();
    let submitters: Vec<_> = (0..4).map(|_| sequencer.submitter()).collect();
    let submit_all = || {
        let each = submitters.iter().zip(0..).map(|(s, n)| s.submit(plain(n)));
        futures::future::join_all(each)
    };
    for answer in submit_all().await {
        assert!(matches!(
            answer,
            Err(LedgerStoreError::Unacknowledged { .. })
        ));
    }
    assert_eq!(log.store.size().await.unwrap(), 0);
    assert_eq!(log.store.entries(0, 9).await.unwrap(), []);
    log.clean().await;
    let mended = if log.place.is_postgres() {
        "DROP TRIGGER fault ON catalogue"
    } else {
        "DROP TRIGGER fault"
    };
    sqlx::raw_sql(mended)
        .execute(&mut connection)
        .await
        .unwrap();
    for (n, answer) in (0..).zip(submit_all().await) {
        assert_eq!(answer.unwrap().index, n, "the same bytes again, now stored");
    }
    log.clean().await;
}

async fn a_database_is_one_logs_and_is_not_begun_anew(db: Db) {
    let log = db.log().await;
    let other = Store::open(&log.place.url, "another.example").await;
    assert!(matches!(other, Err(LedgerStoreError::Ledger(_))));
    // A database that is there, but empty.
    let empty = db.place().await;
    let gone = Store::open(&empty.url, ORIGIN).await;
    assert!(matches!(gone, Err(LedgerStoreError::NoLedger)), "{gone:?}");
    if !empty.is_postgres() {
        assert!(
            !std::path::Path::new(&empty.url).exists(),
            "looking makes no file"
        );
    }
}

async fn the_database_itself_refuses_to_change_the_past(db: Db) {
    let log = db.log().await;
    log.append(0..3).await;
    log.publisher().await.publish().await.unwrap();
    let mut connection = log.place.connect().await;
    for sql in [
        "DELETE FROM entries WHERE idx = 2",
        "UPDATE entries SET idx = 7 WHERE idx = 0",
        "DELETE FROM log_state",
        "UPDATE log_state SET size = 2",
        "UPDATE log_state SET published_size = 2",
        "UPDATE log_state SET published_size = NULL, checkpoint = NULL",
        "UPDATE log_state SET checkpoint = 'another'",
        "UPDATE log_state SET published_size = 4",
    ] {
        let done = sqlx::query(sql).execute(&mut connection).await;
        assert!(done.is_err(), "{sql}");
    }
    connection.close().await.unwrap();
}

async fn a_lone_entry_does_not_wait_for_others(db: Db) {
    let log = db.log().await;
    let batching = Batching {
        wait: Duration::from_secs(600),
        ..Batching::default()
    };
    let sequencer = Sequencer::start(log.store.clone(), batching).await.unwrap();
    let submit = sequencer.submitter();
    let waited = tokio::time::timeout(Duration::from_secs(60), submit.submit(plain(0)));
    assert_eq!(waited.await.unwrap().unwrap().index, 0);
}
