//! Crashes, damaged files and full disks: what is refused, what is repaired, and that nothing half
//! done is ever taken for whole.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command};

use galen_circuits::gates::Gate;
use galen_params::{ParameterStore, ParamsError, Shape, Silent};
use galen_prover::{
    ProverError,
    dataset::{CommittedDataset, load_or_create_key, read_public},
    execute::answer,
};
use galen_tests::{Hospital, Setup, ask, hospital::copy_folder, keys};
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

fn hospital() -> Hospital {
    Setup::new(&csv(500), REGISTRY).commit()
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
    fs::write(&table, csv(490) + "p490,true,601\n").unwrap();
    let out = home.path().join("dataset");
    let e = Setup::new("", REGISTRY)
        .try_commit(&table, &out, keys())
        .unwrap_err();
    assert!(matches!(e, ProverError::Table(_)), "{e}");
    assert!(e.to_string().contains("492"), "names the line: {e}");
    assert_eq!(names(home.path()), ["table.csv"]);
}

#[test]
fn a_torn_index_file_is_proven_again() {
    let h = hospital();
    let first = ask(&h, SQL);
    let files = h.index_files();
    // consent, range, largest value and the predicate, in two chunks.
    assert_eq!(files.len(), 8);
    for (torn, file) in files.iter().enumerate() {
        let whole = fs::read(file).unwrap();
        match torn % 4 {
            0 => fs::write(file, &whole[..whole.len() / 2]).unwrap(),
            1 => fs::write(file, "").unwrap(),
            2 => damage(file),
            _ => fs::remove_file(file).unwrap(),
        }
        let again = ask(&h, SQL);
        // Two roots, the release, and the torn one.
        assert_eq!(again.report.proven, 2 + 1 + 1, "{}", file.display());
        assert_eq!(again.answer, first.answer);
        assert_eq!(ask(&h, SQL).report.proven, 2 + 1, "it is kept again");
    }
    assert_eq!(h.index_files(), files);
}

