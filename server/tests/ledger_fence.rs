//! The fence, and the checkpoint that never goes backwards.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Db, Log, log_key, on_both, plain};
use galen_ledger::tiles::Edge;
use galen_server::ledger::{
    LedgerStoreError, Publisher, Store,
    fsck::Finding,
    mend::{mend, mend_published},
    store::Published,
};
use object_store::{ObjectStoreExt, path::Path};

on_both!("current_thread": the_fence_refuses_a_database_from_a_backup,
    the_fence_refuses_a_database_that_was_begun_anew,
    tiles_ahead_of_the_database_refuse_the_start,
    what_is_left_of_newer_files_refuses_the_start,
    a_served_checkpoint_of_another_tree_halts_before_another_is_signed,
    the_fence_refuses_changed_entries_and_other_checkpoints,
    the_fence_does_not_read_the_log_if_the_tiles_do,
    a_checkpoint_never_goes_backwards,
    a_served_checkpoint_with_cosignatures_is_left_in_place);

fn is_fenced<T>(opened: &Result<T, LedgerStoreError>) -> bool {
    matches!(opened, Err(LedgerStoreError::Fenced { .. }))
}

async fn open(log: &Log, store: &Store, seen: &[Vec<u8>]) -> Result<Publisher, LedgerStoreError> {
    Publisher::open(store.clone(), log.objects.clone(), log_key(), seen).await
}

async fn append(store: &Store, entries: std::ops::Range<u64>) {
    let batch: Vec<_> = entries.map(plain).collect();
    store.append(&batch).await.unwrap();
}

async fn the_fence_refuses_a_database_from_a_backup(db: Db) {
    let log = db.log().await;
    log.append(0..10).await;
    // What a backup of that moment is restored to: the same entries, and the checkpoint of then.
    let then = log.publisher().await.publish().await.unwrap();
    let backup = db.log().await;
    backup.append(0..10).await;
    backup.store.advance(None, &then).await.unwrap();
    let restored = &backup.store;

    log.append(10..20).await;
    let published = log.publisher().await.publish().await.unwrap();
    assert!(is_fenced(&open(&log, restored, &[]).await));
    // New entries do not make up for the lost ones.
    append(restored, 100..150).await;
    assert!(is_fenced(&open(&log, restored, &[]).await));
    // The served checkpoint is gone too, but a cosigner has seen it.
    let path = Path::from("checkpoint");
    log.faults.inner.delete(&path).await.unwrap();
    let seen = [published.text.into_bytes()];
    assert!(is_fenced(&open(&log, restored, &seen).await));
    assert!(open(&log, &log.store, &seen).await.is_ok());
    // A tree of its own, once it has signed for it, is larger than the cosigner's, but does not begin with it.
    open(&backup, restored, &[])
        .await
        .unwrap()
        .publish()
        .await
        .unwrap();
    assert!(is_fenced(&open(&backup, restored, &seen).await));
}

/// Without the served checkpoint the tiles still tell.
async fn tiles_ahead_of_the_database_refuse_the_start(db: Db) {
    // Within one tile, up to its end, beyond it, and a database of no entries.
    for (older, newer) in [(10, 12), (200, 256), (302, 622), (512, 513), (0, 3)] {
        let log = db.log().await;
        log.append(0..newer).await;
        log.publisher().await.publish().await.unwrap();
        log.faults
            .inner
            .delete(&Path::from("checkpoint"))
            .await
            .unwrap();
        let mut restored = db.log().await;
        restored.append(0..older).await;
        restored.publisher().await.publish().await.unwrap();
        restored.objects = log.objects.clone();
        let refused = open(&log, &restored.store, &[]).await;
        assert!(is_fenced(&refused), "{older} {newer}");
        let findings = restored.fsck().await.findings;
        assert!(
            findings.iter().any(|f| matches!(f, Finding::Ahead(_))),
            "{findings:?}"
        );
        // Tiles of entries that are committed and not yet published are no sign of it.
        restored.append(older..newer).await;
        assert!(
            !is_fenced(&open(&log, &restored.store, &[]).await),
            "{older} {newer}"
        );
    }
}

