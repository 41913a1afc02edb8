//! Which way of computing is taken.

use std::{env, fmt, sync::OnceLock};

/// Set to `off`, elements are computed one after another whatever the machine can.
const SWITCH: &str = "GALEN_SIMD";

/// Whether `GALEN_SIMD` is `off`.
#[must_use]
pub fn is_off() -> bool {
    env::var_os(SWITCH).is_some_and(|v| v == "off")
}

/// Whether `GALEN_SIMD` is understood: not set, `on` or `off`.
///
/// # Errors
/// What it may be.
pub fn check_switch() -> Result<(), String> {
    match env::var_os(SWITCH) {
        Some(value) if value != "on" && value != "off" => {
            let value = value.to_string_lossy();
            Err(format!(
                "{SWITCH} is `{value}`: `off` computes without vector instructions, `on` or nothing with those that the machine has"
            ))
        }
        _ => Ok(()),
    }
}

/// A way of computing. Both give the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// One element after another, by arkworks.
    Scalar,
    /// Eight at a time.
    Vector,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Path::Scalar => "scalar",
            Path::Vector => "AVX-512 IFMA",
        })
    }
}

/// What is done with the instructions of the path that is taken.
pub trait Work {
    /// What comes of it.
    type Result;
    /// Does it. To be marked `#[inline(always)]`.
    fn run(self) -> Self::Result;
}

/// The way that this process takes: found out once.
pub fn path() -> Path {
    static PATH: OnceLock<Path> = OnceLock::new();
    *PATH.get_or_init(|| {
        if !is_off() && has_vectors() {
            Path::Vector
        } else {
            Path::Scalar
        }
    })
}

/// Whether the machine has the instructions, whatever the switch says.
#[must_use]
pub fn has_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}
