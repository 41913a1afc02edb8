//! What GROUP BY means: columns, and bins of number and date columns.

use num_rational::Ratio;

use crate::registry::Registry;

use super::{CohortQuery, IntervalSet, MAX_GROUPS, QueryError};

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

impl CohortQuery {
    /// Refuses more groups than an answer can have.
    ///
    /// # Errors
    /// With the number of each column's groups, and what makes fewer.
    pub(crate) fn check_groups(&self, registry: &Registry) -> Result<(), QueryError> {
        let groups = self.groups(registry);
        if groups <= MAX_GROUPS {
            return Ok(());
        }
        let name = |g: &Grouping| registry.columns[g.column].name.clone();
        let of = self.group_by.iter();
        let of: Vec<String> = of
            .map(|g| format!("{} of {}", g.groups(registry), name(g)))
            .collect();
        let largest = self.group_by.iter().max_by_key(|g| g.groups(registry));
        let mut ways = Vec::new();
        if self.group_by.len() > 1 {
            ways.push("group by one of the columns".to_owned());
        }
        match largest {
            Some(g) if g.bins.is_some() => ways.push(format!("make the bins of {} wider", name(g))),
            Some(g) => ways.push(format!(
                "group by a column with fewer codes than {0}, or count those of its codes that you mean: \
                 count(*) FILTER (WHERE {0} = 'code')",
                name(g)
            )),
            None => {}
        }
        Err(QueryError::TooManyGroups {
            groups,
            limit: MAX_GROUPS,
            of: of.join(" × "),
            help: ways.join(", or "),
        })
    }
}
