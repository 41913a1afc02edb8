//! Crashes, damaged files and full disks: what is refused, what is repaired, and that nothing half
//! done is ever taken for whole.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use galen_circuits::{batch::Check, class::Size};
use galen_params::{ParameterStore, ParamsError, Shape, Silent, development_folder};
use galen_prover::{
    ProverError,
    dataset::{CommittedDataset, load_or_create_key, read_public, read_registration},
    execute::answer,
};
use galen_tests::{
    Hospital, Setup, ask,
    hospital::copy_folder,
    keys,
    keys::{N, another_set, copied_set, forget, forget_all},
};
use galen_verifier::VerifyError;

const REGISTRY: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "n"
type = "number"
min = 0
max = 600
"#;

const SQL: &str = "SELECT count(*) FROM t WHERE n > 100";

fn csv(rows: usize) -> String {
    let rows: String = (0..rows)
        .map(|i| format!("p{i},true,{}\n", i % 600))
        .collect();
    format!("pid,consent,n\n{rows}")
}

/// Of two chunks.
fn hospital() -> Hospital {
    Setup::new(&csv(N + 20), REGISTRY).commit()
}

/// The dataset's files of sums by value, which registration leaves there.
fn sums(h: &Hospital) -> Vec<PathBuf> {
    let folder = h.dataset.folder().join("secret/sums");
    names(&folder).iter().map(|n| folder.join(n)).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Flips a bit in the middle of a file.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn refused(h: &Hospital) -> ProverError {
    answer(&h.dataset, &h.question(SQL), keys(), &Silent).unwrap_err()
}

#[test]
fn what_a_crashed_commit_left_is_cleared() {
    let home = tempfile::tempdir().unwrap();
    let left = home.path().join(".dataset.partial-Xy12");
    fs::create_dir_all(left.join("secret")).unwrap();
    fs::write(left.join("secret/base-00000"), "half a chunk").unwrap();
    // Another dataset's is none of our business.
    fs::create_dir(home.path().join(".other.partial-Xy12")).unwrap();
    let table = home.path().join("table.csv");
    fs::write(&table, csv(3)).unwrap();
    let h = Setup::new("", REGISTRY).commit_file(home, &table);
    assert_eq!(
        names(h.home()),
        [".other.partial-Xy12", "dataset", "table.csv"]
    );
    let _ = ask(&h, SQL);
}

#[test]
fn a_dataset_is_never_overwritten() {
    let h = hospital();
    let before = names(h.dataset.folder());
    let setup = Setup::new("", REGISTRY);
    let table = h.home().join("table.csv");
    match setup
        .try_commit(&table, h.dataset.folder(), keys())
        .unwrap_err()
    {
        ProverError::Exists { path } => assert_eq!(path, h.dataset.folder()),
        other => panic!("{other}"),
    }
    assert_eq!(names(h.dataset.folder()), before);
    // Not even an empty folder, or a file.
    let empty = h.home().join("empty");
    fs::create_dir(&empty).unwrap();
    let e = setup.try_commit(&table, &empty, keys()).unwrap_err();
    assert!(matches!(e, ProverError::Exists { .. }), "{e}");
    let e = setup.try_commit(&table, &table, keys()).unwrap_err();
    assert!(matches!(e, ProverError::Exists { .. }), "{e}");
}

#[test]
fn a_refused_table_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("table.csv");
    // The mistake stands in the second chunk.
    fs::write(&table, csv(N + 10) + "late,true,601\n").unwrap();
    let out = home.path().join("dataset");
    let e = Setup::new("", REGISTRY)
        .try_commit(&table, &out, keys())
        .unwrap_err();
    assert!(matches!(e, ProverError::Table(_)), "{e}");
    let line = (N + 12).to_string();
    assert!(e.to_string().contains(&line), "names the line: {e}");
    assert_eq!(names(home.path()), ["table.csv"]);
}

#[test]
fn a_table_that_is_too_long_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("table.csv");
    let capacity = Shape::ALL[0].capacity();
    fs::write(&table, csv(capacity + 1)).unwrap();
    let out = home.path().join("dataset");
    let e = Setup::new("", REGISTRY)
        .try_commit(&table, &out, keys())
        .unwrap_err();
    match e {
        ProverError::TooManyPatients { shape } => assert_eq!(shape, Shape::ALL[0]),
        other => panic!("{other}"),
    }
    assert_eq!(names(home.path()), ["table.csv"]);
}

