//! What a reader of one answer can compute from all of its counts together.
//!
//! In each group the answer's conditions cut the patients into atoms, and each published count, the bounds of each hidden one and the
//! number of the dataset's patients are linear facts about how many stand in each atom. A region is what two conditions can name together: who
//! meets one of them, or not, and another one, or not. Between which numbers its count lies on the polytope of these facts is found by
//! exact linear programming. A *finding* is a region that is known to hold some patients, and fewer than k.

mod atoms;
mod simplex;

use galen_query::{query::CohortQuery, registry::Registry};
use num_bigint::BigInt;
use num_rational::BigRational;

use crate::{
    plan::{Field, GroupKey},
    rules::{Counts, ReleaseProfile, State},
};
use atoms::{Conditions, Part, TooMany};
use simplex::{AtMost, Polytope, TooLong};

/// The most pivots for one group's part.
const MAX_PIVOTS: usize = 20_000;

/// What is published of an answer's counts.
pub struct Facts<'a> {
    /// The query.
    pub query: &'a CohortQuery,
    /// Its registry.
    pub registry: &'a Registry,
    /// The answer's counts.
    pub counts: &'a Counts,
    /// Its groups' keys.
    pub keys: &'a [Vec<GroupKey>],
    /// How each count is published.
    pub states: &'a [State],
    /// Between which numbers each count lies.
    pub bounds: &'a [(u64, u64)],
}

/// Patients of a group of whom there are some, and few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The group.
    pub group: usize,
    /// Between which numbers their count is known to lie.
    pub between: (u64, u64),
}

/// Why nothing is known of what a reader can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The conditions can meet in too many ways.
    Conditions,
    /// The linear programs are too large.
    Programs,
    /// No counts are as published.
    Contradiction,
}

impl From<TooMany> for Unknown {
    fn from(_: TooMany) -> Self {
        Unknown::Conditions
    }
}

impl From<TooLong> for Unknown {
    fn from(_: TooLong) -> Self {
        Unknown::Programs
    }
}

/// All findings.
///
/// # Errors
/// Where it would take too long, or nothing fits what is published.
pub fn findings(facts: &Facts<'_>, profile: &ReleaseProfile) -> Result<Vec<Finding>, Unknown> {
    let conditions = Conditions::of(facts.query, &facts.counts.fields);
    let least: Vec<u64> = (0..facts.counts.groups).map(|g| facts.least(g)).collect();
    let all: u64 = least.iter().sum();
    let mut found = Vec::new();
    for (group, own) in least.iter().enumerate() {
        let others = all - own;
        let most = facts.counts.rows.checked_sub(others);
        let most = most.ok_or(Unknown::Contradiction)?;
        for part in &conditions.parts {
            let one = Program::of(facts, &conditions, part, (group, most))?;
            let betrayed = one.findings(profile.k)?.into_iter();
            found.extend(betrayed.map(|between| Finding { group, between }));
        }
    }
    Ok(found)
}

impl Facts<'_> {
    /// How many patients a group has at least.
    fn least(&self, group: usize) -> u64 {
        let cells = (0..self.counts.fields.len()).map(|f| f * self.counts.groups + group);
        cells.map(|c| self.bounds[c].0).max().unwrap_or(0)
    }
}

/// What is known of a part's atoms in a group.
struct Program {
    polytope: Polytope,
    /// The regions, and of which a state says already that they are small.
    regions: Vec<(Vec<i64>, bool)>,
}

