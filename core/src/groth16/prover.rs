//! The prover.

use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::UniformRand;
use ark_ff::{AdditiveGroup, PrimeField};
use ark_groth16::Groth16;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use super::CircomReduction;
use super::keys::ProvingKey;
use super::proof::Proof;
use super::reduction::coset_quotient;
use crate::r1cs::Side;
use crate::{CircuitError, E, Fr, G1, G2};

pub fn prove(
    key: &ProvingKey,
    assignment: &[Fr],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, CircuitError> {
    let [r, s] = *Zeroizing::new([Fr::rand(rng), Fr::rand(rng)]);
    Ok(own(key, assignment, r, s, 0))
}

pub fn mats(key: &ProvingKey) -> Vec<Vec<Vec<(Fr, usize)>>> {
    [Side::A, Side::B, Side::C]
        .map(|s| {
            (0..key.matrices.constraints())
                .map(|i| key.matrices.row(s, i).collect())
                .collect()
        })
        .into()
}
pub fn stock(key: &ProvingKey, m: &[Vec<Vec<(Fr, usize)>>], a: &[Fr], r: Fr, s: Fr) -> Proof {
    let p = Groth16::<E, CircomReduction>::create_proof_with_reduction_and_matrices(
        &key.pk,
        r,
        s,
        m,
        key.matrices.publics() + 1,
        key.matrices.constraints(),
        a,
    )
    .unwrap();
    Proof {
        a: p.a,
        b: p.b,
        c: p.c,
    }
}
pub struct Compact {
    pub a: (Vec<G1>, Vec<u32>),
    pub b1: Vec<G1>,
    pub b2: (Vec<G2>, Vec<u32>),
}
pub fn compact(key: &ProvingKey) -> Compact {
    fn f<P: AffineRepr>(v: &[P]) -> (Vec<P>, Vec<u32>) {
        v.iter()
            .enumerate()
            .filter(|x| !x.1.is_zero())
            .map(|(i, p)| (*p, i as u32))
            .unzip()
    }
    Compact {
        a: f(&key.pk.a_query),
        b1: f(&key.pk.b_g1_query).0,
        b2: f(&key.pk.b_g2_query),
    }
}
type B = <Fr as PrimeField>::BigInt;
pub fn witness_map(key: &ProvingKey, a: &[Fr]) -> Vec<B> {
    let d =
        GeneralEvaluationDomain::<Fr>::new(key.matrices.constraints() + key.matrices.publics() + 1)
            .unwrap();
    let mut x = vec![Fr::ZERO; d.size()];
    let mut y = vec![Fr::ZERO; d.size()];
    let n = key.matrices.constraints();
    let k = key.matrices.publics() + 1;
    assert!(
        key.matrices
            .evaluate_factors(a, &mut x[..n], &mut y[..n])
            .is_none()
    );
    x[n..n + k].copy_from_slice(&a[..k]);
    coset_quotient(d, x, y)
        .unwrap()
        .iter()
        .map(|x| x.into_bigint())
        .collect()
}
pub fn own(key: &ProvingKey, a: &[Fr], r: Fr, s: Fr, mode: usize) -> Proof {
    type P1 = ark_bn254::G1Projective;
    type P2 = ark_bn254::G2Projective;
    let k = key.matrices.publics() + 1;
    let big: Vec<B> = a.iter().map(|x| x.into_bigint()).collect();
    let pk = &key.pk;
    let (b2, ((h, l), (ga, b1)));
    if mode == 0 {
        let hs = witness_map(key, a);
        h = P1::msm_bigint(&pk.h_query, &hs);
        l = P1::msm_bigint(&pk.l_query, &big[k..]);
        ga = P1::msm_bigint(&pk.a_query, &big);
        b1 = P1::msm_bigint(&pk.b_g1_query, &big);
        b2 = P2::msm_bigint(&pk.b_g2_query, &big);
    } else {
        (b2, ((h, l), (ga, b1))) = rayon::join(
            || P2::msm_bigint(&pk.b_g2_query, &big),
            || {
                rayon::join(
                    || {
                        let hs = witness_map(key, a);
                        rayon::join(
                            || P1::msm_bigint(&pk.h_query, &hs),
                            || P1::msm_bigint(&pk.l_query, &big[k..]),
                        )
                    },
                    || {
                        rayon::join(
                            || P1::msm_bigint(&pk.a_query, &big),
                            || P1::msm_bigint(&pk.b_g1_query, &big),
                        )
                    },
                )
            },
        );
    }
    finish(key, r, s, ga, b1, b2, l, h)
}
pub fn own_compact(key: &ProvingKey, q: &Compact, a: &[Fr], r: Fr, s: Fr, mode: usize) -> Proof {
    type P1 = ark_bn254::G1Projective;
    type P2 = ark_bn254::G2Projective;
    let k = key.matrices.publics() + 1;
    let big: Vec<B> = a.iter().map(|x| x.into_bigint()).collect();
    let pk = &key.pk;
    let aa: Vec<B> = q.a.1.iter().map(|i| big[*i as usize]).collect();
    let bb: Vec<B> = q.b2.1.iter().map(|i| big[*i as usize]).collect();
    let (b2, ((h, l), (ga, b1)));
    if mode == 0 {
        let hs = witness_map(key, a);
        h = P1::msm_bigint(&pk.h_query, &hs);
        l = P1::msm_bigint(&pk.l_query, &big[k..]);
        ga = P1::msm_bigint(&q.a.0, &aa);
        b1 = P1::msm_bigint(&q.b1, &bb);
        b2 = P2::msm_bigint(&q.b2.0, &bb);
    } else {
        (b2, ((h, l), (ga, b1))) = rayon::join(
            || P2::msm_bigint(&q.b2.0, &bb),
            || {
                rayon::join(
                    || {
                        let hs = witness_map(key, a);
                        rayon::join(
                            || P1::msm_bigint(&pk.h_query, &hs),
                            || P1::msm_bigint(&pk.l_query, &big[k..]),
                        )
                    },
                    || {
                        rayon::join(
                            || P1::msm_bigint(&q.a.0, &aa),
                            || P1::msm_bigint(&q.b1, &bb),
                        )
                    },
                )
            },
        );
    }
    finish(key, r, s, ga, b1, b2, l, h)
}
fn finish(
    key: &ProvingKey,
    r: Fr,
    s: Fr,
    ga: ark_bn254::G1Projective,
    b1: ark_bn254::G1Projective,
    b2: ark_bn254::G2Projective,
    l: ark_bn254::G1Projective,
    h: ark_bn254::G1Projective,
) -> Proof {
    let k = &key.pk;
    let g_a = ga + k.vk.alpha_g1 + k.delta_g1 * r;
    let g_b1 = b1 + k.beta_g1 + k.delta_g1 * s;
    let g_b2 = b2 + k.vk.beta_g2 + k.vk.delta_g2 * s;
    let c = g_a * s + g_b1 * r - k.delta_g1 * (r * s) + l + h;
    Proof {
        a: g_a.into_affine(),
        b: g_b2.into_affine(),
        c: c.into_affine(),
    }
}

pub fn own_joined(
    key: &ProvingKey,
    q: &Compact,
    cq: &[G1],
    a: &[Fr],
    r: Fr,
    s: Fr,
    mode: usize,
) -> Proof {
    type P1 = ark_bn254::G1Projective;
    type P2 = ark_bn254::G2Projective;
    let k = key.matrices.publics() + 1;
    let big: Vec<B> = a.iter().map(|x| x.into_bigint()).collect();
    let aa: Vec<B> = q.a.1.iter().map(|i| big[*i as usize]).collect();
    let bb: Vec<B> = q.b2.1.iter().map(|i| big[*i as usize]).collect();
    let c = || {
        let mut cs = witness_map(key, a);
        cs.extend(&big[k..]);
        cs.extend(q.b2.1.iter().map(|i| (a[*i as usize] * r).into_bigint()));
        P1::msm_bigint(cq, &cs)
    };
    let (b2, (ga, c)) = if mode == 0 {
        (
            P2::msm_bigint(&q.b2.0, &bb),
            (P1::msm_bigint(&q.a.0, &aa), c()),
        )
    } else {
        rayon::join(
            || P2::msm_bigint(&q.b2.0, &bb),
            || rayon::join(|| P1::msm_bigint(&q.a.0, &aa), c),
        )
    };
    let k = &key.pk;
    let g_a = ga + k.vk.alpha_g1 + k.delta_g1 * r;
    let g_b2 = b2 + k.vk.beta_g2 + k.vk.delta_g2 * s;
    let c = g_a * s + (k.beta_g1 + k.delta_g1 * s) * r - k.delta_g1 * (r * s) + c;
    Proof {
        a: g_a.into_affine(),
        b: g_b2.into_affine(),
        c: c.into_affine(),
    }
}
pub fn cq(key: &ProvingKey, q: &Compact) -> Vec<G1> {
    [&key.pk.h_query[..], &key.pk.l_query, &q.b1].concat()
}
