//! Which statistics a query needs (`docs/spec/plan.md`, "Fields").

use galen_query::{
    query::{Aggregate, CohortQuery, OutputValue, PairFunction, Percentile},
    registry::{ColumnKind, Registry},
};

/// What a released number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldKind {
    /// Patients of the cohort (no column), or those with a value in the column.
    Count,
    /// Patients for whom a boolean column is true: a count, and guarded as one.
    Trues,
    /// Σ of committed values.
    Sum,
    /// Σ of squared committed values.
    SumOfSquares,
    /// Σ of products of the two columns' committed values.
    Product,
    /// Of one of the query's percentiles: a count that is compared and never published.
    Rank(usize, Rank),
}

/// The counts that place a percentile q among the column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Patients with a value.
    Known,
    /// Those whose value is below q.
    Below,
    /// Those whose value is at most q.
    UpTo,
}

/// A number to release: its kind and its registry column. In this order every count stands after those that
/// contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// What it is.
    pub kind: FieldKind,
    /// Only of patients with a value in this nullable column too; of a product, the second column.
    pub other: Option<usize>,
    /// Of which column; `None` for `count(*)`.
    pub column: Option<usize>,
    /// Only of those who meet this one of the query's filters.
    pub filter: Option<usize>,
}

impl Field {
    pub(crate) fn count(column: Option<usize>, filter: Option<usize>) -> Self {
        Self {
            kind: FieldKind::Count,
            column,
            other: None,
            filter,
        }
    }

    /// The patients with a value that a percentile is of.
    pub(crate) fn known(percentile: &Percentile) -> Self {
        Self::count(Some(percentile.column), percentile.filter)
    }

    /// Whether every patient that `other` counts or sums is counted here, `within` telling which filter lies
    /// within which. A count lies within itself.
    pub(crate) fn contains(self, other: Field, within: &[(usize, usize)]) -> bool {
        let of = |f: Field| [f.column, f.other];
        let filtered = match (self.filter, other.filter) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(a), Some(b)) => a == b || within.contains(&(b, a)),
        };
        let mut columns = of(self).into_iter().flatten();
        self.kind == FieldKind::Count && filtered && columns.all(|c| of(other).contains(&Some(c)))
    }

    /// Whether it is compared and never published.
    #[must_use]
    pub fn is_rank(self) -> bool {
        matches!(self.kind, FieldKind::Rank(..))
    }

    /// Whether it is a count, with a release rule of its own.
    #[must_use]
    pub fn is_count(self) -> bool {
        matches!(self.kind, FieldKind::Count | FieldKind::Trues)
    }

    /// The count of those who contribute to it.
    pub(super) fn guard(self, registry: &Registry) -> Field {
        match (self.kind, self.column) {
            (FieldKind::Count | FieldKind::Trues | FieldKind::Rank(..), _) => self,
            (FieldKind::Product, Some(c)) => pair(registry, c, self.other, self.filter),
            (_, Some(c)) if self.other.is_some() => pair(registry, c, self.other, self.filter),
            (_, Some(c)) => contributors(registry, c, self.filter),
            (_, None) => Self::count(None, self.filter),
        }
    }
}

/// Patients with a value in the column: all of the cohort where it is not nullable.
#[must_use]
pub fn contributors(registry: &Registry, column: usize, filter: Option<usize>) -> Field {
    Field::count(registry.columns[column].nullable.then_some(column), filter)
}

/// Patients with a value in both columns.
pub(crate) fn pair(
    registry: &Registry,
    a: usize,
    b: Option<usize>,
    filter: Option<usize>,
) -> Field {
    let mut nullable: Vec<usize> = [Some(a), b]
        .into_iter()
        .flatten()
        .filter(|c| registry.columns[*c].nullable)
        .collect();
    nullable.sort_unstable();
    nullable.dedup();
    Field {
        other: nullable.get(1).copied(),
        ..Field::count(nullable.first().copied(), filter)
    }
}

/// A sum over column `of` among the patients with a value in `other` too.
pub(crate) fn among_pairs(
    kind: FieldKind,
    of: usize,
    other: usize,
    filter: Option<usize>,
    registry: &Registry,
) -> Field {
    let restricts = other != of && registry.columns[other].nullable;
    Field {
        kind,
        column: Some(of),
        other: restricts.then_some(other),
        filter,
    }
}

/// Σ of products, or of squares where both are one column.
pub(crate) fn product(y: usize, x: usize, filter: Option<usize>) -> Field {
    let (kind, other) = match x == y {
        true => (FieldKind::SumOfSquares, None),
        false => (FieldKind::Product, Some(y.max(x))),
    };
    Field {
        kind,
        column: Some(y.min(x)),
        other,
        filter,
    }
}

