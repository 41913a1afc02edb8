//! Regions as sums and differences of counts.
//!
//! Where a region's indicator over the atoms is a linear combination of those of counts, its size is that combination of the counts, whatever
//! the table holds. So it can be proven of cells that stay hidden.

use num_rational::Ratio;
use num_traits::{One, Zero};

/// Σ coefficient·count = times · the region's size, with the counts' places in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub terms: Vec<(usize, i64)>,
    pub times: i64,
}

type Fraction = Ratio<i128>;

/// The counts' indicators, brought to echelon form once.
#[derive(Debug)]
pub(super) struct Span {
    /// A reduced indicator with the atom that it leads, and how it is made of the counts.
    rows: Vec<(usize, Vec<Fraction>, Vec<Fraction>)>,
    counts: usize,
}

impl Span {
    /// Of indicators over the same atoms. Where one follows from those before it, it is not used.
    pub fn of(indicators: &[Vec<i64>]) -> Self {
        let mut span = Self {
            rows: Vec::new(),
            counts: indicators.len(),
        };
        for (at, indicator) in indicators.iter().enumerate() {
            let mut made = vec![Fraction::zero(); indicators.len()];
            made[at] = Fraction::one();
            let row: Vec<Fraction> = indicator.iter().map(|c| fraction(*c)).collect();
            span.add(row, made);
        }
        span
    }

    fn add(&mut self, mut row: Vec<Fraction>, mut made: Vec<Fraction>) {
        self.reduce(&mut row, &mut made);
        let Some(lead) = row.iter().position(|v| !v.is_zero()) else {
            return;
        };
        let scale = row[lead];
        row.iter_mut().chain(&mut made).for_each(|v| *v /= scale);
        self.rows.push((lead, row, made));
    }

    /// Takes from a row what the span's rows make of it.
    fn reduce(&self, row: &mut [Fraction], made: &mut [Fraction]) {
        for (lead, own, own_made) in &self.rows {
            let times = row[*lead];
            if times.is_zero() {
                continue;
            }
            let less = |to: &mut [Fraction], from: &[Fraction]| {
                to.iter_mut().zip(from).for_each(|(t, f)| *t -= times * f);
            };
            less(row, own);
            less(made, own_made);
        }
    }

    /// A region's size in terms of the counts, if it follows from them.
    pub fn form(&self, region: &[i64]) -> Option<Form> {
        let mut row: Vec<Fraction> = region.iter().map(|c| fraction(*c)).collect();
        let mut made = vec![Fraction::zero(); self.counts];
        self.reduce(&mut row, &mut made);
        if row.iter().any(|v| !v.is_zero()) {
            return None;
        }
        let times = made
            .iter()
            .fold(1_i128, |n, v| least_multiple(n, *v.denom()));
        let term = |v: &Fraction| i64::try_from(-(v * times).to_integer()).ok();
        let terms: Option<Vec<i64>> = made.iter().map(term).collect();
        let terms = terms?.into_iter().enumerate();
        Some(Form {
            terms: terms.filter(|(_, c)| *c != 0).collect(),
            times: i64::try_from(times).ok()?,
        })
    }
}

fn least_multiple(a: i128, b: i128) -> i128 {
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    a / gcd(a, b) * b
}

fn fraction(n: i64) -> Fraction {
    Fraction::from_integer(n.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Atoms: neither, a alone, b alone, both.
    #[test]
    fn a_region_is_a_sum_of_counts() {
        let (all, a, b) = (vec![1, 1, 1, 1], vec![0, 1, 0, 1], vec![0, 0, 1, 1]);
        let either = vec![0, 1, 1, 1];
        let span = Span::of(&[all, a, b, either]);
        let form = |region: &[i64]| span.form(region);
        let both = form(&[0, 0, 0, 1]).unwrap();
        assert_eq!((both.terms, both.times), (vec![(1, 1), (2, 1), (3, -1)], 1));
        let neither = form(&[1, 0, 0, 0]).unwrap();
        assert_eq!((neither.terms, neither.times), (vec![(0, 1), (3, -1)], 1));
        let two = Span::of(&[vec![1, 1, 1, 1], vec![0, 1, 0, 1]]);
        assert_eq!(two.form(&[0, 0, 0, 1]), None);
        // a and b, b and c, c and a: each alone is half of a sum.
        let three = Span::of(&[vec![1, 1, 0], vec![0, 1, 1], vec![1, 0, 1]]);
        let one = three.form(&[1, 0, 0]).unwrap();
        assert_eq!((one.terms, one.times), (vec![(0, 1), (1, -1), (2, 1)], 2));
    }
}
