use ark_ff::UniformRand;
use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::srs::Srs;

/// One true opening with all that its verifier is given.
#[derive(Clone)]
struct Case {
    srs: VerifyingSrs,
    seed: Transcript,
    r: Vec<Fr>,
    y: Fr,
    c: G1,
    opening: Opening,
}

impl Case {
    fn new(log_rows: u32) -> Self {
        let mut rng = StdRng::seed_from_u64(u64::from(log_rows));
        let srs = Srs::generate(log_rows, &mut rng).unwrap();
        let f: Vec<Fr> = (0..=srs.rows()).map(|_| Fr::rand(&mut rng)).collect();
        let r: Vec<Fr> = (0..log_rows).map(|_| Fr::rand(&mut rng)).collect();
        let y = evaluate(&f, &r);
        let c = kernel::msm(srs.powers(), &f).into_affine();
        let mut seed = Transcript::new("test");
        seed.canonical(&c);
        let opening = open(&srs, &seed, &f, &r, y).unwrap();
        Self {
            srs: srs.verifying(),
            seed,
            r,
            y,
            c,
            opening,
        }
    }

    fn verify(&self) -> Result<(), CircuitError> {
        verify(
            &self.srs,
            &self.opening,
            &self.seed,
            &self.r,
            self.y,
            &self.c,
        )
    }
}

/// Σ_{i<n} f_i·eq(r, i), straight from the definition.
fn evaluate(f: &[Fr], r: &[Fr]) -> Fr {
    (0..1usize << r.len())
        .map(|i| {
            let eq = |(j, r): (usize, &Fr)| if i >> j & 1 == 1 { *r } else { Fr::ONE - r };
            f[i] * r.iter().enumerate().map(eq).product::<Fr>()
        })
        .sum()
}

#[test]
fn true_openings_verify() {
    for log_rows in 3..=12 {
        Case::new(log_rows).verify().unwrap();
    }
}
