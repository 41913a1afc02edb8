//! Files beside the log: named by their digest, kept for good or for a while, never handed out damaged.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use common::{Fault, Faulty};
use galen_ledger::tiles::Hash;
use galen_query::text::hex;
use galen_server::ledger::{Blobs, LedgerStoreError, Objects, blobs::Staging};
use object_store::{ObjectStoreExt, path::Path};
use sha2::{Digest, Sha256};

fn file(n: u8, length: usize) -> (Hash, Bytes) {
    let bytes = Bytes::from(vec![n; length]);
    (Sha256::digest(&bytes).into(), bytes)
}

fn in_memory(bounds: Staging) -> (Arc<Faulty>, Blobs) {
    let faults = Arc::new(Faulty::default());
    let blobs = Blobs::new(&Objects::new(faults.clone()), bounds);
    (faults, blobs)
}

fn bounds(bytes: u64) -> Staging {
    Staging {
        bytes,
        ..Staging::default()
    }
}

#[tokio::test]
async fn files_on_disk_are_named_by_their_digest() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::new(&Objects::local(folder.path()).unwrap(), Staging::default());
    let (sha256, bytes) = file(7, 100_000);
    assert_eq!(blobs.get(&sha256).await.unwrap(), None);
    assert!(!blobs.contains(&sha256).await.unwrap());
    blobs.stage(&sha256, bytes.clone()).await.unwrap();
    let name = hex(&sha256);
    assert!(folder.path().join("staging").join(&name).is_file());
    assert_eq!(blobs.get(&sha256).await.unwrap(), None, "not recorded yet");
    assert_eq!(blobs.find(&sha256).await.unwrap(), Some(bytes.clone()));
    assert!(blobs.promote(&sha256).await.unwrap());
    assert!(
        folder
            .path()
            .join("blobs")
            .join(&name[..2])
            .join(&name)
            .is_file()
    );
    assert!(!folder.path().join("staging").join(&name).exists());
    assert_eq!(blobs.get(&sha256).await.unwrap(), Some(bytes.clone()));
    assert!(blobs.contains(&sha256).await.unwrap());
    // Again, by every way.
    assert!(blobs.promote(&sha256).await.unwrap());
    assert_eq!(blobs.put(bytes.clone()).await.unwrap(), sha256);
    blobs.stage(&sha256, bytes.clone()).await.unwrap();
    blobs.keep(&sha256, bytes.clone()).await.unwrap();
    assert!(!folder.path().join("staging").join(&name).exists());
    assert_eq!(blobs.get(&sha256).await.unwrap(), Some(bytes));
    assert!(!blobs.promote(&[0; 32]).await.unwrap());
}

