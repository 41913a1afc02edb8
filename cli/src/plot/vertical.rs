//! Bars that stand, their categories from left to right.

use plotters::style::WHITE;

use super::{
    bar::Bar,
    bars::Bars,
    canvas::{Canvas, Font, Side, WIDTH},
    error::PlotError,
    page::{LABEL, MARGIN, SMALL, soft},
    palette::{GRID, INK, colour},
    scale::Scale,
    text::{Numbers, cut_name, width},
};
/// Heights in px: of the plot, of what bars' texts need above it, of the mark of hidden bars.
const PLOT: f64 = 320.0;
const HEAD: f64 = 16.0;
const MARK: f64 = 10.0;
/// The size of texts at bars, in px.
const NOTE: f64 = 11.0;
/// The longest category label in px.
const LONGEST: f64 = 200.0;
/// The widest group of bars in px.
const GROUP: f64 = 150.0;
/// Bars narrower than this, in px, are drawn without gaps and outlines.
const FINE: f64 = 4.0;
/// The room between neighbouring labels in px, and a label's height.
const GAP: f64 = 10.0;
const TALL: f64 = 15.0;

/// Where everything is, in px from the body's upper left corner.
pub struct Layout<'a> {
    bars: &'a Bars,
    scale: Scale,
    numbers: Numbers,
    left: f64,
    /// The room of a category.
    slot: f64,
    /// The width of a bar.
    bar: f64,
    /// Every how many categories there is a label, and whether it runs upwards.
    every: usize,
    up: bool,
    /// The height below the plot that labels need.
    foot: f64,
    /// Whether bars' values are written above them.
    values: bool,
}

/// Whether standing bars have room for all their labels, and are not too thin.
pub fn fits(bars: &Bars) -> bool {
    let layout = Layout::new(bars);
    let full = bars.categories.iter();
    let cut = full.clone().any(|label| width(label, SMALL) > LONGEST);
    layout.every == 1 && !layout.up && !cut && layout.bar >= 8.0
}

impl<'a> Layout<'a> {
    /// The layout for bars of the right number.
    pub fn new(bars: &'a Bars) -> Self {
        let (scale, numbers) = (bars.scale(), bars.numbers());
        let ticks = scale.ticks();
        let widest = ticks.iter().map(|(_, text)| width(text, SMALL));
        let left = MARGIN + 26.0 + widest.fold(0.0, f64::max) + 6.0;
        let count = bars.categories.len() as f64;
        let slot = (WIDTH - MARGIN - left) / count;
        let group = match bars {
            b if b.series.len() == 1 && (b.histogram || slot < FINE) => slot,
            b if b.histogram => slot * 0.9,
            _ => (slot * 0.76).min(GROUP),
        };
        let bar = group / bars.series.len() as f64;
        let labels = (0..bars.categories.len()).flat_map(|i| bars.label(i, LONGEST, 1));
        let longest = labels.map(|l| width(&l, SMALL)).fold(0.0, f64::max);
        let (every, up) = spacing(longest, slot, bars.categories.len());
        let foot = if up { longest + 12.0 } else { 22.0 };
        let widest = bars.bars().map(|b| width(&b.text(numbers), NOTE));
        let simple = bars.bars().all(|b| !matches!(b, Bar::Interval { .. }));
        let values = simple && widest.fold(0.0, f64::max) <= bar.max(slot * 0.9 * bar / group);
        Self {
            bars,
            scale,
            numbers,
            left,
            slot,
            bar,
            every,
            up,
            foot,
            values,
        }
    }

    /// The body's height in px.
    pub fn height(&self) -> f64 {
        HEAD + PLOT
            + self.foot
            + if self.bars.x_label.is_empty() {
                0.0
            } else {
                22.0
            }
    }

    /// Draws everything below `top`.
    pub fn draw(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        let top = top + HEAD;
        self.axis(canvas, top)?;
        for (index, series) in self.bars.series.iter().enumerate() {
            for (category, bar) in series.bars.iter().enumerate() {
                let left = self.edge(category, index);
                self.one(canvas, top, bar, (left, left + self.bar), index)?;
            }
        }
        let zero = self.y(top, 0.0);
        let ends = [(self.left, zero), (WIDTH - MARGIN, zero)];
        canvas.line(&ends, INK, 1.0)?;
        self.labels(canvas, top + PLOT)
    }

    fn y(&self, top: f64, value: f64) -> f64 {
        top + PLOT * (1.0 - self.scale.at(value))
    }

    /// The left edge of a bar.
    fn edge(&self, category: usize, series: usize) -> f64 {
        let group = self.bar * self.bars.series.len() as f64;
        let start = self.left + self.slot * category as f64 + (self.slot - group) / 2.0;
        start + self.bar * series as f64
    }

