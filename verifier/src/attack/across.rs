//! What a reader computes from several answers over one dataset together.
//!
//! As within one answer, but of all counts of all answers: each is about patients who meet a predicate, and the columns' values fall into
//! kinds that no predicate tells apart. Regions are the counts, and what two of them name together. That every patient of the dataset
//! stands somewhere is known, too.

use std::collections::{BTreeMap, BTreeSet};

use galen_query::{
    query::{CohortQuery, IntervalSet, Predicate},
    question::Resolved,
    registry::Registry,
};

use super::{
    Unknown,
    cliques::{self, Bits, Clique},
    conditions::{conditions_of, kinds_of, leaves},
    simplex::Work,
    solver::{Solver, System},
    world::Atoms,
};
use crate::{
    VerifyError,
    plan::{Field, GroupKey, Plan},
    rules::{Counts, Published, ReleaseProfile, State, check},
};

/// The most atoms of all cliques together.
const MAX_ATOMS: usize = 1 << 11;
/// The most regions that are looked at.
const MAX_REGIONS: usize = 1 << 14;
/// The most numbers that are computed for answers that are looked at together: about ten seconds.
const MOST_WORK: usize = 1 << 32;

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
    /// Of those, whom this one counts too, or does not.
    pub and: Option<(Counted, bool)>,
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
    /// Pairs of counts that were not looked at: there are more than are looked at, or no clique has both.
    pub pairs_left_out: usize,
}

/// What answers over one dataset with this registry, so many patients and this profile tell together. If all are too much to look at,
/// each pair is.
///
/// # Errors
/// A published state that breaks the release rule, or answers that contradict one another.
pub fn audit(
    registry: &Registry,
    profile: &ReleaseProfile,
    answers: &[Given<'_>],
) -> Result<Audit, VerifyError> {
    let mut facts = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        facts.extend(of_answer(registry, profile, at, answer)?);
    }
    let rows = answers.first().map_or(0, |a| a.plan.patients());
    let context = Context {
        registry,
        k: profile.k,
        rows,
    };
    let all: Vec<usize> = (0..answers.len()).collect();
    let mut audit = Audit::default();
    if !context.look(&facts, &all, &mut audit)? {
        let pairs = all
            .iter()
            .flat_map(|a| all[a + 1..].iter().map(|b| vec![*a, *b]));
        let mut sets: Vec<Vec<usize>> = pairs.collect();
        if sets.is_empty() {
            sets.push(all);
        }
        for set in sets {
            if !context.look(&facts, &set, &mut audit)? {
                audit.left_out.push(set);
            }
        }
    }
    Ok(audit)
}

/// A count and what is known of it.
struct Fact {
    counted: Counted,
    who: Predicate,
    between: (u64, u64),
    state: State,
    /// Counts of the same answer that contain it and show the least.
    least: Vec<Field>,
    /// Of a tied count its region: counts of the group with their coefficients, and how many times the region's size that is.
    form: Option<(Vec<(Field, i64)>, i64)>,
}

/// What an answer's counts say.
fn of_answer(
    registry: &Registry,
    profile: &ReleaseProfile,
    answer: usize,
    given: &Given<'_>,
) -> Result<Vec<Fact>, VerifyError> {
    let (plan, query) = (given.plan, &given.resolved.query);
    let counts = Counts::of(plan);
    let states = counts.states(plan, given.published)?;
    let checked = check(&counts, profile, &states).map_err(|broken| {
        let (_, group) = counts.place(broken.cell);
        VerifyError::CellRule {
            group,
            statistic: 0,
            why: broken.why,
        }
    })?;
    let known = checked.known();
    let consent = Predicate::In {
        column: registry.columns.len() + given.resolved.purpose,
        set: IntervalSet::single(1),
    };
    let mut work = Work::of_an_answer();
    let fact = |cell: usize| {
        let (field, group) = counts.place(cell);
        let keys = plan.layout.groups[group].0.clone();
        let mut all = vec![consent.clone(), query.filter.clone()];
        all.extend(of_keys(query, &keys));
        all.extend(conditions_of(&field, &query.filters()));
        let least = counts.least_shown(&states, cell).into_iter();
        let form = match states[cell] {
            State::Tied(region) => counts.form(&states, region, (group, Some(cell)), &mut work),
            _ => None,
        };
        let of_cells = |terms: Vec<(usize, i64)>| {
            let terms = terms
                .into_iter()
                .map(|(c, times)| (counts.place(c).0, times));
            terms.collect::<Vec<_>>()
        };
        Fact {
            who: Predicate::All(all),
            between: known[cell],
            state: states[cell],
            least: least.map(|c| counts.place(c).0).collect(),
            form: form.map(|f| (of_cells(f.terms), f.times)),
            counted: Counted {
                answer,
                field,
                keys,
            },
        }
    };
    Ok((0..counts.len()).map(fact).collect())
}

/// What it takes to be in a group.
fn of_keys(query: &CohortQuery, keys: &[GroupKey]) -> Vec<Predicate> {
    let of_key = |(grouping, key): (&galen_query::query::Grouping, &GroupKey)| {
        let column = grouping.column;
        match (key, &grouping.bins) {
            (GroupKey::Null, _) => Predicate::IsNull { column },
            (GroupKey::Value(v), None) => Predicate::In {
                column,
                set: IntervalSet::single(*v),
            },
            (GroupKey::Value(v), Some(bins)) => {
                let bin = usize::try_from(*v).ok().and_then(|at| bins.get(at));
                let (first, last) = bin.map_or((1, 0), |b| b.stored);
                Predicate::In {
                    column,
                    set: IntervalSet::range(first, last),
                }
            }
        }
    };
    query.group_by.iter().zip(keys).map(of_key).collect()
}

