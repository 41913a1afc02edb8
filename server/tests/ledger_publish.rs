//! Publication under faults: nothing goes backwards, nothing is signed twice, retries repair.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Db, Fault, Log, entry, log_key, on_both, plain};
use futures::TryStreamExt as _;
use galen_ledger::tiles::{Level, TilePath, leaf_hash, verify_consistency, verify_inclusion};
use galen_server::ledger::{
    LedgerStoreError, Objects, Publisher, Sequencer,
    fsck::fsck_with,
    mend::{mend, mend_published},
    sequencer::Batching,
    store::Published,
};
use object_store::{ObjectStore as _, ObjectStoreExt, path::Path};

on_both!("current_thread": an_empty_log_has_a_checkpoint_and_grows_from_it,
    partial_tiles_go_once_the_full_one_is_published,
    tiles_at_hand_are_those_of_the_tree,
    every_failing_write_is_repaired_by_the_next_publication,
    a_first_publication_may_break_off_anywhere,
    a_full_disk_stops_publication_until_there_is_room,
    a_stale_checkpoint_that_arrives_late_is_replaced,
    a_different_tile_under_the_same_name_halts_for_good,
    two_publishers_take_over_from_each_other,
    the_loop_publishes_what_the_sequencer_drains,
    files_on_disk_are_those_of_the_specification,
    what_cannot_be_read_in_a_tiles_place_halts_nobody);

async fn an_empty_log_has_a_checkpoint_and_grows_from_it(db: Db) {
    let log = db.log().await;
    let mut publisher = log.publisher().await;
    assert_eq!(publisher.publish().await.unwrap().size, 0);
    log.clean().await;
    let mut heads = vec![log.served().await.unwrap()];
    for size in [1, 2, 255, 256, 257, 600] {
        log.append(heads.last().unwrap().size..size).await;
        assert_eq!(publisher.publish().await.unwrap().size, size);
        heads.push(log.served().await.unwrap());
        log.clean().await;
    }
    let last = heads.last().unwrap();
    for index in [0, 1, 255, 256, 599] {
        let leaf = leaf_hash(entry(index).bytes());
        let proof = log
            .objects
            .prove_inclusion(last, index, &leaf)
            .await
            .unwrap();
        verify_inclusion(last.size, &last.root, index, &leaf, &proof).unwrap();
    }
    for old in &heads {
        let proof = log.objects.prove_consistency(old.size, last).await.unwrap();
        verify_consistency((old.size, &old.root), (last.size, &last.root), &proof).unwrap();
        // Older checkpoints keep their proofs.
        if old.size > 0 {
            let leaf = leaf_hash(entry(0).bytes());
            log.objects.prove_inclusion(old, 0, &leaf).await.unwrap();
        }
    }
    let again = log.publisher().await.publish().await.unwrap();
    assert_eq!(
        again.text.as_bytes(),
        &log.objects.checkpoint().await.unwrap().unwrap()[..]
    );
}

/// The partial tiles and bundles that are there.
async fn partials(log: &Log) -> Vec<String> {
    let all: Vec<_> = log.faults.inner.list(None).try_collect().await.unwrap();
    let names = all.into_iter().map(|o| o.location.to_string());
    let is_partial = |n: &String| n.starts_with("tile/") && n.contains(".p/");
    let mut partials: Vec<_> = names.filter(is_partial).collect();
    partials.sort();
    partials
}

