//! Where everything of an equation stands in the circuit: slots, committed columns, and each evaluation as a public
//! affine combination of committed columns.

use ark_ff::{Field, One, Zero};

use super::{
    Column, Equation, FACTORS, Fingerprint, Inequality, LIMB_BITS, Linear, MAX_LIMBS, Measure,
    Table, TableSlot,
    table::lay_out,
    value::{Cells, Folded, fold, limb_rows, signed},
};
use crate::{
    CircuitError, Fr,
    class::{Class, Size},
    multilinear::Prefix,
};

/// A committed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Committed {
    /// A base column of the dataset.
    Base(usize),
    /// One of [`Equation::derived`].
    Derived(usize),
    /// How often each entry of a table slot is looked up.
    Multiplicity(usize),
    /// T: the hidden cells.
    Cells,
    /// The limbs of what is proven of them.
    Limbs,
    /// e = 1/q of a slot.
    Reciprocal(usize),
    /// −m/q of a table slot.
    Entries(usize),
}

/// Σ coefficient·column + constant, at r.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Affine {
    /// λ.
    pub terms: Vec<(Committed, Fr)>,
    /// κ(r).
    pub constant: Fr,
}

/// What a slot of the circuit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// `lookups[i]`.
    Lookup(usize),
    /// The limbs of the inequalities, looked up in the last table.
    Limbs,
    /// `groupings[i]`.
    Groups(usize),
}

/// The challenges that are drawn outside of the sumcheck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenges {
    /// X: where the fractions are taken.
    pub x: Fr,
    /// γ: what the components of a tuple are weighted with.
    pub gamma: Fr,
    /// β: what the measures are weighted with.
    pub beta: Fr,
    /// θ: what the inequalities are weighted with.
    pub theta: Fr,
    /// ζ: what the inequalities as a whole are weighted with.
    pub zeta: Fr,
}

/// An equation with its hidden cells, laid out.
#[derive(Debug, Clone)]
pub struct Layout<'a> {
    /// The equation.
    pub equation: &'a Equation,
    /// The slots in order: in each e·q = 1 on every row.
    pub slots: Vec<Slot>,
    /// The tables' entries, slot by slot.
    pub table_slots: Vec<TableSlot>,
    /// The smallest class that holds it.
    pub class: Class,
    /// Hidden cells, ascending.
    pub hidden: Vec<usize>,
    inequalities: &'a [Inequality],
    tables: Vec<Table>,
}

/// The public numbers of the sum: the published cells' part with the bounds', and the weights of the rest.
pub(crate) struct Sums {
    /// R_pub + ζ·e.
    pub rhs: Fr,
    /// By hidden cell.
    pub cells: Vec<Fr>,
    /// By row of the column of limbs.
    pub limbs: Vec<Fr>,
}

impl<'a> Layout<'a> {
    /// Lays out an equation.
    ///
    /// # Errors
    /// [`CircuitError::Malformed`] as [`Equation::check`]; [`CircuitError::Capacity`] where no class holds it;
    /// [`CircuitError::Length`] where the cells are not as many as the equation's.
    pub fn new(equation: &'a Equation, cells: &'a Cells) -> Result<Self, CircuitError> {
        equation.check()?;
        if cells.published.len() != equation.cells() {
            return Err(CircuitError::Length {
                what: "cells",
                expected: equation.cells(),
                got: cells.published.len(),
            });
        }
        let (hidden, inequalities) = (cells.hidden(), cells.inequalities.as_slice());
        check_inequalities(inequalities, hidden.len())?;
        let mut tables = equation.tables.clone();
        if !inequalities.is_empty() {
            tables.push(Table::range(1 << LIMB_BITS));
        }
        let rows = &equation.rows;
        capacity("hidden cells", hidden.len(), rows.all())?;
        let limbs = limb_rows(inequalities);
        capacity("limbs of hidden cells", limbs, rows.all())?;
        let table_slots = lay_out(&tables, rows.all());
        let lookups = (0..equation.lookups.len()).map(Slot::Lookup);
        let limbs = (!inequalities.is_empty()).then_some(Slot::Limbs);
        let slots: Vec<Slot> = lookups
            .chain(limbs)
            .chain((0..equation.groupings.len()).map(Slot::Groups))
            .collect();
        Ok(Self {
            class: class_for(equation, slots.len(), table_slots.len())?,
            equation,
            slots,
            table_slots,
            hidden,
            inequalities,
            tables,
        })
    }