/// The dataset.
struct Context<'a> {
    registry: &'a Registry,
    k: u64,
    rows: u64,
}

/// A column's kinds of values, and where in an atom's bits the number of its kind stands.
struct Column {
    column: usize,
    kinds: Vec<Option<u64>>,
    shift: u32,
    bits: Bits,
}

impl Context<'_> {
    /// Looks at some answers together; `false` if they are too large.
    fn look(&self, facts: &[Fact], set: &[usize], audit: &mut Audit) -> Result<bool, VerifyError> {
        let own = facts.iter().filter(|f| set.contains(&f.counted.answer));
        let own: Vec<&Fact> = own.collect();
        let Some(world) = self.world(&own) else {
            return Ok(false);
        };
        let mut looked = audit.clone();
        match self.told(&own, &world, &mut looked) {
            Ok(()) => {
                looked.told.dedup();
                *audit = looked;
                Ok(true)
            }
            Err(Unknown::Programs) => Ok(false),
            Err(Unknown::Contradiction) => Err(VerifyError::Malformed(
                "the answers contradict one another: no table gives all of them".into(),
            )),
        }
    }

    /// The columns' kinds, and cliques of columns with their atoms. `None` if there are too many.
    fn world(&self, facts: &[&Fact]) -> Option<World> {
        let used: BTreeSet<usize> = facts.iter().flat_map(|f| f.who.columns()).collect();
        let mut columns: Vec<Column> = Vec::new();
        let mut shift = 0;
        for column in used {
            let mut sets = Vec::new();
            facts.iter().for_each(|f| leaves(&f.who, column, &mut sets));
            sets.sort_unstable();
            sets.dedup();
            let definition = self.registry.columns.get(column);
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
        Some(World { columns, cliques })
    }

    fn told(&self, facts: &[&Fact], world: &World, audit: &mut Audit) -> Result<(), Unknown> {
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
        let (regions, left_out) = regions(&truths, &atoms);
        audit.pairs_left_out += left_out;
        let system = System {
            places: (0..atoms.len).collect(),
            links: atoms.links(),
            facts: known,
        };
        let mut work = Work(MOST_WORK);
        let open = regions.iter().enumerate();
        let open = open
            .map(|(at, (_, vector))| (at, vector.as_slice()))
            .collect();
        let found = Solver::new(system, &mut work)?.findings(open, &said, self.k)?;
        let mut told: Vec<(usize, (u64, u64))> = found;
        told.sort_unstable();
        audit.told.extend(told.into_iter().map(|(at, between)| {
            let (of, and) = regions[at].0;
            Told {
                of: facts[of].counted.clone(),
                and: and.map(|(other, is_in)| (facts[other].counted.clone(), is_in)),
                between,
            }
        }));
        Ok(())
    }
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

/// A count, and another one that counts them too or does not; with its atoms.
type Region = ((usize, Option<(usize, bool)>), Vec<i8>);

/// Columns with their kinds of values, and cliques of columns with their atoms.
struct World {
    columns: Vec<Column>,
    cliques: Vec<(Clique, Vec<Bits>)>,
}

impl World {
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
    fn truths(&self, who: &Predicate) -> BTreeMap<usize, Vec<bool>> {
        let bits = self.bits(who);
        let cliques = self.cliques.iter().enumerate();
        let own = cliques.filter(|(_, (clique, _))| clique.bits & bits == bits);
        own.map(|(at, (_, atoms))| (at, atoms.iter().map(|a| self.meets(who, *a)).collect()))
            .collect()
    }
}

/// Each count, and what two of them name together; and how many pairs are left out.
fn regions(truths: &[BTreeMap<usize, Vec<bool>>], atoms: &Atoms<'_>) -> (Vec<Region>, usize) {
    let mut seen = BTreeSet::new();
    let mut regions: Vec<Region> = Vec::new();
    let mut add = |regions: &mut Vec<Region>, name, vector: Vec<i8>| {
        if vector.iter().any(|c| *c != 0) && seen.insert(vector.clone()) {
            regions.push((name, vector));
        }
    };
    for (at, own) in truths.iter().enumerate() {
        if let Some((home, is_in)) = own.iter().next() {
            add(&mut regions, (at, None), atoms.of_truths(*home, is_in));
        }
    }
    let distinct: Vec<usize> = regions.iter().map(|((at, _), _)| *at).collect();
    let mut left_out = 0;
    for (at, a) in distinct.iter().enumerate() {
        for b in &distinct[..at] {
            let mut both = truths[*a]
                .iter()
                .filter_map(|(c, x)| Some((*c, x, truths[*b].get(c)?)));
            let Some((home, x, y)) = both.next().filter(|_| regions.len() < MAX_REGIONS) else {
                left_out += 1;
                continue;
            };
            let mut of = |name, is_in: &dyn Fn(bool, bool) -> bool| {
                let met: Vec<bool> = x.iter().zip(y).map(|(x, y)| is_in(*x, *y)).collect();
                add(&mut regions, name, atoms.of_truths(home, &met));
            };
            of((*a, Some((*b, true))), &|x, y| x && y);
            of((*a, Some((*b, false))), &|x, y| x && !y);
            of((*b, Some((*a, false))), &|x, y| !x && y);
        }
    }
    (regions, left_out)
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
