//! How stored values are spread: their ends, their mean, and counts by equal steps, in bounded memory.

use serde::Serialize;

/// Steps that are counted over a column's whole range.
const STEPS: u64 = 1_024;

/// Bars of a histogram, at most.
const BARS: usize = 24;

/// Counts by equal steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Histogram {
    /// Each bar: its first and its last value, and how many there are.
    pub bars: Vec<(String, String, u64)>,
}

#[derive(Debug)]
pub(super) struct Spread {
    /// The largest value that there can be.
    span: u64,
    steps: Vec<u64>,
    known: u64,
    sum: u128,
    ends: Option<(u64, u64)>,
}

impl Spread {
    /// Of values up to `span`, itself included.
    pub(super) fn new(span: u64) -> Self {
        let steps = usize::try_from(STEPS.min(span.saturating_add(1))).unwrap_or(1);
        Self {
            span,
            steps: vec![0; steps],
            known: 0,
            sum: 0,
            ends: None,
        }
    }

    pub(super) fn note(&mut self, stored: u64) {
        self.known += 1;
        self.sum += u128::from(stored);
        let (least, most) = self.ends.unwrap_or((stored, stored));
        self.ends = Some((least.min(stored), most.max(stored)));
        let step = u128::from(stored) * self.steps.len() as u128 / (u128::from(self.span) + 1);
        let step = usize::try_from(step).ok();
        if let Some(n) = step.and_then(|s| self.steps.get_mut(s)) {
            *n += 1;
        }
    }

    pub(super) fn known(&self) -> u64 {
        self.known
    }

    /// The smallest and the largest value.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        self.ends
    }

    /// The mean of the numbers that are stored as (v − min)·10^decimals.
    #[allow(clippy::cast_precision_loss)] // a mean for people to look at
    pub(super) fn mean(&self, min: i64, decimals: u32) -> Option<f64> {
        let units = self.sum as f64 / self.known as f64 + min as f64;
        (self.known > 0).then(|| units / 10f64.powi(i32::try_from(decimals).unwrap_or(0)))
    }

    /// Counts between the ends, in bars of as many steps each.
    pub(super) fn histogram(&self, shown: impl Fn(u64) -> String) -> Option<Histogram> {
        let first = self.steps.iter().position(|n| *n > 0)?;
        let last = self.steps.iter().rposition(|n| *n > 0)?;
        let each = (last - first + 1).div_ceil(BARS);
        let bars = (first..=last).step_by(each).map(|step| {
            let next = (step + each).min(self.steps.len());
            let (from, to) = (self.begins(step), self.begins(next).saturating_sub(1));
            (shown(from), shown(to), self.steps[step..next].iter().sum())
        });
        Some(Histogram {
            bars: bars.collect(),
        })
    }

    /// The first value of a step.
    fn begins(&self, step: usize) -> u64 {
        let values = u128::from(self.span) + 1;
        let begins = (step as u128 * values).div_ceil(self.steps.len() as u128);
        u64::try_from(begins).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_the_bar_that_names_it() {
        for span in [0, 1, 23, 1_023, 1_024, 5_000, (1 << 32) - 1] {
            let mut spread = Spread::new(span);
            let values: Vec<u64> = (0..500).map(|i| i * 7_919 % (span / 3 + 1)).collect();
            for value in &values {
                spread.note(*value);
            }
            let bars = spread.histogram(|v| v.to_string()).unwrap().bars;
            assert!(bars.len() <= BARS);
            let read = |t: &String| t.parse::<u64>().unwrap();
            for (from, to, count) in &bars {
                let inside = values
                    .iter()
                    .filter(|v| (read(from)..=read(to)).contains(v));
                assert_eq!(inside.count() as u64, *count, "{span}: {from} to {to}");
            }
            assert_eq!(bars.iter().map(|b| b.2).sum::<u64>(), 500);
            assert!(bars.windows(2).all(|w| read(&w[0].1) + 1 == read(&w[1].0)));
        }
    }

    #[test]
    fn means_are_of_the_numbers_and_not_of_what_is_stored() {
        let mut spread = Spread::new(100);
        assert_eq!(spread.mean(-50, 1), None);
        for stored in [0, 100, 80] {
            spread.note(stored);
        }
        assert_eq!(spread.range(), Some((0, 100)));
        assert!((spread.mean(-50, 1).unwrap() - 1.0).abs() < 1e-12);
    }
}