/// Newer files of which the next place of leaves and bundles was lost: what lies above tells of them; and all of them to
/// whoever has the time to look.
async fn what_is_left_of_newer_files_refuses_the_start(db: Db) {
    let log = db.log().await;
    log.append(0..800).await;
    log.publisher().await.publish().await.unwrap();
    let mut older = db.log().await;
    older.append(0..300).await;
    older.publisher().await.publish().await.unwrap();
    older.objects = log.objects.clone();
    let gone = [
        &["checkpoint", "tile/0/001", "tile/entries/001"][..],
        &["tile/1/000.p/3"],
        &["tile/0/002", "tile/entries/002", "tile/0/003.p/32"],
    ];
    for (round, names) in gone.iter().enumerate() {
        for name in *names {
            log.faults.inner.delete(&Path::from(*name)).await.unwrap();
        }
        let at_once = is_fenced(&open(&log, &older.store, &[]).await);
        assert_eq!(at_once, round == 0, "{round}");
        let findings = older.fsck().await.findings;
        let found = findings.iter().any(|f| matches!(f, Finding::Ahead(_)));
        assert!(found, "{round} {findings:?}");
        let key = log_key();
        let mended = mend(&older.store, &older.objects, key.verifier()).await;
        assert!(is_fenced(&mended), "{round}");
    }
    // What a service finds in the background.
    let key = log_key();
    let (store, objects) = (&older.store, &older.objects);
    let halted = mend_published(store, objects, key.verifier(), Duration::ZERO).await;
    assert!(matches!(halted, Err(LedgerStoreError::Halted { .. })));
}

async fn a_served_checkpoint_of_another_tree_halts_before_another_is_signed(db: Db) {
    let log = db.log().await;
    log.append(0..300).await;
    let mut publisher = log.publisher().await;
    let published = publisher.publish().await.unwrap();
    let path = Path::from("checkpoint");
    for served in [(290, 7), (320, 7)] {
        let forked = log_key().sign(served.0, &[served.1; 32]).unwrap();
        log.faults.put(&path, forked.clone().into()).await.unwrap();
        log.append(300..310).await;
        let halted = publisher.publish().await.unwrap_err();
        assert!(
            matches!(halted, LedgerStoreError::Halted { .. }),
            "{halted}"
        );
        let kept = log.store.published().await.unwrap().unwrap();
        assert_eq!(kept.text, published.text, "nothing was signed");
        assert_eq!(log.objects.checkpoint().await.unwrap().unwrap(), forked);
        let halt = log.store.halted().await.unwrap().unwrap();
        assert!(log.store.unhalt(&halt, "a test").await.unwrap());
    }
    // An earlier one of this tree is none, be a tile torn that would prove it.
    let tile = Path::from("tile/0/000");
    log.faults
        .put(&tile, b"torn".to_vec().into())
        .await
        .unwrap();
    let mut edge = Edge::new();
    for entry in log.store.entries(0, 120).await.unwrap() {
        edge.push(&entry.body, &mut Vec::new()).unwrap();
    }
    let earlier = log_key().sign(120, &edge.root()).unwrap();
    log.faults.put(&path, earlier.into()).await.unwrap();
    assert_eq!(publisher.publish().await.unwrap().size, 310);
}

async fn the_fence_refuses_a_database_that_was_begun_anew(db: Db) {
    let log = db.log().await;
    log.append(0..10).await;
    let published = log.publisher().await.publish().await.unwrap();
    let fresh = db.log().await;
    assert!(is_fenced(&open(&log, &fresh.store, &[]).await));
    assert!(is_fenced(
        &open(&fresh, &fresh.store, &[published.text.into_bytes()]).await
    ));
}