    fn axis(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        for (tick, text) in self.scale.ticks() {
            let y = self.y(top, tick);
            let end = WIDTH - MARGIN;
            canvas.line(&[(self.left, y), (end, y)], GRID, 1.0)?;
            let at = (self.left - 6.0, y);
            canvas.text(&text, Side::End, at, Font::plain(SMALL))?;
        }
        let name = cut_name(&self.bars.y_label, LABEL, PLOT + HEAD);
        let font = Font {
            up: true,
            ..soft(LABEL)
        };
        let at = (MARGIN + 8.0, top + PLOT / 2.0);
        canvas.text(&name, Side::Middle, at, font)
    }

    fn one(
        &self,
        canvas: &Canvas,
        top: f64,
        bar: &Bar,
        sides: (f64, f64),
        series: usize,
    ) -> Result<(), PlotError> {
        let (left, right) = sides;
        let zero = self.y(top, 0.0);
        let middle = (left + right) / 2.0;
        let text = bar.text(self.numbers);
        let (Bar::Value(value) | Bar::Interval { value, .. }) = bar else {
            let end = zero - MARK;
            canvas.hidden((left + self.air(), end), (right - self.air(), zero))?;
            return self.note(canvas, &text, (middle, end));
        };
        let end = self.y(top, *value);
        // Bars of less than a few pixels overlap, or the viewer's smoothing shows seams.
        let overlap = if self.is_fine() && self.bars.series.len() == 1 {
            0.5
        } else {
            0.0
        };
        canvas.block((left, zero), (right + overlap, end), colour(series))?;
        if !self.is_fine() {
            canvas.frame((left, zero), (right, end), WHITE, 0.8)?;
        }
        if let Bar::Interval { lower, upper, .. } = bar {
            let ends = (self.y(top, *lower), self.y(top, *upper));
            self.whisker(canvas, middle, ends)?;
        }
        if self.values {
            let y = if *value < 0.0 { end + 8.0 } else { end - 8.0 };
            let font = Font::plain(NOTE);
            canvas.text(&text, Side::Middle, (middle, y), font)?;
        }
        Ok(())
    }

    fn is_fine(&self) -> bool {
        self.bar < FINE
    }

    /// What a mark of a hidden bar leaves free on both sides.
    fn air(&self) -> f64 {
        if self.bar >= 8.0 { 1.0 } else { 0.0 }
    }

    fn whisker(&self, canvas: &Canvas, x: f64, ends: (f64, f64)) -> Result<(), PlotError> {
        let cap = (self.bar * 0.2).min(5.0);
        // The light line keeps it visible on dark bars.
        for (colour, width) in [(WHITE, 3.2), (INK, 1.2)] {
            canvas.line(&[(x, ends.0), (x, ends.1)], colour, width)?;
            for y in [ends.0, ends.1] {
                canvas.line(&[(x - cap, y), (x + cap, y)], colour, width)?;
            }
        }
        Ok(())
    }

    /// The text above a hidden bar, where there is room for it; the legend has it in any case.
    fn note(&self, canvas: &Canvas, text: &str, end: (f64, f64)) -> Result<(), PlotError> {
        let font = Font::plain(NOTE);
        if width(text, NOTE) <= self.bar - 1.0 {
            return canvas.text(text, Side::Middle, (end.0, end.1 - 8.0), font);
        }
        if self.bar >= 10.0 {
            let font = Font { up: true, ..font };
            return canvas.text(text, Side::Start, (end.0, end.1 - 4.0), font);
        }
        Ok(())
    }

    fn labels(&self, canvas: &Canvas, bottom: f64) -> Result<(), PlotError> {
        let font = Font {
            up: self.up,
            ..Font::plain(SMALL)
        };
        for category in (0..self.bars.categories.len()).step_by(self.every) {
            let x = self.left + self.slot * (category as f64 + 0.5);
            if self.every > 1 {
                canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            }
            let text = self.bars.label(category, LONGEST, 1).concat();
            let (side, y) = if self.up {
                (Side::End, bottom + 7.0)
            } else {
                (Side::Middle, bottom + 13.0)
            };
            canvas.text(&text, side, (x, y), font)?;
        }
        let middle = (self.left + WIDTH - MARGIN) / 2.0;
        let name = cut_name(&self.bars.x_label, LABEL, WIDTH - MARGIN - self.left);
        let at = (middle, bottom + self.foot + 12.0);
        canvas.text(&name, Side::Middle, at, soft(LABEL))
    }
}

/// Every how many categories a label of this width fits, and whether it has to run upwards: only
/// where fewer than eight would fit otherwise.
fn spacing(longest: f64, slot: f64, count: usize) -> (usize, bool) {
    let level = stride((longest + GAP) / slot);
    let up = stride(TALL / slot);
    if level == 1 || (count / level >= 8) || up == level {
        (level, false)
    } else {
        (up, true)
    }
}

/// The next round number of categories.
fn stride(least: f64) -> usize {
    const ROUND: [usize; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
    let fit = ROUND.into_iter().find(|n| *n as f64 >= least);
    fit.unwrap_or(2000)
}
