//! The development set: made, kept, read again, and refused where it is not what it should be.

// Clippy excuses only functions marked as tests, not the helpers beside them.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
};

use galen_circuits::class::Size;
use galen_params::{
    MAX_VERIFYING_BYTES, ParameterStore, ParamsError, Progress, Shape, Silent, VerifyingSet,
    development_folder,
};

static SMALLEST: LazyLock<Shape> = LazyLock::new(|| Shape::ALL[0]);

/// A cache with the smallest shape's set, made once for all tests.
static MADE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let cache = tempfile::tempdir().unwrap();
    ParameterStore::open_development(cache.path(), *SMALLEST, &Silent).unwrap();
    cache
});

fn open(cache: &Path) -> Result<ParameterStore, ParamsError> {
    ParameterStore::open_development(cache, *SMALLEST, &Silent)
}

/// A copy of the made set's folder, to spoil, and that folder.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let cache = tempfile::tempdir().unwrap();
    let folder = development_folder(cache.path(), *SMALLEST);
    fs::create_dir_all(&folder).unwrap();
    for file in fs::read_dir(development_folder(MADE.path(), *SMALLEST)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.join(file.file_name())).unwrap();
    }
    (cache, folder)
}

fn file(folder: &Path, start: &str, end: &str) -> PathBuf {
    fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| {
            let name = p.file_name().unwrap().to_str().unwrap();
            name.starts_with(start) && name.ends_with(end)
        })
        .unwrap()
}

