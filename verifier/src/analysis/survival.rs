//! Survival from counts by bins of time.

use galen_query::{
    analysis::Survival,
    query::{self, BinName, CohortQuery},
    registry::{Column, Registry},
};
use galen_statistics::{Bin, Censored, Group, Point, Times};
use num_traits::ToPrimitive;

use super::{Computed, Table, Value, View, interval, test, titles, view::all};
use crate::answer::Cell;

pub(super) const EXACT: &str = "Kaplan–Meier estimate: each bin holds one time, events before censorings. Greenwood's \
    variance and log(−log) intervals, median survival, log-rank test; 95 %";
pub(super) const ACTUARIAL: &str = "Actuarial (life-table) estimate: of those censored within a bin half count as at risk \
    in it; lowest and highest, which hold the Kaplan–Meier estimate of the exact times and its median, if all or none of them \
    left before the bin's events. Greenwood's variance and log(−log) intervals, median by a straight line within its bin, log-rank \
    test with half of the censored; 95 %";

/// How the numbers of an analysis are computed.
pub(super) fn method(spec: &Survival, query: &CohortQuery) -> &'static str {
    let grouping = query.grouping(&spec.time).into_iter();
    let mut bins = grouping.flat_map(|g| g.bins.iter().flatten());
    match bins.all(|b| b.stored.0 == b.stored.1 || is_last(b)) {
        true => EXACT,
        false => ACTUARIAL,
    }
}

/// Whether a bin has no end: who falls in it stays at risk throughout.
fn is_last(bin: &query::Bin) -> bool {
    matches!(bin.name, BinName::Bucket { until: None, .. })
}

/// One group's bins.
struct Curve {
    name: Value,
    times: Vec<Times>,
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
            times: self.times[..len].to_vec(),
            bins: self.bins[..len].to_vec(),
            beyond: self.beyond + later.sum::<u64>(),
            is_cut: self.is_cut,
        }
    }
}

pub(super) fn survival(
    spec: &Survival,
    query: &CohortQuery,
    registry: &Registry,
    view: &View<'_>,
) -> Computed {
    let grouping = query.grouping(&spec.time);
    let bins = grouping.and_then(|g| {
        Some(Bins {
            bins: g.bins.as_deref()?,
            column: &registry.columns[g.column],
        })
    });
    let bins = bins.ok_or("The answer has no bins of time.")?;
    let groups = view.groups(spec.by.as_deref())?;
    let mut curves = Vec::new();
    let mut notes = Vec::new();
    for group in &groups {
        match curve(spec, &bins, view, group) {
            Ok((curve, note)) => {
                notes.extend(note);
                curves.push(curve);
            }
            Err(note) => notes.push(note),
        }
    }
    let by = spec.by.as_deref().unwrap_or("group");
    let columns = [
        by, "time", "at risk", "events", "survival", "lower", "upper", "lowest", "highest",
    ];
    let mut table = Table::new(titles::SURVIVAL, &columns);
    let columns = [
        by,
        "patients",
        "until",
        "events until then",
        "median",
        "lowest",
        "highest",
    ];
    let mut medians = Table::new("Median survival", &columns);
    for curve in &curves {
        let Some(estimates) = Estimates::of(curve) else {
            notes.push(format!(
                "{}: nobody, or more events than patients.",
                curve.name
            ));
            continue;
        };
        rows(&mut table, &mut medians, curve, &estimates);
    }
    let mut tables = vec![table, medians];
    if curves.len() > 1 && curves.len() == groups.len() {
        tables.push(comparison(&curves));
    }
    notes.extend(left_out(spec, view)?);
    Ok((tables, notes))
}

/// Patients who are in no curve.
fn left_out(spec: &Survival, view: &View<'_>) -> Result<Vec<String>, String> {
    let leaving = view.column(&spec.leaving)?;
    let time = view.column(&spec.time)?;
    let by = spec.by.as_deref().map(|b| view.column(b)).transpose()?;
    let ungrouped: Vec<usize> = by.map(|b| view.rows_without(b)).unwrap_or_default();
    let timeless = view.rows_without(time).into_iter();
    let timeless = timeless.filter(|r| !ungrouped.contains(r));
    let what = |key: &str| format!("patients without a value of {key}");
    let times = view.left_out(timeless, leaving, &what(&spec.time));
    let by = what(spec.by.as_deref().unwrap_or_default());
    let groups = view.left_out(ungrouped, leaving, &by);
    Ok(groups.into_iter().chain(times).collect())
}

/// A curve and the two that hold it.
struct Estimates {
    points: Vec<Point>,
    lowest: Vec<Point>,
    highest: Vec<Point>,
}

