//! The rule, applied to true counts.

use super::{Container, Counts, ReleaseProfile, State, can_pick, container};

/// Which of the true counts `values` (by [`Counts::cell`]) are published.
#[must_use]
pub fn decide(counts: &Counts, profile: &ReleaseProfile, values: &[u64]) -> Vec<State> {
    let mut states = vec![State::Guarded; counts.len()];
    for &field in counts.order() {
        let cells = field * counts.groups..(field + 1) * counts.groups;
        for cell in cells.clone() {
            states[cell] = own(counts, profile, &states, cell, values[cell]);
        }
        if profile.complementary {
            for (line, groups) in (0..).zip(&counts.lines) {
                let cells: Vec<usize> = groups.iter().map(|g| cells.start + g).collect();
                if let Some(pick) = pick(counts, profile, &states, &cells) {
                    states[pick] = State::Margin(line);
                }
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
    let hidden = cells
        .iter()
        .filter(|c| states[**c].shown().is_none())
        .count();
    if hidden != 1 {
        return None;
    }
    let candidates = cells.iter().copied();
    candidates
        .filter(|c| can_pick(counts, profile, states, *c))
        .min_by_key(|c| states[*c].shown())
}
