//! Several services on one database: one order, one line of checkpoints, and another takes over.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{Db, Log, log_key, on_both, plain};
use galen_server::ledger::{
    LedgerStoreError, Objects, Publisher, Sequencer, Store, sequencer::Batching, store::Published,
};
use sqlx::Connection as _;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

on_both!("multi_thread": a_commit_elsewhere_is_noticed,
    checkpoints_never_go_back_and_another_takes_over,
    a_halt_stops_every_replica);

/// A service without its HTTP side.
struct Replica {
    store: Store,
    sequencer: Sequencer,
    published: watch::Receiver<Option<Published>>,
    publishing: JoinHandle<Result<(), LedgerStoreError>>,
}

impl Replica {
    async fn start(store: Store, objects: Objects) -> Self {
        let publisher = Publisher::open(store.clone(), objects, log_key(), &[])
            .await
            .unwrap();
        let sequencer = Sequencer::start(store.clone(), Batching::default())
            .await
            .unwrap();
        let published = publisher.published();
        let interval = Duration::from_millis(5);
        let run = publisher.run(sequencer.committed(), interval, |e| println!("{e}"));
        let publishing = tokio::spawn(run);
        Self {
            store,
            sequencer,
            published,
            publishing,
        }
    }

    async fn submit(&self, entries: std::ops::Range<u64>) {
        let mut tasks = JoinSet::new();
        for n in entries {
            let submitter = self.sequencer.submitter();
            tasks.spawn(async move { submitter.submit(plain(n)).await.unwrap() });
        }
        tasks.join_all().await;
    }

    async fn wait_for(&self, size: u64) {
        let reached = |p: &Option<Published>| p.as_ref().is_some_and(|p| p.size >= size);
        let mut published = self.published.clone();
        let waited = timeout(Duration::from_secs(30), published.wait_for(reached)).await;
        waited.expect("published in time").unwrap();
    }
}

async fn two(log: &Log) -> (Replica, Replica) {
    let a = Replica::start(log.store.clone(), log.objects.clone()).await;
    let b = Replica::start(log.replica().await, log.objects.clone()).await;
    (a, b)
}

async fn a_commit_elsewhere_is_noticed(db: Db) {
    let log = db.log().await;
    let (a, b) = two(&log).await;
    a.submit(0..3).await;
    let mut committed = b.sequencer.committed();
    let seen = timeout(Duration::from_secs(10), committed.wait_for(|s| *s == 3)).await;
    seen.expect("noticed in time").unwrap();
    a.wait_for(3).await;
    b.wait_for(3).await;
}

/// Reads the checkpoint from one replica and the other in turn, as clients behind a balancer do.
fn watch_checkpoints(stores: [Store; 2], stop: Arc<AtomicBool>) -> JoinHandle<u64> {
    tokio::spawn(async move {
        let mut last = 0;
        while !stop.load(Ordering::SeqCst) {
            for store in &stores {
                let size = store.published().await.unwrap().map_or(0, |p| p.size);
                assert!(size >= last, "{size} after {last}");
                last = size;
            }
            sleep(Duration::from_millis(1)).await;
        }
        last
    })
}

async fn leaders(log: &Log) -> Vec<i32> {
    let mut connection = log.place.connect().await;
    let of = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let pids = sqlx::query_scalar(of)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    pids
}

async fn checkpoints_never_go_back_and_another_takes_over(db: Db) {
    let log = db.log().await;
    let (a, b) = two(&log).await;
    let stop = Arc::new(AtomicBool::new(false));
    let watching = watch_checkpoints([a.store.clone(), log.replica().await], stop.clone());
    tokio::join!(a.submit(0..300), b.submit(200..500));
    a.wait_for(500).await;
    b.wait_for(500).await;
    if log.place.is_postgres() {
        let leading = leaders(&log).await;
        assert_eq!(leading.len(), 1, "one leads");
        // The leader is cut off, as by a network's failure: somebody leads again, and the log goes on.
        let mut connection = log.place.connect().await;
        let cut = sqlx::query("SELECT pg_terminate_backend($1)").bind(leading[0]);
        cut.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        tokio::join!(a.submit(500..600), b.submit(600..700));
        a.wait_for(700).await;
        b.wait_for(700).await;
        assert_eq!(leaders(&log).await.len(), 1);
    } else {
        a.submit(500..700).await;
        a.wait_for(700).await;
    }
    // One dies: its tasks stop wherever they are.
    a.sequencer.abort();
    a.publishing.abort();
    let _ = a.publishing.await;
    b.submit(700..900).await;
    b.wait_for(900).await;
    stop.store(true, Ordering::SeqCst);
    assert!(watching.await.unwrap() >= 500);
    b.sequencer.shutdown().await.unwrap();
    b.publishing.await.unwrap().unwrap();
    let size = log.store.size().await.unwrap();
    assert_eq!(log.store.published().await.unwrap().unwrap().size, size);
    assert_eq!(log.served().await.unwrap().size, size);
    if log.place.is_postgres() {
        assert_eq!(leaders(&log).await, [0; 0], "the lead is given up");
    }
    log.clean().await;
}

async fn a_halt_stops_every_replica(db: Db) {
    let log = db.log().await;
    let (a, b) = two(&log).await;
    a.submit(0..3).await;
    b.wait_for(3).await;
    log.store.halt("by hand").await.unwrap();
    for replica in [&a, &b] {
        let submitter = replica.sequencer.submitter();
        let e = submitter.submit(plain(9)).await.unwrap_err();
        assert!(matches!(e, LedgerStoreError::Halted { .. }), "{e}");
    }
    assert_eq!(
        log.store.size().await.unwrap(),
        3,
        "nothing is taken any more"
    );
    for replica in [a, b] {
        let ended = timeout(Duration::from_secs(30), replica.publishing).await;
        let e = ended.expect("stopped in time").unwrap().unwrap_err();
        assert!(matches!(e, LedgerStoreError::Halted { .. }), "{e}");
    }
    assert_eq!(log.store.published().await.unwrap().unwrap().size, 3);
}
