//! What GROUP BY means: columns, and bins of number and date columns.

use num_rational::Ratio;

use crate::registry::Registry;

use super::IntervalSet;

/// One item of GROUP BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Registry column index.
    pub column: usize,
    /// The groups where they are not the column's values (of a boolean or category column): disjoint,
    /// ascending, without empty ones, covering the column's range.
    pub bins: Option<Vec<Bin>>,
}

/// A group of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// What it is.
    pub name: BinName,
    /// First and last stored value.
    pub stored: (u64, u64),
}

impl Bin {
    /// Its stored values.
    #[must_use]
    pub fn set(&self) -> IntervalSet {
        IntervalSet::range(self.stored.0, self.stored.1)
    }
}

/// What a bin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BinName {
    /// `width_bucket`'s number: 0 below the range, count + 1 above it.
    Bucket {
        /// The number.
        number: u32,
        /// The value where it ends and the next begins; none above the range.
        until: Option<Ratio<i128>>,
    },
    /// A calendar year.
    Year(i32),
}

/// As the answer names it: a bucket's number, or the year.
impl std::fmt::Display for BinName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BinName::Bucket { number, .. } => write!(f, "{number}"),
            BinName::Year(year) => write!(f, "{year}"),
        }
    }
}

impl Grouping {
    /// The number of groups, without the one of NULL.
    #[must_use]
    pub fn len(&self, span: u64) -> usize {
        match &self.bins {
            Some(bins) => bins.len(),
            None => usize::try_from(span)
                .unwrap_or(usize::MAX)
                .saturating_add(1),
        }
    }

    /// The number of groups, with the one of NULL where the column is nullable.
    #[must_use]
    pub fn groups(&self, registry: &Registry) -> usize {
        let column = &registry.columns[self.column];
        self.len(column.span())
            .saturating_add(usize::from(column.nullable))
    }
}
