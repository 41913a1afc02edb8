//! The committed columns of one attempt, with their blinders.

use std::{collections::BTreeMap, sync::Arc};

use ark_std::rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Task, rows::Slots};
use crate::{
    CircuitError, Fr, G1,
    commitment::{self, Blinding, SumsByValue},
    equation::{Column, Committed, Derived, LIMB_BITS, Layout, Linear, Slot, signed},
    transcript::Chunks,
};

/// Short columns' values, and the blinders of all that were committed so far.
pub(super) struct Committing<'a> {
    task: &'a Task<'a>,
    layout: &'a Layout<'a>,
    /// m of each table slot.
    pub multiplicities: Vec<Secret<u32>>,
    /// T.
    pub hidden: Secret<Fr>,
    /// The limbs, row by row.
    pub limbs: Secret<u32>,
    pub blindings: BTreeMap<Committed, Vec<Blinding>>,
    /// For each slot with keys its sums, chunk by chunk.
    sums: BTreeMap<usize, Vec<Arc<SumsByValue>>>,
}

/// Values that are overwritten when dropped.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub(super) struct Secret<T: Zeroize>(pub Vec<T>);

impl<'a> Committing<'a> {
    pub(super) fn new(task: &'a Task<'a>, layout: &'a Layout<'a>) -> Result<Self, CircuitError> {
        let hidden: Vec<i128> = layout
            .hidden
            .iter()
            .map(|cell| task.execution.cells[*cell])
            .collect();
        let mut it = Self {
            task,
            layout,
            multiplicities: Vec::new(),
            limbs: Secret(limbs(layout, &hidden)?),
            hidden: Secret(hidden.into_iter().map(signed).collect()),
            blindings: BTreeMap::new(),
            sums: BTreeMap::new(),
        };
        it.multiplicities = it.count();
        it.sums = it.sum()?;
        Ok(it)
    }

    /// Keys of a slot's rows that hold a patient (fewer where the rest are padding), and that of padding.
    pub(super) fn keys(&self, slot: Slot) -> (&[u32], u32) {
        let (keys, key): (&[u32], Option<&Linear>) = match slot {
            Slot::Lookup(i) => {
                let key = &self.layout.equation.lookups[i].key;
                (&self.task.execution.keys[i], Some(key))
            }
            Slot::Groups(g) => {
                let key = &self.layout.equation.groupings[g].key;
                (&self.task.execution.groups[g], Some(key))
            }
            Slot::Limbs => (&self.limbs.0, None),
        };
        let padding = key.map_or(0, Linear::at_zero);
        (keys, u32::try_from(padding).expect("checked when executed"))
    }

    /// How often every entry is looked up, in all 2^L rows of each slot.
    fn count(&self) -> Vec<Secret<u32>> {
        let tables = self.layout.tables();
        let mut counts: Vec<Vec<u32>> = tables.iter().map(|t| vec![0; t.len()]).collect();
        let all = self.layout.equation.rows.all();
        for slot in &self.layout.slots {
            let table = match slot {
                Slot::Lookup(i) => self.layout.equation.lookups[*i].table,
                Slot::Limbs => tables.len() - 1,
                Slot::Groups(_) => continue,
            };
            let (keys, padding) = self.keys(*slot);
            for key in keys {
                counts[table][*key as usize] += 1;
            }
            let rest = u32::try_from(all - keys.len()).expect("at most 2^24 rows");
            counts[table][padding as usize] += rest;
        }
        let mut all = counts.concat().into_iter();
        let slots = self.layout.table_slots.iter();
        slots
            .map(|s| Secret(all.by_ref().take(s.length).collect()))
            .collect()
    }

