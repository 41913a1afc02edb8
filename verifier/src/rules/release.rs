//! Between a plan's cells and the rule's: what is published, and what is proven of the cells that are hidden.

use galen_circuits::equation::Cells;

use super::{
    Broken, Checked, Counts, ReleaseProfile, State, Undecided, check, decide, percentile,
    room::most_limbs, statements::Proof,
};
use crate::{
    VerifyError,
    attack::{self, Facts, Finding, Form, Work},
    plan::{Field, FieldKind, Plan, PlanError, Rank},
};

/// For each group of the answer the states of its statistics, in the order of [`Plan::statistics`]: what a bundle
/// publishes.
pub type Published = Vec<Vec<State>>;

/// What an honest hospital publishes of the true `totals` (by the equation's cells), and the cells that it proves.
///
/// # Errors
/// None for the totals of the plan's own equation, if its percentiles are those that the rule releases and the
/// profile allows its statistics.
pub fn publish(
    plan: &Plan,
    profile: &ReleaseProfile,
    totals: &[i128],
) -> Result<(Published, Cells), VerifyError> {
    same("totals", plan.equation.cells(), totals.len())?;
    let counts = Counts::of(plan);
    let of_counts = (0..counts.len()).map(|cell| counts.place(cell));
    let of_sums = counts.of_sums().map(|(field, _, group)| (field, group));
    let values: Vec<u64> = of_counts
        .chain(of_sums)
        .map(|(field, group)| {
            u64::try_from(totals[place(plan, group, field)?])
                .map_err(|_| VerifyError::Malformed("a count below 0".into()))
        })
        .collect::<Result<_, VerifyError>>()?;
    let states = decide(&counts, profile, &values).map_err(|why| why.refusal(plan, &counts))?;
    let mut published = Vec::with_capacity(plan.layout.groups.len());
    for group in 0..plan.layout.groups.len() {
        let mut of_group = Vec::with_capacity(plan.statistics.len());
        for (field, statistic) in &plan.statistics {
            of_group.push(match counts.cell(*field, group) {
                Some(cell) => states[cell],
                None if is_shown(&counts, &states, statistic.guard, group) => {
                    State::Shown(totals[place(plan, group, *field)?])
                }
                None => State::Guarded,
            });
        }
        published.push(of_group);
    }
    let cells = cells(plan, profile, &published)?;
    Ok((published, cells))
}

/// Under a profile that rounds counts, nothing but counts is released. Under any, what is proven of hidden counts must
/// have room, whichever are hidden.
///
/// # Errors
/// [`PlanError::Rounded`], [`PlanError::TooManyHidden`].
pub fn check_profile(plan: &Plan, profile: &ReleaseProfile) -> Result<(), PlanError> {
    check_room(plan, profile, &Counts::of(plan))
}

fn check_room(plan: &Plan, profile: &ReleaseProfile, counts: &Counts) -> Result<(), PlanError> {
    let base = profile.rounding;
    if base > 1 && plan.statistics.keys().any(|f| !f.is_count()) {
        return Err(PlanError::Rounded { base });
    }
    let (needed, most) = (most_limbs(plan, profile, counts), plan.rows().all());
    if needed > most {
        return Err(PlanError::TooManyHidden { needed, most });
    }
    if counts.is_attacked(profile) && plan.conditions.is_none() {
        return Err(PlanError::TooManyConditions);
    }
    Ok(())
}

/// The values of published cells, and what is to be proven of the others for `published` to be what the rule makes of
/// them.
///
/// # Errors
/// Another number of groups or states than the plan's; a state that breaks the rule; a profile under which the plan's
/// statistics are not released.
pub fn cells(
    plan: &Plan,
    profile: &ReleaseProfile,
    published: &[Vec<State>],
) -> Result<Cells, VerifyError> {
    let counts = Counts::of(plan);
    check_room(plan, profile, &counts)?;
    let states = counts.states(plan, published)?;
    let checked = check(&counts, profile, &states).map_err(|b| b.refusal(plan, &counts))?;
    let mut proof = Proof::new(plan);
    for (group, states_of_group) in published.iter().enumerate() {
        for ((field, statistic), state) in plan.statistics.iter().zip(states_of_group) {
            let cell = place(plan, group, *field)?;
            match counts.cell(*field, group) {
                Some(at) => proof.between(cell, checked.bounds[at]),
                None => {
                    let is_shown = is_shown(&counts, &states, statistic.guard, group);
                    let value = guarded(*state, is_shown, statistic.largest);
                    proof.cells.published[cell] =
                        value.map_err(|why| refusal(plan, group, *field, why.into()))?;
                }
            }
        }
    }
    ranks(plan, profile, &counts, &states, &mut proof)?;
    for order in &checked.orders {
        let of = |cell: usize| {
            let (field, group) = counts.place(cell);
            place(plan, group, field)
        };
        let (larger, smaller) = (of(order.larger)?, of(order.smaller)?);
        proof.at_least(&[(larger, 1), (smaller, -1)], order.gap);
    }
    let sums = counts.of_sums().map(|(field, _, group)| {
        let value = proof.cells.published[plan.cell(group, field)?]?;
        u64::try_from(value).ok()
    });
    let sums: Vec<Option<u64>> = sums.collect();
    for few in &checked.few {
        few_patients(plan, profile, &counts, few, &mut proof)?;
    }
    untold_together((plan, profile), &counts, (&states, &sums), &checked)?;
    proof.finish(plan)
}

