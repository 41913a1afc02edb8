//! One chunk of a plan: computing every column, then proving what the index does not hold.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::Zero;
use galen_circuits::{
    Fr, G1,
    column::Column,
    encoding,
    gates::Gate,
    hash::ChallengeInput,
    prove::{self, Proof},
};
use galen_params::ParameterStore;
use galen_query::hash::Fields;
use galen_verifier::plan::{ColumnId, Linear, Purpose, Slot, Step};
use rayon::prelude::*;

use super::ProveReport;
use crate::{
    ProverError,
    dataset::{BaseChunk, CommittedDataset, Entry},
};

/// Separator of the digest of a step's inputs, in the hospital's own index only.
const INPUTS: &str = "galen/v1/index-inputs";

/// A step's result in one chunk.
pub(super) struct Proven {
    pub entry: Entry,
    /// Proven now rather than taken from the index.
    pub fresh: bool,
}

pub(super) struct ChunkProver<'a> {
    dataset: &'a CommittedDataset,
    params: &'a ParameterStore,
    steps: &'a [Step],
    chunk: usize,
    rows: usize,
    bases: BTreeMap<usize, Column>,
    present: Column,
    ones: Column,
    /// The columns that steps make, where something needs their values.
    outputs: Vec<Option<Column>>,
    kept: Vec<Option<Entry>>,
}

impl<'a> ChunkProver<'a> {
    /// Loads the chunk and computes the output columns.
    pub(super) fn new(
        dataset: &'a CommittedDataset,
        params: &'a ParameterStore,
        steps: &'a [Step],
        chunk: usize,
    ) -> Result<Self, ProverError> {
        let rows = dataset.dataset().shape.rows();
        let kept = kept_entries(dataset, steps, chunk);
        let needed = needed_outputs(steps, &kept);
        let wanted = wanted_bases(steps, &kept, &needed);
        let stored = dataset.base_chunk(chunk, &wanted)?;
        let srs = params.srs();
        let mut prover = Self {
            dataset,
            params,
            steps,
            chunk,
            rows,
            bases: wanted
                .par_iter()
                .map(|i| (*i, stored.column(*i, rows)))
                .collect(),
            present: Column::present(&srs.verifying, dataset.dataset().rows_in_chunk(chunk))?,
            ones: Column::constant(&srs.verifying, Fr::from(1u64)),
            outputs: Vec::new(),
            kept,
        };
        for (i, step) in steps.iter().enumerate() {
            let output = if needed.contains(&i) {
                Some(prover.compute(step, i, &stored)?)
            } else {
                None
            };
            prover.outputs.push(output);
        }
        Ok(prover)
    }

    /// The column that step `index` made.
    pub(super) fn output(&self, index: usize) -> &Column {
        self.outputs[index]
            .as_ref()
            .expect("computed, since something needs it")
    }

    /// Proves what is missing, all cores at once, and returns every step's entry in order. `finished`
    /// is called once for each.
    pub(super) fn run(
        &self,
        report: &mut ProveReport,
        finished: &(dyn Fn() + Sync),
    ) -> Result<Vec<Proven>, ProverError> {
        let proven: Vec<Proven> = self
            .steps
            .par_iter()
            .enumerate()
            .map(|(i, step)| match &self.kept[i] {
                Some(entry) => Ok(Proven {
                    entry: entry.clone(),
                    fresh: false,
                }),
                None => self
                    .prove(step, i)
                    .map(|entry| Proven { entry, fresh: true }),
            })
            .inspect(|_| finished())
            .collect::<Result<_, ProverError>>()?;
        report.proven += proven.iter().filter(|p| p.fresh).count();
        report.reused += proven.iter().filter(|p| !p.fresh).count();
        Ok(proven)
    }

    /// Proves a step, with what the index needs to know of it.
    fn prove(&self, step: &Step, index: usize) -> Result<Entry, ProverError> {
        let inputs = inputs_digest(step, |id| Some(self.column(id).commitment()));
        let output = step.has_output().then(|| self.output(index));
        Ok(Entry {
            proof: self.prove_step(step, index)?,
            inputs: inputs.expect("every column is there"),
            output: output.map(|c| (c.blinding(), c.commitment())),
        })
    }

    fn column(&self, id: ColumnId) -> &Column {
        match id {
            ColumnId::One => &self.ones,
            ColumnId::Present => &self.present,
            ColumnId::Base(i) => &self.bases[&i],
            ColumnId::Output(i) => self.output(i),
        }
    }

    fn combination(&self, linear: &Linear) -> Result<Column, ProverError> {
        let terms: Vec<(Fr, &Column)> =
            linear.terms().map(|(id, c)| (c, self.column(id))).collect();
        Ok(Column::combination(self.rows, &terms)?)
    }

    fn slots(&self, step: &Step, index: usize) -> Result<Vec<Column>, ProverError> {
        step.slots
            .iter()
            .map(|slot| match slot {
                Slot::Given(linear) => self.combination(linear),
                Slot::Output => Ok(self.output(index).clone()),
            })
            .collect()
    }

