//! Rates of events in person-time.

use super::Estimate;
use super::distribution::gamma_quantile;
use super::number::{count, estimate, logarithmic, sum};

/// A stratum, such as an age group, of a population whose rate is standardised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// Events in the stratum.
    pub events: u64,
    /// Persons, or person-time, in the stratum.
    pub persons: f64,
    /// Size of the stratum in the standard population, in any unit.
    pub weight: f64,
}

/// Events by person-time with the exact Poisson interval (Garwood 1936), in the inverse of the time's unit.
///
/// `None` unless the time is positive and finite.
#[must_use]
pub fn rate(events: u64, person_time: f64) -> Option<Estimate> {
    if !usable(person_time) {
        return None;
    }
    let n = count(events)?;
    let lower = if events == 0 {
        0.0
    } else {
        gamma_quantile(n, 0.025)?
    };
    let upper = gamma_quantile(n + 1.0, 0.975)?;
    estimate(n / person_time, lower / person_time, upper / person_time)
}

/// The first rate by the second, each given as events and person-time, with the interval on the logarithmic
/// scale (Rothman and Greenland, Modern Epidemiology, chapter 14).
///
/// `None` if either has no events, or no positive finite time.
#[must_use]
pub fn ratio(first: (u64, f64), second: (u64, f64)) -> Option<Estimate> {
    let possible = |(events, time): (u64, f64)| events > 0 && usable(time);
    if !possible(first) || !possible(second) {
        return None;
    }
    let (a, b) = (count(first.0)?, count(second.0)?);
    logarithmic((a / first.1) / (b / second.1), (1.0 / a + 1.0 / b).sqrt())
}

/// Directly standardised rate with the gamma interval (Fay and Feuer 1997), as epitools' ageadjust.direct.
///
/// Without events the lower bound is 0, where epitools has none. `None` without strata, unless all persons
/// are positive and finite, and unless the weights are finite, not negative and not all 0.
#[must_use]
pub fn standardised(strata: &[Stratum]) -> Option<Estimate> {
    sum(strata.iter().map(|s| s.events))?;
    let possible = |s: &Stratum| usable(s.persons) && s.weight.is_finite() && s.weight >= 0.0;
    let weights: f64 = strata.iter().map(|s| s.weight).sum();
    if !strata.iter().all(possible) || !usable(weights) {
        return None;
    }
    let (mut value, mut variance, mut largest) = (0.0, 0.0, 0.0_f64);
    for stratum in strata {
        // What one event adds to the rate.
        let each = stratum.weight / weights / stratum.persons;
        let events = count(stratum.events)?;
        value += each * events;
        variance += each * each * events;
        largest = largest.max(each);
    }
    let lower = if value > 0.0 {
        gamma_bound(value, variance, 0.025)?
    } else {
        0.0
    };
    let upper = gamma_bound(value + largest, variance + largest * largest, 0.975)?;
    estimate(value, lower, upper)
}

/// Quantile of the gamma distribution with this mean and variance.
fn gamma_bound(mean: f64, variance: f64, probability: f64) -> Option<f64> {
    // The exact shape is at least 1; rounding may leave it a little below.
    let shape = (mean / variance * mean).max(1.0);
    Some(gamma_quantile(shape, probability)? * variance / mean)
}

fn usable(amount: f64) -> bool {
    amount.is_finite() && amount > 0.0
}

#[cfg(test)]
mod tests;
