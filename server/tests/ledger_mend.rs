//! Public files that a disk has torn or lost are written anew from the entries, and that halts nobody.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Db, Log, log_key, on_both};
use galen_server::ledger::{
    LedgerStoreError,
    fsck::Finding,
    mend::{Mended, mend},
};
use object_store::{ObjectStoreExt, path::Path};

on_both!("current_thread": what_is_torn_or_lost_is_written_anew,
    narrower_tiles_are_mended_too,
    the_checkpoint_is_served_anew,
    a_torn_checkpoint_says_what_to_do,
    a_halted_log_is_mended_and_goes_on,
    a_served_checkpoint_of_another_tree_is_left,
    nothing_is_written_for_another_database);

async fn published(db: &Db, size: u64) -> Log {
    let log = db.log().await;
    log.append(0..size).await;
    log.publisher().await.publish().await.unwrap();
    log
}

async fn mended(log: &Log) -> Result<Mended, LedgerStoreError> {
    mend(&log.store, &log.objects, log_key().verifier()).await
}

async fn put(log: &Log, name: &str, bytes: Vec<u8>) {
    let path = Path::from(name);
    log.faults.inner.put(&path, bytes.into()).await.unwrap();
}

async fn get(log: &Log, name: &str) -> Vec<u8> {
    let found = log.faults.inner.get(&Path::from(name)).await.unwrap();
    found.bytes().await.unwrap().to_vec()
}

async fn delete(log: &Log, name: &str) {
    log.faults.inner.delete(&Path::from(name)).await.unwrap();
}

async fn what_is_torn_or_lost_is_written_anew(db: Db) {
    let log = published(&db, 600).await;
    assert_eq!(mended(&log).await.unwrap(), Mended::default());
    let whole = get(&log, "tile/0/001").await;
    put(&log, "tile/0/001", whole[..100].to_vec()).await;
    put(&log, "tile/entries/000", b"another".to_vec()).await;
    delete(&log, "tile/1/000.p/2").await;
    // A torn tile is nobody's to cache.
    let torn = "tile/0/001".to_owned();
    let served = log.objects.published_tile(&path(&torn)).await;
    assert!(matches!(served, Err(LedgerStoreError::Ledger(e)) if e.to_string().contains("torn")));
    let found = mended(&log).await.unwrap();
    let names: Vec<_> = found.tiles.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["tile/entries/000", "tile/0/001", "tile/1/000.p/2"]);
    assert!(!found.checkpoint);
    assert_eq!(get(&log, "tile/0/001").await, whole);
    // What was there is kept: it may be of another history.
    assert_eq!(get(&log, "replaced/tile/0/001").await, whole[..100]);
    assert_eq!(get(&log, "replaced/tile/entries/000").await, b"another");
    log.clean().await;
    assert_eq!(log.store.halted().await.unwrap(), None);
}

fn path(name: &str) -> galen_ledger::tiles::TilePath {
    galen_ledger::tiles::TilePath::parse(name).unwrap()
}

async fn narrower_tiles_are_mended_too(db: Db) {
    let log = published(&db, 44).await;
    let (hashes, entries) = ("tile/0/000.p/44", "tile/entries/000.p/44");
    let before = (get(&log, hashes).await, get(&log, entries).await);
    for to in [50, 300] {
        log.append(log.store.size().await.unwrap()..to).await;
        log.publisher().await.publish().await.unwrap();
        put(&log, hashes, vec![7; 44 * 32]).await;
        put(&log, entries, Vec::new()).await;
        assert_eq!(mended(&log).await.unwrap().tiles.len(), 2);
        let after = (get(&log, hashes).await, get(&log, entries).await);
        assert_eq!(after, before);
    }
}

