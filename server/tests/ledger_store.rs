//! The store: a batch is judged in order under the lock, and what follows from entries is kept and found.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::{Db, Log, ORIGIN, claim, log_key, on_both, people, plain};
use galen_ledger::{
    Proposal, RuleError,
    entry::Envelope,
    facts::{Fact, Proposed},
    key_facts,
};
use galen_server::ledger::{
    Blobs, LedgerStoreError, Sequencer, Store,
    blobs::Staging,
    fsck::{Finding, fsck},
    sequencer::Batching,
    store::{Filter, Line, Receipt},
};

on_both!("current_thread": a_batch_is_judged_in_order,
    a_refused_entry_may_come_again,
    a_failed_transaction_is_over,
    batches_beyond_the_databases_limits_are_stored,
    facts_are_found_by_name,
    lists_are_filtered_and_paged,
    a_query_has_one_answer,
    texts_of_every_kind_are_stored,
    the_audit_checks_signatures_rules_and_files);

mod threads {
    use super::*;
    on_both!("multi_thread": of_two_answers_on_two_replicas_one_stands);
}

fn receipt(index: u64, duplicate: bool) -> Receipt {
    Receipt { index, duplicate }
}

async fn a_batch_is_judged_in_order(db: Db) {
    let log = db.log().await;
    log.append(0..2).await;
    let batch = [
        plain(1),
        claim("a", 1),
        claim("a", 2),
        plain(2),
        claim("b", 1),
        claim("a", 1),
        plain(2),
        claim("a", 2),
    ];
    let (outcomes, size) = log.store.append(&batch).await.unwrap();
    let placed: Vec<_> = outcomes.iter().map(|o| o.as_ref().ok().copied()).collect();
    let expected = [
        Some(receipt(1, true)),
        Some(receipt(2, false)),
        None,
        Some(receipt(3, false)),
        Some(receipt(4, false)),
        Some(receipt(2, true)),
        Some(receipt(3, true)),
        None,
    ];
    assert_eq!(placed, expected);
    for at in [2, 7] {
        let refused = outcomes[at].as_ref().unwrap_err();
        assert!(matches!(refused, RuleError::Exists { index: 2, .. }));
    }
    // Nothing is left of the refused ones.
    assert_eq!((size, log.store.size().await.unwrap()), (5, 5));
    assert_eq!(
        log.store.find(&batch[2].entry().dedup()).await.unwrap(),
        None
    );
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
    // A batch of nothing new changes nothing.
    let (outcomes, size) = log.store.append(&[plain(0), claim("a", 3)]).await.unwrap();
    assert_eq!(size, 5);
    assert_eq!(*outcomes[0].as_ref().unwrap(), receipt(0, true));
    assert!(outcomes[1].is_err());
    assert_eq!(log.store.append(&[]).await.unwrap().1, 5);
}

/// As on a full disk: SQLite takes such a transaction back by itself, and what counts transactions in the connection
/// does not know.
async fn a_failed_transaction_is_over(db: Db) {
    let log = db.log().await;
    log.append(0..2).await;
    let (fail, pass) = if log.place.is_postgres() {
        (
            "ALTER TABLE entries ADD CONSTRAINT full_up CHECK (false) NOT VALID",
            "ALTER TABLE entries DROP CONSTRAINT full_up",
        )
    } else {
        (
            "CREATE TRIGGER full_up BEFORE INSERT ON entries BEGIN SELECT RAISE(ROLLBACK, 'full'); END",
            "DROP TRIGGER full_up",
        )
    };
    let mut other = log.place.connect().await;
    for _ in 0..3 {
        sqlx::query(fail).execute(&mut other).await.unwrap();
        for _ in 0..2 {
            let refused = log.store.append(&[plain(2)]).await;
            assert!(matches!(refused, Err(LedgerStoreError::Database(_))));
        }
        sqlx::query(pass).execute(&mut other).await.unwrap();
        assert_eq!(log.store.append(&[plain(1)]).await.unwrap().1, 2);
    }
    log.store.try_writing().await.unwrap();
    assert_eq!(log.store.append(&[plain(2)]).await.unwrap().1, 3);
}