    fn sum(&self) -> Result<BTreeMap<usize, Vec<Arc<SumsByValue>>>, CircuitError> {
        let chunks = |slot| self.layout.chunks(Committed::Reciprocal(slot));
        let jobs: Vec<(usize, usize)> = (0..self.layout.slots.len())
            .flat_map(|slot| (0..chunks(slot)).map(move |chunk| (slot, chunk)))
            .collect();
        let all: Vec<Arc<SumsByValue>> = jobs
            .par_iter()
            .map(|(slot, chunk)| self.sums_of(self.layout.slots[*slot], *chunk))
            .collect::<Result<_, _>>()?;
        let mut sums: BTreeMap<usize, Vec<Arc<SumsByValue>>> = BTreeMap::new();
        for ((slot, _), one) in jobs.into_iter().zip(all) {
            sums.entry(slot).or_default().push(one);
        }
        Ok(sums)
    }

    fn sums_of(&self, slot: Slot, chunk: usize) -> Result<Arc<SumsByValue>, CircuitError> {
        let equation = self.layout.equation;
        let n = equation.rows.chunk();
        let (keys, padding) = self.keys(slot);
        let (length, key) = match slot {
            Slot::Lookup(i) => {
                let lookup = &equation.lookups[i];
                (equation.tables[lookup.table].len(), Some(&lookup.key))
            }
            Slot::Groups(g) => {
                let grouping = &equation.groupings[g];
                (grouping.groups.len(), Some(&grouping.key))
            }
            Slot::Limbs => (1 << LIMB_BITS, None),
        };
        let own = keys.get(chunk * n..).unwrap_or_default();
        let own = &own[..own.len().min(n)];
        let make = || {
            if padding == 0 {
                return SumsByValue::of(self.task.srs, own, length);
            }
            let mut padded = own.to_vec();
            padded.resize(n, padding);
            SumsByValue::of(self.task.srs, &padded, length)
        };
        match key {
            Some(key) if is_of_the_dataset(key) => self.task.store.sums(key, length, chunk, &make),
            _ => make().map(Arc::new),
        }
    }

