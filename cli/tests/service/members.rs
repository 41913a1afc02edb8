//! Who may say what.

use galen_ledger::{
    entry::Entry,
    statement::{Consortium, Member, QueryStatement, Revocation, Role, Statement},
};

use crate::{
    hospital::{FIRST, question},
    world::{World, key, log_key, public, researcher, steward},
};

fn member(seed: u8) -> Statement {
    Statement::Member(Member {
        name: format!("member {seed}"),
        role: Role::Researcher,
        key: public(&key(seed)),
    })
}

fn query(text: &str) -> Statement {
    Statement::Query(QueryStatement {
        query: question(text),
    })
}

#[test]
fn only_stewards_admit_and_revoke() {
    let world = World::begun();
    let refused = world.submit("members", &member(7), &researcher());
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "not-a-steward")
    );
    world.recorded("members", &member(7), &steward());
    world.recorded("queries", &query("SELECT count(*) FROM t"), &key(7));
    let revocation = Statement::Revocation(Revocation {
        key: public(&key(7)),
        reason: "left".into(),
    });
    assert_eq!(
        world.submit("revocations", &revocation, &key(7)).problem(),
        "not-a-steward"
    );
    world.recorded("revocations", &revocation, &steward());
    let refused = world.submit("queries", &query("SELECT sum(n) FROM t"), &key(7));
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "revoked-key")
    );
    let refused = world.submit("members", &member(7), &steward());
    assert_eq!(refused.status, 200, "the same bytes as before");
    world.stop_clean();
}

#[test]
fn roles_are_kept() {
    let world = World::begun();
    let refused = world.submit("queries", &query("SELECT count(*) FROM t"), &FIRST.key);
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "wrong-role")
    );
    let refused = world.submit("datasets", &query("SELECT count(*) FROM t"), &researcher());
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "another-kind")
    );
}

#[test]
fn a_new_consortium_is_signed_by_the_old_and_the_new_one() {
    let world = World::begun();
    let next = Statement::Consortium(Consortium {
        log: log_key().verifier().encoded(),
        version: 2,
        name: "Test".into(),
        threshold: 2,
        stewards: vec![public(&key(50)), public(&key(51))],
    });
    let send = |keys: &[u8], old: bool| {
        let keys: Vec<_> = keys.iter().map(|k| key(*k)).collect();
        let steward = steward();
        let all: Vec<_> = keys.iter().chain(old.then_some(&steward)).collect();
        let entry = Entry::state(&next, &all).unwrap();
        world.post("/v1/consortia", "application/json", entry.bytes())
    };
    assert_eq!(send(&[50, 51], false).problem(), "too-few-signatures");
    assert_eq!(send(&[50], true).problem(), "too-few-signatures");
    assert_eq!(send(&[50, 51], true).status, 201);
    assert_eq!(
        world.submit("members", &member(8), &steward()).problem(),
        "unknown-key"
    );
    world.stop_clean();
}

#[test]
fn nobody_begins_a_ledger_over_http() {
    let world = World::new();
    let first = Statement::Consortium(Consortium {
        log: log_key().verifier().encoded(),
        version: 1,
        name: "Coup".into(),
        threshold: 1,
        stewards: vec![public(&key(66))],
    });
    let refused = world.submit("consortia", &first, &key(66));
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "first-consortium")
    );
}
