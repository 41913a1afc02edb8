//! What tests with generated tables share: columns, and rows of them.

use crate::{
    dice::Dice,
    plain::{PlainTable, Value},
};

/// PostgreSQL's functions of y and x.
pub const PAIRS: [&str; 12] = [
    "covar_samp",
    "covar_pop",
    "corr",
    "regr_count",
    "regr_slope",
    "regr_intercept",
    "regr_r2",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_syy",
    "regr_sxy",
];

/// A column as the generators need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether a value may be missing.
    pub nullable: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// True or false.
    Boolean,
    /// One of these codes.
    Category(&'static [&'static str]),
    /// Bounds in units of 10^-decimals.
    Number {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// Digits after the point.
        decimals: u32,
    },
    /// Days from 2020-01-01, by their number; how many, the table says.
    Date,
}

impl Column {
    /// Whether it holds numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self.kind, ColumnKind::Number { .. })
    }

    /// Whether its stored values take more than 16 bits.
    #[must_use]
    pub fn is_wide(self) -> bool {
        matches!(self.kind, ColumnKind::Number { min, max, .. } if max - min >= 1 << 16)
    }

    /// Digits after the point of its numbers.
    #[must_use]
    pub fn decimals(self) -> u32 {
        match self.kind {
            ColumnKind::Number { decimals, .. } => decimals,
            _ => 0,
        }
    }
}

/// A column.
#[must_use]
pub const fn column(name: &'static str, kind: ColumnKind, nullable: bool) -> Column {
    Column {
        name,
        kind,
        nullable,
    }
}

/// Numbers between bounds.
#[must_use]
pub const fn number(min: i64, max: i64, decimals: u32) -> ColumnKind {
    ColumnKind::Number { min, max, decimals }
}

/// `rows` patients, one in `refusing` without consent, with a value of each column.
pub fn table(
    columns: &[Column],
    rows: usize,
    refusing: u64,
    dice: &mut Dice,
    value: impl Fn(Column, &mut Dice) -> Value,
) -> PlainTable {
    let names = ["pid", "consent"].into_iter();
    let names = names.chain(columns.iter().map(|c| c.name));
    PlainTable {
        columns: names.map(str::to_owned).collect(),
        rows: (0..rows)
            .map(|i| {
                let consent = Value::Bool(!dice.once_in(refusing));
                let mut row = vec![Value::Text(format!("p{i}")), consent];
                row.extend(columns.iter().map(|c| value(*c, dice)));
                row
            })
            .collect(),
    }
}

/// A number between bounds, which themselves come often enough to be seen.
pub fn random_number((min, max): (i64, i64), decimals: u32, dice: &mut Dice) -> Value {
    let units = match dice.below(20) {
        0 => min,
        1 => max,
        _ => dice.between(min, max),
    };
    Value::Number { units, decimals }
}