#[test]
fn torn_sums_are_made_anew() {
    let h = hospital();
    let first = ask(&h, SQL);
    let files = sums(&h);
    // Of n in two chunks: registration and query look it up alike.
    assert_eq!(files.len(), 2, "{files:?}");
    for file in &files {
        let whole = fs::read(file).unwrap();
        for torn in 0..4 {
            match torn {
                0 => fs::write(file, &whole[..whole.len() / 2]).unwrap(),
                1 => fs::write(file, "").unwrap(),
                2 => damage(file),
                _ => fs::remove_file(file).unwrap(),
            }
            let again = ask(&h, SQL);
            assert_eq!(again.answer, first.answer);
            assert_eq!(fs::read(file).unwrap(), whole, "they are kept again");
        }
    }
    assert_eq!(sums(&h), files);
    // Another query has others beside them.
    let _ = ask(&h, "SELECT count(*) FROM t WHERE n > 200");
    assert_eq!(sums(&h), files, "the same column by the same values");
}

/// Both queries count bits that add up to e + b.known + n.known: three, and four of which two make b.known. The key is
/// one, and the tables are of 4 and of 5 entries.
#[test]
fn a_query_is_answered_whatever_was_asked_before() {
    const COLUMNS: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "c"
type = "boolean"

[[column]]
name = "d"
type = "boolean"

[[column]]
name = "e"
type = "boolean"

[[column]]
name = "b"
type = "boolean"
nullable = true

[[column]]
name = "n"
type = "number"
min = 0
max = 600
nullable = true
"#;
    let of_four = "SELECT sum(n * n) FILTER (WHERE b) FROM t WHERE c AND d AND e AND NOT b";
    let of_three = "SELECT count(*) FROM t WHERE e OR b IS NOT NULL OR n IS NOT NULL";
    let rows: String = (0..300)
        .map(|i| {
            let b = ["true", "false", ""][i % 3];
            format!(
                "p{i},true,{},{},{},{b},{i}\n",
                i % 2 == 0,
                i % 5 == 0,
                i % 7 == 0
            )
        })
        .collect();
    let csv = format!("pid,consent,c,d,e,b,n\n{rows}");
    let answers = [[of_four, of_three], [of_three, of_four]].map(|order| {
        let h = Setup::new(&csv, COLUMNS).commit();
        let rows = order.map(|sql| ask(&h, sql).answer.rows);
        // And again, with the sums there.
        assert_eq!(order.map(|sql| ask(&h, sql).answer.rows), rows);
        rows
    });
    let [[four, three], [three_first, four_then]] = answers;
    assert_eq!((four, three), (four_then, three_first));
}

/// The sums are a cache, and the folder around them is too.
#[test]
fn a_dataset_without_its_sums_answers() {
    let h = hospital();
    let first = ask(&h, SQL);
    let folder = h.dataset.folder().join("secret/sums");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(ask(&h, SQL).answer, first.answer);
    fs::create_dir(&folder).unwrap();
    assert_eq!(ask(&h, SQL).answer, first.answer);
    assert_eq!(names(&folder).len(), 2);
}

/// Whole and sound in itself, but of the other chunk: no answer comes of it, and none that is false.
#[test]
fn exchanged_sums_make_no_answer() {
    let h = hospital();
    let first = ask(&h, SQL);
    let files = sums(&h);
    let whole = fs::read(&files[0]).unwrap();
    fs::copy(&files[1], &files[0]).unwrap();
    match refused(&h) {
        ProverError::Verify(VerifyError::Proof {
            what: "bundle",
            check: Check::Opening,
            ..
        }) => {}
        other => panic!("{other}"),
    }
    fs::write(&files[0], whole).unwrap();
    assert_eq!(ask(&h, SQL).answer, first.answer);
}

