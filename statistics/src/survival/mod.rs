//! Survival in discrete time.
//!
//! All times in a bin count as the bin's end, events before censorings: who is censored in a bin is still
//! at risk of its events.

mod log_rank;

pub use log_rank::{Group, log_rank};

use super::Estimate;
use super::number::{Z, count, estimate, sum};

/// The patients whose time falls in a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// All of them, with the event or censored.
    pub leaving: u64,
    /// Those with the event.
    pub events: u64,
}

/// Survival at the end of a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Patients whose time falls in this bin or later.
    pub at_risk: u64,
    /// Events in this bin.
    pub events: u64,
    /// Probability to be without the event after this bin.
    pub survival: Estimate,
}

/// The Kaplan-Meier estimate after each bin, with the interval by Greenwood's variance on the log(−log)
/// scale, as lifelines and R's `conf.type = "log-log"`. `beyond` is the number of patients whose time is
/// after the last bin.
///
/// As in lifelines, the interval is [1, 1] before the first event and [0, 0] once nobody has survived, where
/// R gives none; a bin with nobody at risk repeats the estimate before it. `None` without patients, and if
/// a bin has more events than patients.
#[must_use]
pub fn kaplan_meier(bins: &[Bin], beyond: u64) -> Option<Vec<Point>> {
    let at_risk = at_risk(bins, beyond)?;
    if sum(bins.iter().map(|bin| bin.leaving))? + beyond == 0 {
        return None;
    }
    let (mut survival, mut hazard, mut greenwood) = (1.0, 0.0, 0.0);
    let mut points = Vec::with_capacity(bins.len());
    for (bin, at_risk) in bins.iter().zip(at_risk) {
        if bin.events > 0 {
            let (n, events) = (count(at_risk)?, count(bin.events)?);
            survival *= (n - events) / n;
            // Not −ln of the survival, which has few digits where that is nearly 1.
            hazard -= (-events / n).ln_1p();
            greenwood += events / (n * (n - events));
        }
        points.push(Point {
            at_risk,
            events: bin.events,
            survival: with_interval(survival, hazard, greenwood)?,
        });
    }
    Some(points)
}

/// `hazard` is −ln of the survival.
fn with_interval(survival: f64, hazard: f64, greenwood: f64) -> Option<Estimate> {
    if survival <= 0.0 || survival >= 1.0 {
        return estimate(survival, survival, survival);
    }
    let factor = (Z * greenwood.sqrt() / hazard).exp();
    estimate(survival, (-hazard * factor).exp(), (-hazard / factor).exp())
}

/// How many are at risk in each bin; `None` if a bin has more events than patients.
fn at_risk(bins: &[Bin], beyond: u64) -> Option<Vec<u64>> {
    if bins.iter().any(|bin| bin.events > bin.leaving) {
        return None;
    }
    let mut left = sum(bins.iter().map(|bin| bin.leaving).chain([beyond]))?;
    let enter = |bin: &Bin| {
        let at_risk = left;
        left -= bin.leaving;
        at_risk
    };
    Some(bins.iter().map(enter).collect())
}

/// Index of the first bin after which survival is at most 1/2; `None` if it stays above.
///
/// 1e-12 more still counts as 1/2, because a product of ratios that is exactly 1/2 need not come out so.
#[must_use]
pub fn median(points: &[Point]) -> Option<usize> {
    points
        .iter()
        .position(|point| point.survival.value <= 0.5 + 1e-12)
}

#[cfg(test)]
mod rotterdam;
#[cfg(test)]
mod tests;
