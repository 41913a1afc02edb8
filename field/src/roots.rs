//! Square roots of many elements of the curves' base field.

use ark_bn254::Fq;
use ark_ff::{AdditiveGroup, Field, PrimeField};

#[cfg(target_arch = "x86_64")]
use crate::lanes::{LANES, Lanes};
use crate::path::{Path, path};

/// (p + 1)/4: p is 3 modulo 4, so that this power of a square is a root of it.
const EXPONENT: [u64; 4] = {
    let p = Fq::MODULUS.0;
    assert!(p[0] % 4 == 3 && p[0] != u64::MAX);
    let mut quarter = [0; 4];
    let mut at = 0;
    while at < 4 {
        let limb = if at == 0 { p[0] + 1 } else { p[at] };
        let above = if at < 3 { p[at + 1] } else { 0 };
        quarter[at] = limb >> 2 | above << 62;
        at += 1;
    }
    quarter
};

/// What is a square root of each element if it has one: the caller squares it.
#[must_use]
pub fn candidates(squares: &[Fq]) -> Vec<Fq> {
    match path() {
        #[cfg(target_arch = "x86_64")]
        Path::Vector => by_vectors(squares),
        _ => one_by_one(squares),
    }
}

fn one_by_one(squares: &[Fq]) -> Vec<Fq> {
    squares.iter().map(|s| s.pow(EXPONENT)).collect()
}

/// Vectors that are worked on in turns, so that none waits for its own results.
#[cfg(target_arch = "x86_64")]
const WAYS: usize = 4;
/// Bits of the exponent that take one table look-up.
#[cfg(target_arch = "x86_64")]
const WINDOW: usize = 4;

#[cfg(target_arch = "x86_64")]
fn by_vectors(squares: &[Fq]) -> Vec<Fq> {
    assert!(crate::path::has_vectors(), "the machine has no vectors");
    let mut roots = Vec::with_capacity(squares.len());
    for part in squares.chunks(WAYS * LANES) {
        let mut padded = [Fq::ZERO; WAYS * LANES];
        padded[..part.len()].copy_from_slice(part);
        // SAFETY: the machine has the instructions.
        #[allow(unsafe_code)]
        let all = unsafe { powers(&padded) };
        roots.extend_from_slice(&all[..part.len()]);
    }
    roots
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn powers(elements: &[Fq; WAYS * LANES]) -> [Fq; WAYS * LANES] {
    let mut table = [[Lanes::splat(Fq::ONE); WAYS]; 1 << WINDOW];
    for (way, eight) in elements.as_chunks::<LANES>().0.iter().enumerate() {
        let own = Lanes::load(eight);
        for power in 1..table.len() {
            table[power][way] = table[power - 1][way].times(&own);
        }
    }
    let mut result = table[0];
    for window in (0..256 / WINDOW).rev() {
        for _ in 0..WINDOW {
            for own in &mut result {
                *own = own.times(own);
            }
        }
        let bit = window * WINDOW;
        let digit = EXPONENT[bit / 64] >> (bit % 64) & ((1 << WINDOW) - 1);
        let powers = &table[digit as usize];
        for (own, power) in result.iter_mut().zip(powers) {
            *own = own.times(power);
        }
    }
    let mut roots = [Fq::ZERO; WAYS * LANES];
    let (eights, _) = roots.as_chunks_mut::<LANES>();
    for (eight, own) in eights.iter_mut().zip(&result) {
        *eight = own.store();
    }
    roots
}

#[cfg(test)]
mod tests {
    use ark_ff::{One, UniformRand, Zero};
    use ark_std::{rand::Rng, test_rng};

    use super::*;

    #[test]
    fn roots_of_squares_are_found() {
        let rng = &mut test_rng();
        for count in [0, 1, 7, 8, 31, 32, 33, 100] {
            let elements: Vec<Fq> = (0..count)
                .map(|_| match rng.gen_range(0..5) {
                    0 => Fq::zero(),
                    1 => Fq::one(),
                    2 => -Fq::one(),
                    _ => Fq::rand(rng),
                })
                .collect();
            let found = candidates(&elements);
            assert_eq!(found, one_by_one(&elements));
            for (element, root) in elements.iter().zip(&found) {
                assert_eq!(root.square() == *element, element.sqrt().is_some());
            }
            #[cfg(target_arch = "x86_64")]
            if crate::path::has_vectors() {
                assert_eq!(by_vectors(&elements), found);
            }
        }
        if !crate::path::has_vectors() {
            eprintln!("NOT TESTED: this machine has no AVX-512 IFMA");
        }
    }
}
