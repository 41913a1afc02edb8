//! The circuit's constraints, numbered as in `docs/spec/circuit.md`.

use ark_ff::{AdditiveGroup, Field};

use super::{Publics, Secret, WIDTH};
use crate::{
    Fr,
    class::{Class, Size},
    equation::FACTORS,
    r1cs::{Builder, Var},
    sponge::SpongeVar,
    sumcheck::Message,
};

/// The public inputs as variables.
struct Inputs {
    alpha_0: Var,
    challenges: [Var; 3],
    alpha_1: Var,
    r: Vec<Var>,
    rho: Var,
    y: Var,
    rhs: Var,
}

impl Inputs {
    fn allocate(b: &mut Builder, p: &Publics) -> Self {
        Self {
            alpha_0: b.public(p.alpha_0),
            challenges: [p.x, p.gamma, p.beta].map(|v| b.public(v)),
            alpha_1: b.public(p.alpha_1),
            r: p.r.iter().map(|v| b.public(*v)).collect(),
            rho: b.public(p.rho),
            y: b.public(p.y),
            rhs: b.public(p.rhs),
        }
    }
}

/// Writes the circuit of `class`.
pub(super) fn write(b: &mut Builder, class: Class, publics: &Publics, secret: &Secret) {
    let inputs = Inputs::allocate(b, publics);
    let mut sponge = SpongeVar::new(WIDTH);
    b.label("C1: X, γ, β are drawn after α₀ and the salt");
    let salt = b.witness(secret.salt);
    sponge.absorb(b, &[inputs.alpha_0.clone(), salt]);
    for challenge in &inputs.challenges {
        let drawn = sponge.squeeze(b);
        b.equal(&drawn, challenge);
    }
    b.label("C2: χ and t₀ ≠ 0 are drawn after α₁");
    sponge.absorb(b, std::slice::from_ref(&inputs.alpha_1));
    let chi = sponge.squeeze(b);
    let t_0 = sponge.squeeze(b);
    let inverse = b.nonzero(&t_0).value();
    b.label("C3: t_j = t₀^(2^j)");
    let mut t = vec![t_0];
    for j in 1..class.rounds as usize {
        let square = b.mul(&t[j - 1], &t[j - 1]);
        t.push(square);
    }
    let inverses: Vec<Fr> = std::iter::successors(Some(inverse), |i| Some(i.square()))
        .take(t.len())
        .collect();
    let mut claims = [Var::zero(), inputs.rhs.clone()];
    for (message, variable) in secret.messages.iter().zip((0..t.len()).rev()) {
        let weight = (&t[variable], inverses[variable]);
        claims = round(
            b,
            &mut sponge,
            variable,
            message,
            weight,
            &inputs.r[variable],
            &claims,
        );
    }
    let evaluations: Vec<Var> = secret.evaluations.iter().map(|v| b.witness(*v)).collect();
    let at = Evaluations::split(class.size, &evaluations);
    b.label("C7: the constraints at r");
    at.constraints(b, &chi, &claims[0]);
    b.label("C8: the sum at r");
    at.sum(b, &claims[1]);
    b.label("C9: ρ is drawn after the evaluations");
    let mask = b.witness(secret.mask);
    sponge.absorb(b, &evaluations);
    sponge.absorb(b, std::slice::from_ref(&mask));
    let drawn = sponge.squeeze(b);
    b.equal(&drawn, &inputs.rho);
    b.label("C10: y* = Σ ρ^k ỹ_k + ρ^K·mask");
    let mut sum = mask;
    for evaluation in evaluations.iter().rev() {
        sum = &b.mul(&sum, &inputs.rho) + evaluation;
    }
    b.equal(&sum, &inputs.y);
}

