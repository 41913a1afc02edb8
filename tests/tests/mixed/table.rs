//! One patient table with every kind of column: narrow and wide, nullable or not, with minima below 0.

use std::fmt::Write as _;

use galen_tests::{
    PURPOSE,
    dice::Dice,
    generated::{column, number, random_number, table},
    plain::{PlainTable, Value, day, decimal_text},
};

pub use galen_tests::generated::{Column, ColumnKind as Kind};

/// Days that the date column spans, with the last of 2020 and the first of 2022.
pub const DAYS: i64 = 740;

pub const COLUMNS: &[Column] = &[
    column("female", Kind::Boolean, false),
    column("smoker", Kind::Boolean, true),
    column("died", Kind::Boolean, true),
    column("arm", Kind::Category(&["a", "b", "it's"]), false),
    column("site", Kind::Category(&["north", "south", "far off"]), true),
    column("stage", Kind::Category(&["0", "1", "2", "3", "4"]), true),
    column("age", number(0, 110, 0), false),
    column("months", number(0, 120, 0), false),
    column("temp", number(-250, 600, 1), true),
    column("lab", number(-350, 1_200, 2), true),
    column("steps", number(0, 100_000, 0), false),
    column("money", number(-12_345_678, 20_000_000, 2), true),
    column("day", Kind::Date, true),
];

/// The column of a name.
pub fn named(name: &str) -> Column {
    *COLUMNS.iter().find(|c| c.name == name).unwrap()
}

/// The registry's text.
pub fn registry() -> String {
    let mut text = format!(
        "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"pid\"\n\n\
         [[purpose]]\ncode = \"{PURPOSE}\"\ncolumn = \"consent\"\n"
    );
    for c in COLUMNS {
        let (kind, more) = match c.kind {
            Kind::Boolean => ("boolean", String::new()),
            Kind::Category(codes) => ("category", format!("codes = {codes:?}\n")),
            Kind::Number { min, max, decimals } => {
                let (min, max) = (decimal_text(min, decimals), decimal_text(max, decimals));
                let bounds = format!("min = \"{min}\"\nmax = \"{max}\"\ndecimals = {decimals}\n");
                ("number", bounds)
            }
            Kind::Date => {
                let (first, last) = (day(0), day(DAYS - 1));
                ("date", format!("min = \"{first}\"\nmax = \"{last}\"\n"))
            }
        };
        let (name, nullable) = (c.name, c.nullable);
        write!(
            text,
            "\n[[column]]\nname = \"{name}\"\ntype = \"{kind}\"\nnullable = {nullable}\n{more}"
        )
        .unwrap();
    }
    text
}

/// `rows` patients, one in eight without consent. Of a category the later codes are rarer, so that some
/// groups are small; one value in six is NULL where it may be.
pub fn generate(rows: usize, dice: &mut Dice) -> PlainTable {
    table(COLUMNS, rows, 8, dice, value)
}

fn value(column: Column, dice: &mut Dice) -> Value {
    if column.nullable && dice.once_in(6) {
        return Value::Null;
    }
    match column.kind {
        Kind::Boolean => Value::Bool(dice.once_in(3)),
        Kind::Category(codes) => {
            let last = codes.len() as u64;
            let at = (0..3).map(|_| dice.below(last)).min().unwrap();
            Value::Text(codes[usize::try_from(at).unwrap()].to_owned())
        }
        Kind::Date => Value::Text(day(dice.between(0, DAYS - 1))),
        Kind::Number { min, max, decimals } => random_number((min, max), decimals, dice),
    }
}
