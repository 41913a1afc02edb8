//! Columns at random, of every shape, for tests: nothing that an equation would make.

use ark_ff::{One, UniformRand};
use ark_std::rand::{Rng, rngs::StdRng};

use super::*;
use crate::equation::Column;

/// Elements at the field's edges, and any.
fn element(rng: &mut StdRng) -> Fr {
    match rng.gen_range(0..6) {
        0 => Fr::zero(),
        1 => Fr::one(),
        2 | 3 => -Fr::one(),
        _ => Fr::rand(rng),
    }
}

/// Tests end before it matters that nobody frees them.
fn kept<T>(values: Vec<T>) -> &'static [T] {
    Vec::leak(values)
}

fn small(present: usize, most: u16, rng: &mut StdRng) -> &'static [u16] {
    kept((0..present).map(|_| rng.gen_range(0..=most)).collect())
}

fn slot(present: usize, rng: &mut StdRng) -> WideSlot<'static> {
    let keys = rng.gen_range(1..12_u32);
    WideSlot {
        keys: kept((0..present).map(|_| rng.gen_range(0..keys)).collect()),
        padding: rng.gen_range(0..keys),
        q: (0..keys).map(|_| element(rng)).collect(),
        e: (0..keys).map(|_| element(rng)).collect(),
    }
}

fn form(present: usize, rng: &mut StdRng) -> Form<'static> {
    let terms = (0..rng.gen_range(0..3)).map(|_| {
        let most = [1, 2, u16::MAX][rng.gen_range(0..3)];
        let values = small(present, most, rng);
        (values, Weight::new(values, element(rng)))
    });
    Form {
        terms: terms.collect(),
        present: element(rng),
        padding: element(rng),
    }
}

/// A block's columns, and its factors as numbers, which are bits but for some.
fn block(
    (slots, groupings): (usize, usize),
    present: usize,
    rows: &mut Rows<'static>,
    rng: &mut StdRng,
) -> BlockShape {
    let mut column = |rng: &mut StdRng| {
        rows.forms.push(form(present, rng));
        rows.shape.add_column()
    };
    let block = BlockShape {
        root: column(rng),
        factors: (0..rng.gen_range(0..=FACTORS))
            .map(|_| column(rng))
            .collect(),
        single: column(rng),
        pairs: (0..rng.gen_range(0..4))
            .map(|_| (column(rng), column(rng)))
            .collect(),
        grouping: (groupings > 0 && rng.gen_bool(0.6))
            .then(|| slots - groupings + rng.gen_range(0..groupings)),
    };
    let factor = |_| {
        let most = [1, 1, 1, 4][rng.gen_range(0..4)];
        let bases = BaseValues::from([(0, small(present, most, rng))]);
        let bound = Bound::new(&Linear::column(Column::Base(0)), &bases, &[]);
        (bound.unwrap(), rng.gen_range(0..2))
    };
    let own = block.factors.iter().map(factor).collect();
    rows.factors.push((element(rng), own));
    block
}

impl Rows<'static> {
    /// 2^bits rows, of which so many hold a patient.
    pub(in super::super) fn random(bits: u32, present: usize, rng: &mut StdRng) -> Self {
        let slots = rng.gen_range(0..10_usize);
        let groupings = rng.gen_range(0..=slots.min(3));
        let mut rows = Self {
            bits,
            present,
            slots: (0..slots).map(|_| slot(present, rng)).collect(),
            forms: Vec::new(),
            factors: Vec::new(),
            shape: Shape::new(slots, slots - groupings),
            ones: Fr::rand(rng),
        };
        for _ in 0..rng.gen_range(usize::from(slots == 0)..4) {
            let block = block((slots, groupings), present, &mut rows, rng);
            rows.shape.blocks.push(block);
        }
        rows
    }
}
