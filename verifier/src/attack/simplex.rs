//! Exact linear programming: between which numbers a linear function lies on a polytope.
//!
//! Dantzig's simplex method on a dictionary of whole numbers over one denominator (Edmonds 1967, Bareiss 1968: what is divided by divides),
//! in the end with Bland's rule, so that it ends (Bland 1977; Chvátal, Linear Programming, chapters 2, 3 and 8). Everybody comes to
//! the same result, which no floating-point solver promises. A number beyond 127 bits, or too much work, is [`TooLong`].

use num_rational::Ratio;

/// Σ coefficient·variable and its bound; variables are at least 0.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    /// A coefficient for each variable.
    pub coefficients: Vec<i8>,
    pub bound: i128,
}

/// A value of a function.
pub(super) type Value = Ratio<i128>;

/// Nothing is known: it would take too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// How many numbers may still be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work(pub usize);

impl Work {
    /// Gives so many up.
    pub(super) fn take(&mut self, numbers: usize) -> Result<(), TooLong> {
        self.0 = self.0.checked_sub(numbers).ok_or(TooLong)?;
        Ok(())
    }
}

/// A polytope with a corner of it.
#[derive(Debug, Clone)]
pub(super) struct Polytope {
    /// denominator·basic = constant + Σ coefficient·free, a row for each basic variable: constant first.
    rows: Vec<Vec<i128>>,
    denominator: i128,
    /// Which variable each row is of: the polytope's own first, then a slack for each inequality.
    basic: Vec<usize>,
    /// Which variable each coefficient is of.
    free: Vec<usize>,
    variables: usize,
}

/// So many pivots go where the objective grows fastest, before Bland's rule.
const STEEP: usize = 200;

/// Stands behind all others.
const ARTIFICIAL: usize = usize::MAX;

impl Polytope {
    /// Where each of `equal` is its bound and each of `at_most` is not more. `None` if that is nowhere.
    pub fn new(
        variables: usize,
        equal: &[Linear],
        at_most: &[Linear],
        work: &mut Work,
    ) -> Result<Option<Self>, TooLong> {
        let row = |l: &Linear| {
            debug_assert_eq!(l.coefficients.len(), variables);
            let minus = l.coefficients.iter().map(|c| -i128::from(*c));
            std::iter::once(l.bound).chain(minus).collect()
        };
        let all = equal.iter().chain(at_most);
        let mut polytope = Self {
            rows: all.map(row).collect(),
            denominator: 1,
            basic: (variables..variables + equal.len() + at_most.len()).collect(),
            free: (0..variables).collect(),
            variables,
        };
        let may_be = polytope.solve(equal.len(), work)?;
        let is_feasible = may_be && polytope.find_corner(work)?;
        Ok(is_feasible.then_some(polytope))
    }

