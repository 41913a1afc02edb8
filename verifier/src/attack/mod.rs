//! What a reader of one answer can compute from all of its counts together (`docs/spec/release-rules.md`, "The attack").
//!
//! In each group the answer's conditions cut the patients into atoms, and each published count, the bounds of each hidden one and the
//! number of the dataset's patients are linear facts about how many stand in each atom; so are published sums of columns with few values. A region is
//! what two conditions can name together (who meets one of them, or not, and another one, or not) and what several of tied columns leave. Between which numbers its count lies on the polytope of these facts is found by
//! exact linear programming. A *finding* is a region that is known to hold some patients, and fewer than k.

pub mod across;
mod cliques;
mod conditions;
mod program;
mod simplex;
mod solver;
mod span;
mod world;

use crate::rules::{Counts, ReleaseProfile, State};
pub(crate) use conditions::Conditions;
use program::Program;
use simplex::TooLong;
pub(crate) use simplex::Work;
pub use span::Form;
pub(crate) use world::World;

impl Work {
    /// What one answer may take of each kind of work.
    pub fn of_an_answer() -> Self {
        Self(1 << 28)
    }
}

/// What is published of an answer's counts.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub counts: &'a Counts,
    pub profile: &'a ReleaseProfile,
    /// How each count is published.
    pub states: &'a [State],
    /// Between which numbers each count lies.
    pub bounds: &'a [(u64, u64)],
    /// The sums that tell of counts, where they are published, in the order of [`Counts::sums`].
    pub sums: &'a [Option<u64>],
}

/// Patients of a group of whom there are some, and few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub group: usize,
    /// The region, by its number in the group's world.
    pub region: usize,
    /// Between which numbers their count is known to lie.
    pub between: (u64, u64),
}

/// Why nothing is known of what a reader can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The linear programs are too large.
    Programs,
    /// No counts are as published.
    Contradiction,
}

impl From<TooLong> for Unknown {
    fn from(_: TooLong) -> Self {
        Unknown::Programs
    }
}

/// Why it is not known, and of which group; of all together where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfound {
    pub group: Option<usize>,
    pub why: Unknown,
}

impl Unknown {
    fn of(self, group: impl Into<Option<usize>>) -> Unfound {
        let group = group.into();
        Unfound { group, why: self }
    }
}

/// All findings.
///
/// # Errors
/// Where it would take too long, or nothing fits what is published.
pub(crate) fn findings(facts: &Facts<'_>, work: &mut Work) -> Result<Vec<Finding>, Unfound> {
    let groups = 0..facts.counts.groups;
    let least = groups
        .clone()
        .map(|g| facts.least(g, work).map_err(|why| why.of(g)));
    let least: Vec<u64> = least.collect::<Result<_, _>>()?;
    let all = least.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n));
    let mut found = Vec::new();
    for group in groups {
        // What the other groups have at least, this one does not.
        let others = all.map(|all| all - least[group]);
        let most = others.and_then(|others| facts.counts.rows.checked_sub(others));
        let most = most.ok_or(Unknown::Contradiction.of(None))?;
        let of_group = Program::new(facts, group, most).findings(work);
        let of_group = of_group.map_err(|why| why.of(group))?;
        found.extend(of_group.into_iter().map(|(region, between)| Finding {
            group,
            region,
            between,
        }));
    }
    Ok(found)
}

impl Facts<'_> {
    /// How many patients a group has at least.
    fn least(&self, group: usize, work: &mut Work) -> Result<u64, Unknown> {
        let most = self.counts.rows;
        Program::new(self, group, most).least(work)
    }
}

#[cfg(test)]
mod tests;