    /// The step's new column: its values by the gate's rule, committed afresh or as the index has it.
    fn compute(
        &self,
        step: &Step,
        index: usize,
        stored: &BaseChunk,
    ) -> Result<Column, ProverError> {
        let values = match step.gate {
            Gate::Recode { .. } => self.recode_values(step, stored),
            _ => {
                let given: Vec<Column> = step
                    .slots
                    .iter()
                    .filter_map(|s| match s {
                        Slot::Given(l) => Some(self.combination(l)),
                        Slot::Output => None,
                    })
                    .collect::<Result<_, _>>()?;
                let k = Fr::from(step.k);
                let gate = step.gate;
                given[0]
                    .values()
                    .par_iter()
                    .zip(given[1].values())
                    .map(|(x, y)| match gate {
                        Gate::Select if *x == k => *y,
                        Gate::Select => Fr::zero(),
                        _ => *x * y,
                    })
                    .collect()
            }
        };
        match self.kept[index].as_ref().and_then(|e| e.output) {
            Some((blinding, commitment)) => Ok(Column::from_parts(values, blinding, commitment)),
            None => Ok(Column::commit(&self.params.srs(), values)?),
        }
    }

    /// Membership by table; rows of padding hold 0.
    fn recode_values(&self, step: &Step, stored: &BaseChunk) -> Vec<Fr> {
        let base = base_of(step).expect("a recode step reads one base column");
        let values = &stored.values(base).values;
        let member = |v: u16| Fr::from(step.set.contains(u64::from(v)));
        let table: Vec<Fr> = (0..=values.iter().copied().max().unwrap_or(0))
            .map(member)
            .collect();
        let mut out: Vec<Fr> = values.iter().map(|v| table[usize::from(*v)]).collect();
        out.resize(self.rows, member(0));
        out
    }

    fn prove_step(&self, step: &Step, index: usize) -> Result<Proof, ProverError> {
        let key = self.params.proving_key(step.gate)?;
        let ctx = self.dataset.dataset().ctx();
        let slots = self.slots(step, index)?;
        let three = || [&slots[0], &slots[1], &slots[2]];
        Ok(match step.gate {
            Gate::Select => prove::select(&key, ctx, step.k, three())?,
            Gate::Multiply => prove::multiply(&key, ctx, three())?,
            Gate::Recode { .. } => {
                let set = self.params.verifying();
                let input = ChallengeInput {
                    parameter_set: set.id(),
                    gate: &step.gate.name(),
                    ctx,
                    chunk: self.chunk as u64,
                    set: step.set.intervals(),
                    x: slots[0].commitment(),
                    z: slots[1].commitment(),
                };
                prove::recode(&key, &input, [&slots[0], &slots[1]])?
            }
            Gate::Release | Gate::Compare => unreachable!("these are about totals"),
        })
    }
}

/// The index's entry for each step, where it is about the very columns that the step reads now. A step
/// whose input is to be proven again is to be proven again itself.
fn kept_entries(dataset: &CommittedDataset, steps: &[Step], chunk: usize) -> Vec<Option<Entry>> {
    let index = dataset.index();
    let mut kept: Vec<Option<Entry>> = Vec::with_capacity(steps.len());
    for step in steps {
        let commitment = |id| match id {
            ColumnId::Base(i) => Some(dataset.dataset().commitments[i][chunk]),
            ColumnId::Output(i) => kept[i].as_ref()?.output.as_ref().map(|(_, c)| *c),
            ColumnId::One | ColumnId::Present => None,
        };
        let entry = (step.purpose != Purpose::Root)
            .then(|| inputs_digest(step, commitment))
            .flatten()
            .and_then(|inputs| index.get(&step.key, chunk, &inputs))
            .filter(|e| e.output.is_some() == step.has_output());
        kept.push(entry);
    }
    kept
}

/// A digest of the commitments that a step reads, or `None` while one of them is not there.
fn inputs_digest(step: &Step, commitment: impl Fn(ColumnId) -> Option<G1>) -> Option<[u8; 32]> {
    let mut fields = Fields::new(INPUTS);
    for id in inputs(step).filter(|id| !matches!(id, ColumnId::One | ColumnId::Present)) {
        fields = fields.bytes(&encoding::g1_bytes(&commitment(id)?));
    }
    Some(fields.digest())
}

/// The base column that a recode step reads.
fn base_of(step: &Step) -> Option<usize> {
    match step.slots.first() {
        Some(Slot::Given(linear)) => linear.terms().find_map(|(id, _)| match id {
            ColumnId::Base(i) => Some(i),
            _ => None,
        }),
        _ => None,
    }
}

fn inputs(step: &Step) -> impl Iterator<Item = ColumnId> + '_ {
    step.slots.iter().flat_map(|slot| match slot {
        Slot::Given(linear) => linear.terms().map(|(id, _)| id).collect::<Vec<_>>(),
        Slot::Output => Vec::new(),
    })
}

/// Outputs whose values are needed: of steps to be proven, and of all that they use, transitively.
fn needed_outputs(steps: &[Step], kept: &[Option<Entry>]) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    for (i, step) in steps.iter().enumerate().rev() {
        let to_prove = kept[i].is_none();
        if to_prove && step.has_output() {
            needed.insert(i);
        }
        if to_prove || needed.contains(&i) {
            needed.extend(inputs(step).filter_map(|id| match id {
                ColumnId::Output(o) => Some(o),
                _ => None,
            }));
        }
    }
    needed
}

fn wanted_bases(steps: &[Step], kept: &[Option<Entry>], needed: &BTreeSet<usize>) -> Vec<usize> {
    let bases: BTreeSet<usize> = steps
        .iter()
        .enumerate()
        .filter(|(i, _)| kept[*i].is_none() || needed.contains(i))
        .flat_map(|(_, step)| inputs(step))
        .filter_map(|id| match id {
            ColumnId::Base(i) => Some(i),
            _ => None,
        })
        .collect();
    bases.into_iter().collect()
}
