//! Means and proportions.

use super::distribution::{student_quantile, student_two_sided};
use super::number::{Z, count, estimate};
use super::{Estimate, Test};

/// What is known of a numeric field in a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Number of patients.
    pub n: u64,
    /// Arithmetic mean, in the field's unit.
    pub mean: f64,
    /// Sample variance, with n − 1 in the denominator, in the square of the field's unit.
    pub variance: f64,
}

impl Sample {
    /// The squared standard error of the mean and its degrees of freedom.
    ///
    /// `None` for fewer than two patients, and unless mean and variance are finite and the variance is not
    /// negative.
    fn error(&self) -> Option<(f64, f64)> {
        let usable = self.n >= 2
            && self.mean.is_finite()
            && self.variance.is_finite()
            && self.variance >= 0.0;
        let n = count(self.n).filter(|_| usable)?;
        Some((self.variance / n, n - 1.0))
    }
}

/// Welch's comparison of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The first mean minus the second, in the field's unit.
    pub difference: Estimate,
    /// That the means are equal.
    pub test: Test,
}

/// The mean with Student's interval.
///
/// `None` for fewer than two patients, and if mean or variance are no possible ones. If the variance is 0,
/// the interval is the mean.
#[must_use]
pub fn mean(sample: Sample) -> Option<Estimate> {
    let (square, degrees) = sample.error()?;
    around(sample.mean, square, degrees)
}

/// The difference of two means and the test that it is 0, without assuming equal variances (Welch 1947,
/// degrees of freedom by Satterthwaite).
///
/// `None` where [`mean`] is for either, and if both variances are 0.
#[must_use]
pub fn welch(a: Sample, b: Sample) -> Option<Welch> {
    let ((of_a, degrees_a), (of_b, degrees_b)) = (a.error()?, b.error()?);
    let square = of_a + of_b;
    if square <= 0.0 {
        return None;
    }
    // By shares, so that no power of a variance is too large or too small.
    let (share_a, share_b) = (of_a / square, of_b / square);
    let degrees = 1.0 / (share_a * share_a / degrees_a + share_b * share_b / degrees_b);
    let value = a.mean - b.mean;
    let statistic = value / square.sqrt();
    if !statistic.is_finite() || !degrees.is_finite() {
        return None;
    }
    Some(Welch {
        difference: around(value, square, degrees)?,
        test: Test {
            statistic,
            degrees: Some(degrees),
            p: student_two_sided(statistic, degrees)?,
        },
    })
}

fn around(value: f64, square: f64, degrees: f64) -> Option<Estimate> {
    let half = student_quantile(degrees)? * square.sqrt();
    estimate(value, value - half, value + half)
}

/// Share of `successes` among `n` with Wilson's score interval (Wilson 1927).
///
/// `None` if n is 0 or smaller than the successes.
#[must_use]
pub fn proportion(successes: u64, n: u64) -> Option<Estimate> {
    if n == 0 || successes > n {
        return None;
    }
    let (x, all) = (count(successes)?, count(n)?);
    let others = all - x;
    let middle = x + Z * Z / 2.0;
    let half = Z * (x * others / all + Z * Z / 4.0).sqrt();
    let width = all + Z * Z;
    // At either end the bound is the end itself, which rounding would miss.
    let lower = if x > 0.0 {
        (middle - half) / width
    } else {
        0.0
    };
    let upper = if others > 0.0 {
        (middle + half) / width
    } else {
        1.0
    };
    estimate(x / all, lower, upper)
}

#[cfg(test)]
mod tests;
