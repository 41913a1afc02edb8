//! From a domain of 2^k-th roots of unity to the coset beside it: what Groth16 evaluates its quotient on.

#[cfg(target_arch = "x86_64")]
mod vector;

use ark_bn254::Fr;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

use crate::path::{Path, path};

/// Fewer values are not worth eight lanes.
#[cfg(target_arch = "x86_64")]
const FEW: usize = 64;

/// A polynomial's values on ω·H in the order of H, from those on H: H the roots of unity of the values' number n, and ω of order 2n.
///
/// # Panics
/// If their number is no power of two, or there are no roots of unity of twice that order.
pub fn to_coset(values: &mut [Fr]) {
    match path() {
        #[cfg(target_arch = "x86_64")]
        Path::Vector if values.len() >= FEW => vector::to_coset(values),
        _ => by_arkworks(values),
    }
}

fn by_arkworks(values: &mut [Fr]) {
    let (domain, coset) = domains(values.len());
    let mut own = values.to_vec();
    domain.ifft_in_place(&mut own);
    coset.fft_in_place(&mut own);
    values.copy_from_slice(&own);
    zeroize::Zeroize::zeroize(&mut own);
}

/// H and ω·H.
fn domains(n: usize) -> (Radix2EvaluationDomain<Fr>, Radix2EvaluationDomain<Fr>) {
    let of = |n| Radix2EvaluationDomain::<Fr>::new(n).filter(|d| d.size() == n);
    let (domain, double) = (of(n).expect("a power of two"), of(2 * n));
    let generator = double.expect("below the field's two-adicity").group_gen();
    let coset = domain.get_coset(generator).expect("ω is not 0");
    (domain, coset)
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand, Zero};
    use ark_std::{rand::Rng, test_rng};

    use super::*;

    #[test]
    fn both_paths_give_the_same() {
        let rng = &mut test_rng();
        if !crate::path::has_vectors() {
            eprintln!("NOT TESTED: this machine has no AVX-512 IFMA");
        }
        for log in 0..15 {
            let n = 1 << log;
            let values: Vec<Fr> = (0..n)
                .map(|_| match rng.gen_range(0..5) {
                    0 => Fr::zero(),
                    1 => -Fr::one(),
                    _ => Fr::rand(rng),
                })
                .collect();
            let mut expected = values.clone();
            by_arkworks(&mut expected);
            let mut found = values.clone();
            to_coset(&mut found);
            assert_eq!(found, expected, "2^{log}");
            #[cfg(target_arch = "x86_64")]
            if crate::path::has_vectors() && n >= FEW {
                let mut found = values;
                vector::to_coset(&mut found);
                assert_eq!(found, expected, "2^{log}");
            }
        }
    }

    #[test]
    fn constants_and_single_values() {
        for n in [64, 1024] {
            let mut ones = vec![Fr::one(); n];
            to_coset(&mut ones);
            assert!(ones.iter().all(Fr::is_one));
            // Lagrange polynomials: their sum is 1 everywhere.
            let mut sum = vec![Fr::zero(); n];
            for at in 0..n.min(64) {
                let mut one = vec![Fr::zero(); n];
                one[at] = Fr::one();
                to_coset(&mut one);
                sum.iter_mut().zip(&one).for_each(|(s, v)| *s += v);
            }
            assert!(n > 64 || sum.iter().all(Fr::is_one));
        }
    }
}