    /// Takes the slacks of the first rows out: they are 0.
    fn solve(&mut self, equations: usize, work: &mut Work) -> Result<bool, TooLong> {
        let mut row = 0;
        for _ in 0..equations {
            let own = (0..self.free.len()).find(|c| self.rows[row][c + 1] != 0);
            if let Some(column) = own {
                self.pivot(row, column, work)?;
                self.drop(column);
                row += 1;
            } else {
                let [constant] = self.rows.remove(row)[..1] else {
                    return Err(TooLong);
                };
                self.basic.remove(row);
                if constant != 0 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Forgets a free variable that is 0.
    fn drop(&mut self, column: usize) {
        self.free.swap_remove(column);
        self.rows.iter_mut().for_each(|r| {
            r.swap_remove(column + 1);
        });
    }

    /// An artificial variable that every row gets enough of, and that is then driven out.
    fn find_corner(&mut self, work: &mut Work) -> Result<bool, TooLong> {
        let worst = (0..self.rows.len()).min_by_key(|r| self.rows[*r][0]);
        let Some(worst) = worst.filter(|r| self.rows[*r][0] < 0) else {
            return Ok(true);
        };
        self.free.push(ARTIFICIAL);
        let one = self.denominator;
        self.rows.iter_mut().for_each(|r| r.push(one));
        self.pivot(worst, self.free.len() - 1, work)?;
        // It is basic now: its row, the sign changed, is what grows as it falls.
        let objective = self.rows[worst].iter().map(|v| -v).collect();
        self.climb(objective, work)?;
        if let Some(row) = self.basic.iter().position(|b| *b == ARTIFICIAL) {
            if self.rows[row][0] > 0 {
                return Ok(false);
            }
            match (0..self.free.len()).find(|c| self.rows[row][c + 1] != 0) {
                Some(column) => self.pivot(row, column, work)?,
                None => {
                    self.rows.remove(row);
                    self.basic.remove(row);
                    return Ok(true);
                }
            }
        }
        let column = self.free.iter().position(|f| *f == ARTIFICIAL);
        let column = column.expect("it is free now");
        self.drop(column);
        Ok(true)
    }

    /// The largest of a function with these coefficients, by pivots from where it stands.
    pub fn largest(&mut self, coefficients: &[i8], work: &mut Work) -> Result<Value, TooLong> {
        debug_assert_eq!(coefficients.len(), self.variables);
        let objective = self.function(coefficients, work)?;
        let largest = self.climb(objective, work)?;
        Ok(Ratio::new(largest, self.denominator))
    }

    /// Whether a function is above 0 and below `limit` at the corner where it stands; `None` if a number is too large.
    pub fn is_within(&self, coefficients: &[i8], limit: u64) -> Option<bool> {
        let mut sum = 0_i128;
        for (row, variable) in self.rows.iter().zip(&self.basic) {
            if let Some(c) = coefficients.get(*variable).filter(|c| **c != 0) {
                sum = add_times(sum, i128::from(*c), row[0]).ok()?;
            }
        }
        let limit = self.denominator.checked_mul(limit.into())?;
        Some(sum > 0 && sum < limit)
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// A function of the polytope's variables in terms of those that are free, times the denominator.
    fn function(&self, coefficients: &[i8], work: &mut Work) -> Result<Vec<i128>, TooLong> {
        work.take(self.rows.len() * (self.free.len() + 1))?;
        let mut sum = vec![0_i128; self.free.len() + 1];
        for (row, variable) in self.rows.iter().zip(&self.basic) {
            let Some(c) = coefficients.get(*variable).filter(|c| **c != 0) else {
                continue;
            };
            for (to, from) in sum.iter_mut().zip(row) {
                *to = add_times(*to, i128::from(*c), *from)?;
            }
        }
        for (at, variable) in self.free.iter().enumerate() {
            if let Some(c) = coefficients.get(*variable) {
                sum[at + 1] = add_times(sum[at + 1], i128::from(*c), self.denominator)?;
            }
        }
        Ok(sum)
    }

    /// Pivots until the objective cannot grow; its value then, times the denominator. The polytopes here are bounded.
    fn climb(&mut self, objective: Vec<i128>, work: &mut Work) -> Result<i128, TooLong> {
        // It is pivoted with the rows, as their last.
        self.rows.push(objective);
        let done = self.climb_with_objective(work);
        let objective = self.rows.pop().expect("it was pushed");
        done.map(|()| objective[0])
    }

    fn climb_with_objective(&mut self, work: &mut Work) -> Result<(), TooLong> {
        let last = self.rows.len() - 1;
        for pivots in 0.. {
            let gain = &self.rows[last];
            let entering = (0..self.free.len()).filter(|c| gain[c + 1] > 0);
            let steepest = |c: &usize| (gain[c + 1], usize::MAX - self.free[*c]);
            let entering = match pivots < STEEP {
                true => entering.max_by_key(steepest),
                false => entering.min_by_key(|c| self.free[*c]),
            };
            let Some(column) = entering else {
                return Ok(());
            };
            let mut leaving: Option<usize> = None;
            for row in (0..last).filter(|r| self.rows[*r][column + 1] < 0) {
                if match leaving {
                    Some(other) => self.leaves_before(row, other, column)?,
                    None => true,
                } {
                    leaving = Some(row);
                }
            }
            self.pivot(leaving.ok_or(TooLong)?, column, work)?;
        }
        Ok(())
    }

    /// Which row falls to 0 first as a free variable grows; of two at once, that of the first variable.
    fn leaves_before(&self, a: usize, b: usize, column: usize) -> Result<bool, TooLong> {
        let times = |constant: usize, slope: usize| {
            let (constant, slope) = (self.rows[constant][0], self.rows[slope][column + 1]);
            constant.checked_mul(-slope).ok_or(TooLong)
        };
        let order = times(a, b)?.cmp(&times(b, a)?);
        Ok(order.then(self.basic[a].cmp(&self.basic[b])).is_lt())
    }

    /// Lets a basic and a free variable change places.
    fn pivot(&mut self, row: usize, column: usize, work: &mut Work) -> Result<(), TooLong> {
        work.take(self.rows.len() * (self.free.len() + 1))?;
        let old = self.denominator;
        let mut line = self.rows[row].clone();
        let slope = line[column + 1];
        for (at, other) in self.rows.iter_mut().enumerate() {
            if at == row {
                continue;
            }
            let times = other[column + 1];
            for (place, (to, from)) in other.iter_mut().zip(&line).enumerate() {
                // The leaving variable's coefficient takes the place of the entering one's.
                if place == column + 1 {
                    continue;
                }
                let scaled = to.checked_mul(slope).ok_or(TooLong)?;
                let product = add_times(scaled, -times, *from)?;
                *to = product / old;
                // It always divides. If it did not, nothing would be known.
                if *to * old != product {
                    return Err(TooLong);
                }
            }
        }
        line.iter_mut().for_each(|v| *v = -*v);
        line[column + 1] = old;
        self.rows[row] = line;
        self.denominator = slope;
        if slope < 0 {
            self.denominator = -slope;
            let all = self.rows.iter_mut().flatten();
            all.for_each(|v| *v = -*v);
        }
        std::mem::swap(&mut self.basic[row], &mut self.free[column]);
        Ok(())
    }
}

fn add_times(sum: i128, times: i128, value: i128) -> Result<i128, TooLong> {
    let product = times.checked_mul(value).ok_or(TooLong)?;
    sum.checked_add(product).ok_or(TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::tests::Random;

    type Row = (Vec<i64>, i64);

    /// The largest of a function over all corners, each the solution of as many equations as there are variables; `None` if there is
    /// none.
    fn by_corners(equal: &[Row], at_most: &[Row], function: &[i64]) -> Option<Value> {
        let n = function.len();
        let axes = (0..n).map(|v| ((0..n).map(|w| -i64::from(v == w)).collect(), 0));
        let borders: Vec<Row> = at_most.iter().cloned().chain(axes).collect();
        let mut best: Option<Value> = None;
        for chosen in 0_u32..1 << borders.len() {
            let own = borders
                .iter()
                .enumerate()
                .filter(|(b, _)| chosen >> b & 1 == 1);
            let system: Vec<Row> = equal.iter().chain(own.map(|(_, r)| r)).cloned().collect();
            if system.len() < n || chosen.count_ones() as usize > n {
                continue;
            }
            let Some(point) = solved(&system, n) else {
                continue;
            };
            let of = |row: &[i64]| -> Value {
                row.iter()
                    .zip(&point)
                    .map(|(c, x)| x * i128::from(*c))
                    .sum()
            };
            let fits = equal
                .iter()
                .all(|(r, b)| of(r) == Value::from(i128::from(*b)))
                && borders
                    .iter()
                    .all(|(r, b)| of(r) <= Value::from(i128::from(*b)));
            if fits {
                best = best.max(Some(of(function)));
            }
        }
        best
    }

    /// The one point that fulfils equations.
    fn solved(system: &[Row], n: usize) -> Option<Vec<Value>> {
        let mut rows: Vec<Vec<Value>> = system
            .iter()
            .map(|(r, b)| {
                r.iter()
                    .chain([b])
                    .map(|c| Value::from(i128::from(*c)))
                    .collect()
            })
            .collect();
        for column in 0..n {
            let pivot = (column..rows.len()).find(|r| rows[*r][column] != Value::from(0))?;
            rows.swap(column, pivot);
            let lead = rows[column][column];
            rows[column].iter_mut().for_each(|v| *v /= lead);
            let line = rows[column].clone();
            for (at, row) in rows.iter_mut().enumerate() {
                let times = row[column];
                if at != column {
                    row.iter_mut().zip(&line).for_each(|(v, l)| *v -= times * l);
                }
            }
        }
        let is_whole = rows[n..].iter().all(|r| r[n] == Value::from(0));
        is_whole.then(|| rows[..n].iter().map(|r| r[n]).collect())
    }

    /// Polytopes with fractional corners, equations whose determinants are not 1, and such that are empty.
    #[test]
    fn the_largest_is_at_a_corner() {
        let mut random = Random(9);
        let mut next = |below: usize| i64::try_from(random.below(below)).unwrap();
        let mut seen = [0, 0, 0];
        for _ in 0..2_000 {
            let n = usize::try_from(2 + next(4)).unwrap();
            // Most are not empty: one point is known.
            let point: Vec<i64> = (0..n).map(|_| next(6)).collect();
            let off = if next(5) == 0 { 3 } else { 0 };
            let mut row = |slack: i64| -> Row {
                let row: Vec<i64> = (0..n).map(|_| next(2)).collect();
                let at: i64 = row.iter().zip(&point).map(|(c, x)| c * x).sum();
                (row, at + slack)
            };
            let equal: Vec<Row> = (0..n - 1)
                .map(|at| row(if at == 0 { off } else { 0 }))
                .collect();
            let mut at_most: Vec<Row> = (0..2).map(&mut row).collect();
            let (lower, bound) = row(0);
            at_most.push((lower.iter().map(|c| -c).collect(), -bound));
            at_most.push((vec![1; n], 30));
            let (function, _) = row(0);
            let linear = |rows: &[Row]| -> Vec<Linear> {
                let of = |(r, b): &Row| Linear {
                    coefficients: r.iter().map(|c| i8::try_from(*c).unwrap()).collect(),
                    bound: i128::from(*b),
                };
                rows.iter().map(of).collect()
            };
            let mut work = Work(1 << 20);
            let polytope = Polytope::new(n, &linear(&equal), &linear(&at_most), &mut work);
            let best = by_corners(&equal, &at_most, &function);
            let found = polytope.unwrap().map(|mut p| {
                seen[2] += usize::from(p.denominator > 1);
                let function: Vec<i8> =
                    function.iter().map(|c| i8::try_from(*c).unwrap()).collect();
                p.largest(&function, &mut work).unwrap()
            });
            seen[usize::from(found.is_some())] += 1;
            assert_eq!(found, best, "{equal:?} {at_most:?} {function:?}");
        }
        assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
        let one = Linear {
            coefficients: vec![1, 1],
            bound: 3,
        };
        assert_eq!(
            Polytope::new(2, &[one], &[], &mut Work(2)).err(),
            Some(TooLong)
        );
    }
}
