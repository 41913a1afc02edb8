//! The opening of one row of one committed column, for receipts and audits. No command uses it yet.
//!
//! At the point r whose coordinates are the bits of the row i, e(X) = X^i, and the opening shows the
//! coefficient v_i. But the mask of an answer would not hide the others: f(z)z^{−i} − z·S(z) is a
//! combination of the rows up to i alone, of which few or none carry one of its 16 coefficients. So the
//! mask μ is uniform on *all* n rows and the blinder, and fresh for each opening: every linear
//! functional of f = v + ρμ that is published, and is not one of μ(τ) and μ_i, is then uniform.
//!
//! v_i is to be public, and so is μ_i, which tells nothing: both are sent before the challenge ρ, and
//! f opens to v_i + ρμ_i. That fixes both, but for one ρ.
//!
//! Transcript: the seed, [`separator::ROW`], i (number), the column's commitment, v_i, the mask's
//! commitment, μ_i → ρ; then C* = C + ρ·C_μ, and the opening's own.

use ark_ec::CurveGroup;
use ark_ff::UniformRand;
use ark_std::rand::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use super::{Opening, open, verify};
use crate::hash::{Transcript, separator};
use crate::srs::{Srs, VerifyingSrs};
use galen_field::curve;

use crate::{CircuitError, Fr, G1};

/// What is sent beside the row's number and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOpening {
    /// The mask's commitment.
    pub mask: G1,
    /// The mask in this row.
    pub mask_value: Fr,
    /// The opening of column and mask.
    pub opening: Opening,
}

/// Opens row `row` of a column, `[Fr; n + 1]` (the rows, then the blinder), with its commitment; `seed`
/// has absorbed what column and purpose it is.
///
/// # Errors
/// Not n + 1 coefficients, or no such row.
pub fn open_row(
    srs: &Srs,
    seed: &Transcript,
    column: &[Fr],
    commitment: &G1,
    row: usize,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<RowOpening, CircuitError> {
    if column.len() != srs.rows() + 1 {
        return Err(CircuitError::Length {
            what: "coefficients of an opening",
            expected: srs.rows() + 1,
            got: column.len(),
        });
    }
    let r_low = point(srs.log_rows(), row)?;
    let mut f = Zeroizing::new(Vec::with_capacity(column.len()));
    f.extend((0..column.len()).map(|_| Fr::rand(rng)));
    let mask = curve::msm(srs.powers(), &f).into_affine();
    let mask_value = f[row];
    let statement = Statement {
        row,
        value: column[row],
        commitment,
        mask: &mask,
        mask_value,
    };
    let (rho, transcript, _) = statement.combined(seed);
    for (mask, column) in f.iter_mut().zip(column) {
        *mask = *mask * rho + column;
    }
    Ok(RowOpening {
        mask,
        mask_value,
        opening: open(srs, &transcript, &f, &r_low, f[row])?,
    })
}

/// Verifies that the column of this commitment has this value in row `row`.
///
/// # Errors
/// No such row, or an opening that does not hold.
pub fn verify_row(
    srs: &VerifyingSrs,
    proof: &RowOpening,
    seed: &Transcript,
    row: usize,
    value: Fr,
    commitment: &G1,
) -> Result<(), CircuitError> {
    let r_low = point(srs.log_rows, row)?;
    let statement = Statement {
        row,
        value,
        commitment,
        mask: &proof.mask,
        mask_value: proof.mask_value,
    };
    let (rho, transcript, c_star) = statement.combined(seed);
    let y = value + rho * proof.mask_value;
    verify(srs, &proof.opening, &transcript, &r_low, y, &c_star)
}

/// What is fixed before ρ.
struct Statement<'a> {
    row: usize,
    value: Fr,
    commitment: &'a G1,
    mask: &'a G1,
    mask_value: Fr,
}

impl Statement<'_> {
    /// ρ, the opening's seed and C*.
    fn combined(&self, seed: &Transcript) -> (Fr, Transcript, G1) {
        let mut transcript = seed.clone();
        transcript
            .bytes(separator::ROW.as_bytes())
            .number(self.row as u64)
            .canonical(self.commitment)
            .canonical(&self.value)
            .canonical(self.mask)
            .canonical(&self.mask_value);
        let rho = transcript.field();
        let c_star = (*self.mask * rho + self.commitment).into_affine();
        transcript.canonical(&c_star);
        (rho, transcript, c_star)
    }
}

/// The bits of a row as a point of F^ν.
fn point(log_rows: u32, row: usize) -> Result<Vec<Fr>, CircuitError> {
    if row >> log_rows != 0 {
        return Err(CircuitError::Length {
            what: "rows of a chunk",
            expected: 1 << log_rows,
            got: row,
        });
    }
    Ok((0..log_rows).map(|j| Fr::from(row >> j & 1 == 1)).collect())
}

#[cfg(test)]
mod tests {
    use ark_ff::Field;
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn rows_open_to_their_value_alone() {
        let mut rng = StdRng::seed_from_u64(8);
        let srs = Srs::generate(4, &mut rng).unwrap();
        let verifying = srs.verifying();
        let column: Vec<Fr> = (0..17).map(|_| Fr::rand(&mut rng)).collect();
        let c = curve::msm(srs.powers(), &column).into_affine();
        let seed = Transcript::new("test");
        for row in 0..16 {
            let proof = open_row(&srs, &seed, &column, &c, row, &mut rng).unwrap();
            let check = |proof: &RowOpening, seed: &Transcript, row, value, c: &G1| {
                verify_row(&verifying, proof, seed, row, value, c).is_ok()
            };
            let value = column[row];
            assert!(check(&proof, &seed, row, value, &c));
            assert!(!check(&proof, &seed, row, value + Fr::ONE, &c));
            assert!(!check(&proof, &seed, (row + 1) % 16, value, &c));
            assert!(!check(&proof, &seed, row + 16, value, &c));
            assert!(!check(&proof, &seed, row, value, &-c));
            assert!(!check(&proof, &Transcript::new("other"), row, value, &c));
            let mut bad = proof;
            bad.mask_value += Fr::ONE;
            assert!(!check(&bad, &seed, row, value, &c));
            let mut bad = proof;
            bad.mask = -bad.mask;
            assert!(!check(&bad, &seed, row, value, &c));
        }
        assert!(open_row(&srs, &seed, &column, &c, 16, &mut rng).is_err());
        assert!(open_row(&srs, &seed, &column[1..], &c, 0, &mut rng).is_err());
    }

    #[test]
    fn masks_are_fresh() {
        let mut rng = StdRng::seed_from_u64(9);
        let srs = Srs::generate(3, &mut rng).unwrap();
        let column = vec![Fr::ONE; 9];
        let c = curve::msm(srs.powers(), &column).into_affine();
        let seed = Transcript::new("test");
        let mut open = || open_row(&srs, &seed, &column, &c, 0, &mut rng).unwrap();
        assert_ne!(open().mask, open().mask);
    }
}
