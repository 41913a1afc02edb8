//! Development keys of the tiny shape, generated once below the build folder and used by every test
//! process after that (the store's lock keeps two processes from generating at a time).

use std::{path::PathBuf, sync::OnceLock};

use galen_circuits::gates::Gate;
use galen_params::{ParameterStore, Shape, Silent};

/// Rows of a chunk of the tiny shape.
pub const N: usize = 480;

/// Every gate.
pub const GATES: [Gate; 6] = [
    Gate::Select,
    Gate::Multiply,
    Gate::Recode { bits: 10 },
    Gate::Recode { bits: 16 },
    Gate::Release,
    Gate::Compare,
];

/// The keys, opened when first asked for.
pub fn keys() -> &'static ParameterStore {
    static KEYS: OnceLock<ParameterStore> = OnceLock::new();
    KEYS.get_or_init(|| {
        ParameterStore::open_development(&cache(), Shape::Tiny, &GATES, &Silent).unwrap()
    })
}

/// `<build folder>/tmp/galen-tests`.
#[must_use]
pub fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let build = program.ancestors().nth(3).unwrap();
    build.join("tmp").join("galen-tests")
}
