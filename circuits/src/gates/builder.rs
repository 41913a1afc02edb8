//! Thin helpers over arkworks' constraint system, so that a gate reads like its spec page.

use ark_relations::gr1cs::{
    ConstraintSystemRef, LinearCombination, Result as R1CSResult, SynthesisError, Variable,
};

use crate::Fr;

pub(super) type Lc = LinearCombination<Fr>;

/// A linear combination of nothing.
pub(super) fn zero() -> Lc {
    Lc::zero()
}

/// A constant.
pub(super) fn constant(value: Fr) -> Lc {
    Lc::from((value, Variable::One))
}

pub(super) struct Builder(pub(super) ConstraintSystemRef<Fr>);

impl Builder {
    /// The next instance variable.
    pub(super) fn input(&self, value: Option<Fr>) -> R1CSResult<Variable> {
        self.0
            .new_input_variable(|| value.ok_or(SynthesisError::AssignmentMissing))
    }

    /// The next `len` instance variables.
    pub(super) fn inputs(&self, len: usize, values: Option<&[Fr]>) -> R1CSResult<Vec<Variable>> {
        if values.is_some_and(|v| v.len() != len) {
            return Err(SynthesisError::AssignmentMissing);
        }
        (0..len).map(|i| self.input(values.map(|v| v[i]))).collect()
    }

    /// The next witness variable.
    pub(super) fn witness(&self, value: Option<Fr>) -> R1CSResult<Variable> {
        self.0
            .new_witness_variable(|| value.ok_or(SynthesisError::AssignmentMissing))
    }

    /// The next `len` witness variables.
    pub(super) fn witnesses(&self, len: usize, values: Option<&[Fr]>) -> R1CSResult<Vec<Variable>> {
        if values.is_some_and(|v| v.len() != len) {
            return Err(SynthesisError::AssignmentMissing);
        }
        (0..len)
            .map(|i| self.witness(values.map(|v| v[i])))
            .collect()
    }

    /// a·b = c.
    pub(super) fn enforce(&self, a: Lc, b: Lc, c: Lc) -> R1CSResult<()> {
        self.0.enforce_r1cs_constraint(|| a, || b, || c)
    }

    /// C0: the consistency rows var·0 = 0 of `1`, the public inputs and ρ. They make the QAP columns of
    /// these variables non-zero and independent, without which ρ would hide nothing.
    pub(super) fn consistency_rows(&self, publics_and_rho: &[Variable]) -> R1CSResult<()> {
        for var in std::iter::once(&Variable::One).chain(publics_and_rho) {
            self.enforce(Lc::from(*var), zero(), zero())?;
        }
        Ok(())
    }
}
