//! Release profiles: the rule that a hospital puts on record with its dataset.

use serde::{Deserialize, Serialize};

/// The largest threshold.
pub const MAX_THRESHOLD: u64 = 1 << 32;

/// Which way a value halfway between two multiples goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// To the larger multiple.
    Up,
    /// To the smaller multiple.
    Down,
    /// To the multiple whose quotient is even.
    Even,
}

impl Ties {
    /// As in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ties::Up => "up",
            Ties::Down => "down",
            Ties::Even => "even",
        }
    }
}

/// The release rule that is on record before any query (`docs/spec/release-rules.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseProfile {
    /// Its name, e.g. `cms-11`.
    pub name: String,
    /// k: counts from 1 to k − 1 are suppressed. 1..=2^32.
    pub k: u64,
    /// Whether a count of 0 is released.
    pub zero_releasable: bool,
    /// Counts are published as the nearest multiple of this: 1, 5 or 10.
    pub rounding: u64,
    /// For values halfway between two multiples.
    pub ties: Ties,
    /// Whether further cells are hidden, from which a hidden one could be computed.
    pub complementary: bool,
}

impl Default for ReleaseProfile {
    /// `cms-11`.
    fn default() -> Self {
        Self::exact("cms-11", 11, true)
    }
}

impl ReleaseProfile {
    /// The rule in words, its name first. A hospital chooses its name as it likes: what counts is the rest.
    #[must_use]
    pub fn in_words(&self) -> String {
        let zero = if self.zero_releasable {
            "0 is shown"
        } else {
            "0 is hidden too"
        };
        let mut text = format!("{}: counts below {} are hidden, {zero}", self.name, self.k);
        if self.rounding > 1 {
            let step = format!(", others are rounded to multiples of {}", self.rounding);
            text.push_str(&step);
        }
        if self.complementary {
            text.push_str(match self.rounding {
                1 => "; so are others of the answer that would tell a hidden one",
                _ => "; so is the smallest of groups of which one would be told by their total",
            });
        }
        text
    }

    /// How far from the exact one a published count can be.
    #[must_use]
    pub fn count_error(&self) -> u64 {
        self.rounding / 2
    }

    /// The names that [`ReleaseProfile::named`] knows.
    pub const NAMES: [&'static str; 3] = ["cms-11", "opensafely", "ohdsi-5"];

    /// A profile without rounding.
    #[must_use]
    pub fn exact(name: &str, k: u64, complementary: bool) -> Self {
        Self {
            name: name.into(),
            k,
            zero_releasable: true,
            rounding: 1,
            ties: Ties::Up,
            complementary,
        }
    }

    /// `cms-11`: counts below 11 and what they could be computed from. `opensafely`: counts up to 7 are hidden,
    /// others rounded to 5. `ohdsi-5`: counts below 5 are hidden.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "cms-11" => Some(Self::default()),
            "opensafely" => Some(Self {
                rounding: 5,
                ..Self::exact(name, 8, false)
            }),
            "ohdsi-5" => Some(Self::exact(name, 5, false)),
            _ => None,
        }
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        if !(1..=MAX_THRESHOLD).contains(&self.k) {
            return Some("k is 1 to 2^32");
        }
        if ![1, 5, 10].contains(&self.rounding) {
            return Some("counts are rounded to 1 (not at all), 5 or 10");
        }
        // Otherwise a published 0 could stand for patients.
        if self.k <= self.rounding / 2 {
            return Some("k must be more than half of the rounding base");
        }
        None
    }

    /// Whether a count is suppressed for its own size.
    pub(super) fn is_small(&self, count: u64) -> bool {
        count < self.k && !(count == 0 && self.zero_releasable)
    }

    /// The rounding base, 1, 5 or 10.
    pub(super) fn base(&self) -> i64 {
        i64::try_from(self.rounding).expect("10 at most")
    }

    /// The nearest multiple.
    pub(super) fn round(&self, count: u64) -> u64 {
        let (quotient, rest) = (count / self.rounding, count % self.rounding);
        let up = match (2 * rest).cmp(&self.rounding) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => match self.ties {
                Ties::Up => true,
                Ties::Down => false,
                Ties::Even => quotient % 2 == 1,
            },
        };
        (quotient + u64::from(up)) * self.rounding
    }

    /// The first and last count that are published as the multiple `shown`.
    pub(super) fn preimage(&self, shown: u64) -> (u64, u64) {
        let half = self.rounding / 2;
        let lower = shown.saturating_sub(half + 1);
        let fits = |count: &u64| self.round(*count) == shown;
        let first = (lower..=shown).find(fits).unwrap_or(shown);
        let last = (shown..=shown + half + 1).rev().find(fits);
        (first, last.unwrap_or(shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_profiles_are_sound() {
        for name in ReleaseProfile::NAMES {
            let profile = ReleaseProfile::named(name).unwrap();
            assert_eq!((profile.name.as_str(), profile.problem()), (name, None));
        }
        assert_eq!(ReleaseProfile::named("none"), None);
    }

    #[test]
    fn preimages_partition_the_counts() {
        for rounding in [1, 5, 10] {
            for ties in [Ties::Up, Ties::Down, Ties::Even] {
                let profile = ReleaseProfile {
                    rounding,
                    ties,
                    ..ReleaseProfile::default()
                };
                for count in 0..200 {
                    let shown = profile.round(count);
                    assert!(
                        shown.is_multiple_of(rounding) && shown.abs_diff(count) * 2 <= rounding
                    );
                    let (first, last) = profile.preimage(shown);
                    assert!((first..=last).contains(&count));
                    assert!(first == 0 || profile.round(first - 1) < shown);
                    assert!(profile.round(last + 1) > shown);
                }
            }
        }
        let ten = |ties| ReleaseProfile {
            rounding: 10,
            ties,
            ..ReleaseProfile::default()
        };
        assert_eq!(ten(Ties::Up).preimage(20), (15, 24));
        assert_eq!(ten(Ties::Down).preimage(20), (16, 25));
        assert_eq!(ten(Ties::Even).preimage(20), (15, 25));
        assert_eq!(ten(Ties::Even).preimage(10), (6, 14));
    }
}
