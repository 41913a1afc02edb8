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
mod profile;
mod release;

pub use check::{Broken, check};
pub use counts::Counts;
pub use decide::decide;
pub use profile::{MAX_THRESHOLD, ReleaseProfile, Ties};
pub use release::{Published, publish, statements};

/// How a count is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// As this number, rounded where the profile says so.
    Shown(u64),
    /// Hidden: below k.
    Small,
    /// Hidden: the count that contains it is published, and the difference is below k.
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

/// The published count that contains a cell, where differences to it would tell something: not under rounding.
fn container(
    counts: &Counts,
    profile: &ReleaseProfile,
    states: &[State],
    cell: usize,
) -> Container {
    let (field, group) = (counts.fields[cell / counts.groups], cell % counts.groups);
    match counts.outer(field) {
        None => Container::None,
        Some(outer) => match states[outer * counts.groups + group].shown() {
            None => Container::Hidden,
            Some(n) if profile.complementary && profile.rounding == 1 => Container::Exact(n),
            Some(_) => Container::None,
        },
    }
}

/// What is known about the count that contains a cell.
enum Container {
    /// There is none, or nothing follows from it.
    None,
    /// It is hidden, and what it contains goes with it.
    Hidden,
    /// It is published as it is.
    Exact(u64),
}
