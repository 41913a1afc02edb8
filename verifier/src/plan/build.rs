//! query + purpose + registry + size → plan.

use galen_circuits::gates::{Gate, release::LIMBS_PER_TOTAL};

use super::{
    ColumnId, Linear, Plan, Purpose, Slot,
    bits::{Builder, limb_weight},
    payload::{
        Field, FieldKind, GroupKey, Item, Layout, Packer, Total, fields_of_query, limbs_for,
    },
    registration::{Bases, Unit},
};
use crate::{
    query::{CohortQuery, IntervalSet, Predicate},
    registry::{ColumnKind, Registry},
};

/// At most this many proofs a chunk; a query beyond it is refused before any work.
pub const MAX_STEPS: usize = 1024;
/// At most this many groups.
pub const MAX_GROUPS: usize = 1024;

/// Why a query has no plan.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// Too many proofs.
    #[error(
        "the query needs {needed} proofs for each chunk, more than {MAX_STEPS}; use fewer groups, or ranges instead of long lists of values on a column wider than 16 bits"
    )]
    TooManySteps {
        /// Proofs needed.
        needed: usize,
    },
    /// Too many groups.
    #[error(
        "GROUP BY makes {groups} groups, more than {MAX_GROUPS}; group by a column with fewer codes, or filter them in separate queries"
    )]
    TooManyGroups {
        /// Groups asked for.
        groups: usize,
    },
    /// Anything but counts under a profile that rounds them.
    #[error(
        "the dataset's release profile rounds counts to {base}, so sums and means beside them are not released: a mean needs the exact count. Ask for counts, or for a dataset under a profile without rounding"
    )]
    Rounded {
        /// The rounding base.
        base: u64,
    },
    /// A sum could not be exact.
    #[error(
        "column {column}: the sum over {rows} rows could exceed what one release can carry exactly"
    )]
    TooWide {
        /// The column's name.
        column: String,
        /// Rows, padding included.
        rows: u128,
    },
}

impl Plan {
    /// Plans `query` for the purpose `registry.purposes[purpose]` over a dataset of `chunks` chunks of
    /// `chunk_rows` rows. The same inputs give the same plan everywhere.
    ///
    /// # Errors
    /// When the query needs too many proofs or groups, or a sum could not be exact.
    pub fn new(
        query: &CohortQuery,
        purpose: usize,
        registry: &Registry,
        chunk_rows: usize,
        chunks: usize,
    ) -> Result<Self, PlanError> {
        let mut p = Planner {
            builder: Builder::new(Bases::new(registry)),
            rows: chunk_rows as u128 * chunks as u128,
            purpose,
        };
        let groups = p.groups(&query.group_by)?;
        let literals = p.builder.literals(&query.filter);
        let fields = fields_of_query(query, registry);
        let filters: Vec<Linear> = query
            .filters()
            .into_iter()
            .map(|f| p.builder.bit(f))
            .collect();
        let (packer, layout, roots) = p.pack(&groups, literals, &fields, &filters)?;
        let mut releases = packer.releases;
        let outputs: Vec<usize> = packer
            .totals
            .iter()
            .map(|t| p.root(&roots[t.root], t))
            .collect();
        for release in &mut releases {
            release.roots.iter_mut().for_each(|r| *r = outputs[*r]);
        }
        let steps = p.finish()?;
        Ok(Self {
            steps,
            releases,
            layout,
        })
    }

    /// The gates that the plan uses.
    #[must_use]
    pub fn gates(&self) -> Vec<Gate> {
        let mut gates: Vec<Gate> = self.steps.iter().map(|s| s.gate).collect();
        gates.push(Gate::Release);
        gates.sort();
        gates.dedup();
        gates
    }
}

struct Planner<'a> {
    builder: Builder<'a>,
    rows: u128,
    purpose: usize,
}

/// A group: its keys and the bits that select it.
struct Group {
    keys: Vec<GroupKey>,
    bits: Vec<Linear>,
}

