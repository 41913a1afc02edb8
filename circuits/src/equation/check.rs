//! What an equation must be like so that it binds the columns that it commits to (`docs/spec/equation.md`,
//! "Well-formed equations"): W1 to W5. That its tables and forms say what a query asks is the planner's to check.

use std::collections::BTreeSet;

use super::{Column, Derived, Equation, Linear, Measure, Run, Table};
use crate::CircuitError;

impl Equation {
    /// Checks W1 to W5.
    ///
    /// # Errors
    /// [`CircuitError::Malformed`], naming what is wrong.
    pub fn check(&self) -> Result<(), CircuitError> {
        self.check_indices()?;
        (0..self.derived.len()).try_for_each(|d| self.check_derived(d))?;
        // W4: groups are pairs, none of which stands twice.
        for grouping in &self.groupings {
            let runs = grouping.groups.runs();
            let named = runs.iter().all(|run| run.third == 0);
            require(named, "a group of three components")?;
            require(are_disjoint(runs, &[0, 1]), "a group stands twice")?;
        }
        // W5: 1 is summed in every block, so that no row counts in a group that is not listed.
        let one = Measure::Linear(Linear::constant(1));
        let counts = self.blocks.iter().all(|b| b.measures.contains(&one));
        require(counts, "a block that does not count its rows")
    }

    /// W1: rows are consistent, and whatever is named is there.
    fn check_indices(&self) -> Result<(), CircuitError> {
        require(self.rows.is_consistent(), "rows")?;
        let table = |t: usize| self.tables.get(t).is_some_and(|t| !t.is_empty());
        let known = self.lookups.iter().all(|l| table(l.table));
        require(known, "a lookup without a table")?;
        let groupings = self.blocks.iter().filter_map(|b| b.grouping);
        let known = groupings.into_iter().all(|g| g < self.groupings.len());
        require(known, "a block without its grouping")?;
        let groups = self.groupings.iter().all(|g| !g.groups.is_empty());
        require(groups, "a grouping without groups")?;
        let earlier = self.linears().all(|l| is_before(l, self.derived.len()));
        require(earlier, "a column that is not there")
    }

    /// W2: a derived column is what its lookup or its block makes of earlier ones.
    fn check_derived(&self, index: usize) -> Result<(), CircuitError> {
        let is_it = |l: &Linear| l.as_column() == Some(Column::Derived(index));
        let before = |l: &Linear| is_before(l, index);
        match self.derived[index] {
            Derived::Output { lookup, component } => {
                let lookup_of = self.lookups.get(lookup).filter(|_| component < 3);
                let Some(own) = lookup_of else {
                    return Err(CircuitError::Malformed("an output without its lookup"));
                };
                require(
                    is_it(&own.tuple[component]),
                    "an output that its lookup does not name",
                )?;
                let outputs = self.outputs(lookup);
                let keys: Vec<usize> = (0..3).filter(|c| !outputs.contains(c)).collect();
                let earlier = keys.iter().all(|c| before(&own.tuple[*c]));
                require(earlier, "an output that its own key depends on")?;
                self.check_function(&self.tables[own.table], &keys, component)
            }
            Derived::Root { block } => {
                let Some(own) = self.blocks.get(block) else {
                    return Err(CircuitError::Malformed("a root without its block"));
                };
                require(is_it(&own.root), "a root that its block does not name")?;
                let earlier = own.factors.iter().all(before);
                require(earlier, "a root that depends on itself")
            }
        }
    }

    /// W3: no key of a table has two outputs, and outputs are below 2^16.
    fn check_function(
        &self,
        table: &Table,
        keys: &[usize],
        output: usize,
    ) -> Result<(), CircuitError> {
        // Along a run only the first component changes.
        require(keys.contains(&0), "an output in the place of a key")?;
        require(are_disjoint(table.runs(), keys), "a key with two outputs")?;
        let small = |run: &Run| run.entry(0)[output] <= u64::from(u16::MAX);
        require(table.runs().iter().all(small), "an output beyond 16 bits")
    }

    /// The components of a lookup that are derived by it.
    fn outputs(&self, of: usize) -> BTreeSet<usize> {
        let outputs = self.derived.iter().filter_map(|d| match *d {
            Derived::Output { lookup, component } if lookup == of => Some(component),
            _ => None,
        });
        outputs.collect()
    }
}

fn is_before(linear: &Linear, index: usize) -> bool {
    linear.terms().all(|(column, _)| match column {
        Column::Derived(d) => d < index,
        Column::Present | Column::Base(_) => true,
    })
}

/// Whether no two entries have the same components at `keys`, 0 among them.
fn are_disjoint(runs: &[Run], keys: &[usize]) -> bool {
    let mut all: Vec<([u64; 2], u64, u64)> = runs
        .iter()
        .map(|run| {
            let entry = run.entry(0);
            let others = [1, 2].map(|i| if keys.contains(&i) { entry[i] } else { 0 });
            (others, run.first, run.length as u64)
        })
        .collect();
    all.sort_unstable();
    all.windows(2).all(|pair| {
        let [(others, first, length), (next_others, next, _)] = [pair[0], pair[1]];
        others != next_others || first.checked_add(length).is_some_and(|end| end <= next)
    })
}

fn require(holds: bool, what: &'static str) -> Result<(), CircuitError> {
    if holds {
        Ok(())
    } else {
        Err(CircuitError::Malformed(what))
    }
}
