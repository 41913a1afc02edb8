//! What is sent: members, a registry, queries, a dataset and its answers.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Entry,
    statement::{
        AnswerStatement, Blob, DatasetStatement, Member, ParameterSetStatement, QueryStatement,
        RegistryStatement, Role, Statement,
    },
};
use galen_params::{ParameterStore, Silent};
use galen_prover::{
    dataset::{CommittedDataset, load_or_create_key},
    execute,
};
use galen_query::{question::Question, registry::Registry};

use super::{
    client::{Connection, Request},
    service::public,
};
use crate::hospital::{self, REGISTRY_TOML};

/// Those who sign.
#[derive(Debug)]
pub struct Signers {
    /// The one steward.
    pub steward: SigningKey,
    /// The one researcher.
    pub researcher: SigningKey,
    /// The one hospital.
    pub hospital: SigningKey,
}

impl Signers {
    /// Fixed keys; the hospital's is made by the commit, in `folder`.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn new(folder: &Path) -> Result<Self> {
        Ok(Self {
            steward: SigningKey::from_bytes(&[1; 32]),
            researcher: SigningKey::from_bytes(&[2; 32]),
            hospital: load_or_create_key(&folder.join("key"))?,
        })
    }
}

fn post(collection: &str, statement: &Statement, key: &SigningKey) -> Result<Request> {
    Ok(posted(collection, &Entry::state(statement, &[key])?))
}

fn posted(collection: &str, entry: &Entry) -> Request {
    let path = format!("/v1/{collection}");
    Request::new("POST", &path, "application/json", entry.bytes())
}

fn put(file: &[u8]) -> Request {
    let path = format!("/v1/blobs/{}", Blob::of(file).sha256);
    Request::new("PUT", &path, "application/octet-stream", file)
}

/// Sends requests one after the other; each must be taken.
///
/// # Errors
/// One that is refused.
pub async fn send(address: &str, requests: &[Request]) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    for request in requests {
        let response = connection.send(request).await?;
        ensure!((200..300).contains(&response.status), "{}", response.text());
    }
    Ok(())
}

/// The entries of members and of the registry.
///
/// # Errors
/// None: all of it is fixed.
pub fn first(signers: &Signers) -> Result<[Entry; 3]> {
    let member = |name: &str, role, key| {
        let statement = Statement::Member(Member {
            name: name.into(),
            role,
            key: public(key),
        });
        Entry::state(&statement, &[&signers.steward])
    };
    let registry = Registry::from_toml(REGISTRY_TOML)?;
    let statement = RegistryStatement::of(&registry, REGISTRY_TOML.as_bytes());
    Ok([
        member("Bench", Role::Hospital, &signers.hospital)?,
        member("Researcher", Role::Researcher, &signers.researcher)?,
        Entry::state(&Statement::Registry(statement), &[&signers.steward])?,
    ])
}

/// Members and the registry.
///
/// # Errors
/// None: all of it is fixed.
pub fn begin(signers: &Signers) -> Result<Vec<Request>> {
    let [hospital, researcher, registry] = first(signers)?;
    Ok(vec![
        posted("members", &hospital),
        posted("members", &researcher),
        put(REGISTRY_TOML.as_bytes()),
        posted("registries", &registry),
    ])
}

fn question(number: usize) -> Result<Question> {
    let title = format!("load {number}");
    Ok(Question::new(
        &hospital::registry()?,
        "DUO:0000042",
        hospital::SQL,
        Some(title),
    )?)
}

/// A query, another for each number.
///
/// # Errors
/// None: all of it is fixed.
pub fn query(signers: &Signers, number: usize) -> Result<Entry> {
    let query = question(number)?;
    let statement = Statement::Query(QueryStatement { query });
    Ok(Entry::state(&statement, &[&signers.researcher])?)
}

/// So many queries, all different; numbered from `first`.
///
/// # Errors
/// None: all of it is fixed.
pub fn queries(signers: &Signers, first: usize, count: usize) -> Result<Vec<Request>> {
    let one = |n| Ok(posted("queries", &query(signers, n)?));
    (first..first + count).map(one).collect()
}

/// The parameter set and the dataset with its registration.
///
/// # Errors
/// A damaged dataset.
pub fn dataset(signers: &Signers, folder: &Path, params: &ParameterStore) -> Result<Vec<Request>> {
    let set = params.verifying_bytes();
    let statement = ParameterSetStatement::of(&params.verifying(), set);
    let set_statement = Statement::ParameterSet(statement);
    let dataset = CommittedDataset::open(folder, params)?;
    let manifest = serde_json::to_vec(&dataset.dataset().manifest)?;
    let registration = serde_json::to_vec(&dataset.registration()?)?;
    let m = &dataset.dataset().manifest;
    let statement = Statement::Dataset(DatasetStatement::of(m, &manifest, &registration));
    Ok(vec![
        put(set),
        post("parameter-sets", &set_statement, &signers.steward)?,
        put(&manifest),
        put(&registration),
        post("datasets", &statement, &signers.hospital)?,
    ])
}

/// Answers to the queries from `first` on, each proven by itself, statement and bundle in one request.
///
/// # Errors
/// A damaged dataset.
pub fn answers(
    signers: &Signers,
    folder: &Path,
    params: &ParameterStore,
    (first, count): (usize, usize),
) -> Result<Vec<Request>> {
    let dataset = CommittedDataset::open(folder, params)?;
    let mut requests = Vec::with_capacity(count);
    for number in first..first + count {
        let question = question(number)?;
        let (bundle, _, _) = execute::answer(&dataset, &question, params, &Silent)
            .with_context(|| format!("proving answer {number}"))?;
        let bytes = serde_json::to_vec(&bundle)?;
        let statement = AnswerStatement::of(&bundle, &bytes, &dataset.dataset().manifest);
        let entry = Entry::state(&Statement::Answer(statement), &[&signers.hospital])?;
        requests.push(Request::upload("/v1/answers", entry.bytes(), &bytes));
    }
    Ok(requests)
}
