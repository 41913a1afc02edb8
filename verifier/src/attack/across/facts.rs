//! What an answer's counts say.

use galen_query::{
    query::{CohortQuery, Grouping, IntervalSet, Predicate},
    registry::Registry,
};

use super::{Counted, Given};
use crate::{
    VerifyError,
    attack::{Work, conditions::conditions_of},
    plan::{Field, GroupKey},
    rules::{Counts, ReleaseProfile, State, check},
};

/// A count and what is known of it.
pub(super) struct Fact {
    pub counted: Counted,
    pub who: Predicate,
    pub between: (u64, u64),
    pub state: State,
    /// Counts of the same answer that contain it and show the least.
    pub least: Vec<Field>,
    /// Of a tied count its region: counts of the group with their coefficients, and how many times the region's size that is.
    pub form: Option<(Vec<(Field, i64)>, i64)>,
}

/// What an answer's counts say.
pub(super) fn of_answer(
    registry: &Registry,
    profile: &ReleaseProfile,
    answer: usize,
    given: &Given<'_>,
) -> Result<Vec<Fact>, VerifyError> {
    let (plan, query) = (given.plan, &given.resolved.query);
    let counts = Counts::of(plan);
    let states = counts.states(plan, given.published)?;
    let checked = check(&counts, profile, &states).map_err(|b| b.refusal(plan, &counts))?;
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
    let of_key = |(grouping, key): (&Grouping, &GroupKey)| {
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
