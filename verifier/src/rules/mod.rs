//! The release rules: which counts are published, which are hidden and why, and between which bounds a proof
//! must put each of them. Spec: `docs/spec/release-rules.md`.
//!
//! The hospital decides with the true counts ([`decide`]). Everybody else checks, from the published states
//! alone, that the decision is the rule's, given that every count lies within its bounds ([`check`]); that it
//! does is proven of the cells ([`cells`]).

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

mod check;
mod counts;
mod decide;
mod percentile;
mod profile;
mod release;
mod room;
mod statements;
mod whole;

pub use check::{Broken, Checked, Order, check};
pub use counts::Counts;
#[cfg(test)]
pub(crate) use decide::{Tied, rule};
pub use decide::{Undecided, decide};
pub use percentile::is_hidden;
pub use profile::{MAX_THRESHOLD, ReleaseProfile, Ties};
pub use release::{Published, cells, check_profile, publish};

/// How a number is published: a count in any of these ways, a sum as it is or `Guarded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// As this number; a count rounded where the profile says so.
    Shown(i128),
    /// Hidden: below k.
    Small,
    /// Hidden: a count that contains it is published, and the difference is below k.
    Difference,
    /// Hidden: the smallest of this line of groups, where exactly one other is hidden.
    Margin(u32),
    /// Hidden: the answer's counts would tell how many patients there are in this region of the group, and they are few.
    Tied(u32),
    /// Hidden: one of the smallest of its groups, in this turn, which with the number of all patients would tell small counts.
    Whole(u32),
    /// Hidden together with the count that contains it.
    Guarded,
}

const SMALL: &str = "small";
const DIFFERENCE: &str = "difference";
const MARGIN: &str = "margin ";
const TIED: &str = "tied ";
const WHOLE: &str = "whole ";
const GUARDED: &str = "guarded";

/// Integers from here on, and below its negative, lose digits where JSON numbers are read as floats: they are texts.
const EXACT: u64 = 1 << 53;

