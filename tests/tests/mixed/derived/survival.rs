//! Actuarial curves, Kaplan and Meier's where a bucket is one month, and the log-rank test.

use crate::distribution::{Z, chi_square_tail, number};

use super::{Known, Want, Wanted};

/// One group's buckets: when each begins and ends, who leaves in it, and who of them has the event. Both times of a bucket that
/// holds one month are that.
struct Curve {
    name: String,
    times: Vec<(f64, f64)>,
    bins: Vec<(u64, u64)>,
    beyond: u64,
    is_cut: bool,
}

impl Curve {
    /// Of a group's rows; `None` where it is hidden who leaves. It ends before the first hidden events.
    fn of(known: &Known, name: String, rows: &[usize]) -> Option<Self> {
        let buckets = known.0.query.keys[0].buckets.unwrap();
        let mut curve = Self {
            name,
            times: Vec::new(),
            bins: Vec::new(),
            beyond: 0,
            is_cut: false,
        };
        for &row in rows {
            let Ok(bucket) = known.key(row, 0).parse::<i64>() else {
                continue;
            };
            let leaving = known.count(row, 0)?;
            let events = known.count(row, 1);
            if bucket > buckets.count || curve.is_cut || events.is_none() {
                curve.is_cut |= bucket <= buckets.count;
                curve.beyond += leaving;
                continue;
            }
            let width = whole(buckets.high - buckets.low) / whole(buckets.count);
            let end = |bucket: i64| whole(buckets.low) + whole(bucket) * width;
            let within =
                |m: &i64| end(bucket - 1) - 1e-9 <= whole(*m) && whole(*m) < end(bucket) - 1e-9;
            let months: Vec<i64> = (0..=120).filter(within).collect();
            curve.times.push(match months[..] {
                [one] => (whole(one), whole(one)),
                _ => (end(bucket - 1).max(0.0), end(bucket)),
            });
            curve.bins.push((leaving, events.unwrap()));
        }
        Some(curve)
    }

    /// How many count as at risk in a bucket if `share` of the censored left before.
    fn effective(&self, bin: usize, share: f64) -> f64 {
        let (from, until) = self.times[bin];
        let (leaving, events) = self.bins[bin];
        let share = if from == until { 0.0 } else { share };
        number(self.at_risk(bin)) - share * number(leaving - events)
    }

    fn at_risk(&self, bin: usize) -> u64 {
        self.beyond + self.bins[bin..].iter().map(|b| b.0).sum::<u64>()
    }

    /// The first buckets of it.
    fn until(&self, len: usize) -> Self {
        let later = self.bins[len..].iter().map(|b| b.0).sum::<u64>();
        Self {
            name: self.name.clone(),
            times: self.times[..len].to_vec(),
            bins: self.bins[..len].to_vec(),
            beyond: self.beyond + later,
            is_cut: self.is_cut,
        }
    }

    /// Survival after each bucket that somebody is at risk in, with its interval.
    fn points(&self, share: f64) -> Vec<[f64; 3]> {
        let (mut survival, mut greenwood) = (1.0_f64, 0.0);
        let point = |bin: usize| {
            let (n, events) = (self.effective(bin, share), number(self.bins[bin].1));
            if events > 0.0 {
                survival *= 1.0 - events / n;
                greenwood += events / (n * (n - events));
            }
            if survival <= 0.0 || survival >= 1.0 {
                return [survival; 3];
            }
            let factor = (Z * greenwood.sqrt() / survival.ln()).exp();
            let (a, b) = (survival.powf(factor), survival.powf(1.0 / factor));
            [survival, a.min(b), a.max(b)]
        };
        let bins = 0..self.bins.len();
        bins.take_while(|b| self.at_risk(*b) > 0)
            .map(point)
            .collect()
    }
}

#[allow(clippy::cast_precision_loss)]
fn whole(n: i64) -> f64 {
    n as f64
}

pub fn survival(known: &Known) -> Wanted {
    let groups = known.groups();
    let curves = groups.iter().cloned();
    let curves = curves.filter_map(|(name, rows)| Curve::of(known, name, &rows));
    let curves: Vec<Curve> = curves.collect();
    let (mut table, mut medians) = (Vec::new(), Vec::new());
    for curve in curves.iter().filter(|c| c.at_risk(0) > 0) {
        let points = curve.points(0.5);
        let (lowest, highest) = (curve.points(1.0), curve.points(0.0));
        for (bin, point) in points.iter().enumerate() {
            let mut wanted = vec![
                Want::text(&curve.name),
                Want::exact(curve.times[bin].1),
                Want::Count(curve.at_risk(bin)),
                Want::Count(curve.bins[bin].1),
            ];
            wanted.extend(point.map(|v| Want::Near(v, 1.0)));
            wanted.extend([lowest[bin][0], highest[bin][0]].map(|v| Want::Near(v, 1.0)));
            table.push(wanted);
        }
        medians.push(medians_of(curve, [&points, &lowest, &highest]));
    }
    let mut wanted = vec![table, medians];
    if curves.len() > 1 && curves.len() == groups.len() {
        wanted.push(vec![comparison(&curves)]);
    }
    Some(wanted)
}

