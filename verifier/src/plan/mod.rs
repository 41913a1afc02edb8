//! From a query to one equation, deterministically: what the prover must prove and the verifier derives again
//! (`docs/spec/plan.md`).
//!
//! A plan is the [`Equation`] of the whole answer and, for each statistic of each group, the cell in which it
//! stands. It follows from the query, its purpose, the registry, the number of rows and the published percentiles,
//! and from nothing else.

mod bases;
mod bits;
mod blocks;
mod build;
mod error;
mod explain;
pub(crate) mod fields;
mod formula;
mod groups;
mod limits;
mod literal;
mod lookups;
mod names;
mod percentile;
mod registration;
mod roots;
mod scale;
mod steps;
mod terms;
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use galen_circuits::equation::{Equation, Rows};

pub use error::PlanError;
pub use fields::{Field, FieldKind, Rank, contributors, fields_of};
pub use galen_query::query::MAX_GROUPS;
pub use limits::MAX_CELLS;
pub use names::Names;
pub(crate) use names::key_in_words;
pub use percentile::{Quantile, assumed_quantiles, check_percentiles, quantile_count};
pub use registration::registration_equations;

use crate::attack::Conditions;
use galen_query::query::Percentile;

/// A query's plan over one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is proven, but for the values of the cells.
    pub equation: Equation,
    /// The cell of each statistic of each group.
    pub layout: Layout,
    /// What is known of each statistic, in the order in which a bundle lists them in each group; ranks are not
    /// among them.
    pub statistics: BTreeMap<Field, Statistic>,
    /// The query's percentiles.
    pub percentiles: Vec<Percentile>,
    /// The published percentiles, for each group one for each of `percentiles`.
    pub quantiles: Vec<Quantile>,
    /// Which of the query's filters lies within which: (inner, outer).
    pub within: Vec<(usize, usize)>,
    /// Whether each count contains the next, as those of an attrition table do.
    pub is_chain: bool,
    /// What its numbers are called.
    pub names: Names,
    /// What the answer's counts can tell apart; `None` if that is too much to look at.
    pub(crate) conditions: Option<Arc<Conditions>>,
}

/// What is known of a statistic in every group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistic {
    /// The count that it is released with: itself, if it is one.
    pub guard: Field,
    /// The largest number that it can be; the smallest is 0.
    pub largest: i128,
}

/// The groups of an answer (one without keys when there is no GROUP BY), with their fields' cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// For each group its keys in GROUP BY order, and the cell of [`Plan::equation`] in which each field stands.
    /// Ranks may share cells with one another, and with nothing else.
    pub groups: Vec<(Vec<GroupKey>, BTreeMap<Field, usize>)>,
}

/// One value of a GROUP BY column: a stored value, or NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// A stored value, or the index of a bin.
    Value(u64),
    /// NULL.
    Null,
}

impl Plan {
    /// R: the patients of the dataset.
    #[must_use]
    pub fn patients(&self) -> u64 {
        self.rows().present as u64
    }

    /// The counts of which several together tell how many patients of some kind there are, and one such kind, in words after
    /// "patients": under some profiles the smallest is hidden where these are few.
    #[must_use]
    pub fn together(&self) -> Option<(BTreeSet<Field>, String)> {
        let contains = |a: Field, b: Field| a.contains(b, &self.within);
        self.conditions.as_ref()?.together(contains)
    }

    /// Whether another count of the answer contains this one: under some profiles it is hidden where they differ by few.
    #[must_use]
    pub fn is_within_another(&self, field: Field) -> bool {
        let mut counts = self.statistics.keys().filter(|f| f.is_count());
        counts.any(|other| *other != field && other.contains(field, &self.within))
    }

    /// How the dataset's rows lie.
    #[must_use]
    pub fn rows(&self) -> Rows {
        self.equation.rows
    }

    /// Where a field of a group stands among the equation's cells.
    #[must_use]
    pub fn cell(&self, group: usize, field: Field) -> Option<usize> {
        self.layout.groups.get(group)?.1.get(&field).copied()
    }

    /// For each of the equation's cells the group and the field whose number it holds: of a rank the first one.
    /// `None` where nobody asked for the cell: it is always hidden, and nothing is proven of it.
    #[must_use]
    pub fn places(&self) -> Vec<Option<(usize, Field)>> {
        let mut places = vec![None; self.equation.cells()];
        for (group, (_, cells)) in self.layout.groups.iter().enumerate() {
            for (field, cell) in cells {
                places[*cell].get_or_insert((group, *field));
            }
        }
        places
    }
}
