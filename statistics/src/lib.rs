//! Epidemiological statistics from released counts and means, never from rows.
//!
//! All intervals are two-sided 95 % intervals. A function returns `None` where the statistic is undefined
//! (each says when) or where a count exceeds [`LARGEST`]; what it returns is always finite.
//!
//! The numbers are binary64, so they are for people to read: two machines may differ in the last digits,
//! and nothing that is signed or compared for equality may be made of them.

mod distribution;
mod fisher;
mod means;
mod number;
mod rates;
mod survival;
mod table;

pub use means::{Sample, Welch, mean, proportion, welch};
pub use number::LARGEST;
pub use rates::{Stratum, rate, ratio, standardised};
pub use survival::{
    Bin, Censored, Group, Point, Times, log_rank, median, median_between, survival,
};
pub use table::{TwoByTwo, contingency};

/// An estimate with its 95 % confidence interval, `lower <= value <= upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

/// A test of a null hypothesis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The test statistic: chi-square or t.
    pub statistic: f64,
    /// Degrees of freedom of its distribution under the null hypothesis; not always whole.
    pub degrees: Option<f64>,
    /// Probability, under the null hypothesis, of a statistic at least as extreme; two-sided.
    pub p: f64,
}

#[cfg(test)]
mod close {
    use super::Estimate;

    /// That `got` is `expected` up to a relative error of 1e-9.
    #[track_caller]
    pub fn close(got: f64, expected: f64) {
        let error = (got - expected).abs();
        assert!(
            error <= 1e-9 * expected.abs().max(f64::MIN_POSITIVE),
            "{got:e} is not {expected:e}"
        );
    }

    /// The same of an estimate, given as value, lower and upper end.
    #[track_caller]
    pub fn close_all(got: Option<Estimate>, [value, lower, upper]: [f64; 3]) {
        let got = got.expect("defined");
        close(got.value, value);
        close(got.lower, lower);
        close(got.upper, upper);
    }
}
