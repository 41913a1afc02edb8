//! How many entries a second become durable: real signed queries through the rules, by concurrent submitters.
//!
//! `cargo test --release -p galen-server --test ledger_throughput -- --ignored --nocapture --test-threads 1`
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{Db, Log, people};
use galen_ledger::{Proposal, entry::Envelope, facts::Proposed, key_facts};
use galen_server::ledger::{Sequencer, sequencer::Batching};
use tokio::task::JoinSet;

/// How the entries come.
#[derive(Clone, Copy)]
enum From {
    /// Read and checked before.
    Ready,
    /// As bytes: each is read, and its signatures are checked with keys from the database.
    Bytes,
}

struct Run {
    clients: usize,
    entries: usize,
    from: From,
    batching: Batching,
}

async fn begun(db: &Db) -> Log {
    let log = db.log().await;
    let (outcomes, _) = log.store.append(&people::beginning()).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    log
}

async fn submit(log: &Log, run: &Run, queries: &[Arc<dyn Proposed>]) -> (f64, Vec<Duration>) {
    let sequencer = Sequencer::start(log.store.clone(), run.batching)
        .await
        .unwrap();
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for share in queries.chunks(run.entries / run.clients) {
        let (share, submitter) = (share.to_vec(), sequencer.submitter());
        let (store, from) = (log.store.clone(), run.from);
        tasks.spawn(async move {
            let mut waits = Vec::new();
            for query in share {
                let submitted = Instant::now();
                let query = match from {
                    From::Ready => query,
                    From::Bytes => {
                        let envelope = Envelope::parse(query.entry().bytes()).unwrap();
                        let facts = store.facts(&key_facts(&envelope)).await.unwrap();
                        Arc::new(Proposal::read(envelope, &facts).unwrap())
                    }
                };
                submitter.submit(query).await.unwrap();
                waits.push(submitted.elapsed());
            }
            waits
        });
    }
    let mut waits: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let rate = run.entries as f64 / started.elapsed().as_secs_f64();
    waits.sort_unstable();
    (rate, waits)
}

async fn measure(db: Db) {
    let name = if db == Db::Sqlite {
        "SQLite"
    } else {
        "PostgreSQL"
    };
    let batching = Batching {
        queue: 4_096,
        ..Batching::default()
    };
    for (clients, entries, from) in [
        (1, 200, From::Ready),
        (16, 4_000, From::Ready),
        (64, 6_400, From::Ready),
        (1_024, 20_480, From::Ready),
        (1_024, 20_480, From::Bytes),
    ] {
        let log = begun(&db).await;
        let queries: Vec<_> = (0..entries as u64).map(people::query).collect();
        let run = Run {
            clients,
            entries,
            from,
            batching,
        };
        let (rate, waits) = submit(&log, &run, &queries).await;
        let kind = match from {
            From::Ready => "ready",
            From::Bytes => "read and checked",
        };
        println!(
            "{name}, {clients} submitters, {kind}: {rate:.0} durable entries/s; waits {:?} median, {:?} 99 %; {} bytes each",
            waits[waits.len() / 2],
            waits[waits.len() * 99 / 100],
            queries[0].entry().bytes().len(),
        );
        if clients == 1_024 {
            let mut publisher = log.publisher().await;
            let started = Instant::now();
            publisher.publish().await.unwrap();
            println!("  published (tiles in memory) in {:?}", started.elapsed());
            let started = Instant::now();
            log.publisher().await;
            println!("  opened again in {:?}", started.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn sqlite() {
    measure(Db::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn postgres() {
    if let Some(db) = Db::postgres() {
        measure(db).await;
    }
}
