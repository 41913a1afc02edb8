//! Truth tables of formulas, by keys in mixed radix.

use std::collections::BTreeMap;

use galen_circuits::equation::Linear;

use super::{
    bases::{Digit, Mixed},
    formula::Formula,
};
use galen_query::query::IntervalSet;

/// The length of the truth table of a conjunction.
pub(super) fn entries<'f>(members: impl IntoIterator<Item = &'f Formula>) -> Option<u64> {
    fn visit<'f>(
        members: impl IntoIterator<Item = &'f Formula>,
        digits: &mut BTreeMap<&'f Digit, u64>,
        sums: &mut Option<u64>,
    ) {
        let mut bits = 0;
        for member in members {
            match member {
                Formula::Bit(_) => bits += 1,
                Formula::In(digit, _) => {
                    digits.insert(digit, digit.radix);
                }
                Formula::All(m) | Formula::Any(m) => visit(m, digits, sums),
            }
        }
        *sums = sums.and_then(|s| s.checked_mul(bits + 1));
    }
    let (mut digits, mut sums) = (BTreeMap::new(), Some(1));
    visit(members, &mut digits, &mut sums);
    digits
        .values()
        .try_fold(sums?, |all, d| all.checked_mul(*d))
}

/// A formula whose leaves and counted bits are digits of a key.
pub(super) enum Node {
    In(usize, IntervalSet),
    /// Whether all members are to be true; the digit that counts the node's bits, and how many there are.
    Count {
        all: bool,
        bits: Option<(usize, u64)>,
        members: Vec<Node>,
    },
}

impl Node {
    /// With the digits of the key in the order in which they are met.
    pub(super) fn new(formula: &Formula, key: &mut Mixed) -> Self {
        Self::of(formula, key, &mut BTreeMap::new())
    }

    fn of(formula: &Formula, key: &mut Mixed, digits: &mut BTreeMap<Digit, usize>) -> Self {
        let (all, members) = match formula {
            Formula::In(digit, set) => {
                let place = digits
                    .entry(digit.clone())
                    .or_insert_with(|| key.push(&digit.linear, digit.radix));
                return Self::In(*place, set.clone());
            }
            Formula::Bit(_) => (true, std::slice::from_ref(formula)),
            Formula::All(members) => (true, members.as_slice()),
            Formula::Any(members) => (false, members.as_slice()),
        };
        let (mut sum, mut count, mut inner) = (Linear::zero(), 0, Vec::new());
        for member in members {
            match member {
                Formula::Bit(bit) => {
                    sum = sum.plus(1, bit);
                    count += 1;
                }
                other => inner.push(Self::of(other, key, digits)),
            }
        }
        Self::Count {
            all,
            bits: (count > 0).then(|| (key.push(&sum, count + 1), count)),
            members: inner,
        }
    }

    /// Whether it is true at a key.
    pub(super) fn eval(&self, key: &Mixed, number: u64) -> bool {
        match self {
            Self::In(place, set) => set.contains(key.digit(number, *place)),
            Self::Count { all, bits, members } => {
                let mut inner = members.iter().map(|m| m.eval(key, number));
                match (all, bits) {
                    (true, None) => inner.all(|m| m),
                    (false, None) => inner.any(|m| m),
                    (true, Some((place, count))) => {
                        key.digit(number, *place) == *count && inner.all(|m| m)
                    }
                    (false, Some((place, _))) => key.digit(number, *place) > 0 || inner.any(|m| m),
                }
            }
        }
    }
}
