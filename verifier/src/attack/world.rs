//! The atoms of a group, clique by clique, and the regions that a reader can name in them.

use std::collections::BTreeSet;

use super::{
    cliques::{Bits, Clique},
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
    /// All patients of the group.
    pub(super) whole: Vec<i8>,
    regions: Vec<Region>,
}

/// Patients that a reader can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) indicator: Vec<i8>,
    /// Two events, each with whether it is so. An event is that all of its conditions are true.
    pub(super) events: [(Bits, bool); 2],
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

    /// Of cliques with their atoms and counts with their conditions. `None` if there are too many atoms or regions, or it is too much
    /// work.
    pub fn new(
        cliques: &[(Clique, Vec<Bits>)],
        fields: &[(Field, Bits)],
        work: &mut Work,
    ) -> Option<Self> {
        let atoms = Atoms::of(cliques);
        if atoms.len > Self::MAX_ATOMS {
            return None;
        }
        let links = atoms.links();
        let indicator = |bits| atoms.indicator(bits);
        let indicators: Vec<Vec<i8>> = fields.iter().map(|(_, bits)| indicator(*bits)).collect();
        let named = named(&atoms, fields)?;
        work.take(named.len() * (links.len() + fields.len()) * atoms.len)
            .ok()?;
        let span = Span::of(&links, &indicators);
        let region = |(events, indicator): Named| Region {
            form: span.form(&indicator),
            events,
            indicator,
        };
        Some(Self {
            regions: named.into_iter().map(region).collect(),
            whole: indicator(0),
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

/// Everybody; whom each count counts, and each condition is true of, and no other or not another one: each region once.
/// `None` if they are too many.
fn named(atoms: &Atoms<'_>, fields: &[(Field, Bits)]) -> Option<Vec<Named>> {
    let (mut regions, mut seen) = (Vec::new(), BTreeSet::new());
    let mut add = |events: [(Bits, bool); 2], region: Vec<i8>| {
        if region.iter().any(|c| *c != 0) && seen.insert(region.clone()) {
            regions.push((events, region));
        }
        regions.len() <= World::MAX_REGIONS
    };
    add([(0, true); 2], atoms.indicator(0));
    let all = atoms.cliques.iter().fold(0, |all, (c, _)| all | c.bits);
    let of_fields = fields.iter().map(|(_, bits)| *bits);
    let events: BTreeSet<Bits> = of_fields.chain(each(all)).collect();
    for a in &events {
        for b in events.range(..=a) {
            let Some(home) = atoms.home(a | b) else {
                continue;
            };
            for (has_a, has_b) in [(true, true), (true, false), (false, true), (false, false)] {
                let is_in = |atom: Bits| (atom & a == *a) == has_a && (atom & b == *b) == has_b;
                let mut region = vec![0; atoms.len];
                atoms.add(&mut region, home, is_in, 1);
                if !add([(*b, has_b), (*a, has_a)], region) {
                    return None;
                }
            }
        }
    }
    Some(regions)
}

/// Two events, each with whether it is so, and the atoms where they are.
type Named = ([(Bits, bool); 2], Vec<i8>);

/// Each bit by itself.
fn each(bits: Bits) -> impl Iterator<Item = Bits> {
    (0..Bits::BITS)
        .map(|b| 1 << b)
        .filter(move |b| bits & b != 0)
}
