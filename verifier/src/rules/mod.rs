//! The release rules: which counts are published, which are hidden and why, and between which bounds a proof
//! must put each of them. Spec: `docs/spec/release-rules.md`.
//!
//! The hospital decides with the true counts ([`decide`]). Everybody else checks, from the published states
//! alone, that the decision is the rule's, given that every count lies within its bounds ([`check`]); that it
//! does is what the `release` gate proves.

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

pub use check::{Broken, Checked, Order, check};
pub use counts::Counts;
pub use decide::decide;
pub use percentile::{Comparison, is_hidden};
pub use profile::{MAX_THRESHOLD, ReleaseProfile, Ties};
pub use release::{Published, Statements, publish, statements};

/// How a count is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// As this number, rounded where the profile says so.
    Shown(u64),
    /// Hidden: below k.
    Small,
    /// Hidden: a count that contains it is published, and the difference is below k.
    Difference,
    /// Hidden: the smallest of this line of groups, where exactly one other is hidden.
    Margin(u32),
    /// Hidden together with the count that contains it.
    Guarded,
}

const SMALL: &str = "small";
const DIFFERENCE: &str = "difference";
const MARGIN: &str = "margin ";
const GUARDED: &str = "guarded";

/// In JSON a number, or `small`, `difference`, `margin <line>`, `guarded`.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            State::Shown(n) => s.serialize_u64(*n),
            State::Small => s.serialize_str(SMALL),
            State::Difference => s.serialize_str(DIFFERENCE),
            State::Margin(line) => s.collect_str(&format_args!("{MARGIN}{line}")),
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
                f.write_str("a number, small, difference, margin <line> or guarded")
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<State, E> {
                Ok(State::Shown(n))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<State, E> {
                let line = |l: &str| l.parse().ok().filter(|n: &u32| n.to_string() == l);
                match text {
                    SMALL => Ok(State::Small),
                    DIFFERENCE => Ok(State::Difference),
                    GUARDED => Ok(State::Guarded),
                    _ => text
                        .strip_prefix(MARGIN)
                        .and_then(line)
                        .map(State::Margin)
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
    pub fn shown(self) -> Option<u64> {
        match self {
            State::Shown(n) => Some(n),
            _ => None,
        }
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
        let last_visible = states[..cell].iter().rev().find_map(|s| s.shown());
        return last_visible.map_or(Container::None, |n| exact(n, false));
    }
    let (field, group) = counts.place(cell);
    let outer = counts.outer(field, group);
    let shown: Option<Vec<u64>> = outer.map(|c| states[c].shown()).collect();
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
    states[cell].shown().is_some_and(|n| n > 0 && !is_whole(n))
}

impl Container {
    /// Whether every count but 0 and the whole is small or leaves a small rest. One state stands for all of
    /// them then: of two, each would leave few counts or a single one.
    fn hides_all_but_the_ends(self, k: u64) -> bool {
        matches!(self, Container::Exact { whole, .. } if whole < 2 * k - 1)
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
