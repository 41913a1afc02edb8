//! The mask hides an opening: the six functionals of it that are revealed are linearly independent
//! (`docs/spec/opening.md`, "Zero knowledge").

use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};
use galen_core::{Fr, mask::positions, multilinear::eq_table};

/// μ(τ), y_μ, μ(z), μ(1/z), S_μ(z), S_μ(τ) of the mask that is X^p, for each random coefficient p: the positions' and
/// the blinder's.
fn functionals(log_rows: u32, r: &[Fr], tau: Fr, z: Fr) -> Vec<[Fr; 6]> {
    let n = 1usize << log_rows;
    let eq = eq_table(r);
    let at = |i: usize| eq.get(i).copied().unwrap_or_default();
    let z_inverse = z.inverse().unwrap();
    let row = |p: usize| {
        // h(X) = X^p·e(1/X) + X^−p·e(X): its coefficients at X^1 … X^n are those of S.
        let s = (1..=n).map(|k| at(p + k) + if k <= p { at(p - k) } else { Fr::zero() });
        let s: Vec<Fr> = s.collect();
        let horner = |x: Fr| s.iter().rev().fold(Fr::zero(), |sum, c| sum * x + c);
        let power = |x: Fr| x.pow([p as u64]);
        [
            power(tau),
            at(p),
            power(z),
            power(z_inverse),
            horner(z),
            horner(tau),
        ]
    };
    let positions = positions(log_rows);
    positions.into_iter().chain([n]).map(row).collect()
}

fn rank(mut rows: Vec<[Fr; 6]>) -> usize {
    let mut rank = 0;
    for column in 0..6 {
        let Some(pivot) = (rank..rows.len()).find(|i| !rows[*i][column].is_zero()) else {
            continue;
        };
        rows.swap(rank, pivot);
        let (done, rest) = rows.split_at_mut(rank + 1);
        let pivot = done[rank];
        for row in rest {
            let factor = row[column] * pivot[column].inverse().unwrap();
            row.iter_mut()
                .zip(pivot)
                .for_each(|(a, b)| *a -= factor * b);
        }
        rank += 1;
    }
    rank
}

#[test]
fn all_that_is_revealed_of_a_mask_is_independent() {
    let mut rng = StdRng::seed_from_u64(1);
    for log_rows in 3..=13 {
        let r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(&mut rng)).collect();
        let (tau, z) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        assert_eq!(rank(functionals(log_rows, &r, tau, z)), 6, "{log_rows}");
    }
}

/// Even where coordinates of r are bits, which happens with probability 2^-250.
#[test]
fn the_mask_still_enters_where_coordinates_are_bits() {
    let mut rng = StdRng::seed_from_u64(2);
    let log_rows = 12;
    let (tau, z) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    for first in 0..log_rows as usize {
        for second in 0..first {
            for bits in 0..4u64 {
                let mut r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(&mut rng)).collect();
                r[first] = Fr::from(bits & 1);
                r[second] = Fr::from(bits >> 1);
                let y = positions(log_rows)
                    .into_iter()
                    .map(|p| eq_table(&r)[p])
                    .filter(|eq| !eq.is_zero())
                    .count();
                assert!(y >= 4, "{first} {second} {bits}");
            }
        }
    }
    let mut r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(&mut rng)).collect();
    r[0] = Fr::from(1u64);
    assert_eq!(rank(functionals(log_rows, &r, tau, z)), 6);
}

/// Six of the coefficients are enough, five are not.
#[test]
fn six_coefficients_are_needed() {
    let mut rng = StdRng::seed_from_u64(3);
    let r: Vec<Fr> = (0..8).map(|_| Fr::rand(&mut rng)).collect();
    let (tau, z) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    let all = functionals(8, &r, tau, z);
    assert_eq!(rank(all[all.len() - 6..].to_vec()), 6);
    assert_eq!(rank(all[all.len() - 5..].to_vec()), 5);
}
