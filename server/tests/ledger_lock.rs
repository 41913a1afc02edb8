//! The lock beside the database: of two copies of one log, one signs.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Db, Fault, Faulty, Log, log_key, on_both};
use galen_server::ledger::{LedgerStoreError, Objects, Publisher, fsck::Finding, mend::mend};
use object_store::{ObjectStoreExt as _, path::Path};

on_both!("current_thread": of_two_copies_one_signs,
    of_two_copies_in_one_store_one_goes_on,
    another_copys_tiles_do_not_stand_for_ones_own_entries,
    an_older_copy_is_refused,
    a_lock_ahead_of_the_database_is_taken_over,
    a_lock_is_made_where_there_is_none_and_lifted_where_it_is_behind,
    a_lock_that_is_no_checkpoint_refuses);

fn lock() -> Path {
    Path::from("lock")
}

async fn text(locks: &Faulty) -> String {
    let held = locks
        .inner
        .get(&lock())
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    String::from_utf8(held.into()).unwrap()
}

/// A log of the first ten entries: any two are copies of each other but for their files.
async fn copy(db: &Db, locks: &Arc<Faulty>) -> Log {
    let mut log = db.log().await;
    log.objects = log.objects.locked_in(locks.clone());
    log.append(0..10).await;
    log
}

fn says_another_copy<T>(opened: &Result<T, LedgerStoreError>) -> bool {
    let Err(LedgerStoreError::Fenced { why } | LedgerStoreError::Halted { why }) = opened else {
        return false;
    };
    why.contains("the lock's checkpoint") && why.contains("stop the other copies")
}

async fn of_two_copies_one_signs(db: Db) {
    // The other one goes on with fewer entries, as many, or more.
    for others in [12..13, 12..14, 12..20] {
        let locks = Arc::default();
        let (a, b) = (copy(&db, &locks).await, copy(&db, &locks).await);
        let mut publisher = a.publisher().await;
        publisher.publish().await.unwrap();
        let mut other = b.publisher().await;
        other.publish().await.unwrap();
        a.append(10..12).await;
        b.append(others).await;
        publisher.publish().await.unwrap();
        let signed = text(&locks).await;
        let refused = other.publish().await;
        assert!(says_another_copy(&refused), "{refused:?}");
        let halted = b.store.halted().await.unwrap();
        assert!(halted.is_some_and(|why| why.contains("the lock's checkpoint")));
        assert_eq!(b.served().await.unwrap().size, 10, "nothing else is served");
        assert_eq!(text(&locks).await, signed);
        let found = b.fsck().await.findings;
        assert!(
            found.iter().any(|f| matches!(
                f,
                Finding::Checkpoint {
                    place: "lock's",
                    ..
                }
            )),
            "{found:?}"
        );
        let mended = mend(&b.store, &b.objects, log_key().verifier()).await;
        assert!(says_another_copy(&mended), "{mended:?}");
        a.append(14..15).await;
        publisher.publish().await.unwrap();
        a.clean().await;
    }
}

/// They share the files too: the one that loses leaves nothing there that the other would trip over.
async fn of_two_copies_in_one_store_one_goes_on(db: Db) {
    for others in [12..13, 12..14, 12..20] {
        let shared: Arc<Faulty> = Arc::default();
        let log = || async {
            let mut log = db.log().await;
            log.objects = Objects::remote(shared.clone());
            log.append(0..10).await;
            log
        };
        let (a, b) = (log().await, log().await);
        let (mut publisher, mut other) = (a.publisher().await, b.publisher().await);
        publisher.publish().await.unwrap();
        other.publish().await.unwrap();
        a.append(10..12).await;
        b.append(others).await;
        publisher.publish().await.unwrap();
        let refused = other.publish().await;
        assert!(says_another_copy(&refused), "{refused:?}");
        for size in 13..25 {
            a.append(size - 1..size).await;
            publisher.publish().await.unwrap();
        }
        a.publisher().await.publish().await.unwrap();
        a.clean().await;
    }
}

/// The tiles in a store that two copies share are the other's: they say nothing of this one's entries.
async fn another_copys_tiles_do_not_stand_for_ones_own_entries(db: Db) {
    let shared: Arc<Faulty> = Arc::default();
    let (mut a, mut b) = (db.log().await, db.log().await);
    for log in [&mut a, &mut b] {
        log.objects = Objects::remote(shared.clone());
        log.append(0..10).await;
    }
    let (mut publisher, mut other) = (a.publisher().await, b.publisher().await);
    publisher.publish().await.unwrap();
    other.publish().await.unwrap();
    // Far beyond, and full bundles alone.
    a.append(10..5_120).await;
    b.append(10_010..15_120).await;
    publisher.publish().await.unwrap();
    // A start finds the served checkpoint before it looks at the lock.
    let started = b.try_publisher(&[]).await;
    assert!(
        matches!(started, Err(LedgerStoreError::Fenced { .. })),
        "{started:?}"
    );
    let refused = other.publish().await;
    assert!(says_another_copy(&refused), "{refused:?}");
}

