//! Between a plan's limbs and the rule's cells.

use galen_circuits::gates::release::{LIMBS, MAX_LIMB, Statement};

use super::{Broken, Counts, ReleaseProfile, State, check, decide};
use crate::{
    VerifyError,
    plan::{Plan, Release, Use},
};

/// The states of the used limbs of each release, in order: what a bundle publishes.
pub type Published = Vec<Vec<State>>;

/// What an honest hospital publishes of the true limbs, and the statements that it proves about them.
///
/// # Errors
/// None for the limbs of totals that a plan has packed.
pub fn publish(
    plan: &Plan,
    profile: &ReleaseProfile,
    limbs: &[[u64; LIMBS]],
) -> Result<(Published, Vec<Statement>), VerifyError> {
    let counts = counts_of(plan);
    let mut values = vec![0; counts.len()];
    for (release, limbs) in plan.releases.iter().zip(limbs) {
        for (limb, used) in uses(release) {
            if let Some(cell) = own_cell(&counts, used) {
                values[cell] = limbs[limb];
            }
        }
    }
    let states = decide(&counts, profile, &values);
    let published: Published = plan
        .releases
        .iter()
        .zip(limbs)
        .map(|(release, limbs)| {
            uses(release)
                .map(|(limb, used)| match own_cell(&counts, used) {
                    Some(cell) => states[cell],
                    None if is_guard_shown(&counts, &states, used) => State::Shown(limbs[limb]),
                    None => State::Guarded,
                })
                .collect()
        })
        .collect();
    let statements = statements(plan, profile, &published)?;
    Ok((published, statements))
}

/// The statements that published states make, if the rule allows them.
///
/// # Errors
/// Another number of releases or cells than the plan's; a state that breaks the rule.
pub fn statements(
    plan: &Plan,
    profile: &ReleaseProfile,
    published: &[Vec<State>],
) -> Result<Vec<Statement>, VerifyError> {
    same("releases".into(), plan.releases.len(), published.len())?;
    for (index, (release, states)) in plan.releases.iter().zip(published).enumerate() {
        let what = format!("cells of release {index}");
        same(what, uses(release).count(), states.len())?;
    }
    let counts = counts_of(plan);
    let (states, places) = count_states(plan, &counts, published)?;
    let bounds = check(&counts, profile, &states).map_err(|Broken { cell, why }| {
        let (release, cell) = places[cell];
        VerifyError::CellRule { release, cell, why }
    })?;
    plan.releases
        .iter()
        .zip(published)
        .enumerate()
        .map(|(index, (release, published))| {
            let mut statement = Statement {
                bounds: [(0, 0); LIMBS],
            };
            for (at, ((limb, used), state)) in uses(release).zip(published).enumerate() {
                statement.bounds[limb] = match own_cell(&counts, used) {
                    Some(cell) => bounds[cell],
                    None => value_bounds(*state, is_guard_shown(&counts, &states, used)).map_err(
                        |why| VerifyError::CellRule {
                            release: index,
                            cell: at,
                            why: why.into(),
                        },
                    )?,
                };
            }
            Ok(statement)
        })
        .collect()
}

fn same(what: String, expected: usize, got: usize) -> Result<(), VerifyError> {
    if expected == got {
        return Ok(());
    }
    Err(VerifyError::Cells {
        what,
        expected,
        got,
    })
}

fn uses(release: &Release) -> impl Iterator<Item = (usize, &Use)> {
    let uses = release.uses.iter().enumerate();
    uses.filter_map(|(limb, used)| used.as_ref().map(|u| (limb, u)))
}

fn counts_of(plan: &Plan) -> Counts {
    let keys: Vec<_> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
    let fields = plan.releases.iter().flat_map(uses).map(|(_, u)| &u.field);
    Counts::new(fields, &keys)
}

fn own_cell(counts: &Counts, used: &Use) -> Option<usize> {
    counts.cell(used.field, used.group)
}

fn is_guard_shown(counts: &Counts, states: &[State], used: &Use) -> bool {
    let guard = counts.cell(used.guard, used.group);
    guard.is_some_and(|g| states[g].shown().is_some())
}

/// Release and cell within it.
type CellPlace = (usize, usize);

/// The state of each count and where it stands. A count that was placed twice has one state.
fn count_states(
    plan: &Plan,
    counts: &Counts,
    published: &[Vec<State>],
) -> Result<(Vec<State>, Vec<CellPlace>), VerifyError> {
    let mut states: Vec<Option<State>> = vec![None; counts.len()];
    let mut places = vec![(0, 0); counts.len()];
    for (index, (release, published)) in plan.releases.iter().zip(published).enumerate() {
        for (at, ((_, used), state)) in uses(release).zip(published).enumerate() {
            let Some(cell) = own_cell(counts, used) else {
                continue;
            };
            match states[cell] {
                Some(before) if before != *state => {
                    return Err(VerifyError::CellRule {
                        release: index,
                        cell: at,
                        why: "the same count is published in another way elsewhere".into(),
                    });
                }
                Some(_) => {}
                None => {
                    states[cell] = Some(*state);
                    places[cell] = (index, at);
                }
            }
        }
    }
    // A plan places each counted field in every group.
    let states = states.into_iter().map(|s| s.unwrap_or(State::Guarded));
    Ok((states.collect(), places))
}

/// The bounds of a limb that is no count.
fn value_bounds(state: State, guard_shown: bool) -> Result<(u64, u64), &'static str> {
    match (state, guard_shown) {
        (State::Shown(n), true) if n <= MAX_LIMB => Ok((n, n)),
        (State::Shown(_), true) => Err("it is 2^40 or more"),
        (State::Guarded, false) => Ok((0, MAX_LIMB)),
        _ => Err("it is not released together with the count that guards it"),
    }
}
