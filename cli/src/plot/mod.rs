//! Research results as SVG pictures: bars and histograms, survival curves, attrition flows.
//!
//! Every picture is 800 px wide, on white, as high as it needs to be; the same input gives the
//! same bytes. Text is set by the viewer in its own sans serif, so widths are estimated
//! (generously) and what would not fit is cut with an ellipsis. Labels are data from elsewhere:
//! they are stripped of what XML or a viewer would act on and come out as text.

mod bar;
mod bars;
mod canvas;
mod error;
mod flow;
mod horizontal;
mod page;
mod palette;
mod scale;
mod survival;
#[cfg(test)]
mod tests;
mod text;
mod vertical;

pub use bar::Bar;
pub use bars::{Bars, Series};
pub use error::PlotError;
pub use flow::Flow;
pub use survival::{Curve, Survival};