fn end(curve: &Curve, bins: usize) -> Want {
    let last = bins.checked_sub(1).map(|b| curve.times[b].1);
    last.map_or(Want::Missing, Want::exact)
}

fn medians_of(curve: &Curve, all: [&[[f64; 3]]; 3]) -> Vec<Want> {
    let mut wanted = vec![
        Want::text(&curve.name),
        Want::Count(curve.at_risk(0)),
        end(curve, all[0].len()),
        Want::Count(curve.bins.iter().map(|b| b.1).sum()),
    ];
    let [points, lowest, highest] = all;
    let told = |time: Option<f64>| match time {
        Some(time) => Want::Near(time, time.max(1.0)),
        None if curve.is_cut => Want::text("not known"),
        None => Want::text("not reached"),
    };
    wanted.push(told(median(curve, points)));
    wanted.push(told(half(lowest).map(|bin| curve.times[bin].0)));
    wanted.push(told(half(highest).map(|bin| curve.times[bin].1)));
    wanted
}

fn half(points: &[[f64; 3]]) -> Option<usize> {
    points.iter().position(|p| p[0] <= 0.5 + 1e-12)
}

fn median(curve: &Curve, points: &[[f64; 3]]) -> Option<f64> {
    let bin = half(points)?;
    let before = if bin == 0 { 1.0 } else { points[bin - 1][0] };
    let (from, until) = curve.times[bin];
    let fallen = (before - 0.5) / (before - points[bin][0]);
    Some(from + fallen.min(1.0) * (until - from))
}

fn comparison(curves: &[Curve]) -> Vec<Want> {
    let len = curves.iter().map(|c| c.bins.len()).min().unwrap();
    let curves: Vec<Curve> = curves.iter().map(|c| c.until(len)).collect();
    let mut wanted = vec![Want::text("log-rank"), end(&curves[0], len)];
    wanted.extend(Want::test(log_rank(&curves, len)));
    wanted
}

/// Observed less expected events of each group, and their covariance, over all buckets.
fn log_rank(curves: &[Curve], len: usize) -> Option<(f64, f64, f64)> {
    let size = curves.len();
    let mut excess = vec![0.0; size];
    let mut expected = vec![0.0; size];
    let mut covariance = vec![vec![0.0; size]; size];
    for bin in 0..len {
        let at_risk: Vec<f64> = curves.iter().map(|c| c.effective(bin, 0.5)).collect();
        let events: Vec<f64> = curves.iter().map(|c| number(c.bins[bin].1)).collect();
        let (n, d): (f64, f64) = (at_risk.iter().sum(), events.iter().sum());
        if d == 0.0 {
            continue;
        }
        let spread = if n > 1.0 {
            d * (n - d) / (n - 1.0)
        } else {
            0.0
        };
        for g in 0..size {
            expected[g] += d * at_risk[g] / n;
            excess[g] += events[g] - d * at_risk[g] / n;
            for h in 0..size {
                let own = if g == h { at_risk[g] / n } else { 0.0 };
                covariance[g][h] += spread * (own - at_risk[g] * at_risk[h] / (n * n));
            }
        }
    }
    let kept: Vec<usize> = (0..size).filter(|g| expected[*g] > 0.0).collect();
    let (_, free) = kept.split_last()?;
    let row = |g: &usize| {
        free.iter()
            .map(|h| covariance[*g][*h])
            .collect::<Vec<f64>>()
    };
    let right: Vec<f64> = free.iter().map(|g| excess[*g]).collect();
    let solution = solve(free.iter().map(row).collect(), right.clone())?;
    let statistic: f64 = right.iter().zip(&solution).map(|(a, b)| a * b).sum();
    let degrees = number(free.len() as u64);
    (degrees > 0.0).then(|| {
        (
            statistic,
            degrees,
            chi_square_tail(statistic.max(0.0), degrees),
        )
    })
}

/// Gauss and Jordan; `None` where the matrix is singular.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    let largest = matrix
        .iter()
        .flatten()
        .fold(0.0, |s: f64, v| s.max(v.abs()));
    for pivot in 0..size {
        let by = |row: &usize| matrix[*row][pivot].abs();
        let best = (pivot..size).max_by(|a, b| by(a).total_cmp(&by(b)))?;
        matrix.swap(pivot, best);
        right.swap(pivot, best);
        let line = matrix[pivot].clone();
        if line[pivot].abs() <= 1e-10 * largest {
            return None;
        }
        let value = right[pivot];
        for (row, right) in matrix
            .iter_mut()
            .zip(&mut right)
            .enumerate()
            .filter_map(|(at, both)| (at != pivot).then_some(both))
        {
            let factor = row[pivot] / line[pivot];
            *right -= factor * value;
            for (cell, other) in row.iter_mut().zip(&line) {
                *cell -= factor * other;
            }
        }
    }
    Some((0..size).map(|i| right[i] / matrix[i][i]).collect())
}
