//! What every picture has around its body: title, subtitle, legend and footer.

use plotters::style::RGBColor;

use super::{
    canvas::{Canvas, Font, Side, WIDTH, picture},
    error::PlotError,
    palette::{GRID, SOFT},
    text::{clean, cut, width, wrap},
};

/// The empty border, in px.
pub const MARGIN: f64 = 24.0;
/// The size of axis and legend text, in px.
pub const SMALL: f64 = 12.0;
/// The size of axis titles, in px.
pub const LABEL: f64 = 13.0;

const TITLE: f64 = 17.0;
const TITLE_LINE: f64 = 22.0;
/// More than any title that people write: only what could be a whole document is cut.
const TITLE_LINES: usize = 12;
const LINE: f64 = 18.0;
const KEY_LINE: f64 = 20.0;
const FOOTER: f64 = 11.0;
const FOOTER_LINE: f64 = 15.0;
/// The room of a legend's sample, and of its text, in px.
const SAMPLE: f64 = 28.0;
const KEY: f64 = 330.0;

/// What a legend's entry looks like.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// A bar.
    Bar(RGBColor),
    /// A curve with its dashes.
    Line(RGBColor, &'static [f64]),
    /// What is hidden.
    Hidden,
}

/// The frame of a picture.
#[derive(Debug)]
pub struct Page<'a> {
    /// What the picture shows.
    pub title: &'a str,
    /// More about it; may be empty.
    pub subtitle: &'a str,
    /// What is proven or derived; may be empty.
    pub footer: &'a str,
    /// The picture in words.
    pub desc: String,
    /// Samples and their names; those without a name are left out.
    pub legend: Vec<(Sample, String)>,
}

impl Page<'_> {
    /// Draws the picture about a body of this height in px; `body` is told where its top is.
    pub fn draw(
        &self,
        height: f64,
        body: impl FnOnce(&Canvas, f64) -> Result<(), PlotError>,
    ) -> Result<String, PlotError> {
        let room = WIDTH - 2.0 * MARGIN;
        let title = wrap(self.title, TITLE * 1.06, room, TITLE_LINES);
        let subtitle = wrap(self.subtitle, LABEL, room, 4);
        // A cut footer could claim more than the whole one.
        let footer = wrap(self.footer, FOOTER, room, usize::MAX);
        let keys = self.keys(room);
        let rows = keys.last().map_or(0.0, |key| key.1 + 1.0);

        let title_top = MARGIN - 4.0;
        let subtitle_top = title_top + TITLE_LINE * title.len() as f64;
        let keys_top = subtitle_top + LINE * subtitle.len() as f64 + 8.0;
        let top = keys_top + KEY_LINE * rows + 8.0;
        let rule = top + height + 14.0;
        let footer_top = rule + 8.0;
        let end = footer_top + FOOTER_LINE * footer.len() as f64 + 10.0;

        let full = if footer.is_empty() { rule } else { end };
        picture(full, &clean(self.title), &clean(&self.desc), |canvas| {
            let bold = Font {
                bold: true,
                ..Font::plain(TITLE)
            };
            lines(canvas, &title, title_top, TITLE_LINE, bold)?;
            lines(canvas, &subtitle, subtitle_top, LINE, soft(LABEL))?;
            for (x, row, sample, name) in &keys {
                key(canvas, *sample, name, (*x, keys_top + KEY_LINE * row))?;
            }
            body(canvas, top)?;
            if !footer.is_empty() {
                canvas.line(&[(MARGIN, rule), (WIDTH - MARGIN, rule)], GRID, 1.0)?;
            }
            lines(canvas, &footer, footer_top, FOOTER_LINE, soft(FOOTER))
        })
    }

    /// The legend's entries: left edge in px, row from 0, sample, name.
    fn keys(&self, room: f64) -> Vec<(f64, f64, Sample, String)> {
        let (mut x, mut row) = (MARGIN, 0.0);
        let mut keys = Vec::new();
        for (sample, name) in &self.legend {
            let name = cut(name, SMALL, KEY);
            if name.is_empty() {
                continue;
            }
            let span = SAMPLE + 6.0 + width(&name, SMALL);
            if x > MARGIN && x + span > MARGIN + room {
                (x, row) = (MARGIN, row + 1.0);
            }
            keys.push((x, row, *sample, name));
            x += span + 16.0;
        }
        keys
    }
}

/// Secondary text of this size.
pub fn soft(size: f64) -> Font {
    Font {
        colour: SOFT,
        ..Font::plain(size)
    }
}

fn lines(
    canvas: &Canvas,
    lines: &[String],
    top: f64,
    step: f64,
    font: Font,
) -> Result<(), PlotError> {
    let mut y = top + step / 2.0;
    for line in lines {
        canvas.text(line, Side::Start, (MARGIN, y), font)?;
        y += step;
    }
    Ok(())
}

fn key(canvas: &Canvas, sample: Sample, name: &str, at: (f64, f64)) -> Result<(), PlotError> {
    let (x, middle) = (at.0, at.1 + KEY_LINE / 2.0);
    let (a, b) = ((x, middle - 6.0), (x + SAMPLE, middle + 6.0));
    match sample {
        Sample::Bar(colour) => canvas.block(a, b, colour)?,
        Sample::Line(colour, dash) => {
            let ends = [(x, middle), (x + SAMPLE, middle)];
            canvas.dashed(&ends, dash, colour, 2.0)?;
        }
        Sample::Hidden => canvas.hidden(a, b)?,
    }
    let start = (x + SAMPLE + 6.0, middle);
    canvas.text(name, Side::Start, start, Font::plain(SMALL))
}