    /// Commits the columns that are fixed before X.
    pub(super) fn first(
        &mut self,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Chunks>, CircuitError> {
        let columns = self.layout.first_columns();
        self.commit(&columns, rng, |it, column, chunk, blinding| {
            it.commit_first(column, chunk, blinding)
        })
    }

    /// Commits the reciprocals.
    pub(super) fn second(
        &mut self,
        slots: &Slots,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Chunks>, CircuitError> {
        let columns = self.layout.second_columns();
        self.commit(&columns, rng, |it, column, chunk, blinding| match column {
            Committed::Entries(t) => {
                let values = slots.table_reciprocals(t, &it.multiplicities[t].0);
                commitment::commit(it.task.srs, it.own(&values, chunk), blinding)
            }
            Committed::Reciprocal(index) => {
                let values = slots.reciprocals(index);
                it.sums[&index][chunk].combine(it.task.srs, values, blinding)
            }
            _ => Err(CircuitError::Malformed("not committed after X")),
        })
    }

    fn commit(
        &mut self,
        columns: &[Committed],
        rng: &mut (impl RngCore + CryptoRng),
        one: impl Fn(&Self, Committed, usize, &Blinding) -> Result<G1, CircuitError> + Sync,
    ) -> Result<Vec<Chunks>, CircuitError> {
        let jobs: Vec<(Committed, usize)> = columns
            .iter()
            .flat_map(|c| (0..self.layout.chunks(*c)).map(move |chunk| (*c, chunk)))
            .collect();
        let this = &*self;
        let blindings: Vec<Blinding> = jobs.iter().map(|_| Blinding::random(rng)).collect();
        let made: Vec<G1> = jobs
            .par_iter()
            .zip(&blindings)
            .map(|((column, chunk), blinding)| one(this, *column, *chunk, blinding))
            .collect::<Result<_, CircuitError>>()?;
        let mut out: BTreeMap<Committed, Chunks> =
            columns.iter().map(|c| (*c, Vec::new())).collect();
        for ((column, _), (point, blinding)) in
            jobs.into_iter().zip(made.into_iter().zip(blindings))
        {
            out.entry(column).or_default().push(point);
            self.blindings.entry(column).or_default().push(blinding);
        }
        Ok(columns
            .iter()
            .map(|c| out.remove(c).unwrap_or_default())
            .collect())
    }

    fn commit_first(
        &self,
        column: Committed,
        chunk: usize,
        blinding: &Blinding,
    ) -> Result<G1, CircuitError> {
        let srs = self.task.srs;
        match column {
            Committed::Derived(d) => match self.layout.equation.derived[d] {
                Derived::Output { lookup, component } => {
                    self.commit_output(lookup, component, chunk, blinding)
                }
                Derived::Root { .. } => {
                    let values = self.own(&self.task.execution.derived[d], chunk);
                    let bits: Vec<bool> = values.iter().map(|v| *v == 1).collect();
                    commitment::commit_bits(srs, &bits, blinding)
                }
            },
            Committed::Multiplicity(t) => commitment::commit_numbers(
                srs,
                self.own(&self.multiplicities[t].0, chunk),
                blinding,
            ),
            Committed::Cells => commitment::commit(srs, self.own(&self.hidden.0, chunk), blinding),
            Committed::Limbs => {
                commitment::commit_numbers(srs, self.own(&self.limbs.0, chunk), blinding)
            }
            Committed::Base(_) | Committed::Reciprocal(_) | Committed::Entries(_) => {
                Err(CircuitError::Malformed("not committed before X"))
            }
        }
    }

    /// A lookup's output is a function of its key.
    fn commit_output(
        &self,
        lookup: usize,
        component: usize,
        chunk: usize,
        blinding: &Blinding,
    ) -> Result<G1, CircuitError> {
        let table = &self.layout.equation.tables[self.layout.equation.lookups[lookup].table];
        let outputs: Vec<u64> = table.entries().map(|e| e[component]).collect();
        let sums = &self.sums[&lookup][chunk];
        if outputs.iter().all(|v| *v < 2) {
            let bits: Vec<bool> = outputs.iter().map(|v| *v == 1).collect();
            return sums.select(self.task.srs, &bits, blinding);
        }
        let scalars: Vec<Fr> = outputs.iter().map(|v| Fr::from(*v)).collect();
        sums.combine(self.task.srs, &scalars, blinding)
    }

    /// A column's values in a chunk.
    fn own<'v, T>(&self, values: &'v [T], chunk: usize) -> &'v [T] {
        let n = self.layout.equation.rows.chunk();
        let from = (chunk * n).min(values.len());
        &values[from..(from + n).min(values.len())]
    }
}

/// Whether a key depends on base columns alone, so that its sums serve other queries too.
fn is_of_the_dataset(key: &Linear) -> bool {
    key.at_zero() == 0 && key.terms().all(|(c, _)| matches!(c, Column::Base(_)))
}

/// The limbs of every inequality's value, lowest first.
fn limbs(layout: &Layout<'_>, hidden: &[i128]) -> Result<Vec<u32>, CircuitError> {
    let mut limbs = Vec::with_capacity(layout.length(Committed::Limbs));
    for inequality in layout.inequalities() {
        let terms = inequality.terms.iter();
        let sum: i128 = terms.map(|(cell, k)| i128::from(*k) * hidden[*cell]).sum();
        let value = u64::try_from(sum - i128::from(inequality.bound))
            .ok()
            .filter(|v| v >> (LIMB_BITS as usize * inequality.limbs) == 0)
            .ok_or_else(|| CircuitError::Unsatisfied("an inequality over hidden cells".into()))?;
        for limb in 0..inequality.limbs {
            let limb = value >> (LIMB_BITS as usize * limb) & ((1 << LIMB_BITS) - 1);
            limbs.push(u32::try_from(limb).expect("a limb has 8 bits"));
        }
    }
    Ok(limbs)
}
