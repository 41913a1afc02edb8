//! What a reader of one answer can compute from all of its counts together.
//!
//! In each group the answer's conditions cut the patients into atoms, and each published count, the bounds of each hidden one and the
//! number of the dataset's patients are linear facts about how many stand in each atom. A region is what two conditions can name together: who
//! meets one of them, or not, and another one, or not. Between which numbers its count lies on the polytope of these facts is found by
//! exact linear programming. A *finding* is a region that is known to hold some patients, and fewer than k.

mod atoms;
#[cfg(test)]
mod forms;
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
        let most = facts.counts.rows.checked_sub(all - own);
        let mut whole = Whole {
            between: (0, most.ok_or(Unknown::Contradiction)?),
            is_said: false,
        };
        let parts = conditions.parts.iter();
        let atoms = parts.map(|part| {
            let keys = &facts.keys[group];
            conditions.atoms(part, facts.query, facts.registry, keys)
        });
        let atoms: Vec<Vec<u64>> = atoms.collect::<Result<_, _>>()?;
        // What each part tells of all patients of the group is known in the others.
        for (part, atoms) in conditions.parts.iter().zip(&atoms) {
            Program::of(facts, part, atoms, (group, whole))?.narrow(&mut whole)?;
        }
        for (part, atoms) in conditions.parts.iter().zip(&atoms) {
            let program = Program::of(facts, part, atoms, (group, whole))?;
            let betrayed = program.findings(profile.k)?.into_iter();
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

/// What is known of all patients of a group together.
#[derive(Clone, Copy)]
struct Whole {
    between: (u64, u64),
    /// Whether a state says that they are few.
    is_said: bool,
}

/// What is known of a part's atoms in a group.
struct Program {
    atoms: Vec<u64>,
    polytope: Polytope,
    /// Of each field the conditions, as bits, and what is published.
    said: Vec<(u64, State)>,
    whole_is_said: bool,
}

impl Program {
    fn of(
        facts: &Facts<'_>,
        part: &Part,
        atoms: &[u64],
        (group, whole): (usize, Whole),
    ) -> Result<Self, Unknown> {
        let mut inequalities = Vec::new();
        let mut between = |bits: u64, (first, last): (u64, u64)| {
            let indicator = indicator(atoms, (bits, 0));
            inequalities.push(AtMost {
                coefficients: indicator.iter().map(|c| -c).collect(),
                bound: -BigInt::from(first),
            });
            inequalities.push(AtMost {
                coefficients: indicator,
                bound: BigInt::from(last),
            });
        };
        between(0, whole.between);
        let all = (Field::count(None, None), 0);
        let mut said = Vec::new();
        for (field, bits) in std::iter::once(all).chain(part.fields.iter().copied()) {
            if let Some(cell) = facts.counts.cell(field, group) {
                between(bits, facts.bounds[cell]);
                said.push((bits, facts.states[cell]));
            }
        }
        let polytope = Polytope::new(atoms.len(), &inequalities, MAX_PIVOTS)?;
        Ok(Self {
            atoms: atoms.to_vec(),
            polytope: polytope.ok_or(Unknown::Contradiction)?,
            said,
            whole_is_said: whole.is_said,
        })
    }

    /// The counts that a state says are small.
    fn small(&self) -> Vec<Vec<i64>> {
        let said = self.said.iter().filter(|(_, state)| *state == State::Small);
        let whole = self.whole_is_said.then_some(0);
        let bits = said.map(|(bits, _)| *bits).chain(whole);
        bits.map(|b| indicator(&self.atoms, (b, 0))).collect()
    }

    /// Takes up what this part tells of all patients of the group.
    fn narrow(mut self, whole: &mut Whole) -> Result<(), Unknown> {
        let all = vec![1; self.atoms.len()];
        let (first, last) = self.between(&all)?;
        whole.between.0 = whole.between.0.max(rounded(&first.ceil()));
        whole.between.1 = whole.between.1.min(rounded(&last.floor()));
        whole.is_said |= self.small().contains(&all);
        Ok(())
    }

    fn between(&mut self, region: &[i64]) -> Result<(BigRational, BigRational), TooLong> {
        let minus: Vec<i64> = region.iter().map(|c| -c).collect();
        let first = -self.polytope.largest(&minus)?;
        Ok((first, self.polytope.largest(region)?))
    }

    /// Between which numbers the regions are that are known to be small, though no state says so.
    fn findings(mut self, k: u64) -> Result<Vec<(u64, u64)>, Unknown> {
        let (one, most) = (rational(1), rational(k - 1));
        let small = self.small();
        let mut open = regions(&self.atoms, &self.said);
        let mut found = Vec::new();
        while let Some(region) = open.pop() {
            let (first, last) = self.between(&region)?;
            // What is seen at this corner may tell of others that they need not be small.
            let corner = self.polytope.corner();
            open.retain(|r| (&one..=&most).contains(&&at(&corner, r)));
            if first < one || last > most {
                continue;
            }
            let (first, last) = (rounded(&first.ceil()), rounded(&last.floor()));
            if first == last || !self.is_any(&region, &small)? {
                found.push((first, last));
            }
        }
        Ok(found)
    }

    /// Whether a region has as many patients as one of others, in whatever way they stand in their atoms.
    fn is_any(&mut self, region: &[i64], others: &[Vec<i64>]) -> Result<bool, TooLong> {
        for other in others {
            let less: Vec<i64> = region.iter().zip(other).map(|(a, b)| a - b).collect();
            let (first, last) = self.between(&less)?;
            if first == last && first == rational(0) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The value of a function at a corner.
fn at(corner: &[BigRational], coefficients: &[i64]) -> BigRational {
    let terms = corner.iter().zip(coefficients).filter(|(_, c)| **c != 0);
    terms.map(|(x, c)| x * BigInt::from(*c)).sum()
}

/// 1 for each atom with the one bits and without the others.
fn indicator(atoms: &[u64], (with, without): (u64, u64)) -> Vec<i64> {
    let is_in = |a: &u64| a & with == with && a & without == 0;
    atoms.iter().map(|a| i64::from(is_in(a))).collect()
}

/// What two conditions can name together, and the fields: each region once, as a coefficient for each atom.
fn regions(atoms: &[u64], said: &[(u64, State)]) -> Vec<Vec<i64>> {
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
    let mut regions: Vec<Vec<i64>> = masks.into_iter().map(|m| indicator(atoms, m)).collect();
    regions.sort_unstable();
    regions.dedup();
    regions.retain(|r| r.iter().any(|c| *c != 0));
    regions
}

fn rational(n: u64) -> BigRational {
    BigRational::from(BigInt::from(n))
}

fn rounded(n: &BigRational) -> u64 {
    u64::try_from(n.to_integer()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