async fn an_older_copy_is_refused(db: Db) {
    let locks = Arc::default();
    let (new, old) = (copy(&db, &locks).await, copy(&db, &locks).await);
    old.publisher().await.publish().await.unwrap();
    new.append(10..300).await;
    let mut publisher = new.publisher().await;
    publisher.publish().await.unwrap();
    let refused = old.try_publisher(&[]).await;
    assert!(says_another_copy(&refused), "{refused:?}");
    assert_eq!(
        old.store.halted().await.unwrap(),
        None,
        "a start changes nothing"
    );
    publisher.publish().await.unwrap();
    new.clean().await;
}

/// The crash between the two: the lock has the new checkpoint, the database has not.
async fn a_lock_ahead_of_the_database_is_taken_over(db: Db) {
    for fault in [Fault::After, Fault::Late] {
        for entries in [20, 5_000] {
            let locks = Arc::default();
            let mut log = copy(&db, &locks).await;
            let mut publisher = log.publisher().await;
            publisher.publish().await.unwrap();
            log.append(10..entries).await;
            locks.fail(0, fault);
            let broken_off = publisher.publish().await;
            assert!(matches!(broken_off, Err(LedgerStoreError::Object { .. })));
            locks.deliver().await;
            let held = log.store.published().await.unwrap().unwrap();
            assert_eq!(held.size, 10);
            assert!(text(&locks).await.contains(&format!("\n{entries}\n")));
            log.clean().await;
            log.reopen().await;
            for restarted in [true, false] {
                if restarted {
                    publisher = log.publisher().await;
                    assert_eq!(log.store.published().await.unwrap(), Some(held.clone()));
                }
                let size = log.store.size().await.unwrap() + 3;
                log.append(size - 3..size).await;
                assert_eq!(publisher.publish().await.unwrap().size, size);
                log.clean().await;
            }
        }
    }
}

async fn a_lock_is_made_where_there_is_none_and_lifted_where_it_is_behind(db: Db) {
    let locks = Arc::default();
    let log = copy(&db, &locks).await;
    let mut publisher = log.publisher().await;
    publisher.publish().await.unwrap();
    let behind = text(&locks).await;
    log.append(10..20).await;
    publisher.publish().await.unwrap();
    let level = text(&locks).await;
    // A lock that is gone is no reason to go on without, nor to halt: nothing more is signed until it is back, or made anew.
    locks.inner.delete(&lock()).await.unwrap();
    log.append(20..21).await;
    let gone = publisher.publish().await.unwrap_err();
    assert!(
        matches!(&gone, LedgerStoreError::Lock { why } if why.contains("--new-lock")),
        "{gone}"
    );
    let refused = log.try_publisher(&[]).await;
    assert!(
        matches!(refused, Err(LedgerStoreError::Lock { .. })),
        "{refused:?}"
    );
    assert_eq!(log.store.halted().await.unwrap(), None);
    assert_eq!(log.served().await.unwrap().size, 20);
    let anew = log.objects.clone().with_new_lock();
    let mut publisher = Publisher::open(log.store.clone(), anew, log_key(), &[])
        .await
        .unwrap();
    publisher.publish().await.unwrap();
    assert_ne!(text(&locks).await, level);
    let level = text(&locks).await;
    locks.inner.put(&lock(), behind.into()).await.unwrap();
    log.publisher().await.publish().await.unwrap();
    assert_eq!(text(&locks).await, level);
}

async fn a_lock_that_is_no_checkpoint_refuses(db: Db) {
    let locks: Arc<Faulty> = Arc::default();
    let log = copy(&db, &locks).await;
    let mut publisher = log.publisher().await;
    publisher.publish().await.unwrap();
    let whole = text(&locks).await;
    let found = |why: &str, found: Vec<Finding>| {
        let [
            Finding::Checkpoint {
                place: "lock's",
                why: told,
                ..
            },
        ] = &found[..]
        else {
            panic!("{found:?}");
        };
        assert!(told.contains(why), "{told}");
    };
    for (bytes, why) in [
        (b"torn".to_vec(), "no checkpoint of this log"),
        (vec![0xff; 9], "no text"),
        (vec![b'a'; 70_000], "too long"),
    ] {
        locks.inner.put(&lock(), bytes.into()).await.unwrap();
        let refused = log.try_publisher(&[]).await;
        assert!(
            matches!(&refused, Err(LedgerStoreError::Lock { why: told }) if told.contains(why)),
            "{refused:?}"
        );
        // One bad answer of a store is no contradiction.
        let e = publisher.publish().await.unwrap_err();
        assert!(matches!(e, LedgerStoreError::Lock { .. }), "{e}");
        assert_eq!(log.store.halted().await.unwrap(), None);
        found(why, log.fsck().await.findings);
    }
    locks.inner.put(&lock(), whole.into()).await.unwrap();
    publisher.publish().await.unwrap();
    log.clean().await;
}
