//! Checked decoding of points: canonical, on the curve, in the subgroup, not the identity.

use ark_ec::AffineRepr;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};

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
