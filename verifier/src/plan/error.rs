//! Why a query has no plan.

use galen_circuits::CircuitError;

use super::{MAX_CELLS, MAX_GROUPS};

/// Why a query has no plan.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// Too many groups.
    #[error(
        "GROUP BY makes {groups} groups, more than {MAX_GROUPS}; take wider buckets, a column with fewer codes or one column instead of two; WHERE makes none of them fewer"
    )]
    TooManyGroups {
        /// Groups asked for.
        groups: usize,
    },
    /// Too many numbers.
    #[error(
        "the answer would have {cells} numbers, more than {MAX_CELLS}; ask for fewer groups, or for fewer columns in one query"
    )]
    TooManyCells {
        /// Numbers, those included that every block has for itself.
        cells: usize,
    },
    /// More counts than can be proven hidden.
    #[error(
        "if all counts had to be hidden, what is proven of them would take {needed} rows, and a table of this size has {most}; ask for fewer groups, or for fewer counts and percentiles in one query"
    )]
    TooManyHidden {
        /// Rows of limbs in the worst case.
        needed: usize,
        /// Rows that there are.
        most: usize,
    },
    /// What the counts tell together is too much to look at.
    #[error(
        "what all numbers of the answer tell together cannot be looked at: its conditions can meet in too many ways; ask for fewer filters and nullable columns in one query"
    )]
    TooManyConditions,
    /// No circuit is large enough.
    #[error("the query needs {needed} {what}, and cannot have more than {most}; {help}")]
    TooLarge {
        /// Of what there is too much.
        what: &'static str,
        /// How much is needed.
        needed: usize,
        /// How much there may be.
        most: usize,
        /// What to ask instead.
        help: &'static str,
    },
    /// Published percentiles that do not fit the query.
    #[error("{what}")]
    Quantiles {
        /// What is wrong.
        what: String,
    },
    /// Anything but counts under a profile that rounds them.
    #[error(
        "the dataset's release profile rounds counts to {base}, so sums and means beside them are not released: a mean needs the exact count. Ask for counts, or for a dataset under a profile without rounding"
    )]
    Rounded {
        /// The rounding base.
        base: u64,
    },
    /// A number could not be carried exactly.
    #[error(
        "{column}: over {rows} patients the numbers could exceed what an answer can carry exactly"
    )]
    TooWide {
        /// What is summed or compared.
        column: String,
        /// Patients.
        rows: u64,
    },
    /// Rows, or a description that contradicts itself.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl From<CircuitError> for PlanError {
    fn from(error: CircuitError) -> Self {
        let CircuitError::Capacity { what, needed, most } = error else {
            return Self::Malformed(error.to_string());
        };
        let help = match what {
            "filters with means or products" => {
                "ask for the aggregates under different filters, or of different nullable columns, in separate queries"
            }
            "products of columns" => "ask for fewer variances and correlations in one query",
            "tables' slots" => "use fewer conditions on columns with very many values",
            _ => "use fewer conditions, or none on columns with very many values",
        };
        Self::TooLarge {
            what,
            needed,
            most,
            help,
        }
    }
}
