//! What a reader computes from several answers over one dataset together.
//!
//! As within one answer, but of all counts of all answers: each is about patients who meet a predicate, and the columns' values fall into
//! kinds that no predicate tells apart. Regions are the counts, what two of them name together, and what several leave of one.
//! That every patient of the dataset stands somewhere is known, too.

mod facts;
mod world;

use std::collections::BTreeMap;

use galen_params::Progress;
use galen_query::{question::Resolved, registry::Registry};

use super::{
    Unknown,
    simplex::Work,
    solver::{Solver, System},
    world::Atoms,
};
use crate::{
    VerifyError,
    plan::{Field, GroupKey, Plan},
    rules::{Published, ReleaseProfile, State},
};
use facts::Fact;
use world::{Regions, World};

/// The most numbers that are computed for all answers together, and for each pair.
const MOST_WORK: [usize; 2] = [1 << 32, 1 << 29];

/// The most atoms of all cliques together.
pub const MAX_ATOMS: usize = 1 << 11;
/// The most regions of answers that are looked at together.
pub const MAX_REGIONS: usize = 1 << 14;

/// Of so many answers that contradict one another it is looked which pair does.
const MOST_SEARCHED: usize = 24;

/// What is reported of answers that are looked at in pairs.
const STAGE: &str = "pairs of answers";

/// An answer over the dataset.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// Its query.
    pub resolved: &'a Resolved,
    /// Its plan.
    pub plan: &'a Plan,
    /// What it publishes.
    pub published: &'a Published,
}

/// Patients of whom the answers tell that there are some, and few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Those whom this count counts.
    pub of: Counted,
    /// Of those, whom these count too, or do not.
    pub and: Vec<(Counted, bool)>,
    /// Between which numbers they are known to be.
    pub between: (u64, u64),
}

/// A count of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// Which answer, by its place.
    pub answer: usize,
    /// Which count.
    pub field: Field,
    /// The keys of its group.
    pub keys: Vec<GroupKey>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Regions that are told.
    pub told: Vec<Told>,
    /// Answers, by their places, that were too many or too large to look at together.
    pub left_out: Vec<Vec<usize>>,
    /// Pairs of counts that were not looked at.
    pub pairs_left_out: PairsLeftOut,
}

/// Of how many pairs of counts it was not looked at what they name together, and why. A pair within an answer that was looked
/// at with several others counts as often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PairsLeftOut {
    /// No clique has both: no count ties the columns of the one to those of the other.
    pub apart: usize,
    /// There were [`MAX_REGIONS`] regions already.
    pub beyond: usize,
}

/// What answers over one dataset with this registry, so many patients and this profile tell together. If all are too much to look at,
/// each pair is.
///
/// # Errors
/// A published state that breaks the release rule, or answers that contradict one another: [`VerifyError::OfAnswers`].
pub fn audit(
    registry: &Registry,
    profile: &ReleaseProfile,
    answers: &[Given<'_>],
    progress: &dyn Progress,
) -> Result<Audit, VerifyError> {
    let mut known = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        let facts = facts::of_answer(registry, profile, at, answer);
        known.extend(facts.map_err(|why| of_answers(vec![at], why))?);
    }
    let rows = answers.first().map_or(0, |a| a.plan.patients());
    let context = Context {
        registry,
        k: profile.k,
        rows,
    };
    let all: Vec<usize> = (0..answers.len()).collect();
    let mut audit = Audit::default();
    if !context.look(&known, &all, &mut audit)? {
        let pairs = all
            .iter()
            .flat_map(|a| all[a + 1..].iter().map(|b| vec![*a, *b]));
        // Of two answers or one, all were looked at.
        let sets: Vec<Vec<usize>> = match all.len() {
            0..=2 => {
                audit.left_out.push(all);
                return Ok(audit);
            }
            _ => pairs.collect(),
        };
        let count = sets.len() as u64;
        for (done, set) in (0..).zip(sets) {
            progress.report(STAGE, done, count);
            if !context.look(&known, &set, &mut audit)? {
                audit.left_out.push(set);
            }
        }
        progress.report(STAGE, count, count);
    }
    Ok(audit)
}

/// The dataset.
struct Context<'a> {
    registry: &'a Registry,
    k: u64,
    rows: u64,
}

