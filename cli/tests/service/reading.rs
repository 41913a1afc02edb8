//! What others take out of the ledger: entries with proofs, events, evidence.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Command,
};

use galen_ledger::{
    entry::Envelope,
    tiles::{leaf_hash, verify_inclusion},
};
use serde_json::Value;

use crate::{
    hospital::{BUNDLE, FIRST, Hospital, OTHER, SQL},
    world::{World, log_key},
};

pub fn galen(arguments: &[&str]) -> (bool, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_galen"))
        .arg("--json")
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let document = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.success(), document)
}

/// Evidence of an answer out of a copy of the log, which has no key to tell.
pub fn gather_from_copy(answer: &str, from: &str, out: &str) {
    let key = log_key().verifier().encoded();
    let from = ["--from", from, "--log-key", &key, "--out", out];
    let (ok, made) = galen(&[&["evidence", answer], &from[..]].concat());
    assert!(ok, "{made}");
}

pub fn answered() -> (World, Value) {
    let world = World::begun();
    world.register(&FIRST);
    world.ask(SQL);
    world.put(&BUNDLE);
    let receipt = world.recorded("answers", &FIRST.answer(&BUNDLE), &FIRST.key);
    (world, receipt)
}

#[test]
fn an_entry_comes_with_a_proof_that_verifies() {
    let (world, receipt) = answered();
    let index = receipt["index"].as_u64().unwrap();
    let entry = world.get(&format!("/v1/entries/{index}")).json();
    let envelope = entry["envelope"].as_str().unwrap();
    Envelope::parse(envelope.as_bytes()).unwrap();
    let text = entry["inclusion"]["checkpoint"].as_str().unwrap();
    let head = log_key().verifier().open(text.as_bytes()).unwrap();
    let hashes: Vec<[u8; 32]> = entry["inclusion"]["hashes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| {
            use base64::{Engine, prelude::BASE64_STANDARD};
            BASE64_STANDARD
                .decode(h.as_str().unwrap())
                .unwrap()
                .try_into()
                .unwrap()
        })
        .collect();
    let leaf = leaf_hash(envelope.as_bytes());
    verify_inclusion(head.size, &head.root, index, &leaf, &hashes).unwrap();
    assert!(verify_inclusion(head.size, &head.root, index - 1, &leaf, &hashes).is_err());
    let proof = world.get(&format!("/v1/entries/{index}/proof")).text();
    assert!(proof.starts_with(&format!("c2sp.org/tlog-proof@v1\nindex {index}\n")));
    assert!(proof.ends_with(text));
}

#[test]
fn events_tell_every_entry_once_and_in_order() {
    let (world, receipt) = answered();
    let last = receipt["index"].as_u64().unwrap();
    let response = ureq::get(format!("{}/v1/events?after=2", world.url))
        .call()
        .unwrap();
    let mut lines = BufReader::new(response.into_body().into_reader()).lines();
    for expected in 3..=last {
        let id = lines.find_map(|l| l.unwrap().strip_prefix("id: ").map(str::to_owned));
        assert_eq!(id.unwrap(), expected.to_string());
    }
    drop(lines);
    world.stop_clean();
}

#[test]
fn evidence_from_the_service_and_from_a_mirror_verifies_offline() {
    let (world, receipt) = answered();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let index = receipt["index"].to_string();
    let key = log_key().verifier().encoded();
    let (from_service, from_mirror) = (path("service.galen"), path("mirror.galen"));
    let url = world.url.clone();
    let (ok, made) = galen(&["evidence", &index, "--from", &url, "--out", &from_service]);
    assert!(ok, "{made}");
    let files = world.files().display().to_string();
    let digest = receipt["digest"].as_str().unwrap();
    gather_from_copy(digest, &files, &from_mirror);
    world.stop_clean();
    for file in [&from_service, &from_mirror] {
        let (ok, report) = galen(&["verify", file, "--log-key", &key]);
        assert!(ok, "{report}");
    }
    assert_eq!(
        std::fs::read(&from_service).unwrap(),
        std::fs::read(&from_mirror).unwrap()
    );
    let (ok, refused) = galen(&["verify", &from_service, "--log-key", "other+00000000+AAAA"]);
    assert!(!ok, "{refused}");
    let (ok, missing) = galen(&[
        "evidence",
        "0",
        "--from",
        &files,
        "--log-key",
        &key,
        "--out",
        &path("x"),
    ]);
    assert!(!ok, "{missing}");
}

#[test]
fn the_evidence_of_two_sites_is_added_up_offline() {
    let world = World::begun();
    let query = world.ask(SQL);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let url = world.url.clone();
    let site = |hospital: &Hospital, bundle: &[u8], name: &str| {
        world.register(hospital);
        world.put(bundle);
        let receipt = world.recorded("answers", &hospital.answer(bundle), &hospital.key);
        let (index, out) = (receipt["index"].to_string(), path(name));
        let (ok, made) = galen(&["evidence", &index, "--from", &url, "--out", &out]);
        assert!(ok, "{made}");
        out
    };
    let (first, other) = (
        site(&FIRST, &BUNDLE, "first.galen"),
        site(&OTHER, &OTHER.bundle(SQL), "other.galen"),
    );
    let served = world.get(&format!("/v1/queries/{query}/results")).json();
    world.stop_clean();

    let key = log_key().verifier().encoded();
    let (csv, plot) = (path("pooled.csv"), path("pooled.svg"));
    let verify = ["verify", &first, &other, "--log-key", &key];
    let (ok, said) = galen(&[&verify[..], &["--csv", &csv, "--plot", &plot]].concat());
    assert!(ok, "{said}");
    assert_eq!(said["sites"].as_array().unwrap().len(), 2);
    for part in ["columns", "rows", "derived", "not_pooled", "answers"] {
        assert_eq!(said["pooled"][part], served["pooled"][part], "{part}");
    }
    // The trees were of different sizes when the files were gathered.
    assert_eq!(said["pooled"]["unchecked"].as_array().unwrap().len(), 3);
    assert!(fs::read_to_string(&csv).unwrap().starts_with("b,patients"));
    let drawn = fs::read_to_string(&plot).unwrap();
    assert!(
        drawn.contains("St. Test, main + St. Other, main"),
        "{drawn}"
    );

    let text = Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(verify)
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    for part in [
        "St. Test, main, epoch 1",
        "Pooled: 2 datasets of 2 hospitals",
        "left some out",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let (ok, said) = galen(&["verify", &first, &first]);
    assert!(!ok && said["kind"] == "pooled.SameDataset", "{said}");
    let error = said["error"].as_str().unwrap();
    let both = format!("{first} and {first} are not added up");
    assert!(error.starts_with(&both), "{error}");
}
