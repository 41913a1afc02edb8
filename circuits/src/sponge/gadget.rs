//! The sponge as constraints: three for an S-box, 3·(R_F·width + R_P) for a permutation.

use ark_ff::Field;

use super::parameters::{FullRound, Parameters, parameters};
use crate::Fr;
use crate::r1cs::{Builder, Var};

/// The same duplex as [`super::Sponge`], over circuit variables.
#[derive(Clone)]
pub struct SpongeVar {
    parameters: &'static Parameters,
    state: Vec<Var>,
    used: usize,
    squeezing: bool,
}

impl SpongeVar {
    /// An empty sponge of `width` elements, one of which is the capacity.
    ///
    /// # Panics
    /// If the width is not in [`super::WIDTHS`].
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            parameters: parameters(width),
            state: vec![Var::zero(); width],
            used: 0,
            squeezing: false,
        }
    }

    fn permute(&mut self, builder: &mut Builder) {
        permute(self.parameters, builder, &mut self.state);
        self.used = 0;
    }

    fn is_used_up(&self) -> bool {
        self.used == self.parameters.width - 1
    }

    /// Absorbs variables in their order.
    pub fn absorb(&mut self, builder: &mut Builder, elements: &[Var]) {
        if elements.is_empty() {
            return;
        }
        if std::mem::take(&mut self.squeezing) {
            self.used = 0;
        }
        for element in elements {
            if self.is_used_up() {
                self.permute(builder);
            }
            self.used += 1;
            self.state[self.used] = &self.state[self.used] + element;
        }
    }

    /// Squeezes one element: a linear combination of the last round's S-boxes, `width` + 1 terms.
    pub fn squeeze(&mut self, builder: &mut Builder) -> Var {
        if !self.squeezing || self.is_used_up() {
            self.permute(builder);
            self.squeezing = true;
        }
        self.used += 1;
        self.state[self.used].clone()
    }
}

/// In a partial round every element is a combination of all S-boxes since the last full round:
/// at most `width` + R_P terms, which only full rounds reset.
fn permute(p: &Parameters, builder: &mut Builder, state: &mut [Var]) {
    for round in &p.first {
        full(round, builder, state);
    }
    for round in &p.partial {
        state[0] = fifth_power(builder, &state[0], round.constant);
        let x = state[0].clone();
        state[0] = Var::dot(&round.top, state);
        for (s, c) in state[1..].iter_mut().zip(&round.column) {
            *s = Var::linear(&[(Fr::ONE, s), (*c, &x)]);
        }
    }
    for round in &p.last {
        full(round, builder, state);
    }
}

fn full(round: &FullRound, builder: &mut Builder, state: &mut [Var]) {
    for (s, c) in state.iter_mut().zip(&round.constants) {
        *s = fifth_power(builder, s, *c);
    }
    let powers = state.to_vec();
    for (s, row) in state.iter_mut().zip(&round.matrix) {
        *s = Var::dot(row, &powers);
    }
}

/// (s + constant)⁵.
fn fifth_power(builder: &mut Builder, s: &Var, constant: Fr) -> Var {
    let x = s + &builder.constant(constant);
    let square = builder.mul(&x, &x);
    let fourth = builder.mul(&square, &square);
    builder.mul(&fourth, &x)
}