impl Context<'_> {
    /// Looks at some answers together; `false` if they are too large.
    fn look(&self, facts: &[Fact], set: &[usize], audit: &mut Audit) -> Result<bool, VerifyError> {
        let own = facts.iter().filter(|f| set.contains(&f.counted.answer));
        let own: Vec<&Fact> = own.collect();
        let Some(world) = World::of(self.registry, &own) else {
            return Ok(false);
        };
        match self.told(&own, &world, set.len() < 3) {
            Ok((told, left_out)) => {
                // Another pair may have told it.
                let new = told.into_iter().filter(|t| !audit.told.contains(t));
                let new: Vec<Told> = new.collect();
                audit.told.extend(new);
                audit.pairs_left_out.apart += left_out.apart;
                audit.pairs_left_out.beyond += left_out.beyond;
                Ok(true)
            }
            Err(Unknown::Programs) => Ok(false),
            Err(Unknown::Contradiction) => Err(self.contradiction(facts, set)),
        }
    }

    /// Of answers that contradict one another one alone, or a pair, if one does.
    fn contradiction(&self, facts: &[Fact], set: &[usize]) -> VerifyError {
        let contradicts = |few: &Vec<usize>| {
            let own = facts.iter().filter(|f| few.contains(&f.counted.answer));
            let own: Vec<&Fact> = own.collect();
            let told = World::of(self.registry, &own).map(|world| self.told(&own, &world, true));
            matches!(told, Some(Err(Unknown::Contradiction)))
        };
        let pairs = set.iter().enumerate();
        let pairs = pairs.flat_map(|(at, a)| set[at + 1..].iter().map(|b| vec![*a, *b]));
        let few = set.iter().map(|a| vec![*a]).chain(pairs);
        let mut few = few.take_while(|_| set.len() <= MOST_SEARCHED);
        let places = few.find(contradicts).unwrap_or_else(|| set.to_vec());
        let why = match places.len() {
            1 => "its counts contradict one another: no table gives all of them",
            _ => "the answers contradict one another: no table gives all of them",
        };
        of_answers(places, VerifyError::Malformed(why.into()))
    }

    /// What is told, and which pairs of counts are not looked at.
    fn told(
        &self,
        facts: &[&Fact],
        world: &World,
        is_pair: bool,
    ) -> Result<(Vec<Told>, PairsLeftOut), Unknown> {
        let atoms = Atoms::of(&world.cliques);
        let all = world.cliques.first().map_or(0, |(_, atoms)| atoms.len());
        let whole = atoms.of_truths(0, &vec![true; all]);
        let truths: Vec<BTreeMap<usize, Vec<bool>>> =
            facts.iter().map(|f| world.truths(&f.who)).collect();
        let first = |own: &BTreeMap<usize, Vec<bool>>| {
            let home = own.iter().next();
            home.map(|(home, is_in)| atoms.of_truths(*home, is_in))
        };
        let own: Option<Vec<Vec<i8>>> = truths.iter().map(first).collect();
        let own = own.ok_or(Unknown::Programs)?;
        let same = same_groups(facts);
        let of_field = |group: &Counted, field: Field| {
            let at = same.get(&(group.answer, &group.keys, field));
            at.map(|at| &own[*at])
        };
        let mut known = vec![(whole, (self.rows, self.rows))];
        let mut said: Vec<Vec<i8>> = Vec::new();
        for (fact, vector) in facts.iter().zip(&own) {
            known.push((vector.clone(), fact.between));
            match fact.state {
                State::Small => said.push(vector.clone()),
                State::Difference => {
                    said.push(vector.clone());
                    let outer = fact
                        .least
                        .iter()
                        .filter_map(|f| of_field(&fact.counted, *f));
                    said.extend(outer.map(|o| o.iter().zip(vector).map(|(a, b)| a - b).collect()));
                }
                State::Tied(_) => {
                    let sum = fact.form.as_ref().and_then(|(terms, times)| {
                        let terms = terms.iter();
                        let terms = terms.map(|(f, c)| Some((of_field(&fact.counted, *f)?, *c)));
                        Some((sum_of(&terms.collect::<Option<Vec<_>>>()?)?, *times))
                    });
                    let (sum, times) = sum.ok_or(Unknown::Programs)?;
                    let few = u64::try_from(times).ok();
                    let few = few.and_then(|t| Some((t, t.checked_mul(self.k - 1)?)));
                    known.push((sum.clone(), few.ok_or(Unknown::Programs)?));
                    // Where it is a multiple, the region itself is one of those that are named.
                    if times == 1 {
                        said.push(sum);
                    }
                }
                _ => {}
            }
        }
        let regions = Regions::of(&truths, &atoms, &families(facts));
        let system = System {
            places: (0..atoms.len).collect(),
            links: atoms.links(),
            facts: known,
        };
        let mut work = Work(MOST_WORK[usize::from(is_pair)]);
        let open = regions.all.iter().enumerate();
        let open = open
            .map(|(at, (_, vector))| (at, vector.as_slice()))
            .collect();
        let mut found = Solver::new(system, &mut work)?.findings(open, &said, self.k)?;
        found.sort_unstable();
        let told = found.into_iter().map(|(at, between)| {
            let (of, others) = &regions.all[at].0;
            let counted = |fact: usize| facts[fact].counted.clone();
            let others = others.iter();
            Told {
                of: counted(*of),
                and: others.map(|(o, is_in)| (counted(*o), *is_in)).collect(),
                between,
            }
        });
        Ok((told.collect(), regions.left_out))
    }
}

fn of_answers(places: Vec<usize>, why: VerifyError) -> VerifyError {
    let why = Box::new(why);
    VerifyError::OfAnswers { places, why }
}

/// Shown counts of one answer, and of all answers by the same columns: such as may divide another count.
fn families(facts: &[&Fact]) -> Vec<Vec<usize>> {
    let mut families: BTreeMap<(Option<usize>, Vec<usize>), Vec<usize>> = BTreeMap::new();
    for (at, fact) in facts.iter().enumerate() {
        if fact.state.shown().is_none() {
            continue;
        }
        let mut columns = fact.who.columns();
        columns.sort_unstable();
        columns.dedup();
        for family in [(Some(fact.counted.answer), Vec::new()), (None, columns)] {
            families.entry(family).or_default().push(at);
        }
    }
    families.into_values().collect()
}

/// Where each count of each group stands.
fn same_groups<'a>(facts: &[&'a Fact]) -> BTreeMap<(usize, &'a Vec<GroupKey>, Field), usize> {
    let places = facts.iter().enumerate().map(|(at, fact)| {
        let Counted {
            answer,
            field,
            keys,
        } = &fact.counted;
        ((*answer, keys, *field), at)
    });
    places.collect()
}

/// A sum of vectors, each so many times.
fn sum_of(terms: &[(&Vec<i8>, i64)]) -> Option<Vec<i8>> {
    let len = terms.first()?.0.len();
    let sum = |at: usize| {
        let sum: i64 = terms.iter().map(|(v, c)| i64::from(v[at]) * c).sum();
        // So that sums and differences of two have room.
        i8::try_from(sum).ok().filter(|v| v.unsigned_abs() < 32)
    };
    (0..len).map(sum).collect()
}
