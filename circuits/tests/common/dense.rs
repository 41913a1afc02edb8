//! A sumcheck over dense columns, as plain as `docs/spec/equation.md` has it.

use ark_ff::{Field, One, Zero};
use galen_circuits::{Fr, multilinear::eq_table, sumcheck::Message};

/// Σ coefficient·Π columns, by their numbers.
pub type Terms = Vec<(Fr, Vec<usize>)>;

/// Multilinear columns of the variables that are not bound yet.
pub struct Dense(pub Vec<Vec<Fr>>);

impl Dense {
    pub fn push(&mut self, column: Vec<Fr>) -> usize {
        self.0.push(column);
        self.0.len() - 1
    }

    /// A round's message: g(0), g₂, g₃, g₄ with eq of the lower variables only, and u(0), u₂, u₃, u₄.
    pub fn message(&self, constraints: &Terms, sum: &Terms, t_below: &[Fr]) -> Message {
        let weights = eq_table(t_below);
        let ones = vec![Fr::one(); weights.len()];
        let [g, u] = [(constraints, &weights), (sum, &ones)].map(|(terms, weights)| {
            let mut values = [Fr::zero(); 5];
            for (i, weight) in weights.iter().enumerate() {
                for (x, value) in (0u64..).zip(&mut values) {
                    *value += *weight * self.at(terms, i, weights.len(), Fr::from(x));
                }
            }
            coefficients(values)
        });
        [g[0], g[2], g[3], g[4], u[0], u[2], u[3], u[4]]
    }

    fn at(&self, terms: &Terms, i: usize, half: usize, x: Fr) -> Fr {
        let column = |c: &usize| {
            let (low, high) = (self.0[*c][i], self.0[*c][i + half]);
            low + (high - low) * x
        };
        let terms = terms.iter();
        terms
            .map(|(k, columns)| *k * columns.iter().map(column).product::<Fr>())
            .sum()
    }

    /// Binds the highest variable.
    pub fn bind(&mut self, r: Fr) {
        for column in &mut self.0 {
            let high = column.split_off(column.len() / 2);
            let pairs = column.iter_mut().zip(high);
            pairs.for_each(|(low, high)| *low += (high - *low) * r);
        }
    }
}

/// Of the polynomial of degree 4 with these values at 0, 1, 2, 3, 4.
fn coefficients(values: [Fr; 5]) -> [Fr; 5] {
    let mut out = [Fr::zero(); 5];
    for (i, value) in values.into_iter().enumerate() {
        let mut basis = vec![Fr::one()];
        let mut scale = Fr::one();
        for j in (0..5).filter(|j| *j != i) {
            let (i, j) = (Fr::from(i as u64), Fr::from(j as u64));
            scale *= i - j;
            basis.push(Fr::zero());
            for k in (0..basis.len()).rev() {
                let below = if k == 0 { Fr::zero() } else { basis[k - 1] };
                basis[k] = below - j * basis[k];
            }
        }
        let scale = value * scale.inverse().unwrap();
        out.iter_mut().zip(basis).for_each(|(o, b)| *o += scale * b);
    }
    out
}

/// Σ eq(r, i)·v_i over the values that are there.
pub fn evaluate(values: &[Fr], r: &[Fr]) -> Fr {
    values.iter().zip(eq_table(r)).map(|(v, eq)| *v * eq).sum()
}
