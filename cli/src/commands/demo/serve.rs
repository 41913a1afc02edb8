//! The demonstration's ledger: a service with the made-up hospital registered and its answers recorded.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result};
use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Entry,
    statement::{
        AnswerStatement, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RegistryStatement, Role, Statement,
    },
    tiles::LogKey,
};
use galen_params::ParameterStore;
use galen_prover::dataset::{CommittedDataset, load_or_create_key};
use galen_query::{question::Question, registry::Registry, text::hex};
use galen_server::{
    run::{Config, Place, Running, start},
    service::Limits,
};
use galen_verifier::{bundle::Bundle, manifest::Manifest};
use serde_json::{Value, json};

use super::{
    folder::{Folder, Visit},
    run::Demo,
};
use crate::{
    client::Client,
    commands::{
        publish::{Stated, record},
        serve::{Signals, log_to_stderr},
    },
    output::{Closed, Output},
    params::INSECURE,
};

const ORIGIN: &str = "localhost/galen-demo";

/// Everyone's keys.
struct Keys {
    steward: SigningKey,
    hospital: SigningKey,
    researcher: SigningKey,
}

fn key(work: &Path, name: &str) -> Result<SigningKey> {
    Ok(load_or_create_key(&work.join(format!("{name}.key")))?)
}

fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

fn stated(statement: Statement, files: Vec<Vec<u8>>) -> Stated {
    Stated { statement, files }
}

