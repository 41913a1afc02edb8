//! A consortium, a hospital and a researcher, and what they state.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use galen_ledger::{
    Proposal,
    entry::Entry,
    facts::Proposed,
    statement::{
        AnswerStatement, Blob, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RefusalStatement, RegistryStatement, Revocation, Role, Statement,
    },
};
use galen_query::text::hex;
use serde_json::json;
use sha2::{Digest, Sha256};

pub fn steward() -> SigningKey {
    SigningKey::from_bytes(&[11; 32])
}

pub fn hospital() -> SigningKey {
    SigningKey::from_bytes(&[12; 32])
}

pub fn researcher() -> SigningKey {
    SigningKey::from_bytes(&[13; 32])
}

pub fn digest(of: &str) -> String {
    hex(&Sha256::digest(of))
}

/// A file with these bytes.
pub fn blob(of: &str) -> Blob {
    Blob {
        sha256: digest(of),
        bytes: of.len() as u64,
    }
}

pub fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

/// A signed statement, to be submitted.
pub fn signed(statement: &Statement, key: &SigningKey) -> Arc<dyn Proposed> {
    Arc::new(proposal(statement, key))
}

pub fn proposal(statement: &Statement, key: &SigningKey) -> Proposal {
    let entry = Entry::sign(&statement.payload_type(), &statement.payload(), &[key]);
    Proposal::new(entry.unwrap()).unwrap()
}

fn member(name: &str, role: Role, key: &SigningKey) -> Arc<dyn Proposed> {
    let member = Member {
        name: name.into(),
        role,
        key: public(key),
    };
    signed(&Statement::Member(member), &steward())
}

/// What a ledger begins with, up to the first query: entries 0 to 5.
pub fn beginning() -> Vec<Arc<dyn Proposed>> {
    let consortium = Consortium {
        log: super::log_key().verifier().encoded(),
        version: 1,
        name: "Stewards".into(),
        threshold: 1,
        stewards: vec![public(&steward())],
    };
    let registry = RegistryStatement {
        registry: "cardio v1".into(),
        digest: digest("registry"),
        toml: blob("registry's file"),
    };
    let set = ParameterSetStatement {
        shape: "small".into(),
        insecure: true,
        verifying: blob("set"),
    };
    vec![
        signed(&Statement::Consortium(consortium), &steward()),
        member("Anna", Role::Researcher, &researcher()),
        member("Charité", Role::Hospital, &hospital()),
        signed(&Statement::Registry(registry), &steward()),
        signed(&Statement::ParameterSet(set), &steward()),
        dataset(1),
    ]
}

pub fn revocation(key: &SigningKey) -> Arc<dyn Proposed> {
    let revocation = Revocation {
        key: public(key),
        reason: "lost".into(),
    };
    signed(&Statement::Revocation(revocation), &steward())
}

pub fn dataset(epoch: u32) -> Arc<dyn Proposed> {
    let dataset = DatasetStatement {
        hospital: "Charité".into(),
        dataset: "cohort".into(),
        epoch,
        registry: digest("registry"),
        parameter_set: digest("set"),
        digest: digest(&format!("manifest {epoch}")),
        manifest: blob("manifest's file"),
        registration: blob("registration"),
    };
    signed(&Statement::Dataset(dataset), &hospital())
}

fn question(n: u64) -> QueryStatement {
    let question = json!({
        "format": "galen/query/v1",
        "registry": "cardio v1",
        "registry_digest": digest("registry"),
        "purpose": "DUO:0000007",
        "sql": format!("SELECT count(*) FROM patients WHERE age >= {n} AND ef < 40 AND sex = 'f' GROUP BY site"),
        "title": format!("Heart failure, question {n}"),
    });
    QueryStatement {
        query: serde_json::from_value(question).unwrap(),
    }
}

pub fn query_digest(n: u64) -> String {
    hex(&question(n).query.digest())
}

/// The `n`-th query.
pub fn query(n: u64) -> Arc<dyn Proposed> {
    signed(&Statement::Query(question(n)), &researcher())
}

/// An answer to the `n`-th query over the first epoch; different ones have different bundles.
pub fn answer(n: u64, bundle: &str) -> Arc<dyn Proposed> {
    let answer = AnswerStatement {
        query: query_digest(n),
        hospital: "Charité".into(),
        dataset: "cohort".into(),
        epoch: 1,
        manifest: digest("manifest 1"),
        bundle: blob(bundle),
    };
    signed(&Statement::Answer(answer), &hospital())
}

pub fn refusal(n: u64, reason: &str) -> Arc<dyn Proposed> {
    let refusal = RefusalStatement {
        query: query_digest(n),
        hospital: "Charité".into(),
        dataset: "cohort".into(),
        epoch: 1,
        manifest: digest("manifest 1"),
        reason: reason.into(),
    };
    signed(&Statement::Refusal(refusal), &hospital())
}
