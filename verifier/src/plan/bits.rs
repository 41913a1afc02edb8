//! Formulas as proven bits (`docs/spec/plan.md`, "Bits").
//!
//! A formula is one lookup of a key in mixed radix in its truth table. The key's digits are the columns of its leaves
//! where they are small, else what a lookup of their own puts out; and, node by node, how many of the node's bits
//! are 1.

use std::collections::{BTreeMap, BTreeSet};

use galen_circuits::equation::Linear;

use super::{
    bases::{Bases, Digit, Mixed},
    formula::Formula,
    literal::{Key, canonical, classes, firsts, index},
    lookups::Lookups,
    steps::Steps,
    truth::{Node, entries},
};
use galen_query::query::IntervalSet;

/// Proves bits, as few lookups as it finds.
pub(super) struct Bits<'a> {
    pub(super) bases: Bases<'a>,
    pub(super) lookups: Lookups,
    /// A table that saves a lookup has at most so many entries, where smaller ones would do without.
    most: u64,
    /// A table in the place of several lookups is at most so much longer: half a slot.
    half: u64,
    /// What has been proven.
    proven: BTreeMap<Formula, Linear>,
}

impl<'a> Bits<'a> {
    /// Over tables of which 2^`row_bits` entries fit into a slot.
    pub(super) fn new(bases: Bases<'a>, row_bits: u32) -> Self {
        Self {
            bases,
            lookups: Lookups::default(),
            most: 1 << row_bits.saturating_sub(2).clamp(8, 14),
            half: 1 << row_bits.saturating_sub(1).clamp(8, 15),
            proven: BTreeMap::new(),
        }
    }

    /// The formula as one bit.
    pub(super) fn bit(&mut self, formula: &Formula) -> Linear {
        let mut factors = self.factors(formula, 1);
        let bit = factors.pop().unwrap_or_else(|| Linear::constant(1));
        self.proven.insert(formula.clone(), bit.clone());
        bit
    }

    /// At most `room` bits whose product the formula is.
    pub(super) fn factors(&mut self, formula: &Formula, room: usize) -> Vec<Linear> {
        let mut bits = Vec::new();
        let mut rest = Vec::new();
        for member in self.known_parts(formula.conjuncts()) {
            match self.free(&member) {
                Some(bit) => bits.push(bit),
                None => rest.push(member),
            }
        }
        let mut bins = self.bins(rest);
        let over = (bits.len() + bins.len()).saturating_sub(room);
        if over > 0 {
            let host = self.host(&bins, over).map(|at| bins.remove(at));
            let mut others = Vec::new();
            for _ in 0..over + usize::from(host.is_none()) {
                others.push(match bits.pop() {
                    Some(bit) => Formula::Bit(bit),
                    None => {
                        let bin = Formula::all(bins.pop().expect("as many as are over"));
                        Formula::Bit(self.one(&bin))
                    }
                });
            }
            others.extend(host.unwrap_or_default());
            let joined = self.look_up(&Formula::all(others));
            bits.push(joined);
        }
        let bins = bins.into_iter().map(|bin| self.one(&Formula::all(bin)));
        bits.extend(bins);
        bits
    }

    /// Members of a conjunction, those that are proven together as one bit replaced by it.
    fn known_parts(&self, mut members: Vec<Formula>) -> Vec<Formula> {
        loop {
            let part = self
                .proven
                .iter()
                .filter_map(|(formula, bit)| match formula {
                    Formula::All(m) if m.len() > 1 && m.iter().all(|m| members.contains(m)) => {
                        Some((m, bit))
                    }
                    _ => None,
                });
            let Some((part, bit)) = part.max_by_key(|(m, _)| m.len()) else {
                return members;
            };
            members.retain(|m| !part.contains(m));
            members.insert(0, Formula::Bit(bit.clone()));
        }
    }

    /// The formula as a bit, where that takes no lookup.
    fn free(&mut self, formula: &Formula) -> Option<Linear> {
        match formula {
            Formula::Bit(bit) => Some(bit.clone()),
            Formula::All(members) if members.is_empty() => Some(Linear::constant(1)),
            Formula::Any(members) if members.is_empty() => Some(Linear::zero()),
            Formula::In(digit, set) if self.is_free(digit, set) => Some(self.literal(digit, set)),
            other => self.proven.get(other).cloned(),
        }
    }

    /// Members that one lookup takes together.
    fn bins(&self, mut members: Vec<Formula>) -> Vec<Vec<Formula>> {
        members.sort_by_key(|m| std::cmp::Reverse(entries([m])));
        let mut bins: Vec<Vec<Formula>> = Vec::new();
        for member in members {
            let takes = |bin: &&mut Vec<Formula>| {
                entries(bin.iter().chain([&member])).is_some_and(|n| n <= self.most)
            };
            match bins.iter_mut().find(takes) {
                Some(bin) => bin.push(member),
                None => bins.push(vec![member]),
            }
        }
        bins
    }

