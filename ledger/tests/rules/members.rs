//! What members say: datasets, queries, answers, refusals.

use galen_ledger::{
    RuleError,
    statement::{AnnouncementStatement, AnswerStatement, DisclosureStatement, Role, Statement},
};
use galen_query::text::hex;

use crate::{
    HOSPITAL, Ledger, OTHER_HOSPITAL, RESEARCHER, STRANGER, answer, blob, dataset, digest, member,
    question, refusal,
};

#[test]
fn a_dataset_is_its_hospitals_and_its_epochs_grow() {
    let mut ledger = Ledger::begun();
    let of = |epoch| Statement::Dataset(dataset("Charité", epoch, "registry"));
    assert_eq!(ledger.refusal_of(&of(2), &[STRANGER]), "unknown-key");
    assert_eq!(ledger.refusal_of(&of(2), &[RESEARCHER]), "wrong-role");
    assert_eq!(
        ledger.refusal_of(&of(2), &[OTHER_HOSPITAL]),
        "another-hospital"
    );
    assert_eq!(
        ledger.refusal_of(&of(2), &[HOSPITAL, OTHER_HOSPITAL]),
        "one-signer"
    );
    assert_eq!(ledger.refusal_of(&of(1), &[HOSPITAL]), "already-registered");
    let unregistered = Statement::Dataset(dataset("Charité", 2, "unknown"));
    assert_eq!(
        ledger.refusal_of(&unregistered, &[HOSPITAL]),
        "not-registered"
    );
    let mut set = dataset("Charité", 2, "registry");
    set.parameter_set = digest("unknown");
    assert_eq!(
        ledger.refusal_of(&Statement::Dataset(set), &[HOSPITAL]),
        "not-registered"
    );
    ledger.add(&of(3), &[HOSPITAL]);
    for epoch in [0, 2] {
        let e = ledger.refuses(&of(epoch), &[HOSPITAL]);
        assert!(matches!(e, RuleError::Epoch { current: 3, .. }), "{e}");
    }
    // Another hospital's dataset of the same name has epochs of its own.
    let other = Statement::Dataset(dataset("Inselspital", 1, "registry"));
    ledger.add(&other, &[OTHER_HOSPITAL]);
}

#[test]
fn a_query_is_registered_once() {
    let mut ledger = Ledger::begun();
    let query = Statement::Query(question("registry", 1));
    assert_eq!(ledger.refusal_of(&query, &[HOSPITAL]), "wrong-role");
    assert_eq!(ledger.refusal_of(&query, &[1, 2]), "one-signer");
    let unknown = Statement::Query(question("unknown", 1));
    assert_eq!(ledger.refusal_of(&unknown, &[RESEARCHER]), "not-registered");
    ledger.add(&query, &[RESEARCHER]);
    ledger.add(&member("Ben", Role::Researcher, 21), &[1, 2]);
    assert_eq!(ledger.refusal_of(&query, &[21]), "already-registered");
    ledger.add(&Statement::Query(question("registry", 2)), &[21]);
}

#[test]
fn who_announced_a_query_can_show_it_whoever_registered_it_first() {
    let mut ledger = Ledger::begun();
    let query = question("registry", 1);
    let (announced, disclosed) = AnnouncementStatement::of(&query.query, "Anna", &[7; 32]);
    let announcement = Statement::Announcement(announced.clone());
    let disclosure = |s: &DisclosureStatement| Statement::Disclosure(s.clone());
    assert_eq!(ledger.refusal_of(&announcement, &[HOSPITAL]), "wrong-role");
    assert_eq!(ledger.refusal_of(&announcement, &[1, 2]), "one-signer");
    ledger.add(&member("Ben", Role::Researcher, 21), &[1, 2]);
    assert_eq!(
        ledger.refusal_of(&announcement, &[21]),
        "another-researcher"
    );
    ledger.add(&announcement, &[RESEARCHER]);
    assert_eq!(
        ledger.refusal_of(&announcement, &[RESEARCHER]),
        "already-registered"
    );
    // Another copies the commitment, and registers the query first.
    let copied = AnnouncementStatement {
        researcher: "Ben".into(),
        ..announced
    };
    ledger.add(&Statement::Announcement(copied), &[21]);
    assert_eq!(
        ledger.refusal_of(&disclosure(&disclosed), &[RESEARCHER]),
        "not-registered"
    );
    ledger.add(&Statement::Query(query.clone()), &[21]);
    ledger.add(&Statement::Query(question("registry", 2)), &[21]);
    for (wrong, expected) in [
        (
            DisclosureStatement {
                salt: digest("another salt"),
                ..disclosed.clone()
            },
            "not-announced",
        ),
        (
            DisclosureStatement {
                query: hex(&question("registry", 2).query.digest()),
                ..disclosed.clone()
            },
            "not-announced",
        ),
        (
            DisclosureStatement {
                query: digest("no query"),
                ..disclosed.clone()
            },
            "not-registered",
        ),
    ] {
        let refused = ledger.refusal_of(&disclosure(&wrong), &[RESEARCHER]);
        assert_eq!(refused, expected);
    }
    assert_eq!(
        ledger.refusal_of(&disclosure(&disclosed), &[21]),
        "another-researcher"
    );
    ledger.add(&disclosure(&disclosed), &[RESEARCHER]);
    assert_eq!(
        ledger.refusal_of(&disclosure(&disclosed), &[RESEARCHER]),
        "already-registered"
    );
    // A later announcement of the same query keeps nobody from disclosing the earlier one, and the other way round.
    let (later, of_later) = AnnouncementStatement::of(&query.query, "Anna", &[8; 32]);
    ledger.add(&Statement::Announcement(later), &[RESEARCHER]);
    ledger.add(&disclosure(&of_later), &[RESEARCHER]);
    // The salt is known now, and Ben's own commitment stands before the query; it is not Ben's to disclose.
    let stolen = DisclosureStatement {
        researcher: "Ben".into(),
        ..disclosed
    };
    assert_eq!(
        ledger.refusal_of(&disclosure(&stolen), &[21]),
        "not-announced"
    );
}

