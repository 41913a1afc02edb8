//! Bars that lie, their categories from top to bottom, each with its number as text.

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
/// The longest category label, and the length of the mark of hidden bars, in px.
const LONGEST: f64 = 280.0;
const MARK: f64 = 26.0;
/// The size of texts at bars, in px.
const NOTE: f64 = 11.0;
/// The height of the categories' name and of the numbers' axis, in px.
const HEAD: f64 = 22.0;
const FOOT: f64 = 24.0;

/// The height of a label's line in px.
const LINE: f64 = 14.0;

/// Where everything is, in px from the body's upper left corner.
pub struct Layout<'a> {
    bars: &'a Bars,
    scale: Scale,
    numbers: Numbers,
    left: f64,
    right: f64,
    /// The height of a category.
    row: f64,
    /// The height of a bar.
    bar: f64,
}

impl<'a> Layout<'a> {
    /// The layout for bars of the right number.
    pub fn new(bars: &'a Bars) -> Self {
        let numbers = bars.numbers();
        let notes = bars.bars().map(|b| width(&b.text(numbers), NOTE));
        let bar = match bars.series.len() * bars.categories.len() {
            n if n <= 12 => 22.0,
            n if n <= 48 => 16.0,
            _ => 13.0,
        };
        let row = bar * bars.series.len() as f64 + bar * 0.5;
        let most = lines(row);
        let labels = (0..bars.categories.len()).flat_map(|i| bars.label(i, LONGEST, most));
        let labels = labels.map(|line| width(&line, SMALL));
        Self {
            bars,
            scale: bars.scale(),
            numbers,
            left: MARGIN + labels.fold(0.0, f64::max) + 10.0,
            right: WIDTH - MARGIN - notes.fold(0.0, f64::max) - 8.0,
            row,
            bar,
        }
    }

    /// The body's height in px.
    pub fn height(&self) -> f64 {
        let name = if self.bars.y_label.is_empty() {
            0.0
        } else {
            20.0
        };
        HEAD + self.plot() + FOOT + name
    }

    fn plot(&self) -> f64 {
        self.row * self.bars.categories.len() as f64
    }

    fn x(&self, value: f64) -> f64 {
        self.left + (self.right - self.left) * self.scale.at(value)
    }

    /// Draws everything below `top`.
    pub fn draw(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        let name = cut_name(&self.bars.x_label, LABEL, WIDTH - 2.0 * MARGIN);
        let at = (MARGIN, top + HEAD / 2.0 - 2.0);
        canvas.text(&name, Side::Start, at, soft(LABEL))?;
        let top = top + HEAD;
        self.axis(canvas, top)?;
        for category in 0..self.bars.categories.len() {
            let row = top + self.row * category as f64;
            self.label(canvas, category, row + self.row / 2.0)?;
            for (index, series) in self.bars.series.iter().enumerate() {
                let start = row + self.bar * (0.25 + index as f64);
                if let Some(bar) = series.bars.get(category) {
                    self.one(canvas, bar, start, index)?;
                }
            }
        }
        let zero = self.x(0.0);
        canvas.line(&[(zero, top), (zero, top + self.plot())], INK, 1.0)
    }

    fn label(&self, canvas: &Canvas, category: usize, middle: f64) -> Result<(), PlotError> {
        let label = self.bars.label(category, LONGEST, lines(self.row));
        let mut y = middle - LINE * (label.len() as f64 - 1.0) / 2.0;
        for line in label {
            let at = (self.left - 10.0, y);
            canvas.text(&line, Side::End, at, Font::plain(SMALL))?;
            y += LINE;
        }
        Ok(())
    }

    fn axis(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        let bottom = top + self.plot();
        let ticks = self.scale.ticks();
        let widest = ticks.iter().map(|(_, text)| width(text, SMALL));
        let room = (self.right - self.left) / ticks.len() as f64;
        // A narrow plot has room for every other number only.
        let every = if widest.fold(0.0, f64::max) + 6.0 > room {
            2
        } else {
            1
        };
        for (tick, text) in ticks.into_iter().step_by(every) {
            let x = self.x(tick);
            canvas.line(&[(x, top), (x, bottom)], GRID, 1.0)?;
            let at = (x, bottom + 12.0);
            canvas.text(&text, Side::Middle, at, Font::plain(SMALL))?;
        }
        let name = cut_name(&self.bars.y_label, LABEL, self.right - self.left);
        let at = ((self.left + self.right) / 2.0, bottom + FOOT + 8.0);
        canvas.text(&name, Side::Middle, at, soft(LABEL))
    }

    fn one(&self, canvas: &Canvas, bar: &Bar, top: f64, series: usize) -> Result<(), PlotError> {
        let (zero, bottom) = (self.x(0.0), top + self.bar);
        let middle = top + self.bar / 2.0;
        let mut end = zero;
        match bar {
            Bar::Hidden(_) => {
                end += MARK;
                canvas.hidden((zero, top + 1.0), (end, bottom - 1.0))?;
            }
            Bar::Value(value) | Bar::Interval { value, .. } => {
                let (a, b) = ((zero, top), (self.x(*value), bottom));
                canvas.block(a, b, colour(series))?;
                canvas.frame(a, b, WHITE, 0.8)?;
                end = end.max(b.0);
            }
        }
        if let Bar::Interval { lower, upper, .. } = bar {
            let ends = (self.x(*lower), self.x(*upper));
            self.whisker(canvas, middle, ends)?;
            end = end.max(ends.1);
        }
        let at = (end + 6.0, middle);
        canvas.text(&bar.text(self.numbers), Side::Start, at, Font::plain(NOTE))
    }

    fn whisker(&self, canvas: &Canvas, y: f64, ends: (f64, f64)) -> Result<(), PlotError> {
        let cap = (self.bar * 0.2).min(5.0);
        // The light line keeps it visible on dark bars.
        for (colour, width) in [(WHITE, 3.2), (INK, 1.2)] {
            canvas.line(&[(ends.0, y), (ends.1, y)], colour, width)?;
            for x in [ends.0, ends.1] {
                canvas.line(&[(x, y - cap), (x, y + cap)], colour, width)?;
            }
        }
        Ok(())
    }
}

/// How many lines a label may have in a row of this height in px.
fn lines(row: f64) -> usize {
    match row {
        r if r >= 3.2 * LINE => 3,
        r if r >= 2.2 * LINE => 2,
        _ => 1,
    }
}
