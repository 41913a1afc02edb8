//! What is summed, as `docs/spec/equation.md` has it: the columns of the sumcheck, and what the circuit reads of them.

use ark_ff::{Field, Zero};
use galen_circuits::{
    Fr,
    equation::{Challenges, Committed, FACTORS, Linear, Measure, Slot},
};

use super::{
    super::dense::{Dense, Terms},
    Reference,
    columns::{self, Form, dense},
    combine,
};

/// The sumcheck's columns by what they are.
pub(super) struct Sum {
    pub dense: Dense,
    pub constraints: Terms,
    pub sum: Terms,
    /// By evaluation of the circuit: a constant, or terms whose value it is.
    evaluations: Vec<Terms>,
}

impl Reference<'_> {
    /// What is summed, as `docs/spec/equation.md` has it, in the circuit's order.
    pub(super) fn sum(&self, c: &Challenges, chi: Fr, weights: &[Vec<Fr>; 2]) -> Sum {
        let (layout, size) = (&self.layout, self.layout.class.size);
        let one = Fr::from(1u64);
        let mut sum = Sum::new();
        let mut powers = std::iter::successors(Some(one), |p| Some(*p * chi));
        let mut reciprocals = Vec::new();
        for index in 0..size.slots() {
            let power = powers.next().unwrap();
            let Some(slot) = layout.slots.get(index) else {
                sum.evaluations
                    .extend([vec![(one, vec![])], vec![(one, vec![])]]);
                continue;
            };
            let q = columns::denominators(layout, &self.columns, *slot, [c.x, c.gamma]);
            let padding = q[q.len() - 1].inverse().unwrap();
            let mut e = self.columns[&Committed::Reciprocal(index)].clone();
            e[columns::committed_rows(layout, *slot)..].fill(padding);
            let (e, q) = (sum.dense.push(e), sum.dense.push(q));
            sum.constraints
                .extend([(power, vec![e, q]), (-power, vec![])]);
            sum.evaluations
                .extend([vec![(one, vec![e])], vec![(one, vec![q])]]);
            reciprocals.push(e);
            if !matches!(slot, Slot::Groups(_)) {
                sum.sum.push((one, vec![e]));
            }
        }
        for slot in 0..size.tables() {
            let power = powers.next().unwrap();
            if slot >= layout.table_slots.len() {
                sum.evaluations.push(vec![]);
                continue;
            }
            let q = columns::table_denominators(layout, slot, [c.x, c.gamma]);
            let e = sum
                .dense
                .push(self.columns[&Committed::Entries(slot)].clone());
            let m = self.columns[&Committed::Multiplicity(slot)].clone();
            let (q, m) = (sum.dense.push(q), sum.dense.push(m));
            sum.constraints
                .extend([(power, vec![e, q]), (power, vec![m])]);
            sum.evaluations
                .push(vec![(one, vec![e, q]), (one, vec![m])]);
            sum.sum.push((one, vec![e]));
        }
        for (column, weights) in [Committed::Cells, Committed::Limbs].iter().zip(weights) {
            let mut weights = weights.clone();
            weights.resize(layout.equation.rows.all(), Fr::zero());
            let pair = [self.columns[column].clone(), weights].map(|v| sum.dense.push(v));
            sum.sum.push((one, pair.to_vec()));
        }
        let linear = sum.sum.clone();
        sum.evaluations.push(linear);
        for block in 0..size.blocks() {
            let power = powers.next().unwrap();
            if block < layout.equation.blocks.len() {
                self.block(&mut sum, block, c, power, &reciprocals);
            } else {
                let ones = 2 + FACTORS;
                sum.evaluations.extend(vec![vec![(one, vec![])]; ones]);
                sum.evaluations.extend(vec![vec![]; 1 + 2 * size.pairs()]);
            }
        }
        sum
    }

    fn block(&self, sum: &mut Sum, index: usize, c: &Challenges, power: Fr, e: &[usize]) {
        let (layout, one) = (&self.layout, Fr::from(1u64));
        let block = &layout.equation.blocks[index];
        let push = |sum: &mut Sum, parts: &[(Fr, &Linear)]| {
            let mut column = vec![Fr::zero(); layout.equation.rows.all()];
            for (weight, linear) in parts {
                let values = dense(layout, &self.columns, &Form::Linear((*linear).clone()));
                column
                    .iter_mut()
                    .zip(values)
                    .for_each(|(c, v)| *c += *weight * v);
            }
            sum.dense.push(column)
        };
        let group = match block.grouping {
            Some(g) => e[layout.slots.len() - layout.equation.groupings.len() + g],
            None => {
                let last = layout.tables().len() + layout.equation.groupings.len() + 1;
                let q = c.x - c.gamma.pow([3]) * Fr::from(last as u64);
                let all = layout.equation.rows.all();
                sum.dense.push(vec![q.inverse().unwrap(); all])
            }
        };
        let root = push(sum, &[(one, &block.root)]);
        let factors: Vec<usize> = block
            .factors
            .iter()
            .map(|f| push(sum, &[(one, f)]))
            .collect();
        sum.constraints.push((power, vec![root]));
        sum.constraints.push((-power, factors.clone()));
        sum.evaluations
            .extend([vec![(one, vec![group])], vec![(one, vec![root])]]);
        let factor = |k: usize| vec![(one, factors.get(k).copied().into_iter().collect())];
        sum.evaluations.extend((0..FACTORS).map(factor));
        let weighted = combine::measures(layout, index, c.beta);
        let single: Vec<(Fr, &Linear)> = weighted
            .iter()
            .filter_map(|(power, m)| match m {
                Measure::Linear(l) => Some((*power, l)),
                Measure::Product(..) => None,
            })
            .collect();
        let single = push(sum, &single);
        sum.evaluations.push(vec![(one, vec![single])]);
        sum.sum.push((one, vec![group, root, single]));
        let pairs = combine::pairs(&weighted);
        for (left, right) in &pairs {
            let (l, r) = (push(sum, &[(one, left)]), push(sum, right));
            sum.evaluations
                .extend([vec![(one, vec![l])], vec![(one, vec![r])]]);
            sum.sum.push((one, vec![group, root, l, r]));
        }
        let unused = 2 * (layout.class.size.pairs() - pairs.len());
        sum.evaluations.extend(vec![vec![]; unused]);
    }
}

impl Sum {
    fn new() -> Self {
        Self {
            dense: Dense(Vec::new()),
            constraints: Vec::new(),
            sum: Vec::new(),
            evaluations: Vec::new(),
        }
    }

    /// When all variables are bound.
    pub fn evaluations(&self) -> Vec<Fr> {
        let column = |c: &usize| self.dense.0[*c][0];
        let value = |terms: &Terms| {
            let terms = terms.iter();
            terms
                .map(|(k, c)| *k * c.iter().map(column).product::<Fr>())
                .sum()
        };
        self.evaluations.iter().map(value).collect()
    }
}
