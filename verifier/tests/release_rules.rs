//! The release rule against a plain reading of it, and its one-sidedness: for given counts, only the rule's
//! own decision passes the check with bounds that the counts lie in.

#![allow(clippy::unwrap_used)]

use galen_verifier::{
    plan::{Field, FieldKind, GroupKey},
    rules::{self, Checked, Counts, ReleaseProfile, State, Ties, check},
};
use proptest::prelude::*;

const fn field(kind: FieldKind, column: Option<usize>, other: Option<usize>) -> Field {
    Field {
        kind,
        column,
        other,
        filter: None,
    }
}

/// More than any count here.
const ROWS: u64 = 1 << 40;

const COUNT: Field = field(FieldKind::Count, None, None);
const KNOWN: Field = field(FieldKind::Count, Some(0), None);
const OTHER: Field = field(FieldKind::Count, Some(1), None);
const BOTH: Field = field(FieldKind::Count, Some(0), Some(1));
const TRUES: Field = field(FieldKind::Trues, Some(0), None);

fn keys(sizes: &[u64]) -> Vec<Vec<GroupKey>> {
    let mut all = vec![Vec::new()];
    for size in sizes {
        all = all
            .iter()
            .flat_map(|k: &Vec<GroupKey>| {
                (0..*size).map(|v| [k.as_slice(), &[GroupKey::Value(v)]].concat())
            })
            .collect();
    }
    all
}

fn shown(count: u64) -> State {
    State::Shown(i128::from(count))
}

fn counts(fields: &[Field], sizes: &[u64]) -> Counts {
    Counts::new(fields, &keys(sizes), ROWS)
}

fn profile(k: u64, complementary: bool) -> ReleaseProfile {
    ReleaseProfile::exact("test", k, complementary)
}

/// None of these queries has conditions, so there always is a decision.
fn decide(counts: &Counts, profile: &ReleaseProfile, values: &[u64]) -> Vec<State> {
    rules::decide(counts, profile, values).unwrap()
}

/// Whether what must be proven is true of the counts.
fn holds(checked: &Checked, values: &[u64]) -> bool {
    let inside = |((lo, hi), v): (&(u64, u64), &u64)| lo <= v && v <= hi;
    let ordered = checked.orders.iter().all(|o| {
        let value = |cell: usize| i64::try_from(values[cell]).unwrap();
        value(o.smaller) + o.gap <= value(o.larger)
    });
    ordered && checked.bounds.iter().zip(values).all(inside)
}

/// Whether the published states can be proven of the true counts.
fn passes(counts: &Counts, profile: &ReleaseProfile, states: &[State], values: &[u64]) -> bool {
    check(counts, profile, states).is_ok_and(|checked| holds(&checked, values))
}

/// Every vector of `length` entries of `choices`.
fn vectors<T: Copy>(choices: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |all, _| {
        all.iter()
            .flat_map(|v| choices.iter().map(|c| [v.as_slice(), &[*c]].concat()))
            .collect()
    })
}

/// Which decisions pass for each vector of counts up to `largest`.
fn passing(
    counts: &Counts,
    profile: &ReleaseProfile,
    largest: u64,
    lines: u32,
    possible: impl Fn(&[u64]) -> bool,
    mut each: impl FnMut(&[u64], &[State], Vec<Vec<State>>),
) {
    let numbers: Vec<u64> = (0..=largest).collect();
    let mut choices: Vec<State> = (0..=largest + profile.rounding).map(shown).collect();
    choices.push(State::Small);
    if counts.fields.len() > 1 {
        choices.extend([State::Difference, State::Guarded]);
    }
    choices.extend((0..lines).map(State::Margin));
    if counts.rows < ROWS {
        choices.extend([0, 1].map(State::Whole));
    }
    // What the check refuses for all counts is looked at once.
    let allowed: Vec<(Vec<State>, Checked)> = vectors(&choices, counts.len())
        .into_iter()
        .filter_map(|s| check(counts, profile, &s).ok().map(|b| (s, b)))
        .collect();
    for values in vectors(&numbers, counts.len()) {
        if !possible(&values) {
            continue;
        }
        let found = allowed.iter().filter(|(_, c)| holds(c, &values));
        let honest = decide(counts, profile, &values);
        each(&values, &honest, found.map(|(s, _)| s.clone()).collect());
    }
}

