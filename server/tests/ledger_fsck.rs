//! The audit finds each tampering, by its place.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Db, Log, ORIGIN, entry, log_key, on_both, people::beginning};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    LedgerError,
    tiles::{LogKey, TilePath, leaf_hash, verify_inclusion},
};
use galen_server::ledger::{
    LedgerStoreError, Store,
    fsck::{Finding, fsck},
};
use object_store::{ObjectStoreExt, path::Path};

on_both!("current_thread": a_changed_tile_is_found_and_proves_nothing,
    a_changed_entry_is_found,
    a_key_that_is_no_digest_and_a_body_that_is_no_envelope_are_found,
    missing_and_surplus_entries_are_found,
    changed_facts_are_found,
    a_consortium_of_another_log_is_found,
    changed_lines_of_the_catalogue_are_found,
    checkpoints_that_are_not_the_logs_are_found,
    a_served_checkpoint_may_be_behind_and_a_halt_is_told);

async fn published(db: &Db) -> Log {
    let log = db.log().await;
    log.append(0..600).await;
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
    log
}

const TILES: [&str; 7] = [
    "tile/0/000",
    "tile/0/001",
    "tile/0/002.p/88",
    "tile/1/000.p/2",
    "tile/entries/000",
    "tile/entries/001",
    "tile/entries/002.p/88",
];

async fn a_changed_tile_is_found_and_proves_nothing(db: Db) {
    let log = published(&db).await;
    let head = log.served().await.unwrap();
    for name in TILES {
        let (path, tile) = (Path::from(name), TilePath::parse(name).unwrap());
        let good = log.objects.tile(&tile).await.unwrap().unwrap();
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.to_vec();
            bad[at] ^= 0x80;
            log.faults.inner.put(&path, bad.into()).await.unwrap();
            assert_eq!(log.fsck().await.findings, [Finding::Different(tile)]);
            if !name.contains("entries") {
                for index in [0, 300, 599] {
                    let leaf = leaf_hash(entry(index).bytes());
                    if let Ok(proof) = log.objects.prove_inclusion(&head, index, &leaf).await {
                        verify_inclusion(head.size, &head.root, index, &leaf, &proof).unwrap();
                    }
                }
                let touched = 256 * tile.number();
                let leaf = leaf_hash(entry(touched).bytes());
                let e = log
                    .objects
                    .prove_inclusion(&head, touched, &leaf)
                    .await
                    .unwrap_err();
                assert!(matches!(
                    e,
                    LedgerStoreError::Ledger(LedgerError::Proof { .. })
                ));
            }
        }
        log.faults.inner.delete(&path).await.unwrap();
        assert_eq!(log.fsck().await.findings, [Finding::Missing(tile)]);
        log.faults.inner.put(&path, good.into()).await.unwrap();
    }
    log.clean().await;
}

async fn a_changed_entry_is_found(db: Db) {
    let log = published(&db).await;
    log.change_entry("UPDATE entries SET body = $1 WHERE idx = 300", 300)
        .await;
    let findings = log.fsck().await.findings;
    let different = |name| Finding::Different(TilePath::parse(name).unwrap());
    for expected in [
        Finding::Dedup(300),
        Finding::Fact("entry 300".into()),
        different("tile/0/001"),
        different("tile/entries/001"),
        different("tile/1/000.p/2"),
        Finding::Checkpoint {
            place: "database",
            why: "the entries have another root".into(),
            opens: true,
        },
        Finding::Checkpoint {
            place: "served",
            why: "the entries have another root".into(),
            opens: true,
        },
    ] {
        assert!(findings.contains(&expected), "{expected}: {findings:?}");
    }
    let refused = |f: &Finding| matches!(f, Finding::Refused { index: 300, .. });
    assert!(
        findings.iter().any(refused),
        "its signature no longer holds"
    );
    assert_eq!(findings.len(), 8);
    // Its tiles still prove the old leaf, not the changed one.
    let head = log.served().await.unwrap();
    let changed = leaf_hash(&log.store.entry(300).await.unwrap().unwrap());
    assert!(
        log.objects
            .prove_inclusion(&head, 300, &changed)
            .await
            .is_err()
    );
}

async fn a_key_that_is_no_digest_and_a_body_that_is_no_envelope_are_found(db: Db) {
    let log = published(&db).await;
    log.tamper_bytes("UPDATE entries SET dedup = $1 WHERE idx = 5", &[0; 32])
        .await;
    assert_eq!(log.fsck().await.findings, [Finding::Dedup(5)]);
    log.tamper_bytes("UPDATE entries SET body = $1 WHERE idx = 5", &[0])
        .await;
    assert!(log.fsck().await.findings.contains(&Finding::Envelope(5)));
}

async fn missing_and_surplus_entries_are_found(db: Db) {
    let log = published(&db).await;
    log.tamper("DELETE FROM entries WHERE idx = 77").await;
    let findings = log.fsck().await.findings;
    assert_eq!(findings[0], Finding::Index(77));
    assert!(findings.iter().any(|f| matches!(
        f,
        Finding::Checkpoint {
            place: "database",
            ..
        }
    )));

    let log = published(&db).await;
    log.tamper("DELETE FROM entries WHERE idx = 599").await;
    assert!(log.fsck().await.findings.contains(&Finding::Index(599)));
    let reopened = Store::open(&log.place.url, ORIGIN).await;
    assert!(matches!(reopened, Err(LedgerStoreError::Ledger(_))));

    let log = published(&db).await;
    log.tamper("UPDATE entries SET idx = 900 WHERE idx = 10")
        .await;
    let findings = log.fsck().await.findings;
    assert!(findings.contains(&Finding::Index(10)) && findings.contains(&Finding::Index(900)));
}

