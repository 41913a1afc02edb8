//! The committed columns of the second prover, dense: 2^L values each, 0 in padding.

use std::collections::{BTreeMap, HashMap};

use ark_ff::{Field, One, Zero};
use galen_circuits::{
    Fr,
    equation::{Column, Committed, Fingerprint, LIMB_BITS, Layout, Linear, Slot},
    execute::Execution,
};

use super::super::Statement;

pub type Columns = BTreeMap<Committed, Vec<Fr>>;

pub fn number(value: i128) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// What an honest prover commits to before X.
pub fn honest(statement: &Statement<'_>, layout: &Layout<'_>, execution: &Execution) -> Columns {
    let small = |v: &[u16]| v.iter().map(|x| Fr::from(*x)).collect::<Vec<_>>();
    let mut columns = Columns::new();
    for base in statement.equation.bases() {
        columns.insert(Committed::Base(base), small(&statement.world.values[base]));
    }
    for (d, values) in execution.derived.iter().enumerate() {
        columns.insert(Committed::Derived(d), small(values));
    }
    let hidden = layout.hidden.iter().map(|c| execution.cells[*c]);
    let hidden: Vec<i128> = hidden.collect();
    let mut limbs = Vec::new();
    for inequality in layout.inequalities() {
        let terms = inequality.terms.iter();
        let sum: i128 = terms.map(|(c, k)| i128::from(*k) * hidden[*c]).sum();
        let value = sum - i128::from(inequality.bound);
        let limb = |i| number(value >> (LIMB_BITS as usize * i) & 255);
        limbs.extend((0..inequality.limbs).map(limb));
    }
    columns.insert(Committed::Cells, hidden.into_iter().map(number).collect());
    columns.insert(Committed::Limbs, limbs);
    for column in columns.values_mut() {
        column.resize(statement.equation.rows.all(), Fr::zero());
    }
    recount(layout, &mut columns);
    columns
}

/// Counts anew how often each entry is looked up; tuples that no table has are left out.
pub fn recount(layout: &Layout<'_>, columns: &mut Columns) {
    let rows = layout.equation.rows.all();
    let mut places: HashMap<(u64, [u64; 3]), (usize, usize)> = HashMap::new();
    for (slot, own) in layout.table_slots.iter().enumerate() {
        let mut row = 0;
        for segment in &own.segments {
            for i in 0..segment.run.length {
                places.insert((segment.id, segment.run.entry(i)), (slot, row));
                row += 1;
            }
        }
    }
    let mut counts = vec![vec![0u64; rows]; layout.table_slots.len()];
    for slot in &layout.slots {
        let Some((id, tuple)) = lookup(layout, *slot) else {
            continue;
        };
        let tuple = tuple.map(|l| dense(layout, columns, &l));
        let [first, second, third] = &tuple;
        for ((first, second), third) in first.iter().zip(second).zip(third) {
            let entry = [first, second, third].map(|value| small(*value));
            if let [Some(a), Some(b), Some(c)] = entry
                && let Some((slot, row)) = places.get(&(id, [a, b, c]))
            {
                counts[*slot][*row] += 1;
            }
        }
    }
    for (slot, counts) in counts.into_iter().enumerate() {
        let counts = counts.into_iter().map(Fr::from).collect();
        columns.insert(Committed::Multiplicity(slot), counts);
    }
}

fn small(value: Fr) -> Option<u64> {
    use ark_ff::PrimeField;
    let limbs = value.into_bigint().0;
    (limbs[1..] == [0; 3]).then_some(limbs[0])
}

/// A term that is not a [`Linear`]: a committed column by itself.
#[derive(Clone)]
pub enum Form {
    Linear(Linear),
    Column(Committed),
}

/// The id and the tuple of a slot that is looked up in a table.
fn lookup(layout: &Layout<'_>, slot: Slot) -> Option<(u64, [Form; 3])> {
    (!matches!(slot, Slot::Groups(_))).then(|| (id(layout, slot), tuple(layout, slot)))
}

/// Tables count from 1 (that of the limbs is the last), groupings after them, then the one group of all rows.
pub fn id(layout: &Layout<'_>, slot: Slot) -> u64 {
    let tables = layout.tables().len();
    match slot {
        Slot::Lookup(i) => layout.equation.lookups[i].table as u64 + 1,
        Slot::Limbs => tables as u64,
        Slot::Groups(g) => (tables + g + 1) as u64,
    }
}

pub fn tuple(layout: &Layout<'_>, slot: Slot) -> [Form; 3] {
    let zero = || Form::Linear(Linear::zero());
    match slot {
        Slot::Lookup(i) => layout.equation.lookups[i].tuple.clone().map(Form::Linear),
        Slot::Limbs => [Form::Column(Committed::Limbs), zero(), zero()],
        Slot::Groups(g) => {
            let [group, known] = layout.equation.groupings[g].tuple.clone();
            [Form::Linear(group), Form::Linear(known), zero()]
        }
    }
}

/// The rows in which a slot's e is committed: the chunks of the dataset, or those that hold limbs.
pub fn committed_rows(layout: &Layout<'_>, slot: Slot) -> usize {
    let rows = &layout.equation.rows;
    match slot {
        Slot::Limbs => {
            let limbs: usize = layout.inequalities().iter().map(|i| i.limbs).sum();
            limbs.div_ceil(rows.chunk()) * rows.chunk()
        }
        Slot::Lookup(_) | Slot::Groups(_) => rows.committed(),
    }
}

/// A form on every row of the cube.
pub fn dense(layout: &Layout<'_>, columns: &Columns, form: &Form) -> Vec<Fr> {
    let rows = &layout.equation.rows;
    let linear = match form {
        Form::Column(column) => return columns[column].clone(),
        Form::Linear(linear) => linear,
    };
    let mut out = vec![number(i128::from(linear.at_zero())); rows.all()];
    for (column, k) in linear.terms() {
        let k = number(i128::from(k));
        for (row, value) in out.iter_mut().enumerate() {
            *value += k * match column {
                Column::Present if row < rows.present => Fr::one(),
                Column::Present => Fr::zero(),
                Column::Base(i) => columns[&Committed::Base(i)][row],
                Column::Derived(d) => columns[&Committed::Derived(d)][row],
            };
        }
    }
    out
}

/// X − fp of a slot on every row.
pub fn denominators(
    layout: &Layout<'_>,
    columns: &Columns,
    slot: Slot,
    [x, gamma]: [Fr; 2],
) -> Vec<Fr> {
    let constant = x - gamma.pow([3]) * Fr::from(id(layout, slot));
    let mut out = vec![constant; layout.equation.rows.all()];
    for (power, form) in (0u64..).zip(&tuple(layout, slot)) {
        let weight = gamma.pow([power]);
        let values = dense(layout, columns, form);
        out.iter_mut()
            .zip(values)
            .for_each(|(q, v)| *q -= weight * v);
    }
    out
}

/// X − fp of a table slot on every row: beyond its end the last entry's.
pub fn table_denominators(layout: &Layout<'_>, slot: usize, [x, gamma]: [Fr; 2]) -> Vec<Fr> {
    let fingerprint = Fingerprint::new(gamma);
    let segments = layout.table_slots[slot].segments.iter();
    let mut out: Vec<Fr> = segments
        .flat_map(|s| (0..s.run.length).map(|i| x - fingerprint.of(s.run.entry(i), s.id)))
        .collect();
    let last = out[out.len() - 1];
    out.resize(layout.equation.rows.all(), last);
    out
}
