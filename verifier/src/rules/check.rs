//! The rule, checked from what is published.

use crate::attack::{Form, Work};

use super::{
    Container, Counts, ReleaseProfile, State, can_pick, container,
    whole::{at_most, check_whole, pick_smallest},
};

/// A published state that the rule does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The cell, by [`Counts::cell`].
    pub cell: usize,
    /// What the rule says.
    pub why: String,
}

pub(super) fn broken<T>(cell: usize, why: impl Into<String>) -> Result<T, Broken> {
    let why = why.into();
    Err(Broken { cell, why })
}

/// What must be proven of the counts for published states to be what the rule makes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Between which bounds each count lies, by [`Counts::cell`].
    pub bounds: Vec<(u64, u64)>,
    /// Which hidden counts are in which order.
    pub orders: Vec<Order>,
    /// Sums of cells that are some patients, and fewer than k.
    pub few: Vec<Form>,
}

impl Checked {
    /// Between which bounds each count is known to lie: what is proven of it, and what follows from the orders.
    #[must_use]
    pub fn known(&self) -> Vec<(u64, u64)> {
        let mut known = self.bounds.clone();
        // Each order narrows two cells; a chain of orders takes as many rounds as it is long.
        for _ in 0..self.orders.len() {
            let before = known.clone();
            for order in &self.orders {
                let [(least, _), (_, most)] = [known[order.smaller], known[order.larger]];
                let smaller = &mut known[order.smaller].1;
                *smaller = most.saturating_add_signed(-order.gap).min(*smaller);
                let larger = &mut known[order.larger].0;
                *larger = least.saturating_add_signed(order.gap).max(*larger);
            }
            if known == before {
                break;
            }
        }
        known
    }
}

/// `smaller + gap ≤ larger`, for two hidden cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The cell that was hidden as the smallest.
    pub smaller: usize,
    /// One that was there then, and was hidden later.
    pub larger: usize,
    /// 1 where equal counts would have led to the other cell; below 0 where rounding makes counts equal that
    /// are not.
    pub gap: i64,
}

/// What must hold of the counts for `states` to be what the rule makes of them.
///
/// # Errors
/// Names the first cell whose state the rule does not allow, whatever the hidden counts are.
pub fn check(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
) -> Result<Checked, Broken> {
    for (cell, state) in states.iter().enumerate() {
        possible(counts, profile, cell, *state)?;
    }
    let mut bounds = (0..counts.len())
        .map(|cell| own(counts, profile, states, cell))
        .collect::<Result<Vec<_>, _>>()?;
    let mut checked = Checked {
        few: check_tied(counts, profile, states, &mut bounds)?,
        bounds,
        orders: Vec::new(),
    };
    for field in 0..counts.fields.len() {
        for (line, groups) in (0..).zip(&counts.lines) {
            let cells: Vec<usize> = groups.iter().map(|g| field * counts.groups + g).collect();
            check_line(counts, profile, states, (line, &cells), &mut checked)?;
        }
        check_whole(counts, profile, states, field, &mut checked)?;
    }
    match checked.bounds.iter().position(|(lo, hi)| lo > hi) {
        Some(cell) => broken(cell, "no count fits its state and those around it"),
        None => Ok(checked),
    }
}

/// That a published number is one that some count of so many patients is published as.
fn possible(
    counts: &Counts,
    profile: &ReleaseProfile,
    cell: usize,
    state: State,
) -> Result<(), Broken> {
    let (rows, base) = (counts.rows, profile.rounding);
    let State::Shown(n) = state else {
        return Ok(());
    };
    if n < 0 {
        return broken(cell, format!("{n} is below 0, and no count"));
    }
    let is_of_all = |n: u64| n <= rows.saturating_add(base) && profile.preimage(n).0 <= rows;
    match state.count() {
        Some(n) if !n.is_multiple_of(base) => broken(
            cell,
            format!("{n} is no multiple of {base}, which counts are rounded to"),
        ),
        Some(n) if is_of_all(n) => Ok(()),
        _ => broken(
            cell,
            format!("{n} is more than the dataset's {rows} patients"),
        ),
    }
}

/// The forms of the regions for whose sake counts are hidden. Such a count is at most each that its form shows.
fn check_tied(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    bounds: &mut [(u64, u64)],
) -> Result<Vec<Form>, Broken> {
    let mut few = Vec::new();
    let mut work = Work::of_an_answer();
    for (cell, state) in states.iter().enumerate() {
        let State::Tied(region) = state else {
            continue;
        };
        let place = (cell % counts.groups, Some(cell));
        let form = match counts.is_attacked(profile) {
            true => counts.form(states, *region, place, &mut work),
            false => None,
        };
        let Some(form) = form.filter(|f| f.uses(cell)) else {
            return broken(cell, "it would tell nothing of that region");
        };
        let smallest = pick_smallest(counts, profile, states, form.counts());
        at_most(cell, smallest, states, &mut bounds[cell].1);
        few.push(form);
    }
    Ok(few)
}