async fn partial_tiles_go_once_the_full_one_is_published(db: Db) {
    let log = db.log().await;
    let mut publisher = log.publisher().await;
    log.append(0..50).await;
    publisher.publish().await.unwrap();
    let old = log.served().await.unwrap();
    log.append(50..100).await;
    publisher.publish().await.unwrap();
    let kept = [
        "0/000.p/100",
        "0/000.p/50",
        "entries/000.p/100",
        "entries/000.p/50",
    ];
    assert_eq!(partials(&log).await, kept.map(|p| format!("tile/{p}")));
    let bundle = TilePath::new(Level::Entries, 0, 50).unwrap();
    let partial = log.objects.published_tile(&bundle).await.unwrap();
    log.append(100..300).await;
    publisher.publish().await.unwrap();
    let newest = ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"];
    assert_eq!(partials(&log).await, newest);
    // Readers of the earlier checkpoint take the full ones.
    let leaf = leaf_hash(entry(7).bytes());
    log.objects.prove_inclusion(&old, 7, &leaf).await.unwrap();
    assert_eq!(log.objects.tile(&bundle).await.unwrap(), None);
    let cut = log.objects.published_tile(&bundle).await.unwrap();
    assert!(cut.is_some());
    assert_eq!(cut, partial);
    log.clean().await;

    // Those that a crash has left go with the next start.
    for path in ["tile/0/000.p/99", "tile/entries/000.p/99"] {
        let path = Path::from(path);
        log.faults.inner.put(&path, "left".into()).await.unwrap();
    }
    let key = log_key();
    mend_published(&log.store, &log.objects, key.verifier(), Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(partials(&log).await, newest);
}

async fn tiles_at_hand_are_those_of_the_tree(db: Db) {
    let (mut log, other) = (db.log().await, db.log().await);
    log.objects = Objects::remote(log.faults.clone());
    log.append(0..300).await;
    log.publisher().await.publish().await.unwrap();
    let head = log.served().await.unwrap();
    let leaf = |n| leaf_hash(entry(n).bytes());
    log.objects
        .prove_inclusion(&head, 7, &leaf(7))
        .await
        .unwrap();
    let tile = Path::from("tile/0/000");
    let whole = log.faults.inner.get(&tile).await.unwrap();
    let whole = whole.bytes().await.unwrap();
    log.faults.inner.delete(&tile).await.unwrap();
    let near = log.objects.prove_inclusion(&head, 8, &leaf(8)).await;
    assert!(near.is_ok(), "{near:?}");
    log.faults.inner.put(&tile, whole.into()).await.unwrap();

    // Tiles of another tree in their place: those at hand do not fit, and are asked for again.
    other.append(1_000..1_300).await;
    other.publisher().await.publish().await.unwrap();
    let theirs: Vec<_> = other.faults.inner.list(None).try_collect().await.unwrap();
    for object in theirs {
        let path = object.location;
        let bytes = other.faults.inner.get(&path).await.unwrap().bytes().await;
        let put = log.faults.inner.put(&path, bytes.unwrap().into());
        put.await.unwrap();
    }
    let head = other.served().await.unwrap();
    for again in 0..2 {
        let proof = log.objects.prove_inclusion(&head, 7, &leaf(1_007)).await;
        verify_inclusion(300, &head.root, 7, &leaf(1_007), &proof.unwrap())
            .unwrap_or_else(|e| panic!("{again}: {e}"));
    }
}

/// Every write of a publication fails, before and after it is done; with and without a restart, and a lock.
async fn every_failing_write_is_repaired_by_the_next_publication(db: Db) {
    for (restart, locked) in [(false, false), (true, false), (true, true)] {
        for fault in Fault::ALL {
            for write in 0.. {
                let mut log = db.log().await;
                if locked {
                    log.objects = log.objects.locked_in(log.faults.clone());
                }
                let mut publisher = log.publisher().await;
                log.append(0..250).await;
                publisher.publish().await.unwrap();
                let before = log.served().await.unwrap();
                log.append(250..520).await;
                log.faults.fail(write, fault);
                let result = publisher.publish().await;
                if result.is_ok() {
                    assert!(
                        !log.faults.failed(),
                        "write {write}: the fault went unnoticed"
                    );
                    assert!(
                        write > 5,
                        "a publication of these sizes writes more than {write} objects"
                    );
                    break;
                }
                assert!(matches!(result, Err(LedgerStoreError::Object { .. })));
                let after = log.served().await.unwrap();
                assert!(after.size >= before.size);
                let held = log.store.published().await.unwrap().unwrap();
                assert!(after.size <= held.size, "served, but not in the database");
                if restart {
                    log.reopen().await;
                    publisher = log.publisher().await;
                }
                assert_eq!(publisher.publish().await.unwrap().size, 520);
                assert_eq!(log.served().await.unwrap().size, 520);
                log.faults.deliver().await;
                assert_eq!(publisher.publish().await.unwrap().size, 520);
                assert_eq!(log.served().await.unwrap().size, 520);
                log.clean().await;
            }
        }
    }
}

async fn a_first_publication_may_break_off_anywhere(db: Db) {
    for fault in Fault::ALL {
        for write in 0.. {
            let mut log = db.log().await;
            log.append(0..3).await;
            log.faults.fail(write, fault);
            let ended = log.publisher().await.publish().await;
            log.clean().await;
            if ended.is_ok() {
                assert!(write > 2, "only {write} objects are written");
                break;
            }
            log.reopen().await;
            assert_eq!(log.publisher().await.publish().await.unwrap().size, 3);
            log.clean().await;
        }
    }
}

async fn a_full_disk_stops_publication_until_there_is_room(db: Db) {
    let log = db.log().await;
    let mut publisher = log.publisher().await;
    log.append(0..100).await;
    publisher.publish().await.unwrap();
    log.faults.set_full(true);
    // Entries are still taken, and durable: the database has room.
    log.append(100..300).await;
    for _ in 0..3 {
        let e = publisher.publish().await.unwrap_err();
        assert!(matches!(e, LedgerStoreError::Object { .. }), "{e}");
    }
    assert_eq!(log.store.published().await.unwrap().unwrap().size, 100);
    log.faults.set_full(false);
    assert_eq!(publisher.publish().await.unwrap().size, 300);
    log.clean().await;
}

/// A write that was given up for lost arrives after a newer one, as it did to others' logs.
async fn a_stale_checkpoint_that_arrives_late_is_replaced(db: Db) {
    let log = db.log().await;
    let mut publisher = log.publisher().await;
    log.append(0..10).await;
    // The empty tree's checkpoint, two tiles, then the checkpoint.
    log.faults.fail(3, Fault::Late);
    let e = publisher.publish().await.unwrap_err();
    assert!(matches!(e, LedgerStoreError::Object { .. }), "{e}");
    log.append(10..20).await;
    publisher.publish().await.unwrap();
    assert_eq!(log.served().await.unwrap().size, 20);
    log.faults.deliver().await;
    assert_eq!(
        log.served().await.unwrap().size,
        10,
        "the stale one has come"
    );
    assert_eq!(log.store.published().await.unwrap().unwrap().size, 20);
    // Neither a publisher at work nor one that starts now is misled.
    log.publisher().await;
    publisher.publish().await.unwrap();
    assert_eq!(log.served().await.unwrap().size, 20);
    log.clean().await;
}

async fn a_different_tile_under_the_same_name_halts_for_good(db: Db) {
    for name in [
        "tile/0/000",
        "tile/entries/000",
        "tile/0/001.p/4",
        "tile/1/000.p/1",
    ] {
        let mut log = db.log().await;
        let mut publisher = log.publisher().await;
        log.append(0..100).await;
        publisher.publish().await.unwrap();
        log.faults
            .put(&Path::from(name), "another".into())
            .await
            .unwrap();
        log.append(100..260).await;
        let e = publisher.publish().await.unwrap_err();
        assert!(
            matches!(&e, LedgerStoreError::Halted { why } if why.contains(name)),
            "{e}"
        );
        assert!(matches!(
            publisher.publish().await,
            Err(LedgerStoreError::Halted { .. })
        ));
        assert_eq!(log.served().await.unwrap().size, 100);
        log.reopen().await;
        assert!(matches!(
            log.try_publisher(&[]).await,
            Err(LedgerStoreError::Halted { .. })
        ));
    }
}

async fn two_publishers_take_over_from_each_other(db: Db) {
    let log = db.log().await;
    let (mut a, mut b) = (log.publisher().await, log.publisher().await);
    for round in 1..6 {
        log.append((round - 1) * 100..round * 100).await;
        let (x, y) = if round % 2 == 0 {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        let first = x.publish().await.unwrap();
        assert_eq!(
            y.publish().await.unwrap(),
            first,
            "the same checkpoint, not another of the same size"
        );
    }
    log.append(500..600).await;
    let (x, y) = tokio::join!(a.publish(), b.publish());
    for result in [x, y] {
        assert!(
            matches!(
                result,
                Ok(Published { size: 600, .. }) | Err(LedgerStoreError::Overtaken)
            ),
            "{result:?}"
        );
    }
    log.clean().await;
}

async fn the_loop_publishes_what_the_sequencer_drains(db: Db) {
    let log = db.log().await;
    let sequencer = Sequencer::start(log.store.clone(), Batching::default())
        .await
        .unwrap();
    let publisher = log.publisher().await;
    let mut published = publisher.published();
    let running =
        tokio::spawn(publisher.run(sequencer.committed(), Duration::from_millis(5), |_| {}));
    let receipt = sequencer.submitter().submit(plain(0)).await.unwrap();
    published
        .wait_for(|p| p.as_ref().is_some_and(|p| p.size > receipt.index))
        .await
        .unwrap();
    log.faults.fail(1, Fault::After);
    sequencer.submitter().submit(plain(1)).await.unwrap();
    sequencer.shutdown().await.unwrap();
    let ended = running.await.unwrap();
    if ended.is_ok() {
        assert_eq!(log.served().await.unwrap().size, 2);
    }
    log.publisher().await.publish().await.unwrap();
    assert_eq!(log.served().await.unwrap().size, 2);
    log.clean().await;
}

async fn files_on_disk_are_those_of_the_specification(db: Db) {
    let log = db.log().await;
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::local(folder.path()).unwrap();
    log.append(0..300).await;
    let mut publisher = Publisher::open(log.store.clone(), objects.clone(), log_key(), &[])
        .await
        .unwrap();
    publisher.publish().await.unwrap();
    for name in [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ] {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
    std::fs::remove_file(folder.path().join("tile/0/000")).unwrap();
    std::fs::remove_file(folder.path().join("checkpoint")).unwrap();
    let mended = mend(&log.store, &objects, log_key().verifier())
        .await
        .unwrap();
    assert!(mended.checkpoint && mended.tiles.len() == 1);
    let report = fsck_with(
        &log.store,
        &objects,
        log_key().verifier(),
        common::read_plain,
    )
    .await
    .unwrap();
    assert_eq!((report.findings, report.tiles), (vec![], 5));
}

/// Neither says anything of another history.
async fn what_cannot_be_read_in_a_tiles_place_halts_nobody(db: Db) {
    for link in [true, false] {
        let log = db.log().await;
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::local(folder.path()).unwrap();
        let mut publisher = Publisher::open(log.store.clone(), objects, log_key(), &[])
            .await
            .unwrap();
        publisher.publish().await.unwrap();
        log.append(0..256).await;
        let place = folder.path().join("tile/0/000");
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        if link {
            std::os::unix::fs::symlink("nowhere", &place).unwrap();
        } else {
            std::fs::create_dir_all(place.join("within")).unwrap();
        }
        let e = publisher.publish().await.unwrap_err();
        assert!(matches!(e, LedgerStoreError::Object { .. }), "{e}");
        assert_eq!(log.store.halted().await.unwrap(), None);
        if link {
            std::fs::remove_file(&place).unwrap();
        } else {
            std::fs::remove_dir_all(&place).unwrap();
        }
        assert_eq!(publisher.publish().await.unwrap().size, 256);
    }
}
