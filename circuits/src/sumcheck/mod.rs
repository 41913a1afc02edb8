//! The sumcheck of the one equation (`docs/spec/equation.md`, "Sumcheck"): that Σ_i eq(t, i)·G(i) = 0 and
//! Σ_i U(i) = RHS, both at one point r.
//!
//! A round sends g(0), g₂, g₃, g₄ of the first polynomial with its factor eq(t_j, ·) taken out (Gruen,
//! eprint 2024/108) and u(0), u₂, u₃, u₄ of the second; the rest follows from the claims. Variables are bound
//! from the highest down.

mod columns;
mod engine;
mod kernel;
mod number;
mod rounds;
mod source;
mod weights;

use crate::Fr;

pub(crate) use columns::{Finished, ShortSlot, Tables, prove};
pub(crate) use source::{Chi, Rows, WideSlot, build};

/// Coefficients of one round: g(0), g₂, g₃, g₄, u(0), u₂, u₃, u₄.
pub type Message = [Fr; MESSAGE];

/// Field elements of a round's message: what fills the sponge's rate once.
pub const MESSAGE: usize = 8;

/// The two claims of a round: c for the constraints, v for the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Σ eq·G with the bound variables' eq taken out.
    pub constraints: Fr,
    /// Σ U.
    pub sum: Fr,
}

impl Claims {
    /// δ = g(1) − g(0), which the claim determines: t_j·δ = c − g(0). `inverse` is 1/t_j.
    #[must_use]
    pub fn delta(&self, message: &Message, inverse: Fr) -> Fr {
        (self.constraints - message[0]) * inverse
    }

    /// The claims of the next round, given δ.
    #[must_use]
    pub fn next(&self, m: &Message, delta: Fr, r: Fr) -> Self {
        let g1 = delta - m[1] - m[2] - m[3];
        let u1 = self.sum - m[4] - m[4] - m[5] - m[6] - m[7];
        let horner = |c: [Fr; 5]| c.into_iter().reduce(|acc, c| acc * r + c);
        let evaluate = |c| horner(c).expect("five coefficients");
        Self {
            constraints: evaluate([m[3], m[2], m[1], g1, m[0]]),
            sum: evaluate([m[7], m[6], m[5], u1, m[4]]),
        }
    }
}

#[cfg(test)]
mod tests;