#[test]
fn an_answer_is_over_the_current_epoch_and_stays() {
    let mut ledger = Ledger::begun();
    let (first, query) = (dataset("Charité", 1, "registry"), question("registry", 1));
    let stated = |s: &AnswerStatement| Statement::Answer(s.clone());
    let good = answer(&query, &first);
    assert_eq!(
        ledger.refusal_of(&stated(&good), &[HOSPITAL]),
        "not-registered"
    );
    ledger.add(&Statement::Query(query.clone()), &[RESEARCHER]);
    assert_eq!(
        ledger.refusal_of(&stated(&good), &[RESEARCHER]),
        "wrong-role"
    );
    assert_eq!(
        ledger.refusal_of(&stated(&good), &[OTHER_HOSPITAL]),
        "another-hospital"
    );
    let unknown = AnswerStatement {
        manifest: digest("unknown"),
        ..good.clone()
    };
    assert_eq!(
        ledger.refusal_of(&stated(&unknown), &[HOSPITAL]),
        "not-registered"
    );
    let renamed = AnswerStatement {
        dataset: "other".into(),
        ..good.clone()
    };
    assert_eq!(
        ledger.refusal_of(&stated(&renamed), &[HOSPITAL]),
        "another-dataset"
    );
    let shifted = AnswerStatement {
        epoch: 2,
        ..good.clone()
    };
    assert_eq!(
        ledger.refusal_of(&stated(&shifted), &[HOSPITAL]),
        "another-dataset"
    );
    // Of another registry.
    let neuro = question("other registry", 1);
    ledger.add(&Statement::Query(neuro.clone()), &[RESEARCHER]);
    let crossed = stated(&answer(&neuro, &first));
    assert_eq!(ledger.refusal_of(&crossed, &[HOSPITAL]), "another-registry");
    // One answer, after a refusal if need be, and nothing after it.
    ledger.add(&refusal(&query, &first), &[HOSPITAL]);
    assert_eq!(
        ledger.refusal_of(&refusal(&query, &first), &[HOSPITAL]),
        "already-registered"
    );
    let answered = ledger.add(&stated(&good), &[HOSPITAL]);
    let second = AnswerStatement {
        bundle: blob("another"),
        ..good
    };
    let e = ledger.refuses(&stated(&second), &[HOSPITAL]);
    assert!(
        matches!(e, RuleError::SecondAnswer { index } if index == answered),
        "{e}"
    );
    let other = question("registry", 2);
    ledger.add(&Statement::Query(other.clone()), &[RESEARCHER]);
    ledger.add(&stated(&answer(&other, &first)), &[HOSPITAL]);
    assert_eq!(
        ledger.refusal_of(&refusal(&other, &first), &[HOSPITAL]),
        "second-answer"
    );
    // A later epoch is answered anew, the earlier one no longer.
    let next = dataset("Charité", 2, "registry");
    ledger.add(&Statement::Dataset(next.clone()), &[HOSPITAL]);
    let third = question("registry", 3);
    ledger.add(&Statement::Query(third.clone()), &[RESEARCHER]);
    for late in [stated(&answer(&third, &first)), refusal(&third, &first)] {
        let e = ledger.refuses(&late, &[HOSPITAL]);
        assert!(matches!(e, RuleError::NotCurrent { current: 2, .. }), "{e}");
    }
    ledger.add(&stated(&answer(&query, &next)), &[HOSPITAL]);
}
