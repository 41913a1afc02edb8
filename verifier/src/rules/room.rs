//! How many rows of limbs the statements about hidden counts may take, whichever counts are hidden: known before
//! anything is counted, so that whether a query is answered tells nothing.

use galen_circuits::equation::limbs_for;

use super::{Counts, ReleaseProfile, whole};
use crate::{
    attack::World,
    plan::{Field, Plan},
};

/// The most rows of limbs under a profile (`docs/spec/release-rules.md`, "Room").
pub(super) fn most_limbs(plan: &Plan, profile: &ReleaseProfile, counts: &Counts) -> usize {
    let rows = u128::from(counts.rows);
    // Bounds that a count's own size, a difference or rounding gives are so far apart at most.
    let apart = u128::from((2 * profile.k - 2).max(profile.rounding)).min(rows);
    let own = 2 * limbs_for(apart);
    let margin = 2 * limbs_for(rows) - own;
    let order = limbs_for(rows + u128::from(profile.rounding));
    let lines = counts.lines.len();
    // Only a cell that lies in two lines or is hidden for the whole can stand in an order, and each line hides one cell at most.
    let orders = if lines > 1 { lines } else { 0 };
    let of_lines = match profile.complementary {
        true => counts.fields.len() * (lines * margin + orders * order),
        false => 0,
    };
    let together = match counts.is_attacked(profile) {
        true => tied(plan, counts, margin) + wholes(counts, profile.k, (own, margin, order)),
        false => 0,
    };
    counts.groups * bounded(plan, counts, profile) * own + of_lines + together + percentiles(plan)
}

/// Counts that are hidden for what all tell together: both bounds of each, and of the region that they would tell.
fn tied(plan: &Plan, counts: &Counts, margin: usize) -> usize {
    let region = limbs_for(u128::from(World::LONGEST) * u128::from(counts.rows));
    match counts.fields.len() {
        0 | 1 => 0,
        _ => counts.groups * chains(&counts.fields, &plan.within) * (margin + 2 * region),
    }
}

/// Counts of each field that are hidden for the whole. Of the last one both bounds are proven; of another one the lower bound and its order with
/// the next, and the upper one too if a count contains it. Each has an order in its lines, too: where there is one line, that has hidden one of
/// two others then, and the rest is shown.
fn wholes(counts: &Counts, k: u64, (own, margin, order): (usize, usize, usize)) -> usize {
    let groups = counts.groups;
    // Each is at least k.
    let most = usize::try_from((counts.rows / k).min(whole::MOST.into())).unwrap_or(groups);
    let most = most.min(groups.saturating_sub(1));
    let in_lines = match counts.lines.len() {
        0 => return 0,
        1 => (most * order).saturating_sub(groups.saturating_sub(2 + most) * own),
        _ => 2 * most * order,
    };
    let contained = counts
        .fields
        .iter()
        .filter(|f| counts.outer(**f, 0).next().is_some());
    counts.fields.len() * (most * margin + in_lines)
        + contained.count() * most.saturating_sub(1) * order
}

/// How many counts of a group have bounds at once. What contains a hidden one is shown, and nothing is proven of what
/// it contains: one of each chain, if what is shown is exact. An attrition table's counts are hidden each by itself.
fn bounded(plan: &Plan, counts: &Counts, profile: &ReleaseProfile) -> usize {
    match profile.rounding == 1 && !counts.is_chain {
        true => chains(&counts.fields, &plan.within),
        false => counts.fields.len(),
    }
}

/// One bound of the number of values, and two comparisons.
fn percentiles(plan: &Plan) -> usize {
    let rows = u128::from(plan.patients());
    let of = |share: u128| limbs_for(rows) + 2 * limbs_for(share * rows);
    let shares = plan.percentiles.iter().map(|p| p.share.denominator);
    let each: usize = shares.map(|d| of(d.into())).sum();
    plan.layout.groups.len() * each
}

/// How many chains of counts, each containing the next, take in all.
fn chains(counts: &[Field], within: &[(usize, usize)]) -> usize {
    let containing = |f: &Field| counts.iter().filter(|o| o.contains(*f, within)).count();
    let mut ordered: Vec<(usize, Field)> = counts.iter().map(|f| (containing(f), *f)).collect();
    ordered.sort_unstable();
    let mut ends: Vec<Field> = Vec::new();
    for (_, field) in ordered {
        match ends.iter_mut().find(|end| end.contains(field, within)) {
            Some(end) => *end = field,
            None => ends.push(field),
        }
    }
    ends.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_counts_are_a_chain() {
        let of = |column, filter| Field::count(column, filter);
        let (all, filtered) = (of(None, None), of(None, Some(0)));
        let (known, other) = (of(Some(1), None), of(Some(2), None));
        let both = of(Some(1), Some(0));
        assert_eq!(chains(&[all], &[]), 1);
        assert_eq!(chains(&[known, all, both], &[]), 1);
        assert_eq!(chains(&[all, known, other, filtered, both], &[]), 3);
        let inner = of(None, Some(1));
        assert_eq!(chains(&[all, filtered, inner], &[]), 2);
        assert_eq!(chains(&[all, filtered, inner], &[(1, 0)]), 1);
    }
}
