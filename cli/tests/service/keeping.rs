//! Those who keep a ledger: what the commands say when something is not as it must be.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use galen_ledger::tiles::LogKey;
use galen_query::text::hex;
use galen_server::ledger::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    reading::{answered, galen},
    world::{ORIGIN, consortium_named, key, log_key},
};

/// A ledger at rest, with keys in files beside it.
struct Rest {
    data: TempDir,
    keys: TempDir,
}

impl Rest {
    fn new() -> Self {
        let keys = tempfile::tempdir().unwrap();
        for (name, seed) in [("log", 102), ("other", 103), ("steward", 100)] {
            let path = keys.path().join(format!("{name}.key"));
            fs::write(path, hex(&key(seed).to_bytes()) + "\n").unwrap();
        }
        let data = answered().0.rest();
        Self { data, keys }
    }

    fn key(&self, name: &str) -> String {
        self.keys.path().join(name).display().to_string()
    }

    fn ledger(&self, command: &str, data: &Path, origin: &str, key: &str) -> (bool, Value) {
        let data = data.display().to_string();
        galen(&[
            "ledger",
            command,
            "--data",
            &data,
            "--origin",
            origin,
            "--log-key",
            &self.key(key),
        ])
    }

    fn refuses(&self, command: &str, data: &Path, origin: &str, key: &str) -> String {
        let (ok, said) = self.ledger(command, data, origin, key);
        assert!(!ok, "{said}");
        said["error"].as_str().unwrap().to_owned()
    }
}

#[test]
fn another_key_or_name_is_no_damage() {
    let rest = Rest::new();
    let data = rest.data.path();
    let own = log_key().verifier().encoded();
    // The key itself, in base64, may have pluses too.
    let signer = own.splitn(3, '+').take(2).collect::<Vec<_>>().join("+");
    for command in ["fsck", "restore"] {
        for (origin, key) in [(ORIGIN, "other.key"), ("localhost/other", "log.key")] {
            let error = rest.refuses(command, data, origin, key);
            assert!(error.contains(&format!("is signed by {signer}")), "{error}");
        }
        let (ok, said) = rest.ledger(command, data, ORIGIN, "log.key");
        assert!(ok, "{said}");
    }
}

#[test]
fn nobody_is_told_to_begin_a_ledger_where_one_was_lost() {
    let rest = Rest::new();
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");
    for command in ["fsck", "restore"] {
        let error = rest.refuses(command, empty.path(), ORIGIN, "log.key");
        assert!(error.contains("restore a backup"), "{error}");
        assert!(!error.contains("begin"), "{error}");
        rest.refuses(command, &nowhere, ORIGIN, "log.key");
    }
    let log = rest.key("log.key");
    for data in [empty.path(), &nowhere] {
        let data = data.display().to_string();
        let serve = [
            "serve",
            "--data",
            &data,
            "--origin",
            ORIGIN,
            "--log-key",
            &log,
        ];
        let (ok, said) = galen(&[&serve[..], &["--listen", "127.0.0.1:0"]].concat());
        assert!(!ok);
        let error = said["error"].as_str().unwrap();
        assert!(error.contains("restore a backup"), "{error}");
        assert!(error.contains("--consortium"), "{error}");
    }
    assert!(!nowhere.exists());
    let left = fs::read_dir(empty.path()).unwrap().count();
    assert_eq!(left, 0, "what was refused has left something");
}

