//! Survival curves: steps from 1 downwards, each with its interval as a light band.

use super::{
    bars::at_most,
    canvas::{Canvas, Font, Point, Side, WIDTH},
    error::PlotError,
    page::{LABEL, MARGIN, Page, SMALL, Sample, soft},
    palette::{self, GRID, INK, colour, dash},
    scale::Scale,
    text::{Numbers, clean, cut, sentences},
};

/// Heights in px: of the plot, of what is above it and of its axis.
const PLOT: f64 = 360.0;
const HEAD: f64 = 10.0;
const FOOT: f64 = 24.0;
/// The plot's left edge in px.
const LEFT: f64 = MARGIN + 56.0;
/// How far a share may be off for its rounding.
const ROUNDING: f64 = 1e-9;
/// Later times cannot be told apart.
const LATEST: f64 = 1e100;
const MOST_POINTS: usize = 20_000;

/// One curve.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Its name in the legend; where empty, it has no entry there.
    pub name: String,
    /// Time, survival from then on, and where its interval begins and ends, in time's order.
    /// Interval ends beyond 0 and 1 are drawn at 0 and 1.
    pub points: Vec<(f64, f64, f64, f64)>,
}

/// Survival curves, all from 1 at time 0 to their last point.
#[derive(Debug, Clone)]
pub struct Survival {
    /// What it shows.
    pub title: String,
    /// More about it; may be empty.
    pub subtitle: String,
    /// What time is counted in and from.
    pub x_label: String,
    /// Whose survival of what.
    pub y_label: String,
    /// At most 8 curves.
    pub curves: Vec<Curve>,
    /// What is proven or derived; may be empty.
    pub footer: String,
}

impl Curve {
    fn check(&self) -> Result<(), PlotError> {
        if self.points.is_empty() {
            return Err(PlotError::Empty("points in a curve"));
        }
        let (mut last, mut share) = (0.0, 1.0);
        for &(time, survival, lower, upper) in &self.points {
            let bad = |value| PlotError::Value {
                place: self.name.clone(),
                value,
            };
            let odd = [time, survival, lower, upper];
            if let Some(value) = odd.into_iter().find(|v| !v.is_finite()) {
                return Err(bad(value));
            }
            if !(0.0..=LATEST).contains(&time) {
                return Err(bad(time));
            }
            if !(-ROUNDING..=1.0 + ROUNDING).contains(&survival) {
                return Err(bad(survival));
            }
            if lower > upper {
                return Err(PlotError::Interval {
                    place: self.name.clone(),
                    lower,
                    upper,
                });
            }
            if time < last || survival > share + ROUNDING {
                return Err(PlotError::Course {
                    curve: self.name.clone(),
                    time,
                });
            }
            (last, share) = (time, survival);
        }
        Ok(())
    }

    /// The steps of one of the numbers at each point, from 1 at time 0.
    fn steps(&self, pick: impl Fn(&(f64, f64, f64, f64)) -> f64) -> Vec<Point> {
        let mut share = 1.0;
        let mut steps = vec![(0.0, share)];
        for point in &self.points {
            let next = pick(point).clamp(0.0, 1.0);
            steps.push((point.0, share));
            steps.push((point.0, next));
            share = next;
        }
        steps.dedup();
        steps
    }
}

impl Survival {
    /// The picture.
    ///
    /// # Errors
    ///
    /// If there are no curves or a curve has no points, if they are too many, if a number is
    /// infinite, not a number or no share, or if a curve goes back in time or rises.
    pub fn svg(&self) -> Result<String, PlotError> {
        if self.curves.is_empty() {
            return Err(PlotError::Empty("curves"));
        }
        at_most("curves", self.curves.len(), palette::MOST)?;
        let points = self.curves.iter().map(|curve| curve.points.len()).sum();
        at_most("points", points, MOST_POINTS)?;
        self.curves.iter().try_for_each(Curve::check)?;
        let legend = self.curves.iter().enumerate().map(|(i, curve)| {
            let sample = Sample::Line(colour(i), dash(i));
            (sample, curve.name.clone())
        });
        let page = Page {
            title: &self.title,
            subtitle: &self.subtitle,
            footer: &self.footer,
            desc: self.desc(),
            legend: legend.collect(),
        };
        let name = if self.x_label.is_empty() { 0.0 } else { 22.0 };
        let height = HEAD + PLOT + FOOT + name;
        page.draw(height, |canvas, top| self.body(canvas, top + HEAD))
    }

    fn body(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let time = Scale::covering(points.map(|point| point.0));
        let place = |(t, share): Point| {
            let x = LEFT + (WIDTH - MARGIN - LEFT) * time.at(t);
            (x, top + PLOT * (1.0 - share))
        };
        self.axes(canvas, top, &time)?;
        for (index, curve) in self.curves.iter().enumerate() {
            let mut band: Vec<Point> = curve.steps(|p| p.2);
            band.extend(curve.steps(|p| p.3).into_iter().rev());
            let band: Vec<Point> = band.into_iter().map(place).collect();
            canvas.area(&band, colour(index), 0.14)?;
        }
        // The curves are above all bands.
        for (index, curve) in self.curves.iter().enumerate() {
            let line = curve.steps(|p| p.1).into_iter().map(place);
            let line: Vec<Point> = line.collect();
            canvas.dashed(&line, dash(index), colour(index), 2.0)?;
        }
        Ok(())
    }

    fn axes(&self, canvas: &Canvas, top: f64, time: &Scale) -> Result<(), PlotError> {
        let (end, bottom) = (WIDTH - MARGIN, top + PLOT);
        let plain = Font::plain(SMALL);
        for (tick, text) in Scale::share().ticks() {
            let y = top + PLOT * (1.0 - tick);
            canvas.line(&[(LEFT, y), (end, y)], GRID, 1.0)?;
            canvas.text(&text, Side::End, (LEFT - 8.0, y), plain)?;
        }
        for (tick, text) in time.ticks() {
            let x = LEFT + (end - LEFT) * time.at(tick);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            canvas.text(&text, Side::Middle, (x, bottom + 14.0), plain)?;
        }
        canvas.line(&[(LEFT, top), (LEFT, bottom), (end, bottom)], INK, 1.0)?;
        let up = Font {
            up: true,
            ..soft(LABEL)
        };
        let name = cut(&self.y_label, LABEL, PLOT);
        canvas.text(&name, Side::Middle, (MARGIN + 8.0, top + PLOT / 2.0), up)?;
        let name = cut(&self.x_label, LABEL, end - LEFT);
        let at = ((LEFT + end) / 2.0, bottom + FOOT + 10.0);
        canvas.text(&name, Side::Middle, at, soft(LABEL))
    }

    /// The picture in words: where each curve ends.
    fn desc(&self) -> String {
        let mut desc = sentences(&["Survival curves", &self.y_label, &self.subtitle]);
        for curve in &self.curves {
            if let Some(&(time, survival, lower, upper)) = curve.points.last() {
                let shares = Numbers::of([survival, lower, upper].into_iter());
                let times = Numbers::of([time].into_iter());
                desc += &format!(
                    " {}: {} at {} {}.",
                    clean(&curve.name),
                    shares.interval(survival, lower, upper),
                    clean(&self.x_label),
                    times.one(time)
                );
            }
        }
        desc
    }
}