impl Program {
    fn of(
        facts: &Facts<'_>,
        conditions: &Conditions,
        part: &Part,
        (group, most): (usize, u64),
    ) -> Result<Self, Unknown> {
        let atoms = conditions.atoms(part, facts.query, facts.registry, &facts.keys[group])?;
        let inside =
            |bits: u64| -> Vec<i64> { atoms.iter().map(|a| i64::from(a & bits == bits)).collect() };
        let mut inequalities = Vec::new();
        let mut between = |indicator: &[i64], (first, last): (u64, u64)| {
            let minus = indicator.iter().map(|c| -c).collect();
            inequalities.push(AtMost {
                coefficients: indicator.to_vec(),
                bound: BigInt::from(last),
            });
            inequalities.push(AtMost {
                coefficients: minus,
                bound: -BigInt::from(first),
            });
        };
        between(&inside(0), (0, most));
        let all = Field::count(None, None);
        let whole = std::iter::once((all, 0)).filter(|_| facts.counts.cell(all, group).is_some());
        let mut said = Vec::new();
        for (field, bits) in whole.chain(part.fields.iter().copied()) {
            let Some(cell) = facts.counts.cell(field, group) else {
                continue;
            };
            between(&inside(bits), facts.bounds[cell]);
            said.push((bits, facts.states[cell]));
        }
        let polytope = Polytope::new(atoms.len(), &inequalities, MAX_PIVOTS)?;
        let polytope = polytope.ok_or(Unknown::Contradiction)?;
        let regions = regions(&atoms, &said);
        Ok(Self { polytope, regions })
    }

    /// Between which numbers the regions are that are known to be small.
    fn findings(mut self, k: u64) -> Result<Vec<(u64, u64)>, Unknown> {
        let (one, most) = (rational(1), rational(k - 1));
        let mut open = std::mem::take(&mut self.regions);
        let mut found = Vec::new();
        while let Some((region, is_said)) = open.pop() {
            let minus: Vec<i64> = region.iter().map(|c| -c).collect();
            let last = self.polytope.largest(&region)?;
            open.retain(|(r, _)| self.is_betrayed(r, &one, &most));
            if last > most {
                continue;
            }
            let first = -self.polytope.largest(&minus)?;
            open.retain(|(r, _)| self.is_betrayed(r, &one, &most));
            let is_one_number = first.ceil() == last.floor();
            if first >= one && (!is_said || is_one_number) {
                found.push((whole(&first.ceil()), whole(&last.floor())));
            }
        }
        Ok(found)
    }

    /// Whether what is seen at this corner leaves it open that a region is small.
    fn is_betrayed(&self, region: &[i64], one: &BigRational, most: &BigRational) -> bool {
        let here = self.polytope.here(region);
        here >= *one && here <= *most
    }
}

/// What two conditions can name together, and the fields: each region once, as a coefficient for each atom, with whether a state
/// says that it is small.
fn regions(atoms: &[u64], said: &[(u64, State)]) -> Vec<(Vec<i64>, bool)> {
    let used = atoms.iter().fold(0, |all, a| all | a);
    let bits: Vec<u64> = (0..64).map(|b| 1 << b).filter(|b| used & b != 0).collect();
    let mut masks = vec![(0, 0)];
    for (i, a) in bits.iter().enumerate() {
        masks.extend([(*a, 0), (0, *a)]);
        for b in &bits[..i] {
            masks.extend([(a | b, 0), (*a, *b), (*b, *a), (0, a | b)]);
        }
    }
    masks.extend(said.iter().map(|(bits, _)| (*bits, 0)));
    let indicator = |(with, without): (u64, u64)| -> Vec<i64> {
        let is_in = |a: &u64| a & with == with && a & without == 0;
        atoms.iter().map(|a| i64::from(is_in(a))).collect()
    };
    let small: Vec<Vec<i64>> = said
        .iter()
        .filter(|(_, state)| *state == State::Small)
        .map(|(bits, _)| indicator((*bits, 0)))
        .collect();
    let mut regions: Vec<Vec<i64>> = masks.into_iter().map(indicator).collect();
    regions.sort_unstable();
    regions.dedup();
    let is_some = |r: &Vec<i64>| r.iter().any(|c| *c != 0);
    let regions = regions.into_iter().filter(is_some);
    regions
        .map(|r| {
            let is_said = small.contains(&r);
            (r, is_said)
        })
        .collect()
}

fn rational(n: u64) -> BigRational {
    BigRational::from(BigInt::from(n))
}

fn whole(n: &BigRational) -> u64 {
    u64::try_from(n.to_integer()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
