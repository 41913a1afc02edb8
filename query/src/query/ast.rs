//! What a cohort query means, after names and constants have been resolved against a registry.

use crate::registry::Registry;

use super::{Grouping, IntervalSet, filters::Filters};

/// A parsed, resolved cohort query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortQuery {
    /// The outputs in the order of the SELECT list.
    pub outputs: Vec<Output>,
    /// The WHERE clause in normal form; `Predicate::Always` where there is none.
    pub filter: Predicate,
    /// GROUP BY, in order.
    pub group_by: Vec<Grouping>,
    /// Of `EXPLAIN COHORT`, the criteria as they are written, in order; else empty. The outputs are then
    /// `count(*)` of the whole cohort and, for each criterion, of those who meet it and all before it.
    pub criteria: Vec<String>,
    /// Found once, when the query is read.
    pub(super) filters: Filters,
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

impl Aggregate {
    /// Its registry columns.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Aggregate::CountAll => Vec::new(),
            Aggregate::Pair { y, x, .. } => vec![*y, *x],
            Aggregate::Count(c)
            | Aggregate::Sum(c)
            | Aggregate::SumOfSquares(c)
            | Aggregate::Avg(c)
            | Aggregate::VarSamp(c)
            | Aggregate::VarPop(c)
            | Aggregate::StddevSamp(c)
            | Aggregate::StddevPop(c)
            | Aggregate::PercentileDisc { column: c, .. } => vec![*c],
        }
    }
}

impl OutputValue {
    /// The registry columns of an aggregate; none of a key.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        match self {
            OutputValue::Key(_) => Vec::new(),
            OutputValue::Aggregate(a) => a.columns(),
        }
    }

    /// The registry column of an aggregate of one column.
    #[must_use]
    pub fn only_column(&self) -> Option<usize> {
        match self.columns()[..] {
            [column] => Some(column),
            _ => None,
        }
    }
}

impl CohortQuery {
    /// The first output of a label.
    #[must_use]
    pub fn output(&self, label: &str) -> Option<&Output> {
        self.outputs.iter().find(|o| o.label == label)
    }

    /// What the key of a label groups by.
    #[must_use]
    pub fn grouping(&self, label: &str) -> Option<&Grouping> {
        match self.output(label)?.value {
            OutputValue::Key(i) => self.group_by.get(i),
            OutputValue::Aggregate(_) => None,
        }
    }

    /// The registry columns of all aggregates.
    #[must_use]
    pub fn aggregate_columns(&self) -> Vec<usize> {
        let outputs = self.outputs.iter();
        outputs.flat_map(|o| o.value.columns()).collect()
    }

    /// The number of groups of an answer: one without GROUP BY.
    #[must_use]
    pub fn groups(&self, registry: &Registry) -> usize {
        let each = self.group_by.iter().map(|g| g.groups(registry));
        each.fold(1, usize::saturating_mul)
    }
}

/// A percentile that a query asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentile {
    /// Registry column index: a number or date column.
    pub column: usize,
    /// Which.
    pub share: Share,
    /// Only of those who meet this one of the query's filters.
    pub filter: Option<usize>,
    /// Between it and the column's next percentile of the query, or 0 or 1, lies at least one in so many of the
    /// values: one of [`FOLDS`](super::FOLDS).
    pub fold: u32,
}

/// A share strictly between 0 and 1, in lowest terms, with a denominator of at most 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Above the line.
    pub numerator: u32,
    /// Below it.
    pub denominator: u32,
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
    /// A function of two number columns, over the patients who have a value in both.
    Pair {
        /// Which.
        function: PairFunction,
        /// The first argument, SQL's dependent variable Y.
        y: usize,
        /// The second, the independent variable X.
        x: usize,
    },
    /// `percentile_disc(share) WITHIN GROUP (ORDER BY col)`: the smallest value that at least this share of
    /// the values does not exceed.
    PercentileDisc {
        /// A number or date column.
        column: usize,
        /// Which percentile.
        share: Share,
    },
}

/// SQL's functions of two columns, with PostgreSQL's names and NULL semantics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFunction {
    /// `covar_samp`.
    CovarSamp,
    /// `covar_pop`.
    CovarPop,
    /// `corr`.
    Corr,
    /// `regr_count`.
    Count,
    /// `regr_slope`.
    Slope,
    /// `regr_intercept`.
    Intercept,
    /// `regr_r2`.
    R2,
    /// `regr_avgx`.
    AvgX,
    /// `regr_avgy`.
    AvgY,
    /// `regr_sxx`.
    Sxx,
    /// `regr_syy`.
    Syy,
    /// `regr_sxy`.
    Sxy,
}

impl PairFunction {
    /// All, with their names.
    pub const NAMES: [(&'static str, PairFunction); 12] = [
        ("covar_samp", PairFunction::CovarSamp),
        ("covar_pop", PairFunction::CovarPop),
        ("corr", PairFunction::Corr),
        ("regr_count", PairFunction::Count),
        ("regr_slope", PairFunction::Slope),
        ("regr_intercept", PairFunction::Intercept),
        ("regr_r2", PairFunction::R2),
        ("regr_avgx", PairFunction::AvgX),
        ("regr_avgy", PairFunction::AvgY),
        ("regr_sxx", PairFunction::Sxx),
        ("regr_syy", PairFunction::Syy),
        ("regr_sxy", PairFunction::Sxy),
    ];
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