    /// Whether it was laid out with these cells: with the same ones hidden, and the same statements about them.
    #[must_use]
    pub fn is_of(&self, cells: &Cells) -> bool {
        cells.published.len() == self.equation.cells()
            && self.hidden == cells.hidden()
            && self.inequalities == cells.inequalities
    }

    /// All tables, that of the limbs last where there are inequalities.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The inequalities over hidden cells.
    #[must_use]
    pub fn inequalities(&self) -> &[Inequality] {
        self.inequalities
    }

    /// The columns that are committed before the first challenge, in order; the mask follows them.
    #[must_use]
    pub fn first_columns(&self) -> Vec<Committed> {
        let derived = (0..self.equation.derived.len()).map(Committed::Derived);
        derived
            .chain((0..self.table_slots.len()).map(Committed::Multiplicity))
            .chain((!self.hidden.is_empty()).then_some(Committed::Cells))
            .chain((!self.inequalities.is_empty()).then_some(Committed::Limbs))
            .collect()
    }

    /// The columns that are committed after X, in order.
    #[must_use]
    pub fn second_columns(&self) -> Vec<Committed> {
        let reciprocals = (0..self.slots.len()).map(Committed::Reciprocal);
        let entries = (0..self.table_slots.len()).map(Committed::Entries);
        reciprocals.chain(entries).collect()
    }

    /// The rows of a column that may hold something.
    #[must_use]
    pub fn length(&self, column: Committed) -> usize {
        let all = self.equation.rows.committed();
        match column {
            Committed::Base(_) | Committed::Derived(_) => all,
            Committed::Reciprocal(slot) => self.slot_rows(self.slots[slot]),
            Committed::Multiplicity(slot) | Committed::Entries(slot) => {
                self.table_slots[slot].length
            }
            Committed::Cells => self.hidden.len(),
            Committed::Limbs => limb_rows(self.inequalities),
        }
    }

    /// The rows in which a slot's e is committed: beyond them all that its tuple names is 0, so that its q is a
    /// constant. Where the limbs are, they may be more or fewer than the dataset's.
    #[must_use]
    pub fn slot_rows(&self, slot: Slot) -> usize {
        let rows = &self.equation.rows;
        match slot {
            Slot::Lookup(_) | Slot::Groups(_) => rows.committed(),
            Slot::Limbs => self.chunks(Committed::Limbs) * rows.chunk(),
        }
    }

    /// The chunks in which a column is committed.
    #[must_use]
    pub fn chunks(&self, column: Committed) -> usize {
        self.length(column).div_ceil(self.equation.rows.chunk())
    }

    /// The id of a lookup's table, of the limbs' or of a grouping.
    pub(crate) fn id(&self, slot: Slot) -> u64 {
        match slot {
            Slot::Lookup(i) => self.equation.lookups[i].table as u64 + 1,
            Slot::Limbs => self.tables.len() as u64,
            Slot::Groups(g) => (self.tables.len() + g) as u64 + 1,
        }
    }

    /// The id under which blocks without groups sum.
    pub(crate) fn ungrouped_id(&self) -> u64 {
        (self.tables.len() + self.equation.groupings.len()) as u64 + 1
    }

    /// Where a grouping stands among the slots.
    pub(crate) fn grouping_slot(&self, grouping: usize) -> usize {
        self.slots.len() - self.equation.groupings.len() + grouping
    }

