//! Predicates as proven bit columns (`docs/spec/plan.md`).
//!
//! A *bit* is a combination of columns that is proven to hold only 0 and 1. A nullable column of one part
//! is committed with its values moved up by one, so that 0 is NULL, is in no set of values, and `known` is
//! a predicate like any other. Another nullable column holds 0 and known = 0 on NULL rows, both proven, so
//! for a set T without 0 the column [v ∈ T] is at most `known`, and `known − [v ∈ T]` is again a bit: the
//! rows with a value outside T. So no nullable comparison is ever complemented against `ones`, and NULL
//! costs no constraint.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use galen_circuits::{Fr, gates::Gate};
use galen_query::{
    query::{IntervalSet, Predicate},
    registry::ColumnKind,
};
use sha2::{Digest, Sha256};

use super::{
    ColumnId, Linear, Purpose, Slot, Step,
    registration::{Bases, Unit},
};

/// Keys longer than this are replaced by a digest, so that evidence stays small.
const MAX_KEY: usize = 120;

pub(super) struct Builder<'a> {
    pub(super) bases: Bases<'a>,
    pub(super) steps: Vec<Step>,
    pub(super) units: BTreeSet<Unit>,
    by_key: HashMap<String, usize>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(bases: Bases<'a>) -> Self {
        Self {
            bases,
            steps: Vec::new(),
            units: BTreeSet::new(),
            by_key: HashMap::new(),
        }
    }

    /// The bits whose conjunction the predicate is.
    pub(super) fn literals(&mut self, predicate: &Predicate) -> Vec<Linear> {
        match predicate {
            Predicate::Always => Vec::new(),
            Predicate::All(members) => members.iter().map(|m| self.bit(m)).collect(),
            other => vec![self.bit(other)],
        }
    }

    /// The predicate as one bit.
    pub(super) fn bit(&mut self, predicate: &Predicate) -> Linear {
        match predicate {
            Predicate::Always => Linear::column(ColumnId::One),
            Predicate::Never => Linear::zero(),
            Predicate::IsNotNull { column } => self.known(*column),
            Predicate::IsNull { column } => {
                let known = self.known(*column);
                Linear::column(ColumnId::One).minus(&known)
            }
            Predicate::In { column, set } => self.member(*column, set),
            Predicate::All(members) => {
                let bits = members.iter().map(|m| self.bit(m)).collect();
                self.all(bits)
            }
            Predicate::Any(members) => {
                let bits = members.iter().map(|m| self.bit(m)).collect();
                self.any(bits)
            }
        }
    }

    /// 1 where the column has a value.
    pub(super) fn known(&mut self, column: usize) -> Linear {
        self.units.insert(Unit::Column(column));
        if let Some(step) = self.bases.known_step(column) {
            return self.add(step);
        }
        self.bases
            .known(column)
            .unwrap_or_else(|| Linear::column(ColumnId::One))
    }

    /// 1 where the column has a value and its stored value lies in `set`.
    pub(super) fn member(&mut self, column: usize, set: &IntervalSet) -> Linear {
        self.units.insert(Unit::Column(column));
        let description = &self.bases.registry().columns[column];
        let (span, offset) = (description.span(), description.null_offset());
        let boolean = matches!(description.kind, ColumnKind::Boolean);
        let parts = self.bases.parts(column);
        // With an offset 0 is NULL, which no set of values has: nothing is ever complemented.
        let complemented = offset == 0 && set.contains(0);
        let wanted = if complemented {
            set.complement(span)
        } else {
            set.shifted(offset)
        };
        let inside = match parts.as_slice() {
            _ if wanted.is_empty() => Linear::zero(),
            [(index, _)] if boolean => Linear::column(ColumnId::Base(*index)),
            [(index, bits)] => self.recode(*index, *bits, wanted),
            [low, high] => self.wide_member(*low, *high, &wanted),
            _ => unreachable!("a column has one or two parts"),
        };
        if complemented {
            self.known(column).minus(&inside)
        } else {
            inside
        }
    }

    /// [lo + 2^16·hi ∈ set] for a set without 0, by cases on hi.
    fn wide_member(&mut self, low: (usize, u32), high: (usize, u32), set: &IntervalSet) -> Linear {
        let half = 1u64 << 16;
        let mut by_low: BTreeMap<IntervalSet, Vec<(u64, u64)>> = BTreeMap::new();
        let mut case = |low: (u64, u64), high: (u64, u64)| {
            by_low
                .entry(IntervalSet::from_intervals([low]))
                .or_default()
                .push(high);
        };
        for (first, last) in set.intervals() {
            let (from, to) = ((first / half, first % half), (last / half, last % half));
            if from.0 == to.0 {
                case((from.1, to.1), (from.0, from.0));
                continue;
            }
            case((from.1, half - 1), (from.0, from.0));
            if from.0 + 1 < to.0 {
                case((0, half - 1), (from.0 + 1, to.0 - 1));
            }
            case((0, to.1), (to.0, to.0));
        }
        let cases = by_low
            .into_iter()
            .map(|(low_set, highs)| {
                let mut bits = vec![self.part_member(high, &IntervalSet::from_intervals(highs))];
                if low_set != IntervalSet::full(half - 1) {
                    bits.push(self.part_member(low, &low_set));
                }
                self.all(bits)
            })
            .collect();
        self.any(cases)
    }

    fn part_member(&mut self, (index, bits): (usize, u32), set: &IntervalSet) -> Linear {
        let top = (1 << bits) - 1;
        if !set.contains(0) {
            return self.recode(index, bits, set.clone());
        }
        let rest = set.complement(top);
        let one = Linear::column(ColumnId::One);
        if rest.is_empty() {
            one
        } else {
            one.minus(&self.recode(index, bits, rest))
        }
    }

    fn recode(&mut self, index: usize, bits: u32, set: IntervalSet) -> Linear {
        self.add(self.bases.member_step(index, bits, set))
    }

    /// 1 where every bit is 1.
    pub(super) fn all(&mut self, mut bits: Vec<Linear>) -> Linear {
        if bits.len() < 2 {
            return bits.pop().unwrap_or_else(|| Linear::column(ColumnId::One));
        }
        let k = bits.len() as u64;
        let (key, sum) = self.sum("all", &bits);
        self.select(key, sum, k, Linear::column(ColumnId::One), Purpose::Derived)
    }

    /// 1 where some bit is 1: the complement of "none".
    pub(super) fn any(&mut self, mut bits: Vec<Linear>) -> Linear {
        if bits.len() < 2 {
            return bits.pop().unwrap_or_default();
        }
        let (key, sum) = self.sum("none", &bits);
        let none = self.select(key, sum, 0, Linear::column(ColumnId::One), Purpose::Derived);
        Linear::column(ColumnId::One).minus(&none)
    }

    fn sum(&self, name: &str, bits: &[Linear]) -> (String, Linear) {
        let mut names: Vec<String> = bits.iter().map(|b| self.describe(b)).collect();
        names.sort();
        let sum = bits.iter().fold(Linear::zero(), Linear::plus);
        (format!("{name}({})", names.join(",")), sum)
    }

    /// select(x, k, y).
    pub(super) fn select(
        &mut self,
        key: String,
        x: Linear,
        k: u64,
        y: Linear,
        purpose: Purpose,
    ) -> Linear {
        let slots = vec![Slot::Given(x), Slot::Given(y), Slot::Output];
        self.add(Step {
            key,
            gate: Gate::Select,
            k,
            set: IntervalSet::default(),
            slots,
            purpose,
        })
    }

    /// left·right as a derived column.
    pub(super) fn product(&mut self, left: &Linear, right: &Linear) -> Linear {
        let key = format!("product({};{})", self.describe(left), self.describe(right));
        let slots = vec![
            Slot::Given(left.clone()),
            Slot::Given(right.clone()),
            Slot::Output,
        ];
        self.add(Step {
            key,
            gate: Gate::Multiply,
            k: 0,
            set: IntervalSet::default(),
            slots,
            purpose: Purpose::Derived,
        })
    }

    pub(super) fn describe(&self, linear: &Linear) -> String {
        linear.describe(&|id| match id {
            ColumnId::Base(i) => self.bases.name(i).to_owned(),
            ColumnId::Output(i) => self.steps[i].key.clone(),
            other => other.to_string(),
        })
    }

    /// Adds a step, or finds the one with the same key; returns its output.
    fn add(&mut self, step: Step) -> Linear {
        let step = Step {
            key: shorten(step.key),
            ..step
        };
        let next = self.steps.len();
        let index = *self.by_key.entry(step.key.clone()).or_insert(next);
        if index == next {
            self.steps.push(step);
        }
        Linear::column(ColumnId::Output(index))
    }
}

/// A key as it stands, or `<name>#<SHA-256>` where it would be long.
fn shorten(key: String) -> String {
    if key.len() <= MAX_KEY {
        return key;
    }
    let name = key.split('(').next().unwrap_or_default().to_owned();
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("{name}#{hex}")
}

/// 2^(40·limb).
pub(super) fn limb_weight(limb: usize) -> Fr {
    use ark_ff::Field;
    Fr::from(2u64).pow([40 * limb as u64])
}
