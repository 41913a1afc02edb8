//! Keys and signed statements: what is checked before anything is signed, and what stands in the files.

use std::{fs, path::Path};

use galen_ledger::{
    entry::Envelope,
    statement::{Consortium, Statement},
};
use galen_query::text::from_hex;
use tempfile::TempDir;

use crate::study::{ok, ok_json, refused, run, strings};

const ORIGIN: &str = "ledger.example/heart";

/// A folder with a steward's and the log's key.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for name in ["steward.key", "second.key", "log.key"] {
            ok(&["key", "--new", &desk.path(name)]);
        }
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// What `galen key` prints of a key, in a file.
    fn shown(&self, name: &str, more: &[&str]) -> String {
        let key = self.path(name);
        let text = ok(&[&["key", &key], more].concat());
        let path = self.path(&name.replace(".key", ".pub"));
        fs::write(&path, text).unwrap();
        path
    }

    fn consortium(&self, more: &[&str]) -> Vec<String> {
        let (key, log) = (self.path("steward.key"), self.path("log.key"));
        let mut args = strings(&["publish", "consortium", "--name", "Heart", "--key", &key]);
        args.extend(strings(&["--log-key", &log, "--origin", ORIGIN]));
        args.extend(strings(more));
        args
    }

    fn member(&self, key: &str, more: &[&str]) -> Vec<String> {
        let mut args = strings(&["publish", "member", "--name", "A", "--role", "hospital"]);
        let steward = self.path("steward.key");
        args.extend(strings(&["--member-key", key, "--key", &steward]));
        args.extend(strings(more));
        args
    }
}

fn read(path: &str) -> (Envelope, Statement) {
    let envelope = Envelope::parse(&fs::read(path).unwrap()).unwrap();
    let statement = Statement::read(&envelope).unwrap();
    (envelope, statement)
}

fn consortium(path: &str) -> Consortium {
    let (_, Statement::Consortium(consortium)) = read(path) else {
        panic!("another kind")
    };
    consortium
}

#[test]
fn a_consortium_begins_from_key_files_or_their_public_halves() {
    let desk = Desk::new();
    let steward = ok_json(&["key", &desk.path("steward.key")]);
    let log = ok_json(&["key", &desk.path("log.key"), "--origin", ORIGIN]);
    let public = steward["public_key"].as_str().unwrap();
    let (steward_pub, log_pub) = (
        desk.shown("steward.key", &[]),
        desk.shown("log.key", &["--origin", ORIGIN]),
    );
    let file = desk.path("steward.key");
    for (number, given) in [public, &file, &steward_pub].into_iter().enumerate() {
        let out = desk.path(&format!("{number}.json"));
        ok(&desk.consortium(&["--steward", given, "--out", &out]));
        let made = consortium(&out);
        assert_eq!(made.stewards, [public]);
        assert_eq!(made.log, log["log_key"].as_str().unwrap());
    }
    let out = desk.path("by-public.json");
    let mut args = desk.consortium(&["--steward", public, "--out", &out]);
    let at = args.iter().position(|a| a == "--log-key").unwrap();
    args[at + 1] = log_pub;
    ok(&args);
    assert_eq!(consortium(&out).log, log["log_key"].as_str().unwrap());
}

#[test]
fn no_consortium_is_signed_that_no_ledger_takes() {
    let desk = Desk::new();
    let own = desk.path("steward.key");
    let (second, out) = (desk.path("second.key"), desk.path("never.json"));
    let weak = format!("01{}", "0".repeat(62));
    let cases: [(&[&str], &str, &str); 7] = [
        (&["--steward", "abc"], "usage.Key", "64 lower-case hex"),
        (&["--steward", &weak], "usage.Key", "64 lower-case hex"),
        (
            &["--steward", &own, "--steward", &own],
            "usage.Stewards",
            "twice",
        ),
        (
            &["--steward", &own, "--threshold", "2"],
            "usage.Stewards",
            "which is 1",
        ),
        (
            &["--steward", &own, "--threshold", "0"],
            "usage.Stewards",
            "--threshold 0",
        ),
        (
            &["--steward", &second],
            "usage.Stewards",
            "is no --steward's",
        ),
        (
            &["--steward", &own, "--version", "0"],
            "usage.Stewards",
            "version 1",
        ),
    ];
    for (more, kind, part) in cases {
        let (got, error) = refused(&desk.consortium(&[more, &["--out", &out]].concat()));
        assert_eq!(got, kind, "{more:?}");
        assert!(error.contains(part), "{more:?}: {error}");
    }
    let mut nameless = desk.member(&own, &["--out", &out]);
    let at = nameless.iter().position(|a| a == "A").unwrap();
    nameless[at].clear();
    assert_eq!(refused(&nameless).0, "ledger.Entry");
    assert_eq!(
        refused(&desk.member("nonsense", &["--out", &out])).0,
        "usage.Key"
    );
    assert!(!Path::new(&out).exists());
}

