//! Tails and quantiles by numerical integration of densities: slow, and nothing of it is shared with the
//! product's own series and fractions.

use std::f64::consts::{FRAC_PI_2, PI};

/// The 0.975 quantile of the standard normal distribution.
pub const Z: f64 = 1.959_963_984_540_054;

/// ∫ f from a to b by the tanh-sinh rule, which does not mind what f does at the ends.
fn integral(f: impl Fn(f64) -> f64, a: f64, b: f64) -> f64 {
    let (middle, half) = (f64::midpoint(a, b), (b - a) / 2.0);
    let h = 1.0 / 64.0;
    let at = |k: i32| {
        let t = f64::from(k) * h;
        let u = FRAC_PI_2 * t.sinh();
        // The distance to the nearer end, which middle + half·tanh(u) would lose.
        let gap = 2.0 * half / (1.0 + (2.0 * u.abs()).exp());
        let x = if u < 0.0 { a + gap } else { b - gap };
        let x = if k == 0 { middle } else { x };
        f(x) * FRAC_PI_2 * t.cosh() / u.cosh().powi(2)
    };
    h * half * (-220..=220).map(at).sum::<f64>()
}

/// ∫ cos^(df − 1) over angles: t = √df·tan θ has Student's distribution if θ has this density.
fn angles(df: f64, from: f64, to: f64) -> f64 {
    integral(|x| x.cos().max(0.0).powf(df - 1.0), from, to)
}

/// The angle beyond which there is nothing that counts.
fn farthest(df: f64, from: f64) -> f64 {
    (from + 14.0 / df.sqrt()).min(FRAC_PI_2)
}

/// P(|T| ≥ |t|).
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    let angle = (t.abs() / df.sqrt()).atan();
    angles(df, angle, farthest(df, angle)) / angles(df, 0.0, farthest(df, 0.0))
}

/// The 0.975 quantile of Student's distribution.
pub fn student_quantile(df: f64) -> f64 {
    let all = angles(df, 0.0, farthest(df, 0.0));
    let angle = bisect(0.0, farthest(df, 0.0), |x| angles(df, 0.0, x) / all, 0.95);
    df.sqrt() * angle.tan()
}

/// P(χ² ≥ x), over the root of χ².
pub fn chi_square_tail(x: f64, df: f64) -> f64 {
    let density = |u: f64| u.powf(df - 1.0) * ((x - u * u) / 2.0).exp();
    let root = x.sqrt();
    let above = integral(density, root, root + 20.0 + df) * (-x / 2.0).exp();
    let density = |u: f64| u.powf(df - 1.0) * (-u * u / 2.0).exp();
    above / integral(density, 0.0, 20.0 + df)
}

/// Quantile of the gamma distribution of this shape, at least 1, and scale 1.
pub fn gamma_quantile(shape: f64, p: f64) -> f64 {
    let top = (shape - 1.0).max(0.0);
    let highest = if top > 0.0 { top * top.ln() - top } else { 0.0 };
    let density = |x: f64| {
        let power = if top > 0.0 { top * x.ln() } else { 0.0 };
        (power - x - highest).exp()
    };
    let width = 14.0 * shape.sqrt();
    let (from, to) = ((shape - width).max(0.0), shape + width + 60.0);
    let all = integral(density, from, to);
    bisect(from, to, |x| integral(density, from, x) / all, p)
}

/// Where the increasing function f takes a value.
fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64, value: f64) -> f64 {
    for _ in 0..70 {
        let middle = f64::midpoint(low, high);
        if f(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Two-sided p of Fisher's exact test of the table a, b, c, d: the probability of all tables of its margins that
/// are not likelier, by R's rule up to 1e-7.
pub fn fisher([a, b, c, d]: [u64; 4]) -> f64 {
    let (row, column, total) = (a + b, a + c, a + b + c + d);
    let first = (row + column).saturating_sub(total);
    let last = row.min(column);
    // Logarithms of the tables' weights, each from the one before.
    let mut weights = vec![0.0_f64];
    for k in first..last {
        let up = number(row - k).ln() + number(column - k).ln();
        let down = number(k + 1).ln() + number(total + k + 1 - row - column).ln();
        weights.push(weights.last().unwrap() + up - down);
    }
    let own = weights[usize::try_from(a - first).unwrap()];
    let highest = weights.iter().copied().fold(f64::MIN, f64::max);
    let sum = |limit: f64| -> f64 {
        let not_likelier = weights.iter().filter(|w| **w <= limit);
        not_likelier.map(|w| (w - highest).exp()).sum()
    };
    sum(own + 1e-7) / sum(f64::MAX)
}

/// A count as a number.
#[allow(clippy::cast_precision_loss)]
pub fn number(n: u64) -> f64 {
    n as f64
}

#[test]
fn known_values() {
    let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-10 * b.abs(), "{a} is not {b}");
    near(integral(f64::sin, 0.0, PI), 2.0);
    // With one degree of freedom the tangent, with two in closed form.
    near(student_quantile(1.0), (0.475 * PI).tan());
    near(
        student_quantile(2.0),
        0.95 * (2.0_f64 / (0.975 * 0.025 * 4.0)).sqrt(),
    );
    near(student_two_sided(1.0, 1.0), 0.5);
    near(chi_square_tail(Z * Z, 1.0), 0.05);
    near(chi_square_tail(300.0, 2.0), (-150.0_f64).exp());
    near(gamma_quantile(1.0, 0.975), -(0.025_f64.ln()));
    // Tea tasting: 1 + 16 of 70 tables on either side.
    near(fisher([3, 1, 1, 3]), 34.0 / 70.0);
}