async fn changed_facts_are_found(db: Db) {
    let log = published(&db).await;
    let fact = |n: u64| Finding::Fact(format!("entry {n}"));
    let cases = [
        ("UPDATE facts SET value = 'other' WHERE idx = 3", fact(3)),
        ("UPDATE facts SET idx = 5 WHERE name = 'entry 4'", fact(4)),
        ("DELETE FROM facts WHERE idx = 599", fact(599)),
        // As if entries to come had said so.
        (
            "UPDATE facts SET idx = 1000000, value = 'other' WHERE name = 'entry 9'",
            fact(9),
        ),
        (
            "INSERT INTO facts (name, idx, value) VALUES ('later', 600, 'x')",
            Finding::Fact("later".into()),
        ),
        (
            "INSERT INTO facts (name, idx, value) VALUES ('é', 7, 'x')",
            Finding::Fact("é".into()),
        ),
    ];
    let mut expected = Vec::new();
    for (sql, finding) in cases {
        log.tamper(sql).await;
        expected.push(finding);
        let mut findings = log.fsck().await.findings;
        findings.sort_by_key(|f| expected.iter().position(|e| e == f));
        assert_eq!(findings, expected, "{sql}");
    }
}

async fn a_consortium_of_another_log_is_found(db: Db) {
    let log = db.log().await;
    log.store.append(&beginning()[..1]).await.unwrap();
    let other = LogKey::new("log.example/other", SigningKey::from_bytes(&[9; 32])).unwrap();
    for (key, good) in [(log_key(), true), (other, false)] {
        let report = fsck(&log.store, &log.objects, key.verifier())
            .await
            .unwrap();
        match &report.findings[..] {
            [] => assert!(good),
            [Finding::Refused { index: 0, why }] => {
                assert!(!good && why.contains("is for the log"))
            }
            others => panic!("{others:?}"),
        }
    }
}

async fn changed_lines_of_the_catalogue_are_found(db: Db) {
    let log = published(&db).await;
    let cases = [
        ("UPDATE catalogue SET member = NULL WHERE idx = 0", 0),
        ("UPDATE catalogue SET query = 'x' WHERE idx = 255", 255),
        ("DELETE FROM catalogue WHERE idx = 256", 256),
        (
            "INSERT INTO catalogue (idx, kind, digest) VALUES (600, 'plain', 'x')",
            600,
        ),
        (
            "INSERT INTO catalogue (idx, kind, digest) VALUES (9000, 'plain', 'x')",
            9_000,
        ),
    ];
    let mut expected = Vec::new();
    for (sql, index) in cases {
        log.tamper(sql).await;
        expected.push(Finding::Catalogue(index));
        assert_eq!(log.fsck().await.findings, expected, "{sql}");
    }
}

async fn checkpoints_that_are_not_the_logs_are_found(db: Db) {
    let log = published(&db).await;
    let good = log.objects.checkpoint().await.unwrap().unwrap();
    let path = Path::from("checkpoint");
    let mut flipped = good.to_vec();
    *flipped.iter_mut().rev().nth(9).unwrap() ^= 1;
    let cases = [
        flipped,
        log_key().sign(600, &[5; 32]).unwrap().into_bytes(),
        log_key().sign(300, &[5; 32]).unwrap().into_bytes(),
        log_key().sign(601, &[5; 32]).unwrap().into_bytes(),
    ];
    for bad in cases {
        log.faults.inner.put(&path, bad.into()).await.unwrap();
        let findings = log.fsck().await.findings;
        assert!(
            matches!(
                findings[..],
                [Finding::Checkpoint {
                    place: "served",
                    ..
                }]
            ),
            "{findings:?}"
        );
    }
    log.faults.inner.delete(&path).await.unwrap();
    assert_eq!(log.fsck().await.findings.len(), 1);
    log.faults.inner.put(&path, good.into()).await.unwrap();
    log.clean().await;
    log.tamper("UPDATE log_state SET checkpoint = replace(checkpoint, '600', '601')")
        .await;
    let findings = log.fsck().await.findings;
    assert!(
        matches!(
            findings[..],
            [Finding::Checkpoint {
                place: "database",
                ..
            }]
        ),
        "{findings:?}"
    );
}

async fn a_served_checkpoint_may_be_behind_and_a_halt_is_told(db: Db) {
    let log = published(&db).await;
    let old = log.objects.checkpoint().await.unwrap().unwrap();
    log.append(600..610).await;
    log.publisher().await.publish().await.unwrap();
    log.faults
        .inner
        .put(&Path::from("checkpoint"), old.into())
        .await
        .unwrap();
    log.clean().await;
    log.store.halt("by hand").await.unwrap();
    log.store.halt("again").await.unwrap();
    assert_eq!(
        log.fsck().await.findings,
        [Finding::Halted("by hand".into())]
    );
}
