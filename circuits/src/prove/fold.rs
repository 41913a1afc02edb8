//! The one polynomial that is opened: all columns and chunks, weighted.

use std::collections::BTreeMap;

use ark_ff::Zero;
use rayon::prelude::*;

use super::{Task, columns::Committing, powers_of, rows::Slots};
use crate::{
    CircuitError, Fr,
    equation::{Affine, Committed, Derived, Layout, Slot},
    multilinear::eq_table,
};

/// Rows that one task takes at once.
const BATCH: usize = 1 << 8;

/// The weight of each committed column, of the mask, and what is known without any: Σ ρ^k λ_{k,c}, ρ^K and
/// Σ ρ^k κ_k.
pub(crate) struct Folded {
    pub columns: BTreeMap<Committed, Fr>,
    pub mask: Fr,
    pub constant: Fr,
}

impl Folded {
    pub(crate) fn new(evaluations: &[Affine], rho: Fr) -> Self {
        let powers = powers_of(rho, evaluations.len() + 1);
        let mut columns: BTreeMap<Committed, Fr> = BTreeMap::new();
        let mut constant = Fr::zero();
        for (evaluation, power) in evaluations.iter().zip(&powers) {
            constant += evaluation.constant * power;
            for (column, coefficient) in &evaluation.terms {
                *columns.entry(*column).or_insert_with(Fr::zero) += *coefficient * power;
            }
        }
        Self {
            columns,
            mask: powers[evaluations.len()],
            constant,
        }
    }

    fn weight(&self, column: Committed) -> Fr {
        self.columns.get(&column).copied().unwrap_or_default()
    }

    /// The coefficients of f without the mask: the rows', and the blinder's at n.
    pub(super) fn combine(
        &self,
        task: &Task<'_>,
        layout: &Layout<'_>,
        committing: &Committing<'_>,
        slots: &Slots,
        r: &[Fr],
    ) -> Result<Vec<Fr>, CircuitError> {
        let rows = &layout.equation.rows;
        let (n, chunks) = (rows.chunk(), rows.chunks());
        let high = eq_table(&r[rows.chunk_bits as usize..]);
        let tables = self.tables(task, layout, committing, slots);
        let mut f = vec![Fr::zero(); n + 1];
        f[..n]
            .par_iter_mut()
            .enumerate()
            .with_min_len(BATCH)
            .for_each(|(j, f)| {
                for (chunk, weight) in high[..chunks].iter().enumerate() {
                    let row = chunk * n + j;
                    let sum: Fr = tables.iter().map(|t| t.at(row)).sum();
                    *f += *weight * sum;
                }
            });
        let mut short = |column, values: &[Fr]| {
            let weight = self.weight(column);
            for (i, value) in values.iter().enumerate() {
                f[i % n] += weight * high[i / n] * value;
            }
        };
        let numbers = |v: &[u32]| -> Vec<Fr> { v.iter().map(|x| Fr::from(*x)).collect() };
        for t in 0..layout.table_slots.len() {
            let m = &committing.multiplicities[t].0;
            short(Committed::Multiplicity(t), &numbers(m));
            short(Committed::Entries(t), &slots.table_reciprocals(t, m));
        }
        short(Committed::Cells, &committing.hidden.0);
        short(Committed::Limbs, &numbers(&committing.limbs.0));
        // The limbs' chunks are not the dataset's.
        if let Some(slot) = layout.slots.iter().position(|s| *s == Slot::Limbs) {
            let (keys, padding) = committing.keys(Slot::Limbs);
            let by_key = slots.reciprocals(slot);
            let key = |row: usize| keys.get(row).copied().unwrap_or(padding);
            let rows = 0..layout.slot_rows(Slot::Limbs);
            let e: Vec<Fr> = rows.map(|row| by_key[key(row) as usize]).collect();
            short(Committed::Reciprocal(slot), &e);
        }
        for (column, weight) in &self.columns {
            let blindings = match column {
                Committed::Base(i) => Some(task.bases[i].blindings),
                other => committing.blindings.get(other).map(Vec::as_slice),
            };
            let blindings =
                blindings.ok_or(CircuitError::Malformed("a column without blinders"))?;
            for (blinding, high) in blindings.iter().zip(&high) {
                f[n] += *weight * high * blinding.expose();
            }
        }
        Ok(f)
    }

    /// What every row of the dataset's chunks adds: a table for each key and each base column.
    fn tables<'a>(
        &self,
        task: &'a Task<'a>,
        layout: &Layout<'_>,
        committing: &'a Committing<'a>,
        slots: &Slots,
    ) -> Vec<Looked<'a>> {
        let equation = layout.equation;
        let mut out = Vec::new();
        for (index, slot) in layout.slots.iter().enumerate() {
            if *slot == Slot::Limbs {
                continue;
            }
            let (keys, padding) = committing.keys(*slot);
            let weight = self.weight(Committed::Reciprocal(index));
            let mut table: Vec<Fr> = slots
                .reciprocals(index)
                .iter()
                .map(|e| *e * weight)
                .collect();
            if let Slot::Lookup(lookup) = *slot {
                self.add_outputs(layout, lookup, &mut table);
            }
            out.push(Looked::Keys {
                keys,
                padding: table[padding as usize],
                table,
            });
        }
        for (column, weight) in &self.columns {
            match *column {
                Committed::Base(i) => out.push(Looked::values(task.bases[&i].values, *weight)),
                Committed::Derived(d) => {
                    if let Derived::Root { .. } = equation.derived[d] {
                        out.push(Looked::values(&task.execution.derived[d], *weight));
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// A lookup's outputs are functions of its key too.
    fn add_outputs(&self, layout: &Layout<'_>, index: usize, table: &mut [Fr]) {
        let equation = layout.equation;
        for (d, derived) in equation.derived.iter().enumerate() {
            if let Derived::Output { lookup, component } = *derived
                && lookup == index
            {
                let weight = self.weight(Committed::Derived(d));
                let entries = equation.tables[equation.lookups[index].table].entries();
                for (value, entry) in table.iter_mut().zip(entries) {
                    *value += weight * Fr::from(entry[component]);
                }
            }
        }
    }
}

/// A column or several, as a function of small values.
enum Looked<'a> {
    Keys {
        keys: &'a [u32],
        padding: Fr,
        table: Vec<Fr>,
    },
    Values {
        values: &'a [u16],
        table: Vec<Fr>,
    },
}

impl<'a> Looked<'a> {
    fn values(values: &'a [u16], weight: Fr) -> Self {
        let most = values.iter().copied().max().map_or(0, usize::from);
        let steps = std::iter::successors(Some(Fr::zero()), |v| Some(*v + weight));
        Self::Values {
            values,
            table: steps.take(most + 1).collect(),
        }
    }

    fn at(&self, row: usize) -> Fr {
        match self {
            Self::Keys {
                keys,
                padding,
                table,
            } => keys.get(row).map_or(*padding, |k| table[*k as usize]),
            Self::Values { values, table } => values
                .get(row)
                .map_or(Fr::zero(), |v| table[usize::from(*v)]),
        }
    }
}
