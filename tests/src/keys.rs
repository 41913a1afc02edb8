//! Development keys of the smallest shape, made once below the build folder and used by every test
//! process after that (the store's lock keeps two processes from making them at a time).

use std::{path::PathBuf, sync::OnceLock};

use galen_params::{ParameterStore, Shape, Silent};

/// Rows of a chunk of the smallest shape.
pub const N: usize = 1 << galen_circuits::equation::Rows::chunk_bits_for(SHAPE_BITS);
const SHAPE_BITS: u32 = galen_circuits::equation::Rows::LEAST_BITS;

/// The keys, opened when first asked for.
pub fn keys() -> &'static ParameterStore {
    static KEYS: OnceLock<ParameterStore> = OnceLock::new();
    KEYS.get_or_init(|| ParameterStore::open_development(&cache(), Shape::ALL[0], &Silent).unwrap())
}

/// `<build folder>/tmp/galen-tests`.
#[must_use]
pub fn cache() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let build = program.ancestors().nth(3).unwrap();
    build.join("tmp").join("galen-tests")
}