/// Starts the service, records everything by its interface as its users would, and serves until a signal.
pub fn run(
    demo: &Demo,
    work: &Path,
    listen: SocketAddr,
    (params, folder): (&ParameterStore, Option<Folder<'_>>),
    output: &Output,
) -> Result<()> {
    log_to_stderr();
    let keys = Keys {
        steward: key(work, "steward")?,
        hospital: key(work, "hospital")?,
        researcher: key(work, "researcher")?,
    };
    let runtime = galen_server::run::runtime().context("starting the runtime")?;
    let running = runtime.block_on(start(config(work, listen, &keys)?))?;
    let client = Client::new(&format!("http://{}", running.address))?;
    let recorded = publish(demo, work, &keys, params, &client)?;
    if let Some(folder) = &folder {
        folder.write(&Visit {
            url: &client.url(""),
            origin: ORIGIN,
            patients: demo.patients,
            shape: &Manifest::from_json(&demo.manifest_json)?.shape,
            next: recorded.last().map_or(0, |r| r.answer + 1),
        })?;
    }
    let mut signals = runtime.block_on(async { Signals::new() })?;
    match tell(&running, &client, &recorded, folder.as_ref(), output) {
        // It serves on, though nobody reads what it says.
        Err(e) if e.is::<Closed>() => {}
        told => told?,
    }
    runtime.block_on(async {
        signals.ended().await;
        Ok(running.stop(Duration::ZERO).await?)
    })
}

fn config(work: &Path, listen: SocketAddr, keys: &Keys) -> Result<Config> {
    let log = LogKey::new(ORIGIN, key(work, "log")?)?;
    let consortium = Statement::Consortium(Consortium {
        log: log.verifier().encoded(),
        version: 1,
        name: "Demonstration".into(),
        threshold: 1,
        stewards: vec![public(&keys.steward)],
    });
    let consortium = Entry::state(&consortium, &[&keys.steward])?;
    Ok(Config {
        place: Place {
            data: work.join("service"),
            origin: ORIGIN.into(),
            ..Place::default()
        },
        key: log,
        consortium: Some(consortium.bytes().to_vec()),
        seen: Vec::new(),
        listen,
        limits: Limits::default(),
    })
}

/// What was recorded of each question: the query's digest, and its answer's index.
struct Recorded {
    query: String,
    answer: u64,
}

/// Records everything.
fn publish(
    demo: &Demo,
    work: &Path,
    keys: &Keys,
    params: &ParameterStore,
    client: &Client,
) -> Result<Vec<Recorded>> {
    let send = |s: Stated, key: &SigningKey| -> Result<Value> {
        let entry = Entry::state(&s.statement, &[key])?;
        record(client, &s, entry.envelope())
    };
    let dataset = CommittedDataset::open(&work.join("dataset"), params)?;
    let manifest = &dataset.dataset().manifest;
    let member = |name: &str, role, key| {
        let (name, key) = (name.to_owned(), public(key));
        stated(Statement::Member(Member { name, role, key }), vec![])
    };
    send(
        member(&manifest.hospital, Role::Hospital, &keys.hospital),
        &keys.steward,
    )?;
    send(
        member("A. Researcher", Role::Researcher, &keys.researcher),
        &keys.steward,
    )?;
    let registry = Registry::from_toml(demo.registry_toml)?;
    let toml = demo.registry_toml.as_bytes().to_vec();
    let statement = Statement::Registry(RegistryStatement::of(&registry, &toml));
    send(stated(statement, vec![toml]), &keys.steward)?;
    let set = demo.parameters.clone();
    let statement = ParameterSetStatement::of(&params.verifying(), &set);
    send(
        stated(Statement::ParameterSet(statement), vec![set]),
        &keys.steward,
    )?;
    let registration = demo.registration_json.clone();
    let bytes = demo.manifest_json.clone();
    let statement = Statement::Dataset(DatasetStatement::of(manifest, &bytes, &registration));
    send(stated(statement, vec![bytes, registration]), &keys.hospital)?;
    let mut recorded = Vec::new();
    for answered in &demo.answers {
        let query = Question::from_json(&answered.question_json)?;
        let statement = Statement::Query(QueryStatement { query });
        let query = send(stated(statement, vec![]), &keys.researcher)?;
        let bundle = Bundle::from_json(&answered.bundle_json)?;
        let statement = AnswerStatement::of(&bundle, &answered.bundle_json, manifest);
        let files = vec![answered.bundle_json.clone()];
        let answer = send(stated(Statement::Answer(statement), files), &keys.hospital)?;
        recorded.push(Recorded {
            query: query["digest"].as_str().unwrap_or_default().to_owned(),
            answer: answer["index"].as_u64().unwrap_or_default(),
        });
    }
    Ok(recorded)
}

fn tell(
    running: &Running,
    client: &Client,
    recorded: &[Recorded],
    folder: Option<&Folder<'_>>,
    output: &Output,
) -> Result<()> {
    let link = |r: &Recorded| client.url(&format!("/v1/queries/{}/results", r.query));
    let results: Vec<String> = recorded.iter().map(link).collect();
    let first = recorded.first().map_or(0, |r| r.answer);
    let log_key = running.service.log().encoded();
    output.document(&json!({
        "url": client.url("/"),
        "docs": client.url("/docs"),
        "results": results,
        "answers": client.url("/v1/answers"),
        "checkpoint": client.url("/checkpoint"),
        "log_key": log_key,
        "folder": folder.map(Folder::path),
    }))?;
    output.line(format!(
        "The service runs, with the hospital's dataset registered and its answers recorded. Open\n  {}\n  {}  to try its interface",
        client.url("/"),
        client.url("/docs"),
    ))?;
    for (number, link) in (1..).zip(&results) {
        let number: usize = number;
        output.line(format!("  {link}  results of query {number}"))?;
    }
    let kept = match folder {
        Some(folder) => folder.tell(),
        None => "Ctrl-C ends it; everything it recorded was in a temporary folder. With --out DIR it keeps the keys of \
                 steward, researcher, hospital and log, and says how to publish a query and join a second hospital."
            .to_owned(),
    };
    output.line(format!(
        "Take an answer out and check it offline:\n  galen evidence {first} --from {} --out answer.galen\n  galen verify answer.galen --log-key '{log_key}'\n\n{INSECURE}\n\n{kept}",
        client.url("")
    ))
}