    /// The left factors of a block's products, each once, in order: the circuit's pairs.
    pub(crate) fn left_factors(&self, block: usize) -> Vec<&'a Linear> {
        left_factors(&self.equation.blocks[block].measures)
    }

    /// The number of the first measure of a block: measures are counted over all blocks.
    pub(crate) fn first_measure(&self, block: usize) -> usize {
        let before = &self.equation.blocks[..block];
        before.iter().map(|b| b.measures.len()).sum()
    }

    /// q of a slot where every committed column is 0: X − fp(0).
    pub(crate) fn padding_q(&self, slot: Slot, c: &Challenges) -> Fr {
        let fingerprint = Fingerprint::new(c.gamma);
        let zero = [Linear::zero(), Linear::zero(), Linear::zero()];
        let tuple: Vec<&Linear> = match slot {
            Slot::Lookup(i) => self.equation.lookups[i].tuple.iter().collect(),
            Slot::Groups(g) => self.equation.groupings[g].tuple.iter().collect(),
            Slot::Limbs => zero.iter().collect(),
        };
        let mut q = c.x - fingerprint.powers[2] * Fr::from(self.id(slot));
        for (i, linear) in tuple.into_iter().enumerate() {
            let weight = if i == 0 {
                Fr::one()
            } else {
                fingerprint.powers[i - 1]
            };
            q -= weight * signed(i128::from(linear.at_zero()));
        }
        q
    }

    /// X − fp of every group of a block.
    pub(crate) fn group_denominators(&self, block: usize, c: &Challenges) -> Vec<Fr> {
        let fingerprint = Fingerprint::new(c.gamma);
        let of = |fps: Vec<Fr>| fps.into_iter().map(|fp| c.x - fp).collect();
        match self.equation.blocks[block].grouping {
            Some(g) => {
                let groups = &self.equation.groupings[g].groups;
                of(fingerprint.of_table(groups, self.id(Slot::Groups(g))))
            }
            None => of(vec![fingerprint.of([0; 3], self.ungrouped_id())]),
        }
    }

    /// The right side of the sum, and the weights of hidden cells and limbs.
    ///
    /// # Errors
    /// [`CircuitError::Degenerate`] where X meets a group.
    pub(crate) fn sums(&self, cells: &Cells, c: &Challenges) -> Result<Sums, CircuitError> {
        let Folded {
            cells: folded,
            limbs,
            bound,
        } = fold(self.inequalities, self.hidden.len(), c.theta);
        let mut rhs = c.zeta * bound;
        let mut weights: Vec<Fr> = folded.into_iter().map(|d| c.zeta * d).collect();
        let mut hidden = weights.iter_mut();
        let mut published = cells.published.iter();
        for (block, description) in self.equation.blocks.iter().enumerate() {
            let mut reciprocals = self.group_denominators(block, c);
            invert(&mut reciprocals)?;
            let powers = powers(
                c.beta,
                self.first_measure(block),
                description.measures.len(),
            );
            for reciprocal in &reciprocals {
                for power in &powers {
                    let coefficient = *power * reciprocal;
                    match published.next().expect("as many cells as counted") {
                        Some(value) => rhs += coefficient * signed(*value),
                        None => *hidden.next().expect("as many as counted") -= coefficient,
                    }
                }
            }
        }
        Ok(Sums {
            rhs,
            cells: weights,
            limbs: limbs.into_iter().map(|w| -c.zeta * w).collect(),
        })
    }

    /// Every evaluation that the circuit reads, in its order, as a combination of committed columns at r.
    ///
    /// # Errors
    /// [`CircuitError::Degenerate`] where X makes a denominator 0.
    pub(crate) fn evaluations(
        &self,
        sums: &Sums,
        c: &Challenges,
        r: &[Fr],
    ) -> Result<Vec<Affine>, CircuitError> {
        let at = Point::new(self, c, r)?;
        let size = self.class.size;
        let mut out = Vec::with_capacity(size.evaluations());
        for index in 0..size.slots() {
            match self.slots.get(index) {
                Some(slot) => out.extend(at.slot(index, *slot)),
                None => out.extend([one(), one()]),
            }
        }
        for index in 0..size.tables() {
            out.push(match self.table_slots.get(index) {
                Some(slot) => at.table(index, slot),
                None => Affine::default(),
            });
        }
        out.push(at.sum(sums));
        for block in 0..size.blocks() {
            if block < self.equation.blocks.len() {
                out.extend(at.block(block));
            } else {
                let ones = 2 + FACTORS;
                let all = size.block_evaluations();
                out.extend((0..all).map(|i| if i < ones { one() } else { Affine::default() }));
            }
        }
        Ok(out)
    }
}

fn one() -> Affine {
    Affine {
        terms: Vec::new(),
        constant: Fr::one(),
    }
}

/// β^first, …, `count` of them.
pub(crate) fn powers(beta: Fr, first: usize, count: usize) -> Vec<Fr> {
    let start = beta.pow([first as u64]);
    std::iter::successors(Some(start), |p| Some(*p * beta))
        .take(count)
        .collect()
}

/// Inverts all.
pub(crate) fn invert(values: &mut [Fr]) -> Result<(), CircuitError> {
    if values.iter().any(Zero::is_zero) {
        return Err(CircuitError::Degenerate("X meets a public entry"));
    }
    ark_ff::batch_inversion(values);
    Ok(())
}

fn left_factors(measures: &[Measure]) -> Vec<&Linear> {
    let mut left: Vec<&Linear> = Vec::new();
    for measure in measures {
        if let Measure::Product(l, _) = measure
            && !left.contains(&l)
        {
            left.push(l);
        }
    }
    left
}

