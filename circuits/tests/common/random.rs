//! Random small datasets and equations: every shape that a query can take, in few rows.

use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use galen_circuits::equation::{
    Block, Derived, Equation, Grouping, Linear, Lookup, Measure, Rows, Table,
};

use super::{World, base, derived, table};

/// Base columns: consent, two numbers, a nullable number and whether it is known, another consent.
const DOMAINS: [u16; 2] = [16, 40];
const NULLABLE: u16 = 10;
const CONSENT: usize = 0;
const NUMBERS: [usize; 2] = [1, 2];
const VALUE: usize = 3;
const KNOWN: usize = 4;

/// Few rows, all rows, one chunk, absent chunks.
pub fn rows(rng: &mut StdRng) -> Rows {
    let shapes = [
        (8, 1),
        (8, 256),
        (8, 257),
        (8, 600),
        (8, 1024),
        (10, 700),
        (10, 1024),
        (4, 90),
    ];
    let (chunk_bits, present) = shapes[rng.gen_range(0..shapes.len())];
    Rows {
        row_bits: 10,
        chunk_bits,
        present,
    }
}

pub fn world(rows: Rows, rng: &mut StdRng) -> World {
    let mut values = vec![Vec::new(); 5];
    for _ in 0..rows.present {
        let known = rng.gen_range(0..2);
        values[CONSENT].push(u16::from(rng.gen_range(0..3) > 0));
        for (column, domain) in NUMBERS.into_iter().zip(DOMAINS) {
            values[column].push(rng.gen_range(0..domain));
        }
        values[VALUE].push(known * rng.gen_range(0..NULLABLE));
        values[KNOWN].push(known);
    }
    World::of(rows, values)
}

/// An equation in the making.
struct Sketch {
    rng: StdRng,
    equation: Equation,
    /// Bits that are proven: literals of roots and formulas.
    bits: Vec<Linear>,
}

pub fn equation(rows: Rows, seed: u64) -> Equation {
    let mut it = Sketch {
        rng: StdRng::seed_from_u64(seed),
        equation: Equation {
            rows,
            tables: Vec::new(),
            lookups: Vec::new(),
            derived: Vec::new(),
            groupings: Vec::new(),
            blocks: Vec::new(),
        },
        bits: Vec::new(),
    };
    for _ in 0..it.rng.gen_range(0..3) {
        it.predicate();
    }
    if it.rng.gen_range(0..2) == 0 {
        it.predicate_of_nullable();
    }
    if it.bits.len() > 1 && it.rng.gen_range(0..2) == 0 {
        it.formula();
    }
    it.groupings();
    it.blocks();
    it.equation
}

impl Sketch {
    /// A lookup with one output, which it returns.
    fn output(
        &mut self,
        table: Table,
        tuple: [Linear; 3],
        component: usize,
        key: Linear,
    ) -> Linear {
        let output = derived(self.equation.derived.len());
        let lookup = self.equation.lookups.len();
        let mut tuple = tuple;
        tuple[component] = output.clone();
        // Tables that are the same are shared.
        let same = self.equation.tables.iter().position(|t| *t == table);
        let table = same.unwrap_or_else(|| {
            self.equation.tables.push(table);
            self.equation.tables.len() - 1
        });
        self.equation.lookups.push(Lookup { tuple, table, key });
        self.equation
            .derived
            .push(Derived::Output { lookup, component });
        output
    }

    /// [x ∈ S], the committed bit being 0 at 0: where S has 0 it is the complement.
    fn predicate(&mut self) {
        let which = self.rng.gen_range(0..2);
        let (x, domain) = (base(NUMBERS[which]), u64::from(DOMAINS[which]));
        let runs: Vec<_> = (0..domain)
            .map(|v| (1, v, if v == 0 { 0 } else { self.rng.gen_range(0..2) }, 0))
            .collect();
        let tuple = [x.clone(), Linear::zero(), Linear::zero()];
        let bit = self.output(table(&runs), tuple, 1, x);
        let literal = if self.rng.gen_range(0..2) == 0 {
            bit
        } else {
            bit.complement()
        };
        self.bits.push(literal);
    }

