//! The atoms of a group, clique by clique, and the regions that a reader can name in them.

use std::collections::BTreeSet;

use super::{
    cliques::{Bits, Clique},
    conditions::Sum,
    simplex::Work,
    span::{Form, Span},
};
use crate::plan::Field;

/// What can be told apart in a group. A vector has a coefficient for each clique's atoms in turn; two vectors mean the same of every table if
/// they differ by `links`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct World {
    /// 0 of every table: what a clique shares with its parent is as often in the one as in the other.
    pub(super) links: Vec<Vec<i8>>,
    /// Each count's indicator.
    pub fields: Vec<(Field, Vec<i8>)>,
    /// What each atom's patients add to each sum that tells of counts.
    pub sums: Vec<(Field, Vec<i8>)>,
    /// All patients of the group.
    pub(super) whole: Vec<i8>,
    regions: Vec<Region>,
}

/// Events, each with whether it is so. An event is that all of its conditions are true.
pub(super) type Who = Vec<(Bits, bool)>;

/// Whether a patient who meets these conditions is one of them.
pub(super) fn is_one(who: &Who, atom: Bits) -> bool {
    who.iter()
        .all(|(event, is_so)| (atom & event == *event) == *is_so)
}

/// Patients that a reader can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) indicator: Vec<i8>,
    /// What is so of them and what is not.
    pub(super) who: Who,
    /// How many they are in terms of the counts, where that follows whoever the patients are.
    pub(super) form: Option<Form>,
}

impl World {
    /// The most atoms of all cliques together.
    pub const MAX_ATOMS: usize = 1 << 10;
    /// The most counts that a region's size is made of, each as often as it is used.
    pub const LONGEST: u64 = 128;
    /// The most regions.
    const MAX_REGIONS: usize = 1 << 12;

    /// Of cliques with their atoms, counts with their conditions, and conditions of which each set is tied together. `None` if there are too
    /// many atoms or regions, or it is too much work.
    pub fn new(
        cliques: &[(Clique, Vec<Bits>)],
        (fields, sums): (&[(Field, Bits)], &[Sum]),
        tied: &[Bits],
        work: &mut Work,
    ) -> Option<Self> {
        let atoms = Atoms::of(cliques);
        if atoms.len > Self::MAX_ATOMS {
            return None;
        }
        let links = atoms.links();
        let indicators = fields.iter().map(|(_, bits)| atoms.indicator(*bits));
        let indicators: Vec<Vec<i8>> = indicators.collect();
        let named = Named::of(&atoms, fields, tied)?.regions;
        work.take(named.len() * (links.len() + fields.len()) * atoms.len)
            .ok()?;
        let span = Span::of(&links, &indicators);
        let region = |(who, indicator): (Who, Vec<i8>)| Region {
            form: span.form(&indicator),
            who,
            indicator,
        };
        Some(Self {
            regions: named.into_iter().map(region).collect(),
            whole: atoms.indicator(0),
            sums: sums.iter().map(|s| (s.field, atoms.sum(s))).collect(),
            fields: fields.iter().map(|(f, _)| *f).zip(indicators).collect(),
            links,
        })
    }

    /// Whether a count is 0 whoever the patients are: the group's key, WHERE and the count's own conditions contradict one another.
    pub fn is_impossible(&self, field: Field) -> bool {
        let own = self.fields.iter().find(|(f, _)| *f == field);
        let vector = own.map_or(&self.whole, |(_, own)| own);
        vector.iter().all(|c| *c == 0)
    }

    pub(super) fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Which counts, and how many times each, make how many times a region's size: of the published ones as far as that goes, then of
    /// `next`, then of others.
    pub fn form(
        &self,
        region: usize,
        shown: &[Option<u64>],
        next: Option<usize>,
        work: &mut Work,
    ) -> Option<Form> {
        let region = &self.regions.get(region)?.indicator;
        let mut order: Vec<usize> = (0..shown.len()).collect();
        let zeros = self.zeros(shown);
        work.take((zeros.len() + order.len()).pow(2) * self.whole.len())
            .ok()?;
        order.sort_by_key(|f| (shown[*f].is_none(), Some(*f) != next));
        let indicators = order.iter().map(|f| self.fields[*f].1.clone());
        let span = Span::of(&zeros, &indicators.collect::<Vec<_>>());
        let mut form = span.form(region)?;
        form.terms.iter_mut().for_each(|(at, _)| *at = order[*at]);
        let size: u64 = form.terms.iter().map(|(_, c)| c.unsigned_abs()).sum();
        (size <= Self::LONGEST).then_some(form)
    }

