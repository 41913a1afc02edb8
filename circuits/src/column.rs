//! Hiding commitments to columns, and openings of single rows (`docs/spec/commitments.md`).

use std::ops::Mul;

use ark_bn254::{Bn254, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup, pairing::Pairing};
use ark_ff::{One, UniformRand, Zero};
use ark_poly::EvaluationDomain;
use ark_std::rand::rngs::OsRng;
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    CircuitError, Fr, G1, G2,
    msm::msm,
    srs::{Srs, VerifyingSrs, commitment_domain},
};

/// One chunk of a column with its blinding factor: secret, but for the commitment.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Column {
    values: Vec<Fr>,
    blinding: Fr,
    #[zeroize(skip)]
    commitment: G1,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({} rows, redacted)", self.values.len())
    }
}

impl Column {
    /// Commits to `values` (one field element a row, in row order) under a fresh blinding factor
    /// from the operating system.
    ///
    /// # Errors
    /// When there are not exactly `srs.rows()` values.
    pub fn commit(srs: &Srs, values: Vec<Fr>) -> Result<Self, CircuitError> {
        let blinding = Fr::rand(&mut OsRng);
        Self::with_blinding(srs, values, blinding)
    }

    /// Commits under a given blinding factor: to take up a stored column again, and in tests.
    ///
    /// # Errors
    /// When there are not exactly `srs.rows()` values.
    pub fn with_blinding(srs: &Srs, values: Vec<Fr>, blinding: Fr) -> Result<Self, CircuitError> {
        check_rows("column", srs.rows(), values.len())?;
        let commitment = msm(&srs.lagrange, &values) + srs.blinding * blinding;
        Ok(Self {
            values,
            blinding,
            commitment: commitment.into_affine(),
        })
    }

    /// Puts a stored column together again without recomputing its commitment.
    #[must_use]
    pub fn from_parts(values: Vec<Fr>, blinding: Fr, commitment: G1) -> Self {
        Self {
            values,
            blinding,
            commitment,
        }
    }

    /// A column of one public constant with blinding 0.
    #[must_use]
    pub fn constant(srs: &VerifyingSrs, value: Fr) -> Self {
        let commitment = srs.ones().mul(value).into_affine();
        Self {
            values: vec![value; srs.rows()],
            blinding: Fr::zero(),
            commitment,
        }
    }

    /// `present`: 1 in the first `rows` rows, with blinding 0.
    ///
    /// # Errors
    /// When `rows` exceeds the shape's.
    pub fn present(srs: &VerifyingSrs, rows: usize) -> Result<Self, CircuitError> {
        let commitment = srs.present(rows).ok_or(CircuitError::Length {
            what: "present rows",
            expected: srs.rows(),
            got: rows,
        })?;
        let mut values = vec![Fr::zero(); srs.rows()];
        values[..rows].fill(Fr::one());
        Ok(Self {
            values,
            blinding: Fr::zero(),
            commitment,
        })
    }

    /// Σ coefficientᵢ·columnᵢ: values, blinding and commitment alike.
    ///
    /// # Errors
    /// When the columns differ in length.
    pub fn combination(rows: usize, terms: &[(Fr, &Column)]) -> Result<Self, CircuitError> {
        let mut sum = Self {
            values: vec![Fr::zero(); rows],
            blinding: Fr::zero(),
            commitment: G1::zero(),
        };
        let mut commitment = G1Projective::zero();
        for (coefficient, column) in terms {
            check_rows("column in a combination", rows, column.values.len())?;
            sum.values
                .par_iter_mut()
                .zip(&column.values)
                .for_each(|(s, v)| *s += scale(*coefficient, *v));
            sum.blinding += *coefficient * column.blinding;
            commitment += if coefficient.is_one() {
                column.commitment.into_group()
            } else {
                column.commitment * *coefficient
            };
        }
        sum.commitment = commitment.into_affine();
        Ok(sum)
    }

    /// The values in row order.
    #[must_use]
    pub fn values(&self) -> &[Fr] {
        &self.values
    }

    /// The blinding factor r.
    #[must_use]
    pub fn blinding(&self) -> Fr {
        self.blinding
    }

    /// The commitment.
    pub fn commitment(&self) -> G1 {
        self.commitment
    }

    /// Opens row `row`: one G1 element that convinces a holder of the commitment of the row's value.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn open(&self, srs: &Srs, row: usize) -> Result<G1, CircuitError> {
        check_rows("column", srs.rows(), self.values.len())?;
        let value = *self.values.get(row).ok_or(CircuitError::Length {
            what: "row to open",
            expected: self.values.len(),
            got: row,
        })?;
        let domain = commitment_domain(srs.rows());
        let point = domain.element(row);
        let mut f = self.values.clone();
        f.resize(domain.size(), Fr::zero());
        domain.ifft_in_place(&mut f);
        f.push(self.blinding); // + r·Xᴺ
        f[0] -= self.blinding + value; // − r − f(ωⁱ)
        // Synthetic division by X − ωⁱ; the remainder is f(ωⁱ) − vᵢ = 0.
        let mut quotient = vec![Fr::zero(); f.len() - 1];
        let mut carry = Fr::zero();
        for j in (0..quotient.len()).rev() {
            carry = f[j + 1] + carry * point;
            quotient[j] = carry;
        }
        let opening = msm(&srs.powers[..quotient.len()], &quotient).into_affine();
        f.zeroize();
        quotient.zeroize();
        Ok(opening)
    }
}

