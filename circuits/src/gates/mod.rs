//! The five circuits (`docs/spec/README.md`), their layouts and their synthesis.

mod builder;
pub mod compare;
mod layout;
pub mod multiply;
pub mod recode;
pub mod release;
pub mod select;
mod totals;

use std::fmt;

use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, Matrix, OptimizationGoal,
    R1CS_PREDICATE_LABEL, Result as R1CSResult, SynthesisError, SynthesisMode,
};

pub use layout::{Layout, Slot, SlotKind};

use crate::{
    CircuitError, Fr,
    hash::{Transcript, separator},
};

/// A gate: which statement a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// zᵢ = yᵢ where xᵢ = k, else 0.
    Select,
    /// zᵢ = xᵢ·yᵢ.
    Multiply,
    /// zᵢ = 1 where xᵢ ∈ S, else 0, over a table of 2^bits values.
    Recode {
        /// Width of the table: 10 and 16 in parameter sets, small ones in tests.
        bits: u32,
    },
    /// Published cells from totals.
    Release,
    /// Weighted sums of totals' limbs that are not negative.
    Compare,
}

impl Gate {
    /// The gates a parameter set can hold, in canonical order.
    pub const ALL: [Gate; 6] = [
        Gate::Select,
        Gate::Multiply,
        Gate::Recode { bits: 10 },
        Gate::Recode { bits: 16 },
        Gate::Release,
        Gate::Compare,
    ];

    /// The name used in files, hashes and messages: `select`, `multiply`, `recode10`, `release`, `compare`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Gate::Select => "select".into(),
            Gate::Multiply => "multiply".into(),
            Gate::Recode { bits } => format!("recode{bits}"),
            Gate::Release => "release".into(),
            Gate::Compare => "compare".into(),
        }
    }

    /// The gate of that name, among [`Gate::ALL`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Gate> {
        Gate::ALL.into_iter().find(|g| g.name() == name)
    }

    /// How the gate's instance is laid out for columns of `n` rows.
    #[must_use]
    pub fn layout(self, n: usize) -> Layout {
        match self {
            Gate::Select => select::layout(n),
            Gate::Multiply => multiply::layout(n),
            Gate::Recode { bits } => recode::layout(n, bits),
            Gate::Release => release::layout(),
            Gate::Compare => compare::layout(),
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A gate's full assignment, witness hints included; borrowed from the columns.
#[derive(Clone, Copy)]
pub enum Assignment<'a> {
    /// Of [`Gate::Select`].
    Select(select::Assignment<'a>),
    /// Of [`Gate::Multiply`].
    Multiply(multiply::Assignment<'a>),
    /// Of [`Gate::Recode`].
    Recode(recode::Assignment<'a>),
    /// Of [`Gate::Release`].
    Release(release::Assignment<'a>),
    /// Of [`Gate::Compare`].
    Compare(compare::Assignment<'a>),
}

/// A gate over `n` rows as arkworks synthesizes it; without an assignment it gives the matrices.
#[derive(Clone, Copy)]
pub struct Circuit<'a> {
    /// Which gate.
    pub gate: Gate,
    /// Rows of a column.
    pub n: usize,
    /// The values, when proving.
    pub assignment: Option<Assignment<'a>>,
}

/// Assignments hold patients' rows, so none of them prints any.
macro_rules! redacted {
    ($($type:ty),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Assignment(redacted)")
            }
        }
    )*};
}

redacted!(
    Assignment<'_>,
    select::Assignment<'_>,
    multiply::Assignment<'_>,
    recode::Assignment<'_>,
    release::Assignment<'_>,
    compare::Assignment<'_>
);

impl fmt::Debug for Circuit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Circuit({} over {} rows)", self.gate, self.n)
    }
}

