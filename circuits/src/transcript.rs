//! What is hashed outside of the circuit, in which order (`docs/spec/transcript.md`): α₀, α₁, θ and ζ, the opening's
//! seed. A verifier recomputes all of it.

use crate::{
    Fr, G1,
    circuit::Publics,
    equation::{Cells, Layout},
    hash::{Transcript, separator},
};

/// Commitments of one column, chunk after chunk.
pub type Chunks = Vec<G1>;

/// α₀: everything that is fixed before X. `context` binds the proof to whoever's it is; `bases` are the
/// commitments of [`Equation::bases`](crate::equation::Equation::bases) in order, `first` those of
/// [`Layout::first_columns`].
#[must_use]
pub fn alpha_0(
    context: &[u8],
    layout: &Layout<'_>,
    cells: &Cells,
    bases: &[&[G1]],
    first: &[Chunks],
    mask: &G1,
) -> Fr {
    let mut t = Transcript::new(separator::ALPHA_0);
    t.bytes(context)
        .bytes(layout.class.name().as_bytes())
        .bytes(&layout.equation.digest());
    cells.absorb(&mut t);
    t.number(bases.len() as u64);
    bases.iter().for_each(|chunks| columns(&mut t, chunks));
    t.number(first.len() as u64);
    first.iter().for_each(|chunks| columns(&mut t, chunks));
    t.canonical(mask).field()
}

/// α₁: the same and the challenges with the columns that were committed after them.
#[must_use]
pub fn alpha_1(alpha_0: Fr, [x, gamma, beta]: [Fr; 3], second: &[Chunks]) -> Fr {
    let mut t = Transcript::new(separator::ALPHA_1);
    t.canonical(&alpha_0)
        .canonical(&x)
        .canonical(&gamma)
        .canonical(&beta);
    t.number(second.len() as u64);
    second.iter().for_each(|chunks| columns(&mut t, chunks));
    t.field()
}

/// (θ, ζ): the weights of what is proven of hidden cells.
#[must_use]
pub fn theta_zeta(alpha_1: Fr) -> (Fr, Fr) {
    let draw = |n| {
        let mut t = Transcript::new(separator::THETA);
        t.canonical(&alpha_1).number(n).field()
    };
    (draw(0), draw(1))
}

/// What the opening's challenges start from: α₁ and all public inputs, which fix every commitment, every
/// combination of them and the point.
#[must_use]
pub fn opening_seed(publics: &Publics) -> Transcript {
    let mut t = Transcript::new(separator::OPENING);
    for value in publics.to_vec() {
        t.canonical(&value);
    }
    t
}

fn columns(t: &mut Transcript, chunks: &[G1]) {
    t.number(chunks.len() as u64);
    for point in chunks {
        t.canonical(point);
    }
}
