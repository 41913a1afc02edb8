//! The R1CS-to-QAP reduction of the gates (`docs/spec/committed-groth16.md`).

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{
    ConstraintSystemRef, Matrix, R1CS_PREDICATE_LABEL, Result as R1CSResult, SynthesisError,
};
use rayon::prelude::*;

/// libsnark's reduction without its automatic input-consistency rows.
///
/// A gate writes the rows `var·0 = 0` for `1`, its public inputs and ρ itself (its constraint C0),
/// so that they are counted and digested with the rest; its committed slots stand in constraint
/// rows of their own and get none. This halves the evaluation domain. It also refuses a witness
/// that does not satisfy the rows, in release builds too, where arkworks only has a debug assertion.
#[derive(Debug, Clone, Copy)]
pub struct CommittedReduction;

impl R1CSToQAP for CommittedReduction {
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> R1CSResult<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize)> {
        let all = cs.to_matrices()?;
        let matrices = &all[R1CS_PREDICATE_LABEL];
        let domain =
            D::new(cs.num_constraints()).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let lagrange = domain.evaluate_all_lagrange_coefficients(*t);
        let variables = cs.num_instance_variables() + cs.num_witness_variables();
        let column = |matrix: &Matrix<F>| {
            let mut sums = vec![F::zero(); variables];
            for (row, l) in matrix.iter().zip(&lagrange) {
                for (coefficient, index) in row {
                    sums[*index] += *l * coefficient;
                }
            }
            sums
        };
        Ok((
            column(&matrices[0]),
            column(&matrices[1]),
            column(&matrices[2]),
            domain.evaluate_vanishing_polynomial(*t),
            variables - 1,
            domain.size(),
        ))
    }

    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        _num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> R1CSResult<Vec<F>> {
        let domain = D::new(num_constraints).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let rows = |matrix: &Matrix<F>| -> Vec<F> {
            let mut out: Vec<F> = matrix
                .par_iter()
                .map(|row| evaluate_constraint(row, full_assignment))
                .collect();
            out.resize(domain.size(), F::zero());
            out
        };
        let (mut a, mut b, mut c) = (rows(&matrices[0]), rows(&matrices[1]), rows(&matrices[2]));
        let satisfied = a.par_iter().zip(&b).zip(&c).all(|((a, b), c)| *a * b == *c);
        if !satisfied {
            return Err(SynthesisError::Unsatisfiable);
        }
        let coset = domain
            .get_coset(F::GENERATOR)
            .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        for v in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(v);
            coset.fft_in_place(v);
        }
        let inverse_vanishing = domain
            .evaluate_vanishing_polynomial(F::GENERATOR)
            .inverse()
            .expect("the coset avoids the domain");
        a.par_iter_mut().zip(b).zip(c).for_each(|((a, b), c)| {
            *a = (*a * b - c) * inverse_vanishing;
        });
        coset.ifft_in_place(&mut a);
        Ok(a)
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        zt: F,
        delta_inverse: F,
    ) -> R1CSResult<Vec<F>> {
        LibsnarkReduction::h_query_scalars::<F, D>(max_power, t, zt, delta_inverse)
    }
}
