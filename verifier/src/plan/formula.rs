//! Predicates as formulas over digits and bits.
//!
//! A leaf says that a [`Digit`] lies in a set. NULL is the digit 0 of a nullable column, in no set of values; so a
//! leaf is exact and two-valued, and the normal form has no NOT left.

use std::collections::{BTreeMap, BTreeSet};

use galen_circuits::equation::Linear;

use super::bases::{Bases, Digit, Parts};
use galen_query::query::{IntervalSet, Predicate};

/// A monotone formula. `All` of nothing is true, `Any` of nothing false.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Formula {
    /// A bit that is proven already.
    Bit(Linear),
    /// The digit lies in the set, which is neither empty nor everything.
    In(Digit, IntervalSet),
    /// All members are true.
    All(Vec<Formula>),
    /// At least one member is true.
    Any(Vec<Formula>),
}

impl Formula {
    /// Of a predicate.
    pub(super) fn of(predicate: &Predicate, bases: &Bases<'_>) -> Self {
        let each = |m: &[Predicate]| m.iter().map(|p| Self::of(p, bases)).collect::<Vec<_>>();
        match predicate {
            Predicate::Always => Self::All(Vec::new()),
            Predicate::Never => Self::Any(Vec::new()),
            Predicate::IsNotNull { column } => Self::bit(bases.known_bit(*column)),
            Predicate::IsNull { column } => match bases.parts(*column) {
                Parts::One(digit) if digit.known.is_some() => {
                    Self::leaf(digit, IntervalSet::single(0))
                }
                _ => Self::bit(bases.known_bit(*column).complement()),
            },
            Predicate::In { column, set } => Self::member(bases, *column, set),
            Predicate::All(members) => Self::all(each(members)),
            Predicate::Any(members) => Self::any(each(members)),
        }
    }

    /// 1 where the column has a value in the set.
    fn member(bases: &Bases<'_>, column: usize, set: &IntervalSet) -> Self {
        let span = bases.registry.columns[column].span();
        match bases.parts(column) {
            Parts::One(digit) => {
                let moved = u64::from(digit.known.is_some());
                Self::leaf(digit, set.shifted(moved))
            }
            Parts::Two { low, high } if !set.contains(0) => wide(&low, &high, set),
            Parts::Two { low, high } => {
                let outside = wide(&low, &high, &set.complement(span));
                let known = bases.known_bit(column);
                Self::all(vec![Self::bit(known), outside.negated()])
            }
        }
    }

    fn bit(linear: Linear) -> Self {
        if linear == Linear::constant(1) {
            Self::All(Vec::new())
        } else if linear.is_zero() {
            Self::Any(Vec::new())
        } else {
            Self::Bit(linear)
        }
    }

    /// A leaf, or what it comes to: of few values it is a bit already.
    pub(super) fn leaf(digit: Digit, set: IntervalSet) -> Self {
        if set.is_empty() {
            return Self::Any(Vec::new());
        }
        if set.contains(0) && set.complement(digit.radix - 1).is_empty() {
            return Self::All(Vec::new());
        }
        let bits = match (&digit.known, digit.radix) {
            (None, 2) => vec![digit.linear.complement(), digit.linear.clone()],
            (Some(known), 2) => vec![known.complement(), known.clone()],
            (Some(known), 3) => {
                let value = digit.linear.clone().plus(-1, known);
                let other = known.clone().plus(-1, &value);
                vec![known.complement(), other, value]
            }
            _ => return Self::In(digit, set),
        };
        let members = (0..).zip(&bits).filter(|(i, _)| set.contains(*i));
        Self::bit(members.fold(Linear::zero(), |sum, (_, bit)| sum.plus(1, bit)))
    }

    /// True where all members are: flat, leaves of one digit merged, sorted.
    pub(super) fn all(members: Vec<Self>) -> Self {
        let flat = |m: Self| match m {
            Self::All(inner) => inner,
            other => vec![other],
        };
        let members = members.into_iter().flat_map(flat).collect();
        Self::node(members, IntervalSet::intersection, Self::All, Self::Any)
    }

    /// True where some member is.
    pub(super) fn any(members: Vec<Self>) -> Self {
        let flat = |m: Self| match m {
            Self::Any(inner) => inner,
            other => vec![other],
        };
        let members = members.into_iter().flat_map(flat).collect();
        Self::node(members, IntervalSet::union, Self::Any, Self::All)
    }

