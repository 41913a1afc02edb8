//! Executing an equation over a hospital's rows: keys of lookups, derived columns, cells. Nothing here is proven,
//! and nothing leaves the hospital.

use std::collections::BTreeMap;

use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    CircuitError,
    equation::{Column, Derived, Equation, Linear, Measure},
};

/// Rows that one task takes at once.
const BATCH: usize = 1 << 13;

/// The base columns that an equation reads: values of the rows that hold a patient, in row order.
pub type BaseValues<'a> = BTreeMap<usize, &'a [u16]>;

/// What an equation makes of a table.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Execution {
    /// For each lookup and row the entry of its table at which the row's tuple stands.
    pub keys: Vec<Vec<u32>>,
    /// For each grouping and row the group.
    pub groups: Vec<Vec<u32>>,
    /// The derived columns' values, 0 in padding.
    pub derived: Vec<Vec<u16>>,
    /// The cells, by [`Equation::cell`].
    pub cells: Vec<i128>,
}

impl std::fmt::Debug for Execution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Execution(redacted)")
    }
}

/// A combination with its columns at hand.
pub(crate) struct Bound<'a> {
    constant: i64,
    terms: Vec<(&'a [u16], i64)>,
    present: i64,
}

impl<'a> Bound<'a> {
    /// Looks up the columns of `linear`.
    ///
    /// # Errors
    /// When one of them is not there.
    pub(crate) fn new(
        linear: &Linear,
        bases: &BaseValues<'a>,
        derived: &'a [Vec<u16>],
    ) -> Result<Self, CircuitError> {
        let mut bound = Self {
            constant: linear.at_zero(),
            terms: Vec::new(),
            present: 0,
        };
        for (column, coefficient) in linear.terms() {
            let values = match column {
                Column::Present => {
                    bound.present += coefficient;
                    continue;
                }
                Column::Base(i) => bases.get(&i).copied(),
                Column::Derived(i) => derived.get(i).map(Vec::as_slice),
            };
            let values = values.ok_or(CircuitError::Malformed("a column that is not there"))?;
            bound.terms.push((values, coefficient));
        }
        Ok(bound)
    }

    /// On a row that holds a patient.
    pub(crate) fn at(&self, row: usize) -> i64 {
        let terms = self.terms.iter();
        self.constant + self.present + terms.map(|(v, k)| i64::from(v[row]) * k).sum::<i64>()
    }

