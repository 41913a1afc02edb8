//! Crude and directly standardised rates.

use galen_query::analysis::{Rates, Standardised};
use galen_statistics::{Estimate, Stratum};

use super::{
    Computed, Table, Value, View, interval,
    means::each_row,
    view::{all, both},
};

pub(super) const RATES: &str = "Crude rates with exact Poisson intervals (Garwood); 95 %";
pub(super) const STANDARDISED: &str = "Directly standardised rates with Fay and Feuer's gamma intervals, crude rates with exact Poisson intervals; 95 %";

fn scaled(estimate: Option<Estimate>, per: u32) -> Option<Estimate> {
    let per = f64::from(per);
    estimate.map(|e| Estimate {
        value: e.value * per,
        lower: e.lower * per,
        upper: e.upper * per,
    })
}

/// Events and time of a row.
fn row_of(spec: &Rates, view: &View<'_>, row: usize) -> Result<(u64, f64), String> {
    let events = view.count(row, view.column(&spec.events)?);
    both(events, view.number(row, view.column(&spec.time)?))
}

fn header<'a>(first: &'a str, spec: &'a Rates) -> [&'a str; 6] {
    [first, "events", &spec.time, "rate", "lower", "upper"]
}

fn title(name: &str, per: u32) -> String {
    if per == 1 {
        return name.to_owned();
    }
    format!("{name} per {per}")
}

pub(super) fn rates(spec: &Rates, view: &View<'_>) -> Computed {
    let mut table = Table::new(title("Rates", spec.per), &header("group", spec));
    let notes = each_row(view, &mut table, |row| {
        let (events, time) = row_of(spec, view, row)?;
        let rate = scaled(galen_statistics::rate(events, time), spec.per);
        let head = [Value::Count(events), time.into()];
        Ok(head.into_iter().chain(interval(rate)).collect())
    });
    Ok((vec![table], notes))
}

pub(super) fn standardised(spec: &Standardised, view: &View<'_>) -> Computed {
    let strata = view.column(&spec.strata)?;
    let groups = view.groups(spec.by.as_deref())?;
    let per = spec.rates.per;
    let first = spec.by.as_deref().unwrap_or("group");
    let mut standard = Table::new(
        title("Standardised rates", per),
        &[first, "rate", "lower", "upper"],
    );
    let mut crude = Table::new(title("Crude rates", per), &header(first, &spec.rates));
    let mut notes = Vec::new();
    for (group, rows) in &groups {
        match strata_of(spec, view, strata, rows) {
            Err(note) => notes.push(note),
            Ok(list) => {
                let name = || group.clone();
                let rate = scaled(galen_statistics::standardised(&list), per);
                standard
                    .rows
                    .push([name()].into_iter().chain(interval(rate)).collect());
                let events = list.iter().map(|s| s.events).sum();
                let time = list.iter().map(|s| s.persons).sum();
                let rate = scaled(galen_statistics::rate(events, time), per);
                let head = [name(), Value::Count(events), time.into()];
                crude
                    .rows
                    .push(head.into_iter().chain(interval(rate)).collect());
            }
        }
    }
    notes.extend(left_out(spec, view, strata)?);
    Ok((vec![standard, crude], notes))
}

/// Patients of no group, or of no stratum that has a weight.
fn left_out(spec: &Standardised, view: &View<'_>, strata: usize) -> Result<Vec<String>, String> {
    let events = view.column(&spec.rates.events)?;
    let by = spec.by.as_deref().map(|b| view.column(b)).transpose()?;
    let is_grouped = |row: &usize| by.is_none_or(|by| view.key(*row, by).is_some());
    let has_weight = |row: &usize| {
        let mut weights = spec.weights.iter().filter(|(_, w)| *w > 0);
        weights.any(|(value, _)| view.is(*row, strata, value))
    };
    let label = |by: &str| format!("patients without a value of {by}");
    let ungrouped = view.all_rows().filter(|r| !is_grouped(r));
    let unweighted = view.all_rows().filter(|r| is_grouped(r) && !has_weight(r));
    let what = label(spec.by.as_deref().unwrap_or_default());
    let groups = view.left_out(ungrouped, events, &what);
    let what = format!("{}, or whose stratum has the weight 0", label(&spec.strata));
    let strata = view.left_out(unweighted, events, &what);
    Ok(groups.into_iter().chain(strata).collect())
}

/// A stratum for each weight above 0.
fn strata_of(
    spec: &Standardised,
    view: &View<'_>,
    strata: usize,
    rows: &[usize],
) -> Result<Vec<Stratum>, String> {
    let weighted = spec.weights.iter().filter(|(_, w)| *w > 0);
    all(weighted.map(|(value, persons)| {
        let row = view.single_row(rows.iter().copied(), strata, value)?;
        let (events, time) = row_of(&spec.rates, view, row)?;
        #[expect(clippy::cast_precision_loss, reason = "below 2^40")]
        let weight = *persons as f64;
        Ok(Stratum {
            events,
            persons: time,
            weight,
        })
    }))
}
