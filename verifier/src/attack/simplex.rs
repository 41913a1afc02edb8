//! Exact linear programming: between which numbers a linear function lies on a polytope.
//!
//! Dantzig's simplex method on a dictionary of fractions, with Bland's rule, so that it ends (Bland 1977; Chvátal, Linear Programming,
//! chapters 2, 3 and 8). The numbers of an answer are small and so are its polytopes: what a floating-point solver would gain is
//! worth less than that everybody comes to the same result.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// Σ coefficient·variable ≤ bound; variables are at least 0.
#[derive(Debug, Clone)]
pub(super) struct AtMost {
    /// A coefficient for each variable.
    pub coefficients: Vec<i64>,
    pub bound: BigInt,
}

/// A polytope with a corner of it.
#[derive(Debug, Clone)]
pub(super) struct Polytope {
    /// basic = constant + Σ rest, a row for each basic variable: constant first, then a coefficient for each variable that is not
    /// basic.
    rows: Vec<Vec<BigRational>>,
    /// Which variable each row is of: the polytope's own first, then a slack for each inequality.
    basic: Vec<usize>,
    /// Which variable each coefficient is of.
    free: Vec<usize>,
    variables: usize,
    /// Pivots that are left.
    pivots: usize,
}

/// Too many pivots: nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl Polytope {
    /// `None` if it is empty.
    pub fn new(
        variables: usize,
        inequalities: &[AtMost],
        pivots: usize,
    ) -> Result<Option<Self>, TooLong> {
        let row = |i: &AtMost| {
            let minus = i.coefficients.iter().map(|c| integer(-c));
            std::iter::once(BigRational::from(i.bound.clone()))
                .chain(minus)
                .collect()
        };
        let mut polytope = Self {
            rows: inequalities.iter().map(row).collect(),
            basic: (variables..variables + inequalities.len()).collect(),
            free: (0..variables).collect(),
            variables,
            pivots,
        };
        let is_feasible = polytope.find_corner()?;
        Ok(is_feasible.then_some(polytope))
    }

    /// An artificial variable that every row gets enough of, and that is then driven out.
    fn find_corner(&mut self) -> Result<bool, TooLong> {
        let worst = (0..self.rows.len()).min_by(|a, b| self.rows[*a][0].cmp(&self.rows[*b][0]));
        let Some(worst) = worst.filter(|r| self.rows[*r][0].is_negative()) else {
            return Ok(true);
        };
        let artificial = usize::MAX;
        self.free.push(artificial);
        self.rows
            .iter_mut()
            .for_each(|r| r.push(BigRational::one()));
        self.pivot(worst, self.free.len() - 1)?;
        // Least of the artificial variable: it is basic now, so its row is the objective.
        let objective = |p: &Self| -> Vec<BigRational> {
            match p.basic.iter().position(|b| *b == artificial) {
                Some(row) => p.rows[row].iter().map(|v| -v.clone()).collect(),
                None => {
                    let mut zero = vec![BigRational::zero(); p.free.len() + 1];
                    let at = p.free.iter().position(|f| *f == artificial);
                    zero[at.expect("basic or free") + 1] = -BigRational::one();
                    zero
                }
            }
        };
        self.climb(objective)?;
        if let Some(row) = self.basic.iter().position(|b| *b == artificial) {
            if self.rows[row][0].is_positive() {
                return Ok(false);
            }
            let column = (0..self.free.len()).find(|c| !self.rows[row][c + 1].is_zero());
            match column {
                Some(column) => self.pivot(row, column)?,
                None => {
                    self.rows.remove(row);
                    self.basic.remove(row);
                    return Ok(true);
                }
            }
        }
        let column = self.free.iter().position(|f| *f == artificial);
        let column = column.expect("it is free now");
        self.free.remove(column);
        self.rows.iter_mut().for_each(|r| {
            r.remove(column + 1);
        });
        Ok(true)
    }

    /// The largest of a function with these coefficients, by pivots from where it stands.
    pub fn largest(&mut self, coefficients: &[i64]) -> Result<BigRational, TooLong> {
        debug_assert_eq!(coefficients.len(), self.variables);
        self.climb(|p| p.function(coefficients))?;
        Ok(self.function(coefficients)[0].clone())
    }

    /// The corner where it stands.
    pub fn corner(&self) -> Vec<BigRational> {
        let mut corner = vec![BigRational::zero(); self.variables];
        for (row, variable) in self.rows.iter().zip(&self.basic) {
            if let Some(value) = corner.get_mut(*variable) {
                value.clone_from(&row[0]);
            }
        }
        corner
    }

    /// A function of the polytope's variables in terms of those that are not basic.
    fn function(&self, coefficients: &[i64]) -> Vec<BigRational> {
        let mut sum = vec![BigRational::zero(); self.free.len() + 1];
        for (row, variable) in self.rows.iter().zip(&self.basic) {
            let Some(c) = coefficients.get(*variable).filter(|c| **c != 0) else {
                continue;
            };
            for (to, from) in sum.iter_mut().zip(row) {
                *to += integer(*c) * from;
            }
        }
        for (at, variable) in self.free.iter().enumerate() {
            if let Some(c) = coefficients.get(*variable) {
                sum[at + 1] += integer(*c);
            }
        }
        sum
    }

    /// Pivots until the objective cannot grow. The polytopes here are bounded.
    fn climb(&mut self, objective: impl Fn(&Self) -> Vec<BigRational>) -> Result<(), TooLong> {
        loop {
            let gain = objective(self);
            let entering = (0..self.free.len())
                .filter(|c| gain[c + 1].is_positive())
                .min_by_key(|c| self.free[*c]);
            let Some(column) = entering else {
                return Ok(());
            };
            let ratio = |row: usize| {
                let slope = &self.rows[row][column + 1];
                slope.is_negative().then(|| -(&self.rows[row][0] / slope))
            };
            let leaving = (0..self.rows.len())
                .filter_map(|row| Some((ratio(row)?, self.basic[row], row)))
                .min();
            let Some((_, _, row)) = leaving else {
                return Err(TooLong);
            };
            self.pivot(row, column)?;
        }
    }

    /// Lets a basic and a free variable change places.
    fn pivot(&mut self, row: usize, column: usize) -> Result<(), TooLong> {
        self.pivots = self.pivots.checked_sub(1).ok_or(TooLong)?;
        let mut line = self.rows[row].clone();
        let slope = std::mem::replace(&mut line[column + 1], -BigRational::one());
        line.iter_mut().for_each(|v| *v = -(&*v / &slope));
        for (at, other) in self.rows.iter_mut().enumerate() {
            if at == row || other[column + 1].is_zero() {
                continue;
            }
            let times = std::mem::replace(&mut other[column + 1], BigRational::zero());
            for (to, from) in other.iter_mut().zip(&line) {
                *to += &times * from;
            }
        }
        self.rows[row] = line;
        std::mem::swap(&mut self.basic[row], &mut self.free[column]);
        Ok(())
    }
}

fn integer(n: i64) -> BigRational {
    BigRational::from(BigInt::from(n))
}
