//! Why a picture cannot be drawn.

use plotters::drawing::DrawingAreaErrorKind;

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// There is nothing to draw.
    #[error("nothing to draw: no {0}")]
    Empty(&'static str),
    /// A series has more or fewer bars than there are categories.
    #[error("series {series:?} has {bars} bars for {categories} categories")]
    Ragged {
        /// The series' name.
        series: String,
        /// How many bars it has.
        bars: usize,
        /// How many categories there are.
        categories: usize,
    },
    /// More than a reader could tell apart.
    #[error("{count} {what} are too many for one picture, which holds {most}")]
    TooMany {
        /// Bars, series, curves or steps.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many a picture holds.
        most: usize,
    },
    /// A number that is infinite, not a number, or outside what its place allows.
    #[error("{place}: {value} cannot be drawn")]
    Value {
        /// The label of what it belongs to.
        place: String,
        /// The number.
        value: f64,
    },
    /// An interval whose lower end is above its upper end.
    #[error("{place}: the interval from {lower} to {upper} is upside down")]
    Interval {
        /// The label of what it belongs to.
        place: String,
        /// Its lower end.
        lower: f64,
        /// Its upper end.
        upper: f64,
    },
    /// A survival curve that goes back in time or rises.
    #[error("curve {curve:?} goes back in time or rises at time {time}")]
    Course {
        /// The curve's name.
        curve: String,
        /// Where it does.
        time: f64,
    },
    /// A step of an attrition flow that holds more than the one before it.
    #[error("step {0:?} counts more than the step before it")]
    Growth(String),
    /// The drawing library failed.
    #[error("drawing failed: {0}")]
    Draw(#[from] DrawingAreaErrorKind<std::io::Error>),
}
