//! An equation, read literally: what must hold of every row is asserted, and the sums are summed.

use std::collections::BTreeSet;

use galen_circuits::equation::{Column, Derived, Equation, Linear, Measure};

/// One row: base columns, derived columns, and whether it holds a patient.
struct Row<'a> {
    bases: &'a dyn Fn(usize) -> i64,
    derived: Vec<i64>,
    present: i64,
}

impl Row<'_> {
    fn value(&self, linear: &Linear) -> i128 {
        let terms = linear.terms().map(|(column, factor)| {
            let value = match column {
                Column::Present => self.present,
                Column::Base(i) => (self.bases)(i),
                Column::Derived(i) => self.derived[i],
            };
            i128::from(factor) * i128::from(value)
        });
        i128::from(linear.at_zero()) + terms.sum::<i128>()
    }

    fn place(&self, key: &Linear) -> usize {
        usize::try_from(self.value(key)).expect("a key is not negative")
    }

    fn measure(&self, measure: &Measure) -> i128 {
        match measure {
            Measure::Linear(l) => self.value(l),
            Measure::Product(a, b) => self.value(a) * self.value(b),
        }
    }
}

/// The tables' entries.
type Entries = Vec<Vec<[u64; 3]>>;

/// The cells of an equation over these base columns, `[base column][row]`.
pub fn cells(equation: &Equation, bases: &[Vec<i64>]) -> Vec<i128> {
    assert!(equation.rows.is_consistent());
    let tables: Entries = equation
        .tables
        .iter()
        .map(|t| t.entries().collect())
        .collect();
    well_formed(equation, &tables, bases.len());
    let mut cells = vec![0; equation.cells()];
    let rows = bases.first().map_or(0, Vec::len);
    assert_eq!(rows, equation.rows.present);
    for row in 0..rows {
        let bases = |base: usize| bases[base][row];
        let row = executed(equation, &tables, &bases, 1);
        add(equation, &row, &mut cells);
    }
    // A row of padding is 0 in every committed column, and adds nothing.
    let zeros = |_| 0;
    let padding = executed(equation, &tables, &zeros, 0);
    assert!(padding.derived.iter().all(|d| *d == 0));
    let before = cells.clone();
    add(equation, &padding, &mut cells);
    assert_eq!(before, cells);
    cells
}

/// What a verifier relies on: outputs are constrained by their lookups, and no key has two outputs.
fn well_formed(equation: &Equation, tables: &Entries, bases: usize) {
    for table in tables {
        let keys: BTreeSet<u64> = table.iter().map(|e| e[0]).collect();
        assert_eq!(keys.len(), table.len());
    }
    for (index, derived) in equation.derived.iter().enumerate() {
        let column = Linear::column(Column::Derived(index));
        match *derived {
            Derived::Output { lookup, component } => {
                assert_eq!(equation.lookups[lookup].tuple[component], column);
            }
            Derived::Root { block } => assert_eq!(equation.blocks[block].root, column),
        }
    }
    assert!(equation.bases().into_iter().all(|b| b < bases));
    for grouping in &equation.groupings {
        let entries: BTreeSet<[u64; 3]> = grouping.groups.entries().collect();
        assert_eq!(entries.len(), grouping.groups.len());
        assert!(entries.iter().all(|e| e[2] == 0));
    }
    for block in &equation.blocks {
        assert!(
            block
                .measures
                .contains(&Measure::Linear(Linear::constant(1)))
        );
        assert!(!block.factors.is_empty() && block.factors.len() <= 4);
    }
}

/// Derives the row's columns in order, then asserts every lookup, root and group.
fn executed<'a>(
    equation: &Equation,
    tables: &Entries,
    bases: &'a dyn Fn(usize) -> i64,
    present: i64,
) -> Row<'a> {
    let mut row = Row {
        bases,
        derived: Vec::new(),
        present,
    };
    for derived in &equation.derived {
        let value = match *derived {
            Derived::Output { lookup, component } => {
                let lookup = &equation.lookups[lookup];
                tables[lookup.table][row.place(&lookup.key)][component] as i64
            }
            Derived::Root { block } => {
                let factors = equation.blocks[block].factors.iter();
                factors.map(|f| row.value(f) as i64).product()
            }
        };
        row.derived.push(value);
    }
    for lookup in &equation.lookups {
        let tuple = lookup.tuple.each_ref().map(|l| row.value(l));
        let entry = tables[lookup.table][row.place(&lookup.key)];
        assert_eq!(tuple, entry.map(i128::from), "{lookup:?}");
    }
    for grouping in &equation.groupings {
        let tuple = grouping.tuple.each_ref().map(|l| row.value(l));
        let group = row.place(&grouping.key);
        let entry = grouping.groups.entries().nth(group).unwrap();
        assert_eq!(tuple, [entry[0], entry[1]].map(i128::from));
    }
    for block in &equation.blocks {
        let factors: Vec<i128> = block.factors.iter().map(|f| row.value(f)).collect();
        assert!(factors.iter().all(|f| (0..=1).contains(f)), "{block:?}");
        assert_eq!(row.value(&block.root), factors.iter().product());
    }
    row
}

fn add(equation: &Equation, row: &Row<'_>, cells: &mut [i128]) {
    for (index, block) in equation.blocks.iter().enumerate() {
        let group = block
            .grouping
            .map_or(0, |g| row.place(&equation.groupings[g].key));
        for (number, measure) in block.measures.iter().enumerate() {
            let cell = equation.cell(index, group, number);
            cells[cell] += row.value(&block.root) * row.measure(measure);
        }
    }
}