    /// What is 0 of every table with these published counts.
    fn zeros(&self, shown: &[Option<u64>]) -> Vec<Vec<i8>> {
        let len = self.whole.len();
        let empty = self.empty(shown);
        let unit = |at: usize| (0..len).map(|a| i8::from(a == at)).collect();
        let units = (0..len).filter(|at| empty[*at]).map(unit);
        self.links.iter().cloned().chain(units).collect()
    }

    /// Which atoms have no patients, as can be seen of published counts: of those that are 0, and of what one counts and an equal one
    /// within it does not.
    pub(super) fn empty(&self, shown: &[Option<u64>]) -> Vec<bool> {
        let mut empty = vec![false; self.whole.len()];
        let mut none = |vector: &mut dyn Iterator<Item = i8>| {
            empty.iter_mut().zip(vector).for_each(|(e, c)| *e |= c > 0);
        };
        for ((_, outer), n) in self.fields.iter().zip(shown) {
            if *n == Some(0) {
                none(&mut outer.iter().copied());
            }
            for ((_, inner), m) in self.fields.iter().zip(shown) {
                let is_within = || outer.iter().zip(inner).all(|(a, b)| a >= b);
                if n.is_some() && n == m && is_within() {
                    none(&mut outer.iter().zip(inner).map(|(a, b)| a - b));
                }
            }
        }
        empty
    }
}

/// Where each clique's atoms stand in a vector.
pub(super) struct Atoms<'a> {
    cliques: &'a [(Clique, Vec<Bits>)],
    starts: Vec<usize>,
    pub len: usize,
}

impl<'a> Atoms<'a> {
    pub fn of(cliques: &'a [(Clique, Vec<Bits>)]) -> Self {
        let mut len = 0;
        let starts = cliques.iter().map(|(_, atoms)| {
            len += atoms.len();
            len - atoms.len()
        });
        let starts = starts.collect();
        Self {
            cliques,
            starts,
            len,
        }
    }

    /// Adds `sign` for some of a clique's atoms.
    pub fn add(&self, to: &mut [i8], clique: usize, is_in: impl Fn(Bits) -> bool, sign: i8) {
        let own = to[self.starts[clique]..].iter_mut();
        for (place, atom) in own.zip(&self.cliques[clique].1) {
            if is_in(*atom) {
                *place += sign;
            }
        }
    }

    /// 1 for some of a clique's atoms.
    pub fn of_truths(&self, clique: usize, is_in: &[bool]) -> Vec<i8> {
        let mut vector = vec![0; self.len];
        let own = vector[self.starts[clique]..].iter_mut();
        own.zip(is_in).for_each(|(v, is_in)| *v = i8::from(*is_in));
        vector
    }

    /// The first clique that has all of these conditions.
    pub fn home(&self, bits: Bits) -> Option<usize> {
        self.cliques.iter().position(|(c, _)| c.bits & bits == bits)
    }

    /// Those of whom the conditions of a count are true.
    fn indicator(&self, bits: Bits) -> Vec<i8> {
        let mut indicator = vec![0; self.len];
        let home = self.home(bits);
        let home = home.expect("conditions that one count is about are in a clique");
        self.add(&mut indicator, home, |atom| atom & bits == bits, 1);
        indicator
    }

    /// What each atom's patients add to a sum.
    fn sum(&self, sum: &Sum) -> Vec<i8> {
        let mut vector = vec![0; self.len];
        let home = self.home(sum.all_bits());
        let home = home.expect("conditions that one sum is about are in a clique");
        let own = vector[self.starts[home]..].iter_mut();
        for (place, atom) in own.zip(&self.cliques[home].1) {
            *place = sum.value(*atom);
        }
        vector
    }

