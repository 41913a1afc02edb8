//! The slots' denominators and reciprocals as the sumcheck takes them, and what it leaves of them at r.

use ark_ff::{Field, One, Zero};

use super::columns::Committing;
use crate::{
    CircuitError, Fr,
    equation::{Challenges, FACTORS, Fingerprint, Layout, Slot, Sums, invert},
    sumcheck::{Chi, Finished, Rows, ShortSlot, Tables, WideSlot},
};

/// X − fp of every entry of every table and grouping, and the reciprocals.
pub(super) struct Slots {
    /// By table.
    tables: Vec<[Vec<Fr>; 2]>,
    /// By grouping.
    groupings: Vec<[Vec<Fr>; 2]>,
    /// By slot: which table's or grouping's.
    which: Vec<Which>,
    /// By table slot: q and 1/q.
    slots: Vec<[Vec<Fr>; 2]>,
}

#[derive(Clone, Copy)]
enum Which {
    Table(usize),
    Grouping(usize),
}

impl Slots {
    pub(super) fn new(layout: &Layout<'_>, x: Fr, gamma: Fr) -> Result<Self, CircuitError> {
        let fingerprint = Fingerprint::new(gamma);
        let of = |fps: Vec<Fr>| -> Result<[Vec<Fr>; 2], CircuitError> {
            let q: Vec<Fr> = fps.into_iter().map(|fp| x - fp).collect();
            let mut e = q.clone();
            invert(&mut e)?;
            Ok([q, e])
        };
        let tables = (1..).zip(layout.tables());
        let groupings = layout.equation.groupings.iter().enumerate();
        let which = layout.slots.iter().map(|s| match *s {
            Slot::Lookup(i) => Which::Table(layout.equation.lookups[i].table),
            Slot::Limbs => Which::Table(layout.tables().len() - 1),
            Slot::Groups(g) => Which::Grouping(g),
        });
        Ok(Self {
            which: which.collect(),
            tables: tables
                .map(|(id, t)| of(fingerprint.of_table(t, id)))
                .collect::<Result<_, _>>()?,
            groupings: groupings
                .map(|(g, d)| of(fingerprint.of_table(&d.groups, layout.id(Slot::Groups(g)))))
                .collect::<Result<_, _>>()?,
            slots: layout
                .table_slots
                .iter()
                .map(|s| of(s.fingerprints(&fingerprint)))
                .collect::<Result<_, _>>()?,
        })
    }

    fn both(&self, slot: usize) -> &[Vec<Fr>; 2] {
        match self.which[slot] {
            Which::Table(t) => &self.tables[t],
            Which::Grouping(g) => &self.groupings[g],
        }
    }

    /// e by key.
    pub(super) fn reciprocals(&self, slot: usize) -> &[Fr] {
        &self.both(slot)[1]
    }

    /// −m/q of a table slot, by row.
    pub(super) fn table_reciprocals(&self, table_slot: usize, multiplicities: &[u32]) -> Vec<Fr> {
        let reciprocals = self.slots[table_slot][1].iter().zip(multiplicities);
        reciprocals.map(|(e, m)| -(*e * Fr::from(*m))).collect()
    }

    /// The layout's slots as columns.
    pub(super) fn wide<'a>(
        &self,
        layout: &Layout<'_>,
        committing: &'a Committing<'a>,
        chi: &Chi,
    ) -> Vec<WideSlot<'a>> {
        let slots = layout.slots.iter().enumerate();
        slots
            .map(|(index, slot)| {
                let (keys, padding) = committing.keys(*slot);
                let [q, e] = self.both(index);
                WideSlot {
                    keys,
                    padding,
                    q: q.iter().map(|q| *q * chi.slots[index]).collect(),
                    e: e.clone(),
                }
            })
            .collect()
    }

    /// The columns that are short.
    pub(super) fn short(
        &self,
        layout: &Layout<'_>,
        committing: &Committing<'_>,
        chi: &Chi,
        sums: &Sums,
    ) -> Tables {
        let mut tables = Tables {
            slots: Vec::new(),
            pairs: Vec::new(),
        };
        for (t, weight) in chi.tables[..layout.table_slots.len()].iter().enumerate() {
            let m = &committing.multiplicities[t].0;
            let q = &self.slots[t][0];
            tables.slots.push(ShortSlot {
                weight: *weight,
                q: q.clone(),
                e: self.table_reciprocals(t, m),
                m: m.iter().map(|m| Fr::from(*m)).collect(),
                rest: q.last().copied().unwrap_or_default(),
            });
        }
        let limbs = committing.limbs.0.iter().map(|l| Fr::from(*l)).collect();
        tables
            .pairs
            .push([committing.hidden.0.clone(), sums.cells.clone()]);
        tables.pairs.push([limbs, sums.limbs.clone()]);
        tables
    }
}