impl Planner<'_> {
    fn registry(&self) -> &Registry {
        self.builder.bases.registry()
    }

    /// The product of the GROUP BY columns' values, NULL last, in the registry's code order.
    fn groups(&mut self, columns: &[usize]) -> Result<Vec<Group>, PlanError> {
        let sizes = columns.iter().map(|c| {
            let column = &self.registry().columns[*c];
            usize::try_from(column.span())
                .unwrap_or(usize::MAX)
                .saturating_add(1)
                .saturating_add(usize::from(column.nullable))
        });
        let groups = sizes.fold(1usize, usize::saturating_mul);
        if groups > MAX_GROUPS {
            return Err(PlanError::TooManyGroups { groups });
        }
        let mut all = vec![Group {
            keys: Vec::new(),
            bits: Vec::new(),
        }];
        for column in columns {
            let values = self.group_values(*column);
            all = all
                .iter()
                .flat_map(|g| {
                    values.iter().map(|(key, bit)| Group {
                        keys: g.keys.iter().copied().chain([*key]).collect(),
                        bits: g.bits.iter().cloned().chain([bit.clone()]).collect(),
                    })
                })
                .collect();
        }
        Ok(all)
    }

    fn group_values(&mut self, column: usize) -> Vec<(GroupKey, Linear)> {
        let (span, nullable) = {
            let c = &self.registry().columns[column];
            (c.span(), c.nullable)
        };
        let mut values: Vec<(GroupKey, Linear)> = (0..=span)
            .map(|v| {
                (
                    GroupKey::Value(v),
                    self.builder.member(column, &IntervalSet::single(v)),
                )
            })
            .collect();
        if nullable {
            values.push((
                GroupKey::Null,
                self.builder.bit(&Predicate::IsNull { column }),
            ));
        }
        values
    }

    /// Places every field of every group. Where only patients are counted, groups share roots, six to a
    /// payload; otherwise each group has a root of its own.
    fn pack(
        &mut self,
        groups: &[Group],
        literals: Vec<Linear>,
        fields: &[Field],
        filters: &[Linear],
    ) -> Result<(Packer, Layout, Vec<Vec<Linear>>), PlanError> {
        let shared = fields == [Field::count(None, None)];
        let mut packer = Packer::default();
        let mut layout = Layout::default();
        let mut roots = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let value_of_count = if shared {
                self.builder.all(group.bits.clone())
            } else {
                Linear::column(ColumnId::One)
            };
            if !shared {
                roots.push(literals.iter().chain(&group.bits).cloned().collect());
            } else if index == 0 {
                roots.push(literals.clone());
            }
            let mut places = std::collections::BTreeMap::new();
            for block in blocks(fields, self.registry()) {
                let items = block
                    .iter()
                    .map(|f| self.item(index, *f, &value_of_count, filters))
                    .collect::<Result<Vec<_>, _>>()?;
                places.extend(packer.place(roots.len() - 1, items));
            }
            layout.groups.push((group.keys.clone(), places));
        }
        Ok((packer, layout, roots))
    }

    fn item(
        &mut self,
        group: usize,
        field: Field,
        all: &Linear,
        filters: &[Linear],
    ) -> Result<Item, PlanError> {
        let (value, maximum) = match (field.kind, field.column) {
            (FieldKind::Count, None) | (_, None) => (all.clone(), 1),
            (FieldKind::Count, Some(c)) => (self.builder.known(c), 1),
            (FieldKind::Trues, Some(c)) => (self.value(c).0, 1),
            (FieldKind::Sum, Some(c)) => self.value(c),
            (FieldKind::SumOfSquares, Some(c)) => {
                let (value, maximum) = self.value(c);
                (self.builder.product(&value, &value), maximum * maximum)
            }
        };
        let value = match field.filter.map(|f| &filters[f]) {
            None => value,
            Some(filter) if field.column.is_none() => filter.clone(),
            Some(filter) if field.is_count() => self.builder.all(vec![filter.clone(), value]),
            Some(filter) => self.builder.product(filter, &value),
        };
        let limbs = limbs_for(self.rows, maximum).ok_or_else(|| PlanError::TooWide {
            column: field.column.map_or("count(*)".into(), |c| {
                self.registry().columns[c].name.clone()
            }),
            rows: self.rows,
        })?;
        Ok(Item {
            group,
            field,
            guard: field.guard(self.registry()),
            value,
            limbs,
        })
    }

    fn value(&mut self, column: usize) -> (Linear, u128) {
        self.builder.units.insert(Unit::Column(column));
        debug_assert!(!matches!(
            self.registry().columns[column].kind,
            ColumnKind::Category { .. } | ColumnKind::Date { .. }
        ));
        self.builder.bases.value(column)
    }

    /// The root select of one total: present, consent and the literals, positively and directly.
    fn root(&mut self, literals: &[Linear], total: &Total) -> usize {
        self.builder.units.insert(Unit::Consent(self.purpose));
        let consent = self.builder.bases.consent(self.purpose);
        let mut x = Linear::column(ColumnId::Present).plus(&consent);
        for literal in literals {
            x = x.plus(literal);
        }
        let mut y = Linear::zero();
        for (limb, value) in &total.items {
            y.add_scaled(limb_weight(*limb), value);
        }
        let k = 2 + literals.len() as u64;
        let key = format!(
            "root({k};{};{})",
            self.builder.describe(&x),
            self.builder.describe(&y)
        );
        let output = self.builder.select(key, x, k, y, Purpose::Root);
        let index = output.terms().find_map(|(id, _)| match id {
            ColumnId::Output(i) => Some(i),
            _ => None,
        });
        index.expect("a select has an output")
    }

    /// Adds the registration of everything that was used.
    fn finish(self) -> Result<Vec<super::Step>, PlanError> {
        let Builder {
            bases,
            mut steps,
            units,
            ..
        } = self.builder;
        for unit in units {
            steps.extend(bases.registration(unit));
        }
        if steps.len() > MAX_STEPS {
            return Err(PlanError::TooManySteps {
                needed: steps.len(),
            });
        }
        debug_assert!(
            steps
                .iter()
                .enumerate()
                .all(|(i, s)| s.slots.iter().all(|slot| match slot {
                    Slot::Given(l) => l
                        .terms()
                        .all(|(id, _)| !matches!(id, ColumnId::Output(o) if o >= i)),
                    Slot::Output => true,
                }))
        );
        Ok(steps)
    }
}

/// Groups the fields by guard: each block starts with its count.
fn blocks(fields: &[Field], registry: &Registry) -> Vec<Vec<Field>> {
    let mut blocks: Vec<Vec<Field>> = Vec::new();
    for field in fields {
        if field.is_count() {
            blocks.push(vec![*field]);
        } else {
            // One block a column: the guard and what it guards. The packer leaves a repeated guard out.
            let guard = field.guard(registry);
            match blocks.last_mut() {
                Some(b)
                    if b.last().is_some_and(|f| {
                        !f.is_count() && (f.column, f.filter) == (field.column, field.filter)
                    }) =>
                {
                    b.push(*field);
                }
                _ => blocks.push(vec![guard, *field]),
            }
        }
    }
    blocks
}

/// A payload never has more limbs than a total.
const _: () = assert!(LIMBS_PER_TOTAL >= 1 + 2 + 3);
