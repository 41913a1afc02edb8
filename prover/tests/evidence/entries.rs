//! The log's keeper took in what it should not have, or the gatherer chose what to show. The proofs of
//! inclusion hold.

use galen_ledger::{
    LedgerError, RuleError,
    evidence::{Evidence, EvidenceError, ProvenEntry},
    statement::{Role, Statement},
    tiles::{MAX_ENTRY_BYTES, leaf_hash},
};

use crate::{
    hospital::{HOSPITAL, NEXT, OTHER_HOSPITAL, OTHER_SQL},
    log::{LOG, Log, log_key},
    story::{
        HONEST, NEEDED, RESEARCHER, STEWARDS, at, blobs, consortium, dataset, member, query,
        refused, refused_story, revocation, said, story, verify,
    },
};

/// The honest entries without one.
fn without(index: usize) -> EvidenceError {
    let rest: Vec<u64> = NEEDED.into_iter().filter(|i| *i != index as u64).collect();
    refused(&HONEST, &rest, &blobs())
}

/// The honest entries with one more.
fn with(index: usize) -> EvidenceError {
    let mut all = NEEDED.to_vec();
    all.push(index as u64);
    refused(&HONEST, &all, &blobs())
}

/// The rule that the story breaks where something is said between the query and the answer.
fn rule_broken_by(statement: Statement, signers: &[u8]) -> (u64, RuleError) {
    let mut story = story();
    story[at::REFUSAL] = said(statement, signers);
    let mut all = NEEDED.to_vec();
    all.push(at::REFUSAL as u64);
    rule(refused(&Log::new(&story), &all, &blobs()))
}

fn rule(e: EvidenceError) -> (u64, RuleError) {
    match e {
        EvidenceError::Rule { index, source, .. } => (index, source),
        other => panic!("{other:?}"),
    }
}