/// Inequalities are over hidden cells, and their values have as many limbs as the field has room for.
fn check_inequalities(inequalities: &[Inequality], hidden: usize) -> Result<(), CircuitError> {
    let in_range = |i: &Inequality| i.terms.iter().all(|(cell, _)| *cell < hidden);
    if !inequalities.iter().all(in_range) {
        return Err(CircuitError::Malformed(
            "an inequality over a cell that is not hidden",
        ));
    }
    if !inequalities
        .iter()
        .all(|i| (1..=MAX_LIMBS).contains(&i.limbs))
    {
        return Err(CircuitError::Malformed(
            "an inequality with no limbs or too many",
        ));
    }
    Ok(())
}

fn capacity(what: &'static str, needed: usize, most: usize) -> Result<(), CircuitError> {
    if needed <= most {
        return Ok(());
    }
    Err(CircuitError::Capacity { what, needed, most })
}

/// The smallest class that holds an equation with so many slots.
fn class_for(equation: &Equation, slots: usize, tables: usize) -> Result<Class, CircuitError> {
    let blocks = equation.blocks.len();
    let pairs = equation
        .blocks
        .iter()
        .map(|b| left_factors(&b.measures).len());
    let pairs = pairs.max().unwrap_or(0);
    let factors = equation.blocks.iter().map(|b| b.factors.len()).max();
    capacity("factors of a root", factors.unwrap_or(0), FACTORS)?;
    let fits = |s: &Size| {
        slots <= s.slots() && tables <= s.tables() && blocks <= s.blocks() && pairs <= s.pairs()
    };
    let size = Size::ALL.into_iter().find(fits);
    match size {
        Some(size) => Ok(Class {
            rounds: equation.rows.row_bits,
            size,
        }),
        None => {
            let most = Size::Huge;
            capacity("predicates and groupings", slots, most.slots())?;
            capacity("tables' slots", tables, most.tables())?;
            capacity("filters with means or products", blocks, most.blocks())?;
            capacity("products of columns", pairs, most.pairs())?;
            Err(CircuitError::Malformed("no class holds the equation"))
        }
    }
}

/// A layout at r, under its challenges.
struct Point<'a> {
    layout: &'a Layout<'a>,
    challenges: &'a Challenges,
    fingerprint: Fingerprint,
    prefix: Prefix<'a>,
    /// present̃(r).
    present: Fr,
    /// For each slot what is added to e for the rows in which it is not committed.
    absent: Vec<Fr>,
    /// 1/(X − fp) of the one group, for blocks without groups.
    ungrouped: Fr,
}

impl<'a> Point<'a> {
    fn new(
        layout: &'a Layout<'a>,
        challenges: &'a Challenges,
        r: &'a [Fr],
    ) -> Result<Self, CircuitError> {
        let prefix = Prefix::new(r);
        let fingerprint = Fingerprint::new(challenges.gamma);
        let mut inverses: Vec<Fr> = layout
            .slots
            .iter()
            .map(|s| layout.padding_q(*s, challenges))
            .collect();
        inverses.push(challenges.x - fingerprint.of([0; 3], layout.ungrouped_id()));
        invert(&mut inverses)?;
        let ungrouped = inverses.pop().expect("pushed above");
        let absent = inverses.iter().zip(&layout.slots).map(|(inverse, slot)| {
            let committed = prefix.below(layout.slot_rows(*slot)).0;
            (Fr::one() - committed) * inverse
        });
        let absent = absent.collect();
        Ok(Self {
            layout,
            challenges,
            fingerprint,
            present: prefix.below(layout.equation.rows.present).0,
            prefix,
            absent,
            ungrouped,
        })
    }

    fn add(&self, to: &mut Affine, weight: Fr, linear: &Linear) {
        to.constant += weight * signed(i128::from(linear.at_zero()));
        for (column, coefficient) in linear.terms() {
            let coefficient = weight * signed(i128::from(coefficient));
            match column {
                Column::Present => to.constant += coefficient * self.present,
                Column::Base(i) => to.terms.push((Committed::Base(i), coefficient)),
                Column::Derived(i) => to.terms.push((Committed::Derived(i), coefficient)),
            }
        }
    }

    fn linear(&self, linear: &Linear) -> Affine {
        let mut out = Affine::default();
        self.add(&mut out, Fr::one(), linear);
        out
    }

