//! Multi-scalar multiplications in the few forms that the protocol needs.

use ark_bn254::G1Projective;
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::AdditiveGroup;

use crate::{Fr, G1};

/// Σ scalarᵢ·baseᵢ. arkworks sorts the scalars by size, so columns of small integers are cheap.
///
/// # Panics
/// When the lengths differ: every caller has checked them against the gate's layout.
pub fn msm(bases: &[G1], scalars: &[Fr]) -> G1Projective {
    G1Projective::msm(bases, scalars).expect("the layout fixes both lengths")
}

/// Σ weightᵢ·baseᵢ for 128-bit weights, as two 64-bit multiplications.
///
/// # Panics
/// When the lengths differ.
pub fn msm_128(bases: &[G1], weights: &[u128]) -> G1Projective {
    assert_eq!(bases.len(), weights.len(), "one weight for each base");
    #[allow(clippy::cast_possible_truncation)]
    let half = |shift: u32| -> Vec<u64> { weights.iter().map(|w| (w >> shift) as u64).collect() };
    let (low, high) = rayon::join(
        || G1Projective::msm_u64(bases, &half(0)),
        || G1Projective::msm_u64(bases, &half(64)),
    );
    let mut sum = high;
    for _ in 0..64 {
        sum.double_in_place();
    }
    sum + low
}

/// weight·point for a 128-bit weight.
pub fn mul_128(point: &G1, weight: u128) -> G1 {
    #[allow(clippy::cast_possible_truncation)]
    let limbs = [weight as u64, (weight >> 64) as u64];
    point.into_group().mul_bigint(limbs).into_affine()
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;

    use super::*;

    #[test]
    fn all_forms_agree() {
        let mut rng = ark_std::test_rng();
        for len in [0, 1, 2, 7, 40] {
            let bases: Vec<G1> = (0..len).map(|_| G1::rand(&mut rng)).collect();
            let weights: Vec<u128> = (0..len).map(|i| u128::MAX / (i + 1)).collect();
            let scalars: Vec<Fr> = weights.iter().map(|w| Fr::from(*w)).collect();
            let slow: G1Projective = bases
                .iter()
                .zip(&weights)
                .map(|(b, w)| mul_128(b, *w).into_group())
                .sum();
            assert_eq!(msm(&bases, &scalars), slow);
            assert_eq!(msm_128(&bases, &weights), slow);
        }
    }
}
