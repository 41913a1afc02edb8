//! Evidence of several sites: added up, or refused where the files contradict each other.

use galen_ledger::{
    RuleError,
    evidence::{Evidence, EvidenceError, PooledError, PooledReport, Report},
    statement::Role,
};
use galen_verifier::answer::{Cell, PoolError};

use crate::{
    hospital::{HOSPITAL, OTHER_SQL, question},
    log::Log,
    story::{
        NEEDED, RESEARCHER, STEWARDS, at, blobs, consortium, honest, member, query, said, story,
        verify,
    },
};

/// Two sites' verified evidence: the second is told from the first by its hospital and its key alone.
fn two() -> [Report; 2] {
    let first = verify(&honest().to_json()).unwrap();
    let mut second = first.clone();
    second.answer.source.hospital = "St. Other".into();
    second.answer.source.hospital_key = [1; 32];
    [first, second]
}

fn refused(change: impl FnOnce(&mut Report)) -> PooledError {
    let [first, mut second] = two();
    change(&mut second);
    PooledReport::new(vec![first, second]).unwrap_err()
}

/// Files that hold, each by itself.
fn together(files: [Evidence; 2]) -> Result<PooledReport, PooledError> {
    let reports = files.map(|e| verify(&e.to_json()).unwrap());
    PooledReport::new(reports.into())
}

