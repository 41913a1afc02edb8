//! Rank-1 constraints: ⟨aᵢ, w⟩·⟨bᵢ, w⟩ = ⟨cᵢ, w⟩ over an assignment w = (1, public inputs, witness).
//!
//! A circuit is one function of a [`Builder`]. [`Builder::shape`] runs it once to record the
//! [`Matrices`]; [`Builder::assign`] runs the same function to compute an [`Assignment`] and
//! allocates no linear combination, so that proving synthesizes nothing.

mod builder;
mod export;
mod matrices;
mod var;

pub use builder::{Assignment, Builder};
pub use matrices::{Matrices, Side};
pub use var::Var;

#[cfg(test)]
mod tests;
