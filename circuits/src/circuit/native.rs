//! The circuit's native twin: the same relation in plain arithmetic, which names what fails.

use ark_ff::{Field, One, Zero};

use super::{Publics, Secret, WIDTH};
use crate::{
    Fr,
    class::{Class, Size},
    equation::FACTORS,
    sponge::Sponge,
    sumcheck::Claims,
};

/// Which constraint of `docs/spec/circuit.md` does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// Another number of messages, evaluations or variables than the class's.
    Length,
    /// C1: X, γ or β is not what α₀ and the salt give.
    Challenges,
    /// C2: t₀ is 0.
    Weights,
    /// C5: a challenge is not what its round's message gives; the variable.
    Round(usize),
    /// C7: the constraints at r.
    Constraints,
    /// C8: the sum at r.
    Sum,
    /// C9: ρ is not what the evaluations give.
    Rho,
    /// C10: the combined evaluation.
    Evaluation,
}

/// The first relation that fails, or `None` where all hold.
#[must_use]
pub fn violation(class: Class, publics: &Publics, secret: &Secret) -> Option<Violation> {
    if !secret.fits(class) || publics.r.len() != class.rounds as usize {
        return Some(Violation::Length);
    }
    let mut sponge = Sponge::new(WIDTH);
    sponge.absorb(&[publics.alpha_0, secret.salt]);
    if [publics.x, publics.gamma, publics.beta]
        .iter()
        .any(|c| sponge.squeeze() != *c)
    {
        return Some(Violation::Challenges);
    }
    sponge.absorb(&[publics.alpha_1]);
    let (chi, t_0) = (sponge.squeeze(), sponge.squeeze());
    let Some(inverse) = t_0.inverse() else {
        return Some(Violation::Weights);
    };
    let mut claims = Claims {
        constraints: Fr::zero(),
        sum: publics.rhs,
    };
    for (message, variable) in secret.messages.iter().zip((0..publics.r.len()).rev()) {
        sponge.absorb(message);
        let r = publics.r[variable];
        if sponge.squeeze() != r {
            return Some(Violation::Round(variable));
        }
        let weight = inverse.pow([1u64 << variable]);
        claims = claims.next(message, claims.delta(message, weight), r);
    }
    let (constraints, sum) = at_r(class.size, &secret.evaluations, chi);
    if constraints != claims.constraints {
        return Some(Violation::Constraints);
    }
    if sum != claims.sum {
        return Some(Violation::Sum);
    }
    sponge.absorb(&secret.evaluations);
    sponge.absorb(&[secret.mask]);
    if sponge.squeeze() != publics.rho {
        return Some(Violation::Rho);
    }
    let evaluations = secret.evaluations.iter().rev();
    let y = evaluations.fold(secret.mask, |y, e| y * publics.rho + e);
    (y != publics.y).then_some(Violation::Evaluation)
}

/// G(r) and U(r).
fn at_r(size: Size, evaluations: &[Fr], chi: Fr) -> (Fr, Fr) {
    let (slots, rest) = evaluations.split_at(2 * size.slots());
    let (tables, rest) = rest.split_at(size.tables());
    let (mut power, mut constraints, mut sum) = (Fr::one(), Fr::zero(), rest[0]);
    for slot in slots.chunks_exact(2) {
        constraints += power * (slot[0] * slot[1] - Fr::one());
        power *= chi;
    }
    for table in tables {
        constraints += power * table;
        power *= chi;
    }
    let products = |v: &[Fr]| v.chunks_exact(2).map(|p| p[0] * p[1]).sum::<Fr>();
    for block in rest[1..].chunks_exact(size.block_evaluations().max(1)) {
        let (factors, rest) = block[2..].split_at(FACTORS);
        constraints += power * (block[1] - factors.iter().product::<Fr>());
        sum += block[0] * block[1] * (rest[0] + products(&rest[1..]));
        power *= chi;
    }
    (constraints, sum)
}
