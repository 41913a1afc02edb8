//! Public tables, as runs of entries: what a lookup's tuple may be.

use ark_ff::Zero;

use crate::{Fr, hash::Transcript, multilinear::Prefix};

/// Consecutive entries (first + i, second, third) for i < length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Entries.
    pub length: usize,
    /// The first component of the first of them; it grows by one from entry to entry.
    pub first: u64,
    /// The second component of all.
    pub second: u64,
    /// The third component of all.
    pub third: u64,
}

impl Run {
    /// The components of entry `i` of the run.
    #[must_use]
    pub fn entry(&self, i: usize) -> [u64; 3] {
        [self.first + i as u64, self.second, self.third]
    }
}

/// A public table: its entries in order. Entry t is the one that a lookup's key t names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    runs: Vec<Run>,
    length: usize,
}

impl Table {
    /// Of these runs; empty ones are left out.
    #[must_use]
    pub fn new(runs: impl IntoIterator<Item = Run>) -> Self {
        let runs: Vec<Run> = runs.into_iter().filter(|r| r.length > 0).collect();
        let length = runs.iter().map(|r| r.length).sum();
        Self { runs, length }
    }

    /// (v) for v < `length`.
    #[must_use]
    pub fn range(length: usize) -> Self {
        Self::new([Run {
            length,
            first: 0,
            second: 0,
            third: 0,
        }])
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The runs in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = [u64; 3]> + '_ {
        self.runs
            .iter()
            .flat_map(|r| (0..r.length).map(|i| r.entry(i)))
    }

    pub(super) fn absorb(&self, t: &mut Transcript) {
        t.number(self.runs.len() as u64);
        for run in &self.runs {
            t.number(run.length as u64)
                .number(run.first)
                .number(run.second)
                .number(run.third);
        }
    }
}

/// γ-weights of a fingerprint fp = c₁ + γc₂ + γ²c₃ + γ³·id.
#[derive(Debug, Clone, Copy)]
pub struct Fingerprint {
    /// γ, γ², γ³.
    pub powers: [Fr; 3],
}

impl Fingerprint {
    /// For the challenge γ.
    #[must_use]
    pub fn new(gamma: Fr) -> Self {
        let square = gamma * gamma;
        Self {
            powers: [gamma, square, square * gamma],
        }
    }

    /// The fingerprint of an entry of table `id`.
    #[must_use]
    pub fn of(&self, entry: [u64; 3], id: u64) -> Fr {
        Fr::from(entry[0])
            + self.powers[0] * Fr::from(entry[1])
            + self.powers[1] * Fr::from(entry[2])
            + self.powers[2] * Fr::from(id)
    }

    /// The fingerprints of all entries of a table, in order.
    #[must_use]
    pub fn of_table(&self, table: &Table, id: u64) -> Vec<Fr> {
        let mut out = Vec::with_capacity(table.len());
        for run in table.runs() {
            let mut fp = self.of(run.entry(0), id);
            for _ in 0..run.length {
                out.push(fp);
                fp += Fr::from(1u64);
            }
        }
        out
    }
}

/// A run of a table with the table's id, as it lies in a table slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Which table's.
    pub id: u64,
    /// The entries.
    pub run: Run,
}

/// One slot of table entries, along the rows from row 0; beyond its length it repeats its last entry, so that
/// it never holds a tuple that no table has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableSlot {
    /// The segments in order.
    pub segments: Vec<Segment>,
    /// Entries in all.
    pub length: usize,
}

impl TableSlot {
    /// The multilinear extension of the slot's fingerprints at r, in O(segments·|r|).
    #[must_use]
    pub fn evaluate(&self, fingerprint: &Fingerprint, prefix: &Prefix<'_>) -> Fr {
        let (mut sum, mut weight, mut row) = (Fr::zero(), Fr::zero(), 0);
        let mut last = Fr::zero();
        for Segment { id, run } in &self.segments {
            let (all, moment) = prefix.between(row, row + run.length);
            // Entry i of the run stands at row `row + i` and is its first entry plus i.
            let first = fingerprint.of(run.entry(0), *id);
            sum += (first - Fr::from(row as u64)) * all + moment;
            weight += all;
            last = fingerprint.of(run.entry(run.length - 1), *id);
            row += run.length;
        }
        sum + last * (Fr::from(1u64) - weight)
    }

    /// The fingerprints in row order.
    #[must_use]
    pub fn fingerprints(&self, fingerprint: &Fingerprint) -> Vec<Fr> {
        self.segments
            .iter()
            .flat_map(|s| fingerprint.of_table(&Table::new([s.run]), s.id))
            .collect()
    }
}

/// Lays tables end to end into slots of at most `rows` entries; ids count from 1.
#[must_use]
pub fn lay_out<'a>(tables: impl IntoIterator<Item = &'a Table>, rows: usize) -> Vec<TableSlot> {
    let mut slots: Vec<TableSlot> = Vec::new();
    for (id, table) in (1..).zip(tables) {
        for run in table.runs() {
            let mut rest = *run;
            while rest.length > 0 {
                if slots.last().is_none_or(|s| s.length == rows) {
                    slots.push(TableSlot::default());
                }
                let slot = slots.last_mut().expect("pushed above");
                let taken = rest.length.min(rows - slot.length);
                slot.length += taken;
                let run = Run {
                    length: taken,
                    ..rest
                };
                slot.segments.push(Segment { id, run });
                rest.length -= taken;
                rest.first += taken as u64;
            }
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;

    use super::*;
    use crate::multilinear::eq_table;

    #[test]
    fn a_slot_evaluates_as_its_rows_do() {
        let mut rng = ark_std::test_rng();
        let run = |length, first, second, third| Run {
            length,
            first,
            second,
            third,
        };
        let tables = [
            Table::new([run(1, 0, 0, 0), run(5, 0, 1, 0), run(3, 5, 1, 1)]),
            Table::range(6),
        ];
        let fingerprint = Fingerprint::new(Fr::rand(&mut rng));
        let slots = lay_out(&tables, 8);
        assert_eq!(slots.iter().map(|s| s.length).collect::<Vec<_>>(), [8, 7]);
        let r: Vec<Fr> = (0..4).map(|_| Fr::rand(&mut rng)).collect();
        let eq = eq_table(&r);
        let mut all = Vec::new();
        for slot in &slots {
            let mut rows = slot.fingerprints(&fingerprint);
            all.extend(rows.clone());
            rows.resize(16, rows[rows.len() - 1]);
            let sum: Fr = rows.iter().zip(&eq).map(|(v, e)| *v * e).sum();
            assert_eq!(sum, slot.evaluate(&fingerprint, &Prefix::new(&r)));
        }
        let expected: Vec<Fr> = (1..)
            .zip(&tables)
            .flat_map(|(id, t)| fingerprint.of_table(t, id))
            .collect();
        assert_eq!(all, expected);
    }
}
