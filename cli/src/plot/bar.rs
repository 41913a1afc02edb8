//! One bar or count: a number, a number with its interval, or what is hidden.

use super::{
    error::PlotError,
    page::SMALL,
    text::{Numbers, cut},
};

/// Numbers beyond cannot be told apart from those whose differences overflow.
const LARGEST: f64 = 1e100;
/// The longest text of what is hidden, in px.
const LONGEST: f64 = 80.0;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub enum Bar {
    /// A number.
    Value(f64),
    /// A number and the interval around it, drawn as whiskers.
    Interval {
        /// The number.
        value: f64,
        /// Where its interval begins.
        lower: f64,
        /// Where its interval ends.
        upper: f64,
    },
    /// A cell hidden by the release rule, with the text that stands for it, such as `<11`.
    Hidden(String),
}

impl Bar {
    /// The ends of what is drawn: the number, or all three of an interval.
    pub(super) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Value(value) => vec![*value],
            Self::Interval {
                value,
                lower,
                upper,
            } => vec![*value, *lower, *upper],
            Self::Hidden(_) => vec![],
        }
    }

    /// The number, where it is known.
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Self::Value(value) | Self::Interval { value, .. } => Some(*value),
            Self::Hidden(_) => None,
        }
    }

    /// The bar as text.
    pub(super) fn text(&self, numbers: Numbers) -> String {
        match self {
            Self::Value(value) => numbers.one(*value),
            Self::Interval {
                value,
                lower,
                upper,
            } => numbers.interval(*value, *lower, *upper),
            Self::Hidden(text) => cut(text, SMALL, LONGEST),
        }
    }

    /// Refuses what cannot be drawn; `place` is what the error calls the bar.
    pub(super) fn check(&self, place: impl Fn() -> String) -> Result<(), PlotError> {
        let fits = |v: &&f64| v.is_finite() && v.abs() <= LARGEST;
        if let Some(value) = self.numbers().iter().find(|v| !fits(v)) {
            let (place, value) = (place(), *value);
            return Err(PlotError::Value { place, value });
        }
        match self {
            Self::Interval { lower, upper, .. } if lower > upper => Err(PlotError::Interval {
                place: place(),
                lower: *lower,
                upper: *upper,
            }),
            _ => Ok(()),
        }
    }
}

/// A bar as it is read out.
pub fn spoken(bar: &Bar, numbers: Numbers) -> String {
    match bar {
        Bar::Hidden(text) => format!("hidden ({text})"),
        other => other.text(numbers),
    }
}
