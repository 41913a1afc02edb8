//! Checked decoding of points: canonical, on the curve, in the subgroup, not the identity.

use ark_bn254::{Fq, g1};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{SWCurveConfig, SWFlags},
};
use ark_ff::{AdditiveGroup, Field};
use ark_serialize::{CanonicalDeserialize, CanonicalDeserializeWithFlags, CanonicalSerialize};
use galen_field::roots;

use crate::{CircuitError, G1, G2};

/// Bytes of a compressed G1 point.
pub const G1_BYTES: usize = 32;
/// Bytes of a compressed G2 point.
pub const G2_BYTES: usize = 64;

fn decode<P>(bytes: &[u8], len: usize, what: &'static str) -> Result<P, CircuitError>
where
    P: CanonicalDeserialize + CanonicalSerialize + AffineRepr,
{
    let refuse = |why| CircuitError::Encoding { what, why };
    if bytes.len() != len {
        return Err(refuse("wrong length"));
    }
    // Validation covers the curve equation and, in G2, the subgroup.
    let point = P::deserialize_compressed(bytes)
        .map_err(|_| refuse("not a point of the curve and subgroup"))?;
    // ark-ec takes any x under the infinity flag: only re-encoding shows that the bytes are canonical.
    let mut again = Vec::with_capacity(len);
    point
        .serialize_compressed(&mut again)
        .expect("writing to a Vec cannot fail");
    if again != bytes {
        return Err(refuse("not the canonical encoding"));
    }
    if point.is_zero() {
        return Err(refuse("the point at infinity is not allowed here"));
    }
    Ok(point)
}

/// Decodes a G1 point of 32 bytes that someone else sent.
///
/// # Errors
/// Wrong length, not canonical, off the curve, or the identity.
pub fn g1(bytes: &[u8], what: &'static str) -> Result<G1, CircuitError> {
    decode(bytes, G1_BYTES, what)
}

/// Decodes G1 points of 32 bytes each that someone else sent.
///
/// # Errors
/// As [`g1`], of the first that is refused.
pub fn g1_many(bytes: &[u8], what: &'static str) -> Result<Vec<G1>, CircuitError> {
    let refuse = |why| CircuitError::Encoding { what, why };
    let (points, []) = bytes.as_chunks::<G1_BYTES>() else {
        return Err(refuse("wrong length"));
    };
    let abscissas: Vec<Fq> = points
        .iter()
        .map(
            |own| match Fq::deserialize_with_flags::<_, SWFlags>(&own[..]) {
                Ok((_, flags)) if flags.is_infinity() => {
                    // Whichever of its disguises it comes in.
                    g1(own, what).map(|_| Fq::ZERO)
                }
                Ok((x, _)) => Ok(x),
                Err(_) => Err(refuse("not a point of the curve and subgroup")),
            },
        )
        .collect::<Result<_, _>>()?;
    let squares: Vec<Fq> = abscissas
        .iter()
        .map(|x| x.square() * x + g1::Config::COEFF_B)
        .collect();
    let roots = roots::candidates(&squares);
    let found = abscissas.into_iter().zip(squares).zip(roots).zip(points);
    found
        .map(|(((x, square), y), own)| {
            if y.square() != square {
                return Err(refuse("not a point of the curve and subgroup"));
            }
            // All points of the curve are in G1. Which root is meant, the encoding shows; no other one is canonical.
            let both = [G1::new_unchecked(x, y), G1::new_unchecked(x, -y)];
            let meant = both.into_iter().find(|point| g1_bytes(point) == *own);
            meant.ok_or_else(|| refuse("not the canonical encoding"))
        })
        .collect()
}

/// Decodes a G2 point of 64 bytes that someone else sent.
///
/// # Errors
/// Wrong length, not canonical, off the curve, outside the subgroup, or the identity.
pub fn g2(bytes: &[u8], what: &'static str) -> Result<G2, CircuitError> {
    decode(bytes, G2_BYTES, what)
}

/// The 32 canonical bytes of a G1 point.
#[must_use]
pub fn g1_bytes(point: &G1) -> [u8; G1_BYTES] {
    let mut out = [0; G1_BYTES];
    point
        .serialize_compressed(&mut out[..])
        .expect("32 bytes hold a compressed G1 point");
    out
}

/// The 64 canonical bytes of a G2 point.
#[must_use]
pub fn g2_bytes(point: &G2) -> [u8; G2_BYTES] {
    let mut out = [0; G2_BYTES];
    point
        .serialize_compressed(&mut out[..])
        .expect("64 bytes hold a compressed G2 point");
    out
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
    use ark_ff::UniformRand;
    use ark_std::rand::Rng;

    use super::*;

    fn refused<T: std::fmt::Debug>(r: Result<T, CircuitError>) -> &'static str {
        match r.unwrap_err() {
            CircuitError::Encoding { why, .. } => why,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn generators_round_trip() {
        assert_eq!(
            g1(&g1_bytes(&G1::generator()), "g").unwrap(),
            G1::generator()
        );
        assert_eq!(
            g2(&g2_bytes(&G2::generator()), "g").unwrap(),
            G2::generator()
        );
    }

    #[test]
    fn identity_in_either_disguise_is_refused() {
        let mut bytes = g1_bytes(&G1::zero());
        assert_eq!(
            refused(g1(&bytes, "g")),
            "the point at infinity is not allowed here"
        );
        bytes[0] = 7; // the infinity flag with a non-zero x
        assert_eq!(refused(g1(&bytes, "g")), "not the canonical encoding");
        let mut bytes = g2_bytes(&G2::zero());
        assert_eq!(
            refused(g2(&bytes, "g")),
            "the point at infinity is not allowed here"
        );
        bytes[3] = 7;
        assert_eq!(refused(g2(&bytes, "g")), "not the canonical encoding");
    }

    /// One after another and all together: the same points, or the same reason.
    #[test]
    fn many_are_decoded_as_one_by_one() {
        let mut rng = ark_std::test_rng();
        let good: Vec<[u8; 32]> = (0..40)
            .map(|_| g1_bytes(&G1Affine::rand(&mut rng)))
            .collect();
        let decode = |bytes: &[u8]| -> Result<Vec<G1>, CircuitError> {
            let own = bytes.chunks(G1_BYTES);
            own.map(|own| g1(own, "g")).collect()
        };
        let all = good.concat();
        assert_eq!(g1_many(&all, "g").unwrap(), decode(&all).unwrap());
        assert!(g1_many(&[], "g").unwrap().is_empty());
        assert_eq!(refused(g1_many(&all[1..], "g")), "wrong length");
        for _ in 0..2_000 {
            let mut one = good[rng.gen_range(0..40)];
            match rng.gen_range(0..4) {
                0 => one = rng.r#gen(),
                1 => one[31] ^= 1 << rng.gen_range(0..8),
                2 => one[rng.gen_range(0..32)] ^= 1 << rng.gen_range(0..8),
                _ => one = [0; 32].map(|_: u8| if rng.r#gen() { 0 } else { 0x30 }),
            }
            let bytes = [good[0], one, good[1]].concat();
            match (g1_many(&bytes, "g"), decode(&bytes)) {
                (Ok(many), Ok(single)) => assert_eq!(many, single),
                (many, single) => assert_eq!(refused(many), refused(single)),
            }
        }
    }

    #[test]
    fn off_curve_off_subgroup_and_unreduced_are_refused() {
        let why = "not a point of the curve and subgroup";
        let mut rng = ark_std::test_rng();
        let bad = std::iter::repeat_with(|| Fq::rand(&mut rng))
            .find(|x| G1Affine::get_point_from_x_unchecked(*x, false).is_none())
            .unwrap();
        let mut bytes = [0u8; 32];
        bad.serialize_compressed(&mut bytes[..]).unwrap();
        assert_eq!(refused(g1(&bytes, "g")), why);
        let outside = std::iter::repeat_with(|| Fq2::rand(&mut rng))
            .find_map(|x| G2Affine::get_point_from_x_unchecked(x, false))
            .unwrap();
        assert!(!outside.is_in_correct_subgroup_assuming_on_curve());
        assert_eq!(refused(g2(&g2_bytes(&outside), "g")), why);
        assert_eq!(refused(g1(&[0x3f; 32], "g")), why);
        assert_eq!(refused(g1(&[0; 31], "g")), "wrong length");
        assert_eq!(refused(g2(&[0; 65], "g")), "wrong length");
    }
}