fn entry(e: EvidenceError) -> (u64, String) {
    match e {
        EvidenceError::Entry { index, source } => (index, source.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_consortium_is_dropped() {
    let (index, why) = entry(without(at::CONSORTIUM));
    assert_eq!(index, at::RESEARCHER as u64);
    assert!(why.contains("is not known"), "{why}");
}

#[test]
fn the_second_consortium_is_dropped() {
    // Its new steward admitted the hospital.
    let (index, why) = entry(without(at::SECOND_CONSORTIUM));
    assert_eq!(index, at::HOSPITAL as u64);
    assert!(why.contains("is not known"), "{why}");
}

#[test]
fn the_consortium_governs_another_log() {
    let e = refused_story(|story| {
        for said in story {
            if let Statement::Consortium(s) = &mut said.statement {
                s.log = log_key(LOG + 1).verifier().encoded();
            }
        }
    });
    let (index, why) = entry(e);
    assert_eq!(index, at::CONSORTIUM as u64);
    assert!(why.contains("is for the log"), "{why}");
}

#[test]
fn a_consortium_is_skipped() {
    let [a, b, _, d] = STEWARDS;
    let third = consortium(3, &[a, b, d]);
    let e = refused_story(|s| s[at::SECOND_CONSORTIUM] = said(third, &[a, b, d]));
    let (index, e) = rule(e);
    assert_eq!(index, at::SECOND_CONSORTIUM as u64);
    assert!(
        matches!(
            e,
            RuleError::Version {
                expected: 2,
                got: 3
            }
        ),
        "{e:?}"
    );
}

#[test]
fn what_an_entry_rests_on_is_dropped() {
    for (dropped, by, kind) in [
        (at::RESEARCHER, at::QUERY, "member"),
        (at::HOSPITAL, at::ANSWER, "member"),
        (at::REGISTRY, at::DATASET, "registry"),
        (at::PARAMETER_SET, at::DATASET, "parameter-set"),
        (at::DATASET, at::ANSWER, "dataset"),
        (at::QUERY, at::ANSWER, "query"),
    ] {
        match without(dropped) {
            EvidenceError::Missing {
                by: got, kind: k, ..
            } => assert_eq!((got, k), (by as u64, kind)),
            other => panic!("{dropped}: {other:?}"),
        }
    }
}

#[test]
fn the_answer_is_dropped() {
    let e = without(at::ANSWER);
    assert!(matches!(e, EvidenceError::Answers { got: 0 }), "{e:?}");
}

#[test]
fn two_answers() {
    let mut story = story();
    story[at::LATER_QUERY] = story[at::ANSWER].clone();
    let mut all = NEEDED.to_vec();
    all.push(at::LATER_QUERY as u64);
    let e = refused(&Log::new(&story), &all, &blobs());
    assert!(matches!(e, EvidenceError::Answers { got: 2 }), "{e:?}");
}

#[test]
fn entries_that_play_no_part() {
    for (index, kind) in [
        (at::OTHER_HOSPITAL, "member"),
        (at::REFUSAL, "refusal"),
        (at::LATER_QUERY, "query"),
    ] {
        match with(index) {
            EvidenceError::NoPart { index: i, kind: k } => {
                assert_eq!((i, k), (index as u64, kind));
            }
            other => panic!("{other:?}"),
        }
    }
    // A revocation of another's key needs that key's entry to stand at all.
    let mut all = NEEDED.to_vec();
    all.extend([at::OTHER_HOSPITAL as u64, at::REVOCATION as u64]);
    let e = refused(&HONEST, &all, &blobs());
    assert!(matches!(e, EvidenceError::NoPart { index: 4, .. }), "{e:?}");
}

#[test]
fn a_consortium_after_the_answer_plays_no_part() {
    let [a, b, c, d] = STEWARDS;
    let mut story = story();
    story[at::LATER_QUERY] = said(consortium(3, &[a, b, c]), &[a, b, c, d]);
    let mut all = NEEDED.to_vec();
    all.push(at::LATER_QUERY as u64);
    let e = refused(&Log::new(&story), &all, &blobs());
    assert!(
        matches!(
            e,
            EvidenceError::NoPart {
                index: 12,
                kind: "consortium"
            }
        ),
        "{e:?}"
    );
}

#[test]
fn the_hospitals_key_was_revoked_before() {
    let [a, b, ..] = STEWARDS;
    let (index, e) = rule_broken_by(revocation(HOSPITAL), &[a, b]);
    assert_eq!(index, at::ANSWER as u64);
    assert!(matches!(e, RuleError::Revoked { index: 10, .. }), "{e:?}");
}

#[test]
fn the_epoch_was_replaced_before() {
    let next = Statement::Dataset(dataset(&NEXT));
    let (index, e) = rule_broken_by(next, &[HOSPITAL]);
    assert_eq!(index, at::ANSWER as u64);
    assert!(
        matches!(
            e,
            RuleError::NotCurrent {
                epoch: 1,
                current: 2,
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn the_query_is_registered_after_the_answer() {
    let mut story = story();
    story.swap(at::QUERY, at::LATER_QUERY);
    let all = [0, 1, 2, 3, 5, 6, 7, 11, 12];
    let (index, e) = rule(refused(&Log::new(&story), &all, &blobs()));
    assert_eq!(index, at::ANSWER as u64);
    assert!(
        matches!(e, RuleError::Unknown { what: "query", .. }),
        "{e:?}"
    );
}

#[test]
fn the_dataset_is_registered_after_the_answer() {
    let mut story = story();
    story.swap(at::DATASET, at::LATER_QUERY);
    let all = [0, 1, 2, 3, 5, 6, 8, 11, 12];
    let (index, e) = rule(refused(&Log::new(&story), &all, &blobs()));
    assert_eq!(index, at::ANSWER as u64);
    assert!(
        matches!(
            e,
            RuleError::Unknown {
                what: "dataset",
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn a_signature_is_forged() {
    let mut envelopes = HONEST.envelopes.clone();
    let text = String::from_utf8(envelopes[at::QUERY].clone()).unwrap();
    let at_sig = text.find("\"sig\":\"").unwrap() + 10;
    let flipped = if &text[at_sig..=at_sig] == "A" {
        "B"
    } else {
        "A"
    };
    envelopes[at::QUERY] = format!("{}{flipped}{}", &text[..at_sig], &text[at_sig + 1..]).into();
    let (index, why) = entry(refused(&Log::of(envelopes), &NEEDED, &blobs()));
    assert_eq!(index, at::QUERY as u64);
    assert!(why.contains("is invalid"), "{why}");
}

#[test]
fn an_entry_is_no_statement() {
    let mut envelopes = HONEST.envelopes.clone();
    envelopes[at::REGISTRY] = b"registry".to_vec();
    let (index, _) = entry(refused(&Log::of(envelopes), &NEEDED, &blobs()));
    assert_eq!(index, at::REGISTRY as u64);
}

#[test]
fn an_entry_is_longer_than_any() {
    let long = vec![b' '; MAX_ENTRY_BYTES + 1];
    let key = log_key(LOG);
    let checkpoint = key.sign(1, &leaf_hash(&long)).unwrap();
    let entry = ProvenEntry {
        index: 0,
        envelope: long,
        proof: Vec::new(),
    };
    let evidence = Evidence::new(key.verifier(), checkpoint, vec![entry], &[]).unwrap();
    match verify(&evidence.to_json()).unwrap_err() {
        EvidenceError::Entry {
            index: 0,
            source: LedgerError::EntryTooLarge { bytes },
        } => assert_eq!(bytes, MAX_ENTRY_BYTES + 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_signs_the_answer() {
    let e = refused_story(|s| s[at::ANSWER].signers = vec![RESEARCHER]);
    let (_, e) = rule(e);
    assert!(
        matches!(
            e,
            RuleError::Role {
                needed: "hospital",
                ..
            }
        ),
        "{e:?}"
    );

    let mut story = story();
    story[at::ANSWER].signers = vec![OTHER_HOSPITAL];
    let all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 11];
    let (_, e) = rule(refused(&Log::new(&story), &all, &blobs()));
    assert!(matches!(e, RuleError::AnotherHospital { .. }), "{e:?}");
}

#[test]
fn two_members_sign_the_answer() {
    let e = refused_story(|s| s[at::ANSWER].signers = vec![HOSPITAL, RESEARCHER]);
    let (index, e) = rule(e);
    assert_eq!(index, at::ANSWER as u64);
    assert!(matches!(e, RuleError::OneSigner), "{e:?}");
}

#[test]
fn a_hospital_registers_a_query() {
    let e = refused_story(|s| s[at::QUERY].signers = vec![HOSPITAL]);
    let (index, e) = rule(e);
    assert_eq!(index, at::QUERY as u64);
    assert!(
        matches!(
            e,
            RuleError::Role {
                needed: "researcher",
                ..
            }
        ),
        "{e:?}"
    );
}

#[test]
fn too_few_stewards_sign() {
    let e = refused_story(|s| s[at::PARAMETER_SET].signers.truncate(1));
    let (index, e) = rule(e);
    assert_eq!(index, at::PARAMETER_SET as u64);
    assert!(
        matches!(e, RuleError::Threshold { needed: 2, got: 1 }),
        "{e:?}"
    );
}

#[test]
fn a_steward_who_was_replaced_signs() {
    let [a, _, c, _] = STEWARDS;
    let e = refused_story(|s| s[at::HOSPITAL].signers = vec![a, c]);
    let (index, why) = entry(e);
    assert_eq!(index, at::HOSPITAL as u64);
    assert!(why.contains("is not known"), "{why}");
}

#[test]
fn members_admit_one_another() {
    let e = refused_story(|s| {
        s[at::HOSPITAL] = said(member("St. Test", Role::Hospital, HOSPITAL), &[RESEARCHER]);
    });
    let (index, e) = rule(e);
    assert_eq!(index, at::HOSPITAL as u64);
    assert!(matches!(e, RuleError::NotASteward { .. }), "{e:?}");
}

#[test]
fn the_answer_is_to_another_query() {
    // The query that is shown is not the one that the answer names.
    let e = refused_story(|s| s[at::QUERY] = said(query(OTHER_SQL), &[RESEARCHER]));
    assert!(
        matches!(
            e,
            EvidenceError::Missing {
                by: 11,
                kind: "query",
                ..
            }
        ),
        "{e:?}"
    );
}
