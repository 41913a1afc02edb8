//! Thin helpers over arkworks' constraint system, so that a gate reads like its spec page.

use ark_relations::gr1cs::{
    ConstraintSystemRef, LinearCombination, Result as R1CSResult, SynthesisError, Variable,
};

use ark_ff::One;

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

    /// The next `count` witness variables, each 0 or 1.
    pub(super) fn bits(&self, count: u32, values: Option<&[Fr]>) -> R1CSResult<Vec<Variable>> {
        let bits = self.witnesses(count as usize, values)?;
        for bit in &bits {
            self.enforce(Lc::from(*bit), Lc::from(*bit) - constant(Fr::one()), zero())?;
        }
        Ok(bits)
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

/// 1, 2^step, 2^(2·step), …
pub(super) fn powers(step: u32) -> impl Iterator<Item = Fr> {
    let base = Fr::from(1u64 << step);
    std::iter::successors(Some(Fr::one()), move |p| Some(base * p))
}

/// Σ 2^(step·i)·valueᵢ.
pub(super) fn power_sum(values: impl IntoIterator<Item = Fr>, step: u32) -> Fr {
    values
        .into_iter()
        .zip(powers(step))
        .map(|(v, p)| v * p)
        .sum()
}

/// Σ 2^(step·i)·varᵢ.
pub(super) fn weighted(vars: &[Variable], step: u32) -> Lc {
    let terms: Vec<_> = powers(step).zip(vars.iter().copied()).collect();
    Lc::from_sum_coeff_vars(&terms)
}
