//! Bars: one or several series over categories, with intervals, or as a histogram.

use std::iter::repeat_n;

use super::{
    bar::{Bar, spoken},
    canvas::Canvas,
    error::PlotError,
    horizontal, page,
    page::{Page, Sample},
    palette,
    scale::Scale,
    text::{Numbers, clean, sentences, wrap},
    vertical,
};

/// How many bars a picture holds: of one series, which may touch, and of several.
const MOST_ALONE: usize = 2000;
const MOST_BARS: usize = 300;
/// How many bars a picture shows one below the other.
const MOST_ROWS: usize = 240;
/// How many different texts of hidden bars the legend lists, and how many bars a description.
const TEXTS: usize = 4;
const TOLD: usize = 60;

/// Bars of one colour.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend; where empty, it has no entry there.
    pub name: String,
    /// One bar for each category, in the categories' order.
    pub bars: Vec<Bar>,
}

/// A bar chart or histogram.
#[derive(Debug, Clone)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// More about it; may be empty.
    pub subtitle: String,
    /// What the categories are.
    pub x_label: String,
    /// What the numbers are.
    pub y_label: String,
    /// The categories' labels.
    pub categories: Vec<String>,
    /// At most 8 series.
    pub series: Vec<Series>,
    /// Whether the categories are ordered and the bars touch. Where several series share a
    /// category, theirs touch one another only.
    pub histogram: bool,
    /// What is proven or derived; may be empty.
    pub footer: String,
}

impl Bars {
    /// The picture.
    ///
    /// # Errors
    ///
    /// If there are no categories or series, if their numbers differ, if they are too many, or
    /// if a number is infinite or not a number.
    pub fn svg(&self) -> Result<String, PlotError> {
        self.check()?;
        let page = Page {
            title: &self.title,
            subtitle: &self.subtitle,
            footer: &self.footer,
            desc: self.desc(),
            legend: self.legend(),
        };
        if self.is_upright() {
            let layout = vertical::Layout::new(self);
            page.draw(layout.height(), |canvas: &Canvas, top| {
                layout.draw(canvas, top)
            })
        } else {
            let layout = horizontal::Layout::new(self);
            page.draw(layout.height(), |canvas: &Canvas, top| {
                layout.draw(canvas, top)
            })
        }
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.categories.is_empty() {
            return Err(PlotError::Empty("categories"));
        }
        if self.series.is_empty() {
            return Err(PlotError::Empty("series"));
        }
        let bars = self.categories.len().saturating_mul(self.series.len());
        at_most("series", self.series.len(), palette::MOST)?;
        let alone = self.series.len() == 1;
        at_most("bars", bars, if alone { MOST_ALONE } else { MOST_BARS })?;
        for series in &self.series {
            if series.bars.len() != self.categories.len() {
                return Err(PlotError::Ragged {
                    series: series.name.clone(),
                    bars: series.bars.len(),
                    categories: self.categories.len(),
                });
            }
            for (bar, category) in series.bars.iter().zip(&self.categories) {
                bar.check(|| format!("{} {category}", series.name))?;
            }
        }
        Ok(())
    }

    /// Whether the bars stand: in histograms, where they are too many for rows, and where every
    /// label fits below its bars.
    fn is_upright(&self) -> bool {
        let bars = self.categories.len() * self.series.len();
        self.histogram || bars > MOST_ROWS || vertical::fits(self)
    }

    /// All bars, series by series.
    pub(super) fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.series.iter().flat_map(|series| &series.bars)
    }

    /// The numbers' axis.
    pub(super) fn scale(&self) -> Scale {
        Scale::covering(self.bars().flat_map(Bar::numbers))
    }

    /// How the numbers are written; the ends of intervals have no say in how small they get.
    pub(super) fn numbers(&self) -> Numbers {
        Numbers::of(self.bars().filter_map(Bar::value))
    }

    /// The category's label in lines of this room in px.
    pub(super) fn label(&self, category: usize, room: f64, most: usize) -> Vec<String> {
        let label = self.categories.get(category).map_or("", String::as_str);
        let lines = wrap(label, page::SMALL, room, most);
        if lines.is_empty() {
            vec!["(empty)".to_owned()]
        } else {
            lines
        }
    }

    fn legend(&self) -> Vec<(Sample, String)> {
        let named = self.series.iter().enumerate();
        let mut legend: Vec<_> = named
            .map(|(i, series)| (Sample::Bar(palette::colour(i)), series.name.clone()))
            .collect();
        legend.extend(self.hidden_note().map(|note| (Sample::Hidden, note)));
        legend
    }

    /// What the mark of hidden bars stands for, where there are any.
    fn hidden_note(&self) -> Option<String> {
        let mut texts: Vec<String> = Vec::new();
        let numbers = self.numbers();
        for bar in self.bars().filter(|b| matches!(b, Bar::Hidden(_))) {
            let text = bar.text(numbers);
            if !texts.contains(&text) {
                texts.push(text);
            }
            if texts.len() > TEXTS {
                break;
            }
        }
        if texts.is_empty() {
            return None;
        }
        if texts.len() > TEXTS {
            texts[TEXTS] = "…".to_owned();
        }
        // A bar that says no more than that it is hidden.
        texts.retain(|text| !text.is_empty() && text != "hidden");
        let list = texts.join(", ");
        Some(format!("hidden: {list}").trim_end_matches(": ").to_owned())
    }

    /// The picture in words: all bars where they are not too many to listen to.
    fn desc(&self) -> String {
        let kind = if self.histogram {
            "Histogram"
        } else {
            "Bar chart"
        };
        let (bars, series) = (self.categories.len(), self.series.len());
        let extent = format!("{bars} categories in {series} series");
        let mut desc = sentences(&[kind, &self.y_label, &self.x_label, &self.subtitle, &extent]);
        let numbers = self.numbers();
        if self.bars().count() <= TOLD {
            for series in &self.series {
                let names = repeat_n(&series.name, self.categories.len());
                for ((name, category), bar) in names.zip(&self.categories).zip(&series.bars) {
                    desc += &format!(
                        " {}: {}.",
                        clean(&format!("{name} {category}")),
                        spoken(bar, numbers)
                    );
                }
            }
        }
        desc
    }
}

/// Refuses more than a picture holds.
pub(super) fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), PlotError> {
    if count > most {
        return Err(PlotError::TooMany { what, count, most });
    }
    Ok(())
}
