//! What can be drawn: lines, areas, hatching and text, in px from the upper left corner.

use plotters::{
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{PathElement, Polygon, Rectangle},
    prelude::SVGBackend,
    style::{
        Color, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    error::PlotError,
    palette::{HIDDEN, INK},
    text::escape,
};

/// The picture's width in px.
pub const WIDTH: f64 = 800.0;

/// Units of the SVG per px: plotters draws at whole units, and bars or curves need finer ones.
const SCALE: f64 = 10.0;

/// Fonts the viewer looks for.
const FAMILY: &str = "Arial, Helvetica, sans-serif";

/// The factor by which plotters' SVG backend writes a font smaller than it was asked for.
const FONT: f64 = 1.24;

/// Distance of hatching lines in px.
const HATCH: f64 = 5.0;

/// A point in px.
pub type Point = (f64, f64);

/// Where a text lies about its point; always at its middle height.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// The text begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// A text's size and looks.
#[derive(Debug, Clone, Copy)]
pub struct Font {
    /// In px.
    pub size: f64,
    /// Its colour.
    pub colour: RGBColor,
    /// Whether it is bold.
    pub bold: bool,
    /// Whether it runs upwards.
    pub up: bool,
}

impl Font {
    /// Plain text of this size.
    pub fn plain(size: f64) -> Self {
        Self {
            size,
            colour: INK,
            bold: false,
            up: false,
        }
    }
}

/// A sheet to draw on.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws a picture of this height in px; `title` and `desc` are for those who cannot see it.
pub fn picture(
    height: f64,
    title: &str,
    desc: &str,
    draw: impl FnOnce(&Canvas) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let height = height.ceil();
    let mut svg = String::new();
    {
        let size = (units(WIDTH).unsigned_abs(), units(height).unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        let canvas = Canvas { area };
        draw(&canvas)?;
        canvas.area.present()?;
    }
    // The backend's own root element knows neither px nor a title.
    let body = svg.split_once(">\n").map_or("", |(_, body)| body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" \
         height=\"{height}\" viewBox=\"0 0 {} {}\">\n<title>{}</title>\n<desc>{}</desc>\n{body}",
        units(WIDTH),
        units(height),
        escape(title),
        escape(desc),
    ))
}

/// SVG units for a length in px.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to what fits before"
)]
fn units(px: f64) -> i32 {
    (px * SCALE).round().clamp(-1e8, 1e8) as i32
}

fn at(point: Point) -> (i32, i32) {
    (units(point.0), units(point.1))
}

fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width(units(width).unsigned_abs())
}

impl Canvas<'_> {
    /// A line through the points.
    pub fn line(&self, points: &[Point], colour: RGBColor, width: f64) -> Result<(), PlotError> {
        let points: Vec<_> = points.iter().copied().map(at).collect();
        let path = PathElement::new(points, stroke(colour, width));
        Ok(self.area.draw(&path)?)
    }

    /// A line through the points with drawn and skipped lengths; solid where there are none.
    pub fn dashed(
        &self,
        points: &[Point],
        dash: &[f64],
        colour: RGBColor,
        width: f64,
    ) -> Result<(), PlotError> {
        if dash.is_empty() {
            return self.line(points, colour, width);
        }
        let pieces = pieces(points, dash);
        pieces.iter().try_for_each(|p| self.line(p, colour, width))
    }

    /// A filled area, `alpha` from 0 (nothing) to 1.
    pub fn area(&self, points: &[Point], colour: RGBColor, alpha: f64) -> Result<(), PlotError> {
        let points: Vec<_> = points.iter().copied().map(at).collect();
        let style = colour.mix(alpha).filled();
        Ok(self.area.draw(&Polygon::new(points, style))?)
    }

    /// A filled rectangle between two corners.
    pub fn block(&self, a: Point, b: Point, colour: RGBColor) -> Result<(), PlotError> {
        let corners = [(a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1))];
        let block = Rectangle::new(corners.map(at), colour.filled());
        Ok(self.area.draw(&block)?)
    }

    /// The outline of the rectangle between two corners.
    pub fn frame(&self, a: Point, b: Point, colour: RGBColor, width: f64) -> Result<(), PlotError> {
        let round = [a, (b.0, a.1), b, (a.0, b.1), a];
        self.line(&round, colour, width)
    }

    /// The mark of what is hidden, from its upper left to its lower right corner. The hatching
    /// of neighbours meets; those too narrow for an outline of their own go without.
    pub fn hidden(&self, a: Point, b: Point) -> Result<(), PlotError> {
        self.block(a, b, WHITE)?;
        let (near, far) = (a.0 + a.1, b.0 + b.1);
        let mut sum = (near / HATCH).ceil() * HATCH;
        while sum <= far {
            // The points of the line x + y = sum on the rectangle's border.
            let low = a.0.max(sum - b.1);
            let high = b.0.min(sum - a.1);
            if high > low {
                self.line(&[(low, sum - low), (high, sum - high)], HIDDEN, 0.8)?;
            }
            sum += HATCH;
        }
        if b.0 - a.0 >= 4.0 {
            return self.frame(a, b, HIDDEN, 1.0);
        }
        self.line(&[a, (b.0, a.1)], HIDDEN, 1.0)
    }

    /// A line of text.
    pub fn text(&self, text: &str, side: Side, point: Point, font: Font) -> Result<(), PlotError> {
        let horizontal = match side {
            Side::Start => HPos::Left,
            Side::Middle => HPos::Center,
            Side::End => HPos::Right,
        };
        let weight = if font.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let size = font.size * SCALE * FONT;
        let mut style = TextStyle::from((FontFamily::Name(FAMILY), size, weight))
            .color(&font.colour)
            .pos(Pos::new(horizontal, VPos::Center));
        if font.up {
            style = style.transform(FontTransform::Rotate270);
        }
        Ok(self.area.draw_text(text, &style, at(point))?)
    }
}

/// The drawn pieces of a dashed line.
fn pieces(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    let mut lengths = dash.iter().copied().cycle();
    let mut left = lengths.next().unwrap_or(f64::INFINITY);
    let mut drawn = true;
    let mut done = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut span = (to.0 - from.0).hypot(to.1 - from.1);
        while span > left {
            let part = left / span;
            from = (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            );
            span -= left;
            if drawn {
                piece.push(from);
                done.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            drawn = !drawn;
            left = lengths.next().unwrap_or(f64::INFINITY);
        }
        left -= span;
        if drawn {
            piece.push(to);
        }
    }
    if drawn && piece.len() > 1 {
        done.push(piece);
    }
    done
}
