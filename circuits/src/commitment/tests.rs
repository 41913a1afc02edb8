use std::sync::LazyLock;

use ark_ff::Field;
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use proptest::prelude::*;

use super::*;

static SRS: LazyLock<Srs> =
    LazyLock::new(|| Srs::generate(7, &mut StdRng::seed_from_u64(1)).unwrap());

fn scalars<T: Copy + Into<u64>>(values: &[T]) -> Vec<Fr> {
    values.iter().map(|v| Fr::from((*v).into())).collect()
}

/// Σ v_i·[τ^i] + s·[τ^n], term by term.
fn naive(values: &[Fr], s: Fr) -> G1 {
    let rows = values.iter().zip(SRS.bases()).map(|(v, p)| *p * v);
    (rows.sum::<G1Projective>() + SRS.powers()[SRS.rows()] * s).into_affine()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_column_has_one_point(len in 0usize..=128, values in 1u32..200, skew in 0u32..4, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let s = Blinding::random(&mut rng);
        let favourite = rng.gen_range(0..values);
        let column: Vec<u32> = (0..len)
            .map(|_| if rng.gen_range(0..4) < skew { favourite } else { rng.gen_range(0..values) })
            .collect();
        let expected = naive(&scalars(&column), s.expose());
        prop_assert_eq!(commit(&SRS, &scalars(&column), &s).unwrap(), expected);
        prop_assert_eq!(commit_numbers(&SRS, &column, &s).unwrap(), expected);
        let sums = SumsByValue::of(&SRS, &column, values as usize).unwrap();
        let identity: Vec<u32> = (0..values).collect();
        prop_assert_eq!(sums.combine(&SRS, &scalars(&identity), &s).unwrap(), expected);

        // Bits that are functions of the column; padding rows have the key 0.
        let bits: Vec<bool> = (0..values).map(|_| rng.gen_range(0..4) < skew).collect();
        let rows: Vec<bool> = (0..SRS.rows())
            .map(|row| bits[column.get(row).copied().unwrap_or(0) as usize])
            .collect();
        let as_scalars: Vec<Fr> = rows.iter().map(|b| Fr::from(*b)).collect();
        let expected = naive(&as_scalars, s.expose());
        prop_assert_eq!(commit_bits(&SRS, &rows, &s).unwrap(), expected);
        prop_assert_eq!(sums.select(&SRS, &bits, &s).unwrap(), expected);
    }

    #[test]
    fn commitments_are_linear(len in 1usize..=128, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut column = || -> Vec<Fr> { (0..len).map(|_| Fr::rand(&mut rng)).collect() };
        let (a, b, weight) = (column(), column(), column()[0]);
        let (s, t) = (Blinding::fresh(), Blinding::fresh());
        let sum: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a + weight * b).collect();
        let blinder = Blinding::restore(s.expose() + weight * t.expose());
        let of_sum = commit(&SRS, &sum, &blinder).unwrap();
        let sum_of = commit(&SRS, &a, &s).unwrap() + commit(&SRS, &b, &t).unwrap() * weight;
        prop_assert_eq!(of_sum, sum_of.into_affine());
    }
}

#[test]
fn blinders_differ_and_are_not_shown() {
    let (a, b) = (Blinding::fresh(), Blinding::fresh());
    assert_ne!(a.expose(), b.expose());
    assert_eq!(format!("{a:?}"), "Blinding(..)");
    let column = [Fr::ONE; 3];
    assert_ne!(
        commit(&SRS, &column, &a).unwrap(),
        commit(&SRS, &column, &b).unwrap()
    );
}

#[test]
fn lengths_are_refused() {
    let s = Blinding::fresh();
    let length = |result: Result<G1, CircuitError>| {
        assert!(matches!(result, Err(CircuitError::Length { .. })));
    };
    length(commit(&SRS, &[Fr::ONE; 129], &s));
    length(commit_numbers(&SRS, &[1; 129], &s));
    length(commit_bits(&SRS, &[true; 129], &s));
    let sums = SumsByValue::of(&SRS, &[0, 4], 5).unwrap();
    length(sums.select(&SRS, &[true; 4], &s));
    length(sums.combine(&SRS, &[Fr::ONE; 6], &s));
    for (keys, len) in [
        (vec![5], 5),
        (vec![], 0),
        (vec![0; 129], 5),
        (vec![u32::MAX], 5),
    ] {
        assert!(matches!(
            SumsByValue::of(&SRS, &keys, len),
            Err(CircuitError::Length { .. })
        ));
    }
}
