//! Contingency tables.

use super::distribution::chi_square_tail;
use super::fisher::Margins;
use super::means::proportion;
use super::number::{count, estimate, logarithmic, sum};
use super::{Estimate, Test};

/// Patients by exposure and outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoByTwo {
    /// Exposed patients with the outcome.
    pub exposed_cases: u64,
    /// Exposed patients without the outcome.
    pub exposed_others: u64,
    /// Patients not exposed, with the outcome.
    pub unexposed_cases: u64,
    /// Patients not exposed, without the outcome.
    pub unexposed_others: u64,
}

impl TwoByTwo {
    /// Odds ratio with Woolf's interval on the logarithmic scale (Woolf 1955).
    ///
    /// `None` if a cell is 0; nothing is added to the cells.
    #[must_use]
    pub fn odds_ratio(&self) -> Option<Estimate> {
        let [a, b, c, d] = self.cells()?;
        if [a, b, c, d].contains(&0.0) {
            return None;
        }
        let error = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
        logarithmic((a / b) / (c / d), error)
    }

    /// Risk of the exposed by that of the others, with the interval on the logarithmic scale (Katz 1978).
    ///
    /// `None` if there are no cases among the exposed or among the others. If all patients are cases, the
    /// interval is the estimate 1.
    #[must_use]
    pub fn risk_ratio(&self) -> Option<Estimate> {
        let [a, b, c, d] = self.cells()?;
        if a == 0.0 || c == 0.0 {
            return None;
        }
        let (exposed, unexposed) = (a + b, c + d);
        // b / (a·n) is 1/a − 1/n without cancellation.
        let error = (b / (a * exposed) + d / (c * unexposed)).sqrt();
        logarithmic((a / exposed) / (c / unexposed), error)
    }

    /// Risk of the exposed minus that of the others, with the hybrid score interval (Newcombe 1998, method 10).
    ///
    /// `None` if nobody, or everybody, is exposed.
    #[must_use]
    pub fn risk_difference(&self) -> Option<Estimate> {
        let Self {
            exposed_cases: a,
            exposed_others: b,
            unexposed_cases: c,
            unexposed_others: d,
        } = *self;
        let exposed = proportion(a, sum([a, b])?)?;
        let unexposed = proportion(c, sum([c, d])?)?;
        let value = exposed.value - unexposed.value;
        let down = (exposed.value - exposed.lower).hypot(unexposed.upper - unexposed.value);
        let up = (exposed.upper - exposed.value).hypot(unexposed.value - unexposed.lower);
        estimate(value, value - down, value + up)
    }

    /// Pearson's chi-square test of independence, uncorrected, with one degree of freedom.
    ///
    /// `None` if nobody or everybody is exposed, or a case.
    #[must_use]
    pub fn chi_square(&self) -> Option<Test> {
        contingency(&[
            vec![self.exposed_cases, self.exposed_others],
            vec![self.unexposed_cases, self.unexposed_others],
        ])
    }

    /// Two-sided p of Fisher's exact test, by R's rule: the probability, given the margins, of all tables
    /// not likelier than this one times 1 + 1e-7.
    ///
    /// It is 1 if nobody or everybody is exposed, or a case, and 0 where it would be below about 1e-300.
    /// `None` of an empty table, and if the patients are more than [`LARGEST`](super::LARGEST).
    #[must_use]
    pub fn fisher(&self) -> Option<f64> {
        let cells = [
            self.exposed_cases,
            self.exposed_others,
            self.unexposed_cases,
            self.unexposed_others,
        ];
        let total = sum(cells).filter(|n| *n > 0)?;
        let margins = Margins {
            total,
            row: cells[0] + cells[1],
            column: cells[0] + cells[2],
        };
        Some(margins.two_sided(self.exposed_cases))
    }

    fn cells(&self) -> Option<[f64; 4]> {
        Some([
            count(self.exposed_cases)?,
            count(self.exposed_others)?,
            count(self.unexposed_cases)?,
            count(self.unexposed_others)?,
        ])
    }
}

/// Pearson's chi-square test of independence of rows and columns.
///
/// Rows and columns without patients are left out. `None` if the rows differ in length, or fewer than two
/// rows or columns are left.
#[must_use]
pub fn contingency(rows: &[Vec<u64>]) -> Option<Test> {
    let width = rows.first()?.len();
    if rows.iter().any(|row| row.len() != width) {
        return None;
    }
    let of_row = |row: &Vec<u64>| count(sum(row.iter().copied())?);
    let of_column = |column| count(sum(rows.iter().map(|row: &Vec<u64>| row[column]))?);
    let in_rows = rows.iter().map(of_row).collect::<Option<Vec<_>>>()?;
    let in_columns = (0..width).map(of_column).collect::<Option<Vec<_>>>()?;
    let total = count(sum(rows.iter().flatten().copied())?)?;
    let mut statistic = 0.0;
    for (row, in_row) in rows.iter().zip(&in_rows) {
        for (cell, in_column) in row.iter().zip(&in_columns) {
            let expected = in_row * in_column / total;
            if expected > 0.0 {
                statistic += (count(*cell)? - expected).powi(2) / expected;
            }
        }
    }
    let free = |sums: &[f64]| sums.iter().filter(|s| **s > 0.0).skip(1).count() as f64;
    let degrees = free(&in_rows) * free(&in_columns);
    if degrees < 1.0 {
        return None;
    }
    Some(Test {
        statistic,
        degrees: Some(degrees),
        p: chi_square_tail(statistic, degrees)?,
    })
}

#[cfg(test)]
mod tests;