fn spoil(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Remembers what was reported.
#[derive(Default)]
struct Reports(Mutex<Vec<(u64, u64)>>);

impl Progress for Reports {
    fn report(&self, _stage: &str, done: u64, total: u64) {
        self.0.lock().unwrap().push((done, total));
    }
}

#[test]
fn a_set_is_made_once_and_read_again() {
    let cache = tempfile::tempdir().unwrap();
    let reports = Reports::default();
    let made = ParameterStore::open_development(cache.path(), *SMALLEST, &reports).unwrap();
    let steps: Vec<_> = (0..=6).map(|done| (done, 6)).collect();
    assert_eq!(*reports.0.lock().unwrap(), steps);
    let reports = Reports::default();
    let again = ParameterStore::open_development(cache.path(), *SMALLEST, &reports).unwrap();
    assert!(reports.0.lock().unwrap().is_empty());
    assert_eq!(again.verifying().id(), made.verifying().id());
    assert_eq!(again.verifying_bytes(), made.verifying_bytes());
    assert!(again.verifying().is_insecure());
    let srs = again.srs().unwrap();
    assert_eq!(srs.log_rows(), SMALLEST.chunk_bits());
    srs.check().unwrap();
    for size in Size::ALL {
        let key = again.proving_key(size).unwrap();
        assert!(again.key_bytes(size) > 0);
        let verifying = again.verifying();
        assert_eq!(key.verifying_key(), verifying.key(size).key());
    }
    assert_ne!(
        made.verifying().id(),
        open(MADE.path()).unwrap().verifying().id()
    );
}

#[test]
fn only_what_is_missing_is_made() {
    let (cache, folder) = copy();
    let index = folder.join("index.json");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let files = json["files"].as_object_mut().unwrap();
    files.retain(|name, _| !name.starts_with("small-"));
    fs::write(&index, json.to_string()).unwrap();
    let before = open(MADE.path()).unwrap().verifying();
    let reports = Reports::default();
    let store = ParameterStore::open_development(cache.path(), *SMALLEST, &reports).unwrap();
    assert_eq!(*reports.0.lock().unwrap(), [(0, 1), (1, 1)]);
    let now = store.verifying();
    assert_eq!(now.srs(), before.srs());
    for size in Size::ALL {
        let same = now.key(size).key() == before.key(size).key();
        assert_eq!(same, size != Size::Small);
    }
}

#[test]
fn two_that_open_an_empty_cache_get_one_set() {
    let cache = tempfile::tempdir().unwrap();
    let ids = std::thread::scope(|s| {
        let open = || *open(cache.path()).unwrap().verifying().id();
        let threads = [s.spawn(open), s.spawn(open)];
        threads.map(|t| t.join().unwrap())
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn damaged_files_are_refused_when_they_are_read() {
    let (cache, folder) = copy();
    open(cache.path())
        .unwrap()
        .proving_key(Size::Medium)
        .unwrap();
    for (start, end) in [("srs.bin", ""), ("medium-", ".pk")] {
        spoil(&file(&folder, start, end));
    }
    let store = open(cache.path()).unwrap();
    assert!(matches!(store.srs(), Err(ParamsError::Digest { .. })));
    let damaged = store.proving_key(Size::Medium);
    assert!(matches!(damaged, Err(ParamsError::Digest { .. })));
    store.proving_key(Size::Small).unwrap();
    spoil(&file(&folder, "large-", ".vk"));
    assert!(matches!(
        open(cache.path()),
        Err(ParamsError::Digest { .. })
    ));
    fs::write(folder.join("index.json"), "{}").unwrap();
    assert!(matches!(open(cache.path()), Err(ParamsError::Index { .. })));
}

#[test]
fn a_proving_key_is_made_of_the_secrets_that_its_verifying_key_is_of() {
    let (cache, folder) = copy();
    let secret = file(&folder, "small-", ".secret");
    let of_another = file(&folder, "medium-", ".secret");
    let index = folder.join("index.json");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let name = |p: &Path| p.file_name().unwrap().to_str().unwrap().to_owned();
    json["files"][name(&secret)] = json["files"][name(&of_another)].clone();
    fs::copy(of_another, secret).unwrap();
    fs::write(&index, json.to_string()).unwrap();
    let refused = open(cache.path()).unwrap().proving_key(Size::Small);
    assert!(matches!(refused, Err(ParamsError::Verifying(_))));
}

#[test]
fn two_that_ask_for_a_key_get_one() {
    let (cache, folder) = copy();
    let stores = [open(cache.path()).unwrap(), open(cache.path()).unwrap()];
    std::thread::scope(|s| {
        let threads = stores.each_ref().map(|store| {
            s.spawn(move || {
                store
                    .proving_key(Size::Registration)
                    .unwrap()
                    .verifying_key()
                    .clone()
            })
        });
        let [one, two] = threads.map(|t| t.join().unwrap());
        assert_eq!(one, two);
    });
    assert!(stores.iter().all(|s| s.key_bytes(Size::Registration) > 0));
    file(&folder, "registration-", ".pk");
}

#[test]
fn a_folder_of_another_shape_is_refused() {
    let (cache, folder) = copy();
    let other = development_folder(cache.path(), Shape::ALL[1]);
    fs::rename(folder, other).unwrap();
    let refused = ParameterStore::open_development(cache.path(), Shape::ALL[1], &Silent);
    assert!(matches!(refused, Err(ParamsError::Index { .. })));
}

/// The made set's verifying part, and where in it the first class's name begins.
fn verifying() -> (Vec<u8>, usize) {
    let bytes = open(MADE.path()).unwrap().verifying_bytes().to_vec();
    let name = b"registration-14";
    let at = bytes.windows(name.len()).position(|w| w == name).unwrap();
    (bytes, at)
}

fn refused(bytes: &[u8]) -> String {
    VerifyingSet::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn a_verifying_part_is_read_strictly() {
    let (bytes, at) = verifying();
    assert!((bytes.len() as u64) < MAX_VERIFYING_BYTES);
    let replaced = |from: usize, with: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[from..from + with.len()].copy_from_slice(with);
        bytes
    };
    assert!(refused(&replaced(7, b"3")).contains("GALENVP4"));
    assert!(refused(&replaced(12, b"17k")).contains("unknown shape"));
    assert!(refused(&replaced(12, b"64k")).contains("another shape"));
    assert!(refused(&replaced(19, b"I")).contains("unknown mark"));
    assert!(refused(&replaced(at, b"Registration")).contains("out of order"));
    let digest = at + "registration-14".len();
    let other = [bytes[digest] ^ 1];
    assert!(refused(&replaced(digest, &other)).contains("another version of the registration-14"));
    assert!(refused(&bytes[..bytes.len() - 1]).contains("ends early"));
    assert!(refused(&[&bytes[..], &[0]].concat()).contains("trailing"));
    let last = bytes.len() - 32;
    assert!(refused(&replaced(last, &[0x3f; 32])).contains("not a point"));
    let mut infinity = [0; 32];
    infinity[31] = 0x40;
    assert!(refused(&replaced(last, &infinity)).contains("infinity"));
    infinity[0] = 7;
    assert!(refused(&replaced(last, &infinity)).contains("canonical"));
    let large = vec![0; usize::try_from(MAX_VERIFYING_BYTES).unwrap() + 1];
    assert!(refused(&large).contains("larger"));
}

#[test]
fn every_byte_counts() {
    let (bytes, _) = verifying();
    let id = *VerifyingSet::from_bytes(&bytes).unwrap().id();
    for at in (0..bytes.len()).step_by(23) {
        let mut other = bytes.clone();
        other[at] ^= 0x80;
        if let Ok(set) = VerifyingSet::from_bytes(&other) {
            assert_ne!(*set.id(), id, "byte {at}");
        }
    }
}