    pub fn links(&self) -> Vec<Vec<i8>> {
        let mut links = Vec::new();
        for (at, (clique, own)) in self.cliques.iter().enumerate() {
            let Some(parent) = clique.parent else {
                continue;
            };
            let shared = clique.bits & self.cliques[parent].0.bits;
            let of = own.iter().chain(&self.cliques[parent].1);
            let seen: BTreeSet<Bits> = of.map(|a| a & shared).collect();
            links.extend(seen.into_iter().map(|kind| {
                let mut link = vec![0; self.len];
                let is_in = |atom: Bits| atom & shared == kind;
                self.add(&mut link, at, is_in, 1);
                self.add(&mut link, parent, is_in, -1);
                link
            }));
        }
        links
    }
}

/// The regions so far, each once.
struct Named<'a> {
    atoms: &'a Atoms<'a>,
    regions: Vec<(Who, Vec<i8>)>,
    seen: BTreeSet<Vec<i8>>,
}

impl<'a> Named<'a> {
    /// Everybody, pairs of events, and kinds of patients. `None` if the pairs are too many.
    fn of(atoms: &'a Atoms<'a>, fields: &[(Field, Bits)], tied: &[Bits]) -> Option<Self> {
        let mut named = Self {
            atoms,
            regions: Vec::new(),
            seen: BTreeSet::new(),
        };
        let all = atoms.cliques.iter().fold(0, |all, (c, _)| all | c.bits);
        let of_fields = fields.iter().map(|(_, bits)| *bits);
        let events: BTreeSet<Bits> = of_fields.chain(each(all)).collect();
        named.add(vec![(0, true)]);
        named.pairs(&events);
        if named.is_full() {
            return None;
        }
        named.kinds(&events, tied);
        Some(named)
    }

    fn is_full(&self) -> bool {
        self.regions.len() >= World::MAX_REGIONS
    }

    /// A region that one clique has, unless it is empty or there, or there are too many.
    fn add(&mut self, who: Who) {
        let bits = who.iter().fold(0, |all, (event, _)| all | event);
        let Some(home) = self.atoms.home(bits).filter(|_| !self.is_full()) else {
            return;
        };
        let mut region = vec![0; self.atoms.len];
        self.atoms
            .add(&mut region, home, |atom| is_one(&who, atom), 1);
        if region.iter().any(|c| *c != 0) && self.seen.insert(region.clone()) {
            self.regions.push((who, region));
        }
    }

    /// What two events name together.
    fn pairs(&mut self, events: &BTreeSet<Bits>) {
        for a in events {
            for b in events.range(..=a) {
                for (has_a, has_b) in [(true, true), (true, false), (false, true), (false, false)] {
                    self.add(vec![(*b, has_b), (*a, has_a)]);
                }
            }
        }
    }

    /// Which of tied conditions are true of a patient; none of them, whatever one is; and each of these with an event of
    /// other conditions.
    fn kinds(&mut self, events: &BTreeSet<Bits>, tied: &[Bits]) {
        for own in tied {
            let cliques = self.atoms.cliques.iter();
            let atoms = cliques.filter(|(c, _)| c.bits & own == *own);
            let kinds: BTreeSet<Bits> = atoms
                .flat_map(|(_, atoms)| atoms.iter().map(|a| a & own))
                .collect();
            let exactly = kinds.iter().map(|kind| {
                let others = each(own & !kind).map(|bit| (bit, false));
                std::iter::once((*kind, true))
                    .chain(others)
                    .collect::<Who>()
            });
            let none_but = each(*own).map(|left| each(own & !left).map(|b| (b, false)).collect());
            let all: Vec<Who> = exactly.chain(none_but).collect();
            for who in &all {
                self.add(who.clone());
            }
            for event in events.iter().filter(|e| *e & own == 0) {
                for who in &all {
                    self.add(who.iter().copied().chain([(*event, true)]).collect());
                }
            }
        }
    }
}

/// Each bit by itself.
fn each(bits: Bits) -> impl Iterator<Item = Bits> {
    (0..Bits::BITS)
        .map(|b| 1 << b)
        .filter(move |b| bits & b != 0)
}
