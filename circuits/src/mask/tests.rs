use ark_ec::CurveGroup;
use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::*;

#[test]
fn positions_are_spread_and_balanced() {
    assert_eq!(positions(3), (0..8).collect::<Vec<_>>());
    for log_rows in 4..=20 {
        let rows = positions(log_rows);
        assert_eq!(rows.len(), 16);
        for (k, row) in rows.iter().enumerate() {
            assert_eq!(row >> (log_rows - 4), k, "one in each sixteenth");
        }
        for j in 0..log_rows {
            let ones = rows.iter().filter(|row| *row >> j & 1 == 1).count();
            assert_eq!(ones, 8, "bit {j} of 2^{log_rows} rows");
            for other in (0..j).filter(|_| log_rows <= 15) {
                let both = |row: &&usize| *row >> j & 1 == 1 && *row >> other & 1 == 1;
                assert_eq!(rows.iter().filter(both).count(), 4);
            }
        }
    }
}

#[test]
fn a_mask_is_the_column_that_it_adds() {
    let mut rng = StdRng::seed_from_u64(2);
    for log_rows in 3..8 {
        let srs = Srs::generate(log_rows, &mut rng).unwrap();
        let mask = Mask::fresh(&srs, &mut rng);
        let mut f = vec![Fr::ONE; srs.rows() + 1];
        let weight = Fr::rand(&mut rng);
        mask.add_to(&mut f, weight).unwrap();
        let column: Vec<Fr> = f.iter().map(|c| (*c - Fr::ONE) / weight).collect();
        assert_eq!(
            mask.commit(&srs).unwrap(),
            curve::msm(srs.powers(), &column).into_affine()
        );
        let r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(&mut rng)).collect();
        let mut folded = column[..srs.rows()].to_vec();
        for r in r.iter().rev() {
            let high = folded.split_off(folded.len() / 2);
            for (low, high) in folded.iter_mut().zip(high) {
                *low += *r * (high - *low);
            }
        }
        assert_eq!(mask.evaluate(&r).unwrap(), folded[0]);
        assert!(mask.evaluate(&r[1..]).is_err());
        assert!(mask.add_to(&mut f[1..], weight).is_err());
        assert_eq!(format!("{mask:?}"), "Mask(..)");
    }
}
