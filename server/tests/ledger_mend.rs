//! Public files that a disk has torn or lost are written anew from the entries, and that halts nobody.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Db, Log, log_key, on_both};
use galen_server::ledger::{
    LedgerStoreError,
    fsck::Finding,
    mend::{Mended, mend, mend_published},
};
use object_store::{ObjectStore as _, ObjectStoreExt, path::Path};

on_both!("current_thread": what_is_torn_or_lost_is_written_anew,
    narrower_tiles_are_mended_too,
    the_checkpoint_is_served_anew,
    a_torn_checkpoint_says_what_to_do,
    a_halted_log_is_mended_and_goes_on,
    a_tile_torn_before_it_is_published_is_mended,
    a_first_checkpoint_that_is_torn_is_taken_away,
    all_that_was_replaced_is_kept,
    a_service_mends_tiles_and_halts_for_entries,
    a_start_mends_the_newest_tiles_at_once,
    a_partial_tile_that_a_full_one_has_replaced_is_not_missed,
    a_start_halts_for_changed_entries_and_writes_nothing_of_them,
    a_bundle_of_other_entries_is_told_and_halts_a_service,
    an_entry_that_is_gone_halts_a_service,
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
    assert_eq!(kept(&log, "tile/0/001").await, [&whole[..100]]);
    assert_eq!(kept(&log, "tile/entries/000").await, [b"another"]);
    log.clean().await;
    assert_eq!(log.store.halted().await.unwrap(), None);
}

async fn a_start_mends_the_newest_tiles_at_once(db: Db) {
    let log = published(&db, 600).await;
    let newest = [
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    let mut whole = Vec::new();
    for name in newest {
        whole.push(get(&log, name).await);
        put(&log, name, b"torn".to_vec()).await;
    }
    let written = log.publisher().await.mend_newest().await.unwrap();
    let mut names: Vec<_> = written.iter().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, newest);
    for (name, whole) in newest.iter().zip(whole) {
        assert_eq!(get(&log, name).await, whole);
        assert_eq!(kept(&log, name).await, [b"torn"]);
    }
    log.clean().await;
    assert_eq!(log.publisher().await.mend_newest().await.unwrap(), []);
    // The first of all, a log without entries, and one of full tiles alone.
    for size in [0, 1, 256, 512] {
        let log = published(&db, size).await;
        assert_eq!(log.publisher().await.mend_newest().await.unwrap(), []);
    }
}

/// Another replica leads: it has published more since, and deleted a partial tile.
async fn a_partial_tile_that_a_full_one_has_replaced_is_not_missed(db: Db) {
    let log = published(&db, 200).await;
    let publisher = log.publisher().await;
    log.append(200..300).await;
    log.publisher().await.publish().await.unwrap();
    assert_eq!(publisher.mend_newest().await.unwrap(), []);
}

async fn a_start_halts_for_changed_entries_and_writes_nothing_of_them(db: Db) {
    let log = published(&db, 600).await;
    let whole = get(&log, "tile/0/001").await;
    // What would tell that the entries are others is torn.
    put(&log, "tile/entries/001", b"torn".to_vec()).await;
    log.change_entry("UPDATE entries SET body = $1 WHERE idx = 300", 300)
        .await;
    let halted = log.publisher().await.mend_newest().await.unwrap_err();
    assert!(
        matches!(halted, LedgerStoreError::Halted { .. }),
        "{halted}"
    );
    assert_eq!(get(&log, "tile/entries/001").await, b"torn");
    assert_eq!(get(&log, "tile/0/001").await, whole);
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
    let unhalt = |halt: &'static str| log.store.unhalt(halt, "the disk was replaced");
    assert!(!unhalt("another reason").await.unwrap());
    assert!(
        unhalt("tile/0/000 is there with other contents")
            .await
            .unwrap()
    );
    assert!(
        !unhalt("tile/0/000 is there with other contents")
            .await
            .unwrap()
    );
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

/// The usual halt: the files of a publication that did not come to its end were torn.
async fn a_tile_torn_before_it_is_published_is_mended(db: Db) {
    let full = ["tile/0/001", "tile/entries/002.p/88"];
    for torn in [full[0], full[1], "tile/1/000.p/2", "tile/0/001.p/44"] {
        let log = published(&db, 300).await;
        log.append(300..600).await;
        put(&log, torn, b"torn".to_vec()).await;
        let report = log.fsck().await;
        assert_eq!(report.findings, [Finding::Different(path(torn))]);
        if !torn.ends_with("/44") {
            let halted = log.publisher().await.publish().await.unwrap_err();
            assert!(matches!(halted, LedgerStoreError::Halted { .. }));
            assert_eq!(log.fsck().await.findings.len(), 2);
        }
        let found = mended(&log).await.unwrap();
        assert_eq!(found.tiles, [path(torn)]);
        assert_eq!(mended(&log).await.unwrap(), Mended::default());
        if let Some(halt) = log.store.halted().await.unwrap() {
            assert_eq!(log.fsck().await.findings, [Finding::Halted(halt.clone())]);
            assert!(log.store.unhalt(&halt, "mended").await.unwrap());
        }
        assert_eq!(log.publisher().await.publish().await.unwrap().size, 600);
        log.clean().await;
    }
}

/// A start that broke off before the database had a checkpoint.
async fn a_first_checkpoint_that_is_torn_is_taken_away(db: Db) {
    let log = db.log().await;
    log.append(0..20).await;
    put(&log, "checkpoint", b"torn".to_vec()).await;
    put(&log, "tile/0/000.p/20", b"torn".to_vec()).await;
    log.try_publisher(&[]).await.unwrap_err();
    let found = mended(&log).await.unwrap();
    assert!(found.checkpoint && found.tiles == [path("tile/0/000.p/20")]);
    assert_eq!(kept(&log, "checkpoint").await, [b"torn"]);
    assert_eq!(log.publisher().await.publish().await.unwrap().size, 20);
    log.clean().await;
}

/// What was kept of a path.
async fn kept(log: &Log, path: &str) -> Vec<Vec<u8>> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = Path::from(format!("replaced/{folder}"));
    let all = log.faults.inner.list_with_delimiter(Some(&folder)).await;
    let mut kept = Vec::new();
    for object in all.unwrap().objects {
        let found = object.location.filename().unwrap();
        if found.starts_with(&format!("{name}.")) {
            kept.push(get(log, object.location.as_ref()).await);
        }
    }
    kept.sort();
    kept
}

