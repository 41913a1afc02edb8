//! Public weights: the right side, those of hidden cells and limbs, and those of all columns in what is opened.

use std::collections::BTreeMap;

use ark_ff::{Field, One, Zero};
use galen_circuits::{
    Fr,
    equation::{
        Challenges, Column, Committed, FACTORS, Fingerprint, LIMB_BITS, Layout, Linear, Measure,
        Slot,
    },
};

use super::{
    super::{Statement, dense::evaluate},
    columns::{self, Form, number},
};

/// The right side; then the weights of T and of the limbs, row by row.
pub fn sums(statement: &Statement<'_>, layout: &Layout<'_>, c: &Challenges) -> (Fr, [Vec<Fr>; 2]) {
    let (mut rhs, mut cells, mut limbs) = (Fr::zero(), Vec::new(), Vec::new());
    let fingerprint = Fingerprint::new(c.gamma);
    let mut published = statement.cells.published.iter();
    for (index, block) in layout.equation.blocks.iter().enumerate() {
        let fps: Vec<Fr> = match block.grouping {
            Some(g) => {
                let id = columns::id(layout, Slot::Groups(g));
                let groups = layout.equation.groupings[g].groups.entries();
                groups.map(|entry| fingerprint.of(entry, id)).collect()
            }
            None => {
                let last = layout.tables().len() + layout.equation.groupings.len() + 1;
                vec![fingerprint.of([0; 3], last as u64)]
            }
        };
        for fp in fps {
            for (power, _) in measures(layout, index, c.beta) {
                let weight = power * (c.x - fp).inverse().unwrap();
                match published.next().unwrap() {
                    Some(value) => rhs += weight * number(*value),
                    None => cells.push(-weight),
                }
            }
        }
    }
    for (k, inequality) in statement.cells.inequalities.iter().enumerate() {
        let power = c.zeta * c.theta.pow([k as u64]);
        rhs += power * number(i128::from(inequality.bound));
        for (cell, factor) in &inequality.terms {
            cells[*cell] += power * number(i128::from(*factor));
        }
        let weight = |i| -power * Fr::from(1u64 << (LIMB_BITS as usize * i));
        limbs.extend((0..inequality.limbs).map(weight));
    }
    (rhs, [cells, limbs])
}

/// A block's measures with their powers of β, counted over all blocks.
pub fn measures<'a>(layout: &Layout<'a>, block: usize, beta: Fr) -> Vec<(Fr, &'a Measure)> {
    let blocks = &layout.equation.blocks;
    let first: usize = blocks[..block].iter().map(|b| b.measures.len()).sum();
    let measures = blocks[block].measures.iter().enumerate();
    measures
        .map(|(a, m)| (beta.pow([(first + a) as u64]), m))
        .collect()
}

/// The products, those of one left factor together.
pub fn pairs<'m>(weighted: &[(Fr, &'m Measure)]) -> Vec<(&'m Linear, Vec<(Fr, &'m Linear)>)> {
    let mut pairs: Vec<(&Linear, Vec<(Fr, &Linear)>)> = Vec::new();
    for (power, measure) in weighted {
        if let Measure::Product(left, right) = measure {
            match pairs.iter_mut().find(|(l, _)| *l == left) {
                Some((_, rights)) => rights.push((*power, right)),
                None => pairs.push((left, vec![(*power, right)])),
            }
        }
    }
    pairs
}

/// Σ_k ρ^k λ_{k,c} of every committed column, and ρ^K.
pub struct Combined {
    weights: BTreeMap<Committed, Fr>,
    power: Fr,
    pub mask: Fr,
}

impl Combined {
    pub fn new(
        layout: &Layout<'_>,
        c: &Challenges,
        short: &[Vec<Fr>; 2],
        r: &[Fr],
        rho: Fr,
    ) -> Self {
        let size = layout.class.size;
        let (mut it, one) = (Self::empty(), Fr::one());
        for index in 0..size.slots() {
            if let Some(slot) = layout.slots.get(index) {
                it.add(Committed::Reciprocal(index), one);
                it.next(rho);
                for (k, form) in (0u64..).zip(&columns::tuple(layout, *slot)) {
                    it.form(form, -c.gamma.pow([k]));
                }
                it.next(rho);
            } else {
                it.skip(rho, 2);
            }
        }
        for slot in 0..size.tables() {
            if slot < layout.table_slots.len() {
                let q = columns::table_denominators(layout, slot, [c.x, c.gamma]);
                it.add(Committed::Entries(slot), evaluate(&q, r));
                it.add(Committed::Multiplicity(slot), one);
            }
            it.next(rho);
        }
        for (index, slot) in layout.slots.iter().enumerate() {
            if !matches!(slot, Slot::Groups(_)) {
                it.add(Committed::Reciprocal(index), one);
            }
        }
        for slot in 0..layout.table_slots.len() {
            it.add(Committed::Entries(slot), one);
        }
        for (column, weights) in [Committed::Cells, Committed::Limbs].iter().zip(short) {
            it.add(*column, evaluate(weights, r));
        }
        it.next(rho);
        for block in 0..size.blocks() {
            it.block(layout, block, c, rho);
        }
        it.mask = it.power;
        it
    }

    fn empty() -> Self {
        Self {
            weights: BTreeMap::new(),
            power: Fr::one(),
            mask: Fr::zero(),
        }
    }

    /// The weight of a column.
    pub fn weight(&self, column: Committed) -> Fr {
        self.weights.get(&column).copied().unwrap_or_default()
    }

    fn next(&mut self, rho: Fr) {
        self.power *= rho;
    }

    fn skip(&mut self, rho: Fr, count: usize) {
        (0..count).for_each(|_| self.next(rho));
    }

    fn add(&mut self, column: Committed, weight: Fr) {
        *self.weights.entry(column).or_default() += self.power * weight;
    }

    fn form(&mut self, form: &Form, weight: Fr) {
        match form {
            Form::Column(column) => self.add(*column, weight),
            Form::Linear(linear) => self.linear(linear, weight),
        }
    }

    fn linear(&mut self, linear: &Linear, weight: Fr) {
        for (column, k) in linear.terms() {
            let weight = weight * number(i128::from(k));
            match column {
                Column::Present => {}
                Column::Base(i) => self.add(Committed::Base(i), weight),
                Column::Derived(d) => self.add(Committed::Derived(d), weight),
            }
        }
    }

    fn block(&mut self, layout: &Layout<'_>, index: usize, c: &Challenges, rho: Fr) {
        let all = 3 + FACTORS + 2 * layout.class.size.pairs();
        let Some(block) = layout.equation.blocks.get(index) else {
            return self.skip(rho, all);
        };
        if let Some(g) = block.grouping {
            let slot = layout.slots.len() - layout.equation.groupings.len() + g;
            self.add(Committed::Reciprocal(slot), Fr::one());
        }
        self.next(rho);
        self.linear(&block.root, Fr::one());
        self.next(rho);
        for k in 0..FACTORS {
            if let Some(factor) = block.factors.get(k) {
                self.linear(factor, Fr::one());
            }
            self.next(rho);
        }
        let weighted = measures(layout, index, c.beta);
        for (power, measure) in &weighted {
            if let Measure::Linear(linear) = measure {
                self.linear(linear, *power);
            }
        }
        self.next(rho);
        let pairs = pairs(&weighted);
        for (left, rights) in &pairs {
            self.linear(left, Fr::one());
            self.next(rho);
            for (power, right) in rights {
                self.linear(right, *power);
            }
            self.next(rho);
        }
        self.skip(rho, 2 * (layout.class.size.pairs() - pairs.len()));
    }
}
