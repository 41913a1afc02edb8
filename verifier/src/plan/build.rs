//! query + purpose + registry + size → plan.

use galen_circuits::gates::{Gate, release::LIMBS_PER_TOTAL};
use galen_query::{
    query::{CohortQuery, MAX_GROUPS, Percentile, Predicate},
    registry::{ColumnKind, Registry},
};

use super::{
    ColumnId, Linear, Plan, Purpose, Slot,
    bits::{Builder, limb_weight},
    groups::{Group, groups},
    payload::{Field, FieldKind, Item, Layout, Packer, Total, fields_of_query, limbs_for},
    percentile::{self, Quantile},
    registration::{Bases, Unit},
};

/// At most this many proofs a chunk; a query beyond it is refused before any work.
pub const MAX_STEPS: usize = 1024;

/// Why a query has no plan.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// Too many proofs.
    #[error(
        "the query needs {needed} proofs for each chunk or more, and cannot have more than {MAX_STEPS}; use fewer groups, or ranges instead of long lists of values on a column wider than 16 bits"
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
    /// `chunk_rows` rows. `quantiles` are the published percentiles as stored values, group by group, for each
    /// group in the order of [`CohortQuery::percentiles`]: what is proven about them depends on them. The same
    /// inputs give the same plan everywhere.
    ///
    /// # Errors
    /// When the query needs too many proofs or groups, a sum could not be exact, or the percentiles are not as
    /// many as they should be or beyond their columns.
    pub fn new(
        query: &CohortQuery,
        purpose: usize,
        registry: &Registry,
        (chunk_rows, chunks): (usize, usize),
        quantiles: &[Quantile],
    ) -> Result<Self, PlanError> {
        let mut p = Planner {
            builder: Builder::new(Bases::new(registry)),
            rows: chunk_rows as u128 * chunks as u128,
            purpose,
        };
        let groups = groups(&mut p.builder, query)?;
        let percentiles = query.percentiles();
        percentile::check(registry, &percentiles, groups.len(), quantiles)?;
        let literals = p.builder.literals(&query.filter);
        let fields = fields_of_query(query, registry);
        let filters: Vec<Linear> = query
            .filters()
            .into_iter()
            .map(|f| p.builder.bit(f))
            .collect();
        let Packing {
            packer,
            layout,
            roots,
        } = p.pack(
            &groups,
            &Asked {
                literals,
                fields,
                filters,
                percentiles: &percentiles,
                quantiles,
            },
        )?;
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
            percentiles,
            quantiles: quantiles.to_vec(),
            within: within(&query.filters()),
            is_chain: !query.criteria.is_empty(),
        })
    }

    /// The gates that the plan uses; the order of hidden cells may need `compare` too.
    #[must_use]
    pub fn gates(&self) -> Vec<Gate> {
        let mut gates: Vec<Gate> = self.steps.iter().map(|s| s.gate).collect();
        gates.push(Gate::Release);
        if self.quantiles.iter().any(Option::is_some) {
            gates.push(Gate::Compare);
        }
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

/// What is asked of every group.
struct Asked<'a> {
    literals: Vec<Linear>,
    fields: Vec<Field>,
    filters: Vec<Linear>,
    percentiles: &'a [Percentile],
    quantiles: &'a [Quantile],
}

/// What has been placed where.
#[derive(Default)]
struct Packing {
    packer: Packer,
    layout: Layout,
    /// For each root the literals that select its rows.
    roots: Vec<Vec<Linear>>,
}

impl Packing {
    /// Places all blocks of a group under the last root.
    fn place(&mut self, group: &Group, blocks: Vec<Vec<Item>>) {
        let mut places = std::collections::BTreeMap::new();
        for block in blocks {
            places.extend(self.packer.place(self.roots.len() - 1, block));
        }
        self.layout.groups.push((group.keys.clone(), places));
    }
}

impl Planner<'_> {
    fn registry(&self) -> &Registry {
        self.builder.bases.registry()
    }

    /// Places every field of every group. Where only patients are counted, groups share roots, six to a
    /// payload; otherwise each group has a root of its own.
    fn pack(&mut self, groups: &[Group], asked: &Asked<'_>) -> Result<Packing, PlanError> {
        let mut packing = Packing::default();
        let percentiles = asked.percentiles.len();
        let shared = asked.fields == [Field::count(None, None)] && percentiles == 0;
        for (index, group) in groups.iter().enumerate() {
            let count = if shared {
                self.builder.all(group.bits.clone())
            } else {
                Linear::column(ColumnId::One)
            };
            if !shared {
                let literals = asked.literals.iter().chain(&group.bits);
                packing.roots.push(literals.cloned().collect());
            } else if index == 0 {
                packing.roots.push(asked.literals.clone());
            }
            let mut blocks: Vec<Vec<Item>> = Vec::new();
            for block in blocks_of(&asked.fields, self.registry()) {
                let items = block
                    .iter()
                    .map(|f| self.item(index, *f, &count, &asked.filters));
                blocks.push(items.collect::<Result<_, _>>()?);
            }
            let quantiles = &asked.quantiles[index * percentiles..][..percentiles];
            for (i, (percentile, quantile)) in asked.percentiles.iter().zip(quantiles).enumerate() {
                let (builder, filters) = (&mut self.builder, &asked.filters);
                let items = percentile::ranks(builder, index, (i, percentile), *quantile, filters);
                blocks.push(items);
            }
            packing.place(group, blocks);
            // A bundle's percentiles must not make a plan that costs more than it may.
            let needed = self.builder.steps.len();
            if needed > MAX_STEPS {
                return Err(PlanError::TooManySteps { needed });
            }
        }
        Ok(packing)
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
            (FieldKind::Product, Some(c)) => {
                let (left, most) = self.value(c);
                let (right, factor) = self.value(field.other.unwrap_or(c));
                (self.builder.product(&left, &right), most * factor)
            }
            (FieldKind::Rank(..), Some(_)) => unreachable!("ranks are placed apart"),
        };
        // A product is 0 where either is NULL; of all else the other column's NULLs have to be taken out.
        let other = field.other.filter(|_| field.kind != FieldKind::Product);
        let value = match other.map(|o| self.builder.known(o)) {
            None => value,
            Some(known) if field.is_count() => self.builder.all(vec![known, value]),
            Some(known) => self.builder.product(&known, &value),
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

/// Which filter can be seen to lie within which.
fn within(filters: &[&Predicate]) -> Vec<(usize, usize)> {
    let all = 0..filters.len();
    let pairs = all.clone().flat_map(|a| all.clone().map(move |b| (a, b)));
    pairs
        .filter(|(a, b)| a != b && filters[*a].implies(filters[*b]))
        .collect()
}

/// Groups the fields by guard: each block starts with its count.
fn blocks_of(fields: &[Field], registry: &Registry) -> Vec<Vec<Field>> {
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
                        let of = |f: &Field| {
                            let product = f.kind == FieldKind::Product;
                            (product, f.column, f.other, f.filter)
                        };
                        !f.is_count() && of(f) == of(field)
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
