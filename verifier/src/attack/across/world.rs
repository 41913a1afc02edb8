//! Columns and their kinds of values, and the regions that counts name.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::{query::Predicate, registry::Registry};

use super::{MAX_ATOMS, MAX_REGIONS, PairsLeftOut, facts::Fact};
use crate::attack::{
    cliques::{self, Bits, Clique},
    conditions::{kinds_of, leaves},
    world::Atoms,
};

/// A column's kinds of values, and where in an atom's bits the number of its kind stands.
struct Column {
    column: usize,
    kinds: Vec<Option<u64>>,
    shift: u32,
    bits: Bits,
}

/// Columns with their kinds of values, and cliques of columns with their atoms.
pub(super) struct World {
    columns: Vec<Column>,
    pub cliques: Vec<(Clique, Vec<Bits>)>,
}

impl World {
    /// The columns' kinds, and cliques of columns with their atoms. `None` if there are too many.
    pub fn of(registry: &Registry, facts: &[&Fact]) -> Option<Self> {
        let used: BTreeSet<usize> = facts.iter().flat_map(|f| f.who.columns()).collect();
        let mut columns: Vec<Column> = Vec::new();
        let mut shift = 0;
        for column in used {
            let mut sets = Vec::new();
            facts.iter().for_each(|f| leaves(&f.who, column, &mut sets));
            sets.sort_unstable();
            sets.dedup();
            let definition = registry.columns.get(column);
            let last = definition.map_or(1, |d| d.span());
            let kinds = kinds_of((0, last), &sets, definition.is_some_and(|d| d.nullable));
            let width = usize::BITS - kinds.len().leading_zeros();
            if kinds.len() > MAX_ATOMS || shift + width > Bits::BITS {
                return None;
            }
            columns.push(Column {
                column,
                kinds,
                shift,
                bits: ((1 << width) - 1) << shift,
            });
            shift += width;
        }
        let place = |c: usize| columns.iter().position(|own| own.column == c);
        let of_fact = |f: &&Fact| {
            let places = f.who.columns().into_iter().filter_map(place);
            places.fold(0, |all: Bits, at| all | 1 << at)
        };
        let together: BTreeSet<Bits> = facts.iter().map(of_fact).collect();
        let together: Vec<Bits> = together.into_iter().collect();
        let tree = cliques::tree(columns.len(), &together);
        let mut cliques = Vec::new();
        let mut len = 0;
        for clique in tree {
            let own = columns
                .iter()
                .enumerate()
                .filter(|(at, _)| clique.bits >> at & 1 == 1);
            let (mut bits, mut atoms): (Bits, Vec<Bits>) = (0, vec![0]);
            for (_, column) in own {
                bits |= column.bits;
                let kinds = 0..column.kinds.len() as Bits;
                let longer = atoms
                    .iter()
                    .flat_map(|a| kinds.clone().map(move |kind| a | kind << column.shift));
                atoms = longer.take(MAX_ATOMS + 1).collect();
            }
            len += atoms.len();
            if len > MAX_ATOMS {
                return None;
            }
            let parent = clique.parent;
            cliques.push((Clique { bits, parent }, atoms));
        }
        Some(Self { columns, cliques })
    }

    /// The bits of the columns that a predicate is about.
    fn bits(&self, of: &Predicate) -> Bits {
        let about = of.columns();
        let own = self.columns.iter().filter(|c| about.contains(&c.column));
        own.fold(0, |bits, c| bits | c.bits)
    }

    fn meets(&self, who: &Predicate, atom: Bits) -> bool {
        who.eval(&|column| {
            let own = self.columns.iter().find(|c| c.column == column)?;
            let kind = usize::try_from((atom & own.bits) >> own.shift).ok()?;
            own.kinds.get(kind).copied().flatten()
        })
    }

