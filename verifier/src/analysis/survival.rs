//! Survival from counts by bins of time.

use galen_query::{
    analysis::Survival,
    query::{BinName, CohortQuery},
};
use galen_statistics::{Bin, Group, Point};
use num_rational::Ratio;
use num_traits::ToPrimitive;

use super::{Computed, Table, Value, View, interval, test, titles};
use crate::answer::Cell;

pub(super) const METHOD: &str = "Kaplan–Meier over the bins (a time counts as its bin's end, events before \
    censorings) with Greenwood's variance and log(−log) intervals, median survival, log-rank test; 95 %";

/// One group's bins.
struct Curve {
    name: String,
    ends: Vec<f64>,
    bins: Vec<Bin>,
    beyond: u64,
    /// Whether hidden events end it.
    is_cut: bool,
}

impl Curve {
    /// All who are at risk at first, though the curve may end before its first bin.
    fn patients(&self) -> u64 {
        let leaving = self.bins.iter().map(|b| b.leaving);
        leaving.sum::<u64>() + self.beyond
    }

    /// Its first `len` bins; patients of later ones are beyond.
    fn until(&self, len: usize) -> Self {
        let later = self.bins[len..].iter().map(|b| b.leaving);
        Self {
            name: self.name.clone(),
            ends: self.ends[..len].to_vec(),
            bins: self.bins[..len].to_vec(),
            beyond: self.beyond + later.sum::<u64>(),
            is_cut: self.is_cut,
        }
    }
}

pub(super) fn survival(spec: &Survival, query: &CohortQuery, view: &View<'_>) -> Computed {
    let groups = view.groups(spec.by.as_deref())?;
    let mut curves = Vec::new();
    let mut notes = Vec::new();
    for group in &groups {
        match curve(spec, query, view, group) {
            Ok((curve, note)) => {
                notes.extend(note);
                curves.push(curve);
            }
            Err(note) => notes.push(note),
        }
    }
    let by = spec.by.as_deref().unwrap_or("group");
    let columns = [
        by, "time", "at risk", "events", "survival", "lower", "upper",
    ];
    let mut table = Table::new(titles::KAPLAN_MEIER, &columns);
    let mut medians = Table::new(
        "Median survival",
        &[by, "patients", "until", "events until then", "median"],
    );
    for curve in &curves {
        let Some(points) = galen_statistics::kaplan_meier(&curve.bins, curve.beyond) else {
            notes.push(format!(
                "{}: nobody, or more events than patients.",
                curve.name
            ));
            continue;
        };
        rows(&mut table, &mut medians, curve, &points);
    }
    let mut tables = vec![table, medians];
    if curves.len() > 1 && curves.len() == groups.len() {
        tables.push(comparison(&curves));
    }
    Ok((tables, notes))
}

/// The log-rank test over the bins that all curves have.
fn comparison(curves: &[Curve]) -> Table {
    let len = curves.iter().map(|c| c.bins.len()).min().unwrap_or(0);
    let curves: Vec<Curve> = curves.iter().map(|c| c.until(len)).collect();
    let groups: Vec<Group<'_>> = curves
        .iter()
        .map(|c| Group {
            bins: &c.bins,
            beyond: c.beyond,
        })
        .collect();
    let columns = ["test", "until", "statistic", "df", "p"];
    let mut tests = Table::new("Comparison of the curves", &columns);
    let until = curves.first().and_then(|c| c.ends.last().copied());
    let head = ["log-rank".into(), until.into()];
    let found = test(galen_statistics::log_rank(&groups));
    tests.rows.push(head.into_iter().chain(found).collect());
    tests
}

fn rows(table: &mut Table, medians: &mut Table, curve: &Curve, points: &[Point]) {
    for (end, point) in curve.ends.iter().zip(points) {
        let head = [
            Value::Text(curve.name.clone()),
            (*end).into(),
            Value::Count(point.at_risk),
            Value::Count(point.events),
        ];
        table.rows.push(
            head.into_iter()
                .chain(interval(Some(point.survival)))
                .collect(),
        );
    }
    let events = points.iter().map(|p| p.events).sum();
    let median = galen_statistics::median(points).and_then(|i| curve.ends.get(i).copied());
    medians.rows.push(vec![
        Value::Text(curve.name.clone()),
        Value::Count(curve.patients()),
        curve.ends.last().copied().into(),
        Value::Count(events),
        match median {
            Some(median) => Value::Number(median),
            None if curve.is_cut => "not known".into(),
            None => "not reached".into(),
        },
    ]);
}

/// Reads one group's bins from its rows, which come in the order of time. Where a bin's events are hidden the
/// curve ends, with a note; how many leave is needed of every bin, to know who was at risk before.
fn curve(
    spec: &Survival,
    query: &CohortQuery,
    view: &View<'_>,
    (name, rows): &(String, Vec<usize>),
) -> Result<(Curve, Option<String>), String> {
    let (time, leaving) = (view.column(&spec.time)?, view.column(&spec.leaving)?);
    let events = view.column(&spec.events)?;
    let mut curve = Curve {
        name: name.clone(),
        ends: Vec::new(),
        bins: Vec::new(),
        beyond: 0,
        is_cut: false,
    };
    let (mut known, mut note) = (usize::MAX, None);
    for &row in rows {
        // Patients without a time are not at risk.
        let Cell::Bucket(bucket) = &view.rows[row][time] else {
            continue;
        };
        let leaving = view.count(row, leaving).map_err(|why| {
            format!(
                "{}: no curve, since nobody can tell who was at risk before. {why} Ask for wider buckets, \
                 or let them end earlier.",
                curve.name
            )
        })?;
        match end(query, bucket.number) {
            None => curve.beyond = leaving,
            Some(end) => {
                let events = view.count(row, events).unwrap_or_else(|why| {
                    known = known.min(curve.bins.len());
                    let at = curve.ends.last().copied().unwrap_or(0.0);
                    note.get_or_insert(format!("{}: the curve ends at {at}. {why}", curve.name));
                    0
                });
                curve.ends.push(end);
                curve.bins.push(Bin { leaving, events });
            }
        }
    }
    curve.is_cut = note.is_some();
    let known = known.min(curve.bins.len());
    Ok((curve.until(known), note))
}

/// The time at which a bucket ends.
fn end(query: &CohortQuery, wanted: u32) -> Option<f64> {
    let bins = query
        .group_by
        .iter()
        .filter_map(|g| g.bins.as_ref())
        .flatten();
    let until = bins.filter_map(|b| match &b.name {
        BinName::Bucket { number, until } if *number == wanted => Some(*until),
        _ => None,
    });
    until.flatten().next().and_then(|r: Ratio<i128>| r.to_f64())
}
