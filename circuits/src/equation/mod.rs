//! The one equation of an answer or a registration (`docs/spec/equation.md`): its public description, from which
//! both sides derive everything but the values.
//!
//! Every step of a query is a *lookup* of a tuple in a public table; AND is a product in a root; GROUP BY and
//! the sums are a sum of fractions e_G·s·w over the rows. [`Equation`] says which; [`Layout`] says where each
//! stands in the circuit's slots.

mod check;
mod layout;
mod linear;
mod table;
mod value;

pub use layout::{Affine, Challenges, Committed, Layout, Slot};
pub(crate) use layout::{Sums, invert, powers};
pub use linear::{Column, Linear};
pub use table::{Fingerprint, Run, Segment, Table, TableSlot};
pub(crate) use value::signed;
pub use value::{Cells, Inequality, LIMB_BITS, MAX_LIMBS, RANGE_BITS, limbs_for};

use crate::hash::{Transcript, separator};

/// How the rows of a dataset lie: in chunks of 2^`chunk_bits` rows, padded to 2^`row_bits` rows in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// L: variables that name a row.
    pub row_bits: u32,
    /// ν: variables that name a row within its chunk; at most L.
    pub chunk_bits: u32,
    /// R: rows that hold a patient, from row 0 on; at least 1.
    pub present: usize,
}

impl Rows {
    /// The fewest variables: 2^14 rows, so that a table of 16 bits takes four slots.
    pub const LEAST_BITS: u32 = 14;
    /// The most: 16 million patients.
    pub const MOST_BITS: u32 = 24;

    /// How a dataset of `present` patients lies, if it is not too large: the opening's two multiplications of n
    /// scalars balance with the number of chunks.
    #[must_use]
    pub fn of(present: usize) -> Option<Self> {
        let bits = usize::BITS - present.saturating_sub(1).leading_zeros();
        let row_bits = bits.max(Self::LEAST_BITS);
        (present > 0 && row_bits <= Self::MOST_BITS).then(|| Self {
            row_bits,
            chunk_bits: Self::chunk_bits_for(row_bits),
            present,
        })
    }

    /// ν for L.
    #[must_use]
    pub fn chunk_bits_for(row_bits: u32) -> u32 {
        (row_bits / 2 + 6).clamp(13, 17)
    }

    /// n: rows of a chunk.
    #[must_use]
    pub fn chunk(&self) -> usize {
        1 << self.chunk_bits
    }

    /// C: chunks that hold a patient; only these are committed.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.present.div_ceil(self.chunk())
    }

    /// C·n.
    #[must_use]
    pub fn committed(&self) -> usize {
        self.chunks() * self.chunk()
    }

    /// 2^L.
    #[must_use]
    pub fn all(&self) -> usize {
        1 << self.row_bits
    }

    /// Whether the numbers fit each other.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        (1..=28).contains(&self.chunk_bits)
            && self.chunk_bits <= self.row_bits
            && self.row_bits <= 32
            && self.present > 0
            && self.present <= self.all()
    }
}

/// A tuple of combinations that must stand in a public table, on every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// c₁, c₂, c₃.
    pub tuple: [Linear; 3],
    /// Index into [`Equation::tables`].
    pub table: usize,
    /// On an honest row the entry at which the tuple stands. No part of the statement: it is how a prover finds
    /// the entry.
    pub key: Linear,
}

/// A column that the proof commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    /// What a lookup's table says: component `component` of its entry. The lookup constrains it.
    Output {
        /// Index into [`Equation::lookups`].
        lookup: usize,
        /// 1 or 2: which component of the tuple it is.
        component: usize,
    },
    /// The product of a block's factors, as the block's constraint says.
    Root {
        /// Index into [`Equation::blocks`].
        block: usize,
    },
}

/// By what a block's sums are told apart: (c₁, c₂) names the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Group and known.
    pub tuple: [Linear; 2],
    /// The groups, (c₁, c₂, 0) each, without doubles.
    pub groups: Table,
    /// As [`Lookup::key`]: the group that a row belongs to.
    pub key: Linear,
}

/// What is summed: w_a.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// A combination of columns; 1 counts rows.
    Linear(Linear),
    /// The product of two.
    Product(Linear, Linear),
}

impl Measure {
    /// Its value on a row.
    pub fn eval(&self, value: impl Fn(Column) -> i64) -> i64 {
        match self {
            Measure::Linear(l) => l.eval(value),
            Measure::Product(a, b) => a.eval(&value) * b.eval(&value),
        }
    }
}