/// A database that was lost: what is left of its files refuses a new ledger, and nothing is made that could be taken for
/// the old one's.
#[test]
fn no_ledger_is_begun_beside_the_files_of_one() {
    let rest = Rest::new();
    let data = rest.data.path();
    let first = rest.keys.path().join("first.json");
    fs::write(&first, crate::world::consortium().bytes()).unwrap();
    let database = || {
        let mut names: Vec<_> = fs::read_dir(data)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n.starts_with("ledger.db"))
            .collect();
        names.sort();
        names
    };
    for name in database() {
        fs::remove_file(data.join(name)).unwrap();
    }
    for lost in ["", "files/checkpoint", "files/tile/entries"] {
        match lost {
            "" => {}
            "files/checkpoint" => fs::remove_file(data.join(lost)).unwrap(),
            _ => fs::remove_dir_all(data.join(lost)).unwrap(),
        }
        let refused = serve(data, &rest.key("log.key"), &first);
        let error = refused["error"].as_str().expect("an error");
        assert!(error.contains("refusing to sign"), "{error}");
        assert_eq!(database(), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_cannot_be_made_anew_is_told() {
    let rest = Rest::new();
    let blobs = rest.data.path().join("files/blobs");
    let folder = fs::read_dir(blobs).unwrap().next().unwrap().unwrap().path();
    let lost = fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::remove_file(&lost).unwrap();
    fs::remove_dir_all(rest.data.path().join("files/tile")).unwrap();
    let (ok, said) = rest.ledger("restore", rest.data.path(), ORIGIN, "log.key");
    assert!(!ok, "{said}");
    assert_eq!(said["restored"], true);
    let findings = said["findings"].as_array().unwrap();
    let name = lost.file_name().unwrap().to_str().unwrap();
    assert_eq!(findings.len(), 1, "{said}");
    assert!(findings[0].as_str().unwrap().contains(name), "{said}");
}

/// The one file of a folder.
fn only(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    files.next().unwrap().unwrap().path()
}

#[test]
fn torn_files_are_written_anew_and_named() {
    let rest = Rest::new();
    let data = rest.data.path();
    let bundle = only(&data.join("files/tile/entries/000.p"));
    fs::write(&bundle, b"torn").unwrap();
    fs::write(data.join("files/checkpoint"), b"").unwrap();
    let (ok, said) = rest.ledger("fsck", data, ORIGIN, "log.key");
    assert!(!ok);
    let advice = said["error"].as_str().unwrap_or_default().to_owned() + &said.to_string();
    assert!(advice.contains("tile/entries/000.p"), "{said}");
    let (ok, said) = rest.ledger("restore", data, ORIGIN, "log.key");
    assert!(ok, "{said}");
    let named = bundle.strip_prefix(data.join("files")).unwrap();
    let expected = [named.to_str().unwrap(), "checkpoint"];
    assert_eq!(said["rewritten"], json!(expected), "{said}");
    let (ok, said) = rest.ledger("restore", data, ORIGIN, "log.key");
    assert!(ok && said["rewritten"] == json!([]), "{said}");
}

#[test]
fn a_halted_log_goes_on_after_a_clean_audit_only() {
    let rest = Rest::new();
    let data = rest.data.path();
    let unhalt = || {
        let folder = data.display().to_string();
        let key = rest.key("log.key");
        let at = ["--data", &folder, "--origin", ORIGIN, "--log-key", &key];
        galen(&[&["ledger", "unhalt", "--reason", "disk replaced"], &at[..]].concat())
    };
    let (ok, said) = unhalt();
    assert!(ok && said["cleared"] == false, "{said}");
    let database = data.join("ledger.db").display().to_string();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&database, ORIGIN).await.unwrap();
        store
            .halt("a tile is there with other contents")
            .await
            .unwrap();
        store.close().await;
    });
    let bundle = only(&data.join("files/tile/entries/000.p"));
    let whole = fs::read(&bundle).unwrap();
    fs::write(&bundle, b"torn").unwrap();
    let (ok, said) = unhalt();
    assert!(
        !ok && said["findings"].as_array().unwrap().len() == 2,
        "{said}"
    );
    fs::write(&bundle, whole).unwrap();
    let (ok, said) = unhalt();
    assert!(ok && said["cleared"] == true, "{said}");
    let (ok, said) = rest.ledger("fsck", data, ORIGIN, "log.key");
    assert!(ok, "{said}");
    assert_eq!(said["unhalted"][0]["because"], "disk replaced", "{said}");
}

