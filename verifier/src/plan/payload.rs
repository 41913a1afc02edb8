//! Which statistics a query needs and where each stands among the released limbs (`docs/spec/plan.md`).

use std::collections::BTreeMap;

use galen_circuits::gates::release::{LIMB_BITS, LIMBS, LIMBS_PER_TOTAL, TOTALS};

use super::{Linear, Release, Use};
use crate::{
    query::{Aggregate, CohortQuery, OutputValue},
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
}

/// A number to release: its kind and its registry column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// What it is.
    pub kind: FieldKind,
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
            filter,
        }
    }

    /// The counts that contain it, smallest first: those with a value in its column under its filter,
    /// those who meet the filter, the whole cohort. A count may stand among them itself.
    pub(crate) fn containing(self) -> [Field; 3] {
        [
            Self::count(self.column, self.filter),
            Self::count(None, self.filter),
            Self::count(None, None),
        ]
    }

    /// Whether it is a count, with a release rule of its own.
    #[must_use]
    pub fn is_count(self) -> bool {
        matches!(self.kind, FieldKind::Count | FieldKind::Trues)
    }

    /// The count of those who contribute to it.
    pub(super) fn guard(self, registry: &Registry) -> Field {
        match (self.kind, self.column) {
            (FieldKind::Count | FieldKind::Trues, _) => self,
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

/// The fields that an aggregate is computed from.
#[must_use]
pub fn fields_of(aggregate: &Aggregate, filter: Option<usize>, registry: &Registry) -> Vec<Field> {
    let field = |kind, c: &usize| Field {
        kind,
        column: Some(*c),
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
    let filters = query.filters();
    let mut fields: Vec<Field> = query
        .outputs
        .iter()
        .filter_map(|o| match &o.value {
            OutputValue::Aggregate(a) => {
                let filter = filters.iter().position(|f| **f == o.filter);
                Some(fields_of(a, filter, registry))
            }
            OutputValue::Key(_) => None,
        })
        .flatten()
        .collect();
    fields.sort_by_key(|f| (f.guard(registry), f.kind, f.column, f.filter));
    fields.dedup();
    fields
}

/// One value of a GROUP BY column: a stored value, or NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// A stored value.
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
