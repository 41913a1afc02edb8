//! Where small counts and the number of all patients tell one another.
//!
//! The counts of a field over all groups are no more than R. If R less the shown ones, and less what the hidden ones are at least, leaves
//! so little that a small count's own bounds would be narrower for it, the smallest shown ones are hidden until enough is left. That so many are
//! needed is proven of the last, and leaves a small count all that is small.

use super::{
    Counts, ReleaseProfile, State, can_pick,
    check::{Broken, Checked, Order, broken, own},
    container,
};

/// The most counts of a field that are hidden for the whole.
pub(super) const MOST: u32 = 8;

/// The smallest published number among cells that hiding it keeps secret, the first of equal ones.
pub(super) fn pick_smallest(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cells: impl Iterator<Item = usize>,
) -> Option<usize> {
    cells
        .filter(|c| can_pick(counts, profile, states, *c))
        .min_by_key(|c| (states[*c].shown(), *c))
}

/// The counts of a field that are hidden for the whole, in their turns.
fn hidden(counts: &Counts, states: &[State], field: usize) -> Vec<(u32, usize)> {
    let cells = counts.of_field(field);
    let mut hidden: Vec<(u32, usize)> = cells
        .filter_map(|c| match states[c] {
            State::Whole(turn) => Some((turn, c)),
            _ => None,
        })
        .collect();
    hidden.sort_unstable();
    hidden
}

/// What is left of R, if a count of the field is small, those that are hidden for the whole not reckoned.
fn left(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    field: usize,
) -> Result<Option<u64>, Broken> {
    let cells = counts.of_field(field);
    let is_small = |c: usize| states[c] == State::Small;
    if !counts.is_attacked(profile) || counts.groups < 2 || !cells.clone().any(is_small) {
        return Ok(None);
    }
    let mut left = counts.rows;
    for cell in cells.filter(|c| !matches!(states[*c], State::Whole(_))) {
        let least = match states[cell] {
            State::Tied(_) | State::Margin(_) => {
                let container = container(counts, profile, states, cell);
                container.with_large_rest(counts, profile).0
            }
            _ => own(counts, profile, states, cell)?.0,
        };
        let Some(rest) = left.checked_sub(least) else {
            return broken(cell, "the groups would have more patients than there are");
        };
        left = rest;
    }
    Ok(Some(left))
}

/// Whether so much is left that with so many hidden, each at least k, small counts can be anything that is small.
fn is_enough(profile: &ReleaseProfile, left: u64, hidden: usize) -> bool {
    let small = profile.k - u64::from(profile.zero_releasable);
    let taken = profile.k.saturating_mul(hidden as u64);
    left >= taken.saturating_add(small)
}

/// Which count of a field is to be hidden next.
pub(super) fn pick(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    field: usize,
) -> Option<usize> {
    let left = left(counts, profile, states, field).ok()??;
    if is_enough(profile, left, hidden(counts, states, field).len()) {
        return None;
    }
    pick_smallest(counts, profile, states, counts.of_field(field))
}

/// Whether counts of a field are hidden exactly if the rule says so, and what that tells of them.
pub(super) fn check_whole(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    field: usize,
    checked: &mut Checked,
) -> Result<(), Broken> {
    let hidden = hidden(counts, states, field);
    let left = left(counts, profile, states, field)?;
    let smallest = pick_smallest(counts, profile, states, counts.of_field(field));
    let in_turn = hidden.iter().zip(0..MOST).all(|((turn, _), n)| *turn == n);
    let Some(&(_, last)) = hidden.last() else {
        return match (left, smallest) {
            (Some(left), Some(smallest)) if !is_enough(profile, left, 0) => told(smallest),
            _ => Ok(()),
        };
    };
    let needless = "the number of all patients tells nothing that it would hide";
    let Some(left) = left.filter(|_| in_turn && hidden.len() <= MOST as usize) else {
        return broken(last, needless);
    };
    let is_last = is_enough(profile, left, hidden.len()) || hidden.len() == MOST as usize;
    if let (false, Some(smallest)) = (is_last, smallest) {
        return told(smallest);
    }
    // With the last one shown it was not enough.
    let others = profile.k.saturating_mul(hidden.len() as u64 - 1);
    let small = profile.k - u64::from(profile.zero_releasable);
    let least = left
        .saturating_add(1)
        .saturating_sub(others.saturating_add(small));
    checked.bounds[last].0 = checked.bounds[last].0.max(least);
    at_most(last, smallest, states, &mut checked.bounds[last].1);
    for pair in hidden.windows(2) {
        let ((_, smaller), (_, larger)) = (pair[0], pair[1]);
        checked.orders.push(Order {
            smaller,
            larger,
            gap: i64::from(larger < smaller),
        });
    }
    Ok(())
}

fn told(cell: usize) -> Result<(), Broken> {
    broken(
        cell,
        "it is published although with the number of all patients it tells small counts",
    )
}

/// A count that was hidden as the smallest is at most the smallest that is shown, and less if that stands before it.
pub(super) fn at_most(pick: usize, smallest: Option<usize>, states: &[State], most: &mut u64) {
    let shown = smallest.and_then(|c| Some((c, states[c].count()?)));
    if let Some((cell, n)) = shown {
        *most = n.saturating_sub(u64::from(cell < pick)).min(*most);
    }
}