/// What a service says first; then it is ended.
fn serve(data: &Path, key: &str, consortium: &Path) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(["--json", "serve", "--origin", ORIGIN])
        .args(["--listen", "127.0.0.1:0", "--log-key", key])
        .arg("--data")
        .arg(data)
        .arg("--consortium")
        .arg(consortium)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let mut said = serde_json::Deserializer::from_reader(out).into_iter();
    let first = said.next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    first
}

#[cfg(unix)]
#[test]
fn a_service_that_is_still_opening_ends_in_order() {
    let keys = tempfile::tempdir().unwrap();
    let log = keys.path().join("log.key");
    fs::write(&log, hex(&key(102).to_bytes()) + "\n").unwrap();
    let first = keys.path().join("first.json");
    fs::write(&first, crate::world::consortium().bytes()).unwrap();
    // A database that never answers: the service is opening it for as long as it lives.
    let database = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://x@{}/x", database.local_addr().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(["serve", "--origin", ORIGIN, "--listen", "127.0.0.1:0"])
        .args(["--database-url", &url])
        .arg("--log-key")
        .arg(&log)
        .arg("--data")
        .arg(keys.path().join("data"))
        .arg("--consortium")
        .arg(&first)
        .spawn()
        .unwrap();
    let _held = database.accept().unwrap();
    let terminated = Command::new("kill").arg(child.id().to_string()).status();
    assert!(terminated.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_consortium_is_that_of_entry_0_or_refused() {
    let rest = Rest::new();
    let other = consortium_named("Another");
    let path = rest.keys.path().join("other.json");
    fs::write(&path, other.bytes()).unwrap();
    let refused = serve(rest.data.path(), &rest.key("log.key"), &path);
    let error = refused["error"].as_str().expect("an error");
    assert!(error.contains("began with another statement"), "{error}");
    let first = rest.keys.path().join("first.json");
    fs::write(&first, crate::world::consortium().bytes()).unwrap();
    let begun = serve(rest.data.path(), &rest.key("log.key"), &first);
    assert!(begun["url"].is_string(), "{begun}");
}

#[test]
fn a_consortium_of_another_log_begins_none() {
    let rest = Rest::new();
    let data = tempfile::tempdir().unwrap();
    let first = rest.keys.path().join("first.json");
    fs::write(&first, crate::world::consortium().bytes()).unwrap();
    let refused = serve(data.path(), &rest.key("other.key"), &first);
    let error = refused["error"].as_str().expect("an error");
    assert!(error.contains("is for the log"), "{error}");
}

#[test]
fn an_address_in_use_is_told_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let listen = format!("localhost:{port}");
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(["--json", "demo", "--serve", "--listen", &listen])
        .arg("--cache")
        .arg(folder.path().join("params"))
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    // Before any long work.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = said["error"].as_str().unwrap();
    assert!(error.contains("choose another --listen"), "{error}");
}

#[test]
fn a_wrong_key_for_evidence_is_told() {
    let (world, receipt) = answered();
    let other = LogKey::new(ORIGIN, key(103)).unwrap();
    let other = other.verifier().encoded();
    let out = world.files().join("never.galen").display().to_string();
    let index = receipt["index"].to_string();
    let from = &world.url;
    let gather = [
        "evidence",
        &index,
        "--from",
        from,
        "--log-key",
        &other,
        "--out",
        &out,
    ];
    let (ok, said) = galen(&gather);
    assert!(!ok);
    assert_eq!(said["kind"], "ledger.AnotherLog", "{said}");
    // A path behind the URL, and a service's folder in the place of its files.
    let long = format!("{from}/v1");
    let (_, said) = galen(&["evidence", &index, "--from", &long, "--out", &out]);
    assert!(
        said["error"].as_str().unwrap().contains("without a path"),
        "{said}"
    );
    let folder = world.files().parent().unwrap().display().to_string();
    let (_, said) = galen(&[
        "evidence",
        &index,
        "--from",
        &folder,
        "--log-key",
        &other,
        "--out",
        &out,
    ]);
    assert!(said["error"].as_str().unwrap().contains("/files"), "{said}");
}