    /// [y ∈ S], 0 where y is NULL: monotone, never complemented.
    fn predicate_of_nullable(&mut self) {
        let mut runs = vec![(1, 0, 0, 0)];
        runs.extend((0..u64::from(NULLABLE)).map(|v| (1, v, 1, self.rng.gen_range(0..2))));
        let tuple = [base(VALUE), base(KNOWN), Linear::zero()];
        let key = base(VALUE).plus(1, &base(KNOWN));
        let bit = self.output(table(&runs), tuple, 2, key);
        self.bits.push(bit);
    }

    /// Any formula over the bits so far, by its truth table.
    fn formula(&mut self) {
        let terms = self.bits.iter().enumerate();
        let key = terms.fold(Linear::zero(), |key, (j, bit)| key.plus(1 << j, bit));
        let length = 1u64 << self.bits.len();
        let padding = u64::try_from(key.at_zero()).unwrap();
        let runs: Vec<_> = (0..length)
            .map(|t| {
                (
                    1,
                    t,
                    u64::from(t != padding && self.rng.gen_range(0..3) > 0),
                    0,
                )
            })
            .collect();
        let tuple = [key.clone(), Linear::zero(), Linear::zero()];
        let bit = self.output(table(&runs), tuple, 1, key);
        self.bits.push(bit);
    }

    /// Up to two: by a nullable column as (x, known) or packed, by bins.
    fn groupings(&mut self) {
        let nullable = u64::from(NULLABLE);
        for _ in 0..self.rng.gen_range(0..3) {
            let key = base(VALUE).plus(1, &base(KNOWN));
            let grouping = match self.rng.gen_range(0..3) {
                0 => Grouping {
                    tuple: [base(VALUE), base(KNOWN)],
                    groups: table(&[(1, 0, 0, 0), (usize::from(NULLABLE), 0, 1, 0)]),
                    key,
                },
                1 => Grouping {
                    tuple: [key.clone(), Linear::zero()],
                    groups: Table::range(usize::try_from(nullable).unwrap() + 1),
                    key,
                },
                _ => {
                    let x = base(NUMBERS[1]);
                    let runs: Vec<_> = (0..4).map(|bin| (10, 10 * bin, bin, 0)).collect();
                    let tuple = [x.clone(), Linear::zero(), Linear::zero()];
                    let bin = self.output(table(&runs), tuple, 1, x);
                    Grouping {
                        tuple: [bin.clone(), Linear::zero()],
                        groups: Table::range(4),
                        key: bin,
                    }
                }
            };
            self.equation.groupings.push(grouping);
        }
    }

    /// The cohort's block, and perhaps another that filters it further, in the same groups or in others.
    fn blocks(&mut self) {
        let mut factors = vec![base(CONSENT)];
        for bit in self.bits.clone() {
            if factors.len() < 4 && self.rng.gen_range(0..2) == 0 {
                factors.push(bit);
            }
        }
        let root = self.block(factors);
        for _ in 0..self.rng.gen_range(0..3) {
            let mut factors = vec![root.clone()];
            factors.extend(self.bits.last().cloned());
            self.block(factors);
        }
    }

    fn block(&mut self, factors: Vec<Linear>) -> Linear {
        let index = self.equation.blocks.len();
        // A root that is proven already is its only factor.
        let root = match factors.as_slice() {
            [only] => only.clone(),
            _ => {
                self.equation.derived.push(Derived::Root { block: index });
                derived(self.equation.derived.len() - 1)
            }
        };
        let groupings = self.equation.groupings.len();
        let grouping = self.rng.gen_range(0..groupings + 1).checked_sub(1);
        let mut measures = vec![Measure::Linear(Linear::constant(1))];
        for _ in 0..self.rng.gen_range(0..4) {
            let [left, right] = [(); 2].map(|()| self.combination());
            measures.push(match self.rng.gen_range(0..3) {
                0 => Measure::Product(left, right),
                1 => Measure::Product(left.clone(), left),
                _ => Measure::Linear(left),
            });
        }
        let own = Block {
            root: root.clone(),
            factors,
            grouping,
            measures,
        };
        self.equation.blocks.push(own);
        root
    }

    fn combination(&mut self) -> Linear {
        let column = [NUMBERS[0], NUMBERS[1], VALUE, KNOWN][self.rng.gen_range(0..4)];
        let constant = Linear::constant(self.rng.gen_range(-3..4));
        constant.plus([-2, 1, 5][self.rng.gen_range(0..3)], &base(column))
    }
}
