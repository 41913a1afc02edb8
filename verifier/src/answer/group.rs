//! From a group's published cells to its aggregates.

use std::collections::BTreeMap;

use galen_query::{
    query::{Aggregate, Percentile, Share},
    registry::{ColumnKind, Registry},
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use super::Cell;
use crate::{
    plan::{Field, FieldKind, Quantile, contributors, fields::minimum},
    rules::State,
};

/// A group's published cells, and aggregates computed from them.
pub(super) struct Group<'a> {
    pub(super) registry: &'a Registry,
    pub(super) states: &'a BTreeMap<Field, State>,
    /// The aggregate's own.
    pub(super) filter: Option<usize>,
    pub(super) percentiles: &'a [Percentile],
    /// This group's.
    pub(super) quantiles: &'a [Quantile],
    /// The release rule's threshold.
    pub(super) k: u64,
    /// Which filter lies within which.
    pub(super) within: &'a [(usize, usize)],
}

/// A published value, or why it is hidden.
pub(super) type Released<T> = Result<T, State>;

impl Group<'_> {
    fn field(&self, kind: FieldKind, column: Option<usize>) -> Released<BigInt> {
        self.number(Field {
            kind,
            column,
            other: None,
            filter: self.filter,
        })
    }

    /// A field's number.
    pub(super) fn number(&self, field: Field) -> Released<BigInt> {
        let state = self.states.get(&field);
        let state = *state.expect("the plan has every field of every output");
        let number = state.shown().ok_or_else(|| self.reason(field, state))?;
        Ok(BigInt::from(number))
    }

    /// What is guarded by a small count is about fewer than k patients, and is told as small itself.
    fn reason(&self, field: Field, state: State) -> State {
        let is_small = |state: State| state == State::Small;
        if state == State::Guarded && self.containing(field).any(is_small) {
            State::Small
        } else {
            state
        }
    }

    fn count(&self, column: usize) -> Released<BigInt> {
        let f = contributors(self.registry, column, self.filter);
        self.field(f.kind, f.column)
    }

    fn boolean(&self, column: usize) -> bool {
        matches!(self.registry.columns[column].kind, ColumnKind::Boolean)
    }

    pub(super) fn decimals(&self, column: usize) -> u32 {
        match self.registry.columns[column].kind {
            ColumnKind::Number { decimals, .. } => decimals,
            _ => 0,
        }
    }

    /// Σ of the column's values in units of 10^-decimals.
    fn sum(&self, column: usize, n: &BigInt) -> Released<BigInt> {
        if self.boolean(column) {
            return self.field(FieldKind::Trues, Some(column));
        }
        let stored = self.field(FieldKind::Sum, Some(column))?;
        Ok(stored + n * minimum(self.registry, column))
    }

    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Released<Cell> {
        Ok(match aggregate {
            Aggregate::CountAll => Cell::Integer(self.field(FieldKind::Count, None)?),
            Aggregate::Count(c) => Cell::Integer(self.count(*c)?),
            Aggregate::Sum(c) | Aggregate::SumOfSquares(c) if self.boolean(*c) => {
                Cell::Integer(self.field(FieldKind::Trues, Some(*c))?)
            }
            Aggregate::Sum(c) => {
                let n = self.count(*c)?;
                let sum = self.sum(*c, &n)?;
                if n.is_zero() {
                    Cell::Null
                } else {
                    decimal(&sum, self.decimals(*c))
                }
            }
            Aggregate::SumOfSquares(c) => self.sum_of_squares(*c)?,
            Aggregate::Avg(c) => {
                let n = self.count(*c)?;
                let sum = self.sum(*c, &n)?;
                ratio(sum, n * power_of_ten(self.decimals(*c)))
            }
            Aggregate::VarPop(c) => self.variance(*c, 0)?,
            Aggregate::VarSamp(c) => self.variance(*c, 1)?,
            Aggregate::StddevPop(c) => root(self.variance(*c, 0)?),
            Aggregate::StddevSamp(c) => root(self.variance(*c, 1)?),
            Aggregate::Pair { function, y, x } => self.pair(*function, *y, *x)?,
            Aggregate::PercentileDisc { column, share } => self.percentile(*column, *share)?,
        })
    }

    fn percentile(&self, column: usize, share: Share) -> Released<Cell> {
        let is_wanted =
            |p: &&Percentile| (p.column, p.share, p.filter) == (column, share, self.filter);
        let index = self.percentiles.iter().position(|p| is_wanted(&p));
        let index = index.expect("the plan has every percentile of every output");
        let Some(stored) = self.quantiles[index] else {
            return self.no_percentile(&self.percentiles[index]);
        };
        let definition = &self.registry.columns[column];
        Ok(match definition.kind {
            ColumnKind::Number { min, decimals, .. } => {
                decimal(&(BigInt::from(min) + stored), decimals)
            }
            _ => Cell::Date(definition.format_stored(stored)),
        })
    }

    /// The states of the counts that contain a field.
    fn containing(&self, field: Field) -> impl Iterator<Item = State> {
        let states = self.states.iter();
        states
            .filter(move |(f, _)| f.contains(field, self.within))
            .map(|(_, state)| *state)
    }

    /// Why there is none: a count that contains it is hidden, there is no value, or there are fewer than the rule asks for.
    fn no_percentile(&self, percentile: &Percentile) -> Released<Cell> {
        let states = self.containing(Field::count(Some(percentile.column), self.filter));
        for state in states {
            match state.shown() {
                None => return Err(state),
                Some(0) => return Ok(Cell::Null),
                Some(_) => {}
            }
        }
        Ok(match percentile.fewest(self.k) {
            1 => Cell::Null,
            fewest => Cell::TooFew(fewest),
        })
    }

    /// Σ(u + min)² = Σu² + 2·min·Σu + n·min² over committed values u.
    fn sum_of_squares(&self, column: usize) -> Released<Cell> {
        let n = self.count(column)?;
        let min = BigInt::from(minimum(self.registry, column));
        let mut sum = self.field(FieldKind::SumOfSquares, Some(column))?;
        if !min.is_zero() {
            let stored = self.field(FieldKind::Sum, Some(column))?;
            sum += 2 * &min * stored + &n * &min * &min;
        }
        Ok(if n.is_zero() {
            Cell::Null
        } else {
            decimal(&sum, 2 * self.decimals(column))
        })
    }

    /// (n·Σu² − (Σu)²) / (n·(n − correction)): the offset of the stored values cancels.
    fn variance(&self, column: usize, correction: u32) -> Released<Cell> {
        let n = self.count(column)?;
        let (sum, squares) = if self.boolean(column) {
            let trues = self.field(FieldKind::Trues, Some(column))?;
            (trues.clone(), trues)
        } else {
            let sum = self.field(FieldKind::Sum, Some(column))?;
            (sum, self.field(FieldKind::SumOfSquares, Some(column))?)
        };
        let scale = power_of_ten(2 * self.decimals(column));
        if n <= BigInt::from(correction) {
            return Ok(Cell::Null);
        }
        Ok(ratio(
            &n * squares - &sum * &sum,
            &n * (&n - correction) * scale,
        ))
    }
}

pub(super) fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

pub(super) fn ratio(numerator: BigInt, denominator: BigInt) -> Cell {
    if denominator.is_zero() {
        return Cell::Null;
    }
    BigRational::new(numerator, denominator)
        .to_f64()
        .map_or(Cell::Null, Cell::Real)
}

pub(super) fn root(cell: Cell) -> Cell {
    match cell {
        Cell::Real(v) => Cell::Real(v.sqrt()),
        other => other,
    }
}

/// An exact decimal: an integer where the scale is 0.
pub(super) fn decimal(unscaled: &BigInt, scale: u32) -> Cell {
    if scale == 0 {
        return Cell::Integer(unscaled.clone());
    }
    let width = scale as usize + 1;
    let digits = format!("{:0>width$}", unscaled.magnitude().to_string());
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let sign = if unscaled < &BigInt::zero() { "-" } else { "" };
    Cell::Decimal(format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_text() {
        let text = |n: i64, scale| decimal(&BigInt::from(n), scale).to_string();
        assert_eq!(text(1234, 2), "12.34");
        assert_eq!(text(-5, 2), "-0.05");
        assert_eq!(text(0, 3), "0.000");
        assert_eq!(text(7, 0), "7");
    }
}
