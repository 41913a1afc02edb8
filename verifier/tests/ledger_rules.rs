//! The rules of the ledger: each is broken once, and what keeps them all stands.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use galen_verifier::{
    ledger::{
        Proposal, RuleError,
        entry::{Entry, Envelope},
        facts::{Fact, Facts, Proposed},
        key_facts,
        statement::{
            AnswerStatement, Blob, Consortium, DatasetStatement, Member, ParameterSetStatement,
            QueryStatement, RefusalStatement, RegistryStatement, Revocation, Role, Statement,
        },
        tiles::{LogKey, leaf_hash},
    },
    text::hex,
};
use serde_json::json;
use sha2::{Digest, Sha256};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

const STEWARDS: [u8; 3] = [1, 2, 3];
const HOSPITAL: u8 = 10;
const OTHER_HOSPITAL: u8 = 11;
const RESEARCHER: u8 = 20;
const STRANGER: u8 = 99;

fn public(seed: u8) -> String {
    hex(key(seed).verifying_key().as_bytes())
}

fn digest(of: &str) -> String {
    hex(&Sha256::digest(of))
}

fn blob(of: &str) -> Blob {
    Blob {
        sha256: digest(of),
        bytes: 1,
    }
}

fn sign(statement: &Statement, seeds: &[u8]) -> Proposal {
    let keys: Vec<_> = seeds.iter().map(|s| key(*s)).collect();
    let keys: Vec<_> = keys.iter().collect();
    let entry = Entry::sign(&statement.payload_type(), &statement.payload(), &keys);
    Proposal::new(entry.unwrap()).unwrap()
}

fn log(origin: &str) -> String {
    LogKey::new(origin, key(100)).unwrap().verifier().encoded()
}

fn consortium(version: u32, threshold: u32, stewards: &[u8]) -> Statement {
    Statement::Consortium(Consortium {
        log: log("log.example"),
        version,
        name: "Stewards".into(),
        threshold,
        stewards: stewards.iter().map(|s| public(*s)).collect(),
    })
}

fn member(name: &str, role: Role, seed: u8) -> Statement {
    Statement::Member(Member {
        name: name.into(),
        role,
        key: public(seed),
    })
}

fn revocation(key: &str) -> Statement {
    Statement::Revocation(Revocation {
        key: key.into(),
        reason: "lost".into(),
    })
}

fn registry(name: &str, of: &str) -> Statement {
    Statement::Registry(RegistryStatement {
        registry: name.into(),
        digest: digest(of),
        toml: blob(of),
    })
}

fn parameter_set(of: &str) -> Statement {
    Statement::ParameterSet(ParameterSetStatement {
        shape: "small".into(),
        insecure: true,
        verifying: blob(of),
    })
}

fn dataset(hospital: &str, epoch: u32, registry: &str) -> DatasetStatement {
    DatasetStatement {
        hospital: hospital.into(),
        dataset: "cohort".into(),
        epoch,
        registry: digest(registry),
        parameter_set: digest("set"),
        digest: digest(&format!("{hospital} {epoch} {registry}")),
        manifest: blob("manifest"),
        registration: blob("registration"),
    }
}

fn question(registry: &str, n: u32) -> QueryStatement {
    let question = json!({
        "format": "galen/query/v1", "registry": "any", "registry_digest": digest(registry),
        "purpose": "DUO:0000007", "sql": format!("SELECT {n}"),
    });
    QueryStatement {
        query: serde_json::from_value(question).unwrap(),
    }
}

fn answer(question: &QueryStatement, dataset: &DatasetStatement) -> AnswerStatement {
    AnswerStatement {
        query: hex(&question.query.digest()),
        hospital: dataset.hospital.clone(),
        dataset: dataset.dataset.clone(),
        epoch: dataset.epoch,
        manifest: dataset.digest.clone(),
        bundle: blob("bundle"),
    }
}

fn refusal(question: &QueryStatement, dataset: &DatasetStatement) -> Statement {
    let answer = answer(question, dataset);
    Statement::Refusal(RefusalStatement {
        query: answer.query,
        hospital: answer.hospital,
        dataset: answer.dataset,
        epoch: answer.epoch,
        manifest: answer.manifest,
        reason: "budget".into(),
    })
}

/// A ledger in memory, as its keeper does it: an entry sees the facts that it names and no others.
#[derive(Default, Clone)]
struct Ledger {
    facts: Facts,
    size: u64,
}

impl Ledger {
    fn submit(&mut self, proposal: &Proposal) -> Result<u64, RuleError> {
        let reads = proposal.reads().into_iter();
        let seen = reads.filter_map(|n| Some((n.clone(), self.facts.get(&n)?.clone())));
        let effects = proposal.apply(&seen.collect())?;
        let index = self.size;
        self.size += 1;
        for (name, value) in effects.writes {
            self.facts.insert(name, Fact { index, value });
        }
        assert_eq!(effects.row.kind, proposal.statement().kind());
        assert_eq!(effects.row.digest, proposal.digest());
        Ok(index)
    }

    /// Submits what must stand.
    fn add(&mut self, statement: &Statement, seeds: &[u8]) -> u64 {
        self.submit(&sign(statement, seeds)).unwrap()
    }

