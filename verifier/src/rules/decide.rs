//! The rule, applied to true counts.

use std::collections::BTreeMap;

use super::{
    Broken, Container, Counts, ReleaseProfile, State, can_pick, check, container,
    whole::{self, pick_smallest},
};
use crate::{
    VerifyError,
    attack::{self, Facts, Finding, Unfound, Unknown, Work},
    plan::{Field, FieldKind, Plan, PlanError},
};

/// Why no decision is made: the query is to be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    /// The counts would tell of this group that there are few patients of some kind, and there is nothing left to hide for it.
    Told {
        /// The group.
        group: usize,
        /// Which kind, among those that its counts can tell apart.
        region: usize,
    },
    /// What the counts tell together takes too long to find out.
    TooLong,
    /// The counts contradict one another.
    Contradiction {
        /// Those of this group; of all groups together where there is none.
        group: Option<usize>,
    },
}

impl From<Unfound> for Undecided {
    fn from(Unfound { group, why }: Unfound) -> Self {
        match why {
            Unknown::Programs => Undecided::TooLong,
            Unknown::Contradiction => Undecided::Contradiction { group },
        }
    }
}

/// What tells less, of what the query asks for.
fn instead(plan: &Plan, counts: &Counts) -> String {
    let is_narrowed =
        |f: &Field| f.filter.is_some() || f.column.is_some() || f.kind != FieldKind::Count;
    let asked = [
        (
            counts.fields.iter().any(is_narrowed),
            "fewer filters and nullable columns in one query",
        ),
        (
            !counts.sums.is_empty(),
            "no sum, mean or deviation of a column with few values",
        ),
        (counts.groups > 1, "wider buckets or fewer groups"),
    ];
    let fits = asked.iter().filter(|(is_asked, _)| *is_asked);
    let fits: Vec<&str> = fits.map(|(_, instead)| *instead).collect();
    match fits.is_empty() {
        true => format!("the same of more than {} patients", plan.patients()),
        false => fits.join(", or "),
    }
}

impl Undecided {
    /// Why the query is refused.
    #[must_use]
    pub fn refusal(&self, plan: &Plan, counts: &Counts) -> VerifyError {
        match self {
            Undecided::Told { group, region } => {
                let who = counts.words(*group, *region);
                let who = match plan.names.group(*group) {
                    Some(keys) => format!("{who}, in the group {keys}"),
                    None => who,
                };
                let instead = instead(plan, counts);
                VerifyError::Told { who, instead }
            }
            Undecided::TooLong => PlanError::TooManyConditions.into(),
            Undecided::Contradiction { group } => {
                let rows = plan.patients();
                let which = match group {
                    Some(group) => {
                        let counts = plan.names.counts(*group);
                        format!("no table of at most {rows} patients has {counts} as they are")
                    }
                    None => {
                        format!("the groups have more than the dataset's {rows} patients together")
                    }
                };
                VerifyError::contradiction(&which)
            }
        }
    }
}

/// Counts that are hidden for the sake of a region of their group.
pub(crate) type Tied = BTreeMap<usize, u32>;

/// How often more is hidden.
const MAX_ROUNDS: usize = 256;

/// Which of the true counts `values` (by [`Counts::cell`]) are published. After them come the sums that tell of counts ([`Counts::numbers`]).
///
/// # Errors
/// Where the counts would tell together what none of them may, and hiding more of them does not help.
pub fn decide(
    counts: &Counts,
    profile: &ReleaseProfile,
    values: &[u64],
) -> Result<Vec<State>, Undecided> {
    let mut tied = Tied::new();
    let mut work = Work::of_an_answer();
    for _ in 0..MAX_ROUNDS {
        let states = rule(counts, profile, values, &tied);
        if !counts.is_attacked(profile) {
            return Ok(states);
        }
        let more = betraying(counts, profile, values, &states, &mut work)?;
        if more.is_empty() {
            return Ok(states);
        }
        tied.extend(more);
    }
    Err(Undecided::TooLong)
}

/// Counts that are to be hidden too: they are shown, and one of each group's findings needs them.
fn betraying(
    counts: &Counts,
    profile: &ReleaseProfile,
    values: &[u64],
    states: &[State],
    work: &mut Work,
) -> Result<Tied, Undecided> {
    let rule = (counts, profile);
    let smaller = overtaken(rule, values, states, work);
    if !smaller.is_empty() {
        return Ok(smaller);
    }
    let checked =
        check(counts, profile, states).map_err(|broken| untold(counts, states, &broken))?;
    let facts = Facts {
        counts,
        profile,
        states,
        bounds: &checked.known(),
        sums: &counts.shown_sums(states, values),
    };
    let found = attack::findings(&facts, work)?;
    let mut more = Tied::new();
    for of_group in found.chunk_by(|a, b| a.group == b.group) {
        let mut picks = of_group.iter().map(|f| picks(rule, states, f, work));
        let Finding { group, region, .. } = of_group[0];
        let told = Undecided::Told { group, region };
        more.extend(picks.find(|p| !p.is_empty()).ok_or(told)?);
    }
    Ok(more)
}