async fn the_checkpoint_is_served_anew(db: Db) {
    let log = published(&db, 20).await;
    let text = get(&log, "checkpoint").await;
    let earlier = log_key().sign(0, &galen_ledger::tiles::EMPTY_ROOT).unwrap();
    delete(&log, "checkpoint").await;
    for torn in [
        None,
        Some(Vec::new()),
        Some(text[..30].to_vec()),
        Some(earlier.into_bytes()),
    ] {
        if let Some(torn) = torn {
            put(&log, "checkpoint", torn).await;
        }
        assert!(mended(&log).await.unwrap().checkpoint);
        assert_eq!(get(&log, "checkpoint").await, text);
    }
    log.clean().await;
}

async fn a_torn_checkpoint_says_what_to_do(db: Db) {
    let log = published(&db, 20).await;
    for torn in [Vec::new(), b"galen.example".to_vec()] {
        put(&log, "checkpoint", torn).await;
        let refused = log.try_publisher(&[]).await.unwrap_err();
        assert!(
            matches!(&refused, LedgerStoreError::Fenced { why } if why.contains("galen ledger restore"))
        );
    }
    mended(&log).await.unwrap();
    log.publisher().await;
}

async fn a_halted_log_is_mended_and_goes_on(db: Db) {
    let log = published(&db, 300).await;
    put(&log, "tile/0/000", vec![1; 8192]).await;
    log.store
        .halt("tile/0/000 is there with other contents")
        .await
        .unwrap();
    mended(&log).await.unwrap();
    let halt = "tile/0/000 is there with other contents".to_owned();
    assert_eq!(log.fsck().await.findings, [Finding::Halted(halt.clone())]);
    let cleared = log.store.unhalt("the disk was replaced").await.unwrap();
    assert_eq!(cleared.as_deref(), Some(halt.as_str()));
    assert_eq!(log.store.unhalt("again").await.unwrap(), None);
    let report = log.fsck().await;
    assert_eq!(report.findings, []);
    let kept: Vec<_> = report
        .unhalted
        .iter()
        .map(|u| (&*u.halted, &*u.because))
        .collect();
    assert_eq!(kept, [(halt.as_str(), "the disk was replaced")]);
    log.append(300..310).await;
    assert_eq!(log.publisher().await.publish().await.unwrap().size, 310);
}

/// A database that has grown anew from a backup, beside what was signed before: the proof of two histories stays.
async fn a_served_checkpoint_of_another_tree_is_left(db: Db) {
    let log = published(&db, 300).await;
    let foreign = log_key().sign(290, &[3; 32]).unwrap().into_bytes();
    put(&log, "checkpoint", foreign.clone()).await;
    put(&log, "tile/0/000", vec![1; 8192]).await;
    let refused = mended(&log).await.unwrap_err();
    assert!(
        matches!(&refused, LedgerStoreError::Fenced { why } if why.contains("the served checkpoint of size 290")),
        "{refused}"
    );
    assert_eq!(get(&log, "checkpoint").await, foreign);
    assert_eq!(get(&log, "tile/0/000").await, vec![1; 8192]);
}

/// Entries that were changed, or an older database beside newer files: neither is mended by writing files.
async fn nothing_is_written_for_another_database(db: Db) {
    let log = published(&db, 300).await;
    put(&log, "tile/0/000", vec![1; 8192]).await;
    log.change_entry("UPDATE entries SET body = $1 WHERE idx = 4", 4)
        .await;
    let refused = mended(&log).await.unwrap_err();
    assert!(
        matches!(refused, LedgerStoreError::Fenced { .. }),
        "{refused}"
    );
    assert_eq!(get(&log, "tile/0/000").await, vec![1; 8192]);

    let newer = published(&db, 620).await;
    let mut older = published(&db, 302).await;
    older.objects = newer.objects.clone();
    delete(&newer, "checkpoint").await;
    let refused = mended(&older).await.unwrap_err();
    assert!(
        matches!(&refused, LedgerStoreError::Fenced { why } if why.contains("tile/0/001")),
        "{refused}"
    );
    assert!(newer.objects.checkpoint().await.unwrap().is_none());
}
