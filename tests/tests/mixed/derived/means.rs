//! Means and proportions.

use crate::distribution::{Z, number, student_quantile, student_two_sided};

use super::{Known, Want, Wanted};

/// Number, mean and variance of a group.
type Sample = (u64, f64, f64);

fn sample(known: &Known, row: usize, is_variance: bool) -> Option<Sample> {
    let (mean, spread) = (known.number(row, 0)?, known.number(row, 1)?);
    let variance = if is_variance { spread } else { spread * spread };
    Some((known.count(row, 2)?, mean, variance))
}

/// A mean with Student's interval.
fn mean((n, mean, variance): Sample) -> Vec<Want> {
    let half = student_quantile(number(n) - 1.0) * (variance / number(n)).sqrt();
    Want::interval(Some([mean, mean - half, mean + half]))
}

pub fn means(known: &Known, is_variance: bool) -> Wanted {
    let row = |row: usize| {
        let mut wanted = vec![known.name(row)];
        match sample(known, row, is_variance) {
            None => wanted.extend(vec![Want::Missing; 4]),
            Some(sample) => {
                wanted.push(Want::Count(sample.0));
                wanted.extend(mean(sample));
            }
        }
        wanted
    };
    Some(vec![(0..known.rows()).map(row).collect()])
}

pub fn welch(known: &Known, is_variance: bool, groups: [&str; 2]) -> Wanted {
    let of = |group: &str| sample(known, known.row(&[group]), is_variance);
    let samples = [of(groups[0])?, of(groups[1])?];
    let rows = groups.iter().zip(samples).map(|(group, sample)| {
        let mut wanted = vec![Want::text(group), Want::Count(sample.0)];
        wanted.extend(mean(sample));
        wanted
    });
    let mut difference = vec![Want::Text(format!("{} − {}", groups[0], groups[1]))];
    difference.extend(compare(samples));
    Some(vec![rows.collect(), vec![difference]])
}

/// The difference with its interval, and Welch's test.
fn compare([a, b]: [Sample; 2]) -> Vec<Want> {
    let (of_a, of_b) = (a.2 / number(a.0), b.2 / number(b.0));
    let error = (of_a + of_b).sqrt();
    if error == 0.0 {
        return vec![Want::Missing; 6];
    }
    let degrees = (of_a + of_b).powi(2)
        / (of_a.powi(2) / (number(a.0) - 1.0) + of_b.powi(2) / (number(b.0) - 1.0));
    let (difference, half) = (a.1 - b.1, student_quantile(degrees) * error);
    let t = difference / error;
    let mut wanted = Want::interval(Some([difference, difference - half, difference + half]));
    wanted.extend(Want::test(Some((
        t,
        degrees,
        student_two_sided(t, degrees),
    ))));
    wanted
}

/// A share with Wilson's interval.
pub fn wilson(cases: u64, total: u64) -> Option<[f64; 3]> {
    if total == 0 {
        return None;
    }
    let (n, p) = (number(total), number(cases) / number(total));
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some([p, middle - half, middle + half])
}

pub fn proportions(known: &Known) -> Wanted {
    let row = |row: usize| {
        let mut wanted = vec![known.name(row)];
        match (known.count(row, 0), known.count(row, 1)) {
            (Some(cases), Some(total)) => {
                wanted.extend([Want::Count(cases), Want::Count(total)]);
                let share = wilson(cases, total);
                wanted.extend(match share {
                    // Ends of the interval may be 0 up to rounding.
                    Some(all) => all.map(|v| Want::Near(v, 1.0)).to_vec(),
                    None => Want::interval(None),
                });
            }
            _ => wanted.extend(vec![Want::Missing; 5]),
        }
        wanted
    };
    Some(vec![(0..known.rows()).map(row).collect()])
}
