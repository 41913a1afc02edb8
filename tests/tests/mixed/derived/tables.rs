//! Tables of two by two, and larger ones.

use crate::distribution::{Z, chi_square_tail, fisher, number};

use super::{Known, Want, Wanted, means::wilson};

/// Cases are output 1 of the total, output 0.
pub fn by_counts(known: &Known, groups: [&str; 2]) -> Wanted {
    let of = |group: &str| {
        let row = known.row(&[group]);
        let (total, cases) = (known.count(row, 0)?, known.count(row, 1)?);
        Some([cases, total - cases])
    };
    two_by_two(groups, [of(groups[0])?, of(groups[1])?])
}

/// Each cell is a row.
pub fn by_keys(known: &Known, groups: [&str; 2], outcomes: [&str; 2]) -> Wanted {
    let cell = |group: &str, outcome: &str| known.count(known.row(&[group, outcome]), 0);
    let of = |group: &str| Some([cell(group, outcomes[0])?, cell(group, outcomes[1])?]);
    two_by_two(groups, [of(groups[0])?, of(groups[1])?])
}

fn two_by_two(groups: [&str; 2], [[a, b], [c, d]]: [[u64; 2]; 2]) -> Wanted {
    let counts =
        |name: &str, cases, others| vec![Want::text(name), Want::Count(cases), Want::Count(others)];
    let effect = |name: &str, estimate: Option<[f64; 3]>| {
        let mut row = vec![Want::text(name)];
        row.extend(Want::interval(estimate));
        row
    };
    let p = fisher([a, b, c, d]);
    let mut tests = vec![chi_square(&[vec![a, b], vec![c, d]])];
    if a + b + c + d > 0 {
        tests.push(vec![
            Want::text("Fisher's exact"),
            Want::text(""),
            Want::text(""),
            Want::Near(p, p + 1e-280),
        ]);
    }
    Some(vec![
        vec![counts(groups[0], a, b), counts(groups[1], c, d)],
        vec![
            effect("odds ratio", odds_ratio([a, b, c, d].map(number))),
            effect("risk ratio", risk_ratio([a, b, c, d].map(number))),
            effect("risk difference", risk_difference([a, b, c, d])),
        ],
        tests,
    ])
}

/// A ratio and its interval from the variance of its logarithm.
fn ratio(value: f64, variance: f64) -> [f64; 3] {
    let half = Z * variance.sqrt();
    [value, (value.ln() - half).exp(), (value.ln() + half).exp()]
}

fn odds_ratio([a, b, c, d]: [f64; 4]) -> Option<[f64; 3]> {
    let variance = 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d;
    variance
        .is_finite()
        .then(|| ratio(a * d / (b * c), variance))
}

fn risk_ratio([a, b, c, d]: [f64; 4]) -> Option<[f64; 3]> {
    if a == 0.0 || c == 0.0 {
        return None;
    }
    let variance = 1.0 / a - 1.0 / (a + b) + 1.0 / c - 1.0 / (c + d);
    Some(ratio(a * (c + d) / (c * (a + b)), variance.max(0.0)))
}

/// Newcombe's method 10.
fn risk_difference([a, b, c, d]: [u64; 4]) -> Option<[f64; 3]> {
    let ([p, p_low, p_high], [q, q_low, q_high]) = (wilson(a, a + b)?, wilson(c, c + d)?);
    let down = ((p - p_low).powi(2) + (q_high - q).powi(2)).sqrt();
    let up = ((p_high - p).powi(2) + (q - q_low).powi(2)).sqrt();
    Some([p - q, p - q - down, p - q + up])
}

/// Pearson's test as a row.
fn chi_square(counts: &[Vec<u64>]) -> Vec<Want> {
    let width = counts.first().map_or(0, Vec::len);
    let rows: Vec<u64> = counts.iter().map(|r| r.iter().sum()).collect();
    let columns: Vec<u64> = (0..width)
        .map(|c| counts.iter().map(|r| r[c]).sum())
        .collect();
    let total = number(rows.iter().sum());
    let mut statistic = 0.0;
    for (line, row) in counts.iter().zip(&rows).filter(|(_, n)| **n > 0) {
        for (cell, column) in line.iter().zip(&columns).filter(|(_, n)| **n > 0) {
            let expected = number(*row) * number(*column) / total;
            statistic += (number(*cell) - expected).powi(2) / expected;
        }
    }
    let used = |sums: &[u64]| number(sums.iter().filter(|n| **n > 0).count() as u64);
    let degrees = (used(&rows) - 1.0).max(0.0) * (used(&columns) - 1.0).max(0.0);
    let test = (degrees > 0.0).then(|| (statistic, degrees, chi_square_tail(statistic, degrees)));
    let mut row = vec![Want::text("chi-square")];
    row.extend(Want::test(test));
    row
}

pub fn contingency(known: &Known) -> Wanted {
    let columns = known.values(1);
    let mut counts: Vec<Vec<u64>> = Vec::new();
    let mut table = Vec::new();
    for row in known.values(0) {
        let cell = |column: &&str| known.count(known.row(&[row, column]), 0);
        let line: Vec<Option<u64>> = columns.iter().map(cell).collect();
        let mut wanted = vec![Want::text(row)];
        let shown = |n: &Option<u64>| n.map_or_else(|| Want::text("hidden"), Want::Count);
        wanted.extend(line.iter().map(shown));
        table.push(wanted);
        counts.extend(line.into_iter().collect::<Option<Vec<u64>>>());
    }
    let mut wanted = vec![table];
    if counts.len() == wanted[0].len() {
        wanted.push(vec![chi_square(&counts)]);
    }
    Some(wanted)
}