#[test]
fn a_log_has_a_name_and_no_url() {
    let desk = Desk::new();
    for bad in ["https://ledger.example", "a b", "a+b", ""] {
        let output = run(&["key", &desk.path("log.key"), "--origin", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("a host and a path"), "{error}");
    }
    let (own, out) = (desk.path("steward.key"), desk.path("never.json"));
    let log_pub = desk.shown("log.key", &["--origin", "another.example/log"]);
    let mut args = desk.consortium(&["--steward", &own, "--out", &out]);
    let at = args.iter().position(|a| a == "--log-key").unwrap();
    args[at + 1] = log_pub;
    assert_eq!(refused(&args).0, "usage.LogKey");
}

#[test]
fn the_second_steward_adds_to_the_same_statement_only() {
    let desk = Desk::new();
    let (one, two) = (desk.path("steward.key"), desk.path("second.key"));
    let out = desk.path("signed.json");
    let both = ["--steward", &one, "--steward", &two, "--threshold", "2"];
    let said = ok(&desk.consortium(&[&both[..], &["--out", &out]].concat()));
    assert!(said.contains("1 steward more must sign"), "{said}");
    let mut second = desk.consortium(&[&both[..], &["--add-to", &out]].concat());
    let at = second.iter().position(|a| a == "--key").unwrap();
    second[at + 1].clone_from(&two);
    let mut other = second.clone();
    let last = other.iter().rposition(|a| a == "2").unwrap();
    other[last] = "1".into();
    let (kind, error) = refused(&other);
    assert_eq!(kind, "usage.AddTo");
    assert!(
        error.contains("its `threshold` is 2, and here 1"),
        "{error}"
    );
    let (kind, error) = refused(&desk.member(&one, &["--add-to", &out]));
    assert_eq!(kind, "usage.AddTo");
    assert!(
        error.contains("its kind is consortium, and here member"),
        "{error}"
    );
    // Without --out and --to the file itself gets the signature.
    ok(&second);
    assert_eq!(read(&out).0.signers().count(), 2);
}

#[test]
fn a_key_may_come_by_the_environment() {
    let desk = Desk::new();
    let out = desk.path("signed.json");
    let mut args = desk.member(&desk.path("second.key"), &["--out", &out]);
    let at = args.iter().position(|a| a == "--key").unwrap();
    let key = args[at + 1].clone();
    args.drain(at..at + 2);
    let mut command = crate::study::command();
    let output = command.args(&args).env("GALEN_KEY", key).output().unwrap();
    assert!(output.status.success());
    assert!(Path::new(&out).exists());
}

#[test]
fn inspect_shows_statements_and_keys_but_no_secret() {
    let desk = Desk::new();
    let out = desk.path("signed.json");
    ok(&desk.member(&desk.path("second.key"), &["--out", &out]));
    let steward = ok_json(&["key", &desk.path("steward.key")]);
    let shown = ok_json(&["inspect", &out]);
    assert_eq!(
        (&shown["kind"], &shown["states"]),
        (&"statement".into(), &"member".into())
    );
    assert_eq!(shown["signers"][0], steward["key_id"]);
    assert_eq!(shown["payload"]["name"], "A");
    assert!(ok(&["inspect", &out]).contains("\"role\": \"hospital\""));

    let key = desk.path("steward.key");
    let secret = fs::read_to_string(&key).unwrap();
    assert!(from_hex::<32>(secret.trim()).is_some());
    let text = ok(&["inspect", &key]) + &ok_json(&["inspect", &key]).to_string();
    assert!(
        text.contains(steward["public_key"].as_str().unwrap()),
        "{text}"
    );
    assert!(!text.contains(secret.trim()), "{text}");
}

#[test]
fn what_is_no_key_is_told() {
    let desk = Desk::new();
    let readme = desk.path("README.md");
    fs::write(&readme, "# Galen\n").unwrap();
    let (kind, error) = refused(&["key", &readme]);
    assert_eq!(kind, "dataset.Key");
    assert!(
        error.contains("is no signing key") && !error.contains("--key"),
        "{error}"
    );
    let evidence = desk.path("answer.galen");
    fs::write(&evidence, "{}").unwrap();
    let verify = |key: &str| refused(&["verify", &evidence, "--log-key", key]);
    let (kind, error) = verify("nofile.pub");
    assert_eq!(kind, "io.NotFound");
    assert!(error.contains("there is no such file"), "{error}");
    let (kind, error) = verify(&desk.path("log.key"));
    assert_eq!(kind, "usage.LogKey");
    assert!(error.contains("is a signing key"), "{error}");
    let (kind, error) = refused(&["verify", &readme]);
    assert_eq!(kind, "Json");
    assert!(error.contains("is no evidence file (.galen)"), "{error}");
}

/// A bare public key in a file looks like a signing key: taken for one, it would admit a key that nobody has.
#[cfg(unix)]
#[test]
fn digits_that_may_be_public_are_not_taken_for_a_secret() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let public = ok_json(&["key", &desk.path("second.key")]);
    let (file, out) = (desk.path("bare.pub"), desk.path("never.json"));
    fs::write(&file, public["public_key"].as_str().unwrap()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (kind, error) = refused(&desk.member(&file, &["--out", &out]));
    assert_eq!(kind, "usage.Key");
    assert!(error.contains("or a public key?"), "{error}");
}