impl ConstraintSynthesizer<Fr> for Circuit<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> R1CSResult<()> {
        match (self.gate, self.assignment) {
            (Gate::Select, None) => select::synthesize(cs, self.n, None),
            (Gate::Select, Some(Assignment::Select(a))) => select::synthesize(cs, self.n, Some(a)),
            (Gate::Multiply, None) => multiply::synthesize(cs, self.n, None),
            (Gate::Multiply, Some(Assignment::Multiply(a))) => {
                multiply::synthesize(cs, self.n, Some(a))
            }
            (Gate::Recode { bits }, None) => recode::synthesize(cs, self.n, bits, None),
            (Gate::Recode { bits }, Some(Assignment::Recode(a))) => {
                recode::synthesize(cs, self.n, bits, Some(a))
            }
            (Gate::Release, None) => release::synthesize(cs, None),
            (Gate::Release, Some(Assignment::Release(a))) => release::synthesize(cs, Some(a)),
            (Gate::Compare, None) => compare::synthesize(cs, None),
            (Gate::Compare, Some(Assignment::Compare(a))) => compare::synthesize(cs, Some(a)),
            _ => Err(SynthesisError::AssignmentMissing),
        }
    }
}

/// The constraint matrices of a gate, as the prover needs them.
#[derive(Debug, Clone)]
pub struct Matrices {
    /// A, B and C: for each row its (coefficient, variable) pairs.
    pub abc: Vec<Matrix<Fr>>,
    /// Rows.
    pub constraints: usize,
    /// Instance variables, the 1 included.
    pub instance: usize,
    /// Witness variables.
    pub witness: usize,
}

impl Matrices {
    /// Synthesizes the gate over `n` rows.
    ///
    /// # Errors
    /// When arkworks refuses, which it does for no gate of ours.
    pub fn of(gate: Gate, n: usize) -> Result<Self, CircuitError> {
        let synthesis = |source| CircuitError::Synthesis { gate, source };
        let cs = ConstraintSystem::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        cs.set_mode(SynthesisMode::Setup);
        Circuit {
            gate,
            n,
            assignment: None,
        }
        .generate_constraints(cs.clone())
        .map_err(synthesis)?;
        cs.finalize();
        let mut all = cs.to_matrices().map_err(synthesis)?;
        let abc = all
            .remove(R1CS_PREDICATE_LABEL)
            .ok_or(synthesis(SynthesisError::PredicateNotFound))?;
        Ok(Self {
            abc,
            constraints: cs.num_constraints(),
            instance: cs.num_instance_variables(),
            witness: cs.num_witness_variables(),
        })
    }

    /// SHA-512 over sizes and every entry, first half: the circuit's identity.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut t = Transcript::new(separator::CIRCUIT);
        for size in [self.constraints, self.instance, self.witness] {
            t.number(size as u64);
        }
        for row in self.abc.iter().flatten() {
            t.number(row.len() as u64);
            for (coefficient, index) in row {
                t.canonical(coefficient).number(*index as u64);
            }
        }
        let mut out = [0; 32];
        out.copy_from_slice(&t.digest()[..32]);
        out
    }
}

/// Instance and witness values of a circuit with an assignment, without building matrices.
pub(crate) fn full_assignment(circuit: Circuit<'_>) -> Result<Vec<Fr>, CircuitError> {
    let gate = circuit.gate;
    let synthesis = |source| CircuitError::Synthesis { gate, source };
    let cs = ConstraintSystem::new_ref();
    cs.set_mode(SynthesisMode::Prove {
        construct_matrices: false,
        generate_lc_assignments: false,
    });
    circuit
        .generate_constraints(cs.clone())
        .map_err(synthesis)?;
    let inner = cs
        .into_inner()
        .ok_or(synthesis(SynthesisError::MissingCS))?;
    let mut all = inner.assignments.instance_assignment;
    all.extend_from_slice(&inner.assignments.witness_assignment);
    let mut witness = inner.assignments.witness_assignment;
    zeroize::Zeroize::zeroize(&mut witness);
    Ok(all)
}
