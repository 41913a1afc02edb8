//! Honest evidence, and how it is gathered.

use galen_ledger::{
    entry::Envelope,
    evidence::{Evidence, needs},
    statement::Role,
};
use galen_verifier::answer::Cell;

use crate::{
    hospital::{HOSPITAL, KEYS, OTHER_SQL, SQL},
    log::{LOG, Log, Said, log_key},
    story::{
        HONEST, NEEDED, RESEARCHER, STEWARDS, at, blob, blobs, honest, member, query, revocation,
        story, verify,
    },
};

#[test]
fn honest_evidence_shows_the_answer() {
    let report = verify(&honest().to_json()).unwrap();
    // Every third row is true, nine of ten consent, and n = i up to 499.
    let counted = (0..500)
        .filter(|i| i % 10 != 0 && i % 3 == 0 && *i >= 100)
        .count();
    assert_eq!(report.answer.rows, [[Cell::Integer(counted.into())]]);
    assert_eq!(report.question.sql, SQL);
    assert_eq!(report.researcher, "Dr. Ask");
    assert_eq!((report.query_index, report.answer_index), (8, 11));
    assert_eq!(report.parameter_set.id, *KEYS.verifying().id());
    assert!(report.parameter_set.insecure && report.log.compared);
    assert_eq!((report.log.size, report.consortium.version), (13, 2));
    assert_eq!(report.log.key, log_key(LOG).verifier().encoded());
    let indices: Vec<u64> = report.entries.iter().map(|e| e.index).collect();
    assert_eq!(indices, NEEDED);
    let kinds: Vec<&str> = report.entries.iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds[4..],
        ["consortium", "member", "dataset", "query", "answer"]
    );
    let json = report.to_json();
    assert_eq!(json["log"]["key_compared"], true);
    assert_eq!(json["answer"]["rows"][0][0]["value"], counted);
}

#[test]
fn without_a_trusted_key_the_report_says_so() {
    let report = honest().verify(None).unwrap();
    assert!(!report.log.compared);
    let first = &report.unchecked()[0];
    assert!(first.contains("compared with nothing") && first.contains(&report.log.key));
    let compared = verify(&honest().to_json()).unwrap();
    assert_eq!(compared.unchecked().len() + 1, report.unchecked().len());
}

#[test]
fn the_file_is_read_as_it_is_written() {
    let evidence = honest();
    assert_eq!(Evidence::from_json(&evidence.to_json()).unwrap(), evidence);
}

#[test]
fn a_gatherer_finds_the_entries_and_files() {
    let gathering = HONEST.gather(at::ANSWER as u64);
    let found: Vec<u64> = gathering.entries().keys().copied().collect();
    assert_eq!(found, NEEDED);
    let mut named: Vec<String> = gathering
        .blobs()
        .iter()
        .map(|(_, b)| b.sha256.clone())
        .collect();
    let mut expected: Vec<String> = blobs().iter().map(|b| blob(b).sha256).collect();
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
}

#[test]
fn an_entry_taken_in_twice_changes_nothing() {
    let mut gathering = HONEST.gather(at::ANSWER as u64);
    let answer = Envelope::parse(&HONEST.envelopes[at::ANSWER]).unwrap();
    gathering.add(at::ANSWER as u64, &answer).unwrap();
    assert_eq!(gathering.wanted(), None);
    assert_eq!(gathering.entries().len(), NEEDED.len());
    assert_eq!(gathering.blobs().len(), blobs().len());
}

#[test]
fn needs_are_those_of_the_statement_and_its_signer() {
    let kinds = |index: usize| -> Vec<&str> {
        let envelope = Envelope::parse(&HONEST.envelopes[index]).unwrap();
        needs(&envelope).unwrap().iter().map(|n| n.kind).collect()
    };
    assert_eq!(kinds(at::CONSORTIUM), [""; 0]);
    assert_eq!(kinds(at::HOSPITAL), [""; 0]);
    assert_eq!(kinds(at::QUERY), ["member", "registry"]);
    assert_eq!(kinds(at::DATASET), ["member", "registry", "parameter-set"]);
    assert_eq!(kinds(at::ANSWER), ["member", "query", "dataset"]);
    assert_eq!(kinds(at::REFUSAL), ["member", "query", "dataset"]);
}

#[test]
fn a_hospital_may_change_its_key_between_dataset_and_answer() {
    let (second, [a, b, ..]) = (3, STEWARDS);
    let mut story = story();
    story[at::OTHER_HOSPITAL] = Said {
        statement: member("St. Test", Role::Hospital, second),
        signers: vec![a, b],
    };
    story[at::REVOCATION] = Said {
        statement: revocation(HOSPITAL),
        signers: vec![a, b],
    };
    story[at::REFUSAL] = Said {
        statement: query(OTHER_SQL),
        signers: vec![RESEARCHER],
    };
    story[at::ANSWER].signers = vec![second];
    story.truncate(at::ANSWER + 1);
    let log = Log::new(&story);
    let gathering = log.gather(at::ANSWER as u64);
    let found: Vec<u64> = gathering.entries().keys().copied().collect();
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 7, 8, 11]);
    verify(&log.evidence(&found, &blobs()).to_json()).unwrap();
}