/// One round: the claims after it.
fn round(
    b: &mut Builder,
    sponge: &mut SpongeVar,
    variable: usize,
    message: &Message,
    (t, inverse): (&Var, Fr),
    r: &Var,
    [constraints, sum]: &[Var; 2],
) -> [Var; 2] {
    let m: Vec<Var> = message.iter().map(|v| b.witness(*v)).collect();
    b.label(format_args!("C4: t·δ = c − g(0), variable {variable}"));
    let left = constraints - &m[0];
    let delta = b.witness(left.value() * inverse);
    b.enforce(t, &delta, &left);
    b.label(format_args!(
        "C5: r is drawn after the message, variable {variable}"
    ));
    sponge.absorb(b, &m);
    let drawn = sponge.squeeze(b);
    b.equal(&drawn, r);
    b.label(format_args!("C6: the claims at r, variable {variable}"));
    let one = Fr::ONE;
    let g1 = Var::linear(&[(one, &delta), (-one, &m[1]), (-one, &m[2]), (-one, &m[3])]);
    let u1 = Var::linear(&[
        (one, sum),
        (-one.double(), &m[4]),
        (-one, &m[5]),
        (-one, &m[6]),
        (-one, &m[7]),
    ]);
    [
        horner(b, r, [&m[3], &m[2], &m[1], &g1, &m[0]]),
        horner(b, r, [&m[7], &m[6], &m[5], &u1, &m[4]]),
    ]
}

/// Coefficients from the highest down, at r.
fn horner(b: &mut Builder, r: &Var, coefficients: [&Var; 5]) -> Var {
    let mut sum = coefficients[0].clone();
    for c in &coefficients[1..] {
        sum = &b.mul(&sum, r) + *c;
    }
    sum
}

/// One block's evaluations.
struct Block<'a> {
    e: &'a Var,
    s: &'a Var,
    factors: &'a [Var],
    single: &'a Var,
    pairs: &'a [Var],
}

/// The evaluations, by what they are.
struct Evaluations<'a> {
    slots: &'a [Var],
    tables: &'a [Var],
    sum: &'a Var,
    blocks: Vec<Block<'a>>,
}

impl<'a> Evaluations<'a> {
    fn split(size: Size, all: &'a [Var]) -> Self {
        let (slots, rest) = all.split_at(2 * size.slots());
        let (tables, rest) = rest.split_at(size.tables());
        let (sum, blocks) = rest.split_at(1);
        let blocks = blocks
            .chunks_exact(size.block_evaluations())
            .map(|v| Block {
                e: &v[0],
                s: &v[1],
                factors: &v[2..2 + FACTORS],
                single: &v[2 + FACTORS],
                pairs: &v[3 + FACTORS..],
            })
            .collect();
        Self {
            slots,
            tables,
            sum: &sum[0],
            blocks,
        }
    }

    /// c = Σ_b χ^b (e_b q_b − 1) + Σ_k χ^{B+k} (e_k q_k + m_k) + Σ_h χ^{B+M+h} (s_h − Π φ_{h,k}).
    fn constraints(&self, b: &mut Builder, chi: &Var, claim: &Var) {
        let mut sum = Var::zero();
        for block in self.blocks.iter().rev() {
            let mut product = block.factors[0].clone();
            for factor in &block.factors[1..] {
                product = b.mul(&product, factor);
            }
            sum = &b.mul(&sum, chi) + &(block.s - &product);
        }
        for table in self.tables.iter().rev() {
            sum = &b.mul(&sum, chi) + table;
        }
        let one = b.constant(Fr::ONE);
        for slot in self.slots.chunks_exact(2).rev() {
            let product = b.mul(&slot[0], &slot[1]);
            sum = &b.mul(&sum, chi) + &(&product - &one);
        }
        b.equal(&sum, claim);
    }

    /// v = (what is linear) + Σ_h e_{G,h}·s_h·(ℓ₀ + Σ ℓ_t ℓ′_t).
    fn sum(&self, b: &mut Builder, claim: &Var) {
        let mut sum = self.sum.clone();
        for block in &self.blocks {
            let mut w = block.single.clone();
            for pair in block.pairs.chunks_exact(2) {
                w = &w + &b.mul(&pair[0], &pair[1]);
            }
            let root = b.mul(block.e, block.s);
            sum = &sum + &b.mul(&root, &w);
        }
        b.equal(&sum, claim);
    }
}
