//! One column's counts, taken while its cells pass.

use std::collections::BTreeMap;

use galen_query::registry::{Column, ColumnKind, ValueError};
use serde::Serialize;
use time::Date;

use super::cells::Stored;
use super::policy::{Action, Kind, Policy};
use super::spread::{Histogram, Spread};

/// Rows that are named of those with one problem.
pub(crate) const ROWS_NAMED: usize = 5;

/// Different texts that are counted of those with one problem; of the others only how many there are is known.
const TEXTS: usize = 1_000;

/// Texts that are told.
const TEXTS_TOLD: usize = 10;

/// What was found in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ColumnFindings {
    /// Its name.
    pub name: String,
    /// The registry's type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The registry's unit.
    pub unit: Option<String>,
    /// Rows with a value, as the table has them.
    pub known: u64,
    /// Rows with NULL, as the table has them: those that became NULL too.
    pub missing: u64,
    /// What the registry does not take, and what was done.
    pub problems: Vec<Problem>,
    /// The smallest and the largest value in the table, of a number or a date.
    pub range: Option<(String, String)>,
    /// A number's mean over the table.
    pub mean: Option<f64>,
    /// A number's or a date's values by equal steps.
    pub histogram: Option<Histogram>,
    /// A boolean's or a category's values, in the registry's order.
    pub counts: Vec<(String, u64)>,
}

/// Values with one problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The problem.
    pub kind: Kind,
    /// What was done.
    pub action: Action,
    /// How many there are.
    pub count: u64,
    /// The first of them: rows of the SQL's result, from 1.
    pub rows: Vec<u64>,
    /// The most frequent of them, and how often each stands there.
    pub values: Vec<(String, u64)>,
    /// Whether there were so many different ones that those are counted less often than they are there.
    pub values_at_least: bool,
}

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    rows: Vec<u64>,
    texts: Frequent,
}

/// Texts by how often they are there. Beyond [`TEXTS`] different ones, each that is one of a thousand or more is still
/// among them, with a count that is too small (J. Misra, D. Gries, "Finding repeated elements", 1982).
#[derive(Debug, Default)]
struct Frequent {
    counts: BTreeMap<String, u64>,
    is_short: bool,
}

impl Frequent {
    fn note(&mut self, text: String) {
        if self.counts.len() < TEXTS || self.counts.contains_key(&text) {
            *self.counts.entry(text).or_default() += 1;
            return;
        }
        self.is_short = true;
        self.counts.retain(|_, count| {
            *count -= 1;
            *count > 0
        });
    }

    /// The most frequent texts, and of equally frequent ones the first by their letters.
    fn most(&self) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(t, n)| (t.clone(), *n)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all.truncate(TEXTS_TOLD);
        all
    }
}

/// A column's counts so far.
#[derive(Debug)]
pub(super) struct Counts {
    problems: BTreeMap<Kind, Seen>,
    missing: u64,
    spread: Spread,
    by_code: Vec<u64>,
}

impl Counts {
    pub(super) fn new(column: &Column) -> Self {
        let codes = match &column.kind {
            ColumnKind::Boolean => 2,
            ColumnKind::Category { codes } => codes.len(),
            _ => 0,
        };
        Self {
            problems: BTreeMap::new(),
            missing: 0,
            spread: Spread::new(column.span()),
            by_code: vec![0; codes],
        }
    }

    /// Takes in a cell of a row, and gives what stands in the table.
    pub(super) fn note(
        &mut self,
        column: &Column,
        policy: &Policy,
        (row, today): (u64, Date),
        cell: &Stored,
        text: impl Fn() -> String,
    ) -> Option<u64> {
        let judged = match cell {
            Ok(Some(stored)) => Some(*stored),
            Ok(None) if column.nullable => None,
            Ok(None) => {
                self.problem(column, policy, row, Kind::Missing, || "NULL".to_owned());
                None
            }
            Err(error) => {
                let kind = Kind::from(error);
                match self.problem(column, policy, row, kind, &text) {
                    Action::Clamp => Some(bound(column, error)),
                    _ => None,
                }
            }
        };
        // A bound to which a day was moved may be to come, too.
        let kept = judged.filter(|stored| {
            !is_future(column, *stored, today)
                || self.problem(column, policy, row, Kind::FutureDate, &text) != Action::Null
        });
        match kept {
            None => self.missing += 1,
            Some(stored) => {
                self.spread.note(stored);
                let code = usize::try_from(stored).ok();
                if let Some(n) = code.and_then(|c| self.by_code.get_mut(c)) {
                    *n += 1;
                }
            }
        }
        kept
    }

    fn problem(
        &mut self,
        column: &Column,
        policy: &Policy,
        row: u64,
        kind: Kind,
        text: impl FnOnce() -> String,
    ) -> Action {
        let seen = self.problems.entry(kind).or_default();
        seen.count += 1;
        if seen.rows.len() < ROWS_NAMED {
            seen.rows.push(row);
        }
        seen.texts.note(text());
        policy.action(&column.name, column.nullable, kind)
    }

    /// Whether any value is to be rejected.
    pub(super) fn rejects(&self, column: &Column, policy: &Policy) -> bool {
        let mut kinds = self.problems.keys();
        kinds.any(|k| policy.action(&column.name, column.nullable, *k) == Action::Reject)
    }

    /// What was found, once all cells have passed.
    pub(super) fn findings(&self, column: &Column, policy: &Policy) -> ColumnFindings {
        let ordered = matches!(
            column.kind,
            ColumnKind::Number { .. } | ColumnKind::Date { .. }
        );
        let shown = |stored: u64| column.format_stored(stored);
        let range = self.spread.range().filter(|_| ordered);
        let (mean, unit) = match &column.kind {
            ColumnKind::Number {
                min,
                decimals,
                unit,
                ..
            } => (self.spread.mean(*min, *decimals), unit.clone()),
            _ => (None, None),
        };
        let counts = (0..).zip(&self.by_code);
        let problems = self.problems.iter().map(|(&kind, seen)| Problem {
            kind,
            action: policy.action(&column.name, column.nullable, kind),
            count: seen.count,
            rows: seen.rows.clone(),
            values: seen.texts.most(),
            values_at_least: seen.texts.is_short,
        });
        ColumnFindings {
            name: column.name.clone(),
            kind: column.type_name(),
            unit,
            known: self.spread.known(),
            missing: self.missing,
            problems: problems.collect(),
            range: range.map(|(least, most)| (shown(least), shown(most))),
            mean,
            histogram: ordered.then(|| self.spread.histogram(shown)).flatten(),
            counts: counts.map(|(at, n)| (shown(at), *n)).collect(),
        }
    }
}

fn is_future(column: &Column, stored: u64, today: Date) -> bool {
    match &column.kind {
        ColumnKind::Date { min, .. } => {
            i64::try_from(stored).is_ok_and(|days| days > (today - *min).whole_days())
        }
        _ => false,
    }
}

/// The bound that a value is beyond.
fn bound(column: &Column, error: &ValueError) -> u64 {
    match error {
        ValueError::AboveMaximum { .. } => column.span(),
        _ => 0,
    }
}
