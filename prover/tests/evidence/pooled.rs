//! Evidence of several sites: added up, or refused where the files contradict each other.

use galen_verifier::{
    answer::{Cell, PoolError},
    ledger::evidence::{PooledError, PooledReport, Report},
};

use crate::{
    hospital::{OTHER_SQL, question},
    log::Log,
    story::{HONEST, NEEDED, blobs, honest, query, story, verify},
};

/// Two sites' verified evidence: the second is told from the first by its hospital alone.
fn two() -> [Report; 2] {
    let first = verify(&honest().to_json()).unwrap();
    let mut second = first.clone();
    second.answer.source.hospital = "St. Other".into();
    [first, second]
}

fn refused(change: impl FnOnce(&mut Report)) -> PooledError {
    let [first, mut second] = two();
    change(&mut second);
    PooledReport::new(vec![first, second]).unwrap_err()
}

fn forked(change: impl FnOnce(&mut Report)) -> String {
    match refused(change) {
        PooledError::Forked { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_are_added() {
    let [first, second] = two();
    let Cell::Integer(own) = first.answer.rows[0][0].clone() else {
        panic!("{:?}", first.answer.rows);
    };
    let report = PooledReport::new(vec![first, second]).unwrap();
    assert_eq!(report.pooled.rows, [[Cell::Integer(2 * own)]]);
}

#[test]
fn fewer_than_two_are_none() {
    let [first, _] = two();
    for sites in [vec![], vec![first]] {
        let e = PooledReport::new(sites).unwrap_err();
        assert!(matches!(e, PooledError::Pool(PoolError::TooFew)), "{e:?}");
    }
}

#[test]
fn one_dataset_counts_once() {
    let e = refused(|r| r.answer.source.hospital = "St. Test".into());
    assert!(
        matches!(&e, PooledError::Pool(PoolError::SameDataset { hospital, .. }) if hospital == "St. Test"),
        "{e:?}"
    );
}

#[test]
fn other_queries_are_not_added() {
    let e = refused(|r| {
        r.question = question(OTHER_SQL);
        r.answer.source.query = r.question.digest();
    });
    assert!(
        matches!(e, PooledError::Pool(PoolError::AnotherQuery)),
        "{e:?}"
    );
}

#[test]
fn logs_are_told_apart_by_their_keys() {
    let e = refused(|r| r.log.key = "log.example/galen+00000000+AAAA".into());
    assert!(
        matches!(&e, PooledError::AnotherLog { other, .. } if other.ends_with("AAAA")),
        "{e:?}"
    );
}

#[test]
fn an_entry_has_one_place_and_a_place_one_entry() {
    let leaf = HONEST.entry(3).envelope.len().to_string();
    let what = forked(|r| r.entries[3].leaf = leaf);
    assert_eq!(what, "two entries 3");
    let what = forked(|r| r.query_index += 1);
    assert!(what.ends_with("is entry 8 and entry 9"), "{what}");
}

/// Two trees, both of them signed, with valid proofs of inclusion: each file holds by itself.
#[test]
fn a_log_with_two_trees_is_found_out() {
    let mut other = story();
    other.last_mut().unwrap().statement = query("SELECT count(*) FROM t WHERE n >= 7");
    let other = Log::new(&other).evidence(&NEEDED, &blobs());
    let sites = [honest(), other].map(|e| verify(&e.to_json()).unwrap());
    let e = PooledReport::new(sites.into()).unwrap_err();
    assert!(
        matches!(&e, PooledError::Forked { what, .. } if what == "two trees of 13 entries"),
        "{e:?}"
    );
}

#[test]
fn trees_of_two_sizes_are_said_not_to_be_compared() {
    let unsaid = |sites| PooledReport::new(sites).unwrap().unchecked();
    let [first, second] = two();
    assert_eq!(unsaid(vec![first.clone(), second]).len(), 2);
    let shorter = Log::new(&story()[..12]).evidence(&NEEDED, &blobs());
    let mut second = verify(&shorter.to_json()).unwrap();
    second.answer.source.hospital = "St. Other".into();
    let unsaid = unsaid(vec![first, second]);
    assert!(unsaid[2].contains("different sizes"), "{unsaid:?}");
}
