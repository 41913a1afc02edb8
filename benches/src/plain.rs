//! `ark-groth16 alone`: `select` as anyone would write it, with x, y and z as witness variables. As many
//! constraints a row, over the same values; no commitment D, no link, no native checks. What the
//! committed proof costs more than this is the price of committing.

use ark_ff::{One, UniformRand};
use ark_groth16::{Groth16, Proof, ProvingKey, prepare_verifying_key};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, LinearCombination, Matrix,
    OptimizationGoal, R1CS_PREDICATE_LABEL, Result, SynthesisError, SynthesisMode, Variable,
};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{E, Fr, gates::select};

use crate::fixture::{Fixture, LITERALS};

type Lc = LinearCombination<Fr>;

/// The circuit with its values; the same rows as `select`.
#[derive(Clone, Copy)]
pub struct Plain<'a> {
    /// The public constant.
    pub k: Fr,
    /// The compared column.
    pub x: &'a [Fr],
    /// The payload.
    pub y: &'a [Fr],
    /// The selected payload.
    pub z: &'a [Fr],
}

impl<'a> Plain<'a> {
    /// Over the values of the fixture's `select` with y = ones.
    #[must_use]
    pub fn of(f: &'a Fixture) -> Self {
        Self {
            k: Fr::from(LITERALS),
            x: f.met.values(),
            y: f.ones.values(),
            z: f.cohort.values(),
        }
    }
}

impl ConstraintSynthesizer<Fr> for Plain<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let ctx = Fr::one();
        let _ = cs.new_input_variable(|| Ok(ctx))?;
        let k = cs.new_input_variable(|| Ok(self.k))?;
        let witnesses = |values: &[Fr]| -> Result<Vec<Variable>> {
            values
                .iter()
                .map(|v| cs.new_witness_variable(|| Ok(*v)))
                .collect()
        };
        let (x, y, z) = (witnesses(self.x)?, witnesses(self.y)?, witnesses(self.z)?);
        let w = witnesses(&select::hints(self.k, self.x, self.y, self.z))?;
        let lambda = Fr::from(select::LAMBDA);
        for i in 0..x.len() {
            let k_minus_x = || Lc::from(k) - x[i];
            let rest = Lc::from((lambda, y[i])) - (lambda, z[i]);
            cs.enforce_r1cs_constraint(|| Lc::from(w[i]), k_minus_x, || rest)?;
            cs.enforce_r1cs_constraint(|| Lc::from(z[i]), k_minus_x, Lc::zero)?;
        }
        Ok(())
    }
}

/// A stock key, and the circuit's matrices prepared once.
pub struct PlainKey {
    key: ProvingKey<E>,
    matrices: Vec<Matrix<Fr>>,
    instance: usize,
    constraints: usize,
}

impl PlainKey {
    /// Stock key generation.
    ///
    /// # Errors
    /// When arkworks refuses, which it does not.
    pub fn generate(circuit: Plain<'_>) -> Result<Self> {
        let key = Groth16::<E>::generate_random_parameters_with_reduction(circuit, &mut OsRng)?;
        let cs = ConstraintSystem::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        cs.set_mode(SynthesisMode::Setup);
        circuit.generate_constraints(cs.clone())?;
        cs.finalize();
        let matrices = cs
            .to_matrices()?
            .remove(R1CS_PREDICATE_LABEL)
            .ok_or(SynthesisError::PredicateNotFound)?;
        Ok(Self {
            key,
            matrices,
            instance: cs.num_instance_variables(),
            constraints: cs.num_constraints(),
        })
    }

    /// Constraints, without those that the stock reduction adds.
    #[must_use]
    pub fn constraints(&self) -> usize {
        self.constraints
    }

    /// Proves as arkworks' users do: synthesis, matrices, proof.
    ///
    /// # Errors
    /// When arkworks refuses.
    pub fn prove(&self, circuit: Plain<'_>) -> Result<Proof<E>> {
        Groth16::<E>::create_random_proof_with_reduction(circuit, &self.key, &mut OsRng)
    }

    /// Proves with the prepared matrices: only the assignment is synthesized.
    ///
    /// # Errors
    /// When arkworks refuses.
    pub fn prove_prepared(&self, circuit: Plain<'_>) -> Result<Proof<E>> {
        let cs = ConstraintSystem::new_ref();
        cs.set_mode(SynthesisMode::Prove {
            construct_matrices: false,
            generate_lc_assignments: false,
        });
        circuit.generate_constraints(cs.clone())?;
        let inner = cs.into_inner().ok_or(SynthesisError::MissingCS)?;
        let mut values = inner.assignments.instance_assignment;
        values.extend_from_slice(&inner.assignments.witness_assignment);
        Groth16::<E>::create_proof_with_reduction_and_matrices(
            &self.key,
            Fr::rand(&mut OsRng),
            Fr::rand(&mut OsRng),
            &self.matrices,
            self.instance,
            self.constraints,
            &values,
        )
    }

    /// Checks a proof.
    ///
    /// # Errors
    /// When arkworks refuses the inputs.
    pub fn verify(&self, k: Fr, proof: &Proof<E>) -> Result<bool> {
        let prepared = prepare_verifying_key(&self.key.vk);
        Groth16::<E>::verify_proof(&prepared, proof, &[Fr::one(), k])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::toy;

    #[test]
    fn both_ways_of_proving_verify_and_the_rows_are_selects() {
        let f = toy();
        let k = Fr::from(LITERALS);
        let circuit = Plain::of(&f);
        let key = PlainKey::generate(circuit).unwrap();
        assert_eq!(key.constraints(), 2 * f.n);
        assert!(key.verify(k, &key.prove(circuit).unwrap()).unwrap());
        assert!(
            key.verify(k, &key.prove_prepared(circuit).unwrap())
                .unwrap()
        );
    }
}
