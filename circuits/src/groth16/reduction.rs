//! The reduction from rank-1 constraints to a QAP as circom and snarkjs do it.
//!
//! With A, B, C the polynomials of degree < n that take the values ⟨aᵢ, w⟩, ⟨bᵢ, w⟩, ⟨cᵢ, w⟩ on the
//! domain H of n points, A·B − C = h·Z for Z = Xⁿ − 1 exactly if the constraints hold. libsnark
//! gives the prover the coefficients of h and the key δ⁻¹·τⁱZ(τ). snarkjs divides nothing: let
//! ω be the root of unity of order 2n. A·B − C has degree ≤ 2n − 2, so its value at τ is
//! Σᵢ L₂ₙ,ᵢ(τ)·(A·B − C)(ωⁱ) over the 2n powers of ω; the even ones are H, where it vanishes.
//! So the key holds δ⁻¹·L₂ₙ,ᵢ(τ) for odd i, and the prover evaluates A·B − C on the coset ω·H.
//! On H itself it takes C = A·B, which is true of satisfied constraints alone: **the prover must
//! have checked them**.

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, Matrix, Result, SynthesisError};
use zeroize::Zeroizing;

/// circom's [`R1CSToQAP`], so that a `.zkey` made by snarkjs can serve.
pub struct CircomReduction;

/// A·B − C on the coset ω·H, in the order ω¹, ω³, …, from A and B on H; n values each. `to_coset` takes a polynomial's values on H to those on the
/// coset.
pub(super) fn coset_quotient<F: PrimeField>(
    mut a: Vec<F>,
    b: Vec<F>,
    to_coset: impl Fn(&mut [F]) + Sync,
) -> Vec<F> {
    let mut b = Zeroizing::new(b);
    let products = a.iter().zip(&*b).map(|(a, b)| *a * b);
    let mut c = Zeroizing::new(products.collect::<Vec<F>>());
    rayon::join(
        || to_coset(&mut a),
        || rayon::join(|| to_coset(&mut b), || to_coset(&mut c)),
    );
    for ((a, b), c) in a.iter_mut().zip(&*b).zip(&*c) {
        *a = *a * b - c;
    }
    a
}

impl R1CSToQAP for CircomReduction {
    /// As libsnark's: A, B, C at τ, where row n_constraints + i of A holds public input i (and the
    /// constant 1), so that no two public inputs can be exchanged for each other.
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize)> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>> {
        let domain =
            D::new(num_constraints + num_inputs).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let evaluate = |matrix: &Matrix<F>| {
            let rows = matrix.iter().take(num_constraints);
            rows.map(|row| evaluate_constraint(row, full_assignment))
                .collect::<Vec<F>>()
        };
        let (mut a, mut b) = (evaluate(&matrices[0]), evaluate(&matrices[1]));
        a.extend_from_slice(&full_assignment[..num_inputs]);
        a.resize(domain.size(), F::ZERO);
        b.resize(domain.size(), F::ZERO);
        let double = D::new(2 * domain.size()).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let coset = domain
            .get_coset(double.group_gen())
            .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        Ok(coset_quotient(a, b, |values| {
            let mut own = Zeroizing::new(values.to_vec());
            domain.ifft_in_place(&mut *own);
            coset.fft_in_place(&mut *own);
            values.copy_from_slice(&own);
        }))
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        _zt: F,
        delta_inverse: F,
    ) -> Result<Vec<F>> {
        // `max_power` is n − 1.
        let double = D::new(2 * (max_power + 1)).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let lagrange = double.evaluate_all_lagrange_coefficients(t);
        let odd = lagrange.into_iter().skip(1).step_by(2);
        Ok(odd.map(|l| l * delta_inverse).collect())
    }
}
