//! Small datasets with their commitments, and statements over them. 2^10 rows in chunks of 2^8, so that a proof takes
//! tens of milliseconds; the dataset ends in its third chunk, so that the fourth is absent.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub mod cohort;
pub mod dense;
pub mod forge;
pub mod hidden;
pub mod random;
pub mod reference;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use ark_std::rand::{
    CryptoRng, Rng, RngCore, SeedableRng,
    rngs::{OsRng, StdRng},
};
use galen_circuits::{
    CircuitError, G1,
    batch::{self, BatchError, Claim},
    circuit,
    class::Class,
    commitment::{self, Blinding},
    equation::{Cells, Column, Equation, Inequality, Layout, Linear, Rows, Run, Table},
    execute::Execution,
    groth16::{self, Prepared, ProvingKey},
    proof::EquationProof,
    prove::{BaseColumn, NoStore, Task},
    srs::Srs,
};

/// 2^10 rows, 600 patients, three of four chunks.
pub const ROWS: Rows = Rows {
    row_bits: 10,
    chunk_bits: 8,
    present: 600,
};

/// A dataset: base columns with their blinders and commitments.
pub struct World {
    pub rows: Rows,
    pub srs: Arc<Srs>,
    pub values: Vec<Vec<u16>>,
    pub blindings: Vec<Vec<Blinding>>,
    pub commitments: Vec<Vec<G1>>,
}

impl World {
    /// Commits columns of `rows.present` values each.
    pub fn of(rows: Rows, values: Vec<Vec<u16>>) -> Self {
        Self::blinded(rows, values, Blinding::fresh)
    }

    /// With these blinders.
    pub fn blinded(
        rows: Rows,
        values: Vec<Vec<u16>>,
        mut blinder: impl FnMut() -> Blinding,
    ) -> Self {
        let srs = srs(rows.chunk_bits);
        let n = rows.chunk();
        let (mut blindings, mut commitments) = (Vec::new(), Vec::new());
        for column in &values {
            assert_eq!(column.len(), rows.present);
            let own: Vec<Blinding> = (0..rows.chunks()).map(|_| blinder()).collect();
            let points = column.chunks(n).zip(&own).map(|(chunk, blinding)| {
                let numbers: Vec<u32> = chunk.iter().map(|v| u32::from(*v)).collect();
                commitment::commit_numbers(&srs, &numbers, blinding).unwrap()
            });
            commitments.push(points.collect());
            blindings.push(own);
        }
        Self {
            rows,
            srs,
            values,
            blindings,
            commitments,
        }
    }

    /// Random columns, each of values below its domain.
    pub fn random(rows: Rows, domains: &[u16], seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut column = |d: &u16| (0..rows.present).map(|_| rng.gen_range(0..*d)).collect();
        Self::of(rows, domains.iter().map(&mut column).collect())
    }
}

/// What is proven, over which dataset, and for whom.
#[derive(Clone)]
pub struct Statement<'a> {
    pub world: &'a World,
    pub equation: Equation,
    pub cells: Cells,
    pub context: Vec<u8>,
}

impl<'a> Statement<'a> {
    /// All cells published.
    pub fn new(world: &'a World, equation: Equation) -> Self {
        let mut it = Self {
            world,
            equation,
            cells: Cells::default(),
            context: b"test".to_vec(),
        };
        let published = it.execution().cells.iter().map(|v| Some(*v)).collect();
        it.cells.published = published;
        it
    }

    /// The same with cells hidden, each between three below and five above its value.
    pub fn hiding(mut self, cells: &[usize]) -> Self {
        for cell in cells {
            let place = self.cells.published[..*cell].iter();
            let place = place.filter(|v| v.is_none()).count();
            assert_eq!(place, self.cells.hidden().len(), "ascending");
            let value = self.cells.published[*cell].take().unwrap();
            let value = i64::try_from(value).unwrap();
            for (factor, bound, limbs) in [(1, value - 3, 2), (-1, -value - 5, 1)] {
                self.cells.inequalities.push(Inequality {
                    terms: vec![(place, factor)],
                    bound,
                    limbs,
                });
            }
        }
        self
    }

    /// The same with its inequalities over and over, as many as have room in `rows` rows of limbs.
    pub fn repeating(mut self, rows: usize) -> Self {
        let all = self.cells.inequalities.clone();
        let mut free = rows - all.iter().map(|i| i.limbs).sum::<usize>();
        for inequality in all.iter().cycle() {
            if inequality.limbs > free {
                break;
            }
            free -= inequality.limbs;
            self.cells.inequalities.push(inequality.clone());
        }
        self
    }

