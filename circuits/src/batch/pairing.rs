//! The multi-pairing of a batch.

use std::collections::HashMap;

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing};
use ark_ff::Zero;
use galen_field::curve;
use rayon::prelude::*;

use super::Weighted;
use crate::{
    E, Fr, G1, G2,
    groth16::{Prepared, Proof},
    srs::VerifyingSrs,
};

/// A sum of points, each taken once.
#[derive(Default)]
struct Sum(HashMap<G1, Fr>);

impl Sum {
    fn add(&mut self, weight: Fr, point: G1) {
        *self.0.entry(point).or_insert_with(Fr::zero) += weight;
    }

    fn total(&self) -> G1Projective {
        let (points, scalars): (Vec<G1>, Vec<Fr>) = self.0.iter().map(|(p, s)| (*p, *s)).unzip();
        curve::msm(&points, &scalars)
    }
}

/// The claims of one key: what is paired with β, γ and δ.
struct OfKey<'a> {
    key: &'a Prepared,
    weight: Fr,
    inputs: Vec<Fr>,
    c: Sum,
}

/// Whether the weighted product of all equations is 1.
pub(super) fn holds(all: &[Weighted<'_>]) -> bool {
    let mut keys: Vec<OfKey<'_>> = Vec::new();
    let mut strings: Vec<(&VerifyingSrs, [Sum; 3])> = Vec::new();
    for Weighted {
        reduced,
        weights: [circuit, opening],
        ..
    } in all
    {
        let claim = reduced.claim;
        add_circuit(
            &mut keys,
            claim.key,
            &reduced.publics,
            &claim.proof.proof,
            *circuit,
        );
        if opening.is_zero() {
            continue;
        }
        let at = strings.iter().position(|(srs, _)| *srs == claim.srs);
        let at = at.unwrap_or_else(|| {
            strings.push((claim.srs, Default::default()));
            strings.len() - 1
        });
        let [one, tau, tau2] = &mut strings[at].1;
        let terms = &reduced.opening;
        for (sum, terms) in [
            (&mut *one, &terms.one),
            (tau, &terms.tau),
            (tau2, &terms.tau2),
        ] {
            terms.iter().for_each(|(s, p)| sum.add(*opening * s, *p));
        }
        reduced
            .combined
            .iter()
            .for_each(|(s, p)| one.add(*opening * s, *p));
    }
    let mut pairs: Vec<(G1Projective, G2)> = all
        .par_iter()
        .map(|w| {
            let proof = &w.reduced.claim.proof.proof;
            (proof.a * w.weights[0], proof.b)
        })
        .collect();
    for of in &keys {
        let vk = of.key.key();
        pairs.push((-(vk.alpha_g1 * of.weight), vk.beta_g2));
        pairs.push((-curve::msm(&vk.gamma_abc, &of.inputs), vk.gamma_g2));
        pairs.push((-of.c.total(), vk.delta_g2));
    }
    let sums: Vec<(&Sum, G2)> = strings
        .iter()
        .flat_map(|(srs, [one, tau, tau2])| {
            [
                (one, G2::generator()),
                (tau, srs.tau_g2),
                (tau2, srs.tau2_g2),
            ]
        })
        .collect();
    pairs.par_extend(sums.par_iter().map(|(sum, g2)| (sum.total(), *g2)));
    product_is_one(&pairs)
}

fn add_circuit<'a>(
    keys: &mut Vec<OfKey<'a>>,
    key: &'a Prepared,
    publics: &[Fr],
    proof: &Proof,
    weight: Fr,
) {
    let at = keys.iter().position(|k| k.key.key() == key.key());
    let at = at.unwrap_or_else(|| {
        keys.push(OfKey {
            key,
            weight: Fr::zero(),
            inputs: vec![Fr::zero(); publics.len() + 1],
            c: Sum::default(),
        });
        keys.len() - 1
    });
    let of = &mut keys[at];
    of.weight += weight;
    of.inputs[0] += weight;
    for (sum, value) in of.inputs[1..].iter_mut().zip(publics) {
        *sum += weight * value;
    }
    of.c.add(weight, proof.c);
}

/// Π e(aᵢ, bᵢ) = 1, the Miller loops on all cores.
fn product_is_one(pairs: &[(G1Projective, G2)]) -> bool {
    let (left, right): (Vec<G1Projective>, Vec<G2>) = pairs.iter().copied().unzip();
    let left = G1Projective::normalize_batch(&left);
    let size = pairs.len().div_ceil(rayon::current_num_threads()).max(1);
    let loops: Vec<_> = left
        .par_chunks(size)
        .zip(right.par_chunks(size))
        .map(|(a, b)| E::multi_miller_loop(a.iter().copied(), b.iter().copied()).0)
        .collect();
    let product = loops.into_iter().product();
    let result = E::final_exponentiation(ark_ec::pairing::MillerLoopOutput(product));
    result.is_some_and(|p| p.is_zero())
}
