//! Deterministic randomness: ChaCha8 and the four basic operations.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in [0, 1), in steps of 2^-32.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform below `n`, up to a bias of n·2^-32.
    pub fn below(&mut self, n: u32) -> u32 {
        let wide = u64::from(self.0.next_u32()) * u64::from(n);
        u32::try_from(wide >> 32).expect("a product below n·2^32")
    }

    /// Mean 0, variance 1, within ±6: the sum of 12 uniform numbers less 6, which needs no
    /// logarithm.
    pub fn normal(&mut self) -> f64 {
        let mut bytes = [0; 24];
        self.0.fill_bytes(&mut bytes);
        let numbers = bytes.chunks_exact(2);
        let sum: u32 = numbers
            .map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])))
            .sum();
        // Twelve 16-bit numbers with mean 32,767.5.
        (f64::from(sum) - 393_210.0) / 65_536.0
    }

    /// An item, drawn by weight.
    pub fn pick<T: Copy>(&mut self, weighted: &[(T, u32)]) -> T {
        let total = weighted.iter().map(|w| w.1).sum();
        let mut left = self.below(total);
        for (item, weight) in weighted {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        weighted.last().expect("something to pick from").0
    }
}

/// The nearest integer, within bounds (which fit an f64 exactly).
#[expect(clippy::cast_possible_truncation, reason = "clamped first")]
pub(super) fn whole(value: f64, min: i32, max: i32) -> i64 {
    value.round().clamp(f64::from(min), f64::from(max)) as i64
}
