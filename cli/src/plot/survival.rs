//! Survival curves: steps from 1 downwards, each with its interval as a light band.

use super::{
    bars::at_most,
    canvas::{Canvas, Font, Point, Side, WIDTH},
    error::PlotError,
    page::{LABEL, MARGIN, Page, SMALL, Sample, soft},
    palette::{self, GRID, INK, colour, dash},
    scale::Scale,
    text::{Numbers, clean, cut, cut_name, fixed, sentences, width},
};

/// Heights in px: of the plot, of what is above it and of its axis.
const PLOT: f64 = 360.0;
const HEAD: f64 = 10.0;
const FOOT: f64 = 24.0;
/// The plot's left edge in px, where names of curves do not need more.
const LEFT: f64 = MARGIN + 56.0;
/// How far a share may be off for its rounding.
const ROUNDING: f64 = 1e-9;
/// Later times cannot be told apart.
const LATEST: f64 = 1e100;
const MOST_POINTS: usize = 20_000;
/// How wide the last step is drawn, in px: what holds at a curve's end has no width of its own.
const END: f64 = 9.0;
/// The height of a row of numbers at risk, and the longest name before it, in px.
const RISK: f64 = 17.0;
const NAME: f64 = 150.0;
/// The room between neighbouring numbers on the time axis, in px.
const GAP: f64 = 14.0;

/// One curve.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Its name in the legend; where empty, it has no entry there.
    pub name: String,
    /// Time, survival from then on, and where its interval begins and ends, in time's order.
    /// Interval ends beyond 0 and 1 are drawn at 0 and 1.
    pub points: Vec<(f64, f64, f64, f64)>,
    /// Of each point how many are at risk there, as its estimate has them, where that is known; may be empty.
    pub at_risk: Vec<Option<u64>>,
}

fn count(number: u64) -> String {
    fixed(number as f64, 0)
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

    /// How many are at risk at a time: those of its point, or of the next one; nobody knows beyond the last.
    fn at_risk(&self, time: f64) -> Option<u64> {
        let mut points = self.points.iter().zip(&self.at_risk);
        points.find(|(point, _)| point.0 >= time)?.1.to_owned()
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
        let height = HEAD + PLOT + FOOT + self.name() + self.risk();
        page.draw(height, |canvas, top| self.body(canvas, top + HEAD))
    }

    /// The height of the time axis' name.
    fn name(&self) -> f64 {
        if self.x_label.is_empty() { 0.0 } else { 22.0 }
    }

    fn has_risk(&self) -> bool {
        let mut numbers = self.curves.iter().flat_map(|curve| &curve.at_risk);
        numbers.any(Option::is_some)
    }

    /// The height of the numbers at risk below everything.
    fn risk(&self) -> f64 {
        match self.has_risk() {
            true => RISK * (self.curves.len() as f64 + 1.0) + 4.0,
            false => 0.0,
        }
    }

    /// The plot's left edge in px: the curves' names have to fit beside it.
    fn left(&self) -> f64 {
        if !self.has_risk() {
            return LEFT;
        }
        let names = self.curves.iter().map(|curve| width(&curve.name, SMALL));
        LEFT.max(MARGIN + names.fold(0.0, f64::max).min(NAME) + 30.0)
    }

    fn body(&self, canvas: &Canvas, top: f64) -> Result<(), PlotError> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let time = Scale::covering(points.map(|point| point.0));
        let left = self.left();
        let x = |t: f64| left + (WIDTH - MARGIN - left) * time.at(t);
        let place = |(t, share): Point| (x(t), top + PLOT * (1.0 - share));
        let course = |curve: &Curve, pick: fn(&(f64, f64, f64, f64)) -> f64| -> Vec<Point> {
            let mut line: Vec<Point> = curve.steps(pick).into_iter().map(place).collect();
            line.extend(line.last().map(|end| (end.0 + END, end.1)));
            line
        };
        let ticks = self.ticks(x);
        self.axes(canvas, top, x, &ticks)?;
        for (index, curve) in self.curves.iter().enumerate() {
            let mut band = course(curve, |p| p.2);
            band.extend(course(curve, |p| p.3).into_iter().rev());
            canvas.area(&band, colour(index), 0.14)?;
        }
        // The curves are above all bands.
        for (index, curve) in self.curves.iter().enumerate() {
            let line = course(curve, |p| p.1);
            canvas.dashed(&line, dash(index), colour(index), 2.0)?;
        }
        if self.has_risk() {
            self.risks(canvas, top + PLOT + FOOT + self.name(), x, &ticks)?;
        }
        Ok(())
    }

    /// The times that the axis names: 0 and those of steps, as many as fit with their numbers below.
    fn ticks(&self, x: impl Fn(f64) -> f64) -> Vec<(f64, String)> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let mut times: Vec<f64> = points.map(|point| point.0).chain([0.0]).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let numbers = Numbers::of(times.iter().copied());
        let room = |time: f64| {
            let risks = self.curves.iter().filter_map(|c| c.at_risk(time));
            let texts = risks.map(count).chain([numbers.one(time)]);
            texts.map(|text| width(&text, SMALL)).fold(0.0, f64::max)
        };
        let mut end = f64::NEG_INFINITY;
        let mut ticks = Vec::new();
        for time in times {
            let half = room(time) / 2.0;
            if x(time) - half >= end + GAP {
                ticks.push((time, numbers.one(time)));
                end = x(time) + half;
            }
        }
        ticks
    }

    /// Below the axis, how many of each curve are at risk at each of its times.
    fn risks(
        &self,
        canvas: &Canvas,
        top: f64,
        x: impl Fn(f64) -> f64,
        ticks: &[(f64, String)],
    ) -> Result<(), PlotError> {
        let mut y = top + RISK / 2.0;
        canvas.text("At risk just before", Side::Start, (MARGIN, y), soft(SMALL))?;
        for (index, curve) in self.curves.iter().enumerate() {
            y += RISK;
            let font = Font {
                colour: colour(index),
                ..Font::plain(SMALL)
            };
            let name = cut(&curve.name, SMALL, NAME);
            canvas.text(&name, Side::Start, (MARGIN, y), font)?;
            for (time, _) in ticks {
                if let Some(number) = curve.at_risk(*time) {
                    canvas.text(&count(number), Side::Middle, (x(*time), y), font)?;
                }
            }
        }
        Ok(())
    }

    fn axes(
        &self,
        canvas: &Canvas,
        top: f64,
        x: impl Fn(f64) -> f64,
        ticks: &[(f64, String)],
    ) -> Result<(), PlotError> {
        let (left, end, bottom) = (self.left(), WIDTH - MARGIN, top + PLOT);
        let plain = Font::plain(SMALL);
        for (tick, text) in Scale::share().ticks() {
            let y = top + PLOT * (1.0 - tick);
            canvas.line(&[(left, y), (end, y)], GRID, 1.0)?;
            canvas.text(&text, Side::End, (left - 8.0, y), plain)?;
        }
        for (tick, text) in ticks {
            let x = x(*tick);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            canvas.text(text, Side::Middle, (x, bottom + 14.0), plain)?;
        }
        canvas.line(&[(left, top), (left, bottom), (end, bottom)], INK, 1.0)?;
        let up = Font {
            up: true,
            ..soft(LABEL)
        };
        let name = cut_name(&self.y_label, LABEL, PLOT);
        canvas.text(&name, Side::Middle, (left - 48.0, top + PLOT / 2.0), up)?;
        let name = cut_name(&self.x_label, LABEL, end - left);
        let at = ((left + end) / 2.0, bottom + FOOT + 10.0);
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
