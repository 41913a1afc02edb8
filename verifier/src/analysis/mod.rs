//! Statistics derived from an answer's released cells (`docs/spec/analyses.md`): a researcher registers them
//! with the query, and everybody computes them from the proven cells alone.

mod attrition;
mod means;
mod rates;
mod survival;
mod table;
#[cfg(test)]
mod tests;
pub mod titles;
mod unknown;
mod view;

use std::fmt;

use galen_query::{analysis::Analysis, query::CohortQuery, registry::Registry};
use galen_statistics::{Estimate, Test};
use serde::Serialize;

pub(crate) use attrition::attrition;
pub(crate) use view::View;

/// A derived result: tables, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Derived {
    /// The analysis as it was registered.
    pub analysis: String,
    /// How the numbers were computed, for people.
    pub method: &'static str,
    /// The results; empty where there are none.
    pub tables: Vec<Table>,
    /// Why something is missing: a hidden cell, or counts that define no such number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A table of derived numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

/// One entry of a derived table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A statistic's or a row's name.
    Text(String),
    /// A group's value; none where it is missing.
    Key(Option<String>),
    /// A count.
    Count(u64),
    /// A computed number, in binary64.
    Number(f64),
    /// Not defined, or not to be had from what is released.
    Missing,
}

/// The smallest p that is told: binary64 holds few smaller ones.
const LEAST_P: f64 = 1e-300;

/// A p-value. One that is too small to be told is not 0.
fn probability(p: f64) -> Value {
    match p < LEAST_P {
        true => "<1e-300".into(),
        false => p.into(),
    }
}

impl Table {
    fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: Vec::new(),
        }
    }
}

/// A number with the fewest digits that read back as it; nothing where it is missing.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.pad(text),
            Value::Key(key) => f.pad(&view::named(key.as_deref())),
            Value::Count(n) => f.pad(&n.to_string()),
            Value::Number(n) => f.pad(&n.to_string()),
            Value::Missing => f.pad(""),
        }
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Value::Number(n)
    }
}

impl From<Option<f64>> for Value {
    fn from(n: Option<f64>) -> Self {
        n.map_or(Value::Missing, Value::Number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

/// Estimate and interval as three values.
fn interval(estimate: Option<Estimate>) -> [Value; 3] {
    match estimate {
        None => [Value::Missing, Value::Missing, Value::Missing],
        Some(e) => [e.value.into(), e.lower.into(), e.upper.into()],
    }
}

/// Statistic, degrees of freedom and p as three values.
fn test(test: Option<Test>) -> [Value; 3] {
    match test {
        None => [Value::Missing, Value::Missing, Value::Missing],
        Some(t) => [t.statistic.into(), t.degrees.into(), probability(t.p)],
    }
}

/// Computes every analysis of an answer.
pub(crate) fn derive(
    analyses: &[Analysis],
    query: &CohortQuery,
    registry: &Registry,
    view: &View<'_>,
) -> Vec<Derived> {
    let one = |a| one(a, query, registry, view);
    analyses.iter().map(one).collect()
}

fn one(analysis: &Analysis, query: &CohortQuery, registry: &Registry, view: &View<'_>) -> Derived {
    let (method, computed) = match analysis {
        Analysis::TwoByTwo(spec) => (table::TWO_BY_TWO, table::two_by_two(spec, view)),
        Analysis::Contingency(spec) => (table::CONTINGENCY, table::contingency(spec, view)),
        Analysis::Means(spec) => (means::MEANS, means::means(spec, view)),
        Analysis::Welch(spec) => (means::WELCH, means::welch(spec, view)),
        Analysis::Proportions(spec) => (means::PROPORTIONS, means::proportions(spec, view)),
        Analysis::Survival(spec) => (
            survival::method(spec, query),
            survival::survival(spec, query, registry, view),
        ),
        Analysis::Rates(spec) => (rates::RATES, rates::rates(spec, view)),
        Analysis::Standardised(spec) => (rates::STANDARDISED, rates::standardised(spec, view)),
    };
    let (tables, mut notes) = computed.unwrap_or_else(|note| (Vec::new(), vec![note]));
    let defined = |v: &Value| !matches!(v, Value::Missing);
    if !tables
        .iter()
        .flat_map(|t| t.rows.iter().flatten())
        .all(defined)
        && notes.iter().all(|n| n.starts_with(view::LEFT_OUT))
    {
        notes.push(
            "Numbers that the counts do not define (a zero cell, nobody at risk) are left out."
                .into(),
        );
    }
    if let Some((cases, total)) = analysis.cases() {
        notes.extend(unknown::notes(query, registry, cases, total));
    }
    if view.count_error > 0 {
        notes.push(format!(
            "Computed from rounded counts, each off by up to {}, as if they were exact.",
            view.count_error
        ));
    }
    Derived {
        analysis: analysis.to_string(),
        method,
        tables,
        notes,
    }
}

/// Tables and notes, or why there are none.
type Computed = Result<(Vec<Table>, Vec<String>), String>;