fn forked(files: [Evidence; 2]) -> ((usize, usize), (u64, u64)) {
    match together(files) {
        Err(PooledError::Forked { sites, span, .. }) => (sites, span),
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
fn rounding_at_a_site_is_told() {
    let [first, mut second] = two();
    let report = PooledReport::new(vec![first.clone(), second.clone()]).unwrap();
    assert_eq!(report.pooled.count_error, 0);
    assert!(!report.reading().contains("off by"));
    second.answer.source.profile.rounding = 5;
    let report = PooledReport::new(vec![first, second]).unwrap();
    assert_eq!(report.pooled.count_error, 2);
    let said = report.reading();
    assert!(said.contains("off by up to 2"), "{said}");
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
    let e = together([honest(), honest()]).unwrap_err();
    assert_eq!(e.sites(), Some((0, 1)));
    assert!(
        matches!(&e, PooledError::Pool(PoolError::SameDataset { hospital, .. }) if hospital == "St. Test"),
        "{e:?}"
    );
}

#[test]
fn other_queries_are_not_added() {
    let e = refused(|r| r.answer.source.query = question(OTHER_SQL).digest());
    assert!(
        matches!(
            e,
            PooledError::Pool(PoolError::AnotherQuery { sites: (0, 1) })
        ),
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
fn two_datasets_of_a_hospital_are_told() {
    let [first, mut second] = two();
    second.answer.source.hospital = first.answer.source.hospital.clone();
    second.answer.source.hospital_key = first.answer.source.hospital_key;
    second.answer.source.dataset = "more".into();
    let report = PooledReport::new(vec![first, second]).unwrap();
    let unsaid = report.unchecked();
    assert!(
        unsaid[2].contains("St. Test") && unsaid[2].contains("main, more"),
        "{unsaid:?}"
    );
}

/// A hospital is its key: it may not count its patients twice under two names.
#[test]
fn one_key_under_two_names_counts_once() {
    let [first, mut second] = two();
    second.answer.source.hospital_key = first.answer.source.hospital_key;
    second.answer.source.dataset = first.answer.source.dataset.clone();
    assert_ne!(second.answer.source.hospital, first.answer.source.hospital);
    let again = vec![first.clone(), second.clone()];
    let e = PooledReport::new(again).unwrap_err();
    assert!(
        matches!(
            &e,
            PooledError::Pool(PoolError::SameDataset { sites: (0, 1), .. })
        ),
        "{e:?}"
    );
    second.answer.source.dataset = "more".into();
    let report = PooledReport::new(vec![first, second]).unwrap();
    let unsaid = report.unchecked();
    assert!(unsaid[2].contains("also called"), "{unsaid:?}");
}

#[test]
fn equal_names_under_two_keys_are_two_hospitals() {
    let [first, mut second] = two();
    second.answer.source.hospital = first.answer.source.hospital.clone();
    second.answer.source.dataset = first.answer.source.dataset.clone();
    second.answer.source.hospital_key = [7; 32];
    let report = PooledReport::new(vec![first, second]).unwrap();
    let names: Vec<_> = report.hospitals().into_iter().map(|h| h.name).collect();
    assert_eq!(names[1], "St. Test (key 07070707…)");
    assert!(names[0].starts_with("St. Test (key "), "{names:?}");
}

/// Two trees, both of them signed, with valid proofs of inclusion.
#[test]
fn a_log_with_two_trees_of_one_size_is_found_out() {
    let mut other = story();
    other[at::LATER_QUERY].statement = query("SELECT count(*) FROM t WHERE n >= 7");
    let other = Log::new(&other).evidence(&NEEDED, &blobs());
    assert_eq!(forked([honest(), other]), ((0, 1), (12, 13)));
}

/// Of what differs the files hold no entry: the hash of a span gives it away.
#[test]
fn trees_of_two_sizes_that_part_before_are_found_out() {
    let mut other = story();
    other[at::REVOCATION] = said(query("SELECT count(*) FROM t WHERE n >= 7"), &[RESEARCHER]);
    other.push(said(
        query("SELECT count(*) FROM t WHERE n >= 8"),
        &[RESEARCHER],
    ));
    let other = Log::new(&other).evidence(&NEEDED, &blobs());
    assert_eq!(forked([honest(), other]), ((0, 1), (9, 10)));
}

fn rules_broken(files: [Evidence; 2]) -> EvidenceError {
    match together(files) {
        Err(PooledError::Rules { source, .. }) => *source,
        other => panic!("{other:?}"),
    }
}

/// A log that admits one key twice, under two versions of its stewards.
fn admitted_twice() -> Log {
    let [a, _, c, _] = STEWARDS;
    let mut story = story();
    story[at::OTHER_HOSPITAL] = said(member("St. Test", Role::Hospital, HOSPITAL), &[a, c]);
    story[at::REVOCATION] = said(query("SELECT count(*) FROM t WHERE n >= 7"), &[RESEARCHER]);
    Log::new(&story)
}

/// One tree, in which each file rests on entries of its own.
#[test]
fn what_two_files_show_stands_by_the_rules_together() {
    let log = admitted_twice();
    let other = [0, 1, 2, 3, 4, 5, 7, 8, 11];
    let files = [NEEDED, other].map(|indices| log.evidence(&indices, &blobs()));
    match rules_broken(files) {
        EvidenceError::Rule {
            index: 6, source, ..
        } => assert!(matches!(source, RuleError::Exists { .. }), "{source:?}"),
        other => panic!("{other:?}"),
    }
}

/// One file shows that the stewards were replaced, the other leaves it out and rests on the old ones.
#[test]
fn a_consortium_that_one_file_shows_is_in_all_of_later_answers() {
    let log = admitted_twice();
    let without = log.evidence(&[0, 1, 2, 3, 4, 7, 8, 11], &blobs());
    let e = together([log.evidence(&NEEDED, &blobs()), without]).unwrap_err();
    assert!(
        matches!(
            e,
            PooledError::LeftOut {
                sites: (0, 1),
                answer: 11,
                index: 5
            }
        ),
        "{e:?}"
    );
}

/// A keeper who begins its log a second time, with stewards of its own.
#[test]
fn a_second_beginning_is_none() {
    let [.., d] = STEWARDS;
    let mut story = story();
    story.insert(0, said(consortium(1, &[d, RESEARCHER]), &[d, RESEARCHER]));
    let later = NEEDED.map(|i| i + 1);
    let evidence = Log::new(&story).evidence(&later, &blobs());
    let e = verify(&evidence.to_json()).unwrap_err();
    assert!(matches!(e, EvidenceError::Beginning { index: 1 }), "{e:?}");
}

#[test]
fn trees_of_two_sizes_are_said_not_to_be_compared() {
    let unsaid = |sites| PooledReport::new(sites).unwrap().unchecked();
    let [first, second] = two();
    assert_eq!(unsaid(vec![first.clone(), second]).len(), 2);
    let shorter = Log::new(&story()[..12]).evidence(&NEEDED, &blobs());
    let mut second = verify(&shorter.to_json()).unwrap();
    second.answer.source.hospital = "St. Other".into();
    second.answer.source.hospital_key = [1; 32];
    let unsaid = unsaid(vec![first, second]);
    assert!(unsaid[2].contains("different sizes"), "{unsaid:?}");
}