    /// The constant of rows that hold a patient, and the columns with their coefficients.
    pub(crate) fn parts(&self) -> (i64, &[(&'a [u16], i64)]) {
        (self.constant + self.present, &self.terms)
    }
}

impl Execution {
    /// Executes `equation` over `bases`.
    ///
    /// # Errors
    /// A column that is missing or of another length; a row whose tuple is not in its table (the data are not
    /// what was registered, or the plan is wrong).
    pub fn new(equation: &Equation, bases: &BaseValues<'_>) -> Result<Self, CircuitError> {
        let rows = equation.rows.present;
        for values in bases.values() {
            if values.len() != rows {
                return Err(CircuitError::Length {
                    what: "rows of a base column",
                    expected: rows,
                    got: values.len(),
                });
            }
        }
        let mut it = Self {
            keys: vec![Vec::new(); equation.lookups.len()],
            groups: Vec::new(),
            derived: Vec::with_capacity(equation.derived.len()),
            cells: Vec::new(),
        };
        for derived in &equation.derived {
            let values = match *derived {
                Derived::Output { lookup, component } => {
                    it.look_up(equation, bases, lookup)?;
                    outputs(equation, lookup, component, &it.keys[lookup])?
                }
                Derived::Root { block } => {
                    let factors = &equation.blocks[block].factors;
                    let factors = factors.iter().map(|f| Bound::new(f, bases, &it.derived));
                    let factors = factors.collect::<Result<Vec<_>, _>>()?;
                    fill(rows, |row| {
                        u16::from(factors.iter().all(|f| f.at(row) == 1))
                    })
                }
            };
            it.derived.push(values);
        }
        for lookup in 0..equation.lookups.len() {
            it.look_up(equation, bases, lookup)?;
        }
        for grouping in &equation.groupings {
            let most = grouping.groups.len();
            let groups = keys(&grouping.key, bases, &it.derived, rows, most)?;
            it.groups.push(groups);
        }
        it.cells = it.sum(equation, bases)?;
        Ok(it)
    }

    fn look_up(
        &mut self,
        equation: &Equation,
        bases: &BaseValues<'_>,
        index: usize,
    ) -> Result<(), CircuitError> {
        if self.keys[index].is_empty() {
            let lookup = &equation.lookups[index];
            let most = equation.tables[lookup.table].len();
            let rows = equation.rows.present;
            self.keys[index] = keys(&lookup.key, bases, &self.derived, rows, most)?;
        }
        Ok(())
    }

    fn sum(&self, equation: &Equation, bases: &BaseValues<'_>) -> Result<Vec<i128>, CircuitError> {
        let mut cells = Vec::with_capacity(equation.cells());
        for (index, block) in equation.blocks.iter().enumerate() {
            let root = Bound::new(&block.root, bases, &self.derived)?;
            let bind = |l: &Linear| Bound::new(l, bases, &self.derived);
            let measures = block.measures.iter().map(|m| {
                Ok(match m {
                    Measure::Linear(l) => (bind(l)?, None),
                    Measure::Product(l, r) => (bind(l)?, Some(bind(r)?)),
                })
            });
            let measures = measures.collect::<Result<Vec<_>, CircuitError>>()?;
            let groups = block.grouping.map(|g| self.groups[g].as_slice());
            let width = measures.len();
            let empty = || vec![0i128; equation.groups(index) * width];
            let rows = equation.rows.present;
            let sums = (0..rows)
                .into_par_iter()
                .with_min_len(BATCH)
                .filter(|row| root.at(*row) == 1)
                .fold(empty, |mut sums, row| {
                    let group = groups.map_or(0, |g| g[row] as usize);
                    let own = &mut sums[group * width..][..width];
                    for (sum, (left, right)) in own.iter_mut().zip(&measures) {
                        let value = i128::from(left.at(row));
                        *sum += right
                            .as_ref()
                            .map_or(value, |r| value * i128::from(r.at(row)));
                    }
                    sums
                })
                .reduce(empty, |mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    a
                });
            cells.extend(sums);
        }
        Ok(cells)
    }
}

/// The entry of every row; each must be one of `most`.
fn keys(
    key: &Linear,
    bases: &BaseValues<'_>,
    derived: &[Vec<u16>],
    rows: usize,
    most: usize,
) -> Result<Vec<u32>, CircuitError> {
    let bound = Bound::new(key, bases, derived)?;
    let most = i64::try_from(most).map_err(|_| CircuitError::Malformed("a table too long"))?;
    let outside = CircuitError::Malformed("a row that no entry of its table fits");
    if !(0..most).contains(&key.at_zero()) {
        return Err(outside);
    }
    (0..rows)
        .into_par_iter()
        .with_min_len(BATCH)
        .map(|row| match bound.at(row) {
            key if (0..most).contains(&key) => Some(u32::try_from(key).expect("below a length")),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or(outside)
}

/// A component of the entries at `keys`. The entry of padding must say 0.
fn outputs(
    equation: &Equation,
    lookup: usize,
    component: usize,
    keys: &[u32],
) -> Result<Vec<u16>, CircuitError> {
    let wrong = CircuitError::Malformed("an output that is not 0 in padding or not below 2^16");
    let lookup = &equation.lookups[lookup];
    let entries = equation.tables[lookup.table].entries();
    let entries = entries.map(|e| e.get(component).and_then(|v| u16::try_from(*v).ok()));
    let Some(entries) = entries.collect::<Option<Vec<u16>>>() else {
        return Err(wrong);
    };
    let padding = usize::try_from(lookup.key.at_zero()).ok();
    if padding.and_then(|p| entries.get(p)) != Some(&0) {
        return Err(wrong);
    }
    Ok(fill(keys.len(), |row| entries[keys[row] as usize]))
}

fn fill(rows: usize, value: impl Fn(usize) -> u16 + Sync + Send) -> Vec<u16> {
    (0..rows)
        .into_par_iter()
        .with_min_len(BATCH)
        .map(value)
        .collect()
}
