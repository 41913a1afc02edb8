//! Where small counts and the number of all patients tell one another.
//!
//! The counts of a field over all groups are no more than R. If R less the shown ones, and less what the hidden ones are at least, leaves
//! so little that a small count's own bounds would be narrower for it, the smallest shown one is hidden. That it was so is proven, and tells no
//! more than that the small ones are small.

use super::{
    Counts, ReleaseProfile, State, can_pick,
    check::{Broken, Checked, broken, own},
};

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

/// What is left of R, if a count of the field is small: a count that was hidden for the whole not reckoned.
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
    for cell in cells.filter(|c| states[*c] != State::Whole) {
        let (first, _) = own(counts, profile, states, cell)?;
        let Some(rest) = left.checked_sub(first) else {
            return broken(cell, "the groups would have more patients than there are");
        };
        left = rest;
    }
    Ok(Some(left))
}

/// How much must be left for small counts to be anything that is small.
fn enough(profile: &ReleaseProfile) -> u64 {
    profile.k - u64::from(profile.zero_releasable)
}

/// Which count of a field is to be hidden.
pub(super) fn pick(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    field: usize,
) -> Option<usize> {
    let left = left(counts, profile, states, field).ok()??;
    if left >= enough(profile) {
        return None;
    }
    pick_smallest(counts, profile, states, counts.of_field(field))
}

/// Whether a count of a field is hidden exactly if the rule says so, and bounds that count.
pub(super) fn check_whole(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    field: usize,
    checked: &mut Checked,
) -> Result<(), Broken> {
    let mut picks = counts
        .of_field(field)
        .filter(|c| states[*c] == State::Whole);
    let (pick, another) = (picks.next(), picks.next());
    let left = left(counts, profile, states, field)?;
    let smallest = pick_smallest(counts, profile, states, counts.of_field(field));
    match (pick, another, left) {
        (Some(pick), None, Some(left)) => {
            let bounds = &mut checked.bounds[pick];
            bounds.0 = bounds.0.max((left + 1).saturating_sub(enough(profile)));
            at_most(pick, smallest, states, &mut bounds.1);
            Ok(())
        }
        (Some(cell), _, _) => broken(
            cell,
            "the number of all patients tells nothing that it would hide",
        ),
        (None, _, Some(left)) if left < enough(profile) && smallest.is_some() => broken(
            smallest.unwrap_or_default(),
            "it is published although with the number of all patients it tells small counts",
        ),
        (None, ..) => Ok(()),
    }
}

/// A count that was hidden as the smallest is at most the smallest that is shown, and less if that stands before it.
pub(super) fn at_most(pick: usize, smallest: Option<usize>, states: &[State], most: &mut u64) {
    let shown = smallest.and_then(|c| Some((c, states[c].count()?)));
    if let Some((cell, n)) = shown {
        *most = n.saturating_sub(u64::from(cell < pick)).min(*most);
    }
}
