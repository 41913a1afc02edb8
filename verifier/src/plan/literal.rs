//! What the leaves of a formula share: a set and its complement are one lookup, and so are sets whose values a class
//! tells apart.

use std::collections::{BTreeMap, BTreeSet};

use galen_circuits::equation::Linear;

use super::{bases::Digit, steps::Steps};
use galen_query::query::IntervalSet;

/// What a leaf's bit is computed from.
pub(super) enum Key {
    Known(Linear),
    Digit,
}

/// How a leaf's bit is got from another one.
pub(super) enum Sign {
    Same,
    Within(Linear),
    Complement,
    ComplementWithin(Linear),
}

impl Sign {
    /// The bit itself, from the one that is looked up.
    pub(super) fn of(self, bit: Linear) -> Linear {
        match self {
            Sign::Same => bit,
            Sign::Within(known) => known.plus(-1, &bit),
            Sign::Complement => bit.complement(),
            Sign::ComplementWithin(known) => known.plus(-1, &bit).complement(),
        }
    }
}

/// The set by which [digit ∈ set] is computed: without the digit 0, and of a nullable column without the smallest
/// value. For a set S of values without the smallest one known − [v ∈ S] is a bit, the values outside of S: where
/// the column is NULL, [v ∈ S] is 0.
pub(super) fn canonical(digit: &Digit, set: &IntervalSet) -> (Key, IntervalSet, Sign) {
    let top = digit.radix - 1;
    let is_outside = set.contains(0);
    let inside = match is_outside {
        true => set.complement(top),
        false => set.clone(),
    };
    let Some(known) = &digit.known else {
        let sign = if is_outside {
            Sign::Complement
        } else {
            Sign::Same
        };
        return (Key::Digit, inside, sign);
    };
    let values = IntervalSet::range(1, top);
    if inside == values {
        let sign = if is_outside {
            Sign::Complement
        } else {
            Sign::Same
        };
        return (Key::Known(known.clone()), inside, sign);
    }
    let flipped = inside.contains(1);
    let sign = match (is_outside, flipped) {
        (false, false) => Sign::Same,
        (false, true) => Sign::Within(known.clone()),
        (true, false) => Sign::Complement,
        (true, true) => Sign::ComplementWithin(known.clone()),
    };
    let inside = match flipped {
        true => values.intersection(&inside.complement(top)),
        false => inside,
    };
    (Key::Digit, inside, sign)
}

/// Values that no set tells apart have one class; that of 0 is 0.
pub(super) fn classes(radix: u64, sets: &BTreeSet<IntervalSet>) -> (Steps, u64) {
    let mut starts: BTreeSet<u64> = BTreeSet::from([0]);
    for (first, last) in sets.iter().flat_map(IntervalSet::intervals) {
        starts.extend([*first, last + 1]);
    }
    let starts: Vec<u64> = starts.into_iter().filter(|s| *s < radix).collect();
    let mut numbers: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
    let mut steps = Steps::default();
    for (at, start) in starts.iter().enumerate() {
        let vector = sets.iter().map(|s| s.contains(*start)).collect();
        let next = numbers.len() as u64;
        let class = *numbers.entry(vector).or_insert(next);
        let end = starts.get(at + 1).copied().unwrap_or(radix);
        steps.push(end - start, class);
    }
    (steps, numbers.len() as u64)
}

/// The first value of each class.
pub(super) fn firsts(classes: &Steps, count: u64) -> Vec<u64> {
    let mut firsts = vec![None; index(count)];
    let mut start = 0;
    for (length, class) in classes.runs() {
        firsts[index(*class)].get_or_insert(start);
        start += length;
    }
    firsts.into_iter().flatten().collect()
}

/// A place in a list that is no longer than a table.
pub(super) fn index(n: u64) -> usize {
    usize::try_from(n).expect("fewer than a table has entries")
}