/// Each may be of another history, whatever follows it.
async fn all_that_was_replaced_is_kept(db: Db) {
    let log = published(&db, 300).await;
    for torn in [b"one", b"two", b"one"] {
        put(&log, "tile/0/000", torn.to_vec()).await;
        put(&log, "checkpoint", torn.to_vec()).await;
        mended(&log).await.unwrap();
    }
    assert_eq!(kept(&log, "tile/0/000").await, [b"one", b"two"]);
    assert_eq!(kept(&log, "checkpoint").await, [b"one", b"two"]);
    // One that a service finds while it works, too.
    let mut publisher = log.publisher().await;
    put(&log, "checkpoint", b"three".to_vec()).await;
    publisher.publish().await.unwrap();
    assert_eq!(
        kept(&log, "checkpoint").await,
        [&b"one"[..], b"three", b"two"]
    );
    log.clean().await;
}

async fn a_service_mends_tiles_and_halts_for_entries(db: Db) {
    let log = published(&db, 600).await;
    let mended = async || {
        let key = log_key();
        mend_published(&log.store, &log.objects, key.verifier(), Duration::ZERO).await
    };
    assert_eq!(mended().await.unwrap(), []);
    put(&log, "tile/0/000", b"torn".to_vec()).await;
    assert_eq!(mended().await.unwrap(), [path("tile/0/000")]);
    log.clean().await;
    // One that the start does not look at.
    log.change_entry("UPDATE entries SET body = $1 WHERE idx = 4", 4)
        .await;
    log.publisher().await;
    let halted = mended().await.unwrap_err();
    assert!(
        matches!(&halted, LedgerStoreError::Halted { why } if why.contains("of size 600")),
        "{halted}"
    );
    assert!(log.store.halted().await.unwrap().is_some());
    assert!(log.try_publisher(&[]).await.is_err());
}

/// No disk tears a bundle into other signed entries.
async fn a_bundle_of_other_entries_is_told_and_halts_a_service(db: Db) {
    let (log, other) = (published(&db, 300).await, db.log().await);
    other.append(1_000..1_300).await;
    other.publisher().await.publish().await.unwrap();
    for name in ["tile/entries/000", "tile/entries/001.p/44"] {
        let foreign = get(&other, name).await;
        put(&log, name, foreign.clone()).await;
        let key = log_key();
        let at_work = mend_published(&log.store, &log.objects, key.verifier(), Duration::ZERO);
        let halted = at_work.await.unwrap_err();
        assert!(
            matches!(&halted, LedgerStoreError::Halted { why } if why.contains(name)),
            "{halted}"
        );
        assert_eq!(get(&log, name).await, foreign, "nothing was written");
        let found = mended(&log).await.unwrap();
        assert_eq!(
            (found.tiles.as_slice(), found.foreign.as_slice()),
            (&[path(name)][..], &[path(name)][..])
        );
        assert_eq!(kept(&log, name).await, [foreign]);
    }
    // Its own, cut at an entry's end, is torn.
    let whole = get(&log, "tile/entries/000").await;
    let first = 2 + usize::from(u16::from_be_bytes([whole[0], whole[1]]));
    put(&log, "tile/entries/000", whole[..first].to_vec()).await;
    assert_eq!(mended(&log).await.unwrap().foreign, []);
}

async fn an_entry_that_is_gone_halts_a_service(db: Db) {
    let log = published(&db, 600).await;
    log.tamper("DELETE FROM entries WHERE idx = 5").await;
    let key = log_key();
    let at_work = mend_published(&log.store, &log.objects, key.verifier(), Duration::ZERO);
    let halted = at_work.await.unwrap_err();
    assert!(
        matches!(&halted, LedgerStoreError::Halted { why } if why.contains("entry 5")),
        "{halted}"
    );
    assert!(log.store.halted().await.unwrap().is_some());
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
        matches!(&refused, LedgerStoreError::Fenced { why } if why.contains("002.p/108")),
        "{refused}"
    );
    assert!(newer.objects.checkpoint().await.unwrap().is_none());
}