/// coefficient·value, cheap where a factor is 0 or 1 (most are).
fn scale(coefficient: Fr, value: Fr) -> Fr {
    if value.is_zero() || coefficient.is_one() {
        value
    } else if value.is_one() {
        coefficient
    } else {
        coefficient * value
    }
}

/// Checks that row `row` of the column under `commitment` holds `value`:
/// e(C − v·[1]₁, [1]₂) = e(π, [τ]₂ − ωⁱ·[1]₂).
///
/// # Errors
/// When the row does not exist or the opening does not fit.
pub fn verify_opening(
    srs: &VerifyingSrs,
    commitment: &G1,
    row: usize,
    value: Fr,
    opening: &G1,
) -> Result<(), CircuitError> {
    if row >= srs.rows() {
        return Err(CircuitError::Length {
            what: "opened row",
            expected: srs.rows(),
            got: row,
        });
    }
    let point = commitment_domain(srs.rows()).element(row);
    let left = *commitment - G1Projective::generator() * value;
    let right = srs.tau_g2 - G2::generator() * point;
    let product = Bn254::multi_pairing(
        [left, -opening.into_group()],
        [G2::generator().into_group(), right],
    );
    if product.is_zero() {
        Ok(())
    } else {
        Err(CircuitError::Encoding {
            what: "row opening",
            why: "does not fit the commitment and value",
        })
    }
}

fn check_rows(what: &'static str, expected: usize, got: usize) -> Result<(), CircuitError> {
    if expected == got {
        Ok(())
    } else {
        Err(CircuitError::Length {
            what,
            expected,
            got,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srs::Tau;

    fn srs() -> Srs {
        let mut rng = OsRng;
        Srs::generate(11, &Tau::draw(11, &mut rng))
    }

    fn sample(srs: &Srs) -> Column {
        Column::commit(srs, (0..11u64).map(|i| Fr::from(i * i)).collect()).unwrap()
    }

    #[test]
    fn rows_open_to_their_value_and_to_no_other() {
        let srs = srs();
        let c = sample(&srs);
        for row in [0, 4, 10] {
            let opening = c.open(&srs, row).unwrap();
            let value = c.values()[row];
            verify_opening(&srs.verifying, &c.commitment(), row, value, &opening).unwrap();
            let v = &srs.verifying;
            assert!(verify_opening(v, &c.commitment(), row, value + Fr::one(), &opening).is_err());
            assert!(verify_opening(v, &c.commitment(), (row + 1) % 11, value, &opening).is_err());
            assert!(verify_opening(v, &sample(&srs).commitment(), row, value, &opening).is_err());
        }
        assert!(c.open(&srs, 11).is_err());
    }

    #[test]
    fn an_opening_depends_on_commitment_and_value_only() {
        // The quotient's commitment is (C − v)/(τ − ωⁱ): two columns that agree there agree in it.
        let srs = srs();
        let a = sample(&srs);
        let again = Column::with_blinding(&srs, a.values().to_vec(), a.blinding()).unwrap();
        assert_eq!(a.open(&srs, 3).unwrap(), again.open(&srs, 3).unwrap());
    }

    #[test]
    fn blinding_is_fresh_and_combinations_are_homomorphic() {
        let srs = srs();
        let (a, b) = (sample(&srs), sample(&srs));
        assert_ne!(a.commitment(), b.commitment());
        let two = Fr::from(2u64);
        let ones = Column::constant(&srs.verifying, Fr::one());
        let sum =
            Column::combination(11, &[(two, &a), (-Fr::one(), &b), (Fr::one(), &ones)]).unwrap();
        let again = Column::with_blinding(&srs, sum.values().to_vec(), sum.blinding()).unwrap();
        assert_eq!(sum.commitment(), again.commitment());
        assert_eq!(sum.values()[3], Fr::from(10u64));
    }

    #[test]
    fn present_is_the_public_prefix() {
        let srs = srs();
        let p = Column::present(&srs.verifying, 4).unwrap();
        let again = Column::with_blinding(&srs, p.values().to_vec(), Fr::zero()).unwrap();
        assert_eq!(p.commitment(), again.commitment());
        assert!(Column::present(&srs.verifying, 12).is_err());
        assert!(format!("{p:?}").contains("redacted"));
    }
}
