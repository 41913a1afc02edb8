//! Functions of two columns, exact up to one last division or root.

use galen_query::query::PairFunction;
use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::{
    Cell,
    group::{Group, Released, power_of_ten, ratio, root},
};
use crate::plan::{
    FieldKind,
    fields::{among_pairs, minimum, pair, product},
};

/// n times the sums of squares and products about the means: n·Σ(x − x̄)² and so on. What stored values were
/// reduced by cancels. In units of the columns' last digits.
struct Moments {
    n: BigInt,
    xx: BigInt,
    yy: BigInt,
    xy: BigInt,
}

impl Group<'_> {
    /// An aggregate over the patients with a value in both columns, with PostgreSQL's NULLs.
    pub(super) fn pair(&self, function: PairFunction, y: usize, x: usize) -> Released<Cell> {
        use PairFunction as F;
        let n = self.number(pair(self.registry, y, Some(x), self.filter))?;
        let (dx, dy) = (self.decimals(x), self.decimals(y));
        let two = BigInt::from(2);
        Ok(match function {
            F::Count => Cell::Integer(n),
            F::AvgX => self.mean(x, y, &n)?,
            F::AvgY => self.mean(y, x, &n)?,
            F::Sxx => ratio(self.square(x, y, &n)?, n * power_of_ten(2 * dx)),
            F::Syy => ratio(self.square(y, x, &n)?, n * power_of_ten(2 * dy)),
            F::Sxy => ratio(self.cross(y, x, &n)?, n * power_of_ten(dx + dy)),
            F::CovarPop => ratio(self.cross(y, x, &n)?, &n * &n * power_of_ten(dx + dy)),
            F::CovarSamp if n < two => Cell::Null,
            F::CovarSamp => ratio(
                self.cross(y, x, &n)?,
                &n * (&n - BigInt::one()) * power_of_ten(dx + dy),
            ),
            F::Slope => {
                let (xx, xy) = (self.square(x, y, &n)?, self.cross(y, x, &n)?);
                ratio(xy * power_of_ten(dx), xx * power_of_ten(dy))
            }
            F::Intercept => self.intercept(y, x, &n)?,
            F::Corr => self.moments(y, x, n)?.correlation(),
            F::R2 => self.moments(y, x, n)?.determination(),
        })
    }

    /// Σ of `column`'s values among the pairs, in units of its last digit.
    fn sum_of(&self, column: usize, other: usize, n: &BigInt) -> Released<BigInt> {
        let stored = self.among(FieldKind::Sum, column, other)?;
        Ok(stored + n * minimum(self.registry, column))
    }

    fn among(&self, kind: FieldKind, column: usize, other: usize) -> Released<BigInt> {
        self.number(among_pairs(kind, column, other, self.filter, self.registry))
    }

    fn mean(&self, column: usize, other: usize, n: &BigInt) -> Released<Cell> {
        let sum = self.sum_of(column, other, n)?;
        Ok(ratio(sum, n * power_of_ten(self.decimals(column))))
    }

    /// n·Σu² − (Σu)².
    fn square(&self, column: usize, other: usize, n: &BigInt) -> Released<BigInt> {
        let sum = self.among(FieldKind::Sum, column, other)?;
        Ok(n * self.among(FieldKind::SumOfSquares, column, other)? - &sum * &sum)
    }

    /// n·Σuv − Σu·Σv.
    fn cross(&self, y: usize, x: usize, n: &BigInt) -> Released<BigInt> {
        let sums = self.among(FieldKind::Sum, y, x)? * self.among(FieldKind::Sum, x, y)?;
        Ok(n * self.number(product(y, x, self.filter))? - sums)
    }

    /// (Σy·Sxx − Σx·Sxy)/(n·Sxx), with the scales of both columns.
    fn intercept(&self, y: usize, x: usize, n: &BigInt) -> Released<Cell> {
        let (xx, xy) = (self.square(x, y, n)?, self.cross(y, x, n)?);
        let above = self.sum_of(y, x, n)? * &xx - self.sum_of(x, y, n)? * xy;
        Ok(ratio(above, n * xx * power_of_ten(self.decimals(y))))
    }

    fn moments(&self, y: usize, x: usize, n: BigInt) -> Released<Moments> {
        Ok(Moments {
            xx: self.square(x, y, &n)?,
            yy: self.square(y, x, &n)?,
            xy: self.cross(y, x, &n)?,
            n,
        })
    }
}

impl Moments {
    fn correlation(&self) -> Cell {
        let negative = self.xy.is_negative();
        match root(ratio(&self.xy * &self.xy, &self.xx * &self.yy)) {
            Cell::Real(r) if negative => Cell::Real(-r),
            other => other,
        }
    }

    /// PostgreSQL's regr_r2: 1 where y does not vary.
    fn determination(&self) -> Cell {
        if self.n.is_zero() || self.xx.is_zero() {
            return Cell::Null;
        }
        if self.yy.is_zero() {
            return Cell::Real(1.0);
        }
        ratio(&self.xy * &self.xy, &self.xx * &self.yy)
    }
}
