//! What a plan may need, whatever its cells turn out to be (`docs/spec/plan.md`, "Limits").

use galen_circuits::{
    class::Class,
    equation::{Cells, Equation, Inequality, Layout, RANGE_BITS},
};
use galen_query::{
    query::{Percentile, Predicate},
    registry::Registry,
};

use super::{PlanError, Statistic};

/// The most cells of an answer: so many lie along the rows of any dataset's first chunk.
pub const MAX_CELLS: usize = 1 << 12;

/// The most ranges of one condition on a column wider than 16 bits.
const MAX_RANGES: usize = 512;

/// Published cells are below 2 to this, far from what an `i128` and the field can carry.
const CELL_BITS: u32 = 120;

/// What an equation takes if every cell is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    class: Class,
    slots: usize,
    blocks: usize,
    derived: usize,
    entries: usize,
}

/// The cost of an equation whose cells are all hidden, with something proven of them.
pub(super) fn cost(equation: &Equation) -> Result<Cost, PlanError> {
    let cells = equation.cells();
    if cells > MAX_CELLS {
        return Err(PlanError::TooManyCells { cells });
    }
    let published = Cells {
        published: vec![Some(0); cells],
        inequalities: Vec::new(),
    };
    Layout::new(equation, &published)?;
    let hidden = hidden(cells);
    let layout = Layout::new(equation, &hidden)?;
    Ok(Cost {
        class: layout.class,
        slots: slots(&layout),
        blocks: equation.blocks.len(),
        derived: equation.derived.len(),
        entries: layout.tables().iter().map(|t| t.len()).sum(),
    })
}

/// The circuit's slots that it takes: of lookups, groupings and tables' entries.
fn slots(layout: &Layout<'_>) -> usize {
    let equation = layout.equation;
    let limbs = usize::from(!layout.inequalities().is_empty());
    equation.lookups.len() + limbs + equation.groupings.len() + layout.table_slots.len()
}

/// All cells hidden, with a statement about them: how many there are is nothing to the circuit.
pub(super) fn hidden(cells: usize) -> Cells {
    let one = Inequality {
        terms: Vec::new(),
        bound: 0,
        limbs: 1,
    };
    Cells {
        published: vec![None; cells],
        inequalities: vec![one],
    }
}

/// That no list of values of a wide column is so long that nobody could plan it, and no circuit hold it.
pub(super) fn check_lists(predicate: &Predicate, registry: &Registry) -> Result<(), PlanError> {
    match predicate {
        Predicate::In { column, set } if registry.columns[*column].is_wide() => {
            let needed = set.intervals().len();
            if needed <= MAX_RANGES {
                return Ok(());
            }
            Err(PlanError::TooLarge {
                what: "ranges of a column with more than 65,536 values",
                needed,
                most: MAX_RANGES,
                help: "use ranges instead of a long list of values",
            })
        }
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().try_for_each(|m| check_lists(m, registry))
        }
        _ => Ok(()),
    }
}

/// That no published cell is beyond what an answer carries.
pub(super) fn check_width(statistic: &Statistic, name: &str, rows: u64) -> Result<(), PlanError> {
    if statistic.largest < 1 << CELL_BITS {
        return Ok(());
    }
    let column = name.to_owned();
    Err(PlanError::TooWide { column, rows })
}

/// That no statement about hidden cells can reach the range in which it is proven.
pub(super) fn check_statements(percentiles: &[Percentile], rows: u64) -> Result<(), PlanError> {
    let denominators = percentiles.iter().map(|p| u64::from(p.share.denominator));
    let factor = denominators.max().unwrap_or(1);
    let largest = u128::from(factor) * u128::from(rows) + 1;
    if largest < 1 << RANGE_BITS {
        return Ok(());
    }
    let column = "counts".to_owned();
    Err(PlanError::TooWide { column, rows })
}
