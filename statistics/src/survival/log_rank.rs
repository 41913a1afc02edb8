//! The log-rank test.

use crate::Test;
use crate::distribution::chi_square_tail;
use crate::number::{count, sum};

use super::{Bin, Censored, at_risk};

/// The patients of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// Patients by the bin of their time.
    pub bins: &'a [Bin],
    /// Patients whose time is after the last bin.
    pub beyond: u64,
}

/// Tests that all groups have the same survival, with hypergeometric variances (Mantel 1966, Peto and Peto
/// 1972). Of those who are censored in a bin that is not exact, half count as at risk there, as in the actuarial estimate
/// (Mantel 1966).
///
/// A group in which no event is expected, as nobody in it is at risk when one happens, is left out and
/// gives no degree of freedom, as in R's survdiff. `None` if fewer than two groups are left, if no event
/// happens while two groups are at risk (more generally, if the variance is singular), if the groups
/// differ in the number of bins, or if a bin has more events than patients.
#[must_use]
pub fn log_rank(groups: &[Group<'_>]) -> Option<Test> {
    let length = groups.first()?.bins.len();
    if groups.iter().any(|group| group.bins.len() != length) {
        return None;
    }
    let (excess, covariance) = compare(groups, length)?;
    // Of the rest, any one group follows from the others.
    let kept: Vec<usize> = (0..groups.len()).filter(|g| excess[*g].is_some()).collect();
    let (_, free) = kept.split_last().filter(|(_, free)| !free.is_empty())?;
    let right: Vec<f64> = free.iter().filter_map(|g| excess[*g]).collect();
    let matrix = free
        .iter()
        .map(|g| free.iter().map(|h| covariance[*g][*h]).collect())
        .collect();
    let solution = solve(matrix, right.clone())?;
    let statistic: f64 = right.iter().zip(&solution).map(|(a, b)| a * b).sum();
    let statistic = statistic.max(0.0);
    let degrees = free.len() as f64;
    Some(Test {
        statistic,
        degrees: Some(degrees),
        p: chi_square_tail(statistic, degrees)?,
    })
}

/// How many of a group count as at risk in each bin.
fn effective(group: &Group<'_>) -> Option<Vec<f64>> {
    let at_risk = at_risk(group.bins, group.beyond)?;
    let bins = group.bins.iter().zip(at_risk);
    bins.map(|(bin, n)| bin.effective(n, Censored::Halfway))
        .collect()
}

/// Of each group, the observed minus the expected events, if any are expected; and their covariance.
#[expect(
    clippy::type_complexity,
    reason = "a vector and a matrix, both by group"
)]
fn compare(groups: &[Group<'_>], length: usize) -> Option<(Vec<Option<f64>>, Vec<Vec<f64>>)> {
    let at_risk = groups.iter().map(effective).collect::<Option<Vec<_>>>()?;
    let mut excess = vec![None; groups.len()];
    let mut covariance = vec![vec![0.0; groups.len()]; groups.len()];
    for bin in 0..length {
        let events = count(sum(groups.iter().map(|group| group.bins[bin].events))?)?;
        let all: f64 = at_risk.iter().map(|group| group[bin]).sum();
        if events == 0.0 {
            continue;
        }
        let mut shares = Vec::with_capacity(groups.len());
        for ((group, at_risk), excess) in groups.iter().zip(&at_risk).zip(&mut excess) {
            let share = at_risk[bin] / all;
            shares.push(share);
            if share > 0.0 {
                let more = count(group.bins[bin].events)? - events * share;
                *excess = Some(excess.unwrap_or(0.0) + more);
            }
        }
        // A single patient at risk leaves nothing to chance.
        let spread = if all > 1.0 {
            events * (all - events) / (all - 1.0)
        } else {
            0.0
        };
        for (line, share) in covariance.iter_mut().zip(&shares) {
            for (cell, other) in line.iter_mut().zip(&shares) {
                *cell -= spread * share * other;
            }
        }
        for (g, share) in shares.iter().enumerate() {
            covariance[g][g] += spread * share;
        }
    }
    Some((excess, covariance))
}

/// Solves the symmetric positive definite system by elimination; `None` if it is singular.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    let original: Vec<f64> = (0..size).map(|i| matrix[i][i]).collect();
    for pivot in 0..size {
        // What is left of a variance is the part that the groups before do not explain.
        if matrix[pivot][pivot] <= 1e-10 * original[pivot] {
            return None;
        }
        let (done, below) = matrix.split_at_mut(pivot + 1);
        let line = &done[pivot];
        for (offset, row) in below.iter_mut().enumerate() {
            let factor = row[pivot] / line[pivot];
            for (cell, other) in row.iter_mut().zip(line) {
                *cell -= factor * other;
            }
            right[pivot + 1 + offset] -= factor * right[pivot];
        }
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|j| matrix[i][j] * right[j]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    Some(right)
}
