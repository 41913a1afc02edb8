//! `galen verify` of an evidence file: the study's answer in a log of the test's own.

use std::{fs, path::Path, sync::OnceLock};

use ed25519_dalek::SigningKey;
use galen_ledger::{
    entry::Entry,
    evidence::{Evidence, ProvenEntry},
    statement::{
        AnswerStatement, Blob, Consortium, DatasetStatement, Member, ParameterSetStatement,
        QueryStatement, RegistryStatement, Role, Statement,
    },
    tiles::{Edge, Level, LogKey, leaf_hash, prove_inclusion},
};
use galen_prover::dataset::load_or_create_key;
use galen_query::{question::Question, registry::Registry, text::hex};
use galen_verifier::manifest::Manifest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::study::{REGISTRY, SQL, Study, command, ok, ok_json, refused, run, study};

const STEWARD: u8 = 10;
const RESEARCHER: u8 = 11;
const LOG: u8 = 12;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn log_key(seed: u8) -> LogKey {
    LogKey::new("log.example/study", key(seed)).unwrap()
}

fn vkey() -> String {
    log_key(LOG).verifier().encoded()
}

fn public(key: &SigningKey) -> String {
    hex(key.verifying_key().as_bytes())
}

/// The files that entries name.
#[derive(Default)]
struct Files(Vec<Vec<u8>>);

impl Files {
    fn add(&mut self, bytes: Vec<u8>) -> Blob {
        let blob = Blob {
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: bytes.len() as u64,
        };
        self.0.push(bytes);
        blob
    }
}

fn statements(study: &Study, files: &mut Files) -> Vec<(Statement, SigningKey)> {
    let read = |name: &str| fs::read(study.path(name)).unwrap();
    let registry = Registry::from_toml(REGISTRY).unwrap();
    let manifest = Manifest::from_json(&read("dataset/manifest.json")).unwrap();
    let question = Question::from_json(&read("query.json")).unwrap();
    let hospital = load_or_create_key(Path::new(&study.path("hospital.key"))).unwrap();
    let set = ParameterSetStatement {
        shape: "16k".into(),
        insecure: true,
        verifying: files.add(read("parameters.bin")),
    };
    let member = |name: &str, role, key: &SigningKey| {
        Statement::Member(Member {
            name: name.into(),
            role,
            key: public(key),
        })
    };
    let dataset = DatasetStatement {
        hospital: manifest.hospital.clone(),
        dataset: manifest.dataset.clone(),
        epoch: manifest.epoch,
        registry: hex(&registry.digest),
        parameter_set: set.verifying.sha256.clone(),
        digest: hex(&manifest.digest()),
        manifest: files.add(read("dataset/manifest.json")),
        registration: files.add(read("dataset/registration.json")),
    };
    let answer = AnswerStatement {
        query: hex(&question.digest()),
        hospital: manifest.hospital.clone(),
        dataset: manifest.dataset.clone(),
        epoch: manifest.epoch,
        manifest: dataset.digest.clone(),
        bundle: files.add(read("bundle.json")),
    };
    let consortium = Consortium {
        log: vkey(),
        version: 1,
        name: "The Study".into(),
        threshold: 1,
        stewards: vec![public(&key(STEWARD))],
    };
    let published = RegistryStatement {
        registry: "mini v1".into(),
        digest: hex(&registry.digest),
        toml: files.add(REGISTRY.as_bytes().to_vec()),
    };
    let asked = Statement::Query(QueryStatement { query: question });
    let researcher = member("Dr. Ask", Role::Researcher, &key(RESEARCHER));
    let admitted = member(&manifest.hospital, Role::Hospital, &hospital);
    vec![
        (Statement::Consortium(consortium), key(STEWARD)),
        (researcher, key(STEWARD)),
        (admitted, key(STEWARD)),
        (Statement::Registry(published), key(STEWARD)),
        (Statement::ParameterSet(set), key(STEWARD)),
        (Statement::Dataset(dataset), hospital.clone()),
        (asked, key(RESEARCHER)),
        (Statement::Answer(answer), hospital),
    ]
}

