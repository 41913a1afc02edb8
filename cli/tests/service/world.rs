//! A service in this process, and requests to it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Entry,
    statement::{
        Blob, Consortium, Member, ParameterSetStatement, QueryStatement, RegistryStatement, Role,
        Statement,
    },
    tiles::LogKey,
};
use galen_query::text::hex;
use galen_server::{
    run::{Config, Place, Running, audit, start},
    service::Limits,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ureq::Agent;

use crate::hospital::{FIRST, Hospital, OTHER, PARAMS, REGISTRY, question, registry};

pub const ORIGIN: &str = "localhost/test";

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

pub fn steward() -> SigningKey {
    key(100)
}

pub fn researcher() -> SigningKey {
    key(101)
}

pub fn log_key() -> LogKey {
    LogKey::new(ORIGIN, key(102)).unwrap()
}

/// What every ledger here begins with.
pub fn consortium() -> Entry {
    consortium_named("Test")
}

pub fn consortium_named(name: &str) -> Entry {
    let consortium = Statement::Consortium(Consortium {
        log: log_key().verifier().encoded(),
        version: 1,
        name: name.into(),
        threshold: 1,
        stewards: vec![public(&steward())],
    });
    Entry::state(&consortium, &[&steward()]).unwrap()
}

/// An answer to a request.
pub struct Response {
    pub status: u16,
    pub kind: String,
    pub retry_after: Option<String>,
    pub policy: Option<String>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The problem's code; all problems have the standard's members.
    pub fn problem(&self) -> String {
        assert_eq!(self.kind, "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        let code = problem["type"]
            .as_str()
            .unwrap()
            .strip_prefix("/problems/")
            .unwrap();
        code.to_owned()
    }
}

pub struct World {
    runtime: Runtime,
    running: Option<Running>,
    folder: TempDir,
    pub url: String,
    agent: Agent,
}

impl World {
    /// A service on a new ledger with its consortium.
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let consortium = consortium();
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let config = Config {
            place: place(folder.path().into()),
            key: log_key(),
            consortium: Some(consortium.bytes().to_vec()),
            seen: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            limits,
        };
        let running = runtime.block_on(start(config)).unwrap();
        assert!(runtime.block_on(running.service.published_beyond(0)));
        let config = Agent::config_builder().http_status_as_error(false).build();
        Self {
            url: format!("http://{}", running.address),
            running: Some(running),
            runtime,
            folder,
            agent: config.into(),
        }
    }

    /// With members, registry and parameter set.
    pub fn begun() -> Self {
        let world = Self::new();
        let member = |name: &str, role, key: &SigningKey| {
            let (name, key) = (name.to_owned(), public(key));
            Statement::Member(Member { name, role, key })
        };
        world.recorded(
            "members",
            &member("St. Test", Role::Hospital, &FIRST.key),
            &steward(),
        );
        world.recorded(
            "members",
            &member("St. Other", Role::Hospital, &OTHER.key),
            &steward(),
        );
        world.recorded(
            "members",
            &member("R", Role::Researcher, &researcher()),
            &steward(),
        );
        world.put(REGISTRY.as_bytes());
        let statement = RegistryStatement::of(&registry(), REGISTRY.as_bytes());
        world.recorded("registries", &Statement::Registry(statement), &steward());
        let set = PARAMS.verifying_bytes();
        world.put(set);
        let statement = ParameterSetStatement::of(&PARAMS.verifying(), set);
        world.recorded(
            "parameter-sets",
            &Statement::ParameterSet(statement),
            &steward(),
        );
        world
    }

    pub fn register(&self, hospital: &Hospital) -> Value {
        self.put(&hospital.manifest);
        self.put(&hospital.registration);
        self.recorded("datasets", &hospital.statement(), &hospital.key)
    }

    pub fn ask(&self, sql: &str) -> String {
        let query = question(sql);
        let digest = hex(&query.digest());
        let statement = Statement::Query(QueryStatement { query });
        assert_eq!(
            self.recorded("queries", &statement, &researcher())["digest"],
            digest
        );
        digest
    }

    pub fn get(&self, path: &str) -> Response {
        read(
            self.agent
                .get(format!("{}{path}", self.url))
                .call()
                .unwrap(),
        )
    }

    /// As a browser would, or another client that says what it takes.
    pub fn get_as(&self, path: &str, accept: &str) -> Response {
        let request = self.agent.get(format!("{}{path}", self.url));
        read(request.header("accept", accept).call().unwrap())
    }

    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> Response {
        let request = self
            .agent
            .post(format!("{}{path}", self.url))
            .content_type(kind);
        read(request.send(body).unwrap())
    }

    pub fn put_as(&self, sha256: &str, body: &[u8]) -> Response {
        let url = format!("{}/v1/blobs/{sha256}", self.url);
        read(
            self.agent
                .put(url)
                .content_type("application/octet-stream")
                .send(body)
                .unwrap(),
        )
    }

    pub fn put(&self, body: &[u8]) {
        assert_eq!(self.put_as(&Blob::of(body).sha256, body).status, 202);
    }

    pub fn submit(&self, collection: &str, statement: &Statement, key: &SigningKey) -> Response {
        let entry = Entry::state(statement, &[key]).unwrap();
        self.post(
            &format!("/v1/{collection}"),
            "application/json",
            entry.bytes(),
        )
    }

    /// The receipt of a statement that must be taken.
    pub fn recorded(&self, collection: &str, statement: &Statement, key: &SigningKey) -> Value {
        let entry = Entry::state(statement, &[key]).unwrap();
        let path = format!("/v1/{collection}?wait=published");
        let response = self.post(&path, "application/json", entry.bytes());
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()
    }

    pub fn size(&self) -> u64 {
        self.get("/v1/log").json()["size"].as_u64().unwrap()
    }

    /// The folder of its public files: what a mirror has.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// As at the beginning of a stop.
    pub fn begin_to_stop(&self) {
        self.running.as_ref().unwrap().service.stopping().cancel();
    }

    /// Goes down, and leaves its folder.
    pub fn rest(mut self) -> TempDir {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop(Duration::ZERO)).unwrap();
        self.folder
    }

    /// Goes down, and audits what is left.
    pub fn stop_clean(mut self) {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop(Duration::ZERO)).unwrap();
        let place = place(self.folder.path().into());
        let report = self
            .runtime
            .block_on(audit(&place, log_key().verifier()))
            .unwrap();
        assert_eq!(report.findings, []);
        assert_eq!(report.size, report.published);
    }
}

fn place(data: PathBuf) -> Place {
    Place {
        data,
        origin: ORIGIN.into(),
        ..Place::default()
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Response {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    Response {
        status: response.status().as_u16(),
        kind: header("content-type").unwrap_or_default(),
        retry_after: header("retry-after"),
        policy: header("content-security-policy"),
        body: response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap(),
    }
}
