//! The sponge outside a circuit.

use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroizing;

use super::WIDTHS;
use super::parameters::{FullRound, Parameters, parameters};
use crate::Fr;

const MAX_WIDTH: usize = *WIDTHS.end();

/// A duplex sponge over Poseidon; its state is erased when dropped.
#[derive(Clone)]
pub struct Sponge {
    parameters: &'static Parameters,
    state: Zeroizing<[Fr; MAX_WIDTH]>,
    /// Elements of the rate that were absorbed or squeezed since the last permutation.
    used: usize,
    squeezing: bool,
}

impl Sponge {
    /// An empty sponge of `width` elements, one of which is the capacity.
    ///
    /// # Panics
    /// If the width is not in [`WIDTHS`].
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            parameters: parameters(width),
            state: Zeroizing::new([Fr::ZERO; MAX_WIDTH]),
            used: 0,
            squeezing: false,
        }
    }

    fn permute(&mut self) {
        permute(self.parameters, &mut self.state[..self.parameters.width]);
        self.used = 0;
    }

    fn is_used_up(&self) -> bool {
        self.used == self.parameters.width - 1
    }

    /// Absorbs elements in their order.
    pub fn absorb(&mut self, elements: &[Fr]) {
        if elements.is_empty() {
            return;
        }
        if std::mem::take(&mut self.squeezing) {
            self.used = 0;
        }
        for element in elements {
            if self.is_used_up() {
                self.permute();
            }
            self.used += 1;
            self.state[self.used] += element;
        }
    }

    /// Squeezes one element.
    pub fn squeeze(&mut self) -> Fr {
        if !self.squeezing || self.is_used_up() {
            self.permute();
            self.squeezing = true;
        }
        self.used += 1;
        self.state[self.used]
    }
}

/// The permutation, in place.
pub(super) fn permute(p: &Parameters, state: &mut [Fr]) {
    p.first.iter().for_each(|round| full(round, state));
    for round in &p.partial {
        let x = fifth_power(state[0] + round.constant);
        state[0] = x;
        state[0] = dot(&round.top, state);
        for (s, c) in state[1..].iter_mut().zip(&round.column) {
            *s += *c * x;
        }
    }
    p.last.iter().for_each(|round| full(round, state));
}

fn full(round: &FullRound, state: &mut [Fr]) {
    let mut powers = Zeroizing::new([Fr::ZERO; MAX_WIDTH]);
    for ((power, s), c) in powers.iter_mut().zip(&*state).zip(&round.constants) {
        *power = fifth_power(*s + c);
    }
    for (s, row) in state.iter_mut().zip(&round.matrix) {
        *s = dot(row, &powers[..row.len()]);
    }
}

fn fifth_power(x: Fr) -> Fr {
    let square = x.square();
    square.square() * x
}

/// Three products share one reduction: BN254's modulus leaves the room.
pub(super) fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    let (a3, a) = a.as_chunks::<3>();
    let (b3, b) = b.as_chunks::<3>();
    let threes = a3.iter().zip(b3).map(|(a, b)| Fr::sum_of_products(a, b));
    let rest = a.iter().zip(b).map(|(a, b)| *a * b);
    threes.chain(rest).sum()
}
