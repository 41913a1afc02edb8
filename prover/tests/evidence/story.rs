//! What is said in the log until the answer, and after it.

use std::sync::LazyLock;

use galen_ledger::{
    evidence::{Evidence, EvidenceError, Report},
    statement::{
        AnswerStatement, Blob, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RefusalStatement, RegistryStatement, Revocation, Role, Statement,
    },
};
use galen_query::text::hex;
use sha2::{Digest, Sha256};

use crate::{
    hospital::{
        BUNDLE, FIRST, HOSPITAL, Hospital, KEYS, OTHER_HOSPITAL, OTHER_SQL, REGISTRY, SQL,
        question, registry, signing_key,
    },
    log::{LOG, Log, Said, log_key},
};

pub const STEWARDS: [u8; 4] = [10, 11, 12, 13];
pub const RESEARCHER: u8 = 20;

/// Where things stand in [`story`].
pub mod at {
    pub const CONSORTIUM: usize = 0;
    pub const RESEARCHER: usize = 1;
    pub const REGISTRY: usize = 2;
    pub const PARAMETER_SET: usize = 3;
    pub const OTHER_HOSPITAL: usize = 4;
    pub const SECOND_CONSORTIUM: usize = 5;
    pub const HOSPITAL: usize = 6;
    pub const DATASET: usize = 7;
    pub const QUERY: usize = 8;
    pub const REVOCATION: usize = 9;
    pub const REFUSAL: usize = 10;
    pub const ANSWER: usize = 11;
    pub const LATER_QUERY: usize = 12;
}

/// The entries that the answer rests on.
pub const NEEDED: [u64; 9] = [0, 1, 2, 3, 5, 6, 7, 8, 11];

pub fn blob(bytes: &[u8]) -> Blob {
    Blob {
        sha256: hex(&Sha256::digest(bytes)),
        bytes: bytes.len() as u64,
    }
}

pub fn public(seed: u8) -> String {
    hex(signing_key(seed).verifying_key().as_bytes())
}

pub fn said(statement: Statement, signers: &[u8]) -> Said {
    Said {
        statement,
        signers: signers.to_vec(),
    }
}

pub fn consortium(version: u32, stewards: &[u8]) -> Statement {
    Statement::Consortium(Consortium {
        log: log_key(LOG).verifier().encoded(),
        version,
        name: "Test Consortium".into(),
        threshold: 2,
        stewards: stewards.iter().map(|s| public(*s)).collect(),
    })
}

pub fn member(name: &str, role: Role, seed: u8) -> Statement {
    Statement::Member(Member {
        name: name.into(),
        role,
        key: public(seed),
    })
}

pub fn revocation(seed: u8) -> Statement {
    Statement::Revocation(Revocation {
        key: public(seed),
        reason: "lost".into(),
    })
}

pub fn dataset(hospital: &Hospital) -> DatasetStatement {
    let m = &hospital.dataset.dataset().manifest;
    DatasetStatement {
        hospital: m.hospital.clone(),
        dataset: m.dataset.clone(),
        epoch: m.epoch,
        registry: m.registry_digest.clone(),
        parameter_set: m.parameter_set.clone(),
        digest: hospital.digest(),
        manifest: blob(&hospital.manifest()),
        registration: blob(&registration_bytes(hospital)),
    }
}

pub fn answer() -> AnswerStatement {
    AnswerStatement {
        query: hex(&question(SQL).digest()),
        hospital: "St. Test".into(),
        dataset: "main".into(),
        epoch: 1,
        manifest: FIRST.digest(),
        bundle: blob(&BUNDLE),
    }
}

pub fn query(sql: &str) -> Statement {
    let query = question(sql);
    Statement::Query(QueryStatement { query })
}

pub fn registration_bytes(hospital: &Hospital) -> Vec<u8> {
    serde_json::to_vec(&hospital.registration).unwrap()
}

/// The first answer of a new ledger, with things around it that it does not rest on.
pub fn story() -> Vec<Said> {
    let [a, b, c, d] = STEWARDS;
    let a_answer = answer();
    let refusal = RefusalStatement {
        query: a_answer.query.clone(),
        hospital: a_answer.hospital.clone(),
        dataset: a_answer.dataset.clone(),
        epoch: a_answer.epoch,
        manifest: a_answer.manifest.clone(),
        reason: "the data steward was away".into(),
    };
    let registry = Statement::Registry(RegistryStatement {
        registry: "t v1".into(),
        digest: hex(&registry().digest),
        toml: blob(REGISTRY.as_bytes()),
    });
    let set = Statement::ParameterSet(ParameterSetStatement {
        shape: "tiny".into(),
        insecure: true,
        verifying: blob(KEYS.verifying_bytes()),
    });
    let other = member("St. Other", Role::Hospital, OTHER_HOSPITAL);
    vec![
        said(consortium(1, &[a, b, c]), &[a, b, c]),
        said(member("Dr. Ask", Role::Researcher, RESEARCHER), &[a, b]),
        said(registry, &[a, c]),
        said(set, &[b, c]),
        said(other, &[a, b]),
        said(consortium(2, &[a, b, d]), &[a, b, d]),
        said(member("St. Test", Role::Hospital, HOSPITAL), &[a, d]),
        said(Statement::Dataset(dataset(&FIRST)), &[HOSPITAL]),
        said(query(SQL), &[RESEARCHER]),
        said(revocation(OTHER_HOSPITAL), &[b, d]),
        said(Statement::Refusal(refusal), &[HOSPITAL]),
        said(Statement::Answer(a_answer), &[HOSPITAL]),
        said(query(OTHER_SQL), &[RESEARCHER]),
    ]
}

/// The files that the needed entries name.
pub fn blobs() -> Vec<Vec<u8>> {
    vec![
        REGISTRY.as_bytes().to_vec(),
        KEYS.verifying_bytes().to_vec(),
        FIRST.manifest(),
        registration_bytes(&FIRST),
        BUNDLE.clone(),
    ]
}

/// The log of the story.
pub static HONEST: LazyLock<Log> = LazyLock::new(|| Log::new(&story()));

pub fn honest() -> Evidence {
    HONEST.evidence(&NEEDED, &blobs())
}

/// Verifies a file's bytes with the log's key, as a reader who trusts it.
pub fn verify(bytes: &[u8]) -> Result<Report, EvidenceError> {
    Evidence::from_json(bytes)?.verify(Some(log_key(LOG).verifier()))
}

/// Why these entries and files of a log, with valid proofs of inclusion, are refused.
pub fn refused(log: &Log, indices: &[u64], blobs: &[Vec<u8>]) -> EvidenceError {
    verify(&log.evidence(indices, blobs).to_json()).unwrap_err()
}

/// Why the honest entries are refused, after the story was changed and signed anew.
pub fn refused_story(change: impl FnOnce(&mut Vec<Said>)) -> EvidenceError {
    let mut story = story();
    change(&mut story);
    refused(&Log::new(&story), &NEEDED, &blobs())
}