/// The bounds that a cell's own state gives.
pub(super) fn own(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cell: usize,
) -> Result<(u64, u64), Broken> {
    let container = container(counts, profile, states, cell);
    let hidden_with_it = matches!(container, Container::Hidden);
    if hidden_with_it != (states[cell] == State::Guarded) {
        return broken(
            cell,
            "it is to be hidden exactly if the count that contains it is",
        );
    }
    if counts.is_impossible(cell) && !hidden_with_it {
        return match states[cell] {
            State::Shown(0) => Ok((0, 0)),
            _ => broken(cell, "nobody can be in it, so it is 0"),
        };
    }
    match (states[cell], container) {
        (State::Guarded, _) => Ok((0, counts.rows)),
        (State::Shown(_), container) => {
            let n = states[cell].count().expect("every published number is one");
            let (first, last) = shown(profile, cell, n, container)?;
            Ok((first, last.min(counts.rows)))
        }
        (State::Small, container) if container.hides_all_but_the_ends(profile.k) => {
            broken(cell, "the rule does not tell it from a difference")
        }
        (State::Small, _) => Ok((u64::from(profile.zero_releasable), profile.k - 1)),
        (State::Difference, Container::Exact { whole, equal_too }) => {
            let first = match container.hides_all_but_the_ends(profile.k) {
                true => u64::from(profile.zero_releasable),
                false => whole + 1 - profile.k,
            };
            Ok((first, whole.saturating_sub(u64::from(!equal_too))))
        }
        (State::Difference, _) => broken(cell, "there is no published count to differ from"),
        (State::Margin(line), container) => {
            let groups = counts.lines.get(line as usize);
            let inside = groups.is_some_and(|l| l.contains(&(cell % counts.groups)));
            if !profile.complementary || !inside {
                return broken(cell, "the rule hides nothing for the sake of that line");
            }
            Ok(container.with_large_rest(counts, profile))
        }
        (State::Whole(_) | State::Tied(_), container) => {
            Ok(container.with_large_rest(counts, profile))
        }
    }
}

fn shown(
    profile: &ReleaseProfile,
    cell: usize,
    n: u64,
    container: Container,
) -> Result<(u64, u64), Broken> {
    let k = profile.k;
    if let Container::Exact { whole, .. } = container {
        if n > whole {
            return broken(cell, format!("{n} of {whole} is more than all"));
        }
        if container.betrays(n, k) {
            let why = format!(
                "it is published although what {whole} and {n} tell together is below k = {k}"
            );
            return broken(cell, why);
        }
    }
    if n == 0 && profile.zero_releasable {
        return Ok((0, 0));
    }
    let (first, last) = profile.preimage(n);
    if last < k {
        return broken(
            cell,
            format!("it is published although it is below k = {k}"),
        );
    }
    Ok((first.max(k), last))
}

/// Whether the line hides one more cell exactly if the rule says so, and bounds that cell by the others.
fn check_line(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    (line, cells): (u32, &[usize]),
    checked: &mut Checked,
) -> Result<(), Broken> {
    // Cells that this line, a later one or the whole hides are still there when it is looked at.
    let there = |c: &&usize| match states[**c] {
        State::Shown(_) | State::Whole(_) => true,
        State::Margin(by) => by >= line,
        _ => false,
    };
    let hidden = cells.len() - cells.iter().filter(there).count();
    // Those that were hidden later could be picked, or they would not be.
    let pickable = |c: &usize| match states[*c] {
        State::Margin(by) => by >= line,
        State::Whole(_) => true,
        _ => can_pick(counts, profile, states, *c),
    };
    let some = cells.iter().any(pickable);
    let mut picks = cells.iter().filter(|c| states[**c] == State::Margin(line));
    if !profile.complementary || hidden != 1 || !some {
        return match picks.next() {
            Some(pick) => broken(*pick, "the rule hides nothing for the sake of that line"),
            None => Ok(()),
        };
    }
    let (Some(pick), None) = (picks.next(), picks.next()) else {
        let alone = cells.iter().find(|c| !there(c)).unwrap_or(&cells[0]);
        return broken(
            *alone,
            "it is the only one hidden among groups that add up, so exactly the smallest of the others is to be hidden too",
        );
    };
    for other in cells {
        // Of equal numbers the first is hidden: one that stands before the pick is larger.
        let before = other < pick;
        match states[*other] {
            shown @ State::Shown(_) if pickable(other) => {
                let n = shown.count().expect("every published number is one");
                let (first, last) = profile.preimage(n);
                let limit = if before {
                    first.saturating_sub(1)
                } else {
                    last
                };
                let most = &mut checked.bounds[*pick].1;
                *most = limit.min(*most);
            }
            State::Margin(by) if by <= line => {}
            State::Margin(_) | State::Whole(_) => checked.orders.push(Order {
                smaller: *pick,
                larger: *other,
                gap: if before { 1 } else { 1 - profile.base() },
            }),
            _ => {}
        }
    }
    Ok(())
}
