//! Development keys of the smallest shape, made once below the build folder and used by every test
//! process after that (the store's lock keeps two processes from making them at a time).

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use galen_circuits::class::Size;
use galen_params::{ParameterStore, Shape, Silent, development_folder};
use serde_json::Value;

use crate::hospital::copy_folder;

/// Rows of a chunk of the smallest shape.
pub const N: usize = 1 << 13;

/// The keys, opened when first asked for.
pub fn keys() -> &'static ParameterStore {
    static KEYS: OnceLock<ParameterStore> = OnceLock::new();
    KEYS.get_or_init(|| {
        let shape = Shape::ALL[0];
        assert_eq!(shape.rows(1).chunk(), N);
        let set = ParameterStore::open_development(&cache(), shape, &Silent).unwrap();
        // All of them now: a key that is made while a test copies the folder would be copied by half.
        for size in Size::ALL {
            set.proving_key(size).unwrap();
        }
        set
    })
}

/// `<build folder>/tmp/galen-tests`.
#[must_use]
pub fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let build = program.ancestors().nth(3).unwrap();
    build.join("tmp").join("galen-tests")
}

/// A copy of the keys' folder below another cache: what is damaged in it harms no other test.
#[must_use]
pub fn copied_set(cache: &Path) -> PathBuf {
    let folder = development_folder(cache, Shape::ALL[0]);
    copy_folder(keys().folder(), &folder);
    folder
}

/// Strikes the files whose names start with `start` from the index of a set, as if they had never been written.
pub fn forget(folder: &Path, start: &str) {
    let struck = strike(folder, |name| name.starts_with(start));
    assert!(struck > 0, "no file {start}");
}

/// The same for all whose names end with `end`, if there are any.
pub fn forget_all(folder: &Path, end: &str) {
    strike(folder, |name| name.ends_with(end));
}

fn strike(folder: &Path, which: impl Fn(&str) -> bool) -> usize {
    let path = folder.join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let files = index["files"].as_object_mut().unwrap();
    let before = files.len();
    files.retain(|name, _| !which(name));
    let struck = before - files.len();
    fs::write(&path, index.to_string()).unwrap();
    struck
}

/// Another set below `cache`: the same, with another key of the circuit for small answers.
#[must_use]
pub fn another_set(cache: &Path) -> ParameterStore {
    forget(&copied_set(cache), "small-");
    ParameterStore::open_development(cache, Shape::ALL[0], &Silent).unwrap()
}
