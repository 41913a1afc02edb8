//! What is asked on a ledger, as `galen queries` shows it; and what `galen publish` says of keys.

use std::{fs, path::Path, process::Command};

use galen_ledger::statement::{Blob, Member, Revocation, Role, Statement};
use galen_query::{question::Question, text::hex};
use serde_json::{Value, json};

use crate::{
    hospital::{FIRST, SQL, question},
    reading::{answered, galen},
    world::{World, key, log_key, public, steward},
};

#[test]
fn queries_are_listed_and_taken_from_the_service_and_from_a_copy() {
    let (world, receipt) = answered();
    let other = "SELECT count(*) FROM t";
    let digest = world.ask(other);
    let refusal = world.recorded("refusals", &FIRST.refusal(other), &FIRST.key);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (copy, log) = (path("copy"), log_key().verifier().encoded());
    let (ok, said) = galen(&["mirror", &world.url, "--data", &copy, "--log-key", &log]);
    assert!(ok, "{said}");
    for (number, from) in [&world.url, &copy].into_iter().enumerate() {
        let (ok, said) = galen(&["queries", "--from", from]);
        assert!(ok, "{said}");
        let queries = said["queries"].as_array().unwrap();
        assert_eq!(queries.len(), 2, "{said}");
        assert_eq!(queries[0]["digest"], hex(&question(SQL).digest()));
        let reply = |index: &Value| json!([{ "index": index, "hospital": "St. Test", "dataset": "main", "epoch": 1 }]);
        assert_eq!(queries[0]["answers"], reply(&receipt["index"]));
        assert_eq!(queries[0]["refusals"], json!([]));
        assert_eq!(queries[1]["answers"], json!([]));
        assert_eq!(queries[1]["refusals"], reply(&refusal["index"]));
        assert_eq!(queries[1]["researcher"], "R");
        let out = path(&format!("{number}.json"));
        let get = [
            "queries",
            "--from",
            from,
            "--get",
            &digest[..16],
            "--out",
            &out,
        ];
        let (ok, said) = galen(&get);
        assert!(ok, "{said}");
        let taken = Question::from_json(&fs::read(&out).unwrap()).unwrap();
        assert_eq!(hex(&taken.digest()), digest);
    }
    let out = path("never.json");
    for wrong in ["0123456789abcdef", "0123", &digest[..15]] {
        let get = [
            "queries", "--from", &world.url, "--get", wrong, "--out", &out,
        ];
        assert!(!galen(&get).0, "{wrong}");
    }
}

#[test]
fn what_answers_tell_together_is_found() {
    let world = World::begun();
    world.register(&FIRST);
    let answer = |sql: &str| {
        world.ask(sql);
        let bundle = FIRST.bundle(sql);
        world.put(&bundle);
        world.recorded("answers", &FIRST.answer(&bundle), &FIRST.key)["index"].clone()
    };
    let all = answer("SELECT count(*) AS patients FROM t");
    let audit = ["audit", "answers", "--from", &world.url];
    let (ok, said) = galen(&audit);
    assert!(ok, "{said}");
    let epoch = &said["epochs"][0];
    assert_eq!(epoch["answers"], json!([all]));
    assert_eq!(epoch["told"], json!([]));
    // All but six.
    let most =
        answer("SELECT count(*) AS most, b FROM t WHERE n < 395 AND b IS NOT NULL GROUP BY b");
    let (ok, said) = galen(&audit);
    assert!(ok && said["epochs"][0]["told"] == json!([]), "{said}");
    let sql = "SELECT count(*) AS most FROM t WHERE n < 395";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (query, bundle) = (path("query.json"), path("bundle.json"));
    fs::write(&query, serde_json::to_vec(&question(sql)).unwrap()).unwrap();
    fs::write(&bundle, FIRST.bundle(sql)).unwrap();
    let before = [&audit[..], &["--query", &query, "--bundle", &bundle]].concat();
    let (ok, said) = galen(&before);
    let who =
        format!("those of entry {all}, patients who are not among those of the bundle given, most");
    assert!(!ok && said["epochs"][0]["told"][0]["who"] == who, "{said}");
    let rest = answer(sql);
    let (ok, said) = galen(&before);
    assert!(!ok && said["kind"] == "audit.Answered", "{said}");
    let output = Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(audit)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    let told = format!(
        "6 patients: those of entry {all}, patients who are not among those of entry {rest}, most"
    );
    assert!(text.contains(&told), "{text}");
    let (ok, said) = galen(&[&audit[..], &["--dataset", "main"]].concat());
    let epoch = &said["epochs"][0];
    assert!(
        !ok && epoch["answers"] == json!([all, most, rest]),
        "{said}"
    );
    let told = &epoch["told"][0];
    assert_eq!(json!([told["at_least"], told["at_most"]]), json!([6, 6]));
    let (ok, said) = galen(&[&audit[..], &["--dataset", "other"]].concat());
    assert!(!ok && said["kind"] == "ledger.NotFound", "{said}");
}

