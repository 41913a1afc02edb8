//! The linear programs of one group.

use num_traits::Zero;

use super::{
    Facts, Unknown,
    simplex::{Linear, Polytope, TooLong, Value, Work},
    span::Form,
    world::World,
};
use crate::{plan::Field, rules::State};

/// What is known of a group's patients.
pub(super) struct Program<'a> {
    world: &'a World,
    /// Between which numbers each of the world's counts lies.
    bounds: Vec<(u64, u64)>,
    /// Regions that a state says to be few.
    said: Vec<Vec<i8>>,
    /// Those of them of which that is no bound of a count: for whose sake counts are hidden.
    tied: Vec<&'a [i8]>,
    /// How many patients there are at most.
    most: u64,
    k: u64,
}

/// The regions that are known to be few, and between which numbers.
pub(super) type Found = Vec<(usize, (u64, u64))>;

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
                let mut solver = Solver::new(self, work)?;
                let whole = at_places(whole, &solver.places);
                Ok(size(solver.least(&whole)?))
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
                Some(n) if few.contains(&n) => found.push((at, (n, n))),
                Some(_) => {}
                None => open.push((at, region.indicator.as_slice())),
            }
        }
        if !open.is_empty() {
            found.extend(Solver::new(self, work)?.findings(open, &self.said, self.k)?);
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

    /// What is known exactly, and what is known to be at most something.
    fn facts(&self, places: &[usize]) -> [Vec<Linear>; 2] {
        let linear = |vector: &[i8], sign: i8, bound: i128| Linear {
            coefficients: places.iter().map(|at| sign * vector[*at]).collect(),
            bound,
        };
        let zero = self.world.links.iter().map(|l| linear(l, 1, 0));
        let (mut equal, mut at_most) = (zero.collect::<Vec<_>>(), Vec::new());
        at_most.push(linear(&self.world.whole, 1, self.most.into()));
        for ((_, own), (first, last)) in self.world.fields.iter().zip(&self.bounds) {
            let (first, last) = (i128::from(*first), i128::from(*last));
            if first == last {
                equal.push(linear(own, 1, first));
                continue;
            }
            if first > 0 {
                at_most.push(linear(own, -1, -first));
            }
            if last < i128::from(self.most) {
                at_most.push(linear(own, 1, last));
            }
        }
        for region in &self.tied {
            at_most.push(linear(region, -1, -1));
            at_most.push(linear(region, 1, i128::from(self.k) - 1));
        }
        [equal, at_most]
    }

    /// Which atoms may have patients.
    fn places(&self) -> Vec<usize> {
        let exact = self.bounds.iter().map(|(a, b)| (a == b).then_some(*a));
        let empty = self.world.empty(&exact.collect::<Vec<_>>());
        (0..empty.len()).filter(|at| !empty[*at]).collect()
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

/// A group's polytope, of the atoms that may have patients.
struct Solver<'a> {
    polytope: Polytope,
    places: Vec<usize>,
    work: &'a mut Work,
}

impl<'a> Solver<'a> {
    fn new(program: &Program<'_>, work: &'a mut Work) -> Result<Self, Unknown> {
        let places = program.places();
        let [equal, at_most] = program.facts(&places);
        let polytope = Polytope::new(places.len(), &equal, &at_most, work)?;
        Ok(Self {
            polytope: polytope.ok_or(Unknown::Contradiction)?,
            places,
            work,
        })
    }

    /// The least whole number that a function can be.
    fn least(&mut self, vector: &[i8]) -> Result<i128, TooLong> {
        let minus: Vec<i8> = vector.iter().map(|c| -c).collect();
        let most = self.polytope.largest(&minus, self.work)?;
        Ok(-most.floor().to_integer())
    }

    /// The largest whole number that a function can be.
    fn most(&mut self, vector: &[i8]) -> Result<i128, TooLong> {
        let most = self.polytope.largest(vector, self.work)?;
        Ok(most.floor().to_integer())
    }

    fn findings(
        &mut self,
        open: Vec<(usize, &[i8])>,
        said: &[Vec<i8>],
        k: u64,
    ) -> Result<Found, Unknown> {
        let places = &self.places;
        let mut open: Vec<(usize, Vec<i8>)> = open
            .into_iter()
            .map(|(at, vector)| (at, at_places(vector, places)))
            .collect();
        let said: Vec<Vec<i8>> = said.iter().map(|s| at_places(s, places)).collect();
        let mut found = Found::new();
        let few = 1..i128::from(k);
        while let Some((at, region)) = open.pop() {
            let first = self.least(&region)?;
            self.retain_few(&mut open, k);
            if !few.contains(&first) {
                continue;
            }
            let last = self.most(&region)?;
            self.retain_few(&mut open, k);
            if few.contains(&last) && (first == last || !self.is_any(&region, &said)?) {
                found.push((at, (size(first), size(last))));
            }
        }
        Ok(found)
    }

    /// What is seen at the corner where it stands may tell of regions that they need not be few.
    fn retain_few(&self, open: &mut Vec<(usize, Vec<i8>)>, k: u64) {
        let may_be_few = |v: Value| v > Value::zero() && v < Value::from(i128::from(k));
        open.retain(|(_, region)| self.polytope.value(region).is_none_or(may_be_few));
    }

    /// Whether a region has as many patients as one of others, in whatever way they stand in their atoms.
    fn is_any(&mut self, region: &[i8], others: &[Vec<i8>]) -> Result<bool, TooLong> {
        for other in others {
            let less: Vec<i8> = region.iter().zip(other).map(|(a, b)| a - b).collect();
            let minus: Vec<i8> = less.iter().map(|c| -c).collect();
            let mut is_less = |vector: &[i8]| -> Result<bool, TooLong> {
                Ok(self.polytope.largest(vector, self.work)?.is_zero())
            };
            if is_less(&less)? && is_less(&minus)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn at_places(vector: &[i8], places: &[usize]) -> Vec<i8> {
    places.iter().map(|at| vector[*at]).collect()
}

/// Of a number of patients.
fn size(n: i128) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
