//! Survival from counts by bins of time.
//!
//! Within a bin, events come before censorings where all its times are one value, as Kaplan and Meier have it. In a wider
//! bin nobody knows when its censored left: the actuarial estimate (Cutler and Ederer 1958; Lawless, Statistical Models
//! and Methods for Lifetime Data, 3.6) takes half of them as at risk, and the two ends, that all left before the first
//! event or after the last, bound what exact times could give.

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
    /// Whether all times that fall in it are one.
    pub is_exact: bool,
}

/// When those who are censored in a bin leave it. In an exact one they stay at risk of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Censored {
    /// All before its first event: no times make survival lower.
    Early,
    /// Half of them so: the actuarial estimate.
    Halfway,
    /// All after its last event: no times make survival higher.
    Late,
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

impl Bin {
    /// Of `at_risk` patients at its beginning, those who count as at risk of its events.
    fn effective(self, at_risk: u64, censored: Censored) -> Option<f64> {
        let share = match censored {
            _ if self.is_exact => 0.0,
            Censored::Early => 1.0,
            Censored::Halfway => 0.5,
            Censored::Late => 0.0,
        };
        Some(count(at_risk)? - share * count(self.leaving - self.events)?)
    }
}

/// Survival after each bin until nobody is at risk, with the interval by Greenwood's variance on the log(−log) scale, as
/// lifelines and R's `conf.type = "log-log"`. `beyond` is the number of patients whose time is after the last bin.
///
/// As in lifelines, the interval is [1, 1] before the first event and [0, 0] once nobody has survived, where R gives
/// none. `None` without patients, and if a bin has more events than patients.
#[must_use]
pub fn survival(bins: &[Bin], beyond: u64, censored: Censored) -> Option<Vec<Point>> {
    let at_risk = at_risk(bins, beyond)?;
    if sum(bins.iter().map(|bin| bin.leaving))? + beyond == 0 {
        return None;
    }
    let (mut survival, mut hazard, mut greenwood) = (1.0, 0.0, 0.0);
    let mut points = Vec::with_capacity(bins.len());
    for (bin, at_risk) in bins.iter().zip(at_risk).take_while(|(_, n)| *n > 0) {
        if bin.events > 0 {
            let (n, events) = (bin.effective(at_risk, censored)?, count(bin.events)?);
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

/// Which times a bin holds; of an exact one both are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub until: f64,
}

/// The first bin after which survival is at most 1/2.
///
/// 1e-12 more still counts as 1/2, because a product of ratios that is exactly 1/2 need not come out so.
fn half(points: &[Point]) -> Option<usize> {
    let falls = |point: &Point| point.survival.value <= 0.5 + 1e-12;
    points.iter().position(falls)
}

/// The time at which survival falls to 1/2: in a straight line through a bin, as in a life table, and at an exact bin's own
/// time. `times` are the bins' of the points. `None` if survival stays above.
#[must_use]
pub fn median(points: &[Point], times: &[Times]) -> Option<f64> {
    let at = half(points)?;
    let times = times.get(at)?;
    let before = at.checked_sub(1).map_or(1.0, |i| points[i].survival.value);
    let after = points[at].survival.value;
    let share = ((before - 0.5) / (before - after)).clamp(0.0, 1.0);
    Some(times.from + share * (times.until - times.from))
}

/// Between which times the curve of the exact times falls to 1/2, from the two that hold it: the beginning of the bin in which
/// the lowest does, and the end of the one in which the highest does. `None` where a curve stays above.
#[must_use]
pub fn median_between(
    lowest: &[Point],
    highest: &[Point],
    times: &[Times],
) -> (Option<f64>, Option<f64>) {
    let of = |points| times.get(half(points)?);
    (of(lowest).map(|t| t.from), of(highest).map(|t| t.until))
}

#[cfg(test)]
mod rotterdam;
#[cfg(test)]
mod tests;
