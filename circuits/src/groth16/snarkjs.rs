//! Keys, public inputs and proofs as snarkjs reads them: JSON with decimal strings, points in
//! projective coordinates with z = 1, elements of Fq2 as [c₀, c₁].

use ark_ec::AffineRepr;
use ark_ff::PrimeField;

use super::keys::VerifyingKey;
use super::proof::Proof;
use crate::{Fr, G1, G2};

impl VerifyingKey {
    /// The `verification_key.json` of `snarkjs groth16 verify`. The optional `vk_alphabeta_12`,
    /// which snarkjs's verifier computes itself, is left out.
    #[must_use]
    pub fn to_snarkjs(&self) -> String {
        let ic: Vec<String> = self.gamma_abc.iter().map(g1).collect();
        format!(
            r#"{{"protocol":"groth16","curve":"bn128","nPublic":{},"vk_alpha_1":{},"vk_beta_2":{},"vk_gamma_2":{},"vk_delta_2":{},"IC":[{}]}}"#,
            self.publics(),
            g1(&self.alpha_g1),
            g2(&self.beta_g2),
            g2(&self.gamma_g2),
            g2(&self.delta_g2),
            ic.join(",")
        )
    }
}

impl Proof {
    /// The `proof.json` of `snarkjs groth16 verify`.
    #[must_use]
    pub fn to_snarkjs(&self) -> String {
        format!(
            r#"{{"protocol":"groth16","curve":"bn128","pi_a":{},"pi_b":{},"pi_c":{}}}"#,
            g1(&self.a),
            g2(&self.b),
            g1(&self.c)
        )
    }
}

/// The `public.json` of `snarkjs groth16 verify`: the public inputs without the constant 1.
#[must_use]
pub fn publics_json(publics: &[Fr]) -> String {
    let values: Vec<String> = publics.iter().map(decimal).collect();
    format!("[{}]", values.join(","))
}

fn decimal(x: &impl PrimeField) -> String {
    format!("\"{}\"", x.into_bigint())
}

fn g1(point: &G1) -> String {
    match point.xy() {
        Some((x, y)) => format!("[{},{},\"1\"]", decimal(&x), decimal(&y)),
        None => r#"["0","1","0"]"#.to_owned(),
    }
}

fn g2(point: &G2) -> String {
    match point.xy() {
        Some((x, y)) => {
            let [x0, x1, y0, y1] = [x.c0, x.c1, y.c0, y.c1].map(|c| decimal(&c));
            format!(r#"[[{x0},{x1}],[{y0},{y1}],["1","0"]]"#)
        }
        None => r#"[["0","0"],["1","0"],["0","0"]]"#.to_owned(),
    }
}