/// `answer.galen` among the study's files; made by the first test that asks.
fn evidence() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| {
        let study = study();
        let mut files = Files::default();
        let (mut edge, mut tiles, mut envelopes) = (Edge::new(), Vec::new(), Vec::new());
        for (statement, key) in statements(study, &mut files) {
            let kind = statement.payload_type();
            let entry = Entry::sign(&kind, &statement.payload(), &[&key]).unwrap();
            edge.push(entry.bytes(), &mut tiles).unwrap();
            envelopes.push(entry.bytes().to_vec());
        }
        tiles.extend(edge.partials().unwrap());
        let tiles = tiles.into_iter();
        let tiles = tiles.filter(|t| t.path.level() != Level::Entries);
        let tiles = tiles.map(|t| (t.path, t.bytes)).collect();
        let (size, root) = (edge.size(), edge.root());
        let entries = (0..).zip(envelopes).map(|(index, envelope)| ProvenEntry {
            index,
            proof: prove_inclusion(size, &root, index, &leaf_hash(&envelope), &tiles).unwrap(),
            envelope,
        });
        let log = log_key(LOG);
        let checkpoint = log.sign(size, &root).unwrap();
        let evidence = Evidence::new(log.verifier(), checkpoint, entries.collect(), &files.0);
        study.write("answer.galen", evidence.unwrap().to_json())
    })
}

#[test]
fn the_report_shows_the_answer_and_what_was_checked() {
    let text = ok(&["verify", evidence(), "--log-key", &vkey()]);
    assert!(text.starts_with("VERIFIED"), "{text}");
    let bytes = fs::read(evidence()).unwrap();
    for part in [
        "SELECT sex, count(*) AS n",
        "Dr. Ask, entry 6",
        "Test Hospital, entry 7, after the query",
        "The Study (version 1, 1 of 1 sign)",
        "log.example/study, 8 entries, root ",
        &format!("{} (the one given)", vkey()),
        &hex(&Sha256::digest(bytes)),
        &format!("public key  {}", public(&key(STEWARD))),
        &format!("public key  {}", public(&key(RESEARCHER))),
        "counts below 11 are hidden",
        "What was checked",
        "What was not checked",
        "no cosignature",
        "INSECURE",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("NOTHING"), "{text}");
    assert!(text.lines().all(|l| l == l.trim_end()), "{text}");
}

#[test]
fn the_answer_is_that_of_its_documents() {
    let document = ok_json(&["verify", evidence(), "--log-key", &vkey()]);
    let usual = ok_json(&study().verify(&[]));
    assert_eq!(document["verified"], true);
    let report = &document["report"];
    assert_eq!(report["answer"], usual["answers"][0]["answer"]);
    assert_eq!(report["question"]["sql"], SQL);
    assert_eq!(report["log"]["key_compared"], true);
    assert_eq!(
        (&report["query_index"], &report["answer_index"]),
        (&json!(6), &json!(7))
    );
    assert_eq!(report["entries"].as_array().unwrap().len(), 8);
    let shown = |role: &str| {
        let keys = report["keys"].as_array().unwrap();
        let mut keys = keys.iter().filter(|k| k["role"] == role);
        keys.next().unwrap()["key"].clone()
    };
    let hospital = load_or_create_key(Path::new(&study().path("hospital.key"))).unwrap();
    assert_eq!(shown("steward"), public(&key(STEWARD)));
    assert_eq!(shown("researcher"), public(&key(RESEARCHER)));
    assert_eq!(shown("hospital"), public(&hospital));
}

#[test]
fn inspect_knows_evidence() {
    let shown = ok_json(&["inspect", evidence()]);
    assert_eq!(shown["kind"], "evidence");
    assert_eq!(shown["log_key"], vkey());
    assert_eq!(shown["entries"][6]["kind"], "query");
    assert!(ok(&["inspect", evidence()]).contains("of 8 entries"));
}