#[test]
fn index_files_that_were_exchanged_are_proven_again() {
    let h = hospital();
    let first = ask(&h, SQL);
    let files = h.index_files();
    for file in files.iter().filter(|f| f.ends_with("00000")) {
        // Whole and sound in itself, but about the other chunk's columns.
        fs::copy(file.with_file_name("00001"), file).unwrap();
        let again = ask(&h, SQL);
        assert_eq!(again.report.proven, 2 + 1 + 1, "{}", file.display());
        assert_eq!(again.answer, first.answer);
    }
    fs::remove_dir_all(h.dataset.folder().join("index")).unwrap();
    assert_eq!(ask(&h, SQL).report.proven, 4 * 2 + 2 + 1);
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
/// may reach the index, where it would outlive the repair.
#[test]
fn exchanged_chunks_of_the_table_are_refused() {
    let h = Setup::new(&csv(960), REGISTRY).commit();
    let file = h.dataset.folder().join("secret/base-00000");
    let whole = fs::read(&file).unwrap();
    fs::copy(file.with_file_name("base-00001"), &file).unwrap();
    let before = h.index_files();
    match refused(&h) {
        ProverError::Damaged { path, .. } => assert_eq!(path, file),
        other => panic!("{other}"),
    }
    assert_eq!(h.index_files(), before);
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

const MULTIPLY: [Gate; 1] = [Gate::Multiply];

fn open(cache: &Path, shape: Shape, gates: &[Gate]) -> Result<ParameterStore, ParamsError> {
    ParameterStore::open_development(cache, shape, gates, &Silent)
}

#[test]
fn damaged_parameters_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    let store = open(cache.path(), Shape::Tiny, &MULTIPLY).unwrap();
    let id = *store.verifying().id();
    let folder = store.folder().to_owned();
    for file in names(&folder) {
        if file == "lock" || file == "index.json" {
            continue;
        }
        let path = folder.join(&file);
        let whole = fs::read(&path).unwrap();
        damage(&path);
        let opened = open(cache.path(), Shape::Tiny, &MULTIPLY);
        let e = opened
            .and_then(|s| s.proving_key(Gate::Multiply))
            .unwrap_err();
        match e {
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
        fs::write(&path, whole).unwrap();
    }
    let again = open(cache.path(), Shape::Tiny, &MULTIPLY).unwrap();
    assert_eq!(*again.verifying().id(), id, "nothing was generated anew");
    // A gate that is asked for and missing.
    let e = again.proving_key(Gate::Select).unwrap_err();
    assert!(matches!(e, ParamsError::MissingGate(Gate::Select)), "{e}");
    fs::write(folder.join("index.json"), "{").unwrap();
    let e = open(cache.path(), Shape::Tiny, &MULTIPLY).unwrap_err();
    assert!(matches!(e, ParamsError::Index { .. }), "{e}");
}

#[test]
fn parameters_whose_generation_was_interrupted_are_completed() {
    let cache = tempfile::tempdir().unwrap();
    let store = open(cache.path(), Shape::Tiny, &MULTIPLY).unwrap();
    let id = *store.verifying().id();
    // A key file that no index names: the crash came between the two writes.
    fs::write(store.folder().join("select-0000000000000000.pk"), "half").unwrap();
    let gates = [Gate::Select, Gate::Multiply];
    let more = open(cache.path(), Shape::Tiny, &gates).unwrap();
    more.proving_key(Gate::Select).unwrap();
    // The old gate keeps its keys, so the old set can still be had.
    assert_eq!(
        *open(cache.path(), Shape::Tiny, &MULTIPLY)
            .unwrap()
            .verifying()
            .id(),
        id
    );
}

#[test]
fn parameters_of_another_shape_are_refused() {
    let cache = tempfile::tempdir().unwrap();
    let tiny = open(cache.path(), Shape::Tiny, &MULTIPLY).unwrap();
    let clinic = galen_params::development_folder(cache.path(), Shape::Clinic);
    copy_folder(tiny.folder(), &clinic);
    let e = open(cache.path(), Shape::Clinic, &MULTIPLY).unwrap_err();
    assert!(matches!(e, ParamsError::Index { .. }), "{e}");
    fs::remove_dir_all(&clinic).unwrap();
    // A dataset opened with another set.
    let h = hospital();
    for other in [open(cache.path(), Shape::Clinic, &[]).unwrap(), tiny] {
        match CommittedDataset::open(h.dataset.folder(), &other).unwrap_err() {
            ProverError::Verify(VerifyError::ParameterSet {
                what: "manifest", ..
            }) => {}
            other => panic!("{other}"),
        }
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
    // Full at the first chunk's file, and later among the proofs.
    for kib in [8, 40, 60] {
        let Some(disk) = SmallDisk::mount(kib) else {
            return;
        };
        let out = disk.0.path().join("dataset");
        assert_full(&setup.try_commit(&table, &out, keys()).unwrap_err());
        assert_eq!(names(disk.0.path()), [""; 0], "{kib} KiB");
    }
}

#[test]
fn a_full_disk_stops_an_answer_and_spoils_nothing() {
    let h = hospital();
    let Some(disk) = SmallDisk::mount(512) else {
        return;
    };
    let folder = disk.0.path().join("dataset");
    copy_folder(h.dataset.folder(), &folder);
    let dataset = CommittedDataset::open(&folder, keys()).unwrap();
    let ballast = disk.0.path().join("ballast");
    let mut size = 512 * 1024;
    while fs::write(&ballast, vec![0u8; size]).is_err() {
        size -= 1024;
    }
    let question = h.question(SQL);
    assert_full(&answer(&dataset, &question, keys(), &Silent).unwrap_err());
    fs::remove_file(&ballast).unwrap();
    let (_, _, report) = answer(&dataset, &question, keys(), &Silent).unwrap();
    assert!(report.proven <= 2 + 2 + 1);
}