    /// The code of the rule that this breaks. Nothing changes.
    fn refuses(&self, statement: &Statement, seeds: &[u8]) -> RuleError {
        let mut copy = self.clone();
        let refused = copy.submit(&sign(statement, seeds)).unwrap_err();
        assert_eq!((copy.facts, copy.size), (self.facts.clone(), self.size));
        refused
    }

    fn refusal_of(&self, statement: &Statement, seeds: &[u8]) -> &'static str {
        self.refuses(statement, seeds).code()
    }

    /// A consortium of three, two of whom must sign; two hospitals, a researcher, two registries, a parameter
    /// set, and a dataset of the first hospital.
    fn begun() -> Self {
        let mut ledger = Self::default();
        ledger.add(&consortium(1, 2, &STEWARDS), &[1, 2]);
        ledger.add(&member("Charité", Role::Hospital, HOSPITAL), &[1, 2]);
        ledger.add(
            &member("Inselspital", Role::Hospital, OTHER_HOSPITAL),
            &[2, 3],
        );
        ledger.add(&member("Anna", Role::Researcher, RESEARCHER), &[1, 2, 3]);
        ledger.add(&registry("cardio v1", "registry"), &[1, 3]);
        ledger.add(&registry("neuro v1", "other registry"), &[1, 3]);
        ledger.add(&parameter_set("set"), &[1, 3]);
        let first = Statement::Dataset(dataset("Charité", 1, "registry"));
        assert_eq!(ledger.add(&first, &[HOSPITAL]), 7);
        ledger
    }
}

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

#[test]
fn facts_that_do_not_parse_are_damage() {
    let mut ledger = Ledger::begun();
    for fact in ledger.facts.values_mut() {
        fact.value = "{".into();
    }
    let query = Statement::Query(question("registry", 1));
    assert_eq!(ledger.refusal_of(&query, &[RESEARCHER]), "damaged-ledger");
    let anna = member("Ben", Role::Researcher, 21);
    assert_eq!(ledger.refusal_of(&anna, &[1, 2]), "damaged-ledger");
}

/// Every code is provoked by a test above; a new rule needs a test of its own.
#[test]
fn every_rule_has_a_test() {
    let tests = include_str!("ledger_rules.rs");
    let rules = include_str!("../src/ledger/rules/error.rs");
    let (_, codes) = rules.split_once("fn code").unwrap();
    let codes: BTreeSet<_> = codes.split('"').skip(1).step_by(2).collect();
    assert!(codes.len() >= 19, "{codes:?}");
    // Those that are told by their variant.
    let by_variant = [
        "not-a-key",
        "revoked-key",
        "epoch-not-new",
        "epoch-not-current",
    ];
    for code in codes {
        let told = tests.contains(&format!("\"{code}\""));
        assert!(
            told || by_variant.contains(&code),
            "no test provokes {code}"
        );
    }
}

#[test]
fn an_envelope_is_read_with_the_keys_that_the_ledger_knows() {
    let ledger = Ledger::begun();
    let read = |proposal: &Proposal| {
        let envelope = Envelope::parse(proposal.entry().bytes()).unwrap();
        let names = key_facts(&envelope).into_iter();
        let facts = names.filter_map(|n| Some((n.clone(), ledger.facts.get(&n)?.clone())));
        Proposal::read(envelope, &facts.collect())
    };
    let query = Statement::Query(question("registry", 1));
    for signers in [&[RESEARCHER][..], &[HOSPITAL], &[1, 2, RESEARCHER]] {
        let proposal = sign(&query, signers);
        assert_eq!(read(&proposal).unwrap(), proposal);
    }
    assert!(read(&sign(&query, &[STRANGER])).is_err());
    assert!(read(&sign(&query, &[RESEARCHER, STRANGER])).is_err());
    // A consortium brings its own keys along, and only those.
    let next = consortium(2, 1, &[4]);
    assert!(read(&sign(&next, &[1, 2, 4])).is_ok());
    assert!(read(&sign(&next, &[1, 2, 5])).is_err());
    let fresh = Ledger::default();
    let first = sign(&consortium(1, 2, &STEWARDS), &[1, 2]);
    let envelope = Envelope::parse(first.entry().bytes()).unwrap();
    assert!(Proposal::read(envelope, &fresh.facts).is_ok());
}

#[test]
fn the_specifications_example_is_one() {
    let spec = include_str!("../../docs/spec/ledger.md");
    let block = spec.split("```json\n").nth(1).unwrap();
    let bytes = block.split('\n').next().unwrap();
    let envelope = Envelope::parse(bytes.as_bytes()).unwrap();
    let payload = std::str::from_utf8(envelope.payload()).unwrap().to_owned();
    assert!(spec.contains(&format!("```json\n{payload}\n```")));
    assert!(spec.contains(&format!("Its {} bytes are the leaf", bytes.len())));
    let proposal = Proposal::read(envelope, &Facts::new()).unwrap();
    proposal.apply(&Facts::new()).unwrap();
    let short = |hash: &[u8]| format!("`{}…{}`", &hex(hash)[..8], &hex(hash)[59..]);
    assert!(spec.contains(&short(&proposal.entry().dedup())));
    assert!(spec.contains(&short(&leaf_hash(bytes.as_bytes()))));
}