#[test]
fn a_dataset_without_its_registration_answers_nothing() {
    let h = hospital();
    let file = h.dataset.folder().join("registration.json");
    let whole = fs::read(&file).unwrap();
    let not_a_dataset = |word: &str| {
        // The manifest is whole: it is the answer that needs the registration.
        CommittedDataset::open(h.dataset.folder(), keys()).unwrap();
        for e in [
            refused(&h),
            read_registration(h.dataset.folder()).unwrap_err(),
        ] {
            match e {
                ProverError::NotADataset { path, why } => {
                    assert_eq!(path, h.dataset.folder());
                    assert!(why.starts_with("registration.json: "), "{why}");
                    assert!(why.contains(word), "{why}");
                }
                other => panic!("{other}"),
            }
        }
    };
    fs::remove_file(&file).unwrap();
    not_a_dataset("No such file");
    fs::write(&file, "").unwrap();
    not_a_dataset("EOF");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    not_a_dataset("EOF");
    // A registration as it was before its last byte was another one.
    let text = String::from_utf8(whole.clone()).unwrap();
    let at = text.rfind("\"]").unwrap() - 20;
    let other = if text[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    fs::write(&file, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    match refused(&h) {
        ProverError::Verify(VerifyError::Proof {
            what: "registration",
            check: Check::Opening,
            ..
        }) => {}
        other => panic!("{other}"),
    }
    // That of another epoch.
    let csv = csv(N + 20);
    let next = Setup {
        epoch: 2,
        ..Setup::new(&csv, REGISTRY)
    };
    let next = next.commit();
    fs::copy(next.dataset.folder().join("registration.json"), &file).unwrap();
    match refused(&h) {
        ProverError::Verify(VerifyError::AnotherDataset {
            what: "registration",
            ..
        }) => {}
        other => panic!("{other}"),
    }
    fs::write(&file, whole).unwrap();
    let _ = ask(&h, SQL);
}

#[test]
fn a_damaged_chunk_of_the_table_is_refused() {
    let h = hospital();
    let file = h.dataset.folder().join("secret/base-00001");
    let whole = fs::read(&file).unwrap();
    let check = |what: &str| match refused(&h) {
        ProverError::Damaged { path, why } => {
            assert_eq!(path, file, "{what}");
            assert!(why.contains("backup"), "{why}");
        }
        other => panic!("{what}: {other}"),
    };
    damage(&file);
    check("flipped bit");
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    check("truncated");
    fs::write(&file, "").unwrap();
    check("empty");
    fs::remove_file(&file).unwrap();
    match refused(&h) {
        ProverError::Io { path, .. } => assert_eq!(path, file),
        other => panic!("{other}"),
    }
    fs::write(&file, whole).unwrap();
    let _ = ask(&h, SQL);
}

/// The other chunk's file has a digest that fits; its commitments are not the manifest's. Nothing of it
/// may reach the sums, where it would outlive the repair.
#[test]
fn exchanged_chunks_of_the_table_are_refused() {
    let h = Setup::new(&csv(2 * N), REGISTRY).commit();
    for file in sums(&h) {
        fs::remove_file(file).unwrap();
    }
    let file = h.dataset.folder().join("secret/base-00000");
    let whole = fs::read(&file).unwrap();
    fs::copy(file.with_file_name("base-00001"), &file).unwrap();
    match refused(&h) {
        ProverError::Damaged { path, .. } => assert_eq!(path, file),
        other => panic!("{other}"),
    }
    assert!(sums(&h).is_empty());
    fs::write(&file, whole).unwrap();
    let _ = ask(&h, SQL);
}

#[test]
fn a_damaged_manifest_or_registry_is_refused() {
    let h = hospital();
    let manifest = h.dataset.folder().join("manifest.json");
    let whole = fs::read_to_string(&manifest).unwrap();
    let open = || CommittedDataset::open(h.dataset.folder(), keys()).unwrap_err();
    fs::write(&manifest, whole.replace("St. Test", "St. Else")).unwrap();
    let e = open();
    assert!(
        matches!(e, ProverError::Verify(VerifyError::ManifestSignature)),
        "{e}"
    );
    let not_a_dataset = |word: &str| match open() {
        ProverError::NotADataset { path, why } => {
            assert_eq!(path, h.dataset.folder());
            assert!(why.contains(word), "{why}");
        }
        other => panic!("{other}"),
    };
    fs::write(&manifest, &whole[..whole.len() / 2]).unwrap();
    not_a_dataset("manifest.json");
    fs::write(&manifest, &whole).unwrap();
    let registry = h.dataset.folder().join("registry.toml");
    fs::write(&registry, REGISTRY.replace("600", "700")).unwrap();
    let e = open();
    assert!(
        matches!(e, ProverError::Verify(VerifyError::Registry { .. })),
        "{e}"
    );
    fs::write(&registry, "[registry").unwrap();
    not_a_dataset("registry.toml");
}

#[test]
fn half_a_dataset_folder_is_none() {
    let h = hospital();
    fs::remove_file(h.dataset.folder().join("manifest.json")).unwrap();
    for folder in [h.dataset.folder(), h.home(), &h.home().join("nowhere")] {
        match CommittedDataset::open(folder, keys()).unwrap_err() {
            ProverError::NotADataset { path, .. } => assert_eq!(path, folder),
            other => panic!("{other}"),
        }
        let e = read_public(folder).unwrap_err();
        assert!(
            e.to_string().contains("galen commit"),
            "says what to do: {e}"
        );
    }
}

#[test]
fn a_damaged_signing_key_is_refused_and_not_replaced() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key");
    let key = load_or_create_key(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        load_or_create_key(&path).unwrap().to_bytes(),
        key.to_bytes()
    );
    for bad in [
        &text[..40],
        "",
        &text.replace(&text[..1], "x"),
        &format!("{text}{text}"),
    ] {
        fs::write(&path, bad).unwrap();
        let e = load_or_create_key(&path).unwrap_err();
        assert!(
            matches!(&e, ProverError::Key { path: p } if *p == path),
            "{e}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::remove_file(&path).unwrap();
        load_or_create_key(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
}

fn open(cache: &Path) -> Result<ParameterStore, ParamsError> {
    ParameterStore::open_development(cache, Shape::ALL[0], &Silent)
}

/// Opens a set and reads everything in it.
fn read(cache: &Path) -> Result<(), ParamsError> {
    let store = open(cache)?;
    store.srs()?;
    for size in Size::ALL {
        store.proving_key(size)?;
    }
    Ok(())
}

#[test]
fn damaged_parameters_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    let folder = copied_set(cache.path());
    let id = *keys().verifying().id();
    // Proving keys are made when they are first asked for.
    read(cache.path()).unwrap();
    for file in names(&folder) {
        // Secrets are read no more once their key is made.
        if file == "lock" || file == "index.json" || file.ends_with(".secret") {
            continue;
        }
        let path = folder.join(&file);
        let whole = fs::read(&path).unwrap();
        damage(&path);
        match read(cache.path()).unwrap_err() {
            ParamsError::Digest {
                path: p,
                expected,
                got,
            } => {
                assert_eq!(p, path);
                assert_ne!(expected, got);
            }
            other => panic!("{file}: {other}"),
        }
        fs::remove_file(&path).unwrap();
        match read(cache.path()).unwrap_err() {
            ParamsError::Io { path: p, .. } => assert_eq!(p, path),
            other => panic!("{file}: {other}"),
        }
        fs::write(&path, whole).unwrap();
    }
    read(cache.path()).unwrap();
    let again = open(cache.path()).unwrap();
    assert_eq!(*again.verifying().id(), id, "nothing was generated anew");
    fs::write(folder.join("index.json"), "{").unwrap();
    let e = open(cache.path()).unwrap_err();
    assert!(matches!(e, ParamsError::Index { .. }), "{e}");
}

#[test]
fn no_key_is_made_of_damaged_secrets() {
    let cache = tempfile::tempdir().unwrap();
    let folder = copied_set(cache.path());
    let secrets = names(&folder)
        .into_iter()
        .filter(|n| n.ends_with(".secret"));
    for path in secrets.map(|n| folder.join(n)) {
        let whole = fs::read(&path).unwrap();
        damage(&path);
        forget_all(&folder, ".pk");
        let refused = read(cache.path()).unwrap_err();
        assert!(
            matches!(&refused, ParamsError::Digest { path: p, .. } if *p == path),
            "{refused}"
        );
        fs::write(&path, whole).unwrap();
    }
    read(cache.path()).unwrap();
}

/// A file that is whole, and stands in the index as it is, but belongs to another set.
#[test]
fn parameters_of_two_sets_are_not_mixed() {
    let (cache, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = copied_set(cache.path());
    let set = another_set(other.path());
    set.proving_key(Size::Small).unwrap();
    read(cache.path()).unwrap();
    let is_small = |n: &String| n.starts_with("small-") && n.ends_with(".pk");
    let name = names(&folder).into_iter().find(is_small).unwrap();
    fs::copy(set.folder().join(&name), folder.join(&name)).unwrap();
    let index = |folder: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap()
    };
    let mut mixed = index(&folder);
    mixed["files"][&name] = index(set.folder())["files"][&name].clone();
    fs::write(folder.join("index.json"), mixed.to_string()).unwrap();
    let store = open(cache.path()).unwrap();
    match store.proving_key(Size::Small).err().unwrap() {
        ParamsError::Verifying(why) => assert!(why.contains("of another set"), "{why}"),
        other => panic!("{other}"),
    }
    store.proving_key(Size::Registration).unwrap();
}

#[test]
fn parameters_whose_generation_was_interrupted_are_completed() {
    let cache = tempfile::tempdir().unwrap();
    let folder = copied_set(cache.path());
    read(cache.path()).unwrap();
    // A key file that no index names: the crash came between the two writes.
    forget(&folder, "small-");
    let is_small = |n: &String| n.starts_with("small-") && n.ends_with(".pk");
    let name = names(&folder).into_iter().find(is_small).unwrap();
    fs::write(folder.join(name), "half").unwrap();
    read(cache.path()).unwrap();
    // What was whole is kept.
    let set = open(cache.path()).unwrap().verifying();
    let before = keys().verifying();
    assert_eq!(set.srs(), before.srs());
    for size in Size::ALL {
        let same = set.key(size).key() == before.key(size).key();
        assert_eq!(same, size != Size::Small, "{size:?}");
    }
}

#[test]
fn parameters_of_another_shape_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    let larger = development_folder(cache.path(), Shape::ALL[1]);
    copy_folder(keys().folder(), &larger);
    let e = ParameterStore::open_development(cache.path(), Shape::ALL[1], &Silent).unwrap_err();
    assert!(matches!(e, ParamsError::Index { .. }), "{e}");
    // A dataset opened with another set.
    let other = tempfile::tempdir().unwrap();
    let other = another_set(other.path());
    match CommittedDataset::open(hospital().dataset.folder(), &other).unwrap_err() {
        ProverError::Verify(VerifyError::ParameterSet {
            what: "manifest", ..
        }) => {}
        other => panic!("{other}"),
    }
}

/// A file system of its own, so small that it fills up.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|m| m.status.success()) {
            Some(Self(folder))
        } else {
            eprintln!("skipped: no small file system can be mounted here");
            None
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[track_caller]
fn assert_full(e: &ProverError) {
    match e {
        ProverError::Io { source, .. } => {
            assert_eq!(source.kind(), std::io::ErrorKind::StorageFull, "{e}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_full_disk_stops_a_commit_without_a_trace() {
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("table.csv");
    fs::write(&table, csv(2_000)).unwrap();
    let setup = Setup::new("", REGISTRY);
    // Full at the chunk's file, at the manifest, at the registry, and at the registration.
    for kib in [8, 12, 16, 20] {
        let Some(disk) = SmallDisk::mount(kib) else {
            return;
        };
        let out = disk.0.path().join("dataset");
        assert_full(&setup.try_commit(&table, &out, keys()).unwrap_err());
        assert_eq!(names(disk.0.path()), [""; 0], "{kib} KiB");
    }
    // Without room for sums a dataset is whole.
    let Some(disk) = SmallDisk::mount(32) else {
        return;
    };
    let out = disk.0.path().join("dataset");
    let (dataset, _) = setup.try_commit(&table, &out, keys()).unwrap();
    assert_eq!(names(&out.join("secret/sums")), [""; 0]);
    let question =
        galen_query::question::Question::new(dataset.registry(), galen_tests::PURPOSE, SQL, None);
    answer(&dataset, &question.unwrap(), keys(), &Silent).unwrap();
}

/// An answer writes nothing but sums, which it can do without.
#[test]
fn a_full_disk_stops_no_answer_and_spoils_nothing() {
    let h = hospital();
    let question = h.question(SQL);
    let Some(disk) = SmallDisk::mount(512) else {
        return;
    };
    let folder = disk.0.path().join("dataset");
    copy_folder(h.dataset.folder(), &folder);
    fs::remove_dir_all(folder.join("secret/sums")).unwrap();
    fs::create_dir(folder.join("secret/sums")).unwrap();
    let dataset = CommittedDataset::open(&folder, keys()).unwrap();
    let ballast = disk.0.path().join("ballast");
    let mut size = 512 * 1024;
    while fs::write(&ballast, vec![0u8; size]).is_err() {
        size -= 1024;
    }
    let (_, full, _) = answer(&dataset, &question, keys(), &Silent).unwrap();
    assert_eq!(names(&folder.join("secret/sums")), [""; 0]);
    fs::remove_file(&ballast).unwrap();
    let (_, again, _) = answer(&dataset, &question, keys(), &Silent).unwrap();
    assert_eq!(again, full);
    let kept = names(&folder.join("secret/sums"));
    assert_eq!(kept, names(&h.dataset.folder().join("secret/sums")));
}
