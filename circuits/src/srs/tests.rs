use ark_std::rand::{SeedableRng, rngs::StdRng};

use super::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(3)
}

/// The string of a given secret, unchecked.
fn of_secret(tau: Fr, rows: usize) -> Srs {
    let g1 = powers_of(tau, Fr::ONE)
        .take(rows + 1)
        .map(|p| (G1::generator() * p).into_affine())
        .collect();
    let g2 = [Fr::ONE, tau, tau.square()].map(|p| (G2::generator() * p).into_affine());
    Srs::trusted(g1, g2)
}

fn refused(srs: Srs) -> &'static str {
    match Srs::from_powers(srs.powers, srs.g2) {
        Err(CircuitError::Srs(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn generated_strings_pass_and_round_trip() {
    let srs = Srs::generate(5, &mut rng()).unwrap();
    srs.check().unwrap();
    assert_eq!((srs.rows(), srs.log_rows()), (32, 5));
    let bytes = srs.to_bytes();
    for read in [Srs::read_trusted(&bytes), Srs::read_checked(&bytes)] {
        let read = read.unwrap();
        assert_eq!((read.powers, read.g2), (srs.powers.clone(), srs.g2));
    }
    let verifying = srs.verifying();
    assert_eq!(
        VerifyingSrs::from_bytes(&verifying.to_bytes()).unwrap(),
        verifying
    );
    Srs::from_powers(srs.powers, srs.g2).unwrap();
}

#[test]
fn cached_sums_are_right() {
    let srs = Srs::generate(4, &mut rng()).unwrap();
    let total = srs.bases().iter().sum::<G1Projective>().into_affine();
    assert_eq!(srs.total(), total);
    for s in [Fr::zero(), Fr::ONE, -Fr::ONE, Fr::rand(&mut rng())] {
        assert_eq!(srs.blinder(s), (srs.powers[16] * s).into_affine());
    }
}

#[test]
fn degenerate_secrets_are_refused() {
    assert_eq!(
        refused(of_secret(Fr::zero(), 8)),
        "a power is not a point of the curve"
    );
    // A root of unity of order 16: τ^8 = −1 = −τ^0.
    let root = <Fr as ark_ff::FftField>::get_root_of_unity(16).unwrap();
    for tau in [Fr::ONE, -Fr::ONE, root] {
        assert_eq!(
            refused(of_secret(tau, 8)),
            "two powers are equal or opposite"
        );
    }
    for tau in [Fr::zero(), Fr::ONE, -Fr::ONE] {
        let verifying = of_secret(tau, 8).verifying();
        assert!(matches!(
            verifying.check(),
            Err(CircuitError::Srs("the secret is 0, 1 or -1"))
        ));
    }
}

#[test]
fn powers_that_do_not_belong_together_are_refused() {
    let good = || of_secret(Fr::from(7u64), 8);
    let other = of_secret(Fr::from(5u64), 8);
    Srs::from_powers(good().powers, good().g2).unwrap();
    for j in 2..=8 {
        let mut srs = good();
        srs.powers[j] = (srs.powers[j] + G1::generator()).into_affine();
        assert_eq!(refused(srs), "the powers are not consecutive");
    }
    let mut srs = good();
    srs.powers[1] = other.powers[1];
    assert_eq!(refused(srs), "G1 and G2 are of different secrets");
    let mut srs = good();
    srs.g2[2] = other.g2[2];
    assert_eq!(refused(srs), "the third point of G2 is not of the square");
    let mut srs = good();
    srs.powers[0] = other.powers[1];
    assert_eq!(refused(srs), "it does not begin with the generators");
    let mut srs = good();
    srs.powers[3] = G1::new_unchecked(1u64.into(), 1u64.into());
    assert_eq!(refused(srs), "a power is not a point of the curve");
    let mut srs = good();
    srs.powers.pop();
    assert!(Srs::from_powers(srs.powers, srs.g2).is_err());
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    let outside = std::iter::repeat_with({
        let mut rng = rng();
        move || ark_bn254::Fq2::rand(&mut rng)
    })
    .find_map(|x| G2::get_point_from_x_unchecked(x, false))
    .unwrap();
    let mut verifying = of_secret(Fr::from(7u64), 8).verifying();
    verifying.tau2_g2 = outside;
    assert!(matches!(
        verifying.check(),
        Err(CircuitError::Srs("a point is not of its group"))
    ));
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let bytes = Srs::generate(3, &mut rng()).unwrap().to_bytes();
    let mut unreduced = bytes.clone();
    unreduced[4..36].fill(0x3f);
    let mut flagged = bytes.clone();
    flagged[4 + 63] |= 0x40; // the infinity flag of a point that is not it
    let mut rows = bytes.clone();
    rows[0] = 4;
    for bad in [&unreduced, &flagged, &rows, &bytes[1..].to_vec(), &vec![]] {
        assert!(Srs::read_checked(bad).is_err());
    }
    let verifying = Srs::read_trusted(&bytes).unwrap().verifying().to_bytes();
    for at in 0..verifying.len() {
        let mut bad = verifying;
        bad[at] ^= 0x40;
        assert!(VerifyingSrs::from_bytes(&bad).is_err(), "byte {at}");
    }
    assert!(VerifyingSrs::from_bytes(&verifying[1..]).is_err());
}
