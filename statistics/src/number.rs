//! Counts as floating-point numbers, and the normal quantile.

use super::Estimate;

/// The largest count taken, 2^40: more patients than there are.
///
/// Up to here sums and conversions are exact and every loop ends within a second, whatever is asked.
pub const LARGEST: u64 = 1 << 40;

/// The 0.975 quantile of the standard normal distribution, which makes 95 % intervals.
pub const Z: f64 = 1.959_963_984_540_054;

/// A count as a number; `None` above [`LARGEST`].
pub fn count(n: u64) -> Option<f64> {
    // Exact: below 2^53.
    (n <= LARGEST).then_some(n as f64)
}

/// Sum of counts; `None` above [`LARGEST`].
pub fn sum(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts
        .into_iter()
        .try_fold(0_u64, u64::checked_add)
        .filter(|n| *n <= LARGEST)
}

/// The estimate, if all three numbers are finite.
pub fn estimate(value: f64, lower: f64, upper: f64) -> Option<Estimate> {
    let finite = value.is_finite() && lower.is_finite() && upper.is_finite();
    finite.then_some(Estimate {
        value,
        lower,
        upper,
    })
}

/// A positive estimate whose logarithm has this standard error: value · exp(± z · error).
pub fn logarithmic(value: f64, error: f64) -> Option<Estimate> {
    let factor = (Z * error).exp();
    estimate(value, value / factor, value * factor)
}