#[tokio::test]
async fn a_file_of_another_digest_is_refused() {
    let (faults, blobs) = in_memory(Staging::default());
    let ((one, _), (_, other)) = (file(1, 10), file(2, 10));
    let staged = blobs.stage(&one, other.clone()).await;
    let kept = blobs.keep(&one, other).await;
    for refused in [staged, kept] {
        assert!(matches!(refused, Err(LedgerStoreError::Digest { .. })));
    }
    assert_eq!(blobs.find(&one).await.unwrap(), None);
    assert_eq!(faults.writes.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_damaged_file_is_never_handed_out_and_is_mended_by_its_bytes() {
    let (faults, blobs) = in_memory(Staging::default());
    let (sha256, bytes) = file(1, 1_000);
    blobs.put(bytes.clone()).await.unwrap();
    let name = hex(&sha256);
    let path = Path::from(format!("blobs/{}/{name}", &name[..2]));
    let mut bad = bytes.to_vec();
    bad[500] ^= 1;
    faults.inner.put(&path, bad.clone().into()).await.unwrap();
    assert!(matches!(
        blobs.get(&sha256).await,
        Err(LedgerStoreError::Ledger(_))
    ));
    assert!(matches!(
        blobs.promote(&sha256).await,
        Err(LedgerStoreError::Ledger(_))
    ));
    blobs.keep(&sha256, bytes.clone()).await.unwrap();
    assert_eq!(blobs.get(&sha256).await.unwrap(), Some(bytes.clone()));
    // A damaged upload does not become a recorded file.
    let (other, bytes) = file(2, 1_000);
    blobs.stage(&other, bytes).await.unwrap();
    let path = Path::from(format!("staging/{}", hex(&other)));
    faults.inner.put(&path, bad.into()).await.unwrap();
    assert!(blobs.promote(&other).await.is_err());
    assert!(!blobs.contains(&other).await.unwrap());
}

#[tokio::test]
async fn staging_drops_the_oldest_to_stay_within_its_bytes() {
    let (faults, blobs) = in_memory(bounds(100_000));
    let files: Vec<_> = (0..5).map(|n| file(n, 30_000)).collect();
    for (sha256, bytes) in &files {
        blobs.stage(sha256, bytes.clone()).await.unwrap();
    }
    for (n, (sha256, _)) in files.iter().enumerate() {
        assert_eq!(
            blobs.find(sha256).await.unwrap().is_some(),
            n >= 2,
            "file {n}"
        );
    }
    // What is staged again is the newest.
    blobs.stage(&files[2].0, files[2].1.clone()).await.unwrap();
    let (next, bytes) = file(9, 30_000);
    blobs.stage(&next, bytes).await.unwrap();
    assert_eq!(blobs.find(&files[3].0).await.unwrap(), None);
    assert!(blobs.find(&files[2].0).await.unwrap().is_some());
    // What a process before this one has left counts too.
    let again = Blobs::new(&Objects::new(faults.clone()), bounds(100_000));
    let (large, bytes) = file(8, 100_000);
    again.stage(&large, bytes).await.unwrap();
    assert_eq!(again.find(&next).await.unwrap(), None);
    assert!(again.find(&large).await.unwrap().is_some());
    let (too_large, bytes) = file(8, 100_001);
    let refused = again.stage(&too_large, bytes).await.unwrap_err();
    let expected = LedgerStoreError::TooLarge {
        bytes: 100_001,
        most: 100_000,
    };
    assert_eq!(refused.to_string(), expected.to_string());
    assert!(
        again.find(&large).await.unwrap().is_some(),
        "nothing is dropped for it"
    );
}

#[tokio::test]
async fn many_small_files_are_bounded_too() {
    let (_, blobs) = in_memory(bounds(10 * 4_096));
    let files: Vec<_> = (0..30).map(|n| file(n, 1)).collect();
    for (sha256, bytes) in &files {
        blobs.stage(sha256, bytes.clone()).await.unwrap();
    }
    let mut found = 0;
    for (sha256, _) in &files {
        found += usize::from(blobs.find(sha256).await.unwrap().is_some());
    }
    assert_eq!(found, 10);
}

#[tokio::test]
async fn old_files_are_dropped_and_recorded_ones_stay() {
    let age = Duration::from_millis(500);
    let (_, blobs) = in_memory(Staging {
        age,
        ..Staging::default()
    });
    let ((old, a), (recorded, b), (new, c)) = (file(1, 10), file(2, 10), file(3, 10));
    blobs.stage(&old, a).await.unwrap();
    blobs.stage(&recorded, b).await.unwrap();
    assert!(blobs.promote(&recorded).await.unwrap());
    tokio::time::sleep(age).await;
    blobs.stage(&new, c).await.unwrap();
    assert_eq!(blobs.find(&old).await.unwrap(), None);
    assert!(blobs.get(&recorded).await.unwrap().is_some());
    assert!(blobs.find(&new).await.unwrap().is_some());
    tokio::time::sleep(age).await;
    blobs.sweep().await.unwrap();
    assert_eq!(blobs.find(&new).await.unwrap(), None);
}

#[tokio::test]
async fn every_failing_write_is_told_and_can_be_repeated() {
    for fault in Fault::ALL {
        let (faults, blobs) = in_memory(Staging::default());
        let (sha256, bytes) = file(1, 10);
        faults.fail(0, fault);
        let staged = blobs.stage(&sha256, bytes.clone()).await;
        assert!(matches!(staged, Err(LedgerStoreError::Object { .. })));
        blobs.stage(&sha256, bytes.clone()).await.unwrap();
        faults.fail(0, fault);
        assert!(blobs.promote(&sha256).await.is_err());
        assert!(
            blobs.find(&sha256).await.unwrap().is_some(),
            "not lost on the way"
        );
        assert!(blobs.promote(&sha256).await.unwrap());
        faults.deliver().await;
        assert_eq!(blobs.get(&sha256).await.unwrap(), Some(bytes));
    }
    let (faults, blobs) = in_memory(Staging::default());
    let (sha256, bytes) = file(1, 10);
    faults.set_full(true);
    assert!(blobs.put(bytes.clone()).await.is_err());
    assert!(blobs.stage(&sha256, bytes.clone()).await.is_err());
    faults.set_full(false);
    assert_eq!(blobs.put(bytes).await.unwrap(), sha256);
}
