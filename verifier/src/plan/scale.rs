//! Columns as scales: keys that tell in which of some intervals a value lies.

use galen_circuits::equation::Linear;

use super::{
    PlanError,
    bases::{Digit, Mixed, Parts},
    bits::Bits,
    literal::index,
    steps::Steps,
};

/// The high part of a wide column is looked up where it has more values than this.
const FEW: u64 = 64;
/// A table of both parts of a wide column has at most so many entries.
const MOST: u64 = 1 << 18;

/// A combination that lies in 0 … n − 1 in every row and tells an interval of a column's values.
pub(super) struct Scale {
    /// The combination.
    pub(super) linear: Linear,
    /// By its value the first stored value of the interval; none for NULL.
    pub(super) firsts: Vec<Option<u64>>,
}

impl Scale {
    /// n.
    pub(super) fn radix(&self) -> u64 {
        self.firsts.len() as u64
    }

    /// The smallest stored value where the combination is `value`; `None` for NULL.
    pub(super) fn first(&self, value: u64) -> Option<u64> {
        self.firsts[index(value)]
    }

    /// NULL first, if there is one, then intervals in order.
    fn ordered(linear: Linear, is_nullable: bool, firsts: impl Iterator<Item = u64>) -> Self {
        let null = is_nullable.then_some(None);
        Self {
            linear,
            firsts: null.into_iter().chain(firsts.map(Some)).collect(),
        }
    }
}

/// Each value by itself, NULL first, for a column of at most 16 bits.
pub(super) fn values(bits: &Bits<'_>, column: usize) -> Option<Scale> {
    let span = bits.bases.registry.columns[column].span();
    match bits.bases.parts(column) {
        Parts::One(Digit { linear, known, .. }) => {
            Some(Scale::ordered(linear, known.is_some(), 0..=span))
        }
        Parts::Two { .. } => None,
    }
}

/// The intervals that begin at 0 and at `cuts`, in order, NULL first; cuts ascend from 1 to the column's largest value.
///
/// # Errors
/// As [`parts`].
pub(super) fn intervals(
    bits: &mut Bits<'_>,
    column: usize,
    cuts: &[u64],
) -> Result<Scale, PlanError> {
    let known = bits.bases.known(column);
    let moved = u64::from(known.is_some());
    let linear = match bits.bases.parts(column) {
        Parts::One(digit) => {
            let steps = steps(digit.radix - moved, cuts, moved);
            bits.lookups.output(&digit.linear, steps)
        }
        Parts::Two { .. } => {
            let scale = parts(bits, column, cuts)?;
            let interval = |first: &Option<u64>| {
                let interval = first.map(|f| cuts.partition_point(|c| *c <= f) as u64);
                interval.map_or(0, |i| i + moved)
            };
            let steps = Steps::new(scale.firsts.iter().map(interval));
            bits.lookups.output(&scale.linear, steps)
        }
    };
    let firsts = [0].into_iter().chain(cuts.iter().copied());
    Ok(Scale::ordered(linear, moved == 1, firsts))
}

/// The same intervals, or parts of them, of any column, in whatever order: it takes a lookup less where the column is
/// wide.
///
/// # Errors
/// Where the parts' intervals make too long a table.
pub(super) fn parts(bits: &mut Bits<'_>, column: usize, cuts: &[u64]) -> Result<Scale, PlanError> {
    let Parts::Two { low, high } = bits.bases.parts(column) else {
        return intervals(bits, column, cuts);
    };
    let low = cut(bits, &low, cuts.iter().map(|c| c & 0xffff));
    let high = match high.radix <= FEW {
        true => Scale::ordered(high.linear, false, 0..high.radix),
        false => {
            let highs = cuts.iter().flat_map(|c| [c >> 16, (c >> 16) + 1]);
            cut(bits, &high, highs)
        }
    };
    let mut key = Mixed::default();
    let of_low = key.push(&low.linear, low.radix());
    let of_high = key.push(&high.linear, high.radix());
    let of_known = bits.bases.known(column).map(|k| key.push(&k, 2));
    if key.radix() > MOST {
        return Err(PlanError::TooLarge {
            what: "entries in a table of a column's high and low parts",
            needed: index(key.radix()),
            most: index(MOST),
            help: "use fewer intervals of a column with more than 65,536 values",
        });
    }
    let first = |t: u64| {
        let low = low.first(key.digit(t, of_low))?;
        let high = high.first(key.digit(t, of_high))?;
        let is_null = of_known.is_some_and(|place| key.digit(t, place) == 0);
        (!is_null).then_some(low + (high << 16))
    };
    let firsts = (0..key.radix()).map(first).collect();
    let linear = key.linear;
    Ok(Scale { linear, firsts })
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
    let linear = bits
        .lookups
        .output(&part.linear, steps(part.radix, &cuts, 0));
    Scale::ordered(linear, false, [0].into_iter().chain(cuts))
}