/// What the columns are at r, in the circuit's order.
pub(super) fn evaluations(
    layout: &Layout<'_>,
    rows: &Rows<'_>,
    finished: &Finished,
    challenges: &Challenges,
    chi: &Chi,
) -> Result<Vec<Fr>, CircuitError> {
    let size = layout.class.size;
    let one = Fr::one();
    let first = |v: &[Fr]| v.first().copied().unwrap_or_default();
    let mut out = Vec::with_capacity(size.evaluations());
    let mut sum = Fr::zero();
    let columns = finished.row.chunks_exact(2).zip(&layout.slots);
    for ((pair, slot), weight) in columns.zip(&chi.slots) {
        let weight = weight.inverse().ok_or(CircuitError::Degenerate("χ is 0"))?;
        if !matches!(slot, Slot::Groups(_)) {
            sum += pair[1];
        }
        out.extend([pair[1], pair[0] * weight]);
    }
    out.resize(2 * size.slots(), one);
    for s in &finished.tables.slots {
        let q = s.q.first().copied().unwrap_or(s.rest);
        sum += first(&s.e);
        out.push(first(&s.e) * q + first(&s.m));
    }
    out.resize(2 * size.slots() + size.tables(), Fr::zero());
    for [values, weights] in &finished.tables.pairs {
        sum += first(values) * first(weights);
    }
    out.push(sum);
    for index in 0..size.blocks() {
        let from = out.len();
        if index < layout.equation.blocks.len() {
            block(layout, rows, finished, challenges, chi, index, &mut out)?;
        } else {
            out.resize(from + 2 + FACTORS, one);
        }
        out.resize(from + size.block_evaluations(), Fr::zero());
    }
    Ok(out)
}

/// A block's columns with their scales taken out.
fn block(
    layout: &Layout<'_>,
    rows: &Rows<'_>,
    finished: &Finished,
    challenges: &Challenges,
    chi: &Chi,
    index: usize,
    out: &mut Vec<Fr>,
) -> Result<(), CircuitError> {
    let description = &layout.equation.blocks[index];
    let shape = &rows.shape.blocks[index];
    let kappa = chi.blocks[index];
    let inverse = kappa.inverse().ok_or(CircuitError::Degenerate("χ is 0"))?;
    let row = &finished.row;
    // w is stored times 1/κ, and times e_G where that is a constant.
    let (e, scale) = match shape.grouping {
        Some(slot) => (row[2 * slot + 1], kappa),
        None => {
            let q = layout.group_denominators(index, challenges)[0];
            let mut e = [q];
            invert(&mut e)?;
            (e[0], kappa * q)
        }
    };
    let root = row[shape.root] * inverse;
    out.extend([e, root]);
    let mut factors = [Fr::one(); FACTORS];
    if shape.factors.is_empty() && !description.factors.is_empty() {
        factors[0] = root;
    }
    for (k, (factor, column)) in factors.iter_mut().zip(&shape.factors).enumerate() {
        *factor = row[*column] * if k == 0 { -inverse } else { Fr::one() };
    }
    out.extend(factors);
    out.push(row[shape.single] * scale);
    for (left, right) in &shape.pairs {
        out.extend([row[*left], row[*right] * scale]);
    }
    Ok(())
}
