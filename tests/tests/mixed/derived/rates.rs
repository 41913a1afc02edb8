//! Crude and standardised rates.

use crate::distribution::{gamma_quantile, number};

use super::{Known, Want, Wanted};

/// Events in time, with the exact Poisson interval.
fn rate(events: u64, time: f64, per: f64) -> Option<[f64; 3]> {
    if time <= 0.0 {
        return None;
    }
    let n = number(events);
    let lower = match events {
        0 => 0.0,
        _ => gamma_quantile(n, 0.025),
    };
    let upper = gamma_quantile(n + 1.0, 0.975);
    Some([n, lower, upper].map(|v| v * per / time))
}

fn crude(name: Want, events: u64, time: f64, per: u32) -> Vec<Want> {
    let mut wanted = vec![name, Want::Count(events), Want::exact(time)];
    wanted.extend(Want::interval(rate(events, time, per.into())));
    wanted
}

pub fn rates(known: &Known, per: u32) -> Wanted {
    let row = |row: usize| match (known.count(row, 0), known.number(row, 1)) {
        (Some(events), Some(time)) => crude(known.name(row), events, time, per),
        _ => {
            let mut wanted = vec![known.name(row)];
            wanted.extend(vec![Want::Missing; 5]);
            wanted
        }
    };
    Some(vec![(0..known.rows()).map(row).collect()])
}

pub fn standardised(known: &Known, per: u32, weights: &[(&str, u64)]) -> Wanted {
    let (mut standard, mut all) = (Vec::new(), Vec::new());
    for (name, rows) in known.groups() {
        let stratum = |(value, weight): &(&str, u64)| {
            let row = rows.iter().find(|r| known.key(**r, 0) == *value)?;
            let (events, time) = (known.count(*row, 0)?, known.number(*row, 1)?);
            Some((events, time, number(*weight)))
        };
        let used = weights.iter().filter(|(_, w)| *w > 0);
        let Some(strata) = used.map(stratum).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let mut wanted = vec![Want::text(&name)];
        let found = standard_rate(&strata).map(|e| e.map(|v| v * f64::from(per)));
        wanted.extend(Want::interval(found));
        standard.push(wanted);
        let (events, time) = (
            strata.iter().map(|s| s.0).sum(),
            strata.iter().map(|s| s.1).sum(),
        );
        all.push(crude(Want::text(&name), events, time, per));
    }
    Some(vec![standard, all])
}

/// Events, time and weight of strata, with Fay and Feuer's interval.
fn standard_rate(strata: &[(u64, f64, f64)]) -> Option<[f64; 3]> {
    if strata.iter().any(|s| s.1 <= 0.0) {
        return None;
    }
    let weights: f64 = strata.iter().map(|s| s.2).sum();
    let each: Vec<f64> = strata.iter().map(|s| s.2 / weights / s.1).collect();
    let events: Vec<f64> = strata.iter().map(|s| number(s.0)).collect();
    let sum = |power: i32| -> f64 {
        let terms = each.iter().zip(&events);
        terms.map(|(w, n)| w.powi(power) * n).sum()
    };
    let (value, variance) = (sum(1), sum(2));
    let bound = |mean: f64, variance: f64, p: f64| {
        let shape = (mean * mean / variance).max(1.0);
        gamma_quantile(shape, p) * variance / mean
    };
    let largest = each.iter().copied().fold(0.0, f64::max);
    let lower = match value > 0.0 {
        true => bound(value, variance, 0.025),
        false => 0.0,
    };
    let upper = bound(value + largest, variance + largest * largest, 0.975);
    Some([value, lower, upper])
}
