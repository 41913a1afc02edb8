//! What a cohort query means, after names and constants have been resolved against a registry.

use super::IntervalSet;

/// A parsed, resolved cohort query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortQuery {
    /// The outputs in the order of the SELECT list.
    pub outputs: Vec<Output>,
    /// The WHERE clause in normal form; `Predicate::Always` where there is none.
    pub filter: Predicate,
    /// Registry column indices of GROUP BY, in order; boolean or category columns.
    pub group_by: Vec<usize>,
}

/// One item of the SELECT list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The alias, or PostgreSQL's default name (`count`, `avg`, the column's name).
    pub label: String,
    /// What it is.
    pub value: OutputValue,
    /// An aggregate's FILTER in normal form; `Predicate::Always` where there is none.
    pub filter: Predicate,
}

impl CohortQuery {
    /// The outputs' filters, each once, in the order of the SELECT list.
    #[must_use]
    pub fn filters(&self) -> Vec<&Predicate> {
        let mut filters: Vec<&Predicate> = Vec::new();
        for output in &self.outputs {
            if output.filter != Predicate::Always && !filters.contains(&&output.filter) {
                filters.push(&output.filter);
            }
        }
        filters
    }
}

/// A group's key or an aggregate over the cohort (or over the group).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputValue {
    /// The value of `group_by[i]`.
    Key(usize),
    /// An aggregate.
    Aggregate(Aggregate),
}

/// An aggregate function with its registry column index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// `count(*)`.
    CountAll,
    /// `count(col)`: rows where the column is not NULL. Any column type.
    Count(usize),
    /// `sum(col)`: number or boolean column (a boolean counts its trues).
    Sum(usize),
    /// `sum(col * col)`: number column.
    SumOfSquares(usize),
    /// `avg(col)`: number or boolean.
    Avg(usize),
    /// `var_samp(col)`, also `variance`.
    VarSamp(usize),
    /// `var_pop(col)`.
    VarPop(usize),
    /// `stddev_samp(col)`, also `stddev`.
    StddevSamp(usize),
    /// `stddev_pop(col)`.
    StddevPop(usize),
}

/// A predicate in normal form: NOT pushed to the leaves, constants folded, leaves on one
/// column merged within one AND or OR, AND and OR alternating and of at least two members,
/// members sorted and without doubles. It is true exactly on the rows where SQL's three-valued
/// WHERE is true; since no NOT is left, false and unknown need not be told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Predicate {
    /// True on every row.
    Always,
    /// True on no row.
    Never,
    /// The column has a value and its stored value lies in the set. The set is neither empty
    /// nor everything; a boolean column's set is {0} or {1}.
    In {
        /// Registry column index.
        column: usize,
        /// Stored values, within 0..=span.
        set: IntervalSet,
    },
    /// A nullable column is NULL.
    IsNull {
        /// Registry column index.
        column: usize,
    },
    /// A nullable column has a value.
    IsNotNull {
        /// Registry column index.
        column: usize,
    },
    /// All members are true.
    All(Vec<Predicate>),
    /// At least one member is true.
    Any(Vec<Predicate>),
}