impl Estimates {
    fn of(curve: &Curve) -> Option<Self> {
        let of = |censored| galen_statistics::survival(&curve.bins, curve.beyond, censored);
        Some(Self {
            points: of(Censored::Halfway)?,
            lowest: of(Censored::Early)?,
            highest: of(Censored::Late)?,
        })
    }
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
    let until = curves.first().and_then(|c| c.times.last()).map(|t| t.until);
    let head = ["log-rank".into(), until.into()];
    let found = test(galen_statistics::log_rank(&groups));
    tests.rows.push(head.into_iter().chain(found).collect());
    tests
}

fn rows(table: &mut Table, medians: &mut Table, curve: &Curve, estimates: &Estimates) {
    let points = &estimates.points;
    let ends = estimates.lowest.iter().zip(&estimates.highest);
    for ((times, point), (lowest, highest)) in curve.times.iter().zip(points).zip(ends) {
        let head = [
            curve.name.clone(),
            times.until.into(),
            Value::Count(point.at_risk),
            Value::Count(point.events),
        ];
        let ends = [lowest, highest].map(|p| p.survival.value.into());
        let row = head.into_iter().chain(interval(Some(point.survival)));
        table.rows.push(row.chain(ends).collect());
    }
    let events = points.iter().map(|p| p.events).sum();
    let told = |time: Option<f64>| match time {
        Some(time) => Value::Number(time),
        None if curve.is_cut => "not known".into(),
        None => "not reached".into(),
    };
    let median = galen_statistics::median(points, &curve.times);
    let (lowest, highest) =
        galen_statistics::median_between(&estimates.lowest, &estimates.highest, &curve.times);
    medians.rows.push(vec![
        curve.name.clone(),
        Value::Count(curve.patients()),
        curve
            .times
            .get(points.len().wrapping_sub(1))
            .map(|t| t.until)
            .into(),
        Value::Count(events),
        told(median),
        told(lowest),
        told(highest),
    ]);
}

/// Reads one group's bins from its rows, which come in the order of time. Where a bin's events are hidden the
/// curve ends, with a note; how many leave is needed of every bin, to know who was at risk before.
fn curve(
    spec: &Survival,
    bins: &Bins<'_>,
    view: &View<'_>,
    (name, rows): &(Value, Vec<usize>),
) -> Result<(Curve, Option<String>), String> {
    let (time, leaving) = (view.column(&spec.time)?, view.column(&spec.leaving)?);
    let events = view.column(&spec.events)?;
    let mut curve = Curve {
        name: name.clone(),
        times: Vec::new(),
        bins: Vec::new(),
        beyond: 0,
        is_cut: false,
    };
    // Patients without a time are not at risk.
    let timed = rows.iter().filter_map(|&row| match &view.rows[row][time] {
        Cell::Bucket(bucket) => Some((row, bucket)),
        _ => None,
    });
    let left = timed.map(|(row, bucket)| Ok((row, bucket, view.count(row, leaving)?)));
    let left = all(left).map_err(|why| {
        format!(
            "{}: no curve, since nobody can tell who was at risk before. {why} Ask for wider buckets, \
             or let them end earlier.",
            curve.name
        )
    })?;
    let (mut known, mut note) = (usize::MAX, None);
    for (row, bucket, leaving) in left {
        match bins.times(bucket.number) {
            None => curve.beyond = leaving,
            Some(times) => {
                let events = view.count(row, events).unwrap_or_else(|why| {
                    known = known.min(curve.bins.len());
                    let at = curve.times.last().map_or(0.0, |t| t.until);
                    note.get_or_insert(format!("{}: the curve ends at {at}. {why}", curve.name));
                    0
                });
                curve.times.push(times);
                curve.bins.push(Bin {
                    leaving,
                    events,
                    is_exact: times.from == times.until,
                });
            }
        }
    }
    curve.is_cut = note.is_some();
    let known = known.min(curve.bins.len());
    Ok((curve.until(known), note))
}

/// The bins of the time column.
struct Bins<'a> {
    bins: &'a [query::Bin],
    column: &'a Column,
}

impl Bins<'_> {
    /// Which times a bucket holds: where it ends the next begins, but one of a single value is at that value. None of a bucket
    /// without an end.
    fn times(&self, wanted: u32) -> Option<Times> {
        let number = |b: &query::Bin| match &b.name {
            BinName::Bucket { number, until } => Some((*number, *until)),
            BinName::Year(_) => None,
        };
        let at = self
            .bins
            .iter()
            .position(|b| number(b).is_some_and(|(n, _)| n == wanted))?;
        let (_, until) = number(&self.bins[at])?;
        let until = until?.to_f64()?;
        let (first, last) = self.bins[at].stored;
        let from: f64 = self.column.format_stored(first).parse().ok()?;
        Some(match first == last {
            true => Times { from, until: from },
            false => Times {
                // Not the bin's first value, which may lie above where it begins.
                from: at
                    .checked_sub(1)
                    .and_then(|before| number(&self.bins[before])?.1?.to_f64())
                    .unwrap_or(from),
                until,
            },
        })
    }
}