    /// The row of an inequality's lowest limb.
    pub fn limb(&self, inequality: usize) -> usize {
        let before = &self.cells.inequalities[..inequality];
        before.iter().map(|i| i.limbs).sum()
    }

    pub fn bases(&self) -> BTreeMap<usize, BaseColumn<'a>> {
        let column = |i: usize| BaseColumn {
            values: &self.world.values[i],
            blindings: &self.world.blindings[i],
            commitments: &self.world.commitments[i],
        };
        let bases = self.equation.bases().into_iter();
        bases.map(|i| (i, column(i))).collect()
    }

    pub fn execution(&self) -> Execution {
        let bases = self.bases();
        let values = bases.iter().map(|(i, c)| (*i, c.values)).collect();
        Execution::new(&self.equation, &values).unwrap()
    }

    pub fn layout(&self) -> Layout<'_> {
        Layout::new(&self.equation, &self.cells).unwrap()
    }

    pub fn prove(&self) -> Result<EquationProof, CircuitError> {
        self.prove_with(&self.execution())
    }

    pub fn prove_with(&self, execution: &Execution) -> Result<EquationProof, CircuitError> {
        self.prove_from(execution, &mut OsRng)
    }

    /// With that randomness.
    pub fn prove_from(
        &self,
        execution: &Execution,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<EquationProof, CircuitError> {
        Task {
            srs: &self.world.srs,
            key: &keys(self.layout().class).0,
            context: &self.context,
            equation: &self.equation,
            execution,
            cells: &self.cells,
            bases: &self.bases(),
            store: &NoStore,
        }
        .prove_with(&|_| {}, rng)
    }

    pub fn verify(&self, proof: &EquationProof) -> Result<(), BatchError> {
        self.verify_with(proof, |_| {})
    }

    /// Verifies after `change` of what the verifier holds.
    pub fn verify_with(
        &self,
        proof: &EquationProof,
        change: impl FnOnce(&mut Claim<'_>),
    ) -> Result<(), BatchError> {
        let layout = self.layout();
        let keys = keys(layout.class);
        let srs = self.world.srs.verifying();
        let mut claim = Claim {
            key: &keys.1,
            srs: &srs,
            context: &self.context,
            layout: &layout,
            cells: &self.cells,
            bases: self.commitments(),
            proof,
        };
        change(&mut claim);
        batch::verify(&[claim])
    }

    /// The commitments of the base columns that are read.
    pub fn commitments(&self) -> Vec<&'a [G1]> {
        let bases = self.equation.bases().into_iter();
        bases
            .map(|i| self.world.commitments[i].as_slice())
            .collect()
    }
}

/// Keys of a class, made once in a process.
pub fn keys(class: Class) -> Arc<(ProvingKey, Prepared)> {
    static KNOWN: Mutex<BTreeMap<Class, Arc<(ProvingKey, Prepared)>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    let make = || {
        let matrices = (*circuit::matrices(class)).clone();
        let key = groth16::generate(matrices, &mut StdRng::seed_from_u64(1)).unwrap();
        let prepared = Prepared::new(key.verifying_key().clone());
        Arc::new((key, prepared))
    };
    Arc::clone(known.entry(class).or_insert_with(make))
}

/// A commitment string, made once in a process.
pub fn srs(log_rows: u32) -> Arc<Srs> {
    static KNOWN: Mutex<Option<HashMap<u32, Arc<Srs>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap();
    let make = || Arc::new(Srs::generate(log_rows, &mut StdRng::seed_from_u64(2)).unwrap());
    let known = known.get_or_insert_with(HashMap::new);
    Arc::clone(known.entry(log_rows).or_insert_with(make))
}

pub fn base(i: usize) -> Linear {
    Linear::column(Column::Base(i))
}

pub fn derived(i: usize) -> Linear {
    Linear::column(Column::Derived(i))
}

/// (first + i, second, third) for i < length, run by run.
pub fn table(runs: &[(usize, u64, u64, u64)]) -> Table {
    Table::new(runs.iter().map(|(length, first, second, third)| Run {
        length: *length,
        first: *first,
        second: *second,
        third: *third,
    }))
}

/// (t, [low ≤ t < high]) for t < length.
pub fn interval(low: u64, high: u64, length: u64) -> Table {
    let run = |from: u64, to: u64, bit| (usize::try_from(to - from).unwrap(), from, bit, 0);
    table(&[run(0, low, 0), run(low, high, 1), run(high, length, 0)])
}
