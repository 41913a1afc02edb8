//! What is proven of hidden counts, as inequalities over the equation's hidden cells.

use galen_circuits::equation::{Cells, Inequality, limbs_for};

use crate::{VerifyError, plan::Plan};

/// Cells and statements so far, by the equation's cells.
pub(super) struct Proof {
    pub(super) cells: Cells,
    rows: u64,
    /// Between which numbers each cell lies, if it stands in a statement. All that do are sums of bits over R rows.
    ranges: Vec<(u64, u64)>,
    /// Σ coefficient·cell ≥ bound.
    statements: Vec<(Vec<(usize, i64)>, i64)>,
}

impl Proof {
    pub(super) fn new(plan: &Plan) -> Self {
        let (cells, rows) = (plan.equation.cells(), plan.patients());
        Self {
            cells: Cells {
                published: vec![None; cells],
                inequalities: Vec::new(),
            },
            rows,
            ranges: vec![(0, rows); cells],
            statements: Vec::new(),
        }
    }

    /// A count between bounds, or published where they are equal.
    pub(super) fn between(&mut self, cell: usize, (first, last): (u64, u64)) {
        if first == last {
            self.cells.published[cell] = Some(i128::from(first));
        } else {
            self.bounded(cell, (first, last));
        }
    }

    /// A hidden count between bounds. That it is a sum of at most R bits is proven anyway.
    pub(super) fn bounded(&mut self, cell: usize, (first, last): (u64, u64)) {
        let signed = |n: u64| i64::try_from(n).expect("counts are below 2^48");
        if first > 0 {
            self.at_least(&[(cell, 1)], signed(first));
        }
        if last < self.rows {
            self.at_least(&[(cell, -1)], -signed(last));
        }
        let (least, most) = &mut self.ranges[cell];
        (*least, *most) = (first.max(*least), last.min(*most));
    }

    pub(super) fn at_least(&mut self, terms: &[(usize, i64)], bound: i64) {
        self.statements.push((terms.to_vec(), bound));
    }

    /// Statements in terms of the hidden cells; those about published ones alone are checked.
    pub(super) fn finish(mut self, plan: &Plan) -> Result<Cells, VerifyError> {
        let hidden = self.cells.hidden();
        for (terms, bound) in std::mem::take(&mut self.statements) {
            let (mut left, mut shown) = (Vec::new(), Vec::new());
            let mut rest = i128::from(bound);
            let mut most = 0;
            for (cell, coefficient) in terms {
                let times = i128::from(coefficient);
                match self.cells.published[cell] {
                    Some(value) => {
                        rest -= times * value;
                        shown.push(cell);
                    }
                    None => {
                        let place = hidden.binary_search(&cell).expect("it is hidden");
                        left.push((place, coefficient));
                        most += self.largest(cell, times);
                    }
                }
            }
            if !left.is_empty() {
                let bound = i64::try_from(rest)
                    .map_err(|_| VerifyError::Malformed("a bound beyond 2^63".into()))?;
                // Every true value is from 0 to this, so that its limbs hold it; and whatever is below 2^(8·limbs)
                // is at least 0, which is all that is to be proven.
                let largest = u128::try_from(most - rest).unwrap_or(0);
                self.cells.inequalities.push(Inequality {
                    terms: left,
                    bound,
                    limbs: limbs_for(largest),
                });
            } else if rest > 0 {
                return Err(contradiction(plan, &shown));
            }
        }
        Ok(self.cells)
    }

    /// The largest that a cell times a coefficient can be.
    fn largest(&self, cell: usize, times: i128) -> i128 {
        let (least, most) = self.ranges[cell];
        times * i128::from(if times < 0 { least } else { most })
    }
}

/// Of published cells, which do not lie as the rule says.
fn contradiction(plan: &Plan, cells: &[usize]) -> VerifyError {
    let places = plan.places();
    let places = cells.iter().filter_map(|cell| places[*cell]);
    let names: Vec<String> = places
        .map(|(group, field)| plan.names.number(group, field))
        .collect();
    VerifyError::contradiction(&names.join("; "))
}
