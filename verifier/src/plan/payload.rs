//! Which statistics a query needs and where each stands among the released limbs (`docs/spec/plan.md`).

use std::collections::BTreeMap;

use galen_circuits::gates::release::{LIMB_BITS, LIMBS, LIMBS_PER_TOTAL, TOTALS};
use galen_query::{
    query::{Aggregate, CohortQuery, OutputValue, PairFunction, Percentile},
    registry::{ColumnKind, Registry},
};

use super::{Linear, Release, Use};

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
        ColumnKind::Number { min, .. } => i128::from(min) - i128::from(column.null_offset()),
        _ => 0,
    }
}

/// All fields of a query, guards included, each once: counts first, then column by column.
pub(super) fn fields_of_query(query: &CohortQuery, registry: &Registry) -> Vec<Field> {
    let mut fields: Vec<Field> = query
        .outputs
        .iter()
        .zip(query.filter_indices())
        .filter_map(|(o, filter)| match &o.value {
            OutputValue::Aggregate(a) => Some(fields_of(a, filter, registry)),
            OutputValue::Key(_) => None,
        })
        .flatten()
        .collect();
    fields.sort_by_key(|f| (f.guard(registry), f.kind, f.column, f.other, f.filter));
    fields.dedup();
    fields
}

/// One value of a GROUP BY column: a stored value, or NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// A stored value, or the index of a bin.
    Value(u64),
    /// NULL.
    Null,
}

/// Where a field's limbs stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index into `Plan::releases`.
    pub release: usize,
    /// First limb, lowest first.
    pub limb: usize,
    /// How many limbs.
    pub limbs: usize,
}

/// The groups of an answer (one without keys when there is no GROUP BY), with their fields' places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// For each group its keys in GROUP BY order and its fields.
    pub groups: Vec<(Vec<GroupKey>, BTreeMap<Field, Place>)>,
}

/// A field of one group with its value column and width.
pub(super) struct Item {
    pub group: usize,
    pub field: Field,
    pub guard: Field,
    pub value: Linear,
    pub limbs: usize,
}

/// One packed total: which root it belongs to and (limb, value) pairs.
pub(super) struct Total {
    pub root: usize,
    pub items: Vec<(usize, Linear)>,
    next: usize,
    /// The group and field of the last count: the guard in force.
    guard: Option<(usize, Field)>,
}

/// Packs guard blocks into totals, and totals four by four into releases.
#[derive(Default)]
pub(super) struct Packer {
    pub totals: Vec<Total>,
    pub releases: Vec<Release>,
}

impl Packer {
    /// Places a block (a count, then the fields that it guards) under `root`. A total never mixes roots,
    /// and a guard never reaches beyond its total; within it, a guard in force is not repeated.
    pub(super) fn place(&mut self, root: usize, mut block: Vec<Item>) -> Vec<(Field, Place)> {
        let (in_force, room) = match self.totals.last() {
            Some(t) if t.root == root => {
                let guard = block.first().map(|i| (i.group, i.field));
                (t.guard == guard, LIMBS_PER_TOTAL - t.next)
            }
            _ => (false, 0),
        };
        let needed = |block: &[Item]| block.iter().map(|i| i.limbs).sum::<usize>();
        if in_force && needed(&block[1..]) <= room {
            block.remove(0);
        } else if needed(&block) > room {
            self.open_total(root);
        }
        block
            .into_iter()
            .map(|item| (item.field, self.put(item)))
            .collect()
    }

    fn open_total(&mut self, root: usize) {
        if self.releases.last().is_none_or(|r| r.roots.len() == TOTALS) {
            self.releases.push(Release {
                roots: Vec::new(),
                uses: [None; LIMBS],
            });
        }
        let release = self.releases.last_mut().expect("pushed above");
        release.roots.push(self.totals.len());
        self.totals.push(Total {
            root,
            items: Vec::new(),
            next: 0,
            guard: None,
        });
    }

    fn put(&mut self, item: Item) -> Place {
        let release_index = self.releases.len() - 1;
        let release = self.releases.last_mut().expect("a total is open");
        let total = self.totals.last_mut().expect("a total is open");
        let limb = (release.roots.len() - 1) * LIMBS_PER_TOTAL + total.next;
        total.items.push((total.next, item.value));
        total.next += item.limbs;
        release.uses[limb..limb + item.limbs].fill(Some(Use {
            group: item.group,
            field: item.field,
            guard: item.guard,
        }));
        if item.field.is_count() {
            total.guard = Some((item.group, item.field));
        }
        Place {
            release: release_index,
            limb,
            limbs: item.limbs,
        }
    }
}

/// Limbs so that rows·maximum < 2^(40·limbs), if one total can hold them beside their count.
pub(super) fn limbs_for(rows: u128, maximum: u128) -> Option<usize> {
    let largest = rows.checked_mul(maximum)?;
    (1..=3)
        .find(|limbs| largest < 1u128 << (LIMB_BITS * limbs))
        .map(|l| l as usize)
}