fn fields_of_pair(
    function: PairFunction,
    (y, x): (usize, usize),
    filter: Option<usize>,
    registry: &Registry,
) -> Vec<Field> {
    use PairFunction as F;
    let of_x = |kind| among_pairs(kind, x, y, filter, registry);
    let of_y = |kind| among_pairs(kind, y, x, filter, registry);
    let count = pair(registry, y, Some(x), filter);
    let (sum, squares) = (FieldKind::Sum, FieldKind::SumOfSquares);
    let both = product(y, x, filter);
    match function {
        F::Count => vec![count],
        F::AvgX => vec![count, of_x(sum)],
        F::AvgY => vec![count, of_y(sum)],
        F::Sxx => vec![count, of_x(sum), of_x(squares)],
        F::Syy => vec![count, of_y(sum), of_y(squares)],
        F::CovarSamp | F::CovarPop | F::Sxy => vec![count, of_x(sum), of_y(sum), both],
        F::Slope | F::Intercept => vec![count, of_x(sum), of_y(sum), of_x(squares), both],
        F::Corr | F::R2 => vec![
            count,
            of_x(sum),
            of_y(sum),
            of_x(squares),
            of_y(squares),
            both,
        ],
    }
}

/// The fields that an aggregate is computed from; of a percentile those that a count is not.
#[must_use]
pub fn fields_of(aggregate: &Aggregate, filter: Option<usize>, registry: &Registry) -> Vec<Field> {
    let field = |kind, c: &usize| Field {
        kind,
        column: Some(*c),
        other: None,
        filter,
    };
    let contributors = |c: &usize| contributors(registry, *c, filter);
    let boolean = |c: &usize| matches!(registry.columns[*c].kind, ColumnKind::Boolean);
    match aggregate {
        Aggregate::CountAll => vec![Field::count(None, filter)],
        Aggregate::Count(c) => vec![contributors(c)],
        Aggregate::Sum(c) if boolean(c) => vec![field(FieldKind::Trues, c)],
        Aggregate::Sum(c) => vec![contributors(c), field(FieldKind::Sum, c)],
        Aggregate::SumOfSquares(c) if boolean(c) => vec![field(FieldKind::Trues, c)],
        Aggregate::SumOfSquares(c) => {
            let mut fields = vec![contributors(c)];
            if minimum(registry, *c) != 0 {
                fields.push(field(FieldKind::Sum, c));
            }
            fields.push(field(FieldKind::SumOfSquares, c));
            fields
        }
        Aggregate::Avg(c)
        | Aggregate::VarSamp(c)
        | Aggregate::VarPop(c)
        | Aggregate::StddevSamp(c)
        | Aggregate::StddevPop(c)
            if boolean(c) =>
        {
            vec![contributors(c), field(FieldKind::Trues, c)]
        }
        Aggregate::Avg(c) => vec![contributors(c), field(FieldKind::Sum, c)],
        Aggregate::VarSamp(c)
        | Aggregate::VarPop(c)
        | Aggregate::StddevSamp(c)
        | Aggregate::StddevPop(c) => vec![
            contributors(c),
            field(FieldKind::Sum, c),
            field(FieldKind::SumOfSquares, c),
        ],
        Aggregate::Pair { function, y, x } => fields_of_pair(*function, (*y, *x), filter, registry),
        // Placed apart: which of its counts there are depends on whether it is released.
        Aggregate::PercentileDisc { .. } => Vec::new(),
    }
}

/// What a committed value was reduced by: value = committed + minimum.
pub(crate) fn minimum(registry: &Registry, column: usize) -> i128 {
    let column = &registry.columns[column];
    match column.kind {
        ColumnKind::Number { min, .. } => i128::from(min),
        _ => 0,
    }
}

/// All fields of a query, guards included, each once.
pub(super) fn fields_of_query(query: &CohortQuery, registry: &Registry) -> Vec<Field> {
    let mut fields: Vec<Field> = query
        .outputs
        .iter()
        .zip(query.filter_indices())
        .filter_map(|(o, filter)| match &o.value {
            OutputValue::Aggregate(a) => Some(fields_of(a, *filter, registry)),
            OutputValue::Key(_) => None,
        })
        .flatten()
        .collect();
    let guards: Vec<Field> = fields.iter().map(|f| f.guard(registry)).collect();
    fields.extend(guards);
    fields.sort_unstable();
    fields.dedup();
    fields
}
