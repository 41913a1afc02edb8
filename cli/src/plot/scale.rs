//! An axis of numbers: its ends, its ticks and their text.

use super::text::{fixed, minus};

/// A linear axis that holds 0 and ends on ticks.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    low: f64,
    high: f64,
    step: f64,
    /// No value is known: the ticks would be made up.
    bare: bool,
}

impl Scale {
    /// The axis for finite values; ticks at whole numbers where all values are whole.
    pub fn covering(values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        let (mut whole, mut bare) = (true, true);
        for value in values {
            low = low.min(value);
            high = high.max(value);
            whole &= value.fract() == 0.0;
            bare = false;
        }
        // All are 0, or too near to it to be divided.
        if high - low < 1e-200 {
            high = 1.0;
        }
        let mut step = round_step((high - low) / 6.0);
        if whole {
            step = step.max(1.0);
        }
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
            bare,
        }
    }

    /// The axis of a share, from 0 to 1.
    pub fn share() -> Self {
        Self {
            low: 0.0,
            high: 1.0,
            step: 0.2,
            bare: false,
        }
    }

    /// Where a value lies on the axis, from 0 to 1.
    pub fn at(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The ticks, each with its text; only 0 where no value is known.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        if self.bare {
            return vec![(0.0, "0".to_owned())];
        }
        let first = (self.low / self.step).round();
        (0..32)
            .map(|i| (first + f64::from(i)) * self.step)
            .take_while(|tick| *tick < self.high + self.step / 2.0)
            .map(|tick| (tick, self.label(tick)))
            .collect()
    }

    fn label(&self, tick: f64) -> String {
        if tick == 0.0 {
            return "0".to_owned();
        }
        let size = self.high.max(-self.low);
        if size >= 1e9 || self.step < 9e-5 {
            return minus(&format!("{tick:.1e}"));
        }
        let decimals = (1..=5).find(|d| self.step >= 10f64.powi(1 - d) * 0.99);
        let decimals = decimals.map_or(5, |d| d - 1);
        fixed(tick, usize::try_from(decimals).unwrap_or(0))
    }
}

/// The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let factors = [1.0, 2.0, 5.0].into_iter();
    let fit = factors.map(|f| f * power).find(|step| *step >= raw * 0.999);
    fit.unwrap_or(10.0 * power)
}
