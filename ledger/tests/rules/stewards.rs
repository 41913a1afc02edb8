//! What stewards say: who they are, members, registries, parameter sets.

use galen_ledger::{
    Proposal, RuleError,
    entry::Entry,
    statement::{Role, Statement},
};

use crate::{
    HOSPITAL, Ledger, RESEARCHER, STEWARDS, STRANGER, consortium, key, log, member, parameter_set,
    public, question, registry, revocation,
};

#[test]
fn a_consortium_is_replaced_by_thresholds_of_the_old_and_the_new() {
    let mut ledger = Ledger::default();
    let first = consortium(1, 2, &STEWARDS);
    assert_eq!(
        ledger.refusal_of(&consortium(2, 2, &STEWARDS), &[1, 2]),
        "consortium-version"
    );
    assert_eq!(ledger.refusal_of(&first, &[1]), "too-few-signatures");
    assert_eq!(
        ledger.refusal_of(&first, &[1, 2, STRANGER]),
        "not-a-steward"
    );
    for bad in [
        consortium(1, 0, &STEWARDS),
        consortium(1, 4, &STEWARDS),
        consortium(1, 1, &[1, 2, 1]),
    ] {
        assert_eq!(ledger.refusal_of(&bad, &[1, 2]), "consortium-stewards");
    }
    ledger.add(&first, &[1, 2]);
    // Nobody but stewards, and they in number, may speak.
    for (signers, code) in [
        (&[4, 5][..], "too-few-signatures"),
        (&[1, 4, 5], "too-few-signatures"),
        (&[1, 2, 4], "too-few-signatures"),
        (&[1, 2, 4, 5, STRANGER], "not-a-steward"),
    ] {
        assert_eq!(ledger.refusal_of(&consortium(2, 2, &[4, 5]), signers), code);
    }
    assert_eq!(
        ledger.refusal_of(&consortium(1, 2, &[4, 5]), &[1, 2, 4, 5]),
        "consortium-version"
    );
    let Statement::Consortium(mut elsewhere) = consortium(2, 2, &[4, 5]) else {
        unreachable!()
    };
    elsewhere.log = log("log.example/other");
    let elsewhere = Statement::Consortium(elsewhere);
    assert_eq!(ledger.refusal_of(&elsewhere, &[1, 2, 4, 5]), "another-log");
    ledger.add(&consortium(2, 2, &[4, 5]), &[1, 2, 4, 5]);
    // The old ones are no longer heard.
    let anna = member("Anna", Role::Researcher, RESEARCHER);
    assert_eq!(ledger.refusal_of(&anna, &[1, 2]), "not-a-steward");
    ledger.add(&anna, &[4, 5]);
}

#[test]
fn a_first_consortium_needs_points_of_the_curve() {
    // Small order: any signature verifies.
    let weak = format!("01{}", "00".repeat(31));
    let no_point = "02".repeat(32);
    // The point of y = 18, with y written as 18 + p: a second id for one key.
    let another_encoding = "ff".repeat(32);
    for bad in [weak, no_point, another_encoding] {
        let Statement::Consortium(mut s) = consortium(1, 1, &STEWARDS) else {
            unreachable!()
        };
        s.stewards[2].clone_from(&bad);
        let e = Ledger::default().refuses(&Statement::Consortium(s), &[1]);
        assert!(matches!(e, RuleError::Stewards), "{bad}");
        let Statement::Member(mut s) = member("Anna", Role::Researcher, 20) else {
            unreachable!()
        };
        s.key.clone_from(&bad);
        let e = Ledger::begun().refuses(&Statement::Member(s), &[1, 2]);
        assert!(matches!(e, RuleError::NotAKey { key } if key == bad));
    }
}

#[test]
fn members_come_and_their_keys_go() {
    let anna = member("Anna", Role::Researcher, RESEARCHER);
    assert_eq!(
        Ledger::default().refusal_of(&anna, &[1, 2]),
        "no-consortium"
    );
    let mut ledger = Ledger::begun();
    let ben = member("Ben", Role::Researcher, 21);
    assert_eq!(ledger.refusal_of(&ben, &[1]), "too-few-signatures");
    assert_eq!(ledger.refusal_of(&ben, &[1, 2, HOSPITAL]), "not-a-steward");
    assert_eq!(ledger.refusal_of(&anna, &[1, 2]), "already-registered");
    let stolen = member("Ben", Role::Hospital, RESEARCHER);
    assert_eq!(ledger.refusal_of(&stolen, &[1, 2]), "already-registered");
    let as_hospital = member("Anna", Role::Hospital, 21);
    let e = ledger.refuses(&as_hospital, &[1, 2]);
    assert!(matches!(e, RuleError::Exists { index: 3, .. }), "{e}");
    // A second key, and the end of the first.
    let revoke = revocation(&public(RESEARCHER));
    assert_eq!(
        ledger.refusal_of(&revocation(&public(STRANGER)), &[1, 2]),
        "unknown-key"
    );
    assert_eq!(ledger.refusal_of(&revoke, &[RESEARCHER]), "not-a-steward");
    let query = Statement::Query(question("registry", 1));
    ledger.add(&member("Anna", Role::Researcher, 21), &[1, 2]);
    let revoked = ledger.add(&revoke, &[1, 2]);
    assert_eq!(ledger.refusal_of(&revoke, &[1, 2]), "already-registered");
    let e = ledger.refuses(&query, &[RESEARCHER]);
    assert!(
        matches!(e, RuleError::Revoked { index, .. } if index == revoked),
        "{e}"
    );
    // A revoked key does not come back.
    assert_eq!(ledger.refusal_of(&anna, &[1, 2]), "already-registered");
    ledger.add(&query, &[21]);
}

#[test]
fn registries_and_parameter_sets_are_published_once() {
    let ledger = Ledger::begun();
    for (again, code) in [
        (registry("other v1", "registry"), "already-registered"),
        (registry("cardio v1", "another text"), "already-registered"),
        (parameter_set("set"), "already-registered"),
    ] {
        assert_eq!(ledger.refusal_of(&again, &[1, 2]), code);
    }
    let new = registry("cardio v2", "registry 2");
    assert_eq!(ledger.refusal_of(&new, &[HOSPITAL]), "not-a-steward");
    assert_eq!(
        ledger.refusal_of(&parameter_set("new"), &[3]),
        "too-few-signatures"
    );
    ledger.clone().add(&new, &[1, 2]);
}

#[test]
fn two_names_that_look_alike_are_one() {
    let read = |name: &str| {
        let statement = member(name, Role::Hospital, HOSPITAL);
        let entry = Entry::sign(&statement.payload_type(), &statement.payload(), &[&key(1)]);
        entry.and_then(Proposal::new)
    };
    for name in ["Caf\u{e9}", "St. Test", "\u{5c71} \u{5ddd}"] {
        assert!(read(name).is_ok(), "{name}");
    }
    for (name, why) in [
        ("Cafe\u{301}", "form KC: Caf\u{e9}"),
        ("\u{ff32}", "form KC: R"),
        ("St.  Test", "one space apart"),
        ("\u{301}St. Test", "no accent"),
        ("\u{2800}St. Test", "not seen"),
        ("St.\u{a0}Test", "form KC"),
        ("St.\u{3000}Test", "form KC"),
        ("\u{212b}ngstr\u{f6}m", "form KC"),
        ("St.\u{1680}Test", "one space apart"),
        ("St. Test ", "ends with a space"),
        ("St.\u{200b} Test", "not seen"),
        ("", "empty"),
    ] {
        let e = read(name).unwrap_err().to_string();
        assert!(e.contains(why), "{name:?}: {e}");
    }
}
