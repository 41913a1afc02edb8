//! Field arithmetic for the prover, eight elements at a time.
//!
//! BN254's two fields in five limbs of 52 bits, in Montgomery form with R = 2^260, by the multiply-and-add of AVX-512 IFMA
//! (Gueron and Krasnov 2016; Takahashi 2020). Values are reduced late: each function says below which multiple of the modulus its arguments and its result
//! are, a debug build checks it, and the tests drive it to its edges. On a machine without these instructions, or with
//! `GALEN_SIMD=off`, [`path`] is [`Path::Scalar`], and whoever calls computes the same with arkworks.
//!
//! None of this runs in constant time: it is meant for a prover on its own machine.

pub mod curve;
#[cfg(target_arch = "x86_64")]
mod eight;
pub mod fft;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod modulus;
mod path;
pub mod roots;

#[cfg(target_arch = "x86_64")]
pub use eight::{Eight, Total, Vectors};
pub use path::{Path, Work, check_switch, is_off, path};