    /// The bin whose lookup takes `over` more bits.
    fn host(&self, bins: &[Vec<Formula>], over: usize) -> Option<usize> {
        let sizes = bins.iter().map(entries);
        let sized = sizes.enumerate().filter_map(|(at, n)| Some((n?, at)));
        let (least, at) = sized.min()?;
        let more = least.checked_mul(over as u64)?;
        (least + more <= self.most || more <= self.half).then_some(at)
    }

    /// The formula by one lookup, beside those that its parts take.
    fn one(&mut self, formula: &Formula) -> Linear {
        if let Some(bit) = self.free(formula) {
            return bit;
        }
        let bit = match formula {
            Formula::In(digit, set) => self.literal(digit, set),
            _ => {
                let smaller = self.reduced(formula);
                match self.free(&smaller) {
                    Some(bit) => bit,
                    None => self.look_up(&smaller),
                }
            }
        };
        self.proven.insert(formula.clone(), bit.clone());
        bit
    }

    /// [digit ∈ set] with as much shared as can be: the complement within the values is free, and so is that of
    /// NULL or not.
    fn literal(&mut self, digit: &Digit, set: &IntervalSet) -> Linear {
        let (key, inside, sign) = canonical(digit, set);
        let bit = match key {
            Key::Known(known) => known,
            Key::Digit => {
                let truth = Steps::members(digit.radix, &inside);
                self.lookups.bit(&digit.linear, &truth)
            }
        };
        sign.of(bit)
    }

    fn is_free(&self, digit: &Digit, set: &IntervalSet) -> bool {
        match canonical(digit, set) {
            (Key::Known(_), ..) => true,
            (Key::Digit, inside, _) => {
                let truth = Steps::members(digit.radix, &inside);
                self.lookups.has_bit(&digit.linear, &truth)
            }
        }
    }

    /// The same formula with a truth table that is not too long: columns of many values are looked up first, and
    /// where that is not enough, inner nodes.
    fn reduced(&mut self, formula: &Formula) -> Formula {
        let mut formula = formula.clone();
        let mut digits: Vec<Digit> = formula.sets().into_keys().collect();
        digits.sort_by_key(|d| std::cmp::Reverse(d.radix));
        for digit in digits {
            if self.is_small(&formula) {
                return formula;
            }
            formula = self.classed(&formula, &digit);
        }
        if entries([&formula]).is_some_and(|n| n <= 2 * self.half) {
            return formula;
        }
        for pass in 0..2 {
            let (Formula::All(members) | Formula::Any(members)) = formula.clone() else {
                return formula;
            };
            for member in members {
                let is_node = matches!(member, Formula::All(_) | Formula::Any(_));
                if self.is_small(&formula) {
                    return formula;
                }
                if is_node || pass == 1 {
                    let bit = Formula::Bit(self.one(&member));
                    formula = replaced(&formula, &member, &bit);
                }
            }
        }
        formula
    }

    fn is_small(&self, formula: &Formula) -> bool {
        entries([formula]).is_some_and(|n| n <= self.most)
    }

    /// With the leaves of one digit by a lookup of it: as bits, where they are one bit and its complements, else as
    /// the digit's class among the values that the formula does not tell apart.
    fn classed(&mut self, formula: &Formula, digit: &Digit) -> Formula {
        let sets = formula.sets().remove(digit).unwrap_or_default();
        let apart: BTreeSet<_> = sets
            .iter()
            .filter_map(|s| match canonical(digit, s) {
                (Key::Digit, inside, _) => Some(inside),
                (Key::Known(_), ..) => None,
            })
            .collect();
        let (classes, count) = classes(digit.radix, &sets);
        if apart.len() < 2 || count >= digit.radix {
            return formula.mapped(&mut |d, set| match d == digit {
                true => Formula::Bit(self.literal(d, set)),
                false => Formula::In(d.clone(), set.clone()),
            });
        }
        let firsts = firsts(&classes, count);
        let class = Digit {
            linear: self.lookups.output(&digit.linear, classes.clone()),
            radix: count,
            known: None,
        };
        formula.mapped(&mut |d, set| {
            if d != digit {
                return Formula::In(d.clone(), set.clone());
            }
            let members = (0..count).filter(|c| set.contains(firsts[index(*c)]));
            let members = IntervalSet::from_intervals(members.map(|c| (c, c)));
            Formula::leaf(class.clone(), members)
        })
    }

    /// The formula by its truth table.
    fn look_up(&mut self, formula: &Formula) -> Linear {
        let mut key = Mixed::default();
        let node = Node::new(formula, &mut key);
        let truth = Steps::new((0..key.radix()).map(|t| u64::from(node.eval(&key, t))));
        self.lookups.bit(&key.linear, &truth)
    }
}

fn replaced(formula: &Formula, member: &Formula, by: &Formula) -> Formula {
    let swap = |m: &Formula| match m == member {
        true => by.clone(),
        false => m.clone(),
    };
    match formula {
        Formula::All(members) => Formula::all(members.iter().map(swap).collect()),
        Formula::Any(members) => Formula::any(members.iter().map(swap).collect()),
        other => swap(other),
    }
}