/// A count that was hidden for a region no longer tells of it, because of others that are hidden.
fn untold(counts: &Counts, states: &[State], broken: &Broken) -> Undecided {
    match states[broken.cell] {
        State::Tied(region) => Undecided::Told {
            group: broken.cell % counts.groups,
            region: region as usize,
        },
        _ => Undecided::Contradiction {
            group: Some(broken.cell % counts.groups),
        },
    }
}

/// A count was the smallest of a form when it was hidden. What another one's hiding let be shown again may be smaller.
fn overtaken(
    (counts, profile): (&Counts, &ReleaseProfile),
    values: &[u64],
    states: &[State],
    work: &mut Work,
) -> Tied {
    let smaller = states.iter().enumerate().filter_map(|(cell, state)| {
        let State::Tied(region) = state else {
            return None;
        };
        let form = counts.form(states, *region, (cell % counts.groups, Some(cell)), work)?;
        let smallest = pick_smallest(counts, profile, states, form.counts())?;
        ((values[smallest], smallest) < (values[cell], cell)).then_some((smallest, *region))
    });
    smaller.collect()
}

/// The smallest shown count of a region's form; and of the next form, as long as shown ones alone make it.
fn picks(
    (counts, profile): (&Counts, &ReleaseProfile),
    states: &[State],
    Finding { group, region, .. }: &Finding,
    work: &mut Work,
) -> Tied {
    let mut states = states.to_vec();
    let mut picks = Tied::new();
    let Ok(region) = u32::try_from(*region) else {
        return picks;
    };
    while let Some(form) = counts.form(&states, region, (*group, None), work) {
        let is_all = form.counts().all(|c| states[c].shown().is_some());
        let smallest = pick_smallest(counts, profile, &states, form.counts());
        match smallest.filter(|_| is_all || picks.is_empty()) {
            Some(cell) => {
                states[cell] = State::Tied(region);
                picks.insert(cell, region);
            }
            None => break,
        }
    }
    picks
}

/// The rule where these counts are hidden from the start.
pub(crate) fn rule(
    counts: &Counts,
    profile: &ReleaseProfile,
    values: &[u64],
    tied: &Tied,
) -> Vec<State> {
    let mut states = vec![State::Guarded; counts.len()];
    for &field in counts.order() {
        let cells = counts.of_field(field);
        for cell in cells.clone() {
            states[cell] = own(counts, profile, &states, cell, values[cell]);
            if let Some(region) = tied.get(&cell)
                && can_pick(counts, profile, &states, cell)
            {
                states[cell] = State::Tied(*region);
            }
        }
        if profile.complementary {
            for (line, groups) in (0..).zip(&counts.lines) {
                let cells: Vec<usize> = groups.iter().map(|g| cells.start + g).collect();
                if let Some(pick) = pick(counts, profile, &states, &cells) {
                    states[pick] = State::Margin(line);
                }
            }
        }
        for turn in 0..whole::MOST {
            match whole::pick(counts, profile, &states, field) {
                Some(pick) => states[pick] = State::Whole(turn),
                None => break,
            }
        }
    }
    states
}

/// Without a look at other groups.
fn own(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cell: usize,
    value: u64,
) -> State {
    let container = container(counts, profile, states, cell);
    if matches!(container, Container::Hidden) {
        return State::Guarded;
    }
    if counts.is_impossible(cell) {
        return State::Shown(0);
    }
    if container.hides_all_but_the_ends(profile.k) {
        let is_hidden = value > 0 && container.betrays(value, profile.k);
        return match is_hidden || profile.is_small(value) {
            true => State::Difference,
            false => State::Shown(i128::from(value)),
        };
    }
    if profile.is_small(value) {
        return State::Small;
    }
    if container.betrays(value, profile.k) {
        return State::Difference;
    }
    State::Shown(i128::from(profile.round(value)))
}

/// Where exactly one cell of a line is hidden: the smallest published number that hiding it keeps secret, the
/// first of equal ones.
fn pick(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cells: &[usize],
) -> Option<usize> {
    let hidden = cells.iter().filter(|c| states[**c].shown().is_none());
    match hidden.count() {
        1 => pick_smallest(counts, profile, states, cells.iter().copied()),
        _ => None,
    }
}
