//! The builder: one circuit function, run to record its shape or to compute an assignment.

use std::fmt::Display;

use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroizing;

use super::matrices::Recorder;
use super::var::Term;
use super::{Matrices, Var};
use crate::Fr;

/// Writes a circuit's variables and constraints.
///
/// Variable 0 is the constant 1; public inputs come next, in the order of their calls, then the
/// witness. A circuit must make the same calls in the same order whatever the values are.
pub struct Builder {
    values: Zeroizing<Vec<Fr>>,
    publics: usize,
    constraints: usize,
    first_unsatisfied: Option<usize>,
    /// While a shape is recorded.
    recorder: Option<Box<Recorder>>,
}

/// The values of all variables of one run of a circuit; erased when dropped.
pub struct Assignment {
    values: Zeroizing<Vec<Fr>>,
    publics: usize,
    constraints: usize,
    first_unsatisfied: Option<usize>,
}

impl Builder {
    /// Runs `circuit` to record its constraints. The values that it allocates are ignored.
    #[must_use]
    pub fn shape(circuit: impl FnOnce(&mut Builder)) -> Matrices {
        let mut builder = Self::new(0, Some(Box::new(Recorder::new())));
        circuit(&mut builder);
        let (publics, variables) = (builder.publics, builder.values.len());
        let recorder = builder.recorder.expect("a shape is recorded");
        recorder.finish(publics, variables)
    }

    /// Runs `circuit` to compute its assignment. `variables` is how many to make room for at
    /// once ([`Matrices::variables`]), so that no copy of the witness is left behind by growing.
    #[must_use]
    pub fn assign(variables: usize, circuit: impl FnOnce(&mut Builder)) -> Assignment {
        let mut builder = Self::new(variables, None);
        circuit(&mut builder);
        Assignment {
            values: builder.values,
            publics: builder.publics,
            constraints: builder.constraints,
            first_unsatisfied: builder.first_unsatisfied,
        }
    }

    fn new(variables: usize, recorder: Option<Box<Recorder>>) -> Self {
        let mut values = Zeroizing::new(Vec::with_capacity(variables.max(1)));
        values.push(Fr::ONE);
        Self {
            values,
            publics: 0,
            constraints: 0,
            first_unsatisfied: None,
            recorder,
        }
    }

    fn allocate(&mut self, value: Fr) -> Var {
        let terms = self.term(self.values.len(), Fr::ONE);
        self.values.push(value);
        Var::new(value, terms)
    }

    fn term(&self, variable: usize, coefficient: Fr) -> Vec<Term> {
        if self.recorder.is_none() {
            return Vec::new();
        }
        vec![Term {
            variable: u32::try_from(variable).expect("a circuit has fewer than 2^32 variables"),
            coefficient,
        }]
    }

    /// Allocates the next public input.
    ///
    /// # Panics
    /// After the first witness: a circuit allocates all its public inputs first.
    pub fn public(&mut self, value: Fr) -> Var {
        assert_eq!(
            self.values.len(),
            1 + self.publics,
            "public inputs are allocated before the witness"
        );
        self.publics += 1;
        self.allocate(value)
    }

    /// Allocates the next variable of the witness.
    pub fn witness(&mut self, value: Fr) -> Var {
        self.allocate(value)
    }

    /// The constant `c`; costs no constraint.
    #[must_use]
    pub fn constant(&self, c: Fr) -> Var {
        if c == Fr::ZERO {
            return Var::zero();
        }
        Var::new(c, self.term(0, c))
    }

    /// Names the constraints from here to the next label, as the circuit's page of the spec does:
    /// `label("C3")`, `label(format_args!("C3, round {j}"))`.
    pub fn label(&mut self, name: impl Display) {
        if let Some(recorder) = &mut self.recorder {
            recorder.label(name);
        }
    }

    /// Enforces a·b = c.
    pub fn enforce(&mut self, a: &Var, b: &Var, c: &Var) {
        let assigning = self.recorder.is_none();
        if assigning && self.first_unsatisfied.is_none() && a.value() * b.value() != c.value() {
            self.first_unsatisfied = Some(self.constraints);
        }
        self.record(a, b, c);
    }

    fn record(&mut self, a: &Var, b: &Var, c: &Var) {
        self.constraints += 1;
        if let Some(recorder) = &mut self.recorder {
            recorder.push([a.terms(), b.terms(), c.terms()]);
        }
    }

    /// A new witness variable that is a·b; one constraint.
    pub fn mul(&mut self, a: &Var, b: &Var) -> Var {
        let product = self.witness(a.value() * b.value());
        self.record(a, b, &product);
        product
    }

    /// Enforces a = b; one constraint.
    pub fn equal(&mut self, a: &Var, b: &Var) {
        let one = self.constant(Fr::ONE);
        self.enforce(a, &one, b);
    }

    /// Enforces a ≠ 0 and returns the new witness variable 1/a; one constraint. An honest caller
    /// never passes 0, for which no assignment satisfies the circuit.
    pub fn nonzero(&mut self, a: &Var) -> Var {
        let inverse = self.witness(a.value().inverse().unwrap_or_default());
        let one = self.constant(Fr::ONE);
        self.enforce(a, &inverse, &one);
        inverse
    }
}

impl Assignment {
    /// (1, public inputs, witness).
    #[must_use]
    pub fn values(&self) -> &[Fr] {
        &self.values
    }

    /// The public inputs, without the constant 1.
    #[must_use]
    pub fn publics(&self) -> &[Fr] {
        &self.values[1..=self.publics]
    }

    /// How many constraints the circuit wrote.
    #[must_use]
    pub fn constraints(&self) -> usize {
        self.constraints
    }

    /// The first constraint that the values do not satisfy, as the circuit saw it while it ran.
    /// What a proof relies on is [`Matrices::first_unsatisfied`].
    #[must_use]
    pub fn first_unsatisfied(&self) -> Option<usize> {
        self.first_unsatisfied
    }
}
