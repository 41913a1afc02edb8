//! Tails and quantiles of the chi-square, gamma and Student distributions.

use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};
use std::f64::consts::PI;

use super::number::{LARGEST, Z, count};

/// Probability that chi-square with so many degrees of freedom (positive) exceeds `x`, finite.
pub fn chi_square_tail(x: f64, degrees: f64) -> Option<f64> {
    if x / 2.0 <= 0.0 {
        return Some(1.0);
    }
    checked_gamma_ur(degrees / 2.0, x / 2.0).ok()
}

/// Quantile of the gamma distribution with this shape and scale 1; `None` unless 1 <= shape <= 2 · [`LARGEST`].
///
/// The intervals that use it have no smaller shapes, and those far below 1 are beyond statrs's precision.
pub fn gamma_quantile(shape: f64, probability: f64) -> Option<f64> {
    if !(1.0..=2.0 * count(LARGEST)?).contains(&shape) {
        return None;
    }
    Some(Gamma::new(shape, 1.0).ok()?.inverse_cdf(probability))
}

// Student's distribution is here because statrs 0.19.1 loses the 0.975 quantile as the degrees of
// freedom grow (3e-6 off at 10^5, 1.8266 at 10^7) and does not return at 10^9.

/// Probability that |T| exceeds |t|, for Student's T with `degrees` of freedom, at least 1.
///
/// It is I(degrees/2, 1/2) at degrees / (degrees + t²), the regularised incomplete beta function
/// (Abramowitz and Stegun 26.5.27 and 26.5.8). From 10^4 degrees of freedom on, where the continued fraction
/// loses digits, it is the tail of the normal deviate that corresponds to t.
pub fn student_two_sided(t: f64, degrees: f64) -> Option<f64> {
    let odds = t / degrees * t;
    if degrees >= 1e4 {
        // Its square is chi-square; statrs's erfc has but 11 digits.
        return chi_square_tail(normal_deviate(odds, degrees).powi(2), 1.0);
    }
    let (a, b) = (degrees / 2.0, 0.5);
    let (x, rest) = (1.0 / (1.0 + odds), 1.0 / (1.0 + 1.0 / odds));
    if rest <= 0.0 {
        return Some(1.0);
    }
    let front = (ln_half_step(a) - PI.ln() / 2.0 - a * odds.ln_1p() + b * rest.ln()).exp();
    let p = if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x)? / a
    } else {
        1.0 - front * beta_fraction(b, a, rest)? / b
    };
    p.is_finite().then_some(p.clamp(0.0, 1.0))
}

/// The normal deviate with the same tail as t, where `odds` is t² / degrees (Hill 1970, CACM algorithm 395).
///
/// From 10^4 degrees of freedom on it is as good as exact: the terms left out are of order a^-6.
fn normal_deviate(odds: f64, degrees: f64) -> f64 {
    let a = degrees - 0.5;
    let b = 48.0 * a * a;
    // Beyond, the tail is 0 anyway.
    let y = (a * odds.ln_1p()).min(1e4);
    let second = (((0.4 * y + 3.3) * y + 24.0) * y + 85.5) / (0.8 * y * y + 100.0 + b);
    y.sqrt() * (1.0 + (y + 3.0 - second) / b)
}

/// The 0.975 quantile of Student's distribution with `degrees` of freedom, at least 1.
pub fn student_quantile(degrees: f64) -> Option<f64> {
    let scale = 2.0 * (ln_half_step(degrees / 2.0) - (degrees * PI).ln() / 2.0).exp();
    let (mut t, mut before) = (Z, f64::INFINITY);
    // The tail is convex and t starts left of the quantile, so Newton's steps only approach it from there, until the
    // tail's rounding makes steps of its own, which do not shrink any more.
    for _ in 0..100 {
        let slope = scale * (-(degrees + 1.0) / 2.0 * (t / degrees * t).ln_1p()).exp();
        let step = (student_two_sided(t, degrees)? - 0.05) / slope;
        t += step;
        let is_noise = before <= 1e-10 * t && step.abs() >= before;
        if step.abs() <= 1e-13 * t || is_noise {
            return t.is_finite().then_some(t);
        }
        before = step.abs();
    }
    None
}

/// ln Γ(a + 1/2) − ln Γ(a).
fn ln_half_step(a: f64) -> f64 {
    if a < 50.0 {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    // The two logarithms of a large a would cancel; the series' next term is below 1e-14.
    let square = a * a;
    a.ln() / 2.0 - (1.0 - (1.0 / 24.0 - 1.0 / (80.0 * square)) / square) / (8.0 * a)
}

/// The continued fraction of the incomplete beta function by Lentz's method, for x < (a + 1) / (a + b + 2).
fn beta_fraction(a: f64, b: f64, x: f64) -> Option<f64> {
    let nonzero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000_u32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / nonzero(1.0 + term * d);
            c = nonzero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() <= 4.0 * f64::EPSILON {
            return Some(fraction);
        }
    }
    None
}

#[cfg(test)]
mod tests;
