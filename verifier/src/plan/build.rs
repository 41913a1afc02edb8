//! query + purpose + registry + rows + percentiles → plan.

use std::{collections::BTreeMap, sync::Arc};

use galen_circuits::equation::{Equation, Rows};

use super::{
    Field, FieldKind, Layout, Names, Plan, PlanError, Rank, Statistic,
    bases::Bases,
    bits::Bits,
    blocks::{Strategy, arrange},
    fields::fields_of_query,
    groups::Groups,
    limits,
    literal::index,
    percentile::{self, Placed, Quantile},
    roots::{Roots, all_consent},
    terms::Term,
};
use crate::attack::Conditions;
use galen_query::{
    query::{CohortQuery, Percentile},
    registry::Registry,
};

impl Plan {
    /// Plans `query` for the purpose `registry.purposes[purpose]` over a dataset whose rows lie as `rows` says.
    /// `quantiles` are the published percentiles as stored values, group by group, for each group in the order of
    /// [`CohortQuery::percentiles`]: what is proven about them depends on them. The same inputs give the same plan
    /// everywhere.
    ///
    /// # Errors
    /// When no circuit is large enough for the query, its answer would have too many groups or cells, or the
    /// percentiles are not as many as they should be or beyond their columns.
    pub fn new(
        query: &CohortQuery,
        purpose: usize,
        registry: &Registry,
        rows: Rows,
        quantiles: &[Quantile],
    ) -> Result<Self, PlanError> {
        if !rows.is_consistent() {
            return Err(PlanError::Malformed("rows".into()));
        }
        let asked = Asked {
            query,
            purpose,
            registry,
            rows,
            percentiles: query.percentiles(),
            quantiles,
            fields: fields_of_query(query, registry),
        };
        for predicate in query.filters().into_iter().chain([&query.filter]) {
            limits::check_lists(predicate, registry)?;
        }
        let statistics = asked.statistics()?;
        limits::check_statements(&asked.percentiles, rows.present as u64)?;
        let mut best: Option<(limits::Cost, Planned)> = None;
        let mut refused = None;
        for strategy in Strategy::ALL {
            match asked.plan(strategy) {
                Ok((cost, planned)) => {
                    if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                        best = Some((cost, planned));
                    }
                }
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let (_, (equation, layout)) = match (best, refused) {
            (Some(best), _) => best,
            (None, error) => return Err(error.expect("every strategy was refused")),
        };
        let is_chain = !query.criteria.is_empty();
        Ok(Self {
            conditions: match is_chain {
                true => None,
                false => asked.conditions(&layout),
            },
            names: asked.names(&layout),
            equation,
            layout,
            statistics,
            percentiles: asked.percentiles,
            quantiles: quantiles.to_vec(),
            within: query.filters_within().to_vec(),
            is_chain,
        })
    }
}

/// An equation and where everything stands in it.
type Planned = (Equation, Layout);

/// What is to be planned.
struct Asked<'a> {
    query: &'a CohortQuery,
    purpose: usize,
    registry: &'a Registry,
    rows: Rows,
    percentiles: Vec<Percentile>,
    quantiles: &'a [Quantile],
    fields: Vec<Field>,
}