/// What is written to a file that nobody finds any more is not kept: it is not acknowledged, and not signed.
#[cfg(unix)]
#[tokio::test]
async fn a_database_that_was_replaced_while_it_is_open_is_found_out() {
    let log = Db::Sqlite.log().await;
    log.append(0..3).await;
    log.publisher().await.publish().await.unwrap();
    let file = std::path::PathBuf::from(&log.place.url);
    let aside = file.with_extension("aside");
    for replaced in [false, true] {
        let mut publisher = log.publisher().await;
        std::fs::rename(&file, &aside).unwrap();
        if replaced {
            std::fs::copy(&aside, &file).unwrap();
        }
        let n = 3 + u64::from(replaced);
        let moved = |e: LedgerStoreError| matches!(e, LedgerStoreError::Moved) && e.may_pass();
        assert!(moved(log.store.append(&[plain(n)]).await.unwrap_err()));
        assert!(moved(publisher.publish().await.unwrap_err()));
        assert!(moved(log.store.published().await.unwrap_err()));
        assert!(moved(log.store.try_writing().await.unwrap_err()));
        std::fs::rename(&aside, &file).unwrap();
        publisher.publish().await.unwrap();
    }
}

/// A pool would try for ten seconds, and tell of these.
#[tokio::test]
async fn a_file_that_is_no_database_is_told_at_once() {
    let log = Db::Sqlite.log().await;
    let path = log.place.folder.path().join("garbage.db");
    std::fs::write(&path, vec![b'x'; 8_192]).unwrap();
    let path = path.display().to_string();
    let before = std::time::Instant::now();
    for opened in [
        Store::open(&path, ORIGIN).await,
        Store::open_to_read(&path, ORIGIN).await,
    ] {
        let refused = opened.unwrap_err();
        assert!(
            matches!(&refused, LedgerStoreError::Broken { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("-wal"), "{refused}");
    }
    assert!(before.elapsed().as_secs() < 5);
}

/// What an audit looks at stays as it is: a WAL may be another database's.
#[tokio::test]
async fn reading_a_database_writes_nothing() {
    let log = Db::Sqlite.log().await;
    log.append(0..20).await;
    let (file, copy) = (log.place.url.clone(), log.place.folder.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    let at = copy.join("ledger.db").display().to_string();
    // As after a crash: the entries stand in the WAL.
    for end in ["", "-wal"] {
        std::fs::copy(format!("{file}{end}"), format!("{at}{end}")).unwrap();
    }
    let files = || ["", "-wal"].map(|end| std::fs::read(format!("{at}{end}")).unwrap());
    let before = files();
    let store = Store::open_to_read(&at, ORIGIN).await.unwrap();
    assert_eq!(store.size().await.unwrap(), 20);
    store.append(&[plain(99)]).await.unwrap_err();
    store.close().await;
    assert_eq!(files(), before);
}

async fn a_refused_entry_may_come_again(db: Db) {
    let log = db.log().await;
    let sequencer = Sequencer::start(log.store.clone(), Batching::default())
        .await
        .unwrap();
    let submitter = sequencer.submitter();
    let early = submitter.submit(people::query(0)).await.unwrap_err();
    assert!(
        matches!(
            early,
            LedgerStoreError::Refused(RuleError::UnknownKey { .. })
        ),
        "{early}"
    );
    for entry in people::beginning() {
        submitter.submit(entry).await.unwrap();
    }
    assert_eq!(
        submitter.submit(people::query(0)).await.unwrap(),
        receipt(6, false)
    );
    // A retry of what stands is answered, even if it could no longer stand now.
    submitter
        .submit(people::revocation(&people::researcher()))
        .await
        .unwrap();
    assert_eq!(
        submitter.submit(people::query(0)).await.unwrap(),
        receipt(6, true)
    );
    let late = submitter.submit(people::query(1)).await.unwrap_err();
    assert!(
        matches!(
            late,
            LedgerStoreError::Refused(RuleError::Revoked { index: 7, .. })
        ),
        "{late}"
    );
}

/// SQLite takes 32,766 parameters and PostgreSQL 65,535; a line of the catalogue alone has seven.
async fn batches_beyond_the_databases_limits_are_stored(db: Db) {
    let log = db.log().await;
    log.append(0..100).await;
    let receipts = log.append(50..10_050).await;
    assert_eq!(receipts[0], receipt(50, true));
    assert_eq!(receipts[9_999], receipt(10_049, false));
    let names: Vec<_> = (0..31_000).map(|n| format!("entry {n}")).collect();
    assert_eq!(log.store.facts(&names).await.unwrap().len(), 10_050);
    log.publisher().await.publish().await.unwrap();
    log.clean().await;
}

async fn facts_are_found_by_name(db: Db) {
    let log = db.log().await;
    log.append(0..3).await;
    let names = ["entry 2", "entry 7", "entry 0", "entry 2"].map(String::from);
    let facts = log.store.facts(&names).await.unwrap();
    let fact = |n: u64| {
        let value = format!("\"entry {n}\"");
        (format!("entry {n}"), Fact { index: n, value })
    };
    assert_eq!(facts, [fact(0), fact(2)].into_iter().collect());
    assert!(log.store.facts(&[]).await.unwrap().is_empty());
    log.store.ping().await.unwrap();
    assert_eq!(log.store.entry(3).await.unwrap(), None);
}

async fn begun(db: &Db) -> Log {
    let log = db.log().await;
    let (outcomes, _) = log.store.append(&people::beginning()).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    log
}

async fn append(log: &Log, batch: &[Arc<dyn Proposed>]) -> Vec<Result<u64, &'static str>> {
    let (outcomes, _) = log.store.append(batch).await.unwrap();
    let short = |o: Result<Receipt, RuleError>| o.map(|r| r.index).map_err(|e| e.code());
    outcomes.into_iter().map(short).collect()
}

async fn lists_are_filtered_and_paged(db: Db) {
    let log = begun(&db).await;
    let queries: Vec<_> = (0..10).map(people::query).collect();
    append(&log, &queries).await;
    append(
        &log,
        &[people::refusal(3, "budget"), people::answer(3, "bundle")],
    )
    .await;
    let indices = |lines: Vec<Line>| lines.into_iter().map(|l| l.index).collect::<Vec<_>>();
    let list = async |filter: &Filter, after, limit| {
        indices(log.store.list(filter, after, limit).await.unwrap())
    };
    let newest = async |filter: &Filter, before, limit| {
        indices(log.store.list_newest(filter, before, limit).await.unwrap())
    };
    let all = Filter::default();
    assert_eq!(list(&all, None, 3).await, [0, 1, 2]);
    assert_eq!(list(&all, Some(15), 9).await, [16, 17]);
    assert_eq!(newest(&all, None, 2).await, [17, 16]);
    assert_eq!(newest(&all, Some(2), 9).await, [1, 0]);
    let kind = Filter {
        kind: Some("query".into()),
        ..Filter::default()
    };
    assert_eq!(list(&kind, None, 99).await, (6..16).collect::<Vec<_>>());
    assert_eq!(list(&kind, Some(13), 99).await, [14, 15]);
    assert_eq!(newest(&kind, Some(8), 99).await, [7, 6]);
    let query = Filter {
        query: Some(people::query_digest(3)),
        ..Filter::default()
    };
    assert_eq!(list(&query, None, 99).await, [9, 16, 17]);
    let answers = Filter {
        kind: Some("answer".into()),
        ..query
    };
    assert_eq!(list(&answers, None, 99).await, [17]);
    let one = Filter {
        digest: Some(people::query_digest(4)),
        ..kind
    };
    assert_eq!(list(&one, None, 99).await, [10]);
    let member = Filter {
        member: Some("Charité".into()),
        ..Filter::default()
    };
    assert_eq!(list(&member, None, 99).await, [2, 5, 16, 17]);
    let dataset = Filter {
        dataset: Some(people::digest("manifest 1")),
        ..Filter::default()
    };
    assert_eq!(list(&dataset, None, 99).await, [5, 16, 17]);
    let registry = Filter {
        registry: Some(people::digest("registry")),
        ..Filter::default()
    };
    assert_eq!(list(&registry, None, 99).await.len(), 14);
    assert!(
        list(
            &Filter {
                member: Some("' OR 1=1".into()),
                ..member
            },
            None,
            9
        )
        .await
        .is_empty()
    );
    let line = log.store.list(&answers, None, 1).await.unwrap().remove(0);
    let expected = Line {
        index: 17,
        kind: "answer".into(),
        digest: people::digest("bundle"),
        member: Some("Charité".into()),
        registry: Some(people::digest("registry")),
        dataset: Some(people::digest("manifest 1")),
        query: Some(people::query_digest(3)),
    };
    assert_eq!(line, expected);
}

async fn a_query_has_one_answer(db: Db) {
    let log = begun(&db).await;
    let batch = [
        people::answer(0, "a"),
        people::query(0),
        people::refusal(0, "not now"),
        people::answer(0, "a"),
        people::answer(0, "b"),
        people::refusal(0, "too late"),
        people::dataset(2),
        people::query(1),
        people::answer(1, "c"),
    ];
    let outcomes = append(&log, &batch).await;
    let expected = [
        Err("not-registered"),
        Ok(6),
        Ok(7),
        Ok(8),
        Err("second-answer"),
        Err("already-registered"),
        Ok(9),
        Ok(10),
        Err("epoch-not-current"),
    ];
    assert_eq!(outcomes, expected);
}

/// What would make a statement fail in one database or the other must not take its batch along.
async fn texts_of_every_kind_are_stored(db: Db) {
    let log = begun(&db).await;
    let texts = ["\\u0000", "\\ud83e\\udec0", "\\\"'; --", "%_$1?", "\\u2028"];
    for (n, text) in (6..).zip(texts) {
        let json = format!(
            "{{\"query\":{{\"format\":\"galen/query/v1\",\"registry\":\"{text}\",\"registry_digest\":\"{}\",\
             \"purpose\":\"{text}\",\"sql\":\"{text}\",\"title\":\"{text}\"}}}}",
            people::digest("registry")
        );
        let kind = "application/vnd.galen.query.v1+json";
        let key = people::researcher();
        let entry = galen_ledger::entry::Entry::sign(kind, json.as_bytes(), &[&key]);
        let proposal = Proposal::new(entry.unwrap()).unwrap();
        assert_eq!(append(&log, &[Arc::new(proposal)]).await, [Ok(n)], "{text}");
    }
    let unknown = format!("[\"registry\",\"{}\"]", "x\\u0000".repeat(9_000));
    assert!(log.store.facts(&[unknown]).await.unwrap().is_empty());
}

async fn of_two_answers_on_two_replicas_one_stands(db: Db) {
    let log = begun(&db).await;
    let queries: Vec<_> = (0..60).map(people::query).collect();
    append(&log, &queries).await;
    let other = log.replica().await;
    let a = Sequencer::start(log.store.clone(), Batching::default())
        .await
        .unwrap();
    let b = Sequencer::start(other, Batching::default()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60 {
        for (sequencer, bundle) in [(&a, "a"), (&b, "b")] {
            let submitter = sequencer.submitter();
            tasks.spawn(async move { submitter.submit(people::answer(n, bundle)).await });
        }
    }
    let (stand, refused): (Vec<_>, Vec<_>) =
        tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((stand.len(), refused.len()), (60, 60));
    for e in refused {
        let e = e.unwrap_err();
        assert!(
            matches!(e, LedgerStoreError::Refused(RuleError::SecondAnswer { .. })),
            "{e}"
        );
    }
    assert_eq!(log.store.size().await.unwrap(), 126);
}

async fn the_audit_checks_signatures_rules_and_files(db: Db) {
    let log = begun(&db).await;
    append(&log, &[people::query(0), people::answer(0, "bundle")]).await;
    log.publisher().await.publish().await.unwrap();
    let log_key = log_key();
    let audit = || fsck(&log.store, &log.objects, log_key.verifier());
    let files = [
        "registry's file",
        "set",
        "manifest's file",
        "registration",
        "bundle",
    ];
    let missing = |index, of| Finding::Blob {
        index,
        sha256: people::digest(of),
    };
    let all = [3, 4, 5, 5, 7]
        .into_iter()
        .zip(files)
        .map(|(i, f)| missing(i, f));
    assert_eq!(audit().await.unwrap().findings, all.collect::<Vec<_>>());
    let blobs = Blobs::new(&log.objects, Staging::default());
    for file in files {
        blobs.put(Bytes::from(file)).await.unwrap();
    }
    assert_eq!(audit().await.unwrap().findings, []);
    // The keys and rules are replayed from the entries, not believed from the tables.
    let bytes = people::query(0).entry().bytes().to_vec();
    let envelope = Envelope::parse(&bytes).unwrap();
    let facts = log.store.facts(&key_facts(&envelope)).await.unwrap();
    assert!(Proposal::read(envelope, &facts).is_ok());
    log.tamper_bytes("UPDATE entries SET body = $1 WHERE idx = 1", &bytes)
        .await;
    let findings = audit().await.unwrap().findings;
    for index in [1, 6] {
        let refused = |f: &Finding| matches!(f, Finding::Refused { index: i, .. } if *i == index);
        assert!(findings.iter().any(refused), "{index}: {findings:?}");
    }
}
