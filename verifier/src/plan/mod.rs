//! From a query to gates, deterministically: what the prover must prove and the verifier replays.
//!
//! A plan is a list of [`Step`]s, each one proof a chunk, in an order in which every step uses only
//! base columns and outputs of earlier steps; then the releases, one proof each for the whole dataset.
//! See `docs/spec/plan.md`.

mod bits;
mod build;
mod groups;
mod linear;
pub(crate) mod payload;
mod percentile;
mod registration;

use galen_circuits::gates::{Gate, release};

pub use build::{MAX_STEPS, PlanError};
pub use linear::{ColumnId, Linear};
pub use payload::{Field, FieldKind, GroupKey, Layout, Place, Rank, contributors, fields_of};
pub use percentile::{Quantile, assumed_quantiles, quantile_count};
pub use registration::{Bases, Unit, gates_for, registration_steps};

use galen_query::query::{IntervalSet, Percentile};

/// One statement, proven once a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Canonical name: equal keys under one context are equal statements.
    pub key: String,
    /// The gate.
    pub gate: Gate,
    /// k of `select`.
    pub k: u64,
    /// S of `recode`.
    pub set: IntervalSet,
    /// The gate's column slots in order.
    pub slots: Vec<Slot>,
    /// What the step is for.
    pub purpose: Purpose,
}

/// What a gate's slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// A combination that the verifier computes.
    Given(Linear),
    /// The step's own new column, committed by the prover.
    Output,
}

/// Why a step stands in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Well-formedness of a base column: bit, range or zero on NULL rows.
    Registration,
    /// A derived column that later queries can use again.
    Derived,
    /// The query's own root: the cohort's payload.
    Root,
}

impl Step {
    /// Whether the step commits to a new column.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.slots.contains(&Slot::Output)
    }
}

/// One release: up to four packed totals under the release rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The root steps whose outputs are summed, at most [`release::TOTALS`].
    pub roots: Vec<usize>,
    /// What each limb belongs to; the rest are 0. Each total occupies [`release::LIMBS_PER_TOTAL`] places.
    pub uses: [Option<Use>; release::LIMBS],
}

/// What a released limb is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Index into the layout's groups.
    pub group: usize,
    /// The statistic.
    pub field: Field,
    /// The count that it is released with: itself, if it is one.
    pub guard: Field,
}

/// A query's plan over one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The releases in order.
    pub releases: Vec<Release>,
    /// Where each statistic of the answer stands among the released limbs.
    pub layout: Layout,
    /// The query's percentiles.
    pub percentiles: Vec<Percentile>,
    /// The published percentiles, for each group one for each of `percentiles`.
    pub quantiles: Vec<Quantile>,
    /// Which of the query's filters lies within which: (inner, outer).
    pub within: Vec<(usize, usize)>,
    /// Whether each count contains the next, as those of an attrition table do.
    pub is_chain: bool,
}
