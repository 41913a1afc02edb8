//! Columns as scales: which of some intervals a value lies in.

use galen_core::equation::Linear;

use super::{
    bases::{Digit, Mixed, Parts},
    bits::Bits,
    literal::index,
    steps::Steps,
};

/// A digit that grows with a column's value.
pub(super) struct Scale {
    /// 0 where a nullable column is NULL.
    pub(super) digit: Digit,
    /// The first stored value of each interval; none where each value is one.
    firsts: Option<Vec<u64>>,
}

impl Scale {
    /// The smallest stored value where the digit is `digit`; `None` for NULL.
    pub(super) fn first(&self, digit: u64) -> Option<u64> {
        let moved = u64::from(self.digit.known.is_some());
        let interval = digit.checked_sub(moved)?;
        match &self.firsts {
            Some(firsts) => Some(firsts[index(interval)]),
            None => Some(interval),
        }
    }
}

/// Each value by itself, for a column of at most 16 bits.
pub(super) fn values(bits: &Bits<'_>, column: usize) -> Option<Scale> {
    match bits.bases.parts(column) {
        Parts::One(digit) => Some(Scale {
            digit,
            firsts: None,
        }),
        Parts::Two { .. } => None,
    }
}

/// The intervals that begin at 0 and at `cuts`, ascending, from 1 to the column's largest value.
pub(super) fn intervals(bits: &mut Bits<'_>, column: usize, cuts: &[u64]) -> Scale {
    let known = bits.bases.known(column);
    let moved = u64::from(known.is_some());
    let firsts: Vec<u64> = [0].into_iter().chain(cuts.iter().copied()).collect();
    let linear = match bits.bases.parts(column) {
        Parts::One(digit) => {
            let steps = steps(digit.radix - moved, cuts, moved);
            bits.lookups.output(&digit.linear, steps)
        }
        Parts::Two { low, high } => {
            let of_low = cut(bits, &low, cuts.iter().map(|c| c & 0xffff));
            let highs = cuts.iter().flat_map(|c| [c >> 16, (c >> 16) + 1]);
            let of_high = cut(bits, &high, highs);
            joined(bits, known.as_ref(), (&of_low, &of_high), cuts)
        }
    };
    Scale {
        digit: Digit {
            linear,
            radix: firsts.len() as u64 + moved,
            known,
        },
        firsts: Some(firsts),
    }
}

/// For `radix` values how many cuts are not above each; one more, and first a 0, where the column is nullable.
fn steps(radix: u64, cuts: &[u64], moved: u64) -> Steps {
    let mut steps = Steps::default();
    steps.push(moved, 0);
    let mut start = 0;
    for (interval, end) in (moved..).zip(cuts.iter().copied().chain([radix])) {
        steps.push(end - start, interval);
        start = end;
    }
    steps
}

/// The intervals of a part of a wide column.
fn cut(bits: &mut Bits<'_>, part: &Digit, cuts: impl Iterator<Item = u64>) -> Scale {
    let mut cuts: Vec<u64> = cuts.filter(|c| (1..part.radix).contains(c)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let firsts: Vec<u64> = [0].into_iter().chain(cuts.iter().copied()).collect();
    let linear = bits
        .lookups
        .output(&part.linear, steps(part.radix, &cuts, 0));
    Scale {
        digit: Digit {
            linear,
            radix: firsts.len() as u64,
            known: None,
        },
        firsts: Some(firsts),
    }
}

/// The intervals of a wide column, from those of its parts.
fn joined(
    bits: &mut Bits<'_>,
    known: Option<&Linear>,
    (low, high): (&Scale, &Scale),
    cuts: &[u64],
) -> Linear {
    let mut key = Mixed::default();
    let of_low = key.push(&low.digit.linear, low.digit.radix);
    let of_high = key.push(&high.digit.linear, high.digit.radix);
    let of_known = known.map(|k| key.push(k, 2));
    let first = |scale: &Scale, place, t| {
        let first = scale.first(key.digit(t, place));
        first.expect("a part is never NULL")
    };
    let interval = |t: u64| {
        let value = first(low, of_low, t) + (first(high, of_high, t) << 16);
        let interval = cuts.partition_point(|c| *c <= value) as u64;
        match of_known.map(|place| key.digit(t, place)) {
            None => interval,
            Some(0) => 0,
            Some(_) => interval + 1,
        }
    };
    let steps = Steps::new((0..key.radix()).map(interval));
    bits.lookups.output(&key.linear, steps)
}
