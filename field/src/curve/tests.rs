//! Both paths against arkworks, over points with repetitions, opposites and the identity.

use ark_bn254::{G1Affine, G1Projective, G2Affine};
use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{Field, UniformRand, Zero};
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use proptest::prelude::*;

use super::*;

/// Points with repetitions, opposites and the identity among them.
fn points<P: Point>(len: usize, seed: u64) -> Vec<P> {
    let mut rng = StdRng::seed_from_u64(seed);
    let few: Vec<P> = (0..4)
        .map(|_| P::Group::rand(&mut rng).into_affine())
        .collect();
    let mut step = P::Group::generator() * Fr::rand(&mut rng);
    let mut all = Vec::with_capacity(len);
    for _ in 0..len {
        all.push(match rng.gen_range(0..8) {
            0 => P::zero(),
            1 => few[rng.gen_range(0..4)],
            2 => -few[rng.gen_range(0..4)],
            _ => {
                step.double_in_place();
                step.into()
            }
        });
    }
    all
}

fn naive<P: Point>(bases: &[P], scalars: impl IntoIterator<Item = Fr>) -> P::Group {
    bases
        .iter()
        .zip(scalars)
        .fold(P::Group::zero(), |acc, (p, s)| acc + *p * s)
}

/// Sums of runs by arkworks.
fn plain<P: Point>(points: &[P], runs: &[Run]) -> Vec<P> {
    let sum = |r: &Run| -> P::Group {
        let own = points[r.start..r.start + r.count].iter();
        own.map(|p| p.into_group()).sum()
    };
    runs.iter().map(|r| sum(r).into_affine()).collect()
}

/// Runs of many lengths over points that are all distinct (`kind` 0), that may be the identity (1), or equal and opposite too (2).
fn runs<P: Point>(kind: usize, rng: &mut StdRng) -> (Vec<P>, Vec<Run>) {
    let few: Vec<P> = points(64, rng.r#gen());
    let mut step = P::Group::rand(rng);
    let (mut all, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..rng.gen_range(1..20) {
        let count = match rng.gen_range(0..6) {
            0 => 1,
            1 => 2,
            2 => rng.gen_range(1..600),
            _ => rng.gen_range(1..40),
        };
        let start = all.len();
        runs.push(Run { start, count });
        for _ in 0..count {
            let p = few[rng.gen_range(0..few.len())];
            let last = *all.last().unwrap_or(&p);
            all.push(match (kind, rng.gen_range(0..12)) {
                (1 | 2, 0) => P::zero(),
                (2, 1) => -last,
                (2, 2) => last,
                (2, 3..8) => p,
                _ => {
                    step.double_in_place();
                    step.into()
                }
            });
        }
    }
    (all, runs)
}

#[test]
fn runs_are_summed_on_both_paths() {
    let rng = &mut StdRng::seed_from_u64(1);
    if !crate::path::has_vectors() {
        eprintln!("NOT TESTED: this machine has no AVX-512 IFMA");
    }
    for round in 0..60 {
        let (all, runs) = runs::<G1Affine>(round % 3, rng);
        let expected = plain(&all, &runs);
        assert_eq!(scalar::sum_runs(all.iter().copied(), &runs), expected);
        #[cfg(target_arch = "x86_64")]
        if crate::path::has_vectors() {
            assert_eq!(vector::sum_runs(all.iter().copied(), &runs), expected);
        }
        let (all, runs) = self::runs::<G2Affine>(round % 3, rng);
        let expected = plain(&all, &runs);
        assert_eq!(scalar::sum_runs(all.iter().copied(), &runs), expected);
        #[cfg(target_arch = "x86_64")]
        if crate::path::has_vectors() {
            assert_eq!(vector::sum_runs(all.iter().copied(), &runs), expected);
        }
    }
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
        let bases: Vec<G1Affine> = points(len, seed);
        let rows: Vec<u32> = rows.iter().map(|r| r % u32::try_from(len).unwrap()).collect();
        let expected = rows.iter().fold(G1Projective::zero(), |acc, r| acc + bases[*r as usize]);
        prop_assert_eq!(sum_selected(&bases, &rows), expected.into_affine());
    }

    #[test]
    fn sums_by_key_are_the_naive_ones(len in 0usize..300, keys in 1u32..40, seed: u64, skip: bool) {
        let bases: Vec<G1Affine> = points(len + 3, seed);
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
        let bases: Vec<G1Affine> = points(len + 1, seed);
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
    let bases: Vec<G1Affine> = points(40_000, 5);
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
    let none = G1Affine::zero();
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
    let bases: Vec<G1Affine> = points(1 << 13, 9);
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
