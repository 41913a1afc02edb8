//! Copies of a ledger: whole, of one past, and loud about a log that has two or breaks its rules.

use std::{
    fs,
    path::{Path, PathBuf},
};

use galen_ledger::{
    entry::Entry,
    statement::{Member, Role, Statement},
    tiles::Edge,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    reading::{answered, galen, gather_from_copy},
    world::{World, consortium, key, log_key, public, steward},
};

fn member(number: u32) -> Statement {
    let seed = u8::try_from(number % 90).unwrap();
    Statement::Member(Member {
        name: format!("m{number}"),
        role: Role::Hospital,
        key: public(&key(seed)),
    })
}

struct Copied {
    folder: TempDir,
}

impl Copied {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn text(&self) -> String {
        self.path().display().to_string()
    }

    fn follow(&self, from: &str) -> (bool, Value) {
        let key = log_key().verifier().encoded();
        galen(&["mirror", from, "--data", &self.text(), "--log-key", &key])
    }

    fn follows(&self, from: &str) -> Value {
        let (ok, said) = self.follow(from);
        assert!(ok, "{said}");
        said
    }

    /// Evidence of the answer of this receipt comes from the copy.
    fn evidence(&self, receipt: &Value) {
        let out = self.folder.path().join("answer.galen");
        let digest = receipt["digest"].as_str().unwrap();
        gather_from_copy(digest, &self.text(), &out.display().to_string());
    }

    fn refuses(&self, from: &str) -> Value {
        let (ok, said) = self.follow(from);
        assert!(!ok, "{said}");
        said
    }
}

/// Every file of a folder but the keeper's own.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_copy_grows_with_the_log_and_serves_as_well() {
    let world = World::new();
    let copy = Copied::new();
    let said = copy.follows(&world.url);
    assert_eq!(
        (&said["entries"], &said["new_entries"]),
        (&1.into(), &1.into())
    );
    for number in 1..=80 {
        world.recorded("members", &member(number), &steward());
    }
    let said = copy.follows(&world.url);
    assert_eq!(
        (&said["entries"], &said["new_entries"]),
        (&81.into(), &80.into())
    );
    assert_eq!(copy.follows(&world.url)["new_entries"], 0);
    let second = Copied::new();
    assert_eq!(second.follows(&copy.text())["new_entries"], 81);
    world.stop_clean();
}

#[test]
fn evidence_comes_from_a_copy_too() {
    let (world, receipt) = answered();
    let copy = Copied::new();
    let said = copy.follows(&world.url);
    assert!(said["new_files"].as_u64().unwrap() >= 5, "{said}");
    // What the service has written of tiles and files, the copy has made or fetched.
    let own = files(&copy.path());
    for kept in files(&world.files()) {
        let partial = kept.0.to_string_lossy().contains(".p/");
        let staged = kept.0.starts_with("staged");
        assert!(partial || staged || own.contains(&kept), "{:?}", kept.0);
    }
    copy.evidence(&receipt);
}

/// The checkpoint of another past that a run has kept.
fn fork_of(copy: &Copied, size: u64) -> PathBuf {
    let begin = format!("fork-{size}-");
    let mut entries = fs::read_dir(copy.path()).unwrap().map(|e| e.unwrap());
    let found = entries.find(|e| e.file_name().to_string_lossy().starts_with(&begin));
    found.unwrap().path()
}

#[test]
fn another_past_is_found_out() {
    let (one, other) = (World::new(), World::new());
    one.recorded("members", &member(1), &steward());
    other.recorded("members", &member(2), &steward());
    let copy = Copied::new();
    copy.follows(&one.url);
    let before = files(&copy.path());
    // Of the same size, larger, and smaller than the copy.
    for (size, more) in [(2, 0), (4, 2)] {
        for number in 0..more {
            other.recorded("members", &member(10 + number), &steward());
        }
        assert_eq!(copy.refuses(&other.url)["kind"], "ledger.Fork");
        let text = fs::read(fork_of(&copy, size)).unwrap();
        assert_eq!(log_key().verifier().open(&text).unwrap().size, size);
    }
    for number in 20..24 {
        one.recorded("members", &member(number), &steward());
    }
    let forked = |said: Value| {
        let findings = said["findings"].as_array().unwrap().iter();
        findings
            .filter(|f| f.as_str().unwrap().contains("another past"))
            .count()
    };
    // It grows with the first one, and does not forget the other.
    assert_eq!(forked(copy.refuses(&one.url)), 2);
    assert_eq!(copy.refuses(&other.url)["kind"], "ledger.Fork");
    let said = copy.refuses(&one.url);
    assert_eq!(said["entries"], 6);
    assert_eq!(forked(said), 2);
    for size in [2, 4] {
        fs::remove_file(fork_of(&copy, size)).unwrap();
    }
    assert_eq!(copy.follows(&one.url)["new_entries"], 0);
    let stray = copy.path().join("fork-x.checkpoint");
    fs::write(&stray, "mine").unwrap();
    let said = copy.refuses(&one.url).to_string();
    assert!(said.contains("is no checkpoint of this log"), "{said}");
    fs::remove_file(stray).unwrap();
    let own = files(&copy.path());
    for kept in before {
        assert!(kept.0 == Path::new("checkpoint") || own.contains(&kept));
    }
}

