//! The statement that most tests are about: a cohort of two predicates, one over a nullable column, in four groups.

use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};
use galen_circuits::equation::{
    Block, Derived, Equation, Grouping, Linear, Lookup, Measure, Rows, Table,
};

use super::{ROWS, Statement, World, base, derived, interval, table};

/// Base columns.
pub const CONSENT: usize = 0;
/// 0 … 15.
pub const X: usize = 1;
/// 0 … 7; 0 where NULL.
pub const Y: usize = 2;
/// 1 where y is known.
pub const Y_KNOWN: usize = 3;
/// 0 … 3.
pub const GROUP: usize = 4;

/// Derived columns.
pub const IN_X: usize = 0;
pub const IN_Y: usize = 1;
pub const ROOT: usize = 2;

/// Measures a group.
pub const MEASURES: usize = 3;

pub fn world(seed: u64) -> World {
    world_of(ROWS, seed)
}

pub fn world_of(rows: Rows, seed: u64) -> World {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut values = vec![Vec::new(); 5];
    for _ in 0..rows.present {
        let known = rng.gen_range(0..2);
        values[CONSENT].push(u16::from(rng.gen_range(0..4) > 0));
        values[X].push(rng.gen_range(0..16));
        values[Y].push(known * rng.gen_range(0..8));
        values[Y_KNOWN].push(known);
        values[GROUP].push(rng.gen_range(0..4));
    }
    World::of(rows, values)
}

/// Of consenting rows with 3 ≤ x < 12 and y ≠ NULL, by group: count, Σy, Σx².
pub fn equation(rows: Rows) -> Equation {
    let zero = Linear::zero;
    Equation {
        rows,
        tables: vec![interval(3, 12, 16), table(&[(1, 0, 0, 0), (8, 0, 1, 1)])],
        lookups: vec![
            Lookup {
                tuple: [base(X), derived(IN_X), zero()],
                table: 0,
                key: base(X),
            },
            Lookup {
                tuple: [base(Y), base(Y_KNOWN), derived(IN_Y)],
                table: 1,
                key: base(Y).plus(1, &base(Y_KNOWN)),
            },
        ],
        derived: vec![
            Derived::Output {
                lookup: 0,
                component: 1,
            },
            Derived::Output {
                lookup: 1,
                component: 2,
            },
            Derived::Root { block: 0 },
        ],
        groupings: vec![Grouping {
            tuple: [base(GROUP), zero()],
            groups: Table::range(4),
            key: base(GROUP),
        }],
        blocks: vec![Block {
            root: derived(ROOT),
            factors: vec![base(CONSENT), derived(IN_X), derived(IN_Y)],
            grouping: Some(0),
            measures: vec![
                Measure::Linear(Linear::constant(1)),
                Measure::Linear(base(Y)),
                Measure::Product(base(X), base(X)),
            ],
        }],
    }
}

/// All cells published.
pub fn statement(world: &World) -> Statement<'_> {
    Statement::new(world, equation(world.rows))
}

/// Three cells hidden: a count, a sum, a sum of squares.
pub fn hidden(world: &World) -> Statement<'_> {
    statement(world).hiding(&[0, 4, 8])
}
