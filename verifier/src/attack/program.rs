//! The linear programs of one group.

use super::{
    Facts, Unknown,
    simplex::Work,
    solver::{Found, Solver, System},
    span::Form,
    world::World,
};
use crate::{plan::Field, rules::State};

/// What is known of a group's patients.
pub(super) struct Program<'a> {
    world: &'a World,
    /// Between which numbers each of the world's counts lies.
    bounds: Vec<(u64, u64)>,
    /// Each of the world's sums, if it is published.
    sums: Vec<Option<u64>>,
    /// Regions that a state says to be few.
    said: Vec<Vec<i8>>,
    /// Those of them of which that is no bound of a count: for whose sake counts are hidden.
    tied: Vec<&'a [i8]>,
    /// How many patients there are at most.
    most: u64,
    k: u64,
}

impl<'a> Program<'a> {
    /// `most` is what the other groups leave of all patients.
    pub fn new(facts: &Facts<'a>, group: usize, most: u64) -> Self {
        let world = facts.counts.world(group);
        let cells = world.fields.iter().map(|(field, _)| {
            let cell = facts.counts.cell(*field, group);
            cell.expect("the conditions are those of the counts")
        });
        let cells: Vec<usize> = cells.collect();
        Self {
            bounds: cells.iter().map(|c| facts.bounds[*c]).collect(),
            sums: facts.counts.sums_of(facts.sums, group),
            said: said(facts, world, &cells),
            tied: tied(facts, world, &cells).collect(),
            k: facts.profile.k,
            world,
            most,
        }
    }

    /// How many patients the group has at least.
    pub fn least(&self, work: &mut Work) -> Result<u64, Unknown> {
        let (whole, fields) = (&self.world.whole, &self.world.fields);
        let counted = fields.iter().position(|(_, own)| own == whole);
        match counted.map(|at| self.bounds[at]) {
            Some((first, last)) if first == last || fields.len() == 1 => Ok(first),
            _ => {
                let mut solver = Solver::new(self.system(), work)?;
                Ok(solver.least(whole)?)
            }
        }
    }

    /// The regions that are known to be few, though no state says so.
    pub fn findings(&self, work: &mut Work) -> Result<Found, Unknown> {
        let few = 1..self.k;
        let mut found = Found::new();
        let mut open = Vec::new();
        for (at, region) in self.world.regions().iter().enumerate() {
            match region.form.as_ref().and_then(|f| self.exact(f)) {
                Some(n) if few.contains(&n) && self.k > 2 => found.push((at, (n, n))),
                Some(n) if !few.contains(&n) => {}
                _ => open.push((at, region.indicator.as_slice())),
            }
        }
        if !open.is_empty() {
            let mut solver = Solver::new(self.system(), work)?;
            found.extend(solver.findings(open, &self.said, self.k)?);
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The size of a region whose counts are all known.
    fn exact(&self, form: &Form) -> Option<u64> {
        let sum = form.terms.iter().try_fold(0_i128, |sum, (at, times)| {
            let (first, last) = self.bounds[*at];
            (first == last).then(|| sum + i128::from(*times) * i128::from(first))
        })?;
        let times = i128::from(form.times);
        let size = u64::try_from(sum / times).ok();
        size.filter(|_| sum % times == 0)
    }

    pub(super) fn system(&self) -> System {
        let exact = self.bounds.iter().map(|(a, b)| (a == b).then_some(*a));
        let empty = self.world.empty(&exact.collect::<Vec<_>>());
        let whole = (self.world.whole.clone(), (0, self.most));
        let counts = self.world.fields.iter().zip(&self.bounds);
        let counts = counts.map(|((_, own), between)| (own.clone(), *between));
        let sums = self.world.sums.iter().zip(&self.sums);
        let sums = sums.filter_map(|((_, own), n)| Some((own.clone(), ((*n)?, (*n)?))));
        let tied = self.tied.iter().map(|own| (own.to_vec(), (1, self.k - 1)));
        System {
            places: (0..empty.len()).filter(|at| !empty[*at]).collect(),
            links: self.world.links.clone(),
            facts: std::iter::once(whole)
                .chain(counts)
                .chain(sums)
                .chain(tied)
                .collect(),
        }
    }
}

/// The regions that states say to be few: a small count; what a count that differs little from another leaves, and itself where that
/// has hardly more; what a tied count would tell.
fn said(facts: &Facts<'_>, world: &World, cells: &[usize]) -> Vec<Vec<i8>> {
    let of_field = |field: Field| {
        let at = world.fields.iter().position(|(f, _)| *f == field);
        &world.fields[at.expect("each count is in the world")].1
    };
    let mut said = Vec::new();
    for ((_, own), cell) in world.fields.iter().zip(cells) {
        match facts.states[*cell] {
            State::Small => said.push(own.clone()),
            State::Difference => {
                said.push(own.clone());
                for outer in facts.counts.least_shown(facts.states, *cell) {
                    let (field, _) = facts.counts.place(outer);
                    let pairs = of_field(field).iter().zip(own);
                    said.push(pairs.map(|(a, b)| a - b).collect());
                }
            }
            _ => {}
        }
    }
    said.extend(tied(facts, world, cells).map(<[i8]>::to_vec));
    said
}

/// The regions for whose sake counts are hidden.
fn tied<'a>(
    facts: &Facts<'a>,
    world: &'a World,
    cells: &[usize],
) -> impl Iterator<Item = &'a [i8]> {
    let states = facts.states;
    let regions = cells.iter().filter_map(move |cell| match states[*cell] {
        State::Tied(region) => world.regions().get(region as usize),
        _ => None,
    });
    regions.map(|r| r.indicator.as_slice())
}