    /// `make` of the members, `other` being the other kind of node: where it is empty it decides.
    fn node(
        members: Vec<Self>,
        merge: impl Fn(&IntervalSet, &IntervalSet) -> IntervalSet,
        make: fn(Vec<Self>) -> Self,
        other: fn(Vec<Self>) -> Self,
    ) -> Self {
        let mut leaves: BTreeMap<Digit, IntervalSet> = BTreeMap::new();
        let mut rest = Vec::new();
        for member in members {
            match member {
                Self::In(digit, set) => {
                    let merged = leaves.get(&digit).map(|before| merge(before, &set));
                    leaves.insert(digit, merged.unwrap_or(set));
                }
                other => rest.push(other),
            }
        }
        rest.extend(leaves.into_iter().map(|(d, s)| Self::leaf(d, s)));
        let neutral = make(Vec::new());
        rest.retain(|m| *m != neutral);
        let decides = other(Vec::new());
        if rest.contains(&decides) {
            return decides;
        }
        rest.sort();
        rest.dedup();
        match rest.len() {
            1 => rest.remove(0),
            _ => make(rest),
        }
    }

    /// False where it is true; only of leaves that are never NULL.
    fn negated(&self) -> Self {
        let each = |members: &[Self]| members.iter().map(Self::negated).collect::<Vec<_>>();
        match self {
            Self::Bit(linear) => Self::bit(linear.complement()),
            Self::In(digit, set) => Self::leaf(digit.clone(), set.complement(digit.radix - 1)),
            Self::All(members) => Self::any(each(members)),
            Self::Any(members) => Self::all(each(members)),
        }
    }

    /// The members of a conjunction; itself, if it is none.
    pub(super) fn conjuncts(&self) -> Vec<Self> {
        match self {
            Self::All(members) => members.clone(),
            other => vec![other.clone()],
        }
    }

    /// With every leaf replaced.
    pub(super) fn mapped(&self, leaf: &mut dyn FnMut(&Digit, &IntervalSet) -> Self) -> Self {
        match self {
            Self::Bit(_) => self.clone(),
            Self::In(digit, set) => leaf(digit, set),
            Self::All(members) => Self::all(members.iter().map(|m| m.mapped(leaf)).collect()),
            Self::Any(members) => Self::any(members.iter().map(|m| m.mapped(leaf)).collect()),
        }
    }

    /// The sets in which its leaves say that each digit lies.
    pub(super) fn sets(&self) -> BTreeMap<Digit, BTreeSet<IntervalSet>> {
        let mut sets: BTreeMap<Digit, BTreeSet<IntervalSet>> = BTreeMap::new();
        self.visit(&mut |digit, set| {
            sets.entry(digit.clone()).or_default().insert(set.clone());
        });
        sets
    }

    fn visit(&self, leaf: &mut dyn FnMut(&Digit, &IntervalSet)) {
        match self {
            Self::Bit(_) => {}
            Self::In(digit, set) => leaf(digit, set),
            Self::All(members) | Self::Any(members) => {
                members.iter().for_each(|m| m.visit(leaf));
            }
        }
    }
}

/// [lo + 2^16·hi ∈ set] for a set without 0, by cases on hi: intervals with one range of lo are joined. On a NULL row
/// both parts are 0, which no case covers.
fn wide(low: &Digit, high: &Digit, set: &IntervalSet) -> Formula {
    let half = 1u64 << 16;
    let mut by_low: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let mut case = |low, high| by_low.entry(low).or_default().push(high);
    for (first, last) in set.intervals() {
        let (from, to) = ((first / half, first % half), (last / half, last % half));
        if from.0 == to.0 {
            case((from.1, to.1), (from.0, from.0));
            continue;
        }
        let begin = from.0 + u64::from(from.1 > 0);
        let end = to.0 - u64::from(to.1 < half - 1);
        if from.1 > 0 {
            case((from.1, half - 1), (from.0, from.0));
        }
        if begin <= end {
            case((0, half - 1), (begin, end));
        }
        if to.1 < half - 1 {
            case((0, to.1), (to.0, to.0));
        }
    }
    let cases = by_low.into_iter().map(|((first, last), highs)| {
        let highs = IntervalSet::from_intervals(highs);
        Formula::all(vec![
            Formula::leaf(high.clone(), highs),
            Formula::leaf(low.clone(), IntervalSet::range(first, last)),
        ])
    });
    Formula::any(cases.collect())
}
