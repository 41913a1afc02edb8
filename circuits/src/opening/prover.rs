//! The prover's side of the opening.

use ark_ff::{AdditiveGroup, Field};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;

use super::{Challenges, Opening, variables};
use crate::hash::Transcript;
use crate::srs::Srs;
use galen_field::curve;

use crate::{CircuitError, Fr};

/// Coefficients that one task evaluates.
const BLOCK: usize = 1 << 11;

/// Opens f, `[Fr; n + 1]` (the rows, then the blinder), to y = Σ_{i<n} f_i·eq(r, i) at `r_low`, `[Fr; ν]`.
/// f is to carry its [mask](crate::mask) already, and `seed` has absorbed what fixes f, the circuit's public
/// inputs.
///
/// # Errors
/// Wrong lengths, or y is not the value.
pub fn open(
    srs: &Srs,
    seed: &Transcript,
    f: &[Fr],
    r_low: &[Fr],
    y: Fr,
) -> Result<Opening, CircuitError> {
    variables(srs.log_rows(), r_low)?;
    if f.len() != srs.rows() + 1 {
        return Err(CircuitError::Length {
            what: "coefficients of an opening",
            expected: srs.rows() + 1,
            got: f.len(),
        });
    }
    let mut challenges = Challenges::new(seed, r_low, y);
    let (value, s) = symmetric_part(f, r_low);
    if value != y {
        return Err(CircuitError::Unsatisfied("the opened value".into()));
    }
    let s_point = curve::msm(srs.bases(), &s).into();
    let (z, zi) = challenges.z(&s_point);
    let (f_z, f_zi, s_z) = (horner(f, z), horner(f, zi), horner(&s, z));
    let eta = challenges.eta(f_z, f_zi, s_z);
    let w = quotient(f, &s, eta, z + zi);
    Ok(Opening {
        s: s_point,
        w: curve::msm(srs.bases(), &w).into(),
        f_z,
        f_zi,
        s_z,
    })
}

/// y and the n coefficients of S: those of h(X) = f(X)e(1/X) + f(1/X)e(X) at X^0 (halved) and X^1 … X^n.
fn symmetric_part(f: &[Fr], r_low: &[Fr]) -> (Fr, Vec<Fr>) {
    let rows = f.len() - 1;
    let domain = Radix2EvaluationDomain::<Fr>::new(2 * rows).expect("F has roots of order 2^28");
    let mut product = domain.fft(f);
    let inverted = eq_at_roots(r_low, domain.group_gen_inv());
    product
        .par_iter_mut()
        .with_min_len(BLOCK)
        .zip(&inverted)
        .for_each(|(f, e)| *f *= e);
    // The exponents of f(X)e(1/X) are −(n − 1) … n: all different modulo 2n.
    domain.ifft_in_place(&mut product);
    let s = (1..=rows)
        .map(|k| {
            if k < rows {
                product[k] + product[2 * rows - k]
            } else {
                product[k]
            }
        })
        .collect();
    (product[0], s)
}

/// e(x^i) for i < 2n, x of order 2n.
///
/// From the last factor to the first: those from j on depend on x^{2^j·i} alone, that is on i modulo
/// 2n/2^j. Opposite roots share a product.
fn eq_at_roots(r_low: &[Fr], x: Fr) -> Vec<Fr> {
    let mut roots = Vec::with_capacity(r_low.len());
    let mut root = x;
    for _ in r_low {
        roots.push(root);
        root.square_in_place();
    }
    let mut values = vec![Fr::ONE; 2];
    for (r, root) in r_low.iter().zip(&roots).rev() {
        let half = values.len();
        let constant = Fr::ONE - r;
        let mut next = vec![Fr::ZERO; 2 * half];
        let (low, high) = next.split_at_mut(half);
        low.par_chunks_mut(BLOCK)
            .zip(high.par_chunks_mut(BLOCK))
            .zip(values.par_chunks(BLOCK))
            .enumerate()
            .for_each(|(block, ((low, high), values))| {
                let mut linear = *r * root.pow([(block * BLOCK) as u64]);
                for ((low, high), value) in low.iter_mut().zip(high).zip(values) {
                    *low = (constant + linear) * value;
                    *high = (constant - linear) * value;
                    linear *= root;
                }
            });
        values = next;
    }
    values
}

/// f(x), coefficients from the constant one up.
fn horner(f: &[Fr], x: Fr) -> Fr {
    let fold = |f: &[Fr], x: Fr| f.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c);
    let blocks: Vec<Fr> = f.par_chunks(BLOCK).map(|block| fold(block, x)).collect();
    fold(&blocks, x.pow([BLOCK as u64]))
}

/// The n − 1 coefficients of (g(X) − ℓ(X)) / (X² − trace·X + 1), g = f + ηS: the division's remainder is ℓ.
fn quotient(f: &[Fr], s: &[Fr], eta: Fr, trace: Fr) -> Vec<Fr> {
    let mut g: Vec<Fr> = f
        .par_iter()
        .with_min_len(BLOCK)
        .enumerate()
        .map(|(i, f)| s.get(i).map_or(*f, |s| *f + eta * s))
        .collect();
    for i in (2..g.len()).rev() {
        let leading = g[i];
        g[i - 1] += trace * leading;
        g[i - 2] -= leading;
    }
    g.split_off(2)
}