/// What makes a start quick, and what it leaves to the audit.
async fn the_fence_does_not_read_the_log_if_the_tiles_do(db: Db) {
    let log = db.log().await;
    log.append(0..600).await;
    log.publisher().await.publish().await.unwrap();
    log.append(600..700).await;
    let change = |sql, index| log.change_entry(sql, index);
    change("UPDATE entries SET body = $1 WHERE idx = 100", 100).await;
    let mut publisher = log.publisher().await;
    publisher.publish().await.unwrap();
    assert_eq!(log.served().await.unwrap().size, 700);
    assert!(!log.fsck().await.findings.is_empty());
    // Without the tiles the entries are read, and found to be others.
    let path = Path::from("tile/1/000.p/2");
    log.faults.inner.delete(&path).await.unwrap();
    assert!(is_fenced(&log.try_publisher(&[]).await));
    // At the right edge they are always looked at.
    let log = db.log().await;
    log.append(0..600).await;
    log.publisher().await.publish().await.unwrap();
    let change = |sql, index| log.change_entry(sql, index);
    change("UPDATE entries SET body = $1 WHERE idx = 512", 512).await;
    assert!(is_fenced(&log.try_publisher(&[]).await));
}

async fn the_fence_refuses_changed_entries_and_other_checkpoints(db: Db) {
    let log = db.log().await;
    log.append(0..10).await;
    log.publisher().await.publish().await.unwrap();
    let foreign = log_key().sign(10, &[3; 32]).unwrap();
    for text in ["nonsense".to_owned(), foreign] {
        let seen = [text.into_bytes()];
        assert!(matches!(
            log.try_publisher(&seen).await,
            Err(LedgerStoreError::Fenced { .. })
        ));
    }
    log.change_entry("UPDATE entries SET body = $1 WHERE idx = 4", 4)
        .await;
    assert!(matches!(
        log.try_publisher(&[]).await,
        Err(LedgerStoreError::Fenced { .. })
    ));
}

async fn a_checkpoint_never_goes_backwards(db: Db) {
    let log = db.log().await;
    log.append(0..20).await;
    let mut publisher = log.publisher().await;
    publisher.publish().await.unwrap();
    log.append(20..25).await;
    let published = |size| Published {
        size,
        text: log_key().sign(size, &[0; 32]).unwrap(),
    };
    for (old, new) in [
        (Some(20), 19),
        (Some(20), 20),
        (Some(20), 26),
        (Some(19), 20),
        (Some(19), 21),
        (Some(21), 22),
        (None, 21),
        (Some(5), 6),
    ] {
        let e = log.store.advance(old, &published(new)).await.unwrap_err();
        assert!(matches!(e, LedgerStoreError::Overtaken), "{old:?} to {new}");
    }
    // A served checkpoint that is ahead of the database is not overwritten, but stops the log.
    let ahead = log_key().sign(30, &[7; 32]).unwrap();
    log.faults
        .put(&Path::from("checkpoint"), ahead.clone().into())
        .await
        .unwrap();
    log.append(20..25).await;
    assert!(matches!(
        publisher.publish().await,
        Err(LedgerStoreError::Halted { .. })
    ));
    assert_eq!(log.objects.checkpoint().await.unwrap().unwrap(), ahead);
}

async fn a_served_checkpoint_with_cosignatures_is_left_in_place(db: Db) {
    let log = db.log().await;
    log.append(0..5).await;
    let mut publisher = log.publisher().await;
    let published = publisher.publish().await.unwrap();
    let cosigned = format!("{}— witness.example AAAAAAAA\n", published.text);
    let path = Path::from("checkpoint");
    log.faults
        .put(&path, cosigned.clone().into())
        .await
        .unwrap();
    publisher.publish().await.unwrap();
    assert_eq!(log.objects.checkpoint().await.unwrap().unwrap(), cosigned);
    // Another tree of the same size is not.
    let forked = log_key().sign(5, &[7; 32]).unwrap();
    log.faults.put(&path, forked.into()).await.unwrap();
    let e = publisher.publish().await.unwrap_err();
    assert!(matches!(e, LedgerStoreError::Halted { .. }));
}