    /// e of a slot.
    fn reciprocal(&self, index: usize) -> Affine {
        Affine {
            terms: vec![(Committed::Reciprocal(index), Fr::one())],
            constant: self.absent[index],
        }
    }

    /// X − fp, the fingerprint of a tuple of combinations.
    fn difference(&self, tuple: &[Linear], slot: Slot) -> Affine {
        let [gamma, square, cube] = self.fingerprint.powers;
        let mut q = Affine {
            terms: Vec::new(),
            constant: self.challenges.x - cube * Fr::from(self.layout.id(slot)),
        };
        for (linear, weight) in tuple.iter().zip([Fr::one(), gamma, square]) {
            self.add(&mut q, -weight, linear);
        }
        q
    }

    /// e and q of a slot.
    fn slot(&self, index: usize, slot: Slot) -> [Affine; 2] {
        let equation = self.layout.equation;
        let q = match slot {
            Slot::Lookup(i) => self.difference(&equation.lookups[i].tuple, slot),
            Slot::Groups(g) => self.difference(&equation.groupings[g].tuple, slot),
            Slot::Limbs => {
                let mut q = self.difference(&[], slot);
                q.terms.push((Committed::Limbs, -Fr::one()));
                q
            }
        };
        [self.reciprocal(index), q]
    }

    /// e·q + m of a table slot, whose q is public at r.
    fn table(&self, index: usize, slot: &TableSlot) -> Affine {
        let q = self.challenges.x - slot.evaluate(&self.fingerprint, &self.prefix);
        Affine {
            terms: vec![
                (Committed::Entries(index), q),
                (Committed::Multiplicity(index), Fr::one()),
            ],
            constant: Fr::zero(),
        }
    }

    /// What of the sum is linear: Σ e over lookups, limbs and tables, and the hidden cells and limbs with their
    /// public weights.
    fn sum(&self, sums: &Sums) -> Affine {
        let mut sum = Affine::default();
        for (index, slot) in self.layout.slots.iter().enumerate() {
            if !matches!(slot, Slot::Groups(_)) {
                let e = self.reciprocal(index);
                sum.terms.extend(e.terms);
                sum.constant += e.constant;
            }
        }
        let entries = (0..self.layout.table_slots.len()).map(Committed::Entries);
        sum.terms.extend(entries.map(|e| (e, Fr::one())));
        for (column, weights) in [
            (Committed::Cells, &sums.cells),
            (Committed::Limbs, &sums.limbs),
        ] {
            if !weights.is_empty() {
                sum.terms.push((column, self.short(weights)));
            }
        }
        sum
    }

    /// e_G, s, the factors, ℓ₀ and the pairs of a block.
    fn block(&self, index: usize) -> Vec<Affine> {
        let block = &self.layout.equation.blocks[index];
        let e = match block.grouping {
            Some(g) => self.reciprocal(self.layout.grouping_slot(g)),
            None => Affine {
                terms: Vec::new(),
                constant: self.ungrouped,
            },
        };
        let mut out = vec![e, self.linear(&block.root)];
        out.extend((0..FACTORS).map(|k| block.factors.get(k).map_or_else(one, |f| self.linear(f))));
        let first = self.layout.first_measure(index);
        let powers = powers(self.challenges.beta, first, block.measures.len());
        let left = self.layout.left_factors(index);
        let mut single = Affine::default();
        let mut right = vec![Affine::default(); left.len()];
        for (measure, power) in block.measures.iter().zip(powers) {
            match measure {
                Measure::Linear(l) => self.add(&mut single, power, l),
                Measure::Product(l, r) => {
                    let pair = left.iter().position(|x| *x == l);
                    let pair = pair.expect("every left factor is listed");
                    self.add(&mut right[pair], power, r);
                }
            }
        }
        out.push(single);
        for (l, r) in left.into_iter().zip(right) {
            out.extend([self.linear(l), r]);
        }
        out.resize(
            self.layout.class.size.block_evaluations(),
            Affine::default(),
        );
        out
    }

    /// The extension of public weights along the first rows.
    fn short(&self, weights: &[Fr]) -> Fr {
        let bits = usize::BITS - (weights.len() - 1).leading_zeros();
        let (low, high) = self.prefix.point().split_at(bits as usize);
        let rest: Fr = high.iter().map(|r| Fr::one() - r).product();
        let eq = crate::multilinear::eq_table(low);
        rest * eq.iter().zip(weights).map(|(e, w)| *e * w).sum::<Fr>()
    }
}