    /// For each clique that has all of a predicate's columns, which of its atoms meet it.
    pub fn truths(&self, who: &Predicate) -> Truths {
        let bits = self.bits(who);
        let cliques = self.cliques.iter().enumerate();
        let own = cliques.filter(|(_, (clique, _))| clique.bits & bits == bits);
        own.map(|(at, (_, atoms))| (at, atoms.iter().map(|a| self.meets(who, *a)).collect()))
            .collect()
    }
}

/// A count, and others that count them too or do not; with its atoms.
pub(super) type Region = ((usize, Vec<(usize, bool)>), Vec<i8>);

/// In each clique that has all columns of a count, which atoms it counts.
type Truths = BTreeMap<usize, Vec<bool>>;

/// The regions so far, each once.
pub(super) struct Regions<'a> {
    truths: &'a [Truths],
    atoms: &'a Atoms<'a>,
    seen: BTreeSet<Vec<i8>>,
    pub all: Vec<Region>,
    pub left_out: PairsLeftOut,
}

impl<'a> Regions<'a> {
    /// Each count; what two of them name together; and what each of them counts that those of a family within it do not.
    pub fn of(truths: &'a [Truths], atoms: &'a Atoms<'a>, families: &[Vec<usize>]) -> Self {
        let mut regions = Self {
            truths,
            atoms,
            seen: BTreeSet::new(),
            all: Vec::new(),
            left_out: PairsLeftOut::default(),
        };
        for (at, own) in truths.iter().enumerate() {
            if let Some((home, is_in)) = own.iter().next() {
                regions.add((at, Vec::new()), *home, is_in);
            }
        }
        let distinct: Vec<usize> = regions.all.iter().map(|((at, _), _)| *at).collect();
        for at in &distinct {
            families.iter().for_each(|own| regions.rest(*at, own));
        }
        for (at, a) in distinct.iter().enumerate() {
            distinct[..at].iter().for_each(|b| regions.pair(*a, *b));
        }
        regions
    }

    fn add(&mut self, name: (usize, Vec<(usize, bool)>), home: usize, is_in: &[bool]) {
        let vector = self.atoms.of_truths(home, is_in);
        if vector.iter().any(|c| *c != 0) && self.seen.insert(vector.clone()) {
            self.all.push((name, vector));
        }
    }

    /// Whom a count counts, and none of a family that lie within it.
    fn rest(&mut self, of: usize, family: &[usize]) {
        let Some((home, all)) = self.truths[of].iter().next() else {
            return;
        };
        let within = |b: &&usize| {
            let inner = self.truths[**b].get(home);
            **b != of && inner.is_some_and(|inner| inner.iter().zip(all).all(|(i, a)| *a || !*i))
        };
        let within: Vec<usize> = family.iter().filter(within).copied().collect();
        let mut rest = all.clone();
        for inner in within.iter().filter_map(|b| self.truths[*b].get(home)) {
            rest.iter_mut().zip(inner).for_each(|(r, i)| *r &= !*i);
        }
        let home = *home;
        let others = within.into_iter().map(|b| (b, false)).collect();
        self.add((of, others), home, &rest);
    }

    /// What two counts name together.
    fn pair(&mut self, a: usize, b: usize) {
        let of_both =
            |(home, x): (&usize, &'a Vec<bool>)| Some((*home, x, self.truths[b].get(home)?));
        let mut both = self.truths[a].iter().filter_map(of_both);
        let Some((home, x, y)) = both.next() else {
            self.left_out.apart += 1;
            return;
        };
        if self.all.len() >= MAX_REGIONS {
            self.left_out.beyond += 1;
            return;
        }
        let of = |is_in: fn(bool, bool) -> bool| -> Vec<bool> {
            x.iter().zip(y).map(|(x, y)| is_in(*x, *y)).collect()
        };
        let parts = [of(|x, y| x && y), of(|x, y| x && !y), of(|x, y| !x && y)];
        let names = [(a, b, true), (a, b, false), (b, a, false)];
        for ((of, other, is_in), part) in names.into_iter().zip(parts) {
            self.add((of, vec![(other, is_in)]), home, &part);
        }
    }
}
