//! The rules of the ledger: each is broken once, and what keeps them all stands.
#![allow(missing_docs, clippy::unwrap_used)]
// DETACHED with the ledger, until what reads and checks proofs is written anew.
#![cfg(any())]

mod members;
mod stewards;

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use galen_ledger::{
    Proposal, RuleError,
    entry::{Entry, Envelope},
    facts::{Facts, Proposed},
    key_facts,
    statement::{
        AnswerStatement, Blob, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RefusalStatement, RegistryStatement, Revocation, Role, Statement,
    },
    tiles::{LogKey, leaf_hash},
};
use galen_query::text::hex;
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
        let row = effects.set(&mut self.facts, index);
        assert_eq!(row.kind, proposal.statement().kind());
        assert_eq!(row.digest, proposal.digest());
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

/// Every code is provoked by a test here; a new rule needs a test of its own.
#[test]
fn every_rule_has_a_test() {
    let tests = [
        include_str!("stewards.rs"),
        include_str!("members.rs"),
        include_str!("main.rs"),
    ]
    .concat();
    let rules = include_str!("../../src/rules/error.rs");
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
    let spec = include_str!("../../../docs/spec/ledger.md");
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
