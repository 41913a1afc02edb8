//! What a plan may need, whatever its cells turn out to be (`docs/spec/plan.md`, "Limits").

use galen_circuits::{
    class::Class,
    equation::{Cells, Equation, Inequality, LIMBS, Layout, RANGE_BITS, Rows},
};
use galen_query::{
    query::{Percentile, Predicate},
    registry::Registry,
};

use super::{Field, PlanError, Statistic};

/// The most cells of an answer: so many lie along the rows of the smallest dataset's one chunk.
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

/// The cost of an equation of whose cells `inequalities` statements are proven at most.
pub(super) fn cost(equation: &Equation, inequalities: usize) -> Result<Cost, PlanError> {
    let cells = equation.cells();
    if cells > MAX_CELLS {
        return Err(PlanError::TooManyCells { cells });
    }
    let most = room(&equation.rows);
    if inequalities > most {
        let needed = inequalities;
        return Err(PlanError::TooManyHidden { needed, most });
    }
    let published = Cells {
        published: vec![Some(0); cells],
        inequalities: Vec::new(),
    };
    Layout::new(equation, &published)?;
    let hidden = hidden(cells, inequalities);
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

/// All cells hidden, with as many statements about them.
pub(super) fn hidden(cells: usize, inequalities: usize) -> Cells {
    let none = Inequality {
        terms: Vec::new(),
        bound: 0,
    };
    Cells {
        published: vec![None; cells],
        inequalities: vec![none; inequalities],
    }
}

/// The most statements about bounds of an answer's hidden cells, if shown counts are exact: two for one count of each
/// chain, since what contains a hidden one is shown and nothing is proven of what it contains; and of each percentile
/// that there are enough values and that it is the right one.
pub(super) fn most_inequalities(chains: usize, groups: usize, percentiles: usize) -> usize {
    groups * (2 * chains + 3 * percentiles)
}

/// How many chains of counts, each containing the next, take in all.
pub(super) fn chains(counts: &[Field], within: &[(usize, usize)]) -> usize {
    let containing = |f: &Field| counts.iter().filter(|o| o.contains(*f, within)).count();
    let mut ordered: Vec<(usize, Field)> = counts.iter().map(|f| (containing(f), *f)).collect();
    ordered.sort_unstable();
    let mut ends: Vec<Field> = Vec::new();
    for (_, field) in ordered {
        match ends.iter_mut().find(|end| end.contains(field, within)) {
            Some(end) => *end = field,
            None => ends.push(field),
        }
    }
    ends.len()
}

/// How many statements there is room for.
pub(super) fn room(rows: &Rows) -> usize {
    rows.committed() / LIMBS
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_counts_are_a_chain() {
        let of = |column, filter| Field::count(column, filter);
        let (all, filtered) = (of(None, None), of(None, Some(0)));
        let (known, other) = (of(Some(1), None), of(Some(2), None));
        let both = of(Some(1), Some(0));
        assert_eq!(chains(&[all], &[]), 1);
        assert_eq!(chains(&[known, all, both], &[]), 1);
        assert_eq!(chains(&[all, known, other, filtered, both], &[]), 3);
        let inner = of(None, Some(1));
        assert_eq!(chains(&[all, filtered, inner], &[]), 2);
        assert_eq!(chains(&[all, filtered, inner], &[(1, 0)]), 1);
    }
}
