//! Two kinds of tables, and their generated rows.

use galen_tests::{
    dice::Dice,
    plain::{PlainTable, Value, day},
};

/// Which columns a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Columns of at most 10 bits, whose tables are short.
    Narrow,
    /// Columns of 16 bits and beyond.
    Wide,
}

/// A column as the generators need it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
    pub nullable: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum ColumnKind {
    Boolean,
    Category(&'static [&'static str]),
    /// Bounds in units of 10^-decimals.
    Number {
        min: i64,
        max: i64,
        decimals: u32,
    },
    /// Days of a year and a half from 2020-01-01, by their number.
    Date,
}

pub const ARMS: &[&str] = &["a", "b", "it's"];
pub const SITES: &[&str] = &["north", "south"];
/// Days that the date column spans.
pub const DAYS: i64 = 540;

const NARROW: &[Column] = &[
    column("b", ColumnKind::Boolean, false),
    column("nb", ColumnKind::Boolean, true),
    column("arm", ColumnKind::Category(ARMS), false),
    column("site", ColumnKind::Category(SITES), true),
    column("age", number(0, 120, 0), false),
    column("score", number(-250, 600, 1), true),
    column("day", ColumnKind::Date, true),
];

const WIDE: &[Column] = &[
    column("b", ColumnKind::Boolean, true),
    column("arm", ColumnKind::Category(ARMS), true),
    column("steps", number(0, 40_000, 0), true),
    column("money", number(-12_345_678, 20_000_000, 2), true),
];

const fn column(name: &'static str, kind: ColumnKind, nullable: bool) -> Column {
    Column {
        name,
        kind,
        nullable,
    }
}

const fn number(min: i64, max: i64, decimals: u32) -> ColumnKind {
    ColumnKind::Number { min, max, decimals }
}

impl Kind {
    pub fn columns(self) -> &'static [Column] {
        match self {
            Kind::Narrow => NARROW,
            Kind::Wide => WIDE,
        }
    }

    pub fn registry(self) -> &'static str {
        match self {
            Kind::Narrow => NARROW_TOML,
            Kind::Wide => WIDE_TOML,
        }
    }
}

/// `rows` rows: about one patient in six without consent, one value in five NULL where it may be.
pub fn generate(kind: Kind, rows: usize, dice: &mut Dice) -> PlainTable {
    let columns = kind.columns();
    let names = ["pid", "consent"]
        .into_iter()
        .chain(columns.iter().map(|c| c.name));
    PlainTable {
        columns: names.map(str::to_owned).collect(),
        rows: (0..rows)
            .map(|i| {
                let mut row = vec![Value::Text(format!("p{i}")), Value::Bool(dice.below(6) > 0)];
                row.extend(columns.iter().map(|c| value(c, dice)));
                row
            })
            .collect(),
    }
}

fn value(column: &Column, dice: &mut Dice) -> Value {
    if column.nullable && dice.below(5) == 0 {
        return Value::Null;
    }
    match column.kind {
        ColumnKind::Boolean => Value::Bool(dice.below(2) == 1),
        ColumnKind::Category(codes) => Value::Text((*dice.pick(codes)).to_owned()),
        ColumnKind::Date => Value::Text(day(dice.between(0, DAYS - 1))),
        ColumnKind::Number { min, max, decimals } => Value::Number {
            // The bounds themselves come often enough to be seen.
            units: match dice.below(20) {
                0 => min,
                1 => max,
                _ => dice.between(min, max),
            },
            decimals,
        },
    }
}

const NARROW_TOML: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "b"
type = "boolean"

[[column]]
name = "nb"
type = "boolean"
nullable = true

[[column]]
name = "arm"
type = "category"
codes = ["a", "b", "it's"]

[[column]]
name = "site"
type = "category"
codes = ["north", "south"]
nullable = true

[[column]]
name = "age"
type = "number"
min = 0
max = 120
decimals = 0

[[column]]
name = "score"
type = "number"
min = "-25.0"
max = "60.0"
decimals = 1
nullable = true

[[column]]
name = "day"
type = "date"
min = "2020-01-01"
max = "2021-06-23"
nullable = true
"#;

const WIDE_TOML: &str = r#"
[registry]
name = "t"
version = 1
patient_id = "pid"

[[purpose]]
code = "DUO:0000042"
column = "consent"

[[column]]
name = "b"
type = "boolean"
nullable = true

[[column]]
name = "arm"
type = "category"
codes = ["a", "b", "it's"]
nullable = true

[[column]]
name = "steps"
type = "number"
min = 0
max = 40000
decimals = 0
nullable = true

[[column]]
name = "money"
type = "number"
min = "-123456.78"
max = "200000.00"
decimals = 2
nullable = true
"#;
