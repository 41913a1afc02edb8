use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use proptest::prelude::*;

use super::*;
use crate::measure::measure;

/// Points with repetitions, opposites and the identity among them.
fn points(len: usize, seed: u64) -> Vec<G1> {
    let mut rng = StdRng::seed_from_u64(seed);
    let few: Vec<G1> = (0..4)
        .map(|_| G1Projective::rand(&mut rng).into_affine())
        .collect();
    let mut step = G1Projective::generator() * Fr::rand(&mut rng);
    let mut all = Vec::with_capacity(len);
    for _ in 0..len {
        all.push(match rng.gen_range(0..8) {
            0 => G1::zero(),
            1 => few[rng.gen_range(0..4)],
            2 => -few[rng.gen_range(0..4)],
            _ => {
                step.double_in_place();
                step.into_affine()
            }
        });
    }
    all
}

fn naive(bases: &[G1], scalars: impl IntoIterator<Item = Fr>) -> G1Projective {
    bases
        .iter()
        .zip(scalars)
        .fold(G1Projective::zero(), |acc, (p, s)| acc + *p * s)
}

/// Scalars at both ends of the field, small ones and any.
fn scalar(rng: &mut StdRng) -> Fr {
    match rng.gen_range(0..6) {
        0 => Fr::zero(),
        1 => -Fr::ONE,
        2 => Fr::from(rng.r#gen::<u16>()),
        3 => -Fr::from(rng.r#gen::<u64>()),
        4 => Fr::from(2u64).pow([rng.gen_range(0..254)]),
        _ => Fr::rand(rng),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn selected_sum_is_the_naive_one(len in 1usize..300, seed: u64, rows in prop::collection::vec(any::<u32>(), 0..400)) {
        let bases = points(len, seed);
        let rows: Vec<u32> = rows.iter().map(|r| r % u32::try_from(len).unwrap()).collect();
        let expected = rows.iter().fold(G1Projective::zero(), |acc, r| acc + bases[*r as usize]);
        prop_assert_eq!(sum_selected(&bases, &rows), expected.into_affine());
    }

    #[test]
    fn sums_by_key_are_the_naive_ones(len in 0usize..300, keys in 1u32..40, seed: u64, skip: bool) {
        let bases = points(len + 3, seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let column: Vec<u32> = (0..len).map(|_| rng.gen_range(0..keys)).collect();
        let skip = skip.then(|| rng.gen_range(0..keys));
        let mut expected = vec![G1Projective::zero(); keys as usize];
        for (key, base) in column.iter().zip(&bases).filter(|(k, _)| Some(**k) != skip) {
            expected[*key as usize] += base;
        }
        let sums = sums_by_key(&bases, &column, keys as usize, skip);
        prop_assert_eq!(sums, G1Projective::normalize_batch(&expected));
    }

    #[test]
    fn products_are_the_naive_ones(len in 0usize..700, seed: u64) {
        let bases = points(len + 1, seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let scalars: Vec<Fr> = (0..len).map(|_| scalar(&mut rng)).collect();
        prop_assert_eq!(msm(&bases, &scalars), naive(&bases, scalars.iter().copied()));
        let bits = rng.gen_range(1..=32);
        let numbers: Vec<u32> = (0..len).map(|_| rng.r#gen::<u32>() >> (32 - bits)).collect();
        prop_assert_eq!(msm_u32(&bases, &numbers), naive(&bases, numbers.iter().map(|v| Fr::from(*v))));
    }
}

#[test]
fn sums_that_span_many_pieces() {
    let bases = points(40_000, 5);
    let all: Vec<u32> = (0..40_000).collect();
    let total = bases.iter().fold(G1Projective::zero(), |acc, p| acc + p);
    assert_eq!(sum_selected(&bases, &all), total.into_affine());
    // One key has nearly all rows, its neighbours a few at either end.
    let keys: Vec<u32> = (0..40_000)
        .map(|row| match row {
            0..100 => 2,
            39_000.. => 4,
            _ => 3,
        })
        .collect();
    let sums = sums_by_key(&bases, &keys, 6, None);
    let sum = |range: std::ops::Range<usize>| {
        bases[range]
            .iter()
            .fold(G1Projective::zero(), |acc, p| acc + p)
            .into_affine()
    };
    let none = G1::zero();
    assert_eq!(
        sums,
        [
            none,
            none,
            sum(0..100),
            sum(100..39_000),
            sum(39_000..40_000),
            none
        ]
    );
}

#[test]
fn large_products_agree_with_arkworks() {
    let mut rng = StdRng::seed_from_u64(9);
    let bases = points(1 << 13, 9);
    for len in [127, 128, 129, 1 << 10, (1 << 13) - 1, 1 << 13] {
        let scalars: Vec<Fr> = (0..len).map(|_| scalar(&mut rng)).collect();
        assert_eq!(
            msm(&bases, &scalars),
            G1Projective::msm_unchecked(&bases[..len], &scalars)
        );
    }
    let same = vec![bases[7]; 1 << 10];
    assert_eq!(
        msm(&same, &vec![Fr::from(3u64); 1 << 10]),
        bases[7] * Fr::from(3u64 << 10)
    );
}

/// `cargo test --release kernel_speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn kernel_speed() {
    let mut rng = StdRng::seed_from_u64(1);
    let n = 1 << 15;
    let steps = std::iter::successors(Some(G1Projective::generator()), |p| Some(p.double()));
    let bases = G1Projective::normalize_batch(&steps.take(n).collect::<Vec<_>>());
    let x = bases[9].x;
    measure("inversions", 1000, || {
        (0..1000).fold(x, |y, _| y.inverse().unwrap() + x)
    });
    measure("multiplications in a chain", 1 << 16, || {
        (0..1 << 16).fold(x, |y, _| y * x)
    });
    let rows: Vec<u32> = (0..1 << 15).collect();
    measure("batch-affine sum, 2^15", n, || sum_selected(&bases, &rows));
    measure("mixed additions, 2^15", n, || {
        bases.iter().fold(G1Projective::zero(), |acc, p| acc + p)
    });
    let keys: Vec<u32> = (0..n).map(|_| rng.gen_range(0..1024)).collect();
    measure("sums by 1024 keys, 2^15", n, || {
        sums_by_key(&bases, &keys, 1024, None)
    });
    for log in [8, 10, 12, 15] {
        let len = 1 << log;
        let scalars: Vec<Fr> = (0..len).map(|_| Fr::rand(&mut rng)).collect();
        measure(&format!("msm 2^{log}"), len, || msm(&bases, &scalars));
        measure(&format!("arkworks msm 2^{log}"), len, || {
            G1Projective::msm_unchecked(&bases[..len], &scalars)
        });
        let small: Vec<u32> = (0..len).map(|_| rng.gen_range(0..1 << 16)).collect();
        measure(&format!("msm_u32 of 16 bits 2^{log}"), len, || {
            msm_u32(&bases, &small)
        });
    }
}