impl Asked<'_> {
    /// What the answer's counts can tell apart.
    fn conditions(&self, layout: &Layout) -> Option<Arc<Conditions>> {
        let tells = |f: &Field| f.is_count() || Conditions::tells(f, self.registry);
        let fields: Vec<Field> = self.fields.iter().copied().filter(tells).collect();
        let keys = layout.groups.iter().map(|(keys, _)| keys.as_slice());
        let conditions = Conditions::of(self.query, self.registry, &fields, keys);
        conditions.ok().map(Arc::new)
    }

    fn names(&self, layout: &Layout) -> Names {
        let keys = layout.groups.iter().map(|(keys, _)| keys.as_slice());
        let numbers = (self.fields.as_slice(), self.percentiles.as_slice());
        Names::of(self.query, self.registry, numbers, keys)
    }

    /// Guard and largest value of every field.
    fn statistics(&self) -> Result<BTreeMap<Field, Statistic>, PlanError> {
        let bases = Bases::new(self.registry);
        let rows = self.rows.present as u64;
        let span = |column: usize| i128::from(self.registry.columns[column].span());
        let of = |field: &Field| {
            let columns = [field.column, field.other].into_iter().flatten();
            let most: i128 = match Term::of(*field, &bases).values.len() {
                0 => 1,
                _ if field.kind == FieldKind::Trues => 1,
                1 => field.column.map_or(1, span),
                _ if field.kind == FieldKind::SumOfSquares => {
                    field.column.map_or(1, |c| span(c).pow(2))
                }
                _ => columns.map(span).product(),
            };
            let statistic = Statistic {
                guard: field.guard(self.registry),
                largest: i128::from(rows) * most,
            };
            let name = field
                .column
                .map_or("count(*)", |c| &self.registry.columns[c].name);
            limits::check_width(&statistic, name, rows)?;
            Ok((*field, statistic))
        };
        self.fields.iter().map(of).collect()
    }

    fn plan(&self, strategy: Strategy) -> Result<(limits::Cost, Planned), PlanError> {
        let mut bits = Bits::new(Bases::new(self.registry), self.rows.row_bits);
        let consent = bits.bases.consent(self.purpose);
        let groups = Groups::new(&mut bits, self.query)?;
        percentile::check(
            self.registry,
            &self.percentiles,
            groups.keys.len(),
            self.quantiles,
        )?;
        let placed = self.placed(&mut bits, &groups)?;
        let mut wanted = Wanted::default();
        for field in &self.fields {
            wanted.add(false, Term::of(*field, &bits.bases));
        }
        let ranks = self.ranks(&bits, &placed, &mut wanted);
        let arranged = arrange(&wanted.terms, strategy);
        let grouping = groups.grouping();
        let of = (self.query, self.purpose);
        let roots = Roots::new(bits, of, &arranged, grouping.as_ref().map(|_| 0));
        if !all_consent(&roots.blocks, &consent) {
            return Err(PlanError::Malformed("a root without consent".into()));
        }
        let finished = roots.bits.lookups.finish();
        let equation = Equation {
            rows: self.rows,
            tables: finished.tables,
            lookups: finished.lookups,
            derived: finished.derived,
            groupings: grouping.into_iter().collect(),
            blocks: roots.blocks,
        };
        let cost = limits::cost(&equation)?;
        let layout = self.layout(&equation, &groups, &roots.places, &ranks);
        Ok((cost, (equation, layout)))
    }

    /// The bits that place each percentile; none where it is hidden everywhere.
    fn placed(
        &self,
        bits: &mut Bits<'_>,
        groups: &Groups,
    ) -> Result<Vec<Option<Placed>>, PlanError> {
        let each = self.percentiles.len();
        let published = |index: usize| {
            let of_groups = self.quantiles.iter().skip(index).step_by(each);
            let numbered = groups.numbers.iter().copied().zip(of_groups);
            numbered.filter_map(|(group, q)| Some((group, (*q)?)))
        };
        let of_column = |column: usize| {
            let same = (0..each).filter(move |i| self.percentiles[*i].column == column);
            same.flat_map(published).map(|(_, q)| q)
        };
        let place = |index: usize| {
            let column = self.percentiles[index].column;
            let span = self.registry.columns[column].span();
            let cuts = percentile::cuts_of(of_column(column), span);
            percentile::place(bits, groups, column, &published(index).collect(), &cuts)
        };
        (0..each).map(place).collect()
    }

    /// The terms of each percentile's counts: where it is published, for whichever groups it is.
    fn ranks(
        &self,
        bits: &Bits<'_>,
        placed: &[Option<Placed>],
        wanted: &mut Wanted,
    ) -> Vec<BTreeMap<Rank, usize>> {
        let rank = |(percentile, placed): (&Percentile, &Option<Placed>)| {
            let (column, filter) = (percentile.column, percentile.filter);
            let known = Term::of(Field::count(Some(column), filter), &bits.bases);
            let mut terms = BTreeMap::from([(Rank::Known, wanted.add(true, known))]);
            if let Some(Placed { below, up_to }) = placed {
                for (rank, bit) in [(Rank::Below, below), (Rank::UpTo, up_to)] {
                    let term = Term::of_bit(bit, column, filter, &bits.bases);
                    terms.insert(rank, wanted.add(true, term));
                }
            }
            terms
        };
        self.percentiles.iter().zip(placed).map(rank).collect()
    }

    /// The cell of every field of every group.
    fn layout(
        &self,
        equation: &Equation,
        groups: &Groups,
        places: &[(usize, usize)],
        ranks: &[BTreeMap<Rank, usize>],
    ) -> Layout {
        let of_group = |(at, keys): (usize, &Vec<super::GroupKey>)| {
            let cell = |term: usize| {
                let (block, measure) = places[term];
                equation.cell(block, index(groups.numbers[at]), measure)
            };
            let fields = self
                .fields
                .iter()
                .enumerate()
                .map(|(term, f)| (*f, cell(term)));
            let mut cells: BTreeMap<Field, usize> = fields.collect();
            for (i, (percentile, terms)) in self.percentiles.iter().zip(ranks).enumerate() {
                let is_published = self.quantiles[at * self.percentiles.len() + i].is_some();
                for (rank, term) in terms {
                    if is_published || *rank == Rank::Known {
                        let field = Field {
                            kind: FieldKind::Rank(i, *rank),
                            ..Field::known(percentile)
                        };
                        cells.insert(field, cell(*term));
                    }
                }
            }
            (keys.clone(), cells)
        };
        Layout {
            groups: groups.keys.iter().enumerate().map(of_group).collect(),
        }
    }
}

/// The terms that are summed: one for each field, then those of percentiles, which may share.
#[derive(Default)]
struct Wanted {
    terms: Vec<Term>,
    shared: Vec<bool>,
}

impl Wanted {
    fn add(&mut self, shared: bool, term: Term) -> usize {
        let same = |i: &usize| shared && self.shared[*i] && self.terms[*i] == term;
        let found = (0..self.terms.len()).find(same);
        found.unwrap_or_else(|| {
            self.terms.push(term);
            self.shared.push(shared);
            self.terms.len() - 1
        })
    }
}
