//! Which analysis of which outputs: one line of text, `kind name=value …`.

use std::{borrow::Cow, fmt};

/// An analysis that a researcher registers with a query. Its fields name outputs by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Analysis {
    /// Odds ratio, risk ratio and difference, χ² and Fisher's exact test.
    TwoByTwo(TwoByTwo),
    /// χ² of a table of any size.
    Contingency(Contingency),
    /// Means with intervals, for each row.
    Means(Means),
    /// Two means and their difference.
    Welch(Welch),
    /// Proportions with intervals, for each row.
    Proportions(Shares),
    /// Kaplan–Meier, median survival, log-rank.
    Survival(Survival),
    /// Crude rates, for each row.
    Rates(Rates),
    /// Directly standardised rates.
    Standardised(Standardised),
}

impl Analysis {
    /// The labels of a count of cases and of the count that they are among, where it has them.
    #[must_use]
    pub fn cases(&self) -> Option<(&str, &str)> {
        match self {
            Analysis::TwoByTwo(TwoByTwo {
                outcome: Outcome::Counts { cases, total },
                ..
            }) => Some((cases, total)),
            Analysis::Proportions(s) => Some((&s.cases, &s.total)),
            Analysis::Survival(s) => Some((&s.events, &s.leaving)),
            Analysis::Rates(s) | Analysis::Standardised(Standardised { rates: s, .. }) => {
                Some((&s.events, &s.time))
            }
            _ => None,
        }
    }
}

/// Exposed and unexposed, with and without the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoByTwo {
    /// The key that tells the two groups apart.
    pub exposure: String,
    /// Its values in the exposed and in the other group.
    pub groups: [String; 2],
    /// Where the outcome stands.
    pub outcome: Outcome,
}

/// Where the outcome of a two-by-two table stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// In a second key.
    Key {
        /// The key.
        outcome: String,
        /// Its values with and without the outcome.
        values: [String; 2],
        /// The count.
        count: String,
    },
    /// In a count of its own.
    Counts {
        /// Those with the outcome.
        cases: String,
        /// All.
        total: String,
    },
}

/// Two keys and a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contingency {
    /// The key of the table's rows.
    pub rows: String,
    /// The key of its columns.
    pub columns: String,
    /// The count.
    pub count: String,
}

/// What makes a sample: mean, spread and number of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// `avg`.
    pub mean: String,
    /// `stddev_samp` or `var_samp`.
    pub spread: String,
    /// Whether `spread` is a variance.
    pub is_variance: bool,
    /// `count` of the same column.
    pub n: String,
}

/// Two samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welch {
    /// The key that tells them apart.
    pub by: String,
    /// Its values; the difference is the first's mean minus the second's.
    pub groups: [String; 2],
    /// What they are made of.
    pub sample: Means,
}

/// Cases among all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// Those with the outcome.
    pub cases: String,
    /// All.
    pub total: String,
}

/// Times in bins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survival {
    /// `width_bucket` of the time column.
    pub time: String,
    /// Count of those whose time ends in the bin.
    pub leaving: String,
    /// Count of those with the event.
    pub events: String,
    /// The key of the groups to compare.
    pub by: Option<String>,
}

/// Events in person-time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Count of events.
    pub events: String,
    /// Sum of the time at risk, or a count of persons.
    pub time: String,
    /// Rates are given per so much of it.
    pub per: u32,
}

/// Rates of strata with weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standardised {
    /// The rates.
    pub rates: Rates,
    /// The key of the strata.
    pub strata: String,
    /// The standard population: (value of the key, persons).
    pub weights: Vec<(String, u64)>,
    /// The key of the groups that get a rate each.
    pub by: Option<String>,
}

/// The canonical text, which reads back as the same analysis.
impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line(f);
        match self {
            Analysis::TwoByTwo(s) => {
                line.kind("two-by-two")?;
                line.field("exposure", &s.exposure)?;
                line.field("exposed", &s.groups[0])?;
                line.field("unexposed", &s.groups[1])?;
                match &s.outcome {
                    Outcome::Key {
                        outcome,
                        values,
                        count,
                    } => {
                        line.field("outcome", outcome)?;
                        line.field("case", &values[0])?;
                        line.field("noncase", &values[1])?;
                        line.field("count", count)
                    }
                    Outcome::Counts { cases, total } => {
                        line.field("cases", cases)?;
                        line.field("total", total)
                    }
                }
            }
            Analysis::Contingency(s) => {
                line.kind("contingency")?;
                line.field("rows", &s.rows)?;
                line.field("columns", &s.columns)?;
                line.field("count", &s.count)
            }
            Analysis::Means(s) => {
                line.kind("means")?;
                line.means(s)
            }
            Analysis::Welch(s) => {
                line.kind("welch")?;
                line.field("by", &s.by)?;
                line.field("first", &s.groups[0])?;
                line.field("second", &s.groups[1])?;
                line.means(&s.sample)
            }
            Analysis::Proportions(s) => {
                line.kind("proportions")?;
                line.field("cases", &s.cases)?;
                line.field("total", &s.total)
            }
            Analysis::Survival(s) => {
                line.kind("survival")?;
                line.field("time", &s.time)?;
                line.field("leaving", &s.leaving)?;
                line.field("events", &s.events)?;
                s.by.iter().try_for_each(|by| line.field("by", by))
            }
            Analysis::Rates(s) => {
                line.kind("rates")?;
                line.rates(s)
            }
            Analysis::Standardised(s) => {
                line.kind("standardised-rates")?;
                line.rates(&s.rates)?;
                line.field("strata", &s.strata)?;
                let pair = |(v, w): &(String, u64)| format!("{}:{w}", member(v));
                let weights: Vec<String> = s.weights.iter().map(pair).collect();
                line.field("weights", &weights.join(","))?;
                s.by.iter().try_for_each(|by| line.field("by", by))
            }
        }
    }
}

/// A value as a member of a list.
fn member(value: &str) -> Cow<'_, str> {
    if value.contains(',') || value.starts_with('"') {
        return Cow::Owned(quoted(value));
    }
    Cow::Borrowed(value)
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

struct Line<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Line<'_, '_> {
    fn kind(&mut self, kind: &str) -> fmt::Result {
        self.0.write_str(kind)
    }

    fn field(&mut self, name: &str, value: &str) -> fmt::Result {
        let plain = |c: char| !c.is_whitespace() && c != '"' && c != '\\';
        if value.chars().all(plain) && !value.is_empty() {
            return write!(self.0, " {name}={value}");
        }
        write!(self.0, " {name}={}", quoted(value))
    }

    fn means(&mut self, s: &Means) -> fmt::Result {
        self.field("mean", &s.mean)?;
        let spread = if s.is_variance { "variance" } else { "sd" };
        self.field(spread, &s.spread)?;
        self.field("n", &s.n)
    }

    fn rates(&mut self, s: &Rates) -> fmt::Result {
        self.field("events", &s.events)?;
        self.field("time", &s.time)?;
        if s.per == 1 {
            return Ok(());
        }
        self.field("per", &s.per.to_string())
    }
}
