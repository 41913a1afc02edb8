//! Two kinds of tables, and their generated rows.

use galen_tests::{
    dice::Dice,
    generated::{column, number, random_number, table},
    plain::{PlainTable, Value, day},
};

pub use galen_tests::generated::{Column, ColumnKind};

/// Which columns a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Columns of at most 10 bits, whose tables are short.
    Narrow,
    /// Columns of 16 bits and beyond.
    Wide,
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
    table(kind.columns(), rows, 6, dice, value)
}

fn value(column: Column, dice: &mut Dice) -> Value {
    if column.nullable && dice.once_in(5) {
        return Value::Null;
    }
    match column.kind {
        ColumnKind::Boolean => Value::Bool(dice.below(2) == 1),
        ColumnKind::Category(codes) => Value::Text((*dice.pick(codes)).to_owned()),
        ColumnKind::Date => Value::Text(day(dice.between(0, DAYS - 1))),
        ColumnKind::Number { min, max, decimals } => random_number((min, max), decimals, dice),
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