/// In JSON a number (a text of its digits from 2^53 on), or `small`, `difference`, `margin <line>`, `tied <region>`,
/// `whole <turn>`, `guarded`. Each state has one spelling.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            State::Shown(n) => match i64::try_from(*n) {
                Ok(n) if n.unsigned_abs() < EXACT => s.serialize_i64(n),
                _ => s.collect_str(n),
            },
            State::Small => s.serialize_str(SMALL),
            State::Difference => s.serialize_str(DIFFERENCE),
            State::Margin(line) => s.collect_str(&format_args!("{MARGIN}{line}")),
            State::Tied(region) => s.collect_str(&format_args!("{TIED}{region}")),
            State::Whole(turn) => s.collect_str(&format_args!("{WHOLE}{turn}")),
            State::Guarded => s.serialize_str(GUARDED),
        }
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = State;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "an integer (a text from 2^53 on), small, difference, margin <line>, tied <region>, whole <turn> or guarded",
                )
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<State, E> {
                if n >= EXACT {
                    return Err(E::invalid_value(de::Unexpected::Unsigned(n), &self));
                }
                Ok(State::Shown(i128::from(n)))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<State, E> {
                if n.unsigned_abs() >= EXACT {
                    return Err(E::invalid_value(de::Unexpected::Signed(n), &self));
                }
                Ok(State::Shown(i128::from(n)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<State, E> {
                let number = |l: &str| l.parse().ok().filter(|n: &u32| n.to_string() == l);
                let numbered = |prefix: &str, state: fn(u32) -> State| {
                    text.strip_prefix(prefix).and_then(number).map(state)
                };
                let large =
                    |n: &i128| n.unsigned_abs() >= u128::from(EXACT) && n.to_string() == text;
                match text {
                    SMALL => Ok(State::Small),
                    DIFFERENCE => Ok(State::Difference),
                    GUARDED => Ok(State::Guarded),
                    _ => numbered(MARGIN, State::Margin)
                        .or_else(|| numbered(TIED, State::Tied))
                        .or_else(|| numbered(WHOLE, State::Whole))
                        .or_else(|| text.parse().ok().filter(large).map(State::Shown))
                        .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        d.deserialize_any(Read)
    }
}

impl State {
    /// The published number.
    #[must_use]
    pub fn shown(self) -> Option<i128> {
        match self {
            State::Shown(n) => Some(n),
            _ => None,
        }
    }

    /// The published number of a count; `None` too where it cannot be one.
    fn count(self) -> Option<u64> {
        self.shown().and_then(|n| u64::try_from(n).ok())
    }
}

/// What the published counts that contain a cell tell about it. Differences to them tell nothing under
/// rounding.
fn container(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cell: usize,
) -> Container {
    let exact = |whole, equal_too| match profile.complementary && profile.rounding == 1 {
        true => Container::Exact { whole, equal_too },
        false => Container::None,
    };
    if counts.is_chain {
        let last_visible = states[..cell].iter().rev().find_map(|s| s.count());
        return last_visible.map_or(Container::None, |n| exact(n, false));
    }
    let (field, group) = counts.place(cell);
    let outer = counts.outer(field, group);
    let shown: Option<Vec<u64>> = outer.map(|c| states[c].count()).collect();
    match shown.as_deref() {
        Some([]) => Container::None,
        None => Container::Hidden,
        Some(all) => {
            let (least, most) = all
                .iter()
                .fold((u64::MAX, 0), |(l, m), n| (l.min(*n), m.max(*n)));
            // Of two counts that differ by a small number, equality with the lesser one gives that number away.
            exact(least, (1..profile.k).contains(&(most - least)))
        }
    }
}

/// What is known about the counts that contain a cell.
#[derive(Clone, Copy)]
enum Container {
    /// There is none, or nothing follows from it.
    None,
    /// One is hidden, and what it contains goes with it.
    Hidden,
    /// The smallest is published as it is.
    Exact {
        /// That count.
        whole: u64,
        /// Whether a cell equal to it tells a small number too.
        equal_too: bool,
    },
}

/// Whether hiding a shown cell keeps it secret: 0 and a count that is all of what contains it stay known.
fn can_pick(counts: &Counts, profile: &ReleaseProfile, states: &[State], cell: usize) -> bool {
    let is_whole = |n: u64| match container(counts, profile, states, cell) {
        Container::Exact { whole, .. } => n == whole,
        _ => false,
    };
    states[cell].count().is_some_and(|n| n > 0 && !is_whole(n))
}

impl Container {
    /// Whether every count but 0 and the whole is small or leaves a small rest. One state stands for all of
    /// them then: of two, each would leave few counts or a single one.
    fn hides_all_but_the_ends(self, k: u64) -> bool {
        matches!(self, Container::Exact { whole, .. } if whole < 2 * k - 1)
    }

    /// Between which numbers a count is that could be hidden though it is shown: neither it nor its rest is small.
    fn with_large_rest(self, counts: &Counts, profile: &ReleaseProfile) -> (u64, u64) {
        match self {
            Container::Exact { whole, .. } => (profile.k, whole.saturating_sub(profile.k)),
            _ => (profile.k, counts.rows),
        }
    }

    /// Whether a small number follows from publishing `value`.
    fn betrays(self, value: u64, k: u64) -> bool {
        match self {
            Container::Exact { whole, equal_too } => {
                let rest = whole.saturating_sub(value);
                (1..k).contains(&rest) || (rest == 0 && equal_too)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_spelling() {
        let states = [
            (State::Shown(0), "0"),
            (State::Shown(-7), "-7"),
            (State::Shown((1 << 53) - 1), "9007199254740991"),
            (State::Shown(1 << 53), "\"9007199254740992\""),
            (State::Shown(-(1 << 70)), "\"-1180591620717411303424\""),
            (State::Small, "\"small\""),
            (State::Margin(3), "\"margin 3\""),
            (State::Tied(12), "\"tied 12\""),
            (State::Whole(0), "\"whole 0\""),
        ];
        for (state, text) in states {
            assert_eq!(serde_json::to_string(&state).unwrap(), text);
            assert_eq!(serde_json::from_str::<State>(text).unwrap(), state);
        }
        for bad in [
            "9007199254740992",
            "-9007199254740992",
            "\"9007199254740991\"",
            "\"7\"",
            "\"+9007199254740992\"",
            "\"09007199254740992\"",
            "1.0",
            "1e3",
            "-0",
            "null",
            "\"margin 03\"",
            "\"tied 012\"",
            "\"\"",
        ] {
            assert!(serde_json::from_str::<State>(bad).is_err(), "{bad}");
        }
    }
}
