//! Transcripts that satisfy a class's circuit without any columns behind them: messages are random, and two
//! evaluations make the end right. With a flaw they are what a prover gets that keeps to another rule.

use ark_ff::{AdditiveGroup, Field, UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use galen_circuits::{
    Fr,
    circuit::{Publics, Secret, WIDTH},
    class::Class,
    sponge::Sponge,
    sumcheck::{Claims, MESSAGE},
};

use super::forge;

/// A rule that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// C3: t₁ = 2·t₀ instead of t₀².
    Weights,
    /// C4: δ of variable 0 is one more than it is.
    Delta,
    /// C6: the last claims are taken at r₀ + 1.
    Claims,
}

/// A transcript of `class`.
pub fn transcript(class: Class, seed: u64, flaw: Flaw) -> (Publics, Secret) {
    let mut rng = StdRng::seed_from_u64(seed);
    let [alpha_0, alpha_1, salt, mask, rhs] = [(); 5].map(|()| Fr::rand(&mut rng));
    let mut sponge = Sponge::new(WIDTH);
    sponge.absorb(&[alpha_0, salt]);
    let [x, gamma, beta] = [(); 3].map(|()| sponge.squeeze());
    sponge.absorb(&[alpha_1]);
    let (chi, t_0) = (sponge.squeeze(), sponge.squeeze());
    let mut claims = Claims {
        constraints: Fr::zero(),
        sum: rhs,
    };
    let bits = class.rounds as usize;
    let (mut messages, mut r) = (Vec::new(), vec![Fr::zero(); bits]);
    for j in (0..bits).rev() {
        let message = [(); MESSAGE].map(|()| Fr::rand(&mut rng));
        sponge.absorb(&message);
        r[j] = sponge.squeeze();
        let t = match (flaw, j) {
            (Flaw::Weights, 1) => t_0.double(),
            _ => t_0.pow([1 << j]),
        };
        let mut delta = claims.delta(&message, t.inverse().unwrap());
        let mut at = r[j];
        match (flaw, j) {
            (Flaw::Delta, 0) => delta += Fr::from(1u64),
            (Flaw::Claims, 0) => at += Fr::from(1u64),
            _ => {}
        }
        claims = claims.next(&message, delta, at);
        messages.push(message);
    }
    let count = class.size.evaluations();
    let mut evaluations: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
    forge::satisfy(class, &mut evaluations, chi, claims);
    let mut it = (
        Publics {
            alpha_0,
            x,
            gamma,
            beta,
            alpha_1,
            r,
            rho: Fr::zero(),
            y: Fr::zero(),
            rhs,
        },
        Secret {
            salt,
            messages,
            evaluations,
            mask,
        },
    );
    finish(&mut it.0, &it.1, sponge);
    it
}

/// ρ and y* of the evaluations, after the last challenge.
fn finish(publics: &mut Publics, secret: &Secret, mut sponge: Sponge) {
    sponge.absorb(&secret.evaluations);
    sponge.absorb(&[secret.mask]);
    publics.rho = sponge.squeeze();
    let evaluations = secret.evaluations.iter().rev();
    publics.y = evaluations.fold(secret.mask, |y, e| y * publics.rho + e);
}