/// Something told, something that could not be read, and neither are told apart by the exit status.
#[test]
fn an_audit_that_could_not_look_is_told_from_one_that_found_something() {
    let (world, _) = answered();
    let other = "SELECT count(*) AS young FROM t WHERE n < 300";
    world.ask(other);
    let bundle = FIRST.bundle(other);
    world.put(&bundle);
    let unread = world.recorded("answers", &FIRST.answer(&bundle), &FIRST.key);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (copy, log) = (path("copy"), log_key().verifier().encoded());
    let (ok, said) = galen(&["mirror", &world.url, "--data", &copy, "--log-key", &log]);
    assert!(ok, "{said}");
    let audit = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_galen"))
            .args(["audit", "answers", "--from", &copy])
            .args(more)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (status, said) = audit(&[]);
    assert_eq!(status, Some(0), "{said}");
    let said: Vec<&str> = said.split_whitespace().collect();
    let said = said.join(" ");
    let why = "pairs of counts name together, since no count ties their columns together";
    assert!(said.contains(why), "{said}");
    assert_eq!(audit(&["--dataset", "other"]).0, Some(1));
    assert_eq!(audit(&["--data"]).0, Some(2));
    let digest = Blob::of(&bundle).sha256;
    let blobs = Path::new(&copy).join("blobs").join(&digest[..2]);
    fs::remove_file(blobs.join(&digest)).unwrap();
    let (status, said) = audit(&[]);
    assert_eq!(status, Some(1), "{said}");
    // What could be read was looked at.
    assert!(said.contains("1 answer, k = 11"), "{said}");
    let unread = format!("not looked at: the answer in entry {}", unread["index"]);
    assert!(said.contains(&unread), "{said}");
}

#[test]
fn a_query_comes_with_where_its_answers_will_be_and_a_revoked_key_stays_revoked() {
    let world = World::begun();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, seed) in [("steward", 100), ("researcher", 101), ("late", 7)] {
        fs::write(path(name), hex(&key(seed).to_bytes()) + "\n").unwrap();
    }
    let query = path("query.json");
    fs::write(&query, serde_json::to_vec(&question(SQL)).unwrap()).unwrap();
    let (researcher, to) = (path("researcher"), world.url.as_str());
    let (ok, said) = galen(&[
        "publish",
        "query",
        "--query",
        &query,
        "--key",
        &researcher,
        "--to",
        to,
    ]);
    assert!(ok, "{said}");
    let results = said["results"].as_str().unwrap();
    let digest = hex(&question(SQL).digest());
    assert_eq!(results, format!("{to}/v1/queries/{digest}/results"));

    let (late, by) = (public(&key(7)), path("steward"));
    let admit = [
        "publish",
        "member",
        "--name",
        "L",
        "--role",
        "researcher",
        "--member-key",
        &late,
        "--key",
        &by,
        "--to",
        to,
    ];
    for _ in 0..2 {
        let (ok, said) = galen(&admit);
        assert!(ok, "{said}");
    }
    let revocation = Statement::Revocation(Revocation {
        key: late.clone(),
        reason: "left".into(),
    });
    let receipt = world.recorded("revocations", &revocation, &steward());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_galen"))
        .args(admit)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    let part = format!("was revoked by entry {}", receipt["index"]);
    assert!(error.contains(&part), "{error}");
}

#[test]
fn an_announced_query_is_shown_to_be_its_announcers_though_another_registered_it() {
    let world = World::begun();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let keep = path("announced.json");
    // Ada is the copied one: R is who registers her query first.
    let ada = key(77);
    let admitted = Statement::Member(Member {
        name: "Ada".into(),
        role: Role::Researcher,
        key: public(&ada),
    });
    world.recorded("members", &admitted, &steward());
    fs::write(path("ada.key"), hex(ada.as_bytes()) + "\n").unwrap();
    fs::write(
        path("query.json"),
        serde_json::to_vec(&question(SQL)).unwrap(),
    )
    .unwrap();
    let publish = |words: &[&str]| {
        let (key, url) = (path("ada.key"), world.url.as_str());
        galen(&[&["publish"], words, &["--key", &key, "--to", url]].concat())
    };
    let query = path("query.json");
    let announce = |researcher: &str| {
        let words = [
            "--query",
            &query,
            "--researcher",
            researcher,
            "--keep",
            &keep,
        ];
        publish(&[&["announcement"], &words[..]].concat())
    };
    let (ok, first) = announce("Ada");
    assert!(ok, "{first}");
    let entry = &first["receipt"]["index"];
    // Once more, with what was kept: the same announcement.
    let (ok, again) = announce("Ada");
    assert!(ok && again["receipt"]["index"] == *entry, "{again}");
    assert!(!announce("Bob").0, "what was kept is Ada's");
    let secret: Value = serde_json::from_slice(&fs::read(&keep).unwrap()).unwrap();
    let recorded = world.get(&format!("/v1/entries/{entry}")).text();
    for hidden in ["query", "salt"] {
        let hidden = secret[hidden].as_str().unwrap();
        assert!(!recorded.contains(hidden), "{recorded}");
    }
    let disclose = || publish(&["disclosure", "--announced", &keep]);
    assert!(!disclose().0, "the query is not registered yet");
    let digest = world.ask(SQL);
    let (ok, said) = disclose();
    assert!(ok, "{said}");

    let copy = path("copy");
    let log = log_key().verifier().encoded();
    let (ok, said) = galen(&["mirror", &world.url, "--data", &copy, "--log-key", &log]);
    assert!(ok, "{said}");
    for from in [&world.url, &copy] {
        let (ok, said) = galen(&["queries", "--from", from]);
        assert!(ok, "{said}");
        assert_eq!(said["queries"][0]["researcher"], "R");
        let announced =
            json!([{ "index": entry, "researcher": "Ada", "before_registration": true }]);
        assert_eq!(said["queries"][0]["announced"], announced);
    }
    let results = world.get(&format!("/v1/queries/{digest}/results")).json();
    assert_eq!(results["announced"][0]["researcher"], "Ada");
    assert_eq!(results["announced"][0]["index"], *entry);
    assert_eq!(results["announced"][0]["before_registration"], true);
    let page = world.get_as(&format!("/v1/queries/{digest}/results"), "text/html");
    let page = page.text();
    assert!(page.contains("Announced by Ada"), "{page}");
    assert!(page.contains("before it was registered"), "{page}");
    world.stop_clean();
}
