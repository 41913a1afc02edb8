//! Poseidon over the scalar field of BN254, as a duplex sponge, native and in-circuit.
//!
//! Permutation: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, "Poseidon", eprint 2019/458:
//! S-box x⁵, R_F = 8, R_P and constants by the published procedures, so the values are circomlib's.
//!
//! Duplex: the element at index 0 is the capacity and starts at 0, the others are the rate.
//! Absorbing adds to the rate from its first element on and permutes before it would overflow;
//! squeezing permutes first, then reads the rate in order and permutes where it is used up;
//! absorbing after squeezing starts again at the first element without a permutation of its own
//! (the SAFE API, eprint 2023/522, without its tag and its check of the pattern). There is no padding:
//! this is a hash of fixed-length input only while every user of one width keeps to **one fixed
//! schedule** of absorptions and squeezes, as a circuit does, or absorbs first what names it.

mod gadget;
mod native;
mod parameters;

pub use gadget::SpongeVar;
pub use native::Sponge;

/// Widths for which there are parameters, in field elements: rate + 1.
pub const WIDTHS: std::ops::RangeInclusive<usize> = 2..=17;

#[cfg(test)]
mod tests;
