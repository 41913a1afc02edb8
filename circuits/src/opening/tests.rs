use ark_ff::UniformRand;
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;
use crate::measure::measure;
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
        let c = curve::msm(srs.powers(), &f).into_affine();
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

fn refused(case: &Case) -> String {
    case.verify().unwrap_err().to_string()
}

/// What is changed, and how.
type Tampering<'a> = (&'a str, &'a dyn Fn(&mut Case));

#[test]
fn tampered_openings_are_refused() {
    let good = Case::new(6);
    let point = |p: &mut G1| *p = (*p + G1::generator()).into_affine();
    let tamperings: [Tampering; 15] = [
        ("S", &|c| point(&mut c.opening.s)),
        ("W", &|c| point(&mut c.opening.w)),
        ("S and W exchanged", &|c| {
            std::mem::swap(&mut c.opening.s, &mut c.opening.w);
        }),
        ("-W", &|c| c.opening.w = -c.opening.w),
        ("f(z)", &|c| c.opening.f_z += Fr::ONE),
        ("f(1/z)", &|c| c.opening.f_zi += Fr::ONE),
        ("f(z) and f(1/z) exchanged", &|c| {
            std::mem::swap(&mut c.opening.f_z, &mut c.opening.f_zi);
        }),
        ("S(z)", &|c| c.opening.s_z += Fr::ONE),
        ("y", &|c| c.y += Fr::ONE),
        ("r_0", &|c| c.r[0] += Fr::ONE),
        ("r reversed", &|c| c.r.reverse()),
        ("C*", &|c| point(&mut c.c)),
        ("seed", &|c| {
            c.seed.number(0);
        }),
        ("[τ]₁", &|c| point(&mut c.srs.tau_g1)),
        ("[τ]₂", &|c| {
            std::mem::swap(&mut c.srs.tau_g2, &mut c.srs.tau2_g2);
        }),
    ];
    for (name, tamper) in tamperings {
        let mut case = good.clone();
        tamper(&mut case);
        assert_eq!(
            refused(&case),
            "the opening is refused: the pairing equation does not hold",
            "{name}"
        );
    }
}

#[test]
fn identities_and_wrong_lengths_are_refused() {
    let good = Case::new(4);
    let tamperings: [&dyn Fn(&mut Case); 3] = [
        &|c| c.opening.s = G1::zero(),
        &|c| c.opening.w = G1::zero(),
        &|c| c.c = G1::zero(),
    ];
    for tamper in tamperings {
        let mut case = good.clone();
        tamper(&mut case);
        assert!(refused(&case).contains("identity"));
    }
    let mut case = good.clone();
    case.r.pop();
    assert!(matches!(
        case.verify(),
        Err(CircuitError::Length {
            expected: 4,
            got: 3,
            ..
        })
    ));
}

#[test]
fn the_prover_refuses_a_false_value_or_length() {
    let mut rng = StdRng::seed_from_u64(1);
    let srs = Srs::generate(4, &mut rng).unwrap();
    let f = vec![Fr::from(3u64); 17];
    let r: Vec<Fr> = (0..4).map(|_| Fr::rand(&mut rng)).collect();
    let seed = Transcript::new("test");
    let y = Fr::from(3u64);
    open(&srs, &seed, &f, &r, y).unwrap();
    assert!(matches!(
        open(&srs, &seed, &f, &r, y + Fr::ONE),
        Err(CircuitError::Unsatisfied(_))
    ));
    assert!(open(&srs, &seed, &f[1..], &r, y).is_err());
    assert!(open(&srs, &seed, &f, &r[1..], y).is_err());
}

#[test]
fn challenges_without_two_points_are_hashed_again() {
    let five = Fr::from(5u64);
    let candidates = [Fr::zero(), Fr::ONE, -Fr::ONE, five, Fr::from(6u64)];
    let (attempt, z, zi) = first_usable(|attempt| candidates[usize::try_from(attempt).unwrap()]);
    assert_eq!((attempt, z, z * zi), (3, five, Fr::ONE));
}

#[test]
fn challenges_depend_on_all_that_comes_before() {
    let case = Case::new(3);
    let z = |seed: &Transcript, r: &[Fr], y, s| Challenges::new(seed, r, y).z(&s).0;
    let s = case.opening.s;
    let usual = z(&case.seed, &case.r, case.y, s);
    assert_eq!(usual, z(&case.seed, &case.r, case.y, s));
    assert_ne!(usual, z(&Transcript::new("other"), &case.r, case.y, s));
    assert_ne!(usual, z(&case.seed, &case.r[1..], case.y, s));
    assert_ne!(usual, z(&case.seed, &case.r, case.y + Fr::ONE, s));
    assert_ne!(usual, z(&case.seed, &case.r, case.y, -s));
    let eta = |values: [Fr; 3]| {
        let mut challenges = Challenges::new(&case.seed, &case.r, case.y);
        challenges.z(&s);
        challenges.eta(values[0], values[1], values[2])
    };
    let values = [1u64, 2, 3].map(Fr::from);
    for (i, _) in values.iter().enumerate() {
        let mut other = values;
        other[i] += Fr::ONE;
        assert_ne!(eta(values), eta(other));
    }
}

#[test]
fn bytes_round_trip_and_bad_ones_are_refused() {
    let opening = Case::new(3).opening;
    let bytes = opening.to_bytes();
    assert_eq!(Opening::from_bytes(&bytes).unwrap(), opening);
    assert!(Opening::from_bytes(&bytes[..159]).is_err());
    assert!(Opening::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    let modulus: Vec<u8> = <Fr as ark_ff::PrimeField>::MODULUS
        .0
        .iter()
        .flat_map(|limb| limb.to_le_bytes())
        .collect();
    for field in 0..5 {
        let mut bad = bytes;
        bad[field * 32..(field + 1) * 32].copy_from_slice(&modulus);
        assert!(Opening::from_bytes(&bad).is_err(), "field {field}");
        bad[field * 32..(field + 1) * 32].fill(0xff);
        assert!(Opening::from_bytes(&bad).is_err(), "field {field}");
    }
    let mut infinity = bytes;
    infinity[..32].copy_from_slice(&g1_bytes(&G1::zero()));
    assert!(Opening::from_bytes(&infinity).is_err());
}

/// `cargo test --release opening_speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn opening_speed() {
    use crate::commitment::{Blinding, SumsByValue, commit_bits};
    let mut rng = StdRng::seed_from_u64(1);
    for log_rows in [12, 15] {
        let case = Case::new(log_rows);
        let srs = Srs::generate(log_rows, &mut rng).unwrap();
        let rows = srs.rows();
        println!("2^{log_rows} rows");
        let f: Vec<Fr> = (0..=rows).map(|_| Fr::rand(&mut rng)).collect();
        let y = evaluate(&f, &case.r);
        measure("open", rows, || open(&srs, &case.seed, &f, &case.r, y));
        measure("verify", 1, || case.verify());
        let s = Blinding::fresh();
        let column: Vec<u32> = (0..rows).map(|_| rng.gen_range(0..1024)).collect();
        let bits: Vec<bool> = column.iter().map(|v| *v < 512).collect();
        measure("bits", rows, || commit_bits(&srs, &bits, &s));
        measure("sums by 1024 values", rows, || {
            SumsByValue::of(&srs, &column, 1024)
        });
        let sums = SumsByValue::of(&srs, &column, 1024).unwrap();
        measure("select of 1024", 1024, || {
            sums.select(&srs, &bits[..1024], &s)
        });
        measure("combine 1024", 1024, || sums.combine(&srs, &f[..1024], &s));
    }
}