#[test]
fn a_damaged_source_is_no_other_past() {
    let world = World::new();
    let (source, copy, late) = (Copied::new(), Copied::new(), Copied::new());
    copy.follows(&world.url);
    world.recorded("members", &member(1), &steward());
    source.follows(&world.url);
    let bundle = source.path().join("tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    for copy in [&copy, &late] {
        assert_eq!(copy.refuses(&source.text())["kind"], "ledger.Source");
        // Nothing of it was taken.
        assert_eq!(copy.follows(&world.url)["entries"], 2);
    }
}

#[test]
fn an_entry_that_may_not_stand_hides_no_other() {
    let (world, receipt) = answered();
    let copy = Copied::new();
    copy.follows(&world.url);
    // The log's keeper takes what nobody may say; the key is the log's own.
    let mut entries = Vec::new();
    for index in 0..world.size() {
        let entry = world.get(&format!("/v1/entries/{index}")).json();
        entries.push(entry["envelope"].as_str().unwrap().as_bytes().to_vec());
    }
    entries.insert(1, b"{}".to_vec());
    write_log(&copy.path(), &entries);
    copy.evidence(&receipt);
}

#[test]
fn an_older_checkpoint_of_the_same_past_changes_nothing() {
    let world = World::new();
    let (early, late) = (Copied::new(), Copied::new());
    early.follows(&world.url);
    world.recorded("members", &member(1), &steward());
    late.follows(&world.url);
    let said = late.follows(&early.text());
    assert_eq!(
        (&said["entries"], &said["new_entries"]),
        (&2.into(), &0.into())
    );
}

#[test]
fn a_damaged_copy_is_no_copy() {
    let world = World::new();
    world.recorded("members", &member(1), &steward());
    let copy = Copied::new();
    copy.follows(&world.url);
    let bundle = copy.path().join("tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert_eq!(copy.refuses(&world.url)["kind"], "ledger.Damaged");
}

#[test]
fn a_file_that_is_missing_is_told_and_asked_for_again() {
    let (world, _) = answered();
    let (first, second) = (Copied::new(), Copied::new());
    first.follows(&world.url);
    let blobs: Vec<PathBuf> = files(&first.path())
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("blobs"))
        .collect();
    let (lost, changed) = (first.path().join(&blobs[0]), first.path().join(&blobs[1]));
    fs::remove_file(&lost).unwrap();
    let mut bytes = fs::read(&changed).unwrap();
    bytes[0] ^= 1;
    fs::write(&changed, bytes).unwrap();
    let said = second.refuses(&first.text());
    assert_eq!(said["missing"].as_array().unwrap().len(), 2, "{said}");
    let said = second.follows(&world.url);
    assert_eq!(
        (&said["new_entries"], &said["new_files"]),
        (&0.into(), &2.into())
    );
    // The damaged copy mends itself, too.
    assert_eq!(first.follows(&world.url)["new_files"], 2);
}

/// A log whose keeper took what the rules forbid, with the keeper's good signature.
fn against_the_rules(folder: &Path) {
    let stranger = key(77);
    let entries = [
        consortium().bytes().to_vec(),
        Entry::state(&member(1), &[&stranger])
            .unwrap()
            .bytes()
            .to_vec(),
        b"{}".to_vec(),
        Entry::state(&member(2), &[&steward()])
            .unwrap()
            .bytes()
            .to_vec(),
    ];
    write_log(folder, &entries);
}

fn write_log(folder: &Path, entries: &[Vec<u8>]) {
    let mut edge = Edge::new();
    for entry in entries {
        edge.push(entry, &mut Vec::new()).unwrap();
    }
    for tile in edge.partials().unwrap() {
        let path = folder.join(tile.path.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, tile.bytes).unwrap();
    }
    let checkpoint = log_key().sign(edge.size(), &edge.root()).unwrap();
    fs::write(folder.join("checkpoint"), checkpoint).unwrap();
}

#[test]
fn a_log_that_breaks_its_rules_is_kept_and_told() {
    let source = tempfile::tempdir().unwrap();
    against_the_rules(source.path());
    let copy = Copied::new();
    // Whoever looks again is told again.
    for new in [4, 0] {
        let said = copy.refuses(&source.path().display().to_string());
        assert_eq!(
            (&said["entries"], &said["new_entries"]),
            (&4.into(), &new.into())
        );
        let findings = said["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 2, "{said}");
        assert!(findings[0].as_str().unwrap().starts_with("entry 1: "));
        assert!(findings[1].as_str().unwrap().starts_with("entry 2: "));
    }
}
