//! query + purpose + registry + rows + percentiles → plan.

use std::collections::{BTreeMap, BTreeSet};

use galen_core::equation::{Block, Equation, Linear, Measure, Rows};

use super::{
    Field, FieldKind, Layout, Plan, PlanError, Rank, Statistic,
    bases::Bases,
    bits::Bits,
    blocks::{Arranged, Strategy, arrange},
    fields::fields_of_query,
    formula::Formula,
    groups::Groups,
    limits,
    literal::index,
    percentile::{self, Placed, Quantile},
    terms::{Condition, Factor, Term},
};
use crate::{
    query::{CohortQuery, Percentile, Predicate},
    registry::Registry,
};

/// Factors of a root beside consent or another root.
const ROOM: usize = galen_core::equation::FACTORS - 1;

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
        Ok(Self {
            equation,
            layout,
            statistics,
            percentiles: asked.percentiles,
            quantiles: quantiles.to_vec(),
            within: within(&query.filters()),
            is_chain: !query.criteria.is_empty(),
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
        let groups = Groups::new(&mut bits, self.query)?;
        let each = self.percentiles.len();
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
        let filters = self.query.filters();
        let mut builder = Builder {
            filters: filters
                .iter()
                .map(|f| Formula::of(f, &bits.bases))
                .collect(),
            bits,
            roots: Vec::new(),
        };
        let arranged = arrange(&wanted.terms, strategy);
        let places = builder.blocks(self, &arranged, &wanted, groups.grouping().map(|_| 0));
        let Builder { bits, roots, .. } = builder;
        let finished = bits.lookups.finish();
        let equation = Equation {
            rows: self.rows,
            tables: finished.tables,
            lookups: finished.lookups,
            derived: finished.derived,
            groupings: groups.grouping().into_iter().collect(),
            blocks: roots,
        };
        let counts = self.fields.iter().filter(|f| f.is_count()).count();
        let lines = self.lines();
        let most = limits::most_inequalities(counts, groups.keys.len(), lines, each);
        let cost = limits::cost(&equation, most)?;
        let layout = self.layout(&equation, &groups, &places, &ranks);
        Ok((cost, (equation, layout)))
    }

    /// Lines of groups, at most.
    fn lines(&self) -> usize {
        let each = self.query.group_by.iter().map(|g| g.groups(self.registry));
        match self.query.group_by.len() {
            0 | 1 => 1,
            _ => each.sum(),
        }
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

/// Blocks with their roots and measures.
struct Builder<'a> {
    bits: Bits<'a>,
    filters: Vec<Formula>,
    roots: Vec<Block>,
}

impl Builder<'_> {
    /// Builds all blocks; returns the block and the measure of each term.
    fn blocks(
        &mut self,
        asked: &Asked<'_>,
        arranged: &[Arranged],
        wanted: &Wanted,
        grouping: Option<usize>,
    ) -> Vec<(usize, usize)> {
        let mut places = vec![(0, 0); wanted.terms.len()];
        let consent = self.bits.bases.consent(asked.purpose);
        let filter = Formula::of(&asked.query.filter, &self.bits.bases);
        for (number, block) in arranged.iter().enumerate() {
            let same = arranged[..number]
                .iter()
                .position(|b| b.guard == block.guard);
            let (root, factors) = match same.map(|same| self.roots[same].root.clone()) {
                Some(root) => (root.clone(), vec![root]),
                None => self.root(number, (&consent, &filter), arranged),
            };
            let mut measures = vec![Measure::Linear(Linear::constant(1))];
            let mut counts_all = false;
            for (term, factors) in &block.terms {
                let measure = self.measure(factors);
                if measure == measures[0] && !counts_all {
                    counts_all = true;
                    places[*term] = (number, 0);
                } else {
                    places[*term] = (number, measures.len());
                    measures.push(measure);
                }
            }
            self.roots.push(Block {
                root,
                factors,
                grouping,
                measures,
            });
        }
        places
    }

    /// The root of a block and its factors: from that of the first block, if all its rows are there.
    fn root(
        &mut self,
        number: usize,
        (consent, filter): (&Linear, &Formula),
        arranged: &[Arranged],
    ) -> (Linear, Vec<Linear>) {
        let (first, own) = (&arranged[0].guard, &arranged[number].guard);
        let is_within = number > 0 && first.is_subset(own);
        let (outer, filter, known) = match is_within {
            true => (&self.roots[0].root, Formula::All(Vec::new()), first.clone()),
            false => (consent, filter.clone(), BTreeSet::new()),
        };
        let outer = outer.clone();
        let mut members: Vec<Formula> = own.difference(&known).map(|c| self.formula(*c)).collect();
        members.push(filter);
        let mut factors = vec![outer.clone()];
        factors.extend(self.bits.factors(&Formula::all(members), ROOM));
        let root = match factors.len() {
            1 => outer,
            _ => self.bits.lookups.root(number),
        };
        (root, factors)
    }

    fn formula(&self, condition: Condition) -> Formula {
        match condition {
            Condition::Filter(f) => self.filters[f].clone(),
            Condition::Known(column) => Formula::Bit(self.bits.bases.known_bit(column)),
        }
    }

    fn measure(&mut self, factors: &[Factor]) -> Measure {
        let mut linear = |factor: &Factor| match factor {
            Factor::Value(value) => value.clone(),
            Factor::Condition(condition) => {
                let formula = self.formula(*condition);
                self.bits.bit(&formula)
            }
        };
        match factors {
            [] => Measure::Linear(Linear::constant(1)),
            [one] => Measure::Linear(linear(one)),
            [left, right] => Measure::Product(linear(left), linear(right)),
            _ => unreachable!("a block sums products of two factors"),
        }
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
