//! The blocks of an equation: their roots, and what each sums.

use std::collections::BTreeSet;

use galen_circuits::equation::{Block, FACTORS, Linear, Measure};
use galen_query::query::CohortQuery;

use super::{
    bits::Bits,
    blocks::Arranged,
    formula::Formula,
    terms::{Condition, Factor},
};

/// Factors of a root beside consent or another root.
const ROOM: usize = FACTORS - 1;

/// Blocks with their roots and measures.
pub(super) struct Roots<'a> {
    /// With the lookups that they need.
    pub(super) bits: Bits<'a>,
    /// In order.
    pub(super) blocks: Vec<Block>,
    /// The block and the measure of each term.
    pub(super) places: Vec<(usize, usize)>,
    consent: Linear,
    /// The WHERE clause.
    filter: Formula,
    /// The query's filters.
    filters: Vec<Formula>,
}

impl<'a> Roots<'a> {
    /// Builds all blocks, of a query for a purpose.
    pub(super) fn new(
        bits: Bits<'a>,
        (query, purpose): (&CohortQuery, usize),
        arranged: &[Arranged],
        grouping: Option<usize>,
    ) -> Self {
        let formula = |p| Formula::of(p, &bits.bases);
        let terms: usize = arranged.iter().map(|b| b.terms.len()).sum();
        let mut roots = Self {
            blocks: Vec::new(),
            places: vec![(0, 0); terms],
            consent: bits.bases.consent(purpose),
            filter: formula(&query.filter),
            filters: query.filters().into_iter().map(formula).collect(),
            bits,
        };
        for (number, block) in arranged.iter().enumerate() {
            let same = arranged[..number]
                .iter()
                .position(|b| b.guard == block.guard);
            let (root, factors) = match same.map(|same| roots.blocks[same].root.clone()) {
                Some(root) => (root.clone(), vec![root]),
                None => roots.root(number, arranged),
            };
            let mut measures = vec![Measure::Linear(Linear::constant(1))];
            let mut counts_all = false;
            for (term, factors) in &block.terms {
                let measure = roots.measure(factors);
                if measure == measures[0] && !counts_all {
                    counts_all = true;
                    roots.places[*term] = (number, 0);
                } else {
                    roots.places[*term] = (number, measures.len());
                    measures.push(measure);
                }
            }
            roots.blocks.push(Block {
                root,
                factors,
                grouping,
                measures,
            });
        }
        roots
    }

    /// The root of a block and its factors: from that of the first block, if all its rows are there.
    fn root(&mut self, number: usize, arranged: &[Arranged]) -> (Linear, Vec<Linear>) {
        let (first, own) = (&arranged[0].guard, &arranged[number].guard);
        let is_within = number > 0 && first.is_subset(own);
        let (outer, filter, known) = match is_within {
            true => (
                &self.blocks[0].root,
                Formula::All(Vec::new()),
                first.clone(),
            ),
            false => (&self.consent, self.filter.clone(), BTreeSet::new()),
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

/// Whether consent stands directly in each block's root, or in that of an earlier block which stands in it.
pub(super) fn all_consent(blocks: &[Block], consent: &Linear) -> bool {
    blocks.iter().enumerate().all(|(number, block)| {
        let earlier = |f: &Linear| blocks[..number].iter().any(|b| b.root == *f);
        block.factors.iter().any(|f| f == consent || earlier(f))
    })
}