#[test]
fn one_row_of_groups_has_one_decision() {
    for complementary in [false, true] {
        for zero_releasable in [false, true] {
            let profile = ReleaseProfile {
                zero_releasable,
                ..profile(3, complementary)
            };
            let counts = counts(&[COUNT], &[3]);
            passing(
                &counts,
                &profile,
                6,
                2,
                |_| true,
                |values, honest, found| {
                    assert_eq!(found, [honest.to_vec()], "{values:?}");
                },
            );
        }
    }
}

/// Groups that are nearly all patients.
#[test]
fn groups_of_few_patients_have_one_decision() {
    for zero_releasable in [false, true] {
        let profile = ReleaseProfile {
            zero_releasable,
            ..profile(3, true)
        };
        let mut seen = 0;
        for rows in 6..14 {
            for (fields, groups) in [(&[COUNT][..], 3), (&[COUNT, KNOWN], 2)] {
                let counts = Counts::new(fields, &keys(&[groups]), rows);
                let per_group = |values: &[u64]| {
                    let groups = usize::try_from(groups).unwrap();
                    let (all, known) = values.split_at(groups);
                    let within = known.iter().zip(all).all(|(k, a)| k <= a);
                    within && all.iter().sum::<u64>() <= rows
                };
                passing(
                    &counts,
                    &profile,
                    6,
                    1,
                    per_group,
                    |values, honest, found| {
                        assert_eq!(found, [honest.to_vec()], "{values:?} of {rows}");
                        seen += usize::from(honest.contains(&State::Whole(0)));
                        let small = honest.iter().position(|s| *s == State::Small);
                        // What is shown and what is proven leave a small count every small value.
                        if let Some(small) = small.filter(|_| fields.len() == 1) {
                            let bounds = check(&counts, &profile, honest).unwrap().bounds;
                            let least: u64 = bounds.iter().map(|b| b.0).sum();
                            let most = rows - (least - bounds[small].0);
                            // Unless all that are hidden beside it are as small as they can be for that.
                            let whole = honest.iter().position(|s| matches!(s, State::Whole(_)));
                            let can_hide = whole.is_some_and(|w| bounds[w].0 > 3);
                            assert!(most >= 2 || !can_hide, "{values:?} of {rows}: {honest:?}");
                        }
                    },
                );
            }
        }
        assert!(seen > 100, "{seen}");
    }
}

#[test]
fn rounded_groups_have_one_decision() {
    for ties in [Ties::Up, Ties::Down, Ties::Even] {
        for complementary in [false, true] {
            let profile = ReleaseProfile {
                rounding: 5,
                ties,
                ..profile(4, complementary)
            };
            let counts = counts(&[COUNT], &[2]);
            passing(
                &counts,
                &profile,
                14,
                1,
                |_| true,
                |values, honest, found| {
                    assert_eq!(found, [honest.to_vec()], "{values:?}");
                },
            );
        }
    }
}

#[test]
fn nested_counts_have_one_decision() {
    // All, those with a value, those for whom it is true: each within the one before.
    let nested = |v: &[u64]| v[0] >= v[1] && v[1] >= v[2];
    for complementary in [false, true] {
        let counts = counts(&[COUNT, KNOWN, TRUES], &[1]);
        let profile = profile(3, complementary);
        passing(&counts, &profile, 8, 1, nested, |values, honest, found| {
            assert_eq!(found, [honest.to_vec()], "{values:?}");
        });
    }
}

#[test]
fn counts_of_pairs_have_one_decision() {
    // All, those with a value in a column, in the other, in both.
    let nested = |v: &[u64]| {
        let [all, a, b, both] = [v[0], v[1], v[2], v[3]];
        all >= a.max(b) && a.min(b) >= both && a + b <= all + both
    };
    let counts = counts(&[COUNT, KNOWN, OTHER, BOTH], &[1]);
    assert_eq!(counts.fields, [COUNT, KNOWN, OTHER, BOTH]);
    let mut told = 0;
    passing(
        &counts,
        &profile(3, true),
        6,
        0,
        nested,
        |values, honest, found| {
            assert_eq!(found, [honest.to_vec()], "{values:?}");
            // With both equal to the lesser of two counts that differ by little, the rest would be told.
            let [_, a, b, both] = *values else { panic!() };
            if both == a.min(b) && (1..3).contains(&a.abs_diff(b)) {
                assert_eq!(honest[3].shown(), None, "{values:?}");
                told += 1;
            }
        },
    );
    assert!(told > 0);
}