/// That a region has some patients, and fewer than k.
fn few_patients(
    plan: &Plan,
    profile: &ReleaseProfile,
    counts: &Counts,
    few: &Form,
    proof: &mut Proof,
) -> Result<(), VerifyError> {
    let cells = few.terms.iter().map(|(cell, times)| {
        let (field, group) = counts.place(*cell);
        Ok((place(plan, group, field)?, *times))
    });
    let terms: Vec<(usize, i64)> = cells.collect::<Result<_, VerifyError>>()?;
    let minus: Vec<(usize, i64)> = terms.iter().map(|(cell, times)| (*cell, -times)).collect();
    let most = i64::try_from(profile.k - 1).expect("2^32 at most");
    proof.at_least(&terms, few.times);
    proof.at_least(&minus, -few.times.saturating_mul(most));
    Ok(())
}

/// That all counts together do not tell what none of them may.
fn untold_together(
    (plan, profile): (&Plan, &ReleaseProfile),
    counts: &Counts,
    (states, sums): (&[State], &[Option<u64>]),
    checked: &Checked,
) -> Result<(), VerifyError> {
    if !counts.is_attacked(profile) {
        return Ok(());
    }
    let facts = Facts {
        counts,
        profile,
        states,
        bounds: &checked.known(),
        sums,
    };
    let found = attack::findings(&facts, &mut Work::of_an_answer());
    let found = found.map_err(|why| Undecided::from(why).refusal(plan, counts))?;
    match found.first() {
        Some(Finding { group, region, .. }) => {
            let (group, region) = (*group, *region);
            Err(Undecided::Told { group, region }.refusal(plan, counts))
        }
        None => Ok(()),
    }
}

impl Broken {
    /// The refusal of the bundle.
    pub(crate) fn refusal(self, plan: &Plan, counts: &Counts) -> VerifyError {
        let (field, group) = counts.place(self.cell);
        refusal(plan, group, field, self.why)
    }
}

impl Counts {
    /// How each count is published.
    ///
    /// # Errors
    /// Another number of groups or states than the plan's.
    pub(crate) fn states(
        &self,
        plan: &Plan,
        published: &[Vec<State>],
    ) -> Result<Vec<State>, VerifyError> {
        same("groups", plan.layout.groups.len(), published.len())?;
        for states in published {
            same("states of a group", plan.statistics.len(), states.len())?;
        }
        let state = |cell: usize| {
            let (field, group) = self.place(cell);
            let at = plan.statistics.keys().position(|f| *f == field);
            at.map_or(State::Guarded, |at| published[group][at])
        };
        Ok((0..self.len()).map(state).collect())
    }
}

/// What is proven of the counts that place percentiles: enough values, and
/// #(v < q) < p·m ≤ #(v ≤ q) for the published percentile q of m values.
fn ranks(
    plan: &Plan,
    profile: &ReleaseProfile,
    counts: &Counts,
    states: &[State],
    proof: &mut Proof,
) -> Result<(), VerifyError> {
    let each = plan.percentiles.len();
    for (index, quantile) in plan.quantiles.iter().enumerate() {
        let (group, number) = (index / each, index % each);
        let percentile = &plan.percentiles[number];
        let of = |rank| {
            let field = Field {
                kind: FieldKind::Rank(number, rank),
                ..Field::known(percentile)
            };
            place(plan, group, field)
        };
        let is_hidden = percentile::is_hidden(counts, states, percentile, group);
        let bounds = percentile::bounds(profile, percentile, counts.rows, *quantile, is_hidden)
            .map_err(|why| VerifyError::Percentile {
                name: plan.names.percentile(group, number),
                index,
                why,
            })?;
        let known = of(Rank::Known)?;
        proof.bounded(known, bounds);
        if quantile.is_some() {
            let (up, down) = (
                i64::from(percentile.share.numerator),
                i64::from(percentile.share.denominator),
            );
            proof.at_least(&[(known, up), (of(Rank::Below)?, -down)], 1);
            proof.at_least(&[(of(Rank::UpTo)?, down), (known, -up)], 0);
        }
    }
    Ok(())
}

/// The value of a statistic that is no count.
fn guarded(state: State, guard_shown: bool, largest: i128) -> Result<Option<i128>, &'static str> {
    match (state, guard_shown) {
        (State::Shown(n), true) if (0..=largest).contains(&n) => Ok(Some(n)),
        (State::Shown(_), true) => Err("no table of this size has such a sum"),
        (State::Guarded, false) => Ok(None),
        _ => Err("it is not released together with the count that guards it"),
    }
}

fn is_shown(counts: &Counts, states: &[State], guard: Field, group: usize) -> bool {
    let guard = counts.cell(guard, group);
    guard.is_some_and(|g| states[g].shown().is_some())
}

fn place(plan: &Plan, group: usize, field: Field) -> Result<usize, VerifyError> {
    plan.cell(group, field)
        .ok_or_else(|| VerifyError::Malformed("a statistic without a cell".into()))
}

fn refusal(plan: &Plan, group: usize, field: Field, why: String) -> VerifyError {
    let statistic = plan.statistics.keys().position(|f| *f == field);
    VerifyError::CellRule {
        name: plan.names.number(group, field),
        group,
        statistic: statistic.unwrap_or(0),
        why,
    }
}

fn same(what: &str, expected: usize, got: usize) -> Result<(), VerifyError> {
    if expected == got {
        return Ok(());
    }
    Err(VerifyError::Cells {
        what: what.into(),
        expected,
        got,
    })
}