#[test]
fn the_key_may_stand_in_a_file_or_be_left_out() {
    let file = study().write("log.vkey", format!("{}\n", vkey()));
    let document = ok_json(&["verify", evidence(), "--log-key", &file]);
    assert_eq!(document["report"]["log"]["key_compared"], true);
    let text = ok(&["verify", evidence()]);
    assert!(text.contains("compared with NOTHING"), "{text}");
    let document = ok_json(&["verify", evidence()]);
    assert_eq!(document["report"]["log"]["key_compared"], false);
    let first = &document["report"]["unchecked"][0];
    assert!(first.as_str().unwrap().contains("compared with nothing"));
}

#[test]
fn another_logs_key_is_refused() {
    let other = log_key(LOG + 1).verifier().encoded();
    let (kind, error) = refused(&["verify", evidence(), "--log-key", &other]);
    assert_eq!(kind, "evidence.AnotherLog");
    assert!(error.contains("answer.galen was REFUSED"), "{error}");
    for (bad, expected) in [
        ("log.example/study", "io.NotFound"),
        ("nowhere.vkey", "io.NotFound"),
        ("log.example/study+1+2", "ledger.Checkpoint"),
        (&study().path("registry.toml"), "Format"),
    ] {
        let (kind, _) = refused(&["verify", evidence(), "--log-key", bad]);
        assert_eq!(kind, expected, "{bad}");
    }
}

#[test]
fn tampered_evidence_is_refused_by_its_kind() {
    let study = study();
    let honest: Value = serde_json::from_slice(&fs::read(evidence()).unwrap()).unwrap();
    let kind = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut file = honest.clone();
        change(&mut file);
        let path = study.write(name, file.to_string());
        refused(&["verify", &path, "--log-key", &vkey()])
    };
    let drop_entry = |f: &mut Value| drop(f["entries"].as_array_mut().unwrap().remove(6));
    assert_eq!(kind("dropped.galen", &drop_entry).0, "evidence.Missing");
    let swap = |f: &mut Value| f["entries"][0]["proof"] = f["entries"][1]["proof"].clone();
    assert_eq!(kind("swapped.galen", &swap).0, "evidence.Inclusion");
    let bundle = |f: &mut Value| f["blobs"][3]["base64"] = f["blobs"][2]["base64"].clone();
    assert_eq!(kind("bundle.galen", &bundle).0, "document.Blob");
    let format = |f: &mut Value| f["format"] = json!("galen/evidence/v9");
    assert_eq!(kind("format.galen", &format).0, "Format");
    let (k, error) = kind("escape.galen", &|f| f["\u{1b}[2J"] = json!(1));
    assert_eq!(k, "Json");
    // A name that is none of ours is not repeated.
    assert!(
        error.contains("unknown field, expected") && !error.contains("[2J"),
        "{error}"
    );
    let (k, _) = refused(&["verify", &study.path("bundle.json")]);
    assert_eq!(k, "Format");
}

#[test]
fn evidence_is_not_mixed_with_documents() {
    let mut args = study().verify(&[]);
    args.push(evidence().into());
    assert_eq!(run(&args).status.code(), Some(2));
    let mut args = study().verify(&[]);
    args.extend(["--log-key".into(), vkey()]);
    assert_eq!(run(&args).status.code(), Some(2));
    let mut args = study().verify(&[]);
    args.truncate(3);
    let output = run(&args);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("--manifest"), "{error}");
}

#[test]
fn exports_work_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (csv, svg) = (path("answer.csv"), path("answer.svg"));
    let key = vkey();
    let args = [
        "verify",
        evidence(),
        "--log-key",
        &key,
        "--csv",
        &csv,
        "--plot",
        &svg,
    ];
    ok(&args);
    let table = fs::read_to_string(&csv).unwrap();
    assert!(table.starts_with("sex,n,measured,mean\n"), "{table}");
    let picture = fs::read_to_string(&svg).unwrap();
    roxmltree::Document::parse(&picture).unwrap();
    // No file is replaced, and that is said before any work.
    let output = command().args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
}
