//! Between a plan's limbs and the rule's cells.

use galen_circuits::gates::{
    compare,
    release::{LIMBS, LIMBS_PER_TOTAL, MAX_LIMB, Statement},
};

use super::{
    Broken, Counts, Order, ReleaseProfile, State, check, decide,
    percentile::{self, Comparison, is_hidden},
};
use crate::{
    VerifyError,
    plan::{FieldKind, Plan, Release, Use},
};

/// The states of the used limbs of each release, in order: what a bundle publishes.
pub type Published = Vec<Vec<State>>;

/// Everything that is proven of an answer's totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// For each release the bounds of its limbs.
    pub releases: Vec<Statement>,
    /// What is compared: first the ranks of published percentiles, then hidden counts.
    pub comparisons: Vec<Comparison>,
}

/// What an honest hospital publishes of the true limbs, and the statements that it proves about them.
///
/// # Errors
/// None for the limbs of totals that a plan has packed, if its percentiles are those that the rule releases.
pub fn publish(
    plan: &Plan,
    profile: &ReleaseProfile,
    limbs: &[[u64; LIMBS]],
) -> Result<(Published, Statements), VerifyError> {
    let counts = Counts::of(plan);
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
) -> Result<Statements, VerifyError> {
    same("releases".into(), plan.releases.len(), published.len())?;
    for (index, (release, states)) in plan.releases.iter().zip(published).enumerate() {
        let what = format!("cells of release {index}");
        same(what, uses(release).count(), states.len())?;
    }
    let counts = Counts::of(plan);
    let (states, places) = count_states(plan, &counts, published)?;
    let checked = check(&counts, profile, &states).map_err(|Broken { cell, why }| {
        let (release, cell) = places[cell];
        VerifyError::CellRule { release, cell, why }
    })?;
    let bounds = &checked.bounds;
    let releases =
        plan.releases
            .iter()
            .zip(published)
            .enumerate()
            .map(|(index, (release, published))| {
                let mut statement = Statement {
                    bounds: [(0, 0); LIMBS],
                };
                bound_ranks(plan, profile, &counts, &states, release, &mut statement)?;
                for (at, ((limb, used), state)) in uses(release).zip(published).enumerate() {
                    statement.bounds[limb] = match own_cell(&counts, used) {
                        Some(cell) => bounds[cell],
                        None => value_bounds(*state, is_guard_shown(&counts, &states, used))
                            .map_err(|why| VerifyError::CellRule {
                                release: index,
                                cell: at,
                                why: why.into(),
                            })?,
                    };
                }
                Ok(statement)
            })
            .collect::<Result<Vec<Statement>, VerifyError>>()?;
    let mut comparisons = percentile::comparisons(plan)?;
    for pair in checked.orders.chunks(compare::COMPARISONS) {
        comparisons.push(order(plan, &counts, pair, comparisons.len())?);
    }
    let mut well_formed = comparisons.iter().map(|c| c.statement.is_well_formed());
    if !releases.iter().all(Statement::is_well_formed) || !well_formed.all(|w| w) {
        return Err(VerifyError::Malformed("bounds or weights".into()));
    }
    Ok(Statements {
        releases,
        comparisons,
    })
}

/// The bounds of the counts that place percentiles.
fn bound_ranks(
    plan: &Plan,
    profile: &ReleaseProfile,
    counts: &Counts,
    states: &[State],
    release: &Release,
    statement: &mut Statement,
) -> Result<(), VerifyError> {
    for (used, bounds) in release.uses.iter().zip(&mut statement.bounds) {
        let Some((used, FieldKind::Rank(index, rank))) = used.as_ref().map(|u| (u, u.field.kind))
        else {
            continue;
        };
        let at = used.group * plan.percentiles.len() + index;
        let percentile = &plan.percentiles[index];
        let hidden = is_hidden(counts, states, percentile, used.group);
        *bounds = percentile::bounds(profile, percentile, rank, plan.quantiles[at], hidden)
            .map_err(|why| VerifyError::Percentile { index: at, why })?;
    }
    Ok(())
}

/// That hidden counts are in the order in which the rule found them.
fn order(
    plan: &Plan,
    counts: &Counts,
    orders: &[Order],
    index: usize,
) -> Result<Comparison, VerifyError> {
    let mut roots: Vec<usize> = Vec::new();
    let mut statement = compare::Statement::default();
    // Where the count's limb stands among those of the comparison's totals.
    let mut limb = |cell: usize| {
        let (field, group) = counts.place(cell);
        let place = plan.layout.groups[group].1.get(&field);
        let place = place.ok_or_else(|| VerifyError::Malformed("a count without a limb".into()))?;
        let root = plan.releases[place.release].roots[place.limb / LIMBS_PER_TOTAL];
        let total = roots.iter().position(|r| *r == root).unwrap_or_else(|| {
            roots.push(root);
            roots.len() - 1
        });
        Ok::<_, VerifyError>(total * LIMBS_PER_TOTAL + place.limb % LIMBS_PER_TOTAL)
    };
    for (order, comparison) in orders.iter().zip(&mut statement.comparisons) {
        comparison.constant = -order.gap;
        comparison.weights[limb(order.larger)?] = 1;
        comparison.weights[limb(order.smaller)?] = -1;
    }
    Ok(Comparison {
        label: format!("comparison {index}: the order of hidden cells"),
        roots,
        statement,
    })
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

/// The limbs that are published in some way.
fn uses(release: &Release) -> impl Iterator<Item = (usize, &Use)> {
    let uses = release.uses.iter().enumerate();
    uses.filter_map(|(limb, used)| used.as_ref().map(|u| (limb, u)))
        .filter(|(_, used)| !used.field.is_rank())
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