/// A root with what is summed over its rows, group by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// s: 1 on the rows that count. Constrained to be the product of the factors.
    pub root: Linear,
    /// φ: at most [`FACTORS`], each a bit.
    pub factors: Vec<Linear>,
    /// Index into [`Equation::groupings`]; none for one group of all rows.
    pub grouping: Option<usize>,
    /// w_a in order. 1 stands among them in every block.
    pub measures: Vec<Measure>,
}

/// The most factors that a root has.
pub const FACTORS: usize = 4;

/// Everything public about one proof's statement but the values of its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equation {
    /// How the rows lie.
    pub rows: Rows,
    /// The public tables; table i has id i + 1.
    pub tables: Vec<Table>,
    /// The lookups in order.
    pub lookups: Vec<Lookup>,
    /// The committed columns in order; a column depends only on earlier ones.
    pub derived: Vec<Derived>,
    /// The groupings in order; grouping i has an id beyond all tables'.
    pub groupings: Vec<Grouping>,
    /// The blocks in order.
    pub blocks: Vec<Block>,
}

impl Equation {
    /// The number of groups of a block.
    #[must_use]
    pub fn groups(&self, block: usize) -> usize {
        match self.blocks[block].grouping {
            Some(g) => self.groupings[g].groups.len(),
            None => 1,
        }
    }

    /// The number of cells: for each block, each group, each measure.
    #[must_use]
    pub fn cells(&self) -> usize {
        let blocks = 0..self.blocks.len();
        blocks
            .map(|b| self.groups(b) * self.blocks[b].measures.len())
            .sum()
    }

    /// The cell of a block's group and measure, counted block by block, group by group.
    #[must_use]
    pub fn cell(&self, block: usize, group: usize, measure: usize) -> usize {
        let before: usize = (0..block)
            .map(|b| self.groups(b) * self.blocks[b].measures.len())
            .sum();
        before + group * self.blocks[block].measures.len() + measure
    }

    /// The base columns that it reads, ascending.
    #[must_use]
    pub fn bases(&self) -> Vec<usize> {
        let mut bases: Vec<usize> = self
            .linears()
            .flat_map(Linear::terms)
            .filter_map(|(column, _)| match column {
                Column::Base(i) => Some(i),
                _ => None,
            })
            .collect();
        bases.sort_unstable();
        bases.dedup();
        bases
    }

    fn linears(&self) -> impl Iterator<Item = &Linear> {
        let lookups = self
            .lookups
            .iter()
            .flat_map(|l| l.tuple.iter().chain([&l.key]));
        let groupings = self
            .groupings
            .iter()
            .flat_map(|g| g.tuple.iter().chain([&g.key]));
        let blocks = self.blocks.iter().flat_map(|b| {
            let measures = b.measures.iter().flat_map(|m| match m {
                Measure::Linear(l) => vec![l],
                Measure::Product(l, r) => vec![l, r],
            });
            [&b.root].into_iter().chain(&b.factors).chain(measures)
        });
        lookups.chain(groupings).chain(blocks)
    }

    /// Everything that the statement depends on, hashed injectively.
    #[must_use]
    pub fn digest(&self) -> [u8; 64] {
        let mut t = Transcript::new(separator::EQUATION);
        t.number(u64::from(self.rows.row_bits))
            .number(u64::from(self.rows.chunk_bits))
            .number(self.rows.present as u64);
        t.number(self.tables.len() as u64);
        self.tables.iter().for_each(|table| table.absorb(&mut t));
        t.number(self.lookups.len() as u64);
        for lookup in &self.lookups {
            t.number(lookup.table as u64);
            lookup.tuple.iter().for_each(|l| l.absorb(&mut t));
        }
        t.number(self.derived.len() as u64);
        t.number(self.groupings.len() as u64);
        for grouping in &self.groupings {
            grouping.tuple.iter().for_each(|l| l.absorb(&mut t));
            grouping.groups.absorb(&mut t);
        }
        t.number(self.blocks.len() as u64);
        for block in &self.blocks {
            absorb_block(&mut t, block);
        }
        t.digest()
    }
}

fn absorb_block(t: &mut Transcript, block: &Block) {
    block.root.absorb(t);
    t.number(block.factors.len() as u64);
    block.factors.iter().for_each(|l| l.absorb(t));
    t.number(block.grouping.map_or(0, |g| g as u64 + 1));
    t.number(block.measures.len() as u64);
    for measure in &block.measures {
        match measure {
            Measure::Linear(l) => {
                t.number(1);
                l.absorb(t);
            }
            Measure::Product(l, r) => {
                t.number(2);
                l.absorb(t);
                r.absorb(t);
            }
        }
    }
}
