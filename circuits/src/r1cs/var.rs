//! A value inside a circuit, with the linear combination of variables that it stands for.

use std::ops::{Add, Neg, Sub};

use ark_ff::{AdditiveGroup, Field};

use crate::Fr;

/// `coefficient · w[variable]`.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) variable: u32,
    pub(super) coefficient: Fr,
}

/// A linear combination of variables and its value.
///
/// When a shape is recorded the terms are kept in ascending order of variables, none twice and
/// none with coefficient 0, and the value means nothing; when an assignment is computed there is
/// only the value and nothing is allocated.
#[derive(Clone)]
pub struct Var {
    value: Fr,
    terms: Vec<Term>,
}

impl Var {
    pub(super) fn new(value: Fr, terms: Vec<Term>) -> Self {
        Self { value, terms }
    }

    pub(super) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The constant 0.
    #[must_use]
    pub fn zero() -> Self {
        Self::new(Fr::ZERO, Vec::new())
    }

    /// The value under the assignment that is being computed.
    #[must_use]
    pub fn value(&self) -> Fr {
        self.value
    }

    /// Σ cᵢ·vᵢ; costs no constraint.
    #[must_use]
    pub fn linear(parts: &[(Fr, &Var)]) -> Self {
        let mut value = Fr::ZERO;
        for (c, v) in parts {
            value += if *c == Fr::ONE { v.value } else { v.value * c };
        }
        Self::new(value, gather(parts.iter().copied()))
    }

    /// Σ coefficientsᵢ·varsᵢ over the shorter of the two; costs no constraint.
    #[must_use]
    pub fn dot(coefficients: &[Fr], vars: &[Var]) -> Self {
        let n = coefficients.len().min(vars.len());
        let (coefficients, vars) = (&coefficients[..n], &vars[..n]);
        // Three products share one reduction: BN254's modulus leaves the room.
        let (c3, c1) = coefficients.as_chunks::<3>();
        let (v3, v1) = vars.as_chunks::<3>();
        let mut value: Fr = c1.iter().zip(v1).map(|(c, v)| *c * v.value).sum();
        for (c, v) in c3.iter().zip(v3) {
            value += Fr::sum_of_products(c, &[v[0].value, v[1].value, v[2].value]);
        }
        Self::new(value, gather(coefficients.iter().copied().zip(vars)))
    }

    /// c·self; costs no constraint.
    #[must_use]
    pub fn scale(&self, c: Fr) -> Self {
        Self::linear(&[(c, self)])
    }
}

/// The terms of Σ c·v; nothing is allocated where there are none.
fn gather<'a>(parts: impl Iterator<Item = (Fr, &'a Var)>) -> Vec<Term> {
    let mut terms = Vec::new();
    for (c, v) in parts.filter(|(_, v)| !v.terms.is_empty()) {
        terms.extend(v.terms.iter().map(|t| Term {
            variable: t.variable,
            coefficient: t.coefficient * c,
        }));
    }
    if terms.is_empty() {
        return terms;
    }
    merge(terms)
}

/// Sorts by variable, adds up equal variables and drops what vanishes: a canonical form, because
/// field addition is exact whatever the order.
fn merge(mut terms: Vec<Term>) -> Vec<Term> {
    // Most inputs are a few sorted runs, which the stable sort merges.
    terms.sort_by_key(|t| t.variable);
    terms.dedup_by(|next, kept| {
        let same = next.variable == kept.variable;
        if same {
            kept.coefficient += next.coefficient;
        }
        same
    });
    terms.retain(|t| t.coefficient != Fr::ZERO);
    terms
}

impl Add for &Var {
    type Output = Var;
    fn add(self, other: &Var) -> Var {
        Var::linear(&[(Fr::ONE, self), (Fr::ONE, other)])
    }
}

impl Sub for &Var {
    type Output = Var;
    fn sub(self, other: &Var) -> Var {
        Var::linear(&[(Fr::ONE, self), (-Fr::ONE, other)])
    }
}

impl Neg for &Var {
    type Output = Var;
    fn neg(self) -> Var {
        self.scale(-Fr::ONE)
    }
}
