//! Attrition: who is left after each criterion, from top to bottom.

use plotters::style::RGBColor;

use super::{
    bar::{Bar, spoken},
    bars::at_most,
    canvas::{Canvas, Font, Side, WIDTH},
    error::PlotError,
    page::{LABEL, MARGIN, Page},
    palette::{INK, SOFT},
    text::{Numbers, cut, sentences, width, wrap},
};

/// Widths in px: of a step's box, of the box of those excluded, of the gap between.
const BOX: f64 = 430.0;
const SIDE: f64 = 220.0;
/// Heights in px: of the gap between steps, of a line, of the border within a box.
const GAP: f64 = 54.0;
const LINE: f64 = 18.0;
const PAD: f64 = 9.0;
const MOST_STEPS: usize = 100;
const MOST_LINES: usize = 3;

/// An attrition flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What it shows.
    pub title: String,
    /// More about it; may be empty.
    pub subtitle: String,
    /// Each criterion, and how many meet it and all before it.
    pub steps: Vec<(String, Bar)>,
    /// What is proven or derived; may be empty.
    pub footer: String,
}

/// A step's box: its criterion in lines and where it begins, in px from the first one.
struct Step<'a> {
    lines: Vec<String>,
    count: &'a Bar,
    top: f64,
}

impl Step<'_> {
    fn height(&self) -> f64 {
        2.0 * PAD + LINE * (self.lines.len() as f64 + 1.0)
    }
}

impl Flow {
    /// The picture.
    ///
    /// # Errors
    ///
    /// If there are no steps or too many, if a count is negative, infinite or not a number, or
    /// if a step counts more than the one before it.
    pub fn svg(&self) -> Result<String, PlotError> {
        self.check()?;
        let page = Page {
            title: &self.title,
            subtitle: &self.subtitle,
            footer: &self.footer,
            desc: self.desc(),
            legend: Vec::new(),
        };
        let (steps, numbers) = (self.layout(), self.numbers());
        let height = steps.last().map_or(0.0, |s| s.top + s.height()) + 6.0;
        page.draw(height, |canvas, top| {
            for step in &steps {
                step.draw(canvas, top, numbers)?;
            }
            for pair in steps.windows(2) {
                let text = excluded(pair[0].count, pair[1].count, numbers);
                between(canvas, top, (&pair[0], &pair[1]), text)?;
            }
            Ok(())
        })
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.steps.is_empty() {
            return Err(PlotError::Empty("steps"));
        }
        at_most("steps", self.steps.len(), MOST_STEPS)?;
        let mut least = f64::INFINITY;
        for (criterion, count) in &self.steps {
            count.check(|| criterion.clone())?;
            if let Some(value) = count.numbers().into_iter().find(|v| *v < 0.0) {
                let place = criterion.clone();
                return Err(PlotError::Value { place, value });
            }
            // Estimates may cross; exact counts of fewer and fewer cannot.
            if let Bar::Value(value) = count {
                if *value > least {
                    return Err(PlotError::Growth(criterion.clone()));
                }
                least = *value;
            }
        }
        Ok(())
    }

    fn layout(&self) -> Vec<Step<'_>> {
        let mut top = 0.0;
        let mut steps = Vec::new();
        for (criterion, count) in &self.steps {
            let mut lines = wrap(criterion, LABEL, BOX - 2.0 * PAD - 10.0, MOST_LINES);
            if lines.is_empty() {
                lines.push("(empty)".to_owned());
            }
            let step = Step { lines, count, top };
            top += step.height() + GAP;
            steps.push(step);
        }
        steps
    }

    fn numbers(&self) -> Numbers {
        Numbers::of(self.steps.iter().filter_map(|step| step.1.value()))
    }

    fn desc(&self) -> String {
        let mut desc = sentences(&["Attrition flow", &self.subtitle]);
        let numbers = self.numbers();
        for (criterion, count) in &self.steps {
            desc += &format!(" {criterion}: {}.", spoken(count, numbers));
        }
        desc
    }
}

impl Step<'_> {
    fn draw(&self, canvas: &Canvas, top: f64, numbers: Numbers) -> Result<(), PlotError> {
        let top = top + self.top;
        let bottom = top + self.height();
        canvas.frame((MARGIN, top), (MARGIN + BOX, bottom), INK, 1.2)?;
        let middle = MARGIN + BOX / 2.0;
        let mut y = top + PAD + LINE / 2.0;
        for line in &self.lines {
            canvas.text(line, Side::Middle, (middle, y), Font::plain(LABEL))?;
            y += LINE;
        }
        let (text, colour) = match self.count {
            Bar::Hidden(_) => {
                let text = format!("n hidden: {}", self.count.text(numbers));
                let text = text.trim_end_matches(": ").to_owned();
                let right = middle - width(&text, LABEL * 1.06) / 2.0 - 8.0;
                canvas.hidden((right - 26.0, y - 6.0), (right, y + 6.0))?;
                (text, SOFT)
            }
            shown => (format!("n = {}", shown.text(numbers)), INK),
        };
        let font = Font {
            bold: true,
            colour,
            ..Font::plain(LABEL)
        };
        canvas.text(&text, Side::Middle, (middle, y), font)
    }
}

/// The arrow from a step to the next, and who is lost on the way.
fn between(
    canvas: &Canvas,
    top: f64,
    (from, to): (&Step, &Step),
    (text, colour): (String, RGBColor),
) -> Result<(), PlotError> {
    let middle = MARGIN + BOX / 2.0;
    let (start, end) = (top + from.top + from.height(), top + to.top);
    canvas.line(&[(middle, start), (middle, end - 6.0)], INK, 1.2)?;
    let head = [
        (middle, end),
        (middle - 4.5, end - 9.0),
        (middle + 4.5, end - 9.0),
    ];
    canvas.area(&head, INK, 1.0)?;

    let right = WIDTH - MARGIN;
    let left = right - SIDE;
    let y = (start + end) / 2.0 - 3.0;
    canvas.line(&[(middle, y), (left - 6.0, y)], INK, 1.2)?;
    let head = [(left, y), (left - 9.0, y - 4.5), (left - 9.0, y + 4.5)];
    canvas.area(&head, INK, 1.0)?;
    canvas.frame((left, y - 14.0), (right, y + 14.0), colour, 1.2)?;
    let text = cut(&text, LABEL, SIDE - 2.0 * PAD);
    let font = Font {
        colour,
        ..Font::plain(LABEL)
    };
    canvas.text(&text, Side::Middle, ((left + right) / 2.0, y), font)
}

/// How many a step loses, where both counts are shown, and the colour of it.
fn excluded(from: &Bar, to: &Bar, numbers: Numbers) -> (String, RGBColor) {
    let (Some(before), Some(after)) = (from.value(), to.value()) else {
        return ("excluded: hidden".to_owned(), SOFT);
    };
    let lost = before - after;
    let exact = matches!((from, to), (Bar::Value(_), Bar::Value(_)));
    let text = match lost {
        _ if exact => format!("excluded: {}", numbers.one(lost)),
        // Estimates may cross.
        _ if lost < 0.0 => "excluded: unknown".to_owned(),
        _ => format!("excluded: about {}", numbers.one(lost)),
    };
    (text, INK)
}
