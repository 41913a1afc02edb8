//! Regions as sums and differences of counts.
//!
//! Where a region's indicator over the atoms is a linear combination of those of counts, its size is that combination of the counts, whatever
//! the table holds. So it can be proven of cells that stay hidden.

use num_rational::Ratio;
use num_traits::{CheckedDiv, CheckedMul, CheckedSub, Zero};

/// Σ coefficient·count = times · the region's size, with the counts' places in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The counts, by their places, and how often each is used.
    pub terms: Vec<(usize, i64)>,
    /// How often the region's size is in their sum.
    pub times: i64,
}

impl Form {
    /// Whether this count is among those it is made of.
    pub fn uses(&self, count: usize) -> bool {
        self.counts().any(|at| at == count)
    }

    /// The counts that it is made of.
    pub fn counts(&self) -> impl Iterator<Item = usize> {
        self.terms.iter().map(|(at, _)| *at)
    }
}

type Fraction = Ratio<i64>;

/// A vector with how it is made of the counts.
#[derive(Debug, Clone)]
struct Made {
    vector: Vec<Fraction>,
    of: Vec<Fraction>,
}

/// The counts' indicators, brought to echelon form once.
#[derive(Debug)]
pub(super) struct Span {
    /// Reduced indicators with the place that each leads.
    rows: Vec<(usize, Made)>,
    counts: usize,
}

impl Span {
    /// Of indicators over the same atoms, and of `zeros`, which are 0 of every table. An indicator that follows from those before it
    /// is not used.
    pub fn of(zeros: &[Vec<i8>], indicators: &[Vec<i8>]) -> Self {
        let mut span = Self {
            rows: Vec::new(),
            counts: indicators.len(),
        };
        for zero in zeros {
            span.add(span.made(zero, None));
        }
        for (at, indicator) in indicators.iter().enumerate() {
            span.add(span.made(indicator, Some(at)));
        }
        span
    }

    fn made(&self, vector: &[i8], count: Option<usize>) -> Made {
        let unit = |c: usize| Fraction::from_integer(i64::from(Some(c) == count));
        Made {
            vector: vector.iter().map(|c| i64::from(*c).into()).collect(),
            of: (0..self.counts).map(unit).collect(),
        }
    }

    fn add(&mut self, mut row: Made) {
        // Where a number is too large, fewer regions have forms.
        let Some(()) = self.reduce(&mut row) else {
            return;
        };
        let Some(lead) = row.vector.iter().position(|v| !v.is_zero()) else {
            return;
        };
        let scale = row.vector[lead];
        let all = row.vector.iter_mut().chain(&mut row.of);
        let scaled = all.map(|v| v.checked_div(&scale).map(|q| *v = q));
        if scaled.collect::<Option<()>>().is_some() {
            self.rows.push((lead, row));
        }
    }

    /// Takes from a row what the span's rows make of it; `None` if a number grows too large.
    fn reduce(&self, row: &mut Made) -> Option<()> {
        for (lead, own) in &self.rows {
            let times = row.vector[*lead];
            if times.is_zero() {
                continue;
            }
            let less = |to: &mut [Fraction], from: &[Fraction]| {
                let mut pairs = to.iter_mut().zip(from).filter(|(_, f)| !f.is_zero());
                pairs.try_for_each(|(t, f)| {
                    *t = t.checked_sub(&times.checked_mul(f)?)?;
                    Some(())
                })
            };
            less(&mut row.vector, &own.vector)?;
            less(&mut row.of, &own.of)?;
        }
        Some(())
    }

    /// A region's size in terms of the counts, if it follows from them.
    pub fn form(&self, region: &[i8]) -> Option<Form> {
        let mut row = self.made(region, None);
        self.reduce(&mut row)?;
        if row.vector.iter().any(|v| !v.is_zero()) {
            return None;
        }
        let mut denominators = row.of.iter().map(|v| *v.denom());
        let times = denominators.try_fold(1, least_multiple)?;
        let term = |v: &Fraction| i64::checked_mul(*v.numer(), -(times / v.denom()));
        let terms: Option<Vec<i64>> = row.of.iter().map(term).collect();
        let terms = terms?.into_iter().enumerate();
        Some(Form {
            terms: terms.filter(|(_, c)| *c != 0).collect(),
            times,
        })
    }
}

fn least_multiple(a: i64, b: i64) -> Option<i64> {
    let gcd = |mut a: i64, mut b: i64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (a / gcd(a, b)).checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Atoms: neither, a alone, b alone, both.
    #[test]
    fn a_region_is_a_sum_of_counts() {
        let (all, a, b) = (vec![1, 1, 1, 1], vec![0, 1, 0, 1], vec![0, 0, 1, 1]);
        let either = vec![0, 1, 1, 1];
        let span = Span::of(&[], &[all, a, b, either]);
        let form = |region: &[i8]| span.form(region);
        let both = form(&[0, 0, 0, 1]).unwrap();
        assert_eq!((both.terms, both.times), (vec![(1, 1), (2, 1), (3, -1)], 1));
        let neither = form(&[1, 0, 0, 0]).unwrap();
        assert_eq!((neither.terms, neither.times), (vec![(0, 1), (3, -1)], 1));
        let two = Span::of(&[], &[vec![1, 1, 1, 1], vec![0, 1, 0, 1]]);
        assert_eq!(two.form(&[0, 0, 0, 1]), None);
        // a and b, b and c, c and a: each alone is half of a sum.
        let three = Span::of(&[], &[vec![1, 1, 0], vec![0, 1, 1], vec![1, 0, 1]]);
        let one = three.form(&[1, 0, 0]).unwrap();
        assert_eq!((one.terms, one.times), (vec![(0, 1), (1, -1), (2, 1)], 2));
    }
}
