//! The base columns as a plan names them.

use galen_circuits::equation::{Column, Linear};

use galen_query::registry::{BaseColumn, Registry, Role};

/// A combination that lies in 0 … radix − 1 in every row.
///
/// Of a nullable column it is x + known: 0 where it is NULL, and one more than the stored value elsewhere. That
/// (x, known) is (0, 0) or (v, 1) is proven at registration, so nothing is lost in the sum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digit {
    pub(super) linear: Linear,
    pub(super) radix: u64,
    /// Of a nullable column: 1 where the digit is not 0.
    pub(super) known: Option<Linear>,
}

/// What a registry column is committed as.
pub(super) enum Parts {
    /// One column of at most 16 bits.
    One(Digit),
    /// The low 16 bits and those above; never NULL, but both 0 where the column is.
    Two {
        /// v mod 2^16.
        low: Digit,
        /// ⌊v / 2^16⌋.
        high: Digit,
    },
}

/// The base columns with their indices.
pub(super) struct Bases<'a> {
    pub(super) registry: &'a Registry,
    columns: Vec<BaseColumn>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(registry: &'a Registry) -> Self {
        Self {
            registry,
            columns: registry.base_columns(),
        }
    }

    fn find(&self, role: Role) -> Option<Linear> {
        let index = self.columns.iter().position(|c| c.role == role);
        index.map(|i| Linear::column(Column::Base(i)))
    }

    fn get(&self, role: Role) -> Linear {
        self.find(role).expect("the registry has this base column")
    }

    /// The consent bit of a purpose.
    pub(super) fn consent(&self, purpose: usize) -> Linear {
        self.get(Role::Consent(purpose))
    }

    /// The known bit of a nullable column.
    pub(super) fn known(&self, column: usize) -> Option<Linear> {
        self.find(Role::Known(column))
    }

    /// 1 where the column has a value.
    pub(super) fn known_bit(&self, column: usize) -> Linear {
        self.known(column).unwrap_or_else(|| Linear::constant(1))
    }

    /// The column's stored value, 0 where it is NULL.
    pub(super) fn value(&self, column: usize) -> Linear {
        let one = self
            .find(Role::Bit(column))
            .or_else(|| self.find(Role::Value(column)));
        one.unwrap_or_else(|| {
            let low = self.get(Role::Low(column));
            low.plus(1 << 16, &self.get(Role::High(column)))
        })
    }

    /// The column's digits.
    pub(super) fn parts(&self, column: usize) -> Parts {
        let definition = &self.registry.columns[column];
        let span = definition.span();
        let part = |role, radix| Digit {
            linear: self.get(role),
            radix,
            known: None,
        };
        if definition.is_wide() {
            return Parts::Two {
                low: part(Role::Low(column), 1 << 16),
                high: part(Role::High(column), (span >> 16) + 1),
            };
        }
        let value = self.value(column);
        Parts::One(match self.known(column) {
            None => Digit {
                linear: value,
                radix: span + 1,
                known: None,
            },
            Some(known) => Digit {
                linear: value.plus(1, &known),
                radix: span + 2,
                known: Some(known),
            },
        })
    }
}

/// A number in mixed radix, lowest digit first.
#[derive(Debug, Clone, Default)]
pub(super) struct Mixed {
    pub(super) linear: Linear,
    /// Weight and radix of each digit.
    digits: Vec<(u64, u64)>,
}

impl Mixed {
    /// One more than the largest number.
    pub(super) fn radix(&self) -> u64 {
        self.digits
            .last()
            .map_or(1, |(weight, radix)| weight * radix)
    }

    /// Appends a digit; returns its place.
    pub(super) fn push(&mut self, linear: &Linear, radix: u64) -> usize {
        let weight = self.radix();
        let factor = i64::try_from(weight).expect("tables are far smaller than 2^63");
        self.linear = std::mem::take(&mut self.linear).plus(factor, linear);
        self.digits.push((weight, radix));
        self.digits.len() - 1
    }

    /// A digit of a number.
    pub(super) fn digit(&self, number: u64, place: usize) -> u64 {
        let (weight, radix) = self.digits[place];
        number / weight % radix
    }

    /// The number of these digits.
    pub(super) fn number(&self, digits: &[u64]) -> u64 {
        let weighted = self.digits.iter().zip(digits);
        weighted.map(|((weight, _), digit)| weight * digit).sum()
    }
}