/// An attrition table: every count within the one before.
#[test]
fn chains_have_one_decision() {
    let filtered = |i| Field {
        filter: Some(i),
        ..COUNT
    };
    let counts = Counts::chain(&[COUNT, filtered(0), filtered(1), filtered(2)], ROWS);
    let nested = |v: &[u64]| v.is_sorted_by(|a, b| a >= b);
    for complementary in [false, true] {
        let profile = profile(3, complementary);
        passing(&counts, &profile, 9, 0, nested, |values, honest, found| {
            assert_eq!(found, [honest.to_vec()], "{values:?}");
            let shown: Vec<i128> = honest.iter().filter_map(|s| s.shown()).collect();
            for pair in shown.windows(2) {
                let told = pair[0] - pair[1];
                assert!(!complementary || !(1..3).contains(&told), "{values:?}");
            }
        });
    }
}

#[test]
fn a_table_has_one_decision() {
    let counts = counts(&[COUNT], &[2, 3]);
    let mut ordered = 0;
    passing(
        &counts,
        &profile(2, true),
        3,
        5,
        |_| true,
        |values, honest, found| {
            assert_eq!(found, [honest.to_vec()], "{values:?}");
            let checked = check(&counts, &profile(2, true), honest).unwrap();
            ordered += usize::from(!checked.orders.is_empty());
        },
    );
    assert!(ordered > 0, "hidden cells are ordered");
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Counts within counts in a two-way table: no other decision passes, so that a hospital can neither show a cell
/// that the rule hides nor hide one that it shows.
#[test]
fn nested_counts_in_a_table_have_one_decision() {
    let (outer, both) = (counts(&[COUNT], &[2, 2]), counts(&[COUNT, KNOWN], &[2, 2]));
    let mut seed = 7;
    for round in 0..400 {
        let k = 2 + round % 3;
        let profile = profile(k, true);
        let mut values: Vec<u64> = (0..4).map(|_| next(&mut seed) % (4 * k)).collect();
        let known: Vec<u64> = values
            .iter()
            .map(|v| v - next(&mut seed) % (v + 1).min(2 * k))
            .collect();
        values.extend(known);
        let choices = |value: u64| {
            let mut all = vec![
                shown(value),
                State::Small,
                State::Difference,
                State::Guarded,
            ];
            all.extend((0..4).map(State::Margin));
            all
        };
        let decisions = |values: &[u64]| {
            values
                .iter()
                .fold(vec![Vec::new()], |all: Vec<Vec<State>>, value| {
                    let longer = |s: &Vec<State>| {
                        choices(*value)
                            .into_iter()
                            .map(|c| [s.as_slice(), &[c]].concat())
                            .collect::<Vec<_>>()
                    };
                    all.iter().flat_map(longer).collect()
                })
        };
        let mut found = Vec::new();
        for first in decisions(&values[..4]) {
            if !passes(&outer, &profile, &first, &values[..4]) {
                continue;
            }
            for second in decisions(&values[4..]) {
                let states = [first.as_slice(), &second].concat();
                if passes(&both, &profile, &states, &values) {
                    found.push(states);
                }
            }
        }
        assert_eq!(
            found,
            [decide(&both, &profile, &values)],
            "k = {k}, {values:?}"
        );
    }
}

/// A hidden count is never told by the state in which it is hidden, but by one that is all that is left.
#[test]
fn no_state_stands_for_a_single_count() {
    for k in 2..6 {
        let counts = counts(&[COUNT, KNOWN], &[1]);
        let profile = profile(k, true);
        for whole in 0..4 * k {
            for value in 0..=whole {
                let states = decide(&counts, &profile, &[whole, value]);
                let bounds = check(&counts, &profile, &states).unwrap().bounds;
                let hidden = states[1].shown().is_none() && states[0].shown().is_some();
                let possible = bounds[1].1 - bounds[1].0 + 1;
                assert!(
                    !hidden || possible >= k - 1,
                    "k = {k}: {value} of {whole}: {bounds:?}"
                );
            }
        }
    }
}

/// The rule for one row of groups, read word by word.
fn plainly(profile: &ReleaseProfile, values: &[u64]) -> Vec<Option<u64>> {
    let round = |v: u64| {
        let (below, base) = (v / profile.rounding * profile.rounding, profile.rounding);
        match 2 * (v - below) {
            d if d < base => below,
            d if d > base => below + base,
            _ => match profile.ties {
                Ties::Up => below + base,
                Ties::Down => below,
                Ties::Even => {
                    below
                        + if (below / base).is_multiple_of(2) {
                            0
                        } else {
                            base
                        }
                }
            },
        }
    };
    let mut cells: Vec<Option<u64>> = values
        .iter()
        .map(|v| {
            let small = *v < profile.k && !(*v == 0 && profile.zero_releasable);
            (!small).then(|| round(*v))
        })
        .collect();
    if profile.complementary && cells.iter().filter(|c| c.is_none()).count() == 1 {
        let smallest = cells.iter().flatten().filter(|n| **n > 0).min().copied();
        if let Some(at) = cells.iter().position(|c| c.is_some() && *c == smallest) {
            cells[at] = None;
        }
    }
    cells
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0u64), 1u64..11, 11u64..14, 10u64..200]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn a_row_of_groups_is_published_as_one_reads_it(
        mut values in proptest::collection::vec(value(), 2..30),
        kind in 0u8..4,
        k in 6u64..15,
        zero_releasable in any::<bool>(),
        rounding in prop_oneof![Just(1u64), Just(5), Just(10)],
        ties in prop_oneof![Just(Ties::Up), Just(Ties::Down), Just(Ties::Even)],
        complementary in any::<bool>(),
    ) {
        match kind {
            0 => values.fill(0),
            1 => values.iter_mut().for_each(|v| *v %= k),
            2 => {
                values.iter_mut().for_each(|v| *v += k);
                values[0] = 1;
            }
            _ => {}
        }
        let profile = ReleaseProfile { name: "test".into(), k, zero_releasable, rounding, ties, complementary };
        prop_assert_eq!(profile.problem(), None);
        let counts = counts(&[COUNT], &[values.len() as u64]);
        let states = decide(&counts, &profile, &values);
        let plain = plainly(&profile, &values).into_iter().map(|n| n.map(i128::from));
        prop_assert!(states.iter().map(|s| s.shown()).eq(plain));
        prop_assert!(passes(&counts, &profile, &states, &values));
    }

    #[test]
    fn any_table_passes_its_own_check(
        rows in 1u64..5,
        columns in 1u64..5,
        values in proptest::collection::vec(value(), 75),
        rounding in prop_oneof![Just(1u64), Just(5), Just(10)],
        complementary in any::<bool>(),
    ) {
        let profile = ReleaseProfile { rounding, ..profile(11, complementary) };
        let counts = counts(&[COUNT, KNOWN, TRUES], &[rows, columns]);
        let mut values = values[..counts.len()].to_vec();
        let groups = counts.groups;
        for cell in groups..values.len() {
            values[cell] = values[cell].min(values[cell - groups]);
        }
        let states = decide(&counts, &profile, &values);
        prop_assert!(passes(&counts, &profile, &states, &values), "{states:?}");
        // No line is left with exactly one hidden cell that another query's total would give away.
        if complementary {
            for field in 0..counts.fields.len() {
                for line in &counts.lines {
                    let cells: Vec<State> = line.iter().map(|g| states[field * groups + g]).collect();
                    let hidden = cells.iter().filter(|s| s.shown().is_none()).count();
                    // Hiding 0, or all of what contains it, would hide nothing.
                    let pickable = |g: &usize| {
                        let own = states[field * groups + g].shown();
                        let whole = field.checked_sub(1).map(|f| states[f * groups + g].shown());
                        own.is_some_and(|n| n > 0) && (whole != Some(own) || rounding > 1)
                    };
                    let left = line.iter().any(pickable);
                    prop_assert!(hidden != 1 || !left || counts.lines.len() > 1);
                }
            }
        }
    }
}

/// A count may be published as more than there are patients where it is rounded up to that.
#[test]
fn more_than_all_patients_are_told_from_what_is_not_rounded() {
    let refused = |profile: &ReleaseProfile, n: i128| {
        let counts = Counts::new(&[COUNT], &[Vec::new()], 103);
        let broken = check(&counts, profile, &[State::Shown(n)]).err();
        broken.map(|b| b.why)
    };
    let rounded = ReleaseProfile::named("opensafely").unwrap();
    let more = |n: u64| Some(format!("{n} is more than the dataset's 103 patients"));
    assert_eq!(refused(&rounded, 105), None);
    assert_eq!(refused(&rounded, 110), more(110));
    let why = "104 is no multiple of 5, which counts are rounded to";
    assert_eq!(refused(&rounded, 104), Some(why.to_owned()));
    let exact = profile(11, true);
    assert_eq!(refused(&exact, 103), None);
    assert_eq!(refused(&exact, 104), more(104));
    assert_eq!(refused(&exact, 1_000), more(1_000));
    assert_eq!(
        refused(&exact, -1),
        Some("-1 is below 0, and no count".to_owned())
    );
}
